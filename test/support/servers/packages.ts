/**
 * Which real servers this machine can run, installing what may be installed.
 * Dovecot is an ordinary package. Cyrus, Courier and imap4d would push other servers out, so their packages are unpacked,
 * with all they need, into a cache folder that is then a root directory of its own (chroot).
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findChromium } from '../chromium.ts';
import { findDovecot } from './dovecot.ts';

const run = promisify(execFile);

export interface AvailableServers {
  readonly dovecot: boolean;
  /** Unpacked root directory; `null`: not available. */
  readonly cyrusRoot: string | null;
  readonly courierRoot: string | null;
  readonly imap4dRoot: string | null;
  /** Programs that read trees of files. */
  readonly mutt: boolean;
  readonly python: boolean;
  /** A browser, for the pages that are written; `null`: not available. */
  readonly chromium: string | null;
  /** One sentence for each server that cannot be used. */
  readonly missing: readonly string[];
}

interface UnpackedServer {
  readonly packages: readonly string[];
  /** Must have come with them. */
  readonly program: string;
  /** Dependencies that are needless elsewhere. */
  readonly needs?: RegExp;
}

const unpacked = {
  cyrus: {
    packages: ['cyrus-imapd', 'sasl2-bin', 'libsasl2-modules', 'libsasl2-modules-db'],
    program: 'usr/lib/cyrus/bin/imapd',
    needs: /^libdb5/,
  },
  courier: { packages: ['courier-imap', 'dash'], program: 'usr/sbin/couriertcpd' },
  imap4d: { packages: ['mailutils-imap4d'], program: 'usr/sbin/imap4d' },
} as const satisfies Record<string, UnpackedServer>;

/** Dependencies that only installing, not running, needs. */
const needless =
  /^(adduser|cron|debconf|dpkg$|exim4|gcc-|gnutls-bin|init-system|libblkid|libdb5|libgnutls-dane|libmount|libpam-(modules|runtime)|libperl|libpython3.*-stdlib|libse|libunbound|lib.*-perl$|lsb-base|media-types|netbase|passwd|perl|readline-common|sensible|sysvinit|tar$|usrmerge)/;

/** Changes when what is unpacked, or how, changes: older cache entries are then not used. */
const cacheFormat = 1;
const aptPatienceMs = 3 * 60_000;

/** Finds, installs or unpacks the servers. Never throws for a missing server: it is named in `missing`. */
export async function prepareServers(): Promise<AvailableServers> {
  const missing: string[] = [];
  const attempt = async <Value>(name: string, work: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await work();
    } catch (error) {
      missing.push(`${name} (${error instanceof Error ? error.message : String(error)})`);
      return null;
    }
  };
  const dovecot = await attempt('Dovecot', prepareDovecot);
  const cyrusRoot = await attempt('Cyrus', () => prepareRoot('cyrus'));
  const courierRoot = await attempt('Courier', () => prepareRoot('courier'));
  const imap4dRoot = await attempt('mailutils imap4d', () => prepareRoot('imap4d'));
  const mutt = await attempt('mutt', () => prepareProgram('mutt', 'mutt'));
  const python = await attempt('Python', () => prepareProgram('python3', 'python3'));
  const chromium = await attempt('Chromium', prepareChromium);
  return {
    dovecot: dovecot === true,
    cyrusRoot,
    courierRoot,
    imap4dRoot,
    mutt: mutt === true,
    python: python === true,
    chromium,
    missing,
  };
}

async function prepareProgram(program: string, name: string): Promise<true> {
  if (commandExists(program)) return true;
  if (!mayInstall()) throw new Error(`not installed: apt-get install ${name}`);
  await install(name);
  if (!commandExists(program)) throw new Error(`the package ${name} brought no ${program}`);
  return true;
}

async function prepareDovecot(): Promise<true> {
  if (findDovecot() === null || !commandExists('openssl')) {
    if (!mayInstall()) throw new Error('not installed: apt-get install dovecot-imapd openssl');
    await install('dovecot-imapd', 'openssl');
  }
  const binary = findDovecot();
  if (binary === null) throw new Error('the package dovecot-imapd brought no dovecot');
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  if (!/^2\.3\./.test(version)) throw new Error(`version 2.3 is needed, ${binary} is ${version}`);
  return true;
}

async function install(...packages: readonly string[]): Promise<void> {
  await withServicesBlocked(() =>
    apt(['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages]),
  );
}

async function prepareChromium(): Promise<string> {
  const installed = findChromium();
  if (installed !== null) return installed;
  if (!mayInstall()) throw new Error('not installed: apt-get install chromium');
  await install('chromium');
  const program = findChromium();
  if (program === null) throw new Error('the package chromium brought no browser');
  return program;
}

/** The cached root directory of `name`, unpacked now when it is not there yet. */
async function prepareRoot(name: keyof typeof unpacked): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error('it needs root');
  const { packages, program, needs }: UnpackedServer = unpacked[name];
  return cachedFolder(name, packages, async (fresh, workDir) => {
    // As if nothing were installed: the answer is everything the program needs, down to the C library.
    const wanted = await packagesFor(packages, ['-o', 'Dir::State::status=/dev/null']);
    await unpack(
      wanted.filter((item) => needs?.test(item) === true || !needless.test(item)),
      fresh,
      workDir,
    );
    if (!existsSync(join(fresh, program))) throw new Error(`the packages brought no ${program}`);
    completeRoot(fresh);
  });
}

/**
 * The command that runs mbsync: the installed one, else one unpacked into the cache folder with the libraries that are not
 * installed.
 * @throws Error where there is neither mbsync nor apt
 */
export async function prepareMbsync(): Promise<readonly [string, ...string[]]> {
  if (commandExists('mbsync')) return ['mbsync'];
  const root = await cachedFolder('mbsync', ['isync'], async (fresh, workDir) => {
    await unpack(await packagesFor(['isync'], []), fresh, workDir);
  });
  const program = join(root, 'usr/bin/mbsync');
  const libraries = join(root, 'usr/lib');
  const folders = existsSync(libraries) ? readdirSync(libraries).map((name) => join(libraries, name)) : [];
  const command = ['env', `LD_LIBRARY_PATH=${folders.join(':')}`, program] as const;
  await run(command[0], [...command.slice(1), '--version']);
  return command;
}

/** A folder of the cache that `make` fills, in a folder of its own, when it is not there yet. */
async function cachedFolder(
  name: string,
  packages: readonly string[],
  make: (fresh: string, workDir: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([cacheFormat, packages, readFileSync('/etc/os-release', 'utf8'), process.arch]))
    .digest('hex')
    .slice(0, 12);
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'imap-migrate-test-servers');
  const root = join(cacheDir, `${name}-${key}`);
  if (existsSync(root)) return root;
  if (!commandExists('apt-get') || !commandExists('dpkg')) throw new Error('only set up for Debian and Ubuntu');
  mkdirSync(cacheDir, { recursive: true });
  const workDir = mkdtempSync(join(cacheDir, `.${name}-`));
  try {
    const fresh = join(workDir, 'root');
    mkdirSync(fresh);
    await make(fresh, workDir);
    try {
      renameSync(fresh, root);
    } catch (error) {
      if (!existsSync(root)) throw error;
    }
    return root;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** What an installation would bring. */
async function packagesFor(packages: readonly string[], options: readonly string[]): Promise<string[]> {
  const simulated = await apt([...['install', '-s', '-y', '-o', 'APT::Install-Recommends=0'], ...options, ...packages]);
  return [...simulated.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
}

async function unpack(packages: readonly string[], root: string, workDir: string): Promise<void> {
  const debs = join(workDir, 'debs');
  mkdirSync(debs);
  await apt(['download', ...packages], debs);
  for (const file of readdirSync(debs)) await run('dpkg', ['-x', join(debs, file), root]);
}

/** What packages leave to the installation: merged-usr links, empty folders; and less to copy for every instance. */
function completeRoot(root: string): void {
  chmodSync(root, 0o755);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    if (!existsSync(join(root, name)) && existsSync(join(root, 'usr', name)))
      symlinkSync(`usr/${name}`, join(root, name));
  }
  for (const name of ['dev', 'etc', 'home', 'run', 'tmp']) mkdirSync(join(root, name), { recursive: true });
  for (const name of ['doc', 'info', 'lintian', 'locale', 'man']) {
    rmSync(join(root, 'usr/share', name), { recursive: true, force: true });
  }
}

/** apt-get, waiting for other users of its locks, with fresh package lists when the ones here do not do. */
async function apt(args: readonly string[], cwd = '/'): Promise<string> {
  try {
    return await aptPatiently(args, cwd);
  } catch (error) {
    if (listsAreFresh) throw error;
    await aptPatiently(['update'], '/');
    listsAreFresh = true;
    return aptPatiently(args, cwd);
  }
}

let listsAreFresh = false;

async function aptPatiently(args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const deadline = performance.now() + aptPatienceMs;
  for (;;) {
    try {
      const { stdout } = await run('apt-get', ['-q', ...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
      return stdout;
    } catch (error) {
      const text = String((error as { stderr?: unknown }).stderr ?? error);
      const busy = /could not get lock|unable to lock|is held by process/i.test(text);
      if (!busy || performance.now() > deadline) {
        throw new Error(`apt-get ${args[0]} failed: ${text.trim().split('\n').slice(-3).join(' ')}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/** Packages that bring a service must not start it: policy-rc.d says no to every start while `work` runs. */
async function withServicesBlocked(work: () => Promise<unknown>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const saved = `${policy}.before-imap-migrate-tests`;
  const replaced = existsSync(policy);
  if (replaced) renameSync(policy, saved);
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (replaced) renameSync(saved, policy);
    else rmSync(policy, { force: true });
  }
}

/** Only where the machine is disposable: root in CI or in a container. */
function mayInstall(): boolean {
  if (process.getuid?.() !== 0 || !commandExists('apt-get')) return false;
  if (process.env.CI === 'true') return true;
  return (
    ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file)) || !/^(systemd|init)$/.test(firstProcess())
  );
}

function firstProcess(): string {
  try {
    return readFileSync('/proc/1/comm', 'utf8').trim();
  } catch {
    return 'init';
  }
}

function commandExists(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((place) => existsSync(join(place, name)));
}
