import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Journal, JournalRecord, OpenOptions } from '../../src/journal/index.ts';
import * as sources from '../../src/journal/index.ts';
import { type CompiledJournal, compileJournal } from './compiled.ts';
import {
  contentOf,
  digestOf,
  flags,
  inState,
  intent,
  intents,
  messageLines,
  opened,
  source,
  target,
  useStateDir,
  verdict,
  verdicts,
} from './fixtures.ts';

const dir = useStateDir();
let compiled: CompiledJournal;
beforeAll(() => {
  compiled = compileJournal();
}, 60_000);
afterAll(() => compiled.remove());

const hosts = [
  { where: 'inline', load: async () => sources, options: { inline: true } },
  { where: 'on its thread', load: () => compiled.load(), options: { inline: false } },
];

describe.each(hosts)('the journal $where', ({ load, options }) => {
  async function open(more: OpenOptions = {}): Promise<Journal> {
    return (await load()).openJournal(inState(dir.path), source, target, { ...options, ...more });
  }

  /** What `use` makes of the journal of an orderly run. */
  async function run<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
    await using journal = await open();
    return await use(journal);
  }

  it('remembers verdicts over runs, ascending by UID, with their flags and target UIDs', async () => {
    await run(async (journal) => {
      expect(journal.state).toBe('new');
      const { id } = await journal.openFolder(opened());
      await journal.write(
        ...verdicts(id, [
          verdict(9, { flags: '' }),
          verdict(3, { kind: 'adopted', targetUid: null, digest: null }),
          verdict(5, { kind: 'gone', targetUid: null, size: null, digest: null, flags: '\\Flagged \\Seen' }),
          verdict(0xffff_ffff, { targetUid: 0xffff_ffff, size: 2 ** 40 }),
        ]),
      );
    });
    await run(async (journal) => {
      expect(journal.state).toBe('clean');
      expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ messages: 4, intents: 0, inDoubt: false });
      expect(await messageLines(journal, 1)).toEqual([
        '3 adopted 0 \\Seen',
        '5 gone 0 \\Flagged \\Seen',
        '9 copied 109 ',
        '4294967295 copied 4294967295 \\Seen',
      ]);
    });
  });

  it('gives intents back in the order of batch and UID, every column as it was written', async () => {
    const rows = [
      intent(8, { batch: 1, fence: null, targetUidValidity: null, digest: null, internalDate: null, flags: '' }),
      intent(2, { batch: 2, size: 0, internalDate: '"odd"\\\0\ud800 date' }),
      intent(7, { batch: 2, digest: digestOf(99), flags: '$Label1 \\Seen' }),
    ];
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(...intents(id, rows));
      expect(await journal.intents(id)).toEqual(rows);
      expect(journal.folder('INBOX', 'INBOX')?.intents).toBe(3);
    });
    await run(async (journal) => {
      expect(await journal.intents(1)).toEqual(rows);
      await journal.write(...intents(1, [intent(9)]));
      expect((await journal.intents(1)).at(-1), 'a batch of its own').toEqual(intent(9, { batch: 3 }));
    });
  });

  it('closes an intent with a verdict, and without one where the message was refused', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(
        ...intents(
          id,
          [1, 2, 3, 4].map((uid) => intent(uid)),
        ),
      );
      await journal.write(...verdicts(id, [verdict(2), verdict(9)]));
      await journal.write({ kind: 'dropped', folderId: id, uids: Uint32Array.from([3, 77]) });
      expect((await journal.intents(id)).map(({ uid }) => uid)).toEqual([1, 4]);
      expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ messages: 2, intents: 2 });
    });
  });

  it('keeps the last word: a second intent or verdict on a UID replaces the first', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(...intents(id, [intent(1), intent(2), intent(1, { fence: 130 })]));
      expect(await journal.intents(id)).toEqual([intent(2), intent(1, { batch: 2, fence: 130 })]);
      await journal.write(...verdicts(id, [verdict(1), verdict(1, { kind: 'gone' })]));
      expect(await messageLines(journal, id)).toEqual(['1 gone 101 \\Seen']);
      expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ messages: 1, intents: 1 });
    });
    await run(async (journal) => expect(await messageLines(journal, 1)).toEqual(['1 gone 101 \\Seen']));
  });

  it('keeps flags as last applied, only for messages with a verdict', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(...verdicts(id, [verdict(1), verdict(2), verdict(3)]));
      const answered = [2, 4].map((uid) => ({ uid, flags: '\\Answered' }));
      await journal.write(flags(id, answered, '9223372036854775807'));
      await journal.write(flags(id, [{ uid: 3, flags: '' }]));
    });
    await run(async (journal) => {
      expect(journal.folder('INBOX', 'INBOX')?.flagsModSeq).toBe('9223372036854775807');
      expect(await messageLines(journal, 1)).toEqual([
        '1 copied 101 \\Seen',
        '2 copied 102 \\Answered',
        '3 copied 103 ',
      ]);
    });
  });

  it('keeps where a gone message is at the target until it is said to be removed; others are where they were', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(...verdicts(id, [verdict(1), verdict(2, { flags: '\\Answered' }), verdict(3)]));
      const gone = { kind: 'gone', targetUid: null, size: null, digest: null, flags: '' } as const;
      await journal.write(...verdicts(id, [verdict(2, gone), verdict(3, gone), verdict(4, gone)]));
      await journal.write({ kind: 'removed', folderId: id, uids: Uint32Array.of(1, 3, 4, 77) });
    });
    await run(async (journal) => {
      expect(await messageLines(journal, 1)).toEqual([
        '1 copied 101 \\Seen',
        '2 gone 102 \\Answered',
        '3 gone 0 \\Seen',
        '4 gone 0 ',
      ]);
      expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ messages: 4 });
    });
  });

  it('knows what a folder is, until it is opened and is something else', async () => {
    const attributes = { specialUse: '\\Sent', subscribed: true, sourceDelimiter: '/' } as const;
    const none = { specialUse: null, subscribed: null, sourceDelimiter: null };
    await run(async (journal) => {
      expect((await journal.openFolder(opened('A', { attributes }))).attributes).toEqual(attributes);
      expect((await journal.openFolder(opened('B'))).attributes).toEqual(none);
      expect((await journal.openFolder(opened('A'))).attributes).toEqual(attributes);
    });
    await run(async (journal) => {
      expect(journal.folders().map((folder) => folder.attributes)).toEqual([attributes, none]);
      const again = { sourceUidValidity: 1, targetUidValidity: 2, fence: 1 };
      const [first, second] = [none, { ...attributes, subscribed: false, sourceDelimiter: '\0' }];
      await journal.write({ kind: 'folder', folderId: 1, ...again, attributes: first });
      await journal.write({ kind: 'folder', folderId: 2, ...again, attributes: second });
    });
    await run(async (journal) => {
      const stored = { ...attributes, subscribed: false, sourceDelimiter: '\ufffd' };
      expect(journal.folders().map((folder) => folder.attributes)).toEqual([none, stored]);
    });
  });

  it('says when a folder was finished, until it is opened again', async () => {
    const status = { messages: 3, uidNext: 10, uidValidity: 1, highestModSeq: '12345678901234567890', size: 2 ** 45 };
    const bare = { messages: 0, uidNext: null, uidValidity: null, highestModSeq: null, size: null };
    await run(async (journal) => {
      const first = await journal.openFolder(opened('A'));
      const second = await journal.openFolder(opened('B'));
      await journal.write({ kind: 'finished', folderId: first.id, status });
      await journal.write({ kind: 'finished', folderId: second.id, status: bare });
    });
    await run(async (journal) => {
      expect(journal.folder('A', 'A')?.finishedAt).toEqual(status);
      expect(journal.folder('B', 'B')?.finishedAt).toEqual(bare);
      expect((await journal.openFolder(opened('A'))).finishedAt).toBeNull();
      const again = { kind: 'folder', folderId: 2, sourceUidValidity: 1, targetUidValidity: 2, fence: 1 } as const;
      await journal.write(again);
      expect(journal.folder('B', 'B')?.finishedAt).toBeNull();
    });
  });

  it('tells folders apart by source name and target name, and keeps their ids', async () => {
    const names = [
      opened(),
      opened('INBOX', { targetName: 'Old' }),
      opened('Old'),
      opened('A\u0001é', { targetName: '日本' }),
    ];
    const ids = await run(async (journal) =>
      Promise.all(names.map(async (folder) => (await journal.openFolder(folder)).id)),
    );
    expect(ids).toEqual([1, 2, 3, 4]);
    await run(async (journal) => {
      expect(journal.folders().map(({ id }) => id)).toEqual(ids);
      expect(journal.folder('A\u0001é', '日本')?.id).toBe(4);
      expect(journal.folder('Old', 'INBOX')).toBeNull();
      expect((await journal.openFolder(opened('Old'))).id).toBe(3);
    });
  });

  it('takes any text: what a file cannot hold is the same folder in the next run', async () => {
    const odd = opened('a\0b\ud800', { targetName: '\udfffz' });
    await run(async (journal) => {
      const { id } = await journal.openFolder(odd);
      await journal.write(...verdicts(id, [verdict(1, { flags: `"';\n\0],[` })]));
    });
    await run(async (journal) => {
      expect((await journal.openFolder(odd)).id).toBe(1);
      expect(journal.folder(odd.sourceRawName, odd.targetName)?.messages).toBe(1);
      expect(await messageLines(journal, 1)).toEqual([`1 copied 101 "';\n\ufffd],[`]);
    });
  });

  it('raises the fence with outcomes, and never lowers it when the folder is opened again', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      const fence = () => journal.folder('INBOX', 'INBOX')?.fence;
      await journal.write(...verdicts(id, [], 120));
      expect(fence()).toBe(120);
      await journal.write(...verdicts(id, [], 110));
      expect(fence()).toBe(120);
      await journal.openFolder(opened('INBOX', { fence: 500 }));
      expect(fence()).toBe(120);
      await journal.write({ kind: 'settled', folderId: id, fence: 130 });
      expect(fence()).toBe(130);
      expect((await journal.openFolder(opened('B', { fence: null }))).fence).toBeNull();
      expect((await journal.openFolder(opened('B', { fence: 7 }))).fence).toBe(7);
    });
  });

  it('keeps a folder in doubt, through an orderly end too, until it is settled or finished', async () => {
    const status = { messages: 1, uidNext: 2, uidValidity: 1, highestModSeq: null, size: null };
    await run(async (journal) => {
      expect(await journal.openFolder(opened('A', { fence: 1, inDoubt: true }))).toMatchObject({
        inDoubt: true,
        fence: 1,
      });
      expect(await journal.openFolder(opened('B'))).toMatchObject({ inDoubt: false });
      expect(await journal.openFolder(opened('B', { fence: 40, inDoubt: true }))).toMatchObject({ fence: 40 });
    });
    await run(async (journal) => {
      expect(journal.state).toBe('crash');
      expect(journal.folders().map(({ inDoubt }) => inDoubt)).toEqual([true, true]);
      await journal.openFolder(opened('A'));
      expect(journal.folder('A', 'A')).toMatchObject({ inDoubt: true, fence: 1 });
      await journal.write({ kind: 'settled', folderId: 1, fence: 90 }, { kind: 'finished', folderId: 2, status });
    });
    await run(async (journal) => {
      expect(journal.state).toBe('clean');
      expect(journal.folder('A', 'A')).toMatchObject({ inDoubt: false, fence: 90 });
    });
  });

  it('forgets a folder as a whole, and has it matched from the first UID on', async () => {
    await run(async (journal) => {
      for (const name of ['A', 'B']) {
        const { id } = await journal.openFolder(opened(name));
        await journal.write(...verdicts(id, [verdict(1), verdict(2)]), ...intents(id, [intent(3)]), flags(id, [], '5'));
      }
      await journal.write({ kind: 'forget', folderId: 1 }, ...verdicts(1, [verdict(2)]));
    });
    await run(async (journal) => {
      expect(journal.folder('A', 'A')).toMatchObject({
        messages: 1,
        intents: 0,
        fence: 1,
        inDoubt: true,
        flagsModSeq: null,
      });
      expect(journal.folder('B', 'B')).toMatchObject({ messages: 2, intents: 1, fence: 100, inDoubt: false });
      expect(await messageLines(journal, 1)).toEqual(['2 copied 102 \\Seen']);
    });
  });

  it.each([
    { name: 'source', change: { sourceUidValidity: 9 }, forgotten: true },
    { name: 'target', change: { targetUidValidity: 9 }, forgotten: true },
    { name: 'source, not told this time', change: { sourceUidValidity: null }, forgotten: false },
  ])('forgets every UID when a UIDVALIDITY changes: $name', async ({ change, forgotten }) => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await journal.write(...verdicts(id, [verdict(1)]));
      const again = await journal.openFolder(opened('INBOX', { ...change, fence: 300 }));
      expect(again).toMatchObject({
        ...change,
        messages: forgotten ? 0 : 1,
        inDoubt: forgotten,
        fence: forgotten ? 1 : 100,
      });
    });
  });

  it('commits the calls of one turn together, and those made during a commit with the next one', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      const before = journal.stats();
      const done: number[] = [];
      const write = async (uid: number) => {
        await journal.write(...verdicts(id, [verdict(uid)]));
        done.push(uid);
      };
      const first = [1, 2, 3].map(write);
      const later = Promise.resolve()
        .then(() => undefined)
        .then(() => Promise.all([4, 5, 6, 7].map(write)));
      await Promise.all([...first, later]);
      expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
      const after = journal.stats();
      expect(after.commits - before.commits).toBe(2);
      expect(after.records - before.records).toBe(7);
      expect(after.commitMs).toBeGreaterThan(before.commitMs);
    });
  });

  it('answers reads with what was written before, awaited or not', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      const writing = journal.write(...intents(id, [intent(1)]));
      const found = await journal.intents(id);
      expect(found).toEqual([intent(1)]);
      void journal.write(...verdicts(id, [verdict(1)]));
      expect((await journal.messages(id)).uids).toEqual(Uint32Array.of(1));
      await writing;
    });
  });

  it('answers reads and ends while others keep writing', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      let isAnswered = false;
      const lanes = [1, 2, 3].map(async (lane) => {
        for (let uid = lane; !isAnswered; uid += 3) {
          await journal.write(...verdicts(id, [verdict(uid)]));
        }
      });
      const { uids } = await journal.messages(id);
      isAnswered = true;
      expect(uids.length).toBeGreaterThanOrEqual(3);
      await Promise.all(lanes);
    });
  });

  it('takes more rows in one call than a commit is meant for', async () => {
    const count = 30_000;
    const uids = Array.from({ length: count }, (_, index) => index + 1);
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      const writes = [
        journal.write(
          ...intents(
            id,
            uids.map((uid) => intent(uid)),
          ),
        ),
        journal.write({ kind: 'dropped', folderId: id, uids: Uint32Array.from(uids.slice(5)) }),
        journal.write(
          ...verdicts(
            id,
            uids.slice(5).map((uid) => verdict(uid)),
          ),
        ),
      ];
      await Promise.all(writes);
    });
    await run(async (journal) => {
      expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ messages: count - 5, intents: 5 });
      expect((await journal.messages(1)).uids).toEqual(Uint32Array.from(uids.slice(5)));
    });
  });

  it('has copied the columns when they are written: what becomes of them later is the caller’s', async () => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      const pool = new Uint8Array(8192).fill(1);
      const uids = Uint32Array.of(1);
      const [record] = intents(id, [intent(1)]);
      if (record?.kind !== 'intents') throw new Error('one record was to be made');
      await journal.write({ ...record, messages: { ...record.messages, uids, digests: pool.subarray(64, 96) } });
      pool.fill(2);
      uids.fill(2);
      expect(await journal.intents(id)).toEqual([intent(1, { digest: new Uint8Array(32).fill(1) })]);
      await journal.write({ kind: 'dropped', folderId: id, uids: Uint32Array.of(1) });
      expect(await journal.intents(id)).toEqual([]);
    });
  });

  const dropped = (...uids: number[]): JournalRecord => ({
    kind: 'dropped',
    folderId: 1,
    uids: Uint32Array.from(uids),
  });
  const changed = (record: JournalRecord | undefined, columns: object): JournalRecord => {
    if (record === undefined || !('messages' in record)) throw new Error('it has no columns');
    return { ...record, messages: { ...record.messages, ...columns } } as JournalRecord;
  };
  const [ofIntents, ofVerdicts] = [intents(1, [intent(1)])[0], verdicts(1, [verdict(1)])[0]];
  const impossible: { name: string; record: JournalRecord }[] = [
    { name: 'an unknown folder', record: { kind: 'forget', folderId: 7 } },
    { name: 'UID 0', record: dropped(0) },
    { name: 'a UID twice', record: dropped(4, 4) },
    { name: 'UIDs that do not ascend', record: changed(ofVerdicts, { uids: Uint32Array.of(9, 8) }) },
    { name: 'a target UID too few', record: changed(ofVerdicts, { targetUids: new Uint32Array() }) },
    { name: 'a size too many', record: changed(ofVerdicts, { sizes: new Float64Array(2) }) },
    { name: 'a date too few', record: changed(ofIntents, { internalDates: [] }) },
    { name: 'a date of a verdict too many', record: changed(ofVerdicts, { internalDates: [null, null] }) },
    { name: 'a removed UID 0', record: { kind: 'removed', folderId: 1, uids: Uint32Array.of(0) } },
    { name: 'flags that are in no set', record: changed(ofIntents, { flags: Uint32Array.of(1) }) },
    { name: 'a short digest', record: changed(ofIntents, { digests: new Uint8Array(20) }) },
    { name: 'a size that is no number', record: changed(ofIntents, { sizes: Float64Array.of(Number.NaN) }) },
    { name: 'a mod-sequence of letters', record: flags(1, [], 'x') },
  ];
  it.each(impossible)('refuses $name, and nothing else is harmed', async ({ record }) => {
    await run(async (journal) => {
      const { id } = await journal.openFolder(opened());
      await expect(journal.write(...verdicts(id, [verdict(3)]), record)).rejects.toThrow(RangeError);
      await journal.write(...verdicts(id, [verdict(4)]));
      expect(await messageLines(journal, id)).toEqual(['4 copied 104 \\Seen']);
    });
  });

  it('writes nothing in a run that has nothing to say', async () => {
    await run(async (journal) => void (await journal.openFolder(opened())));
    const file = readdirSync(dir.path).find((name) => name.endsWith('.db')) ?? '';
    const before = statSync(join(dir.path, file)).mtimeMs;
    await run(async (journal) => {
      await journal.write();
      expect(journal.stats().commits).toBe(0);
    });
    expect(statSync(join(dir.path, file)).mtimeMs).toBe(before);
  });

  it('is closed once, and says so afterwards', async () => {
    const journal = await open();
    const { id } = await journal.openFolder(opened());
    const last = journal.write(...verdicts(id, [verdict(1)]));
    await Promise.all([journal[Symbol.asyncDispose](), journal[Symbol.asyncDispose]()]);
    await last;
    await expect(journal.write({ kind: 'forget', folderId: id })).rejects.toThrow('closed');
    await expect(journal.messages(id)).rejects.toThrow('closed');
    await run(async (again) => expect(await messageLines(again, id)).toHaveLength(1));
  });

  it('can be looked at without a lock, and shows one moment of a run', async () => {
    const { peekJournal } = await load();
    expect(await peekJournal(inState(dir.path), source, target, options)).toBeNull();
    expect(readdirSync(dir.path)).toEqual([]);
    await using journal = await open();
    const { id } = await journal.openFolder(opened());
    await journal.write(...verdicts(id, [verdict(1)]));
    await using peeked = await peekJournal(inState(dir.path), source, target, options);
    if (peeked === null) throw new Error('there is a journal');
    await journal.write(...verdicts(id, [verdict(2)]));
    expect(await messageLines(peeked, id)).toEqual(['1 copied 101 \\Seen']);
    expect(peeked.folders()).toMatchObject([{ messages: 1 }]);
    await expect(peeked.write({ kind: 'forget', folderId: id })).rejects.toThrow('reading only');
    await expect(peeked.openFolder(opened('B'))).rejects.toThrow('reading only');
  });

  it('is put aside, not removed, when it is to be rebuilt', async () => {
    await run(async (journal) => void (await journal.openFolder(opened())));
    await using journal = await open({ rebuild: true });
    expect(journal.state).toBe('new');
    expect(journal.folders()).toEqual([]);
    expect(readdirSync(dir.path).filter((name) => name.includes('.db.old-1'))).toHaveLength(1);
  });

  it('does not trip over what a start that was killed left behind', async () => {
    await run(async () => undefined);
    const file = join(dir.path, readdirSync(dir.path).find((name) => name.endsWith('.db')) ?? '');
    for (const suffix of ['.new', '.new-journal', '.new-wal']) writeFileSync(`${file}${suffix}`, 'half a journal');
    await using journal = await open({ rebuild: true });
    expect(await contentOf(journal)).toEqual({ folders: [], messages: [], intents: [] });
    expect(readdirSync(dir.path).filter((name) => name.includes('.new'))).toEqual([]);
  });
});
