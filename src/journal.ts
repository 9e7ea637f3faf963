import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { exitCodes, MigrateError } from './errors.ts';
import type { FolderStatus } from './plan/types.ts';
import type { Outcome } from './worker/contract.ts';

/** What the journal knows about one source folder. */
export interface JournalFolder {
  readonly id: number;
  readonly sourceUidValidity: number | null;
  readonly targetName: string;
  readonly targetUidValidity: number | null;
  /** STATUS of the source when the folder was last copied to its end; `null`: it never was, or something was refused. */
  readonly finishedAt: FolderStatus | null;
  /** Messages that were copied. */
  readonly messages: number;
  /** The target held less than it had said OK to, when last asked. */
  readonly isShort: boolean;
}

/** The one writer of a job's state. */
export interface Journal {
  /** The folder of that raw source name and that target, as an earlier run left it. */
  folder(sourceRawName: string, targetName: string): JournalFolder | null;
  /** Makes the folder known, or updates it; with `forget` its messages are to be copied again. */
  openFolder(folder: {
    readonly sourceRawName: string;
    readonly sourceUidValidity: number | null;
    readonly targetName: string;
    readonly targetUidValidity: number | null;
    readonly forget: boolean;
  }): JournalFolder;
  /** Source UIDs with a final verdict, ascending. */
  knownUids(folderId: number): Uint32Array;
  /** Source UID -> target UID of what was copied, ascending by source UID; 0 where the target told no UID. */
  copiedUids(folderId: number): { readonly source: Uint32Array; readonly target: Uint32Array };
  /** Records final verdicts; durable when it returns. Refused messages get none: the next run tries them again. */
  record(folderId: number, outcomes: readonly Outcome[]): void;
  /** Records whether the target holds less than it said OK to. */
  setShort(folderId: number, isShort: boolean): void;
  /** Records that everything up to `status` is done. */
  finishFolder(folderId: number, status: FolderStatus): void;
  close(): void;
}

const schemaVersion = 1;

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    source_name TEXT NOT NULL,            -- raw name as listed, one character per byte
    source_uidvalidity INTEGER,
    target_name TEXT NOT NULL,
    target_uidvalidity INTEGER,
    finished_messages INTEGER,            -- STATUS of the source when last copied to its end
    finished_uidnext INTEGER,
    finished_modseq TEXT,
    short INTEGER NOT NULL DEFAULT 0,     -- 1: the target held less than it had said OK to
    UNIQUE (source_name, target_name)
  );
  CREATE TABLE messages (
    folder INTEGER NOT NULL REFERENCES folders (id),
    uid INTEGER NOT NULL,                 -- at the source
    verdict TEXT NOT NULL,                -- copied | gone
    target_uid INTEGER,
    size INTEGER,
    digest BLOB,                          -- SHA-256 of the bytes the source served
    PRIMARY KEY (folder, uid)
  ) WITHOUT ROWID;
`;

/**
 * Opens the journal of a pair of accounts in `stateDir`, creating it on the first run.
 * @throws MigrateError (exit 10) when the directory cannot be written, (exit 9) when the file is not a journal of this pair.
 */
export function openJournal(stateDir: string, source: string, target: string): Journal {
  const file = journalFile(stateDir, source, target);
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return new SqliteJournal(file, source, target);
  } catch (error) {
    if (error instanceof MigrateError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (isDamage(error)) {
      const message = `the journal ${file} is damaged (${reason}): move it away and verify what was copied, or use another --state DIR`;
      throw new MigrateError('JOURNAL', exitCodes.journal, message, { cause: error });
    }
    const message = `cannot open the journal ${file}: ${reason}; choose another directory with --state DIR`;
    throw new MigrateError('STATE', exitCodes.disk, message, { cause: error });
  }
}

/** The journal an earlier run left; `null`: none. Creates nothing. */
export function peekJournal(stateDir: string, source: string, target: string): Journal | null {
  return existsSync(journalFile(stateDir, source, target)) ? openJournal(stateDir, source, target) : null;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const damageCodes: ReadonlySet<unknown> = new Set([11, 26]);

function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && damageCodes.has(Number(error.errcode) & 0xff);
}

function journalFile(stateDir: string, source: string, target: string): string {
  return join(stateDir, `${journalName(source, target)}.db`);
}

function journalName(source: string, target: string): string {
  const slug = `${source}--${target}`.replace(/[^A-Za-z0-9@.-]+/g, '_').slice(0, 100);
  return `${slug}-${createHash('sha256').update(`${source}\n${target}`).digest('hex').slice(0, 12)}`;
}

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

class SqliteJournal implements Journal {
  readonly #db: Database;
  readonly #statements: Record<
    'folder' | 'forget' | 'insertFolder' | 'updateFolder' | 'known' | 'copied' | 'message' | 'finish' | 'short',
    Statement
  >;

  constructor(file: string, source: string, target: string) {
    this.#db = new DatabaseSync(file);
    const db = this.#db;
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    try {
      this.#prepareSchema(file, source, target);
    } catch (error) {
      db.close();
      throw error;
    }
    this.#statements = {
      folder: db.prepare(
        `SELECT folders.*, (SELECT count(*) FROM messages WHERE folder = folders.id AND verdict = 'copied') AS messages FROM folders WHERE source_name = ? AND target_name = ?`,
      ),
      insertFolder: db.prepare(
        `INSERT INTO folders (source_name, source_uidvalidity, target_name, target_uidvalidity) VALUES (?, ?, ?, ?)`,
      ),
      updateFolder: db.prepare(
        `UPDATE folders SET source_uidvalidity = ?, target_uidvalidity = ?, finished_messages = NULL WHERE id = ?`,
      ),
      forget: db.prepare('DELETE FROM messages WHERE folder = ?'),
      known: db.prepare('SELECT uid FROM messages WHERE folder = ? ORDER BY uid'),
      copied: db.prepare(
        `SELECT uid, coalesce(target_uid, 0) AS target FROM messages WHERE folder = ? AND verdict = 'copied' ORDER BY uid`,
      ),
      message: db.prepare(
        'INSERT OR REPLACE INTO messages (folder, uid, verdict, target_uid, size, digest) VALUES (?, ?, ?, ?, ?, ?)',
      ),
      short: db.prepare('UPDATE folders SET short = ? WHERE id = ?'),
      finish: db.prepare(
        'UPDATE folders SET finished_messages = ?, finished_uidnext = ?, finished_modseq = ? WHERE id = ?',
      ),
    };
  }

  #prepareSchema(file: string, source: string, target: string): void {
    const db = this.#db;
    const { user_version: version } = this.#all<{ user_version: number }>('PRAGMA user_version')[0] ?? {
      user_version: 0,
    };
    if (version === 0) {
      db.exec('BEGIN IMMEDIATE');
      db.exec(schema);
      const insert = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      insert.run('source', source);
      insert.run('target', target);
      db.exec(`PRAGMA user_version = ${schemaVersion}; COMMIT`);
      return;
    }
    if (version > schemaVersion) {
      throw new MigrateError(
        'JOURNAL',
        exitCodes.journal,
        `the journal ${file} was written by a newer version (schema ${version}, this one knows ${schemaVersion}): use that version, or another --state DIR`,
      );
    }
    const rows = this.#all<{ key: string; value: string }>('SELECT key, value FROM meta');
    const owner = new Map(rows.map((row) => [row.key, row.value]));
    if (owner.get('source') !== source || owner.get('target') !== target) {
      throw new MigrateError(
        'JOURNAL',
        exitCodes.journal,
        `the journal ${file} belongs to ${owner.get('source')} -> ${owner.get('target')}: use another --state DIR`,
      );
    }
  }

  folder(sourceRawName: string, targetName: string): JournalFolder | null {
    const row = this.#statements.folder.get(sourceRawName, targetName) as FolderRow | undefined;
    if (row === undefined) return null;
    return {
      id: row.id,
      sourceUidValidity: row.source_uidvalidity,
      targetName: row.target_name,
      targetUidValidity: row.target_uidvalidity,
      finishedAt:
        row.finished_messages === null
          ? null
          : {
              messages: row.finished_messages,
              uidNext: row.finished_uidnext,
              uidValidity: row.source_uidvalidity,
              highestModSeq: row.finished_modseq,
              size: null,
            },
      messages: row.messages,
      isShort: row.short === 1,
    };
  }

  openFolder(folder: Parameters<Journal['openFolder']>[0]): JournalFolder {
    const { sourceRawName, sourceUidValidity, targetName, targetUidValidity, forget } = folder;
    this.#transaction(() => {
      const known = this.folder(sourceRawName, targetName);
      if (known === null) {
        this.#statements.insertFolder.run(sourceRawName, sourceUidValidity, targetName, targetUidValidity);
      } else {
        if (forget) this.#statements.forget.run(known.id);
        this.#statements.updateFolder.run(sourceUidValidity, targetUidValidity, known.id);
      }
    });
    const opened = this.folder(sourceRawName, targetName);
    if (opened === null) throw new Error(`the journal lost the folder ${sourceRawName} it was just given`);
    return opened;
  }

  knownUids(folderId: number): Uint32Array {
    const rows = this.#statements.known.all(folderId) as { uid: number }[];
    return Uint32Array.from(rows, (row) => row.uid);
  }

  copiedUids(folderId: number): { source: Uint32Array; target: Uint32Array } {
    const rows = this.#statements.copied.all(folderId) as { uid: number; target: number }[];
    return { source: Uint32Array.from(rows, (row) => row.uid), target: Uint32Array.from(rows, (row) => row.target) };
  }

  record(folderId: number, outcomes: readonly Outcome[]): void {
    this.#transaction(() => {
      for (const outcome of outcomes) {
        if (outcome.kind === 'copied') {
          const { uid, targetUid, bytes, digest } = outcome;
          this.#statements.message.run(folderId, uid, 'copied', targetUid, bytes, digest);
        } else if (outcome.kind === 'gone') {
          this.#statements.message.run(folderId, outcome.uid, 'gone', null, null, null);
        }
      }
    });
  }

  setShort(folderId: number, isShort: boolean): void {
    this.#transaction(() => this.#statements.short.run(isShort ? 1 : 0, folderId));
  }

  finishFolder(folderId: number, status: FolderStatus): void {
    this.#transaction(() =>
      this.#statements.finish.run(status.messages, status.uidNext, status.highestModSeq, folderId),
    );
  }

  close(): void {
    try {
      // The library cannot finalize statements, and with them open SQLite leaves its write-ahead log behind: at least an empty one.
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A full disk: the log stays, whole, and is read by the next run.
    }
    this.#db.close();
  }

  #all<Row>(sql: string): Row[] {
    return this.#db.prepare(sql).all() as Row[];
  }

  #transaction(work: () => unknown): void {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself.
      }
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot write the journal: ${reason}; nothing more is copied; make room, then run again`;
      throw new MigrateError('STATE', exitCodes.disk, message, { cause: error });
    }
  }
}

interface FolderRow {
  id: number;
  source_uidvalidity: number | null;
  target_name: string;
  target_uidvalidity: number | null;
  finished_messages: number | null;
  finished_uidnext: number | null;
  finished_modseq: string | null;
  short: number;
  messages: number;
}
