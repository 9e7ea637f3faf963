import { closeSync, lstatSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createFile, makeDirectory } from '../archive/files.ts';
import type { TreePath } from '../archive/store.ts';
import { systemCode, TreeError } from '../archive/tree-error.ts';
import { Database, type Row } from '../journal/database.ts';
import { databaseProblem } from '../journal/database-problem.ts';
import type { MailDetails } from './mail-details.ts';

/** Raised when a table, or what is read out of messages, changes: the file is then made anew. */
const version = 1;
/** `imcA`, so that a file of another kind is not taken for a catalogue. */
const applicationId = 0x696d6341;
/** Others may be writing it. */
const busyMs = 10_000;

const schema = [
  'CREATE TABLE folders (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)',
  `CREATE TABLE messages (folder INTEGER NOT NULL, key TEXT NOT NULL, from_text TEXT NOT NULL, to_text TEXT NOT NULL,
    subject TEXT NOT NULL, date INTEGER, message_id TEXT NOT NULL, attachments TEXT, state TEXT NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (folder, key)) WITHOUT ROWID`,
] as const;

/** Details as they are kept. */
export interface KeptDetails extends MailDetails {
  /** Bytes of the message. */
  readonly size: number;
}

/**
 * Details of messages between runs: a cache, which may be deleted at any time. What goes wrong with it costs time only: a
 * damaged one is made anew, and where none can be written, nothing is kept.
 */
export class CatalogueFile implements Disposable {
  readonly #file: string;
  #db: Database | null = null;

  /** `file`: in a directory that is made where it is missing. */
  constructor(file: string) {
    this.#file = file;
    this.#db = this.#open() ?? this.#open();
  }

  /** What is kept of a folder's messages, by key. */
  load(path: TreePath): Map<string, KeptDetails> {
    const rows = this.#attempt((db) =>
      db
        .prepare(
          `SELECT key, from_text, to_text, subject, date, message_id, attachments, state, size
          FROM messages JOIN folders ON folders.id = messages.folder WHERE path = ?`,
        )
        .all(pathKey(path)),
    );
    const kept = new Map<string, KeptDetails>();
    for (const row of rows ?? []) {
      const details = detailsOf(row);
      if (details !== null) kept.set(String(row[0]), details);
    }
    return kept;
  }

  save(path: TreePath, messages: ReadonlyMap<string, KeptDetails>): void {
    this.#attempt((db) =>
      db.transaction(() => {
        const folder = folderId(db, path);
        const insert = db.prepare('INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
        for (const [key, { from, to, subject, dateMs, messageId, attachments, state, size }] of messages) {
          const date = Number.isNaN(dateMs) ? null : dateMs;
          const names = attachments.length === 0 ? null : JSON.stringify(attachments);
          insert.run(folder, key, from, to, subject, date, messageId, names, state, size);
        }
      }),
    );
  }

  /** Forgets messages of a folder. */
  remove(path: TreePath, keys: Iterable<string>): void {
    this.#attempt((db) =>
      db.transaction(() => {
        const folder = folderId(db, path);
        const remove = db.prepare('DELETE FROM messages WHERE folder = ? AND key = ?');
        for (const key of keys) remove.run(folder, key);
      }),
    );
  }

  /** Forgets all folders but these. */
  keepOnly(paths: readonly TreePath[]): void {
    const kept = new Set(paths.map(pathKey));
    this.#attempt((db) =>
      db.transaction(() => {
        const gone = db.prepare('SELECT id, path FROM folders').all();
        const removeMessages = db.prepare('DELETE FROM messages WHERE folder = ?');
        const removeFolder = db.prepare('DELETE FROM folders WHERE id = ?');
        for (const [id = null, path] of gone) {
          if (kept.has(String(path))) continue;
          removeMessages.run(id);
          removeFolder.run(id);
        }
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#db?.close();
    this.#db = null;
  }

  #attempt<Result>(work: (db: Database) => Result): Result | null {
    if (this.#db === null) return null;
    try {
      return work(this.#db);
    } catch (error) {
      if (this.#letGo(error)) this.#db = this.#open();
      return null;
    }
  }

  /** `null`: it cannot be used as it is; where it was damaged, it is gone now. */
  #open(): Database | null {
    try {
      makeDirectory(dirname(this.#file));
      const stat = lstatSync(this.#file, { throwIfNoEntry: false });
      if (stat === undefined) closeSync(createFile(this.#file));
      else if (!stat.isFile()) return null;
      const db = new Database(this.#file, { busyMs });
      this.#db = db;
      // Nothing here is worth waiting for the disk; and the file may come from somebody else.
      db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF');
      if (stat === undefined) createTables(db);
      if (isOurs(db)) return db;
      this.#discard();
    } catch (error) {
      this.#letGo(error);
    }
    return null;
  }

  /** True where the file was damaged, and is gone now; else it is there, and cannot be used. */
  #letGo(error: unknown): boolean {
    const problem = databaseProblem(error);
    if (problem === null && !(error instanceof TreeError) && systemCode(error) === null) throw error;
    if (problem === 'damaged' || problem === 'other') {
      this.#discard();
      return true;
    }
    this[Symbol.dispose]();
    return false;
  }

  #discard(): void {
    this[Symbol.dispose]();
    rmSync(this.#file, { force: true });
  }
}

function createTables(db: Database): void {
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; ${schema.join(';')}`);
}

/** True where the file holds our tables, and nothing else that SQLite would act upon. */
function isOurs(db: Database): boolean {
  if (db.pragma('application_id') !== applicationId || db.pragma('user_version') !== version) return false;
  const found = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all();
  return found.length === schema.length && found.every(([sql], index) => sql === schema[index]);
}

function folderId(db: Database, path: TreePath): number {
  const key = pathKey(path);
  db.prepare('INSERT OR IGNORE INTO folders (path) VALUES (?)').run(key);
  return Number(db.prepare('SELECT id FROM folders WHERE path = ?').get(key)?.[0]);
}

function pathKey(path: TreePath): string {
  return JSON.stringify(path);
}

/** `null`: it was not this program that wrote it. */
function detailsOf(row: Row): KeptDetails | null {
  const [, from, to, subject, date, messageId, names, state, size] = row;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof subject !== 'string') return null;
  if (typeof messageId !== 'string' || typeof size !== 'number') return null;
  if (state !== 'whole' && state !== 'cut' && state !== 'plain') return null;
  const dateMs = typeof date === 'number' ? date : Number.NaN;
  return { from, to, subject, dateMs, messageId, attachments: attachmentsOf(names), state, size };
}

function attachmentsOf(names: unknown): string[] {
  try {
    const list: unknown = typeof names === 'string' ? JSON.parse(names) : [];
    return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
