import { expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { type Journal, openJournal } from '../src/journal/index.ts';
import { type Recovered, type RecoveryParts, recoverFolder } from '../src/recovery.ts';
import { inState, opened, source, target, useStateDir } from './journal/fixtures.ts';
import { ColumnLane, manyMessages } from './support/many-messages.ts';

const folder = { id: 0, task: () => ({ sourceRawName: 'INBOX', targetName: { raw: 'INBOX' } }), singly: false };

/** Adopts into the journal's only folder; `maxWrites`: then the run is stopped. */
async function adopt(
  journal: Journal,
  lane: ColumnLane,
  messages: number,
  maxWrites: number,
): Promise<Recovered | null> {
  const known = await journal.openFolder(opened('INBOX', { fence: 1, inDoubt: !journal.folder('INBOX', 'INBOX') }));
  let writes = 0;
  const watched: RecoveryParts['journal'] = {
    messages: (id) => journal.messages(id),
    intents: (id) => journal.intents(id),
    async write(...records) {
      writes++;
      for (const record of records)
        if (record.kind === 'verdicts') expect(record.messages.uids.length).toBeLessThan(10_001);
      await journal.write(...records);
    },
  };
  const facts = { messages, uidNext: messages + 1, uidValidity: 2 };
  const parts = {
    journal: watched,
    clock: systemClock,
    settleMs: 0,
    seenAt: null,
    notBefore: null,
    reportsUids: true,
    isStopping: () => writes >= maxWrites,
  };
  return recoverFolder(folder, known, facts, { lane, ...parts });
}

const state = useStateDir();

it.each([
  ['certain', 1],
  ['ambiguous', 5],
  ['all alike', 25_000],
])(
  'an adoption of %s messages that is stopped between two writes is continued, and ends as if it had not been',
  async (_, twins) => {
    const count = 25_000;
    const lane = new ColumnLane(manyMessages(count, { twins }), manyMessages(count, { twins, reversed: true }));
    await using journal = await openJournal(inState(state.path), source, target);
    expect(await adopt(journal, lane, count, 2)).toBeNull();
    const [halfway] = journal.folders();
    expect(halfway).toMatchObject({ inDoubt: true });
    const done = halfway?.messages ?? 0;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(count);
    expect(await adopt(journal, lane, count, Number.POSITIVE_INFINITY)).toMatchObject({
      adopted: count - done,
      found: 0,
    });
    expect(journal.folders()).toMatchObject([{ inDoubt: false, messages: count }]);
    const { targetUids } = await journal.messages(1);
    expect(targetUids.toSorted()).toEqual(Uint32Array.from({ length: count }, (_row, index) => index + 1));
  },
);

it('an adoption compares no more bodies than are ambiguous, also when a part of their twins is accounted for', async () => {
  const count = 30_000;
  const twins = count / 2;
  const lane = new ColumnLane(manyMessages(count, { twins }), manyMessages(count, { twins, reversed: true }));
  await using journal = await openJournal(inState(state.path), source, target);
  // One write of the first 15,000 twins is durable, the rest of them is not.
  expect(await adopt(journal, lane, count, 1)).toBeNull();
  expect(journal.folders()).toMatchObject([{ messages: 10_000 }]);
  lane.compared = 0;
  expect(await adopt(journal, lane, count, Number.POSITIVE_INFINITY)).toMatchObject({
    adopted: 20_000,
    compared: 20_000,
  });
  expect(lane.compared).toBe(40_000);
});

it('an adoption of a million messages needs the memory of some numbers each', { timeout: 120_000 }, async () => {
  const count = 1_000_000;
  const lane = new ColumnLane(manyMessages(count), manyMessages(count, { reversed: true }));
  await using journal = await openJournal(inState(state.path), source, target);
  const before = process.resourceUsage().maxRSS;
  expect(await adopt(journal, lane, count, Number.POSITIVE_INFINITY)).toEqual({
    adopted: count,
    compared: 0,
    found: 0,
    unclear: new Uint32Array(),
  });
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(300);
});
