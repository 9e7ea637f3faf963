/** What a target does not take must neither stop nor hide the rest. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, type DumpedMessage, dumpAccount } from '../support/compare.ts';
import { RawImap } from '../support/imap-raw.ts';
import { FilterProxy, type ProxyOptions } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

describe.skipIf(!servers.dovecot)('a refused message', () => {
  let source: ServerInstance;
  let target: ServerInstance;
  let before: readonly DumpedMessage[];

  beforeAll(async () => {
    source = keep(await startDovecot());
    target = keep(await startDovecot());
    await using client = await RawImap.open(accessTo(source));
    const messages = Array.from({ length: 103 }, (_, index) => ({
      body: Buffer.from(`Subject: number ${index + 1}\r\nMessage-ID: <${index + 1}@r>\r\n\r\n${'x\r\n'.repeat(500)}`),
      flags: index % 3 === 0 ? ['\\Seen'] : [],
      internalDate: '05-Jun-2011 10:00:00 +0200',
    }));
    await client.command('CREATE "Box"');
    await client.append('Box', messages);
    // UIDs that are not sequence numbers, so that one cannot pass for the other.
    await client.command('SELECT Box');
    await client.command('STORE 1:3 +FLAGS.SILENT (\\Deleted)');
    await client.command('EXPUNGE');
    before = (await dumpAccount(accessTo(source))).get('Box') ?? [];
  });

  async function run(user: string, options: ProxyOptions, ...more: string[]) {
    const proxy = keep(await FilterProxy.start(target, options));
    const to = accessTo(target, user);
    const args = [
      workspace.account(accessTo(source)),
      workspace.account({ ...to, port: proxy.port }),
      '--state',
      workspace.stateDir(),
      ...more,
    ];
    return { args, proxy, result: await migrate(...args), arrived: (await dumpAccount(to)).get('Box') ?? [] };
  }

  const refuse = (subjects: readonly string[], answer: string): ProxyOptions => ({
    refuseMessage: ({ body }) => (subjects.some((subject) => body.includes(`Subject: ${subject}\r`)) ? answer : null),
  });

  test.each(['NO [LIMIT] we do not like number 57', 'BAD Error in number 57: [sic]'])(
    'of a hundred leaves 99, exit 3 and the words "%s"',
    async (answer) => {
      const user = answer.slice(0, 3).trim();
      const { result, arrived } = await run(user, refuse(['number 57'], answer));
      expect(result.exitCode, result.stderr).toBe(3);
      expect(result.report).toMatchObject({ verdict: 'partial', copied: 99, refused: 1 });
      const [refusal, ...others] = folderReport(result.report, 'Box').refused;
      expect(others).toEqual([]);
      const { uid } = before.find(({ subject }) => subject === 'number 57') ?? { uid: 0 };
      expect(refusal).toMatchObject({ folder: 'Box', uid });
      expect(refusal?.code).toMatch(/^(NO|BAD|LIMIT)$/);
      expect(refusal?.message).toContain('number 57');
      expect(result.report.resent).toBeGreaterThan(0);
      expect(result.report.resent).toBeLessThanOrEqual(99);
      const wanted = new Map([['Box', before.filter(({ subject }) => subject !== 'number 57')]]);
      expect(compareDumps(wanted, new Map([['Box', arrived]]), { order: false })).toEqual([]);
    },
  );

  test('is told to people in one line with folder, UID and words, and with escapes made visible', async () => {
    const proxy = keep(await FilterProxy.start(target, refuse(['number 20'], 'NO no\u001b[31m room "here"')));
    const { exitCode, stderr, stdout } = await runCommand([
      workspace.account(accessTo(source)),
      workspace.account({ ...accessTo(target, 'people'), port: proxy.port }),
      '--state',
      workspace.stateDir(),
    ]);
    expect(exitCode, stderr).toBe(3);
    const { uid } = before.find(({ subject }) => subject === 'number 20') ?? { uid: 0 };
    expect(stderr).toMatch(new RegExp(`^.*Box.*\\b${uid}\\b.*room "here"`, 'm'));
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stderr).toMatch(/partial/);
  });

  test('may be several, together and apart', async () => {
    const subjects = ['number 4', 'number 31', 'number 32', 'number 103'];
    const { result, arrived } = await run('several', refuse(subjects, 'NO not these'));
    expect(result.exitCode, result.stderr).toBe(3);
    expect(result.report).toMatchObject({ copied: 96, refused: 4 });
    expect(arrived).toHaveLength(96);
    const uids = folderReport(result.report, 'Box').refused.map(({ uid }) => uid);
    expect([...uids].sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual([4, 31, 32, 103]);
  });

  test('without MULTIAPPEND costs no other message anything', async () => {
    const options = { ...refuse(['number 57'], 'NO not this'), without: ['MULTIAPPEND'] as const };
    const { result, arrived, proxy } = await run('single', options);
    expect(result.exitCode, result.stderr).toBe(3);
    expect(result.report).toMatchObject({ copied: 99, refused: 1, resent: 0 });
    expect(arrived).toHaveLength(99);
    expect(proxy.commands('APPEND')).toHaveLength(100);
  });

  test('gets another chance in the next run, the others do not', async () => {
    let hostile = true;
    const { args, proxy } = await run('second-chance', {
      refuseMessage: ({ body }) => (hostile && body.includes('Subject: number 57\r') ? 'NO not now' : null),
    });
    hostile = false;
    proxy.forget();
    const second = await migrate(...args);
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.report).toMatchObject({ copied: 1, alreadyThere: 99 });
    expect(proxy.commands('APPEND').map(({ literals }) => literals)).toEqual([1]);
  });

  test('a target that is full ends the run with exit 6, and a bigger one lets it finish', async () => {
    const full = keep(await startDovecot({ quota: '64K' }));
    const { exitCode, stderr } = await runCommand([
      workspace.account(accessTo(source)),
      workspace.account(accessTo(full)),
      '--state',
      workspace.stateDir(),
    ]);
    expect(exitCode, stderr).toBe(6);
    expect(stderr).toMatch(/quota/i);
    const arrived = (await dumpAccount(accessTo(full))).get('Box') ?? [];
    expect(arrived.length).toBeLessThan(100);
  });
});
