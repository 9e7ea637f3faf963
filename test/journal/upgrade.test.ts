import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/journal/database.ts';
import { openJournal, peekJournal } from '../../src/journal/index.ts';
import { journalFile } from '../../src/journal/names.ts';
import { schemaVersion } from '../../src/journal/schema.ts';
import { upgradeJournal } from '../../src/journal/upgrade.ts';
import { readJournalStatus } from '../../src/journal-status.ts';
import {
  contentOf,
  digestOf,
  inState,
  intent,
  intents,
  messageLines,
  source,
  target,
  useStateDir,
  verdict,
  verdicts,
} from './fixtures.ts';
import { writeSchema3 } from './schema-3.ts';

const root = useStateDir();
const inline = { inline: true };
let stateDir: string;
let file: string;

beforeEach(() => {
  stateDir = join(root.path, 'state');
  mkdirSync(stateDir);
  file = journalFile(inState(stateDir), source, target);
  writeSchema3(file);
});

function alter(sql: string): void {
  const db = new Database(file, { busyMs: 0 });
  db.exec(sql);
  db.close();
}

function query(sql: string): unknown[] {
  const db = new Database(file, { busyMs: 0, readOnly: true });
  const rows = db.prepare(sql).all();
  db.close();
  return rows;
}

const open = () => openJournal(inState(stateDir), source, target, inline);

const flagsOf = (uid: number) => (uid === 11 ? '\\Answered' : uid % 10 === 3 ? '\\Seen \\Flagged' : '\\Seen');
const uids = Array.from({ length: 140 }, (_, index) => index * 2 + 1);
const inbox = uids.map((uid) =>
  uid === 7 ? '7 adopted 107 \\Seen' : uid === 9 ? '9 gone 0 ' : `${uid} copied ${uid + 100} ${flagsOf(uid)}`,
);

const content = {
  folders: [
    { id: 1, sourceRawName: 'INBOX', targetName: 'INBOX', fence: 400, flagsModSeq: '77', messages: 141, intents: 0 },
    { id: 2, sourceRawName: 'Sent', fence: 100, messages: 1, intents: 2 },
    {
      id: 3,
      sourceRawName: 'Lists/ö',
      messages: 0,
      finishedAt: { messages: 3, uidNext: 10, uidValidity: 1, highestModSeq: '5', size: 99 },
    },
    { id: 4, sourceRawName: 'Empty', sourceUidValidity: 1, targetUidValidity: 2 },
  ],
  messages: [[...inbox, '4294967295 copied 0 \\Seen'], ['2 copied 102 \\Seen'], [], []],
  intents: [
    [],
    [
      intent(1, { batch: 1 }),
      intent(9, {
        batch: 2,
        fence: null,
        targetUidValidity: null,
        digest: null,
        internalDate: null,
        flags: '',
      }),
    ],
    [],
    [],
  ],
};

describe('a journal of schema 3', () => {
  it('is turned into one of today where a run opens it: it knows what it knew', async () => {
    for (const opening of ['first', 'second']) {
      await using journal = await open();
      expect(journal.state, opening).toBe('clean');
      expect(await contentOf(journal), opening).toMatchObject(content);
    }
    expect(query('PRAGMA user_version')).toEqual([[schemaVersion]]);
    expect(query('SELECT id, kind FROM commits ORDER BY id DESC LIMIT 1')).toEqual([[14, 'closed']]);
    expect(query('SELECT DISTINCT internal_dates FROM message_blocks')).toEqual([[null]]);
    expect(query('SELECT DISTINCT special_use, subscribed, source_delimiter FROM folders')).toEqual([
      [null, null, null],
    ]);
    const rows = query('SELECT uid, size, digest FROM message_list') as [number, number | null, string][];
    const hex = (uid: number) => Buffer.from(digestOf(uid)).toString('hex').toUpperCase();
    const expected = [...uids, 2].map((uid) =>
      uid === 9 ? [9, null, ''] : [uid, 1000 + uid, uid === 7 ? '' : hex(uid)],
    );
    expect(rows.toSorted(([a], [b]) => a - b)).toEqual(
      [...expected, [0xffff_ffff, 2 ** 40, hex(0xffff_ffff)]].toSorted(([a], [b]) => Number(a) - Number(b)),
    );
  });

  it('is written on like any other', async () => {
    {
      await using journal = await open();
      await journal.write(...verdicts(2, [verdict(1)]), ...verdicts(1, [verdict(2), verdict(500)]));
      await journal.write(...intents(2, [intent(20)]));
    }
    await using journal = await open();
    expect(journal.state).toBe('clean');
    expect(await messageLines(journal, 2)).toEqual(['1 copied 101 \\Seen', '2 copied 102 \\Seen']);
    expect(await messageLines(journal, 1)).toHaveLength(143);
    expect((await journal.intents(2)).map(({ uid }) => uid)).toEqual([9, 20]);
  });

  it('is in doubt where its run was killed', async () => {
    alter("DELETE FROM commits WHERE kind = 'closed'");
    for (const opening of ['first', 'second']) {
      await using journal = await open();
      expect(journal.state, opening).toBe('crash');
      expect(journal.folders().map(({ inDoubt }) => inDoubt)).toEqual([true, true, true, true]);
      expect(await messageLines(journal, 1)).toEqual(content.messages[0]);
    }
  });

  it('is only read where somebody only looks', async () => {
    const before = readFileSync(file);
    {
      await using journal = await peekJournal(inState(stateDir), source, target, inline);
      if (journal === null) throw new Error('there is a journal');
      expect(await contentOf(journal)).toMatchObject(content);
      expect(journal.state).toBe('clean');
    }
    expect(await readJournalStatus(stateDir)).toMatchObject([
      { state: 'clean', messages: 142, intents: 2, finished: 1 },
    ]);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each([
    { what: 'changed messages', sql: "UPDATE message_blocks SET sizes = '[1]' WHERE folder = 2" },
    { what: 'other digests', sql: 'UPDATE message_blocks SET digests = zeroblob(length(digests)) WHERE folder = 1' },
    { what: 'messages too few', sql: 'DELETE FROM message_blocks WHERE folder = 1 AND first_uid = 1' },
    { what: 'messages of no folder', sql: 'UPDATE message_blocks SET folder = 9, id = 9 << 32 WHERE folder = 2' },
    { what: 'a changed intent', sql: 'UPDATE intent_batches SET digests = zeroblob(32) WHERE id = 1' },
    { what: 'an intent too few', sql: 'DELETE FROM intent_batches WHERE id = 1' },
    { what: 'a changed folder', sql: 'UPDATE folders SET fence = 1' },
    { what: 'a broken chain', sql: "UPDATE commits SET chain = 'x' WHERE id = 5" },
    { what: 'another table', sql: 'CREATE TABLE more (x)' },
    { what: 'the tables of today', sql: `PRAGMA user_version = ${schemaVersion}` },
  ])('is refused with $what, and left as it is', async ({ sql }) => {
    alter(sql);
    const before = readFileSync(file);
    const refusal = { exitCode: 9, message: expect.stringContaining('--rebuild') };
    await expect(open()).rejects.toMatchObject(refusal);
    await expect(peekJournal(inState(stateDir), source, target, inline)).rejects.toMatchObject(refusal);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('stays what it is where the disk has no room for the other', async () => {
    const db = new Database(file, { busyMs: 0 });
    db.exec(`PRAGMA max_page_count = ${Number(db.pragma('page_count')) + 2}`);
    expect(() => db.transaction(() => upgradeJournal(db, db))).toThrow(/full/);
    db.close();
    expect(query('PRAGMA user_version')).toEqual([[3]]);
    await using journal = await open();
    expect(await contentOf(journal)).toMatchObject(content);
  });
});
