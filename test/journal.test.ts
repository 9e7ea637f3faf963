import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MigrateError } from '../src/errors.ts';
import { type Journal, openJournal, peekJournal } from '../src/journal.ts';
import type { Outcome } from '../src/worker/contract.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const digest = new Uint8Array(32).fill(7);
const copied = (uid: number, targetUid: number | null): Outcome => ({
  kind: 'copied',
  uid,
  targetUid,
  bytes: 10,
  digest,
});
const inbox = {
  sourceRawName: 'INBOX',
  sourceUidValidity: 1,
  targetName: 'INBOX',
  targetUidValidity: 2,
  forget: false,
};

function reopened<T>(use: (journal: Journal) => T): T {
  const journal = openJournal(dir, 'a@x:993', 'b@y:993');
  try {
    return use(journal);
  } finally {
    journal.close();
  }
}

describe('the journal', () => {
  it('remembers verdicts over runs, ascending by UID, with target UIDs where they were told', () => {
    reopened((journal) => {
      const { id } = journal.openFolder(inbox);
      journal.record(id, [copied(9, 4), copied(3, null), { kind: 'gone', uid: 5 }]);
    });
    reopened((journal) => {
      const folder = journal.folder('INBOX', 'INBOX');
      expect(folder).toMatchObject({ sourceUidValidity: 1, targetUidValidity: 2, messages: 2, finishedAt: null });
      expect([...journal.knownUids(folder?.id ?? 0)]).toEqual([3, 5, 9]);
      const pairs = journal.copiedUids(folder?.id ?? 0);
      expect([[...pairs.source], [...pairs.target]]).toEqual([
        [3, 9],
        [0, 4],
      ]);
    });
  });

  it('gives a refused message no verdict, so that the next run tries it again', () => {
    reopened((journal) => {
      const { id } = journal.openFolder(inbox);
      journal.record(id, [{ kind: 'refused', uid: 1, bytes: 1, code: 'NO', text: 'no', subject: null }]);
      expect(journal.knownUids(id)).toHaveLength(0);
    });
  });

  it('tells at which STATUS a folder was finished, until it is opened again', () => {
    const status = { messages: 3, uidNext: 10, uidValidity: 1, highestModSeq: '9223372036854775807', size: null };
    reopened((journal) => journal.finishFolder(journal.openFolder(inbox).id, status));
    reopened((journal) => {
      expect(journal.folder('INBOX', 'INBOX')?.finishedAt).toEqual(status);
      expect(journal.openFolder(inbox).finishedAt).toBeNull();
    });
  });

  it('keeps two targets of one source folder apart', () => {
    reopened((journal) => {
      const first = journal.openFolder(inbox);
      const second = journal.openFolder({ ...inbox, targetName: 'Old/INBOX' });
      expect(second.id).not.toBe(first.id);
    });
  });

  it('forgets a folder whose copies are gone with the target folder', () => {
    reopened((journal) => {
      const { id } = journal.openFolder(inbox);
      journal.record(id, [copied(1, 1)]);
      expect(journal.openFolder({ ...inbox, targetUidValidity: 3, forget: true })).toMatchObject({ id, messages: 0 });
    });
  });

  it('is private to its owner', () => {
    const nested = join(dir, 'state', 'here');
    openJournal(nested, 'a', 'b').close();
    expect(statSync(nested).mode & 0o777).toBe(0o700);
  });

  it('is not made by looking', () => {
    expect(peekJournal(dir, 'a', 'b')).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is one file a pair, also where names only differ in characters that file names cannot hold', () => {
    openJournal(dir, 'a/b@x', 'c').close();
    openJournal(dir, 'a:b@x', 'c').close();
    expect(readdirSync(dir).filter((name) => name.endsWith('.db'))).toHaveLength(2);
  });

  it('refuses a directory it cannot use, and says what to do', () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    const open = () => openJournal(join(file, 'below'), 'a', 'b');
    expect(open).toThrow(MigrateError);
    expect(open).toThrow(/--state DIR/);
  });

  it('refuses a file that is no journal', () => {
    const elsewhere = join(dir, 'elsewhere');
    openJournal(elsewhere, 'a', 'b').close();
    const [name] = readdirSync(elsewhere);
    writeFileSync(join(dir, name ?? ''), 'this is no database, and long enough to be looked at as one '.repeat(100));
    expect(() => openJournal(dir, 'a', 'b')).toThrow(/not a database/);
  });
});
