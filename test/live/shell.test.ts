/** The shell and the wire trace, with the built command on a real server. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

describe.skipIf(!servers.dovecot)('on a real account', () => {
  let source: ServerInstance;
  let target: ServerInstance;

  beforeAll(async () => {
    source = keep(await startDovecot());
    target = keep(await startDovecot());
    await loadCorpus(accessTo(source), generateCorpus({ messages: 60, maxBytes: 20_000 }));
  });

  test('the shell answers a pipe, and logs out', async () => {
    const proxy = keep(await FilterProxy.start(source));
    const account = workspace.account({ ...accessTo(source), port: proxy.port });
    const { exitCode, stdout, stderr } = await runCommand(
      ['shell', account],
      {},
      [
        'c.listFolders()',
        'const { exists } = await c.selectFolder("INBOX")',
        'exists === (await c.search("ALL")).length',
        'const forgotten = c.selectFolder("nope")',
        'c.subscribeFolder("INBOX")',
        '"done"',
      ].join('\n'),
    );
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toMatch(/^✗ SELECT: NO .*nope.*\n$/);
    expect(stdout).toMatch(/^name +delimiter +attributes\n/);
    expect(stdout).toMatch(/^日本語\/受信箱 /m);
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual(['true', "'done'"]);
    expect(proxy.commands().at(-1)?.line).toBe('LOGOUT');
  });

  test('a trace shows every connection, both directions, sizes for literals and no password', async () => {
    const trace = join(workspace.dir, 'trace.txt');
    const pair = [workspace.account(accessTo(source)), workspace.account(accessTo(target, 'traced'))];
    const first = [...pair, '--state', workspace.stateDir()];
    for (const args of [first, ['verify', ...pair]]) {
      const { exitCode, stderr } = await runCommand([...args, '--trace-imap', trace]);
      expect(exitCode, stderr).toBe(0);
    }
    const checked = await runCommand(['check', pair[0] ?? '', '--trace-imap', trace]);
    expect(checked.exitCode, checked.stderr).toBe(0);
    const shell = await runCommand(['shell', pair[0] ?? '', '--trace-imap', trace], {}, 'c.noop()\n');
    expect(shell.exitCode, shell.stderr).toBe(0);

    const text = readFileSync(trace, 'utf8');
    const lines = text.trimEnd().split('\n');
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d\.\d{3} \d+\.\d+ (--|<|>) \S/.test(line))).toEqual([]);
    const greetings = lines.filter((line) => / < \* OK \[CAPABILITY/.test(line));
    const connections = lines.filter((line) => / -- \w+@127\.0\.0\.1:\d+, 20\d\d-/.test(line));
    expect(connections.length).toBeGreaterThanOrEqual(6);
    expect(greetings).toHaveLength(connections.length);
    expect(text).toMatch(/ > \w+ AUTHENTICATE PLAIN \*\*\*\n/);
    expect(text).toMatch(/ > \w+ APPEND .*\{\d+\+\}/);
    expect(text).toMatch(/ < \* \d+ FETCH .*BODY\[\] \{\d+\}/);
    expect(text).toMatch(/ > \w+ NOOP\n/);
    expect(text).not.toContain(source.password);
    expect(text).not.toContain(Buffer.from(`\0alice\0${source.password}`).toString('base64'));
    expect(statSync(trace).mode & 0o777).toBe(0o600);
  });

  test('a trace that cannot be written ends the command before it connects', async () => {
    const account = workspace.account(accessTo(source));
    const { exitCode, stderr } = await runCommand([
      'check',
      account,
      '--trace-imap',
      join(workspace.dir, 'no', 'file'),
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^imap-migrate: cannot write the trace file .*ENOENT.*--trace-imap\n$/);
  });
});
