/** `kill -9` of the real command in the middle of its work, again and again, then one ordinary run. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { accessTo, type ServerInstance, startCourier, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, killCommand, migrate, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

/** More kills than `npm test` has time for: `KILLS=30 npm test -- test/live/kill.test.ts`. */
const kills = Number(process.env.KILLS ?? 5);

describe.skipIf(!servers.dovecot)('kill -9', () => {
  let dovecot: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
  });

  test(`${kills} times in a run to Dovecot costs neither a message nor a double`, async () => {
    const [from, to] = [accessTo(dovecot, 'killed-source'), accessTo(dovecot, 'killed-target')];
    await loadCorpus(from, generateCorpus({ messages: 2_000, maxBytes: 300_000 }));
    await killAndFinish([workspace.account(from), workspace.account(to), '--state', workspace.stateDir()], 1 / kills);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to), { order: false })).toEqual([]);
  });

  test.skipIf(servers.courierRoot === null)('in a run to Courier, which commits early, costs neither', async () => {
    const courier = keep(await startCourier(servers.courierRoot ?? ''));
    const [from, to] = [accessTo(dovecot, 'killed-plain'), accessTo(courier, 'alice')];
    const without = ['bare CR', 'CR before the line end'] as const;
    await loadCorpus(from, generateCorpus({ messages: 300, maxBytes: 50_000, emojiFolder: false, without }));
    await killAndFinish([workspace.account(from), workspace.account(to), '--state', workspace.stateDir()], 0.3);
    const canonical = true;
    const [left, right] = [await dumpAccount(from, { canonical }), await dumpAccount(to, { canonical })];
    expect(compareDumps(left, right, { order: false })).toEqual([]);
  });
});

/** Kills runs after each `share` of the messages, then lets one finish. */
async function killAndFinish(args: readonly string[], share: number): Promise<void> {
  let killed = 0;
  for (let part = share; part < 1; part += share) {
    const done = await killCommand(args, (events) => {
      const progress = events.findLast(({ event }) => event === 'progress')?.progress as
        | { messages: { done: number; total: number } }
        | undefined;
      return (
        progress !== undefined && progress.messages.done > 0 && progress.messages.done >= progress.messages.total * part
      );
    });
    if (done) killed++;
  }
  expect(killed).toBeGreaterThan(0);
  const { exitCode, report, stderr } = await migrate(...args);
  expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
}
