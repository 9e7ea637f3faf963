/**
 * Makes a bare clone runnable: installs what `package-lock.json` names and builds `dist/` when either is missing or stale.
 * Node built-ins only, because this runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
/** Scratch space inside the checkout, ignored by git. */
export const scratchDir = join(projectRoot, '.tmp');
/** The built command. */
export const commandFile = join(projectRoot, 'dist', 'cli.cjs');

const minimumNode = [20, 19];
const lockDir = join(scratchDir, 'setup.lock');
const lockPatienceMs = 10 * 60_000;

/** Something a person has to put right; its message is the whole story. */
export class SetupError extends Error {}

/** Throws `SetupError` where this Node is older than `engines` allows. */
export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantMajor = 0, wantMinor = 0] = minimumNode;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(
    `Node ${minimumNode.join('.')} or newer is needed, this is ${version} (${process.execPath}). Install a newer one from https://nodejs.org/.`,
  );
}

/** Runs `npm ci` unless `node_modules` already holds what `package-lock.json` names. */
export function ensureInstalled() {
  if (isInstalled()) return;
  withLock(() => {
    if (isInstalled()) return;
    say('installing dependencies (once)');
    runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'Installing the dependencies');
    writeFileSync(installStamp(), lockDigest());
  });
}

/** Compiles `src/` to `dist/` unless `dist/` is newer than everything it is made from. */
export function ensureBuilt() {
  if (isBuilt()) return;
  withLock(() => {
    if (isBuilt()) return;
    say('building');
    const started = new Date();
    runNpm(['run', '--silent', 'build'], 'Building');
    chmodSync(commandFile, 0o755);
    // A source saved while the compiler ran has to look newer than the result.
    utimesSync(commandFile, started, started);
  });
}

/** Node, dependencies and `dist/`: all three. */
export function ensureReady() {
  checkNode();
  ensureInstalled();
  ensureBuilt();
}

/**
 * Runs `main` as the whole script: a `SetupError` becomes one line and exit code 1.
 * @param {() => unknown} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`imap-migrate: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function installStamp() {
  return join(projectRoot, 'node_modules', '.imap-migrate-install');
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(projectRoot, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  const stamp = readIfThere(installStamp());
  if (stamp === lockDigest()) return true;
  // `npm install` by hand leaves no stamp of ours, but npm's own record of the tree.
  const tree = modifiedMs(join(projectRoot, 'node_modules', '.package-lock.json'));
  return tree !== null && tree >= (modifiedMs(join(projectRoot, 'package-lock.json')) ?? 0);
}

function isBuilt() {
  const built = modifiedMs(commandFile);
  if (built === null) return false;
  const inputs = ['package.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(projectRoot, name));
  const sources = join(projectRoot, 'src');
  for (const entry of readdirSync(sources, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) inputs.push(join(entry.parentPath, entry.name));
  }
  return inputs.every((file) => (modifiedMs(file) ?? 0) <= built);
}

/** The `npm` that started us, or the first one in PATH. */
function runNpm(args, what) {
  const script = process.env.npm_execpath;
  const viaNode = script !== undefined && /\.[cm]?js$/.test(script);
  const result = spawnSync(viaNode ? process.execPath : 'npm', viaNode ? [script, ...args] : args, {
    cwd: projectRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: !viaNode && process.platform === 'win32',
  });
  if (result.error) throw new SetupError(`${what} needs npm, which could not be started: ${result.error.message}.`);
  if (result.status === 0) return;
  const output = `${result.stdout}${result.stderr}`.trim();
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/.test(output)) {
    throw new SetupError(`${what} needs the network, and the package registry could not be reached.\n${output}`);
  }
  const ending = result.signal === null ? `exit code ${result.status}` : result.signal;
  throw new SetupError(`${what} failed (npm ${args.join(' ')}: ${ending}).\n${output}`);
}

/** One setup at a time in this checkout; a lock whose holder is dead is taken over. */
function withLock(work) {
  mkdirSync(scratchDir, { recursive: true });
  const ownerFile = join(lockDir, 'pid');
  const deadline = performance.now() + lockPatienceMs;
  for (;;) {
    try {
      mkdirSync(lockDir);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw new SetupError(`The lock ${lockDir} cannot be made: ${error.message}.`);
    }
    const owner = Number(readIfThere(ownerFile) ?? 0);
    // A holder that has not yet written its pid gets a few seconds to do so.
    const abandoned = owner > 0 ? !isAlive(owner) : Date.now() - (modifiedMs(lockDir) ?? Date.now()) > 5000;
    if (abandoned) rmSync(lockDir, { recursive: true, force: true });
    else if (performance.now() > deadline) {
      throw new SetupError(
        `Another setup (pid ${owner}) has held ${lockDir} for too long. Stop it, or remove that folder.`,
      );
    } else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  try {
    writeFileSync(ownerFile, String(process.pid));
    work();
  } finally {
    rmSync(lockDir, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function say(what) {
  process.stderr.write(`imap-migrate: ${what} ...\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runScript(ensureReady);
