/**
 * Reads a journal and checks everything in it: nothing of a file is believed before it is proved.
 */

import { blockColumns, numbersOf } from './block.ts';
import { type Commit, chainOf, isIntact, Tally } from './checksum.ts';
import type { Signed } from './commit-writer.ts';
import type { Database, Row } from './database.ts';
import { DamageError } from './failure.ts';
import { FolderState, folderColumns } from './folder-state.ts';
import { batchColumns } from './intent-batches.ts';
import { MessageScan } from './message-scan.ts';
import { firstKeptCommit, schema } from './schema.ts';

/** How a version of a journal lays out what it holds. */
export interface Layout {
  /** One statement per object. */
  readonly schema: Readonly<Record<string, string>>;
  /** Columns of `folders` without `crc`. */
  readonly folderColumns: readonly string[];
  /** Columns of `message_blocks` without `crc`. */
  readonly blockColumns: string;
}

/** As journals are written. */
export const layout: Layout = { schema, folderColumns, blockColumns };

/** What a journal holds in few rows. */
export interface LoadedTables extends Signed {
  readonly source: string;
  readonly target: string;
  /** By id, ascending. */
  readonly folders: Map<number, FolderState>;
  /** The set of id n stands at n - 1. */
  readonly flagSets: string[];
}

/** What a journal holds, but for its messages and intents, which stay in the file. */
export interface Loaded extends LoadedTables {
  /** The highest id of an open batch of intents; 0: there is none. */
  readonly lastBatch: number;
  readonly scan: MessageScan;
}

/**
 * Checks pages, schema, rows, tallies and chain of the journal behind `db`, in the transaction that is open on it.
 * Linear in the size of the file.
 * @throws DamageError, or what SQLite throws
 */
export function loadJournal(db: Database, { schema, folderColumns, blockColumns }: Layout = layout): Loaded {
  checkPages(db);
  const tables = loadTables(db, { schema, folderColumns });
  const { folders } = tables;
  const lastBatch = loadIntents(db, folders);
  const scan = new MessageScan(db, blockColumns);
  let blocks = 0;
  for (const folder of folders.values()) {
    const found = scan.run(folder.id, folder.messages, null);
    folder.lastUid = found.lastUid;
    blocks += found.blocks;
  }
  if (db.prepare('SELECT count(*) FROM message_blocks').get()?.[0] !== blocks) {
    throw new DamageError('it holds messages of a folder that is not there');
  }
  return { ...tables, lastBatch, scan };
}

/** Reads and checks all but messages and intents, in time that does not depend on how many these are. @throws as `loadJournal` */
export function loadTables(
  db: Database,
  { schema, folderColumns }: Pick<Layout, 'schema' | 'folderColumns'> = layout,
): LoadedTables {
  checkSchema(db, schema);
  const rows = new Tally();
  const meta = readMeta(db, rows);
  const flagSets = readFlagSets(db, rows);
  const folders = readFolders(db, folderColumns, rows);
  const { lastCommit, lastChain } = readCommits(db);
  if (lastCommit.rows !== rows.count || lastCommit.sum !== rows.sum) {
    throw new DamageError(`its tables are not those of its last commit, ${lastCommit.id}`);
  }
  return { ...meta, folders, flagSets, lastCommit, lastChain, rows };
}

/** Finds what rows cannot show: free pages in use, entries out of order, pages that nobody owns. */
function checkPages(db: Database): void {
  const problem = db.pragma('quick_check(1)');
  if (problem !== 'ok') throw new DamageError(String(problem).split('\n').at(-1) ?? 'a page');
}

function checkSchema(db: Database, schema: Readonly<Record<string, string>>): void {
  const found = db.prepare('SELECT name, sql FROM sqlite_schema').all();
  const expected = Object.entries(schema);
  const isAsWritten = found.length === expected.length && found.every(([name, sql]) => schema[String(name)] === sql);
  if (!isAsWritten) throw new DamageError('its tables are not those of a journal');
}

function readRows(db: Database, table: string, columns: string): Row[] {
  return db.prepare(`SELECT ${columns} FROM ${table} ORDER BY 1, 2`).all();
}

function countIntact(table: string, row: Row, rows: Tally): void {
  if (!isIntact(row)) throw new DamageError(`a row of ${table} fails its checksum`);
  rows.add(Number(row.at(-1)));
}

function readMeta(db: Database, rows: Tally): Pick<Loaded, 'source' | 'target'> {
  const values = new Map<string, string>();
  for (const row of readRows(db, 'meta', 'key, value, crc')) {
    countIntact('meta', row, rows);
    values.set(String(row[0]), String(row[1]));
  }
  const source = values.get('source');
  const target = values.get('target');
  if (source === undefined || target === undefined) throw new DamageError('it does not say whose it is');
  return { source, target };
}

function readFlagSets(db: Database, rows: Tally): string[] {
  return readRows(db, 'flag_sets', 'id, flags, crc').map((row, index) => {
    countIntact('flag_sets', row, rows);
    if (row[0] !== index + 1) throw new DamageError('a row of flag_sets is missing');
    return String(row[1]);
  });
}

function readFolders(db: Database, folderColumns: readonly string[], rows: Tally): Map<number, FolderState> {
  const folders = new Map<number, FolderState>();
  for (const row of readRows(db, 'folders', `${folderColumns.join(', ')}, crc`)) {
    const folder = FolderState.fromRow(row);
    if (folder?.storedCrc == null) throw new DamageError('a row of folders fails its checksum');
    if (folder.id !== folders.size + 1) throw new DamageError('a row of folders is missing');
    rows.add(folder.storedCrc);
    folders.set(folder.id, folder);
  }
  return folders;
}

function readCommits(db: Database): Pick<Loaded, 'lastCommit' | 'lastChain'> {
  const rows = readRows(db, 'commits', 'id, at, kind, records, row_count, row_sum, chain');
  const last = rows.at(-1);
  if (last === undefined) throw new DamageError('its commits are missing');
  let id = firstKeptCommit(Number(last[0]));
  let previous = '';
  let lastCommit: Commit | null = null;
  for (const row of rows) {
    // A chain can only be wrong for a row that is not what it was: the types are those of `Commit`.
    const [rowId, at, kind, records, count, sum, chain] = row;
    lastCommit = { id: rowId, at, kind, records, rows: count, sum } as Commit;
    // What the oldest kept commit follows is gone.
    const isAnchor = id > 1 && previous === '';
    if (rowId !== id || typeof chain !== 'string' || (!isAnchor && chain !== chainOf(previous, lastCommit))) {
      throw new DamageError(`the chain of its commits is broken at ${id}`);
    }
    previous = chain;
    id++;
  }
  if (lastCommit === null) throw new DamageError('its commits are missing');
  return { lastCommit, lastChain: previous };
}

/** Checks the intents and tells their folders of them; answers the highest id. */
function loadIntents(db: Database, folders: ReadonlyMap<number, FolderState>): number {
  let lastBatch = 0;
  const found = new Map([...folders.keys()].map((id) => [id, new Tally()]));
  for (const row of readRows(db, 'intent_batches', `${batchColumns}, crc`)) {
    if (!isIntact(row)) throw new DamageError('a row of intent_batches fails its checksum');
    const folder = folders.get(Number(row[1]));
    if (folder === undefined) throw new DamageError('it holds intents of a folder that is not there');
    const uids = numbersOf(row[4]);
    const crc = Number(row.at(-1));
    lastBatch = Number(row[0]);
    folder.openBatches.set(lastBatch, { uids, crc });
    found.get(folder.id)?.add(crc, uids.length);
  }
  for (const { id, intents } of folders.values()) {
    if (!intents.equals(found.get(id) ?? new Tally())) {
      throw new DamageError(`the intents of folder ${id} are not the ${intents.count} it had`);
    }
  }
  return lastBatch;
}
