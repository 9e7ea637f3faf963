/** Nothing the command writes, anywhere, holds a secret: not even one that a server repeats in all forms there are. */
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listenSandbox, SandboxServer } from '../../src/sandbox/index.ts';
import { startEchoServer } from '../support/echo-server.ts';
import { type CommandResult, closeAfterAll, type IniKeys, runCommand, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const keep = closeAfterAll();
const workspace = new Workspace();
const user = 'alice@mail.test';
/** With everything that is escaped somewhere. */
const secret = 'Tr0ub4dor"\\&3-Zug-unter-Wäldern';

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

/** The forms a server may have seen it in. */
const forms = [
  secret,
  secret.replace(/["\\]/g, '\\$&'),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret, 'utf8').toString('latin1'),
  base64(secret),
  base64(`\0${user}\0${secret}`),
  base64(`${user}\0${user}\0${secret}`),
  base64(`user=${user}\x01auth=Bearer ${secret}\x01\x01`),
  base64(`n,a=${user},\x01auth=Bearer ${secret}\x01\x01`),
];

/** Its beginning is as good as the whole to whoever looks for it. */
const marked = ['Tr0ub4dor', 'Zug-unter', base64(secret).slice(0, 16)];

/** Says where a text holds the secret; also inside any base64, wherever in it. */
function leaksIn(text: string): string[] {
  const found = marked.filter((mark) => text.includes(mark));
  for (const [run] of text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)) {
    for (let at = 0; at < 4; at++) {
      const decoded = Buffer.from(run.slice(at), 'base64').toString('utf8');
      if (marked.some((mark) => decoded.includes(mark))) found.push(`in base64 ${run}`);
    }
  }
  return found;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function expectNoSecret(result: Pick<CommandResult, 'stdout' | 'stderr'>, directories: readonly string[]): void {
  expect(leaksIn(result.stdout), result.stdout).toEqual([]);
  expect(leaksIn(result.stderr), result.stderr).toEqual([]);
  const files = directories.flatMap(filesBelow);
  for (const file of files) {
    const bytes = readFileSync(file);
    expect([file, leaksIn(bytes.toString('utf8')), leaksIn(bytes.toString('latin1'))]).toEqual([file, [], []]);
    expect(`${file} ${(statSync(file).mode & 0o077).toString(8)}`).toBe(`${file} 0`);
  }
}

const account = (port: number, keys: IniKeys = {}) =>
  workspace.ini({ host: '127.0.0.1', port, username: user, password: secret, ssl: 'no', ...keys });

/** Everything the command can be told to write down, in a directory of its own. */
function writingOptions(): { readonly directory: string; readonly options: string[] } {
  const directory = workspace.stateDir();
  const options = ['--log', join(directory, 'log'), '--trace-imap', join(directory, 'trace'), '--verbose'];
  return { directory, options };
}

/** A server with some mail, whose every word from `spoils` on repeats the secret. */
async function startSandbox(options: ConstructorParameters<typeof SandboxServer>[0] = {}) {
  const server = new SandboxServer(options);
  const mail = server.addAccount({ user, password: secret });
  for (let n = 1; n <= 5; n++) {
    mail.inbox.append({ body: `Message-ID: <${n}@x>\r\n\r\n${n}\r\n`, internalDate: '01-Feb-2020 10:00:00 +0000' });
  }
  const { port } = keep(await listenSandbox(server));
  return { server, mail, port };
}

const utf8Line = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const echo = utf8Line(`I know you: ${forms.slice(0, 3).join(' ')} ${forms.slice(4).join(' ')}`);

describe('a secret that a server repeats in its refusal of the login', () => {
  const commands = ['check', 'plan', 'migrate', 'verify', 'shell'] as const;
  const mechanisms = [
    ['login', ''],
    ['plain', 'AUTH=PLAIN'],
    ['plain', 'AUTH=PLAIN SASL-IR'],
    ['auto', 'AUTH=LOGIN'],
    ['xoauth2', 'AUTH=XOAUTH2 SASL-IR'],
    ['xoauth2', 'AUTH=XOAUTH2'],
    ['oauthbearer', 'AUTH=OAUTHBEARER SASL-IR'],
  ] as const;

  test.each(mechanisms)('is in nothing that any command writes: %s, %s', async (auth, capabilities) => {
    const server = keep(await startEchoServer(capabilities));
    const good = await startSandbox();
    for (const command of commands) {
      const { directory, options } = writingOptions();
      const source = account(server.port, { auth });
      const accounts = command === 'check' || command === 'shell' ? [source] : [source, account(good.port)];
      const words = command === 'migrate' ? accounts : [command, ...accounts];
      const state = command === 'check' || command === 'verify' ? [] : ['--state', directory];
      const more = [...(command === 'shell' ? options.slice(2, 4) : options), ...state];
      const before = server.heard.length;
      const result = await runCommand([...words, ...more], {}, 'c.noop()');
      expect([command, result.exitCode, result.stderr]).toEqual([command, 5, expect.any(String)]);
      expect(server.heard.length).toBeGreaterThan(before);
      expectNoSecret(result, [directory]);
    }
  });
});

describe('a secret that a server repeats after the login', () => {
  test('is in nothing that is written: refused messages, warnings, BYE, reports, logs, traces, the journal', async () => {
    const source = await startSandbox();
    const refuse = ({ body }: { readonly body: Buffer }) =>
      body.includes('<3@x>') ? ({ status: 'NO', text: echo } as const) : null;
    const target = await startSandbox({ refuse, greetingText: 'hello' });
    target.mail.inbox.expunge([...target.mail.inbox.messages]);
    target.server.faults.add({ command: 'SUBSCRIBE' }, { kind: 'answer', answer: { status: 'NO', text: echo } });
    source.mail.createMailbox(['Work'], { subscribed: true });
    target.server.faults.add({ command: '*', nth: 2 }, { kind: 'inject', lines: [`* OK [ALERT] ${echo}`] });
    for (const json of [[], ['--json']]) {
      const { directory, options } = writingOptions();
      const words = [account(source.port), account(target.port), '--state', directory];
      const result = await runCommand([...words, ...options, ...json]);
      expect(result.exitCode, result.stderr).toBe(3);
      expect(result.stderr).toContain('I know you');
      expectNoSecret(result, [directory]);
      const told = await runCommand(['status', '--state', directory, ...json]);
      expectNoSecret(told, [directory]);
    }
    target.server.faults.add({ command: 'EXAMINE' }, { kind: 'bye', text: echo });
    const { directory, options } = writingOptions();
    const ended = await runCommand(['verify', account(source.port), account(target.port), '--digest', ...options]);
    expect(ended.exitCode, ended.stderr).toBe(4);
    expectNoSecret(ended, [directory]);
  });

  test('is not in what the shell prints, traces or remembers', async () => {
    const { server, port } = await startSandbox();
    const { directory, options } = writingOptions();
    server.faults.add({ command: 'SELECT' }, { kind: 'answer', answer: { status: 'NO', text: echo } });
    const input = ['c.selectFolder("INBOX")', `c.login("${user}", ${JSON.stringify(secret)})`, 'c', 'imap'].join('\n');
    const result = await runCommand(['shell', account(port), ...options.slice(2, 4), '--state', directory], {}, input);
    expect(result.exitCode, result.stderr).toBe(3);
    expect(result.stderr).toContain('I know you');
    expectNoSecret(result, [directory]);
  });
});

describe('while a run is under way, and when it is killed', () => {
  test('no secret is in its arguments, its environment, or the files it leaves', async () => {
    const source = await startSandbox();
    const target = await startSandbox();
    target.mail.inbox.expunge([...target.mail.inbox.messages]);
    const reached = new Promise<void>((resolve) => {
      target.server.faults.add({ command: 'APPEND' }, { kind: 'run', run: resolve });
    });
    target.server.faults.add({ command: 'APPEND' }, { kind: 'stall' });
    const { directory, options } = writingOptions();
    const command = RunningCommand.start([
      ...[account(source.port), account(target.port), '--state', directory],
      ...options,
    ]);
    await reached;
    for (const file of ['cmdline', 'environ']) {
      expect(leaksIn(readFileSync(`/proc/${command.pid}/${file}`, 'utf8'))).toEqual([]);
    }
    command.kill('SIGKILL');
    await command.ended;
    expectNoSecret(command, [directory]);
    expect(filesBelow(directory).length).toBeGreaterThan(3);
  });
});

describe('an account file that others may read', () => {
  test.each([0o644, 0o640, 0o604])('is refused where it holds a password (mode %o)', async (mode) => {
    const { server, port } = await startSandbox();
    const file = account(port);
    chmodSync(file, mode);
    const result = await runCommand(['check', file]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('chmod 600');
    expect(server.connectionCount).toBe(0);
    expectNoSecret(result, []);
    expect((await runCommand(['check', file, '--allow-readable-secrets'])).exitCode).toBe(0);
  });
});
