/** What goes wrong before or around the copy: one line that says what, where and what to do, the right exit code, no secret. */
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import {
  availableServers,
  type CommandResult,
  closeAfterAll,
  folderReport,
  migrate,
  runCommand,
  Workspace,
} from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();
const secret = 'S3cret-that-nobody-may-see';

/** Lines people get to read, without the empty ones. */
function lines(result: CommandResult): string[] {
  return result.stderr.split('\n').filter((line) => line.trim() !== '');
}

function expectOneLine(result: CommandResult, exitCode: number, ...saying: readonly (string | RegExp)[]): void {
  expect(result.exitCode, result.stderr).toBe(exitCode);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  expect(result.stdout + result.stderr).not.toContain(secret);
  expect(lines(result)).toHaveLength(1);
  for (const words of saying) expect(result.stderr).toMatch(words);
}

/** A TCP server that says `greeting` to everybody, or nothing. */
async function startListener(greeting: string | null) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (greeting !== null) socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  keep({ [Symbol.asyncDispose]: async () => void server.close() });
  return port;
}

describe.skipIf(!servers.dovecot)('an error', () => {
  let dovecot: ServerInstance;
  let good: string;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    good = workspace.account(accessTo(dovecot, 'good'));
    await loadCorpus(accessTo(dovecot, 'good'), generateCorpus({ messages: 60, maxBytes: 20_000 }));
  });

  const local = (keys: Record<string, string | number>) =>
    workspace.ini({ host: '127.0.0.1', username: 'u', password: secret, ssl: 'no', ...keys });
  const run = (source: string, target = good) =>
    runCommand([source, target, '--state', workspace.stateDir(), '--progress', 'never']);

  test('in an account file names file, line and key', async () => {
    const file = workspace.file('typo.ini', `[DEFAULT]\nhost = x\nusername = u\npasword = ${secret}\n`);
    expectOneLine(await run(file), 2, 'typo.ini', /\b4\b/, 'pasword', /password/);
  });

  test('about a file that is not there names it', async () => {
    expectOneLine(await run(`${workspace.dir}/nowhere.ini`), 2, 'nowhere.ini');
  });

  test('about a file that others can read gives the command to run', async () => {
    const file = local({ port: dovecot.port });
    chmodSync(file, 0o644);
    expectOneLine(await run(file), 2, file, 'chmod 600');
  });

  test('about a wrong password is exit 5, after at most two attempts of all lanes together', async () => {
    const proxy = keep(await FilterProxy.start(dovecot));
    const result = await run(local({ port: proxy.port, username: 'wrong-password' }));
    expectOneLine(result, 5, 'wrong-password', /login|password|auth/i);
    expect(proxy.commands(/^(LOGIN|AUTHENTICATE)$/).length).toBeLessThanOrEqual(2);
    expect(proxy.commands(/^(LOGIN|AUTHENTICATE)$/).length).toBeGreaterThan(0);
  });

  test('about the target tells source from target', async () => {
    const result = await run(good, local({ port: dovecot.port, username: 'wrong-at-target' }));
    expectOneLine(result, 5, 'wrong-at-target');
  });

  test('about an unknown host is exit 4', async () => {
    // An empty label: no resolver has to ask anybody to know that there is no such host.
    expectOneLine(await run(local({ host: 'no-such-host..invalid', port: 143 })), 4, 'no-such-host..invalid');
  });

  test('about a port where nobody listens is exit 4', async () => {
    expectOneLine(await run(local({ port: 1 })), 4, '127.0.0.1:1', /refused/i);
  });

  test.each([
    { what: 'SSH', greeting: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', says: /IMAP/ },
    { what: 'HTTP', greeting: 'HTTP/1.1 400 Bad Request\r\n\r\n', says: /IMAP/ },
    { what: 'binary noise', greeting: '\u0015\u0003\u0001\u0000\u0002\u0002P', says: /IMAP|TLS/ },
  ])('about a port that speaks $what is exit 4', async ({ greeting, says }) => {
    const port = await startListener(greeting);
    expectOneLine(await run(local({ port, timeout: 2 })), 4, `127.0.0.1:${port}`, says);
  });

  test('about a port that says nothing is exit 4, after the timeout of the account file', async () => {
    const port = await startListener(null);
    expectOneLine(
      await run(local({ port, timeout: 1 })),
      4,
      `127.0.0.1:${port}`,
      /\b1\b|second|timeout|silent|greeting/i,
    );
  });

  test('about TLS towards a clear-text port is exit 4', async () => {
    const result = await run(local({ ssl: 'yes', port: dovecot.port }));
    expectOneLine(result, 4, `127.0.0.1:${dovecot.port}`, /TLS/);
  });

  test('about a folder that may not be created is exit 3, and everything else is copied', async () => {
    const proxy = keep(
      await FilterProxy.start(dovecot, {
        refuseCommand: ({ name, line }) =>
          name === 'CREATE' && line.includes('R&-D') ? 'NO [NOPERM] R&D is not for you' : null,
      }),
    );
    const to = { ...accessTo(dovecot, 'no-folder'), port: proxy.port };
    const result = await migrate(good, workspace.account(to), '--state', workspace.stateDir());
    expect(result.exitCode, result.stderr).toBe(3);
    const { refused } = folderReport(result.report, 'R&D');
    expect(refused).toMatchObject([{ folder: 'R&D', uid: null }]);
    expect(refused[0]?.message).toContain('R&D is not for you');
    expect(result.stderr).toMatch(/R&D.*R&D is not for you/);
    const [before, after] = await Promise.all([dumpAccount(accessTo(dovecot, 'good')), dumpAccount(to)]);
    const elsewhere = [...before].filter(([name]) => name !== 'R&D').flatMap(([, messages]) => messages).length;
    expect([...after.values()].flat()).toHaveLength(elsewhere);
  });

  test.each([
    { what: 'no account at all', args: [] },
    { what: 'one account', args: ['one.ini'] },
    { what: 'an unknown option', args: ['a.ini', 'b.ini', '--frobnicate'] },
    { what: 'a bad value', args: ['a.ini', 'b.ini', '--connections', 'many'] },
  ])('about the command line ($what) is exit 2', async ({ args }) => {
    const result = await runCommand(args);
    expect(result.exitCode, result.stderr).toBe(2);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(lines(result).length).toBeGreaterThan(0);
  });

  test('with --json is an event as well', async () => {
    const result = await runCommand([local({ port: 1 }), good, '--state', workspace.stateDir(), '--json']);
    expect(result.exitCode).toBe(4);
    expect(result.events.at(-1)).toMatchObject({ event: 'exit', exitCode: 4 });
    expect(result.stdout).not.toContain(secret);
  });
});
