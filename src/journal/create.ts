/**
 * How a journal comes into being, and how it is put aside.
 */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { chainOf, rowCrc, Tally } from './checksum.ts';
import { Database } from './database.ts';
import { damagedJournal } from './failure.ts';
import { applicationId, schema, schemaVersion } from './schema.ts';
import { toStoredText } from './stored-text.ts';

/**
 * True where the journal's file is there; it may be damaged, but not in a way that would look new.
 * @throws MigrateError (exit 9) where the file is empty, or missing while its log tells that there was one
 */
export function hasJournal(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  // It is put in place complete, so an empty file was emptied by something else.
  if (size === 0) throw damagedJournal(file, 'it is empty');
  if (size !== undefined) return true;
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (log > 0) throw damagedJournal(file, 'only its log is there');
  return false;
}

/** Makes the journal of a pair, complete or not at all: it gets its name when it is on the disk. */
export function createJournal(file: string, source: string, target: string): void {
  const draft = `${file}.new`;
  // What an earlier process left when it was killed at this very place, and the empty log of a journal somebody deleted:
  // a log that does not belong to a file must not be there when the file comes.
  for (const name of [draft, `${draft}-journal`, `${draft}-wal`, `${draft}-shm`, `${file}-wal`, `${file}-shm`]) {
    rmSync(name, { force: true });
  }
  closeSync(openSync(draft, 'wx', 0o600));
  const db = new Database(draft, { busyMs: 0 });
  try {
    writeFirstCommit(db, source, target);
  } finally {
    db.close();
  }
  renameSync(draft, file);
  syncDirectory(dirname(file));
}

/** Gives the journal's files other names, the first free ones: `NAME.db.old-1`, … */
export function putAside(file: string): void {
  let number = 1;
  while (existsSync(`${file}.old-${number}`) || existsSync(`${file}.old-${number}-wal`)) number++;
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (existsSync(file)) renameSync(file, `${file}.old-${number}`);
  // The log goes last: a log alone is refused, a file alone would be taken for the journal it was some time ago.
  if (log > 0) renameSync(`${file}-wal`, `${file}.old-${number}-wal`);
  rmSync(`${file}-wal`, { force: true });
  rmSync(`${file}-shm`, { force: true });
  syncDirectory(dirname(file));
}

/** Only `exec`: a prepared statement would keep the connection alive behind `close`. */
function writeFirstCommit(db: Database, source: string, target: string): void {
  const at = new Date().toISOString();
  const tally = new Tally();
  const metaRows = Object.entries({ source, target, created: at }).map(([key, text]) => {
    const value = toStoredText(text);
    const crc = rowCrc([key, value]);
    tally.add(crc);
    return `(${quote(key)}, ${quote(value)}, ${crc})`;
  });
  const commit = { id: 1, at, kind: 'created', records: 0, rows: tally.count, sum: tally.sum } as const;
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
    BEGIN;
    ${Object.values(schema).join(';\n')};
    INSERT INTO meta (key, value, crc) VALUES ${metaRows.join(', ')};
    INSERT INTO commits (id, at, kind, records, row_count, row_sum, chain)
      VALUES (1, ${quote(at)}, 'created', 0, ${commit.rows}, ${commit.sum}, ${quote(chainOf('', commit))});
    COMMIT;
    PRAGMA journal_mode = WAL;
  `);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A new name is durable when its directory is. */
function syncDirectory(directory: string): void {
  // Windows cannot open a directory, and keeps its names without.
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
