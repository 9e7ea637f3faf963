import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { isSecretLine } from '../../src/cli/shell-history.ts';
import { exitCodes, MigrateError } from '../../src/errors.ts';
import { ImapClient } from '../../src/protocol/index.ts';
import { connectSandbox, SandboxServer } from '../../src/testing/index.ts';
import { createFakeIo, type FakeIo, makeAccount } from './fake-io.ts';

const secret = 'S3cr3t-MARK';
const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'imap-migrate-shell-'));
  dirs.push(dir);
  return dir;
}

/** A server with an account, and the engine that opens it. */
function openWorld(warnings: readonly string[] = []) {
  const server = new SandboxServer();
  const alice = server.addAccount({ user: 'alice', password: secret });
  alice.inbox.append({ body: 'Subject: one\r\n\r\n' });
  alice.inbox.append({ body: 'Subject: two\r\n\r\n', flags: ['\\Seen'] });
  const engine = {
    loadAccount: async (file: string) => makeAccount(file, { secret }),
    openAccount: async () => {
      const client = await ImapClient.connect({ host: 'sandbox', tls: 'none', transport: connectSandbox(server) });
      await client.login('alice', secret);
      return { client, warnings };
    },
  };
  return { server, alice, engine };
}

/** Runs `shell` with these lines on its standard input. */
async function pipe(lines: readonly string[], world = openWorld(), args: readonly string[] = []) {
  const stdin = Readable.from([`${lines.join('\n')}\n`]);
  const io = createFakeIo(world.engine, { stdin });
  const exitCode = await runCli(['shell', 'a.ini', ...args], io);
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text, world };
}

describe('the shell with piped commands', () => {
  test('prints results alone, logs out and is done', async () => {
    const { exitCode, stdout, stderr, world } = await pipe([
      'c.folderStatus("INBOX", ["MESSAGES", "UNSEEN"])',
      '1 + 1',
    ]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'messages  2\nunseen    1\n2\n', stderr: '' });
    expect(world.server.commandLog.at(-1)?.name).toBe('LOGOUT');
  });

  test('runs one line after the other, awaited or not asked to be', async () => {
    const { exitCode, stdout, stderr } = await pipe([
      'c.selectFolder("INBOX").then(() => new Promise((resolve) => setTimeout(resolve, 20)))',
      'const unseen = await c.search(["UNSEEN"])',
      'unseen',
      'console.log("in", "order")',
    ]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '1 number: 1\nin order\n', stderr: '' });
  });

  test('takes statements of several lines, without prompts between them', async () => {
    const { stdout } = await pipe(['for (const name of ["a", "b"]) {', '  await c.createFolder(name)', '}', '"made"']);
    expect(stdout).toBe("'made'\n");
  });

  test('tells errors in one line each on stderr, goes on and ends with 3', async () => {
    const { exitCode, stdout, stderr } = await pipe([
      'c.selectFolder("nope")',
      'nosuch',
      'let y = ;',
      'throw new Error("thrown")',
      'await Promise.reject(new RangeError("rejected"))',
      'c.search("ALL")',
      '"still here"',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "'still here'\n" });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^✗ SELECT: NO \[NONEXISTENT\]/),
      '✗ ReferenceError: nosuch is not defined',
      "✗ SyntaxError: Unexpected token ';'",
      '✗ Error: thrown',
      '✗ RangeError: rejected',
      expect.stringMatching(/^✗ No folder is selected.* \(STATE\)$/),
    ]);
  });

  test('hears of a call that nobody awaited', async () => {
    const { exitCode, stderr, stdout } = await pipe([
      'const forgotten = c.selectFolder("nope")',
      'c.subscribeFolder("INBOX")',
      '"still here"',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "'still here'\n" });
    expect(stderr).toMatch(/^✗ SELECT: NO/);
  });

  test('escapes what a server says before a terminal sees it', async () => {
    const world = openWorld();
    world.alice.createMailbox('\x1b[2J\u202eevil');
    world.alice.inbox.append({ body: 'Subject: \x1b]0;title\u0007\r\n\r\n' });
    const { stdout, stderr } = await pipe(
      [
        'const folders = await c.listFolders()',
        'folders',
        'console.log(folders.at(-1).name)',
        'c.selectFolder("INBOX")',
        'c.fetch("3", ["BODY[]"])',
        'throw folders.at(-1).name',
        'throw new Error(folders.at(-1).name)',
      ],
      world,
    );
    expect(stdout).toContain('\\x1b[2J\\u{202e}evil');
    expect(stderr).toContain('Error: \\x1b[2J\\u{202e}evil');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  test('has the library at hand, and reconnects', async () => {
    const world = openWorld();
    const { stdout, stderr, exitCode } = await pipe(
      [
        'imap.encodeFolderName("ä")',
        'c.logout()',
        'c',
        'c.noop()',
        'await reconnect()',
        'c.subscribeFolder("INBOX")',
        'c',
      ],
      world,
    );
    expect(stdout.trimEnd().split('\n')).toEqual([
      "'&AOQ-'",
      'alice@imap.a-ini.example.org:993: closed; await reconnect()',
      'alice@imap.a-ini.example.org:993: no folder selected',
    ]);
    expect(stderr).toMatch(/^✗ .*\(CLOSED\) The connection is closed: await reconnect\(\)$/m);
    expect(exitCode).toBe(3);
    expect(world.server.connectionCount).toBe(2);
    expect(world.server.countCommands('LOGOUT')).toBe(2);
  });

  test('stops at .exit, and at the end of the input', async () => {
    expect(await pipe(['.exit', '"never"'])).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await pipe([])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('never says the password', async () => {
    const { stdout, stderr } = await pipe([`throw new Error("it is ${secret}")`, 'c']);
    expect(stderr).toBe('✗ Error: it is [secret]\n');
    expect(stdout).not.toContain(secret);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends in order at %s', async (signal, code) => {
    const world = openWorld();
    const stdin = new PassThrough();
    const io = createFakeIo(world.engine, { stdin });
    const ended = runCli(['shell', 'a.ini'], io);
    stdin.write('console.log("ready")\n');
    await vi.waitFor(() => expect(io.stdout.text).toBe('ready\n'));
    io.send(signal);
    expect(await ended).toBe(code);
    expect(world.server.commandLog.at(-1)?.name).toBe('LOGOUT');
  });

  test('tells warnings about the connection, and why there is none', async () => {
    const warned = await pipe([], openWorld(['the certificate is not checked']));
    expect(warned.stderr).toBe('warning: the certificate is not checked\n');
    const world = openWorld();
    world.engine.openAccount = async () => {
      throw new MigrateError('LOGIN', exitCodes.login, 'login refused');
    };
    expect(await pipe([], world)).toMatchObject({ exitCode: 5, stderr: 'imap-migrate: login refused\n' });
  });

  test.each([
    [[], /which account\? imap-migrate shell ACCOUNT\.ini/],
    [['a', 'b'], /'b' is one argument too many/],
    [['a', '--json'], /--json is not an option of shell/],
  ])('wants one account: %j', async (args, message) => {
    const io = createFakeIo();
    expect(await runCli(['shell', ...args], io)).toBe(2);
    expect(io.stderr.text).toMatch(message);
  });
});

/** A person at a terminal. */
class Terminal {
  readonly world = openWorld();
  readonly stateDir: string;
  readonly io: FakeIo;
  readonly ended: Promise<number>;
  readonly #keys = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });

  constructor(stateDir: string) {
    this.stateDir = stateDir;
    this.io = createFakeIo(this.world.engine, { stdin: this.#keys, tty: true, env: { NO_COLOR: '1' } });
    this.ended = runCli(['shell', 'a.ini', '--state', stateDir], this.io);
  }

  get screen(): string {
    return stripVTControlCharacters(this.io.stdout.text);
  }

  /** Types, key by key as a person does: what comes in one piece is taken as pasted. */
  async type(text: string): Promise<void> {
    for (const key of text) {
      this.#keys.write(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async sees(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.screen).toMatch(text));
  }

  async leave(): Promise<number> {
    await this.type('\u0004');
    return this.ended;
  }
}

describe('the shell at a terminal', () => {
  test('says where it is, has a prompt, and leaves at Ctrl-D', async () => {
    const terminal = new Terminal(newDir());
    await terminal.sees(/imap> $/);
    expect(terminal.io.stderr.text).toMatch(/^alice@imap\.a-ini\.example\.org:993: .*not encrypted/);
    await terminal.type('c.selectFolder("INBOX")\r');
    await terminal.sees(/exists +2/);
    await terminal.type('nosuch\r');
    await vi.waitFor(() => expect(terminal.io.stderr.text).toContain('✗ ReferenceError: nosuch is not defined'));
    expect(await terminal.leave()).toBe(0);
    expect(terminal.world.server.commandLog.at(-1)?.name).toBe('LOGOUT');
  });

  test('completes the members of c, and nothing that every object has', async () => {
    const terminal = new Terminal(newDir());
    await terminal.sees(/imap> $/);
    await terminal.type('await c.listF\t');
    await terminal.sees(/await c\.listFolders$/);
    await terminal.type('()\r');
    await terminal.sees(/name +delimiter/);
    await terminal.type('c.\t\t');
    await terminal.sees(/unselectFolder/);
    expect(terminal.screen).not.toMatch(/hasOwnProperty|__proto__|constructor/);
    await terminal.type('\u0015JSON.str\t');
    await terminal.sees(/JSON\.stringify/);
    await terminal.type('\u0015');
    await terminal.leave();
  });

  test('keeps what was typed for the next time, for its owner alone, and no secrets', async () => {
    const stateDir = join(newDir(), 'state');
    const first = new Terminal(stateDir);
    await first.sees(/imap> $/);
    for (const line of ['c.noop()', `x = "${secret}"`, 'await c.login("bob", "other")', '1 + 41']) {
      await first.type(`${line}\r`);
    }
    await first.sees(/42/);
    await first.leave();
    const file = join(stateDir, 'shell-history');
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(['1 + 41', 'c.noop()']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);

    const second = new Terminal(stateDir);
    await second.sees(/imap> $/);
    await second.type('\u0010\u0010');
    await second.sees(/c\.noop\(\)$/);
    // Ctrl-D leaves an empty line only.
    await second.type('\u0015');
    await second.leave();
  });

  test('works without a history where none can be kept', async () => {
    const terminal = new Terminal('/dev/null/state');
    await terminal.sees(/imap> $/);
    expect(terminal.io.stderr.text).toContain('no history is kept');
    expect(await terminal.leave()).toBe(0);
  });
});

test.each([
  ['c.login("a", "b")', true],
  ['await c.oauth2Login(user, x)', true],
  ['c.saslLogin ("X", f)', true],
  ['c.proxyauth("a")', true],
  ['const password = 1', true],
  ['let accessToken = "x"', true],
  ['const MySecret = 1', true],
  ['x = "hunter2"', true],
  ['c.logout()', false],
  ['c.search(["FROM", "author"])', false],
  ['c.selectFolder("INBOX")', false],
])('a line is kept out of the history where it may hold a secret: %s %s', (line, secretly) => {
  expect(isSecretLine(line, 'hunter2')).toBe(secretly);
});
