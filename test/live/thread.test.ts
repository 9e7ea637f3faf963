/** A worker thread of the real command that dies in the middle of its work. */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, Workspace } from './harness.ts';

const keep = closeAfterAll();
const workspace = new Workspace();
const corpus = generateCorpus({ messages: 500, maxBytes: 20_000 });

describe.skipIf(!availableServers().dovecot)('a thread that dies', () => {
  let dovecot: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    await loadCorpus(accessTo(dovecot, 'threads'), corpus);
  });

  test.each([
    { how: 'throw', threads: '2' },
    { how: 'exit', threads: '2' },
    // All lanes at once.
    { how: 'throw', threads: '1' },
  ])('by $how, of $threads, leaves its work to another', async ({ how, threads }) => {
    const [from, to] = [accessTo(dovecot, 'threads'), accessTo(dovecot, `thread-${how}-${threads}`)];
    const files = [workspace.account(from), workspace.account(to), '--state', workspace.stateDir()];
    const marker = `${workspace.stateDir()}/died`;
    const env = { ...preload('thread-fault.mjs', 'quick-time.mjs'), THREAD_FAULT: `${how}:3:${marker}` };
    const args = [...files, '--connections', '4', '--threads', threads];
    const { exitCode, report, stderr } = await migrateIn(env, args);
    expect(existsSync(marker)).toBe(true);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report.warnings.join()).toMatch(/a worker thread ended/);
    expect(report.copied + report.alreadyThere).toBe(corpus.messages);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to), { order: false })).toEqual([]);
  });
});
