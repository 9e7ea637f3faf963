/** What a job tells a journal that is its target's manifest, and what it spares one that is not. */
import { expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { migrate } from '../src/coordinator.ts';
import { type Journal, type JournalRecord, openJournal, type VerdictColumns } from '../src/journal/index.ts';
import { readJournalStatus } from '../src/journal-status.ts';
import type { LaneHost } from '../src/lanes.ts';
import { type RecoveryParts, recoverFolder } from '../src/recovery.ts';
import { Batch } from '../src/worker/batch.ts';
import type { FolderFacts } from '../src/worker/contract.ts';
import { inState, intent, intents, opened, source, target, useStateDir } from './journal/fixtures.ts';
import { Engine, needless } from './support/engine.ts';
import { InlineHost } from './support/inline-host.ts';
import { ColumnLane, manyMessages } from './support/many-messages.ts';

const dates = ['01-Feb-2020 10:00:00 +0200', '02-Feb-2020 10:00:00 -0330', '03-Feb-2020 23:59:59 +0000'];

/** Notes in `told` what verdicts a journal is given. */
function watch(journal: Journal, told: VerdictColumns[]): Journal {
  const write = journal.write.bind(journal);
  return Object.assign(journal, {
    write: (...records: readonly JournalRecord[]) => {
      for (const record of records) if (record.kind === 'verdicts') told.push(record.messages);
      return write(...records);
    },
  });
}

it.each([
  { keepsManifest: true, expected: [dates] },
  { keepsManifest: false, expected: [null] },
  { keepsManifest: undefined, expected: [null] },
])('a lane of a job with keepsManifest $keepsManifest tells $expected of what it copied', async (given) => {
  using engine = new Engine({ source: { disable: needless }, target: { disable: needless } });
  for (const [n, internalDate] of dates.entries())
    engine.source.inbox.append({ body: `Subject: ${n}\r\n\r\n`, internalDate });
  const told: VerdictColumns[] = [];
  const inline = new InlineHost(engine.connect);
  const host: LaneHost = {
    start: (options) => inline.start({ ...options, keepsManifest: given.keepsManifest }),
    close: () => inline.close(),
  };
  const parts = {
    host,
    clock: systemClock,
    settleMs: 20,
    openJournal: async (...args: Parameters<typeof openJournal>) => watch(await openJournal(...args), told),
  };
  const hooks = { onEvent: () => {}, signal: new AbortController().signal };
  expect(await migrate(engine.settings(), hooks, parts)).toMatchObject({ exitCode: 0, copied: 3 });
  expect(told.map(({ internalDates }) => internalDates)).toEqual(given.expected);
});

it('a batch of which a part was stored tells the dates of that part', () => {
  const messages = ['a', null, 'c'].map((internalDate, row) => {
    const body = { size: 1, chunks: [Buffer.from('x')] };
    return { kind: 'message', message: { uid: row + 1, flags: [], internalDate, body } } as const;
  });
  const batch = new Batch(messages);
  batch.store(1, 11, 0);
  batch.store(2, 12, 0);
  batch.refuse(0, { code: 'TOO_BIG', text: 'too big', subject: null });
  const { stored } = batch.report(() => [], { keepsDates: true });
  expect(stored).toMatchObject({ uids: Uint32Array.of(2, 3), internalDates: [null, 'c'] });
  expect(batch.report(() => [], { keepsDates: false }).stored.internalDates).toBeNull();
});

it('a folder is known with its special use, its delimiter, and whether it is subscribed', async () => {
  using engine = new Engine({ source: { delimiter: '.' } });
  engine.source.inbox.append({ body: 'x', internalDate: dates[0] ?? '' });
  engine.source.createMailbox(['Post', 'Out'], { specialUse: ['\\Sent'], subscribed: true });
  expect((await engine.run()).report).toMatchObject({ exitCode: 0 });
  const [status] = await readJournalStatus(engine.stateDir);
  const folders = status?.kind === 'readable' ? status.folders : [];
  expect(folders.find(({ sourceRawName }) => sourceRawName === 'Post.Out')?.attributes).toEqual({
    specialUse: '\\Sent',
    subscribed: true,
    sourceDelimiter: '.',
  });
  expect(folders.find(({ sourceRawName }) => sourceRawName === 'INBOX')?.attributes).toEqual({
    specialUse: null,
    subscribed: false,
    sourceDelimiter: '.',
  });
});

const state = useStateDir();
const count = 4;

/** Recovers a folder whose messages are all at the target; the journal was told of some that they are being appended. */
async function recover(keepsManifest: boolean, intended: readonly number[]): Promise<VerdictColumns[]> {
  const contents = manyMessages(count);
  contents.dates.set([Date.UTC(2020, 1, 1, 8), Number.NaN, Date.UTC(-1, 0, 1), Date.UTC(10_000, 0, 1)]);
  const facts: FolderFacts = { messages: count, uidNext: count + 1, uidValidity: 2 };
  const lane = Object.assign(new ColumnLane(contents, contents), {
    expect: (async () => ({ kind: 'status', folderId: 0, facts })) as unknown as RecoveryParts['lane']['expect'],
  });
  await using journal = await openJournal(inState(state.path), source, target);
  await journal.openFolder(opened('INBOX', { fence: 1, inDoubt: true }));
  const rows = intended.map((uid) => intent(uid, { fence: 1, internalDate: uid === 2 ? null : (dates[0] ?? null) }));
  await journal.write(...intents(1, rows));
  const [folder] = journal.folders();
  if (folder === undefined) throw new Error('it was opened');
  const told: VerdictColumns[] = [];
  const parts = {
    lane,
    journal: watch(journal, told),
    clock: systemClock,
    settleMs: 0,
    seenAt: null,
    notBefore: null,
    reportsUids: true,
    keepsManifest,
    isStopping: () => false,
  };
  const run = { id: 0, singly: false, task: () => ({ sourceRawName: 'INBOX', targetName: { raw: 'INBOX' } }) };
  const recovered = await recoverFolder(run, folder, facts, parts);
  expect(recovered).toMatchObject({ found: intended.length, adopted: count - intended.length });
  return told;
}

it('a manifest is told what intents say of messages that were found, and else the instants in UTC', async () => {
  const told = await recover(true, [1, 2]);
  expect(told.map(({ uids, internalDates }) => [[...uids], internalDates])).toEqual([
    [
      [1, 2],
      [dates[0], null],
    ],
    [
      [3, 4],
      [null, null],
    ],
  ]);
});

it('a manifest is told no date that the form cannot hold, or that nobody could read', async () => {
  const [told] = await recover(true, []);
  expect(told?.internalDates).toEqual(['01-Feb-2020 08:00:00 +0000', null, null, null]);
});

it('another journal is told no dates of what was found', async () => {
  expect((await recover(false, [1, 2])).map(({ internalDates }) => internalDates)).toEqual([null, null]);
});
