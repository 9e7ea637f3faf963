import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/journal/database.ts';
import { type Journal, openJournal, peekJournal } from '../../src/journal/index.ts';
import { journalFile } from '../../src/journal/names.ts';
import { schemaVersion } from '../../src/journal/schema.ts';
import {
  type Content,
  contentOf,
  flags,
  inState,
  intent,
  intents,
  opened,
  source,
  target,
  useStateDir,
  verdict,
  verdicts,
} from './fixtures.ts';

const root = useStateDir();
const pageSize = 4096;
let stateDir: string;
let file: string;
let places = 0;
beforeEach(() => useFreshDir());

/** Damage is done to copies: SQLite remembers, in this process, what it knows of a file. */
function useFreshDir(): void {
  stateDir = join(root.path, String(places++));
  mkdirSync(stateDir);
  file = journalFile(inState(stateDir), source, target);
}

const open = () => openJournal(inState(stateDir), source, target, { inline: true });

/** What can be told of a journal from outside: its content, or the refusal. */
async function look(): Promise<Content | { readonly refused: string; readonly exitCode: number }> {
  try {
    await using journal = await open();
    return await contentOf(journal);
  } catch (error) {
    const { message, exitCode } = error as { message: string; exitCode: number };
    return { refused: message, exitCode };
  }
}

/** Enough of everything for tables of several pages. */
async function fill(journal: Journal, from = 1, count = 300): Promise<void> {
  const uids = Array.from({ length: count }, (_, index) => from + index);
  for (const name of ['INBOX', 'Archive', 'Sent']) {
    const { id } = await journal.openFolder(opened(name));
    const changes = (uid: number) => ({ flags: `\\Seen $Label${uid % 40}` });
    const [judged, intended] = [uids.map((uid) => verdict(uid, changes(uid))), uids.slice(0, 30)];
    await journal.write(...verdicts(id, judged, 400));
    for (const part of [intended.slice(0, 15), intended.slice(15)]) {
      const rows = part.map((uid) => intent(uid + 5_000, changes(uid)));
      await journal.write(...intents(id, rows));
    }
  }
}

async function makeClosed(): Promise<{ readonly bytes: Buffer; readonly content: Content }> {
  {
    await using journal = await open();
    await fill(journal);
    // Leaves pages without an owner: damage may hide there too.
    await journal.write({ kind: 'forget', folderId: 2 }, { kind: 'settled', folderId: 2 });
  }
  const content = (await look()) as Content;
  return { bytes: readFileSync(file), content };
}

function put(bytes: Buffer): void {
  rmSync(stateDir, { recursive: true });
  useFreshDir();
  writeFileSync(file, bytes);
}

/** Numbers that look random and are the same every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

describe('a damaged journal', () => {
  it('is refused for one flipped bit in any page, or holds what it held', async () => {
    const { bytes, content } = await makeClosed();
    const random = numbers(1);
    const offsets: number[] = Array.from({ length: 100 }, (_, index) => index);
    for (let page = 0; page * pageSize < bytes.length; page++) {
      // Headers and cell pointers stand at the start, cells mostly at the end.
      for (let count = 0; count < 4; count++) offsets.push(page * pageSize + (random.next().value % 64));
      for (let count = 0; count < 12; count++) offsets.push(page * pageSize + (random.next().value % pageSize));
    }
    let refusals = 0;
    for (const place of offsets) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(place) ^ (1 << (random.next().value % 8)), place);
      put(damaged);
      const seen = await look();
      if ('refused' in seen) {
        refusals++;
        expect(seen, `byte ${place}`).toMatchObject({ exitCode: 9 });
      } else if (!isDeepStrictEqual(seen, content)) expect(seen, `byte ${place}`).toEqual(content);
    }
    expect(refusals).toBeGreaterThan(offsets.length / 3);
  }, 60_000);

  it('that opens all the same can be written and opened again', async () => {
    const { bytes, content } = await makeClosed();
    const random = numbers(2);
    let survivals = 0;
    for (let page = 0; page * pageSize < bytes.length; page++) {
      const place = page * pageSize + (random.next().value % pageSize);
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(place) ^ 0x10, place);
      put(damaged);
      if ('refused' in (await look())) continue;
      survivals++;
      {
        await using journal = await open();
        await fill(journal, 10_000, 100);
      }
      const after = (await look()) as Content;
      expect(
        after.messages.map((lines) => lines.slice(0, -100)),
        `byte ${place}`,
      ).toEqual(content.messages);
      expect(after.folders).toMatchObject([{ messages: 400 }, { messages: 100 }, { messages: 400 }]);
    }
    expect(survivals).toBeGreaterThan(0);
  }, 60_000);

  it('is refused where a page is an older version of itself', async () => {
    const { bytes: older } = await makeClosed();
    {
      await using journal = await open();
      const answered = [1, 2, 3, 4].map((uid) => ({ uid, flags: '\\Answered' }));
      await journal.write(flags(1, answered, '9'));
      await journal.write({ kind: 'dropped', folderId: 3, uids: Uint32Array.of(5_001, 5_002) });
    }
    const newer = readFileSync(file);
    const content = await look();
    let stale = 0;
    let refusals = 0;
    for (let at = 0; at < Math.min(older.length, newer.length); at += pageSize) {
      if (older.subarray(at, at + pageSize).equals(newer.subarray(at, at + pageSize))) continue;
      stale++;
      const mixed = Buffer.from(newer);
      older.copy(mixed, at, at, at + pageSize);
      put(mixed);
      const seen = await look();
      // Only counters of SQLite's own may differ on the first page, and free pages hold anything.
      if (isDeepStrictEqual(seen, content)) continue;
      refusals++;
      expect(seen, `page ${at / pageSize + 1}`).toMatchObject({ exitCode: 9 });
    }
    expect(refusals).toBeGreaterThan(4);
    expect(stale).toBeLessThan(refusals + 3);
  });

  it('is refused wherever it is cut off', async () => {
    const { bytes } = await makeClosed();
    const lengths = [0, 1, 15, 100, 511, bytes.length - 1];
    for (let length = pageSize; length < bytes.length; length += pageSize) lengths.push(length, length + 100);
    for (const length of lengths) {
      put(bytes.subarray(0, length));
      expect(await look(), `${length} bytes`).toMatchObject({
        exitCode: 9,
        refused: expect.stringContaining('--rebuild'),
      });
    }
  }, 30_000);

  it.each([
    {
      what: 'messages that were changed by hand',
      sql: "UPDATE message_blocks SET verdicts = replace(verdicts, 'c', 'g') WHERE folder = 1 AND first_uid = 1",
    },
    { what: 'digests that were changed', sql: 'UPDATE message_blocks SET digests = zeroblob(length(digests))' },
    { what: 'messages too few', sql: 'DELETE FROM message_blocks WHERE folder = 1 AND last_uid = 300' },
    {
      what: 'messages too many',
      sql: `INSERT INTO message_blocks
        SELECT id + 5000, folder, 5001, 5100, uids, verdicts, target_uids, sizes, digests, flags, internal_dates, crc
        FROM message_blocks WHERE folder = 1 AND first_uid = 1`,
    },
    {
      what: 'messages twice',
      sql: `INSERT INTO message_blocks
        SELECT id + 5000, folder, first_uid, last_uid, uids, verdicts, target_uids, sizes, digests, flags, internal_dates, crc
        FROM message_blocks WHERE folder = 1 AND first_uid = 1`,
    },
    {
      what: 'messages of no folder',
      sql: `INSERT INTO message_blocks
        SELECT 77 << 32, 77, first_uid, last_uid, uids, verdicts, target_uids, sizes, digests, flags, internal_dates, crc
        FROM message_blocks WHERE folder = 1 AND first_uid = 1`,
    },
    { what: 'intents too few', sql: 'DELETE FROM intent_batches WHERE id = (SELECT min(id) FROM intent_batches)' },
    { what: 'intents of another time', sql: "UPDATE intent_batches SET internal_dates = '[]' WHERE folder = 1" },
    { what: 'intents of no folder', sql: 'UPDATE intent_batches SET folder = 77 WHERE folder = 1' },
    { what: 'a number beyond all', sql: 'UPDATE commits SET records = 9223372036854775807 WHERE id = 2' },
    { what: 'a folder too few', sql: 'DELETE FROM folders WHERE id = 3' },
    { what: 'a flag set too few', sql: 'DELETE FROM flag_sets WHERE id = (SELECT max(id) FROM flag_sets)' },
    { what: 'flags that were changed', sql: "UPDATE flag_sets SET flags = '' WHERE id = 1" },
    { what: 'an account that was changed', sql: "UPDATE meta SET value = 'x' WHERE key = 'source'" },
    { what: 'no account', sql: 'DELETE FROM meta' },
    { what: 'its last commits cut off', sql: 'DELETE FROM commits WHERE id > (SELECT max(id) - 2 FROM commits)' },
    { what: 'a commit too few', sql: 'DELETE FROM commits WHERE id = 3' },
    { what: 'a commit that was changed', sql: "UPDATE commits SET kind = 'closed' WHERE id = 3" },
    { what: 'no commits', sql: 'DELETE FROM commits' },
    { what: 'another table', sql: 'CREATE TABLE more (x)' },
    { what: 'a table too few', sql: 'DROP VIEW message_list' },
    { what: 'no write-ahead log', sql: 'PRAGMA journal_mode = DELETE' },
    { what: 'an older schema', sql: 'PRAGMA user_version = 1' },
    { what: 'another program’s mark', sql: 'PRAGMA application_id = 7' },
  ])('is refused with $what', async ({ sql }) => {
    put((await makeClosed()).bytes);
    const db = new Database(file, { busyMs: 0 });
    db.exec(sql);
    db.close();
    expect(await look()).toMatchObject({ exitCode: 9, refused: expect.stringContaining('--rebuild') });
    await expect(peekJournal(inState(stateDir), source, target, { inline: true })).rejects.toMatchObject({
      exitCode: 9,
    });
  });

  it('is refused where the file is something else', async () => {
    writeFileSync(file, 'not a database\n'.repeat(500));
    expect(await look()).toMatchObject({ exitCode: 9, refused: expect.stringContaining('not a database') });
    useFreshDir();
    const db = new Database(file, { busyMs: 0 });
    db.exec('CREATE TABLE bookmarks (url)');
    db.close();
    expect(await look()).toMatchObject({
      exitCode: 9,
      refused: expect.stringContaining('not a journal of this program'),
    });
  });

  it('is replaced on request, whatever is wrong with it', async () => {
    const { bytes } = await makeClosed();
    put(bytes.subarray(0, 5_000));
    await using journal = await openJournal(inState(stateDir), source, target, { inline: true, rebuild: true });
    expect(journal.state).toBe('new');
    expect(statSync(`${file}.old-1`).size).toBe(5_000);
  });
});

describe('a journal of somebody else', () => {
  it('of a newer version is refused with what to do', async () => {
    await makeClosed();
    const db = new Database(file, { busyMs: 0 });
    db.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
    db.close();
    expect(await look()).toMatchObject({
      exitCode: 9,
      refused: expect.stringContaining(`newer version (schema ${schemaVersion + 1}`),
    });
  });

  it('of the first version, which had no checksums, is refused with what to do', async () => {
    const db = new Database(file, { busyMs: 0 });
    db.exec('CREATE TABLE messages (uid); PRAGMA user_version = 1');
    db.close();
    expect(await look()).toMatchObject({ exitCode: 9, refused: expect.stringContaining('--rebuild') });
  });

  it('of another account is refused by name', async () => {
    await makeClosed();
    const other = journalFile(inState(stateDir), 'ben@old.example', target);
    copyFileSync(file, other);
    await expect(openJournal(inState(stateDir), 'ben@old.example', target, { inline: true })).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringContaining(`belongs to ${source} -> ${target}`),
    });
  });
});

describe('a journal whose run was killed', () => {
  /** The files of a run at several moments, and the content at each; the first moment is the first commit. */
  async function makeCrashed(): Promise<{ db: Buffer; wal: Buffer; history: Content[] }> {
    const history: Content[] = [];
    await using journal = await open();
    for (let step = 0; step < 6; step++) {
      const { id } = await journal.openFolder(opened(`Folder ${step % 2}`));
      history.push(await contentOf(journal));
      await journal.write(...intents(id, [intent(step * 10 + 1), intent(step * 10 + 2)]));
      history.push(await contentOf(journal));
      await journal.write(...verdicts(id, [verdict(step * 10 + 1)], 200 + step));
      history.push(await contentOf(journal));
    }
    return { db: readFileSync(file), wal: readFileSync(`${file}-wal`), history };
  }

  function putCrashed(db: Buffer, wal: Buffer | null): void {
    put(db);
    if (wal !== null) writeFileSync(`${file}-wal`, wal);
  }

  /** The content without what only says that it is in doubt. */
  const settled = ({ folders, ...rest }: Content): Content => ({
    ...rest,
    folders: folders.map((folder) => ({ ...(folder as object), inDoubt: false })),
  });

  async function lookAtCrash(): Promise<Content | null> {
    let journal: Journal;
    try {
      journal = await open();
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 9 });
      return null;
    }
    await using closing = journal;
    expect(closing.state).toBe('crash');
    for (const { inDoubt } of journal.folders()) expect(inDoubt).toBe(true);
    return settled(await contentOf(journal));
  }

  it('holds every commit, every folder in doubt', async () => {
    const { db, wal, history } = await makeCrashed();
    putCrashed(db, wal);
    expect(await lookAtCrash()).toEqual(history.at(-1));
    expect(await lookAtCrash(), 'a run that wrote nothing settled nothing').toEqual(history.at(-1));
  });

  it('keeps its doubt through a run that ended in an orderly way without settling it', async () => {
    const { db, wal } = await makeCrashed();
    putCrashed(db, wal);
    {
      await using journal = await open();
      await journal.write({ kind: 'settled', folderId: 1 });
    }
    await using journal = await open();
    expect(journal.state).toBe('crash');
    expect(journal.folders().map(({ inDoubt }) => inDoubt)).toEqual([false, true]);
  });

  it('holds what it held at some moment of that run when the tail of its log is torn', async () => {
    const { db, wal, history } = await makeCrashed();
    let last = -1;
    for (let length = 0; length <= wal.length; length += 1031) {
      putCrashed(db, wal.subarray(0, length));
      const seen = await lookAtCrash();
      const moment = history.findIndex((content) => isDeepStrictEqual(content, seen));
      expect(moment, `${length} bytes of the log`).toBeGreaterThanOrEqual(Math.max(0, last));
      last = moment;
    }
    expect(last).toBeGreaterThan(history.length - 3);
  }, 30_000);

  it('holds what it held at some moment, or is refused, for one flipped bit in each frame of its log', async () => {
    const { db, wal, history } = await makeCrashed();
    const random = numbers(3);
    const frame = 24 + pageSize;
    for (let at = 0; at < wal.length; at += at === 0 ? 32 : frame) {
      const damaged = Buffer.from(wal);
      const place = at + (random.next().value % Math.min(at === 0 ? 32 : frame, wal.length - at));
      damaged.writeUInt8(damaged.readUInt8(place) ^ (1 << (random.next().value % 8)), place);
      putCrashed(db, damaged);
      const seen = await lookAtCrash();
      if (seen !== null && !history.some((content) => isDeepStrictEqual(content, seen))) {
        expect(seen, `byte ${place} of the log`).toEqual(history.at(-1));
      }
    }
  }, 30_000);

  it('does not look as if it was closed when its log is gone', async () => {
    const { db, history } = await makeCrashed();
    putCrashed(db, null);
    expect(await lookAtCrash()).toEqual(history[0]);
  });

  it('does not look as if it was closed before, when its log is gone', async () => {
    const { bytes } = await makeClosed();
    put(bytes);
    let db: Buffer;
    {
      await using journal = await open();
      await journal.write(...verdicts(1, [verdict(9_000)]));
      db = readFileSync(file);
    }
    put(db);
    await using journal = await open();
    expect(journal.state).toBe('crash');
    expect(journal.folder('INBOX', 'INBOX')?.messages).toBe(301);
  });

  it('is refused when only its log is left', async () => {
    const { wal } = await makeCrashed();
    useFreshDir();
    writeFileSync(`${file}-wal`, wal);
    expect(await look()).toMatchObject({ exitCode: 9, refused: expect.stringContaining('only its log') });
    await expect(peekJournal(inState(stateDir), source, target, { inline: true })).rejects.toMatchObject({
      exitCode: 9,
    });
  });

  it('is new where somebody deleted the file of a closed one', async () => {
    await makeClosed();
    rmSync(file);
    await using journal = await open();
    expect(journal.state).toBe('new');
    expect(readdirSync(stateDir).some((name) => name.includes('.old-'))).toBe(false);
  });

  it('may be cut off while it is made: then there is none', async () => {
    {
      await using journal = await open();
      expect(journal.state).toBe('new');
    }
    copyFileSync(file, `${file}.new`);
    truncateSync(`${file}.new`, 4096);
    rmSync(file);
    expect(await look()).toEqual({ folders: [], messages: [], intents: [] });
  });
});
