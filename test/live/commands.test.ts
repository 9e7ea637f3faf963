/** `plan`, `check` and `verify` against real servers. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { AccountReport, JobPlan, VerifyReport } from '../../src/job.ts';
import { alterFlags, dumpAccount } from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

describe.skipIf(!servers.dovecot)('on a real account', () => {
  let source: ServerInstance;
  let target: ServerInstance;
  let corpus: Corpus;

  beforeAll(async () => {
    source = keep(await startDovecot());
    target = keep(await startDovecot({ quota: '100M' }));
    corpus = generateCorpus({ messages: 200, maxBytes: 100_000 });
    await loadCorpus(accessTo(source), corpus);
  });

  test('plan shows every folder and writes nothing anywhere', async () => {
    const sourceProxy = keep(await FilterProxy.start(source));
    const targetProxy = keep(await FilterProxy.start(target));
    const { exitCode, events, stderr } = await runCommand([
      'plan',
      workspace.account({ ...accessTo(source), port: sourceProxy.port }),
      workspace.account({ ...accessTo(target, 'planned'), port: targetProxy.port }),
      ...['--state', workspace.stateDir(), '--json'],
    ]);
    expect(exitCode, stderr).toBe(0);
    const plan = events.find(({ event }) => event === 'planned')?.plan as JobPlan;
    const planned = plan.folders.filter(({ action }) => action !== 'name-only');
    expect(planned.map((folder) => folder.source).sort()).toEqual(
      corpus.folders.map(({ path }) => path.join('/')).sort(),
    );
    expect(planned.reduce((sum, folder) => sum + (folder.messages ?? 0), 0)).toBe(corpus.messages);
    for (const proxy of [sourceProxy, targetProxy]) {
      expect(proxy.commands(/^(APPEND|CREATE|SUBSCRIBE|UNSUBSCRIBE|RENAME|DELETE|SELECT|(UID )?STORE)$/)).toEqual([]);
    }
  });

  test('check tells capabilities, folders with counts, and quota', async () => {
    await loadCorpus(accessTo(target, 'checked'), generateCorpus({ messages: 40, maxBytes: 10_000 }));
    const file = workspace.account(accessTo(target, 'checked'));
    const { exitCode, events, stderr, stdout } = await runCommand(['check', file, '--json']);
    expect(exitCode, stderr).toBe(0);
    const report = events.find(({ event }) => event === 'account')?.report as AccountReport;
    expect(report.capabilities).toEqual(expect.arrayContaining(['MULTIAPPEND', 'LITERAL+', 'UIDPLUS']));
    expect(report.folders.reduce((sum, { status }) => sum + (status?.messages ?? 0), 0)).toBe(40);
    expect(report.quotas).toMatchObject([{ resource: 'STORAGE', limit: 100 * 1024 }]);
    expect(report.folders.find(({ name }) => name === 'Sent')?.specialUse).toBe('\\Sent');
    expect(stdout + stderr).not.toContain(target.password);
  });

  test('verify finds a copy identical, and then each thing that was changed behind its back', async () => {
    const to = accessTo(target, 'verified');
    const pair = [workspace.account(accessTo(source)), workspace.account(to)];
    expect((await migrate(...pair, '--state', workspace.stateDir())).exitCode).toBe(0);
    const verify = async (...options: string[]) => {
      const { exitCode, events, stderr } = await runCommand(['verify', ...pair, ...options, '--json']);
      const report = events.find(({ event }) => event === 'verified')?.report as VerifyReport | undefined;
      if (report === undefined) throw new Error(`no report, exit ${exitCode}: ${stderr}`);
      return { exitCode, verdict: report.verdict, kinds: report.differences.map(({ kind }) => kind), report };
    };
    expect(await verify()).toMatchObject({ exitCode: 0, verdict: 'identical', kinds: [] });
    expect(await verify('--digest')).toMatchObject({ exitCode: 0, verdict: 'identical', kinds: [] });

    const inbox = (await dumpAccount(to)).get('INBOX') ?? [];
    await alterFlags(to, 'INBOX', inbox[7]?.uid ?? 0, '\\Answered Changed');
    expect(await verify()).toMatchObject({ exitCode: 7, verdict: 'different', kinds: ['flags'] });

    await using client = await RawImap.open(to);
    await client.command('SELECT "R&-D"');
    await client.command('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await client.command('UID EXPUNGE 1');
    expect((await verify()).kinds.sort()).toEqual(['flags', 'missing']);

    await client.command('SELECT "INBOX"');
    await client.command('COPY 2 "INBOX"');
    const last = await verify('--digest');
    expect(last.kinds.sort()).toEqual(['extra', 'flags', 'missing']);
    expect(last.report.differences.find(({ kind }) => kind === 'extra')?.folder).toBe('INBOX');
  });
});
