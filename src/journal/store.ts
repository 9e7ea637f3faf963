/**
 * The journal's file, written: entries become rows, and every commit signs for all of them. Synchronous; one owner.
 */

import { chainOf, rowCrc } from './checksum.ts';
import type { Database, Statement, Value } from './database.ts';
import { toWriteError } from './failure.ts';
import { FolderState, folderColumns } from './folder-state.ts';
import { type Entry, rowsOf } from './packet.ts';
import { JournalReader } from './reader.ts';
import { firstKeptCommit, keptCommits } from './schema.ts';
import { toStoredText } from './stored-text.ts';
import type { Intent, JournalFolder, OpenedFolder, Verdict } from './types.ts';

/** What a commit came to. */
export interface CommitResult {
  /** Folders that are other than before. */
  readonly folders: readonly JournalFolder[];
  /** Ids of the folders that were to be opened, in the order of the entries. */
  readonly opened: readonly number[];
  readonly records: number;
  /** Until it was on the disk. */
  readonly ms: number;
}

/** Longest wait for readers when the log is folded into the file at the end; it is done at the next start otherwise. */
const closingWaitMs = 200;

export class Store {
  readonly reader: JournalReader;
  readonly #db: Database;
  readonly #file: string;
  readonly #statements: Statements;
  readonly #flagSetIds = new Map<string, number>();
  readonly #idOfFolder = new Map<string, number>();
  readonly #dirty = new Set<FolderState>();
  #lastId: number;
  #lastChain: string;
  #isWritten = false;
  /** The file itself, not only its log, says that a run is under way. */
  #isMarked = false;
  #failure: unknown = null;

  /** Checks what is in the file. @throws DamageError, or what SQLite throws */
  constructor(db: Database, file: string) {
    this.#db = db;
    this.#file = file;
    db.exec('BEGIN');
    this.reader = new JournalReader(db);
    db.exec('COMMIT');
    this.#statements = prepareStatements(db);
    const { loaded, state } = this.reader;
    this.#lastId = loaded.lastCommit.id;
    this.#lastChain = loaded.lastChain;
    for (const [index, flags] of loaded.flagSets.entries()) this.#flagSetIds.set(flags, index + 1);
    for (const folder of loaded.folders.values()) {
      this.#idOfFolder.set(nameKey(folder), folder.id);
      // Doubt that a crash left is written down with the first commit; without one, the crash still shows.
      if (state === 'crash') this.#dirty.add(folder);
    }
  }

  /**
   * Writes the entries in one transaction, durable when it returns.
   * @throws MigrateError (exit 10, 9) for this commit and every later one
   */
  commit(entries: readonly Entry[]): CommitResult {
    const start = performance.now();
    const { opened, records } = this.#guard(() => {
      const written = this.#db.transaction(() => this.#write(entries, 'write'));
      this.#isWritten = true;
      if (!this.#isMarked) this.#mark();
      return written;
    });
    const folders = [...this.#dirty].map((folder) => folder.snapshot());
    this.#dirty.clear();
    return { folders, opened, records, ms: performance.now() - start };
  }

  /**
   * Says that the run ended in an orderly way, if it wrote anything, and closes the file, whatever happens.
   * @throws MigrateError (exit 10) when that cannot be said; not for a failure that `commit` has reported
   */
  close(): void {
    try {
      if (this.#failure !== null) return;
      if (this.#isWritten) this.#guard(() => this.#db.transaction(() => this.#write([], 'closed')));
      this.#foldLog();
    } finally {
      this.#db.close();
    }
  }

  #guard<Result>(work: () => Result): Result {
    if (this.#failure !== null) throw this.#failure;
    try {
      return work();
    } catch (error) {
      this.#failure = toWriteError(error, this.#file);
      throw this.#failure;
    }
  }

  /**
   * Folds the first commit of a run into the file: should its log be torn or lost, the file alone must not look like one
   * that was closed in an orderly way. A reader in the way is waited for by trying again with the next commit.
   */
  #mark(): void {
    const [busy, pages, folded] = this.#statements.checkpoint.get() ?? [];
    this.#isMarked = busy === 0 && pages === folded;
  }

  /** Not needed for anything but tidiness: what is in the log is durable. Hence failures (a full disk) do not matter. */
  #foldLog(): void {
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${closingWaitMs}; PRAGMA wal_checkpoint(TRUNCATE)`);
    } catch {
      // The next start reads the log.
    }
  }

  #write(entries: readonly Entry[], kind: 'write' | 'closed'): { opened: number[]; records: number } {
    const opened: number[] = [];
    let records = 0;
    for (const entry of entries) {
      records += Math.max(1, rowsOf(entry));
      if (entry.kind === 'open') opened.push(this.#open(entry.folder));
      else this.#apply(entry, this.#touch(entry.folderId));
    }
    const { rows } = this.reader.loaded;
    for (const folder of this.#dirty) {
      const crc = folder.crc();
      if (folder.storedCrc !== null) rows.remove(folder.storedCrc);
      rows.add(crc);
      folder.storedCrc = crc;
      this.#statements.putFolder.run(...folder.toColumns(), crc);
    }
    const commit = {
      id: this.#lastId + 1,
      at: new Date().toISOString(),
      kind,
      records,
      rows: rows.count,
      sum: rows.sum,
    };
    const chain = chainOf(this.#lastChain, commit);
    this.#statements.putCommit.run(commit.id, commit.at, kind, records, commit.rows, commit.sum, chain);
    if (commit.id % keptCommits === 0) this.#statements.dropCommits.run(firstKeptCommit(commit.id));
    this.#lastId = commit.id;
    this.#lastChain = chain;
    return { opened, records };
  }

  #touch(folderId: number): FolderState {
    const folder = this.reader.loaded.folders.get(folderId);
    if (folder === undefined) throw new RangeError(`the journal has no folder ${folderId}`);
    this.#dirty.add(folder);
    return folder;
  }

  #open(opened: OpenedFolder): number {
    const sourceRawName = toStoredText(opened.sourceRawName);
    const targetName = toStoredText(opened.targetName);
    const key = nameKey({ sourceRawName, targetName });
    const { folders } = this.reader.loaded;
    let id = this.#idOfFolder.get(key);
    if (id === undefined) {
      id = folders.size + 1;
      folders.set(id, new FolderState(id, sourceRawName, targetName));
      this.#idOfFolder.set(key, id);
    }
    this.#reopen(this.#touch(id), opened);
    return id;
  }

  #reopen(folder: FolderState, opened: Omit<OpenedFolder, 'sourceRawName' | 'targetName'>): void {
    if (folder.isAnother(opened)) this.#forget(folder);
    folder.open(opened);
  }

  #apply(entry: Exclude<Entry, { kind: 'open' }>, folder: FolderState): void {
    switch (entry.kind) {
      case 'folder':
        this.#reopen(folder, entry);
        break;
      case 'forget':
        this.#forget(folder);
        break;
      case 'intents':
        for (const intent of entry.intents) this.#putIntent(folder, intent);
        break;
      case 'verdicts':
        for (const verdict of entry.verdicts) this.#putVerdict(folder, verdict);
        folder.raiseFence(entry.fence);
        break;
      case 'dropped':
        for (const uid of entry.uids) this.#takeIntent(folder, uid);
        break;
      case 'flags':
        for (const { uid, flags } of entry.flags) this.#putFlags(folder, uid, flags);
        folder.flagsModSeq = entry.modSeq ?? folder.flagsModSeq;
        break;
      case 'settled':
        folder.settle(entry.fence);
        break;
      case 'finished':
        folder.finish(entry.status);
        break;
      default:
        entry satisfies never;
    }
  }

  #forget(folder: FolderState): void {
    this.#statements.dropMessages.run(folder.id);
    this.#statements.dropIntents.run(folder.id);
    folder.forget();
  }

  #putIntent(folder: FolderState, intent: Intent): void {
    this.#takeIntent(folder, intent.uid);
    const { uid, batch, fence, targetUidValidity, size, digest, internalDate, flags } = intent;
    const date = internalDate === null ? null : toStoredText(internalDate);
    const row = [folder.id, uid, batch, fence, targetUidValidity, size, digest, date, this.#flagSetId(flags)];
    const crc = rowCrc(row);
    this.#statements.putIntent.run(...row, crc);
    folder.intents.add(crc);
  }

  #takeIntent(folder: FolderState, uid: number): void {
    if (folder.intents.count === 0) return;
    const crc = this.#statements.takeIntent.get(folder.id, uid)?.[0];
    if (crc !== undefined) folder.intents.remove(Number(crc));
  }

  #putVerdict(folder: FolderState, { uid, kind, targetUid, size, digest, flags }: Verdict): void {
    this.#takeIntent(folder, uid);
    const old = folder.messages.count === 0 ? undefined : this.#statements.messageCrc.get(folder.id, uid)?.[0];
    if (old !== undefined) folder.messages.remove(Number(old));
    this.#putMessage(folder, [folder.id, uid, kind, targetUid, size, digest, this.#flagSetId(flags)]);
  }

  #putFlags(folder: FolderState, uid: number, flags: string): void {
    const found = this.#statements.message.get(folder.id, uid);
    if (found === undefined) return;
    const [verdict, targetUid, size, digest, crc] = found as [Value, Value, Value, Value, number];
    folder.messages.remove(crc);
    this.#putMessage(folder, [folder.id, uid, verdict, targetUid, size, digest, this.#flagSetId(flags)]);
  }

  #putMessage(folder: FolderState, row: readonly Value[]): void {
    const crc = rowCrc(row);
    this.#statements.putMessage.run(...row, crc);
    folder.messages.add(crc);
  }

  #flagSetId(text: string): number {
    const flags = toStoredText(text);
    const known = this.#flagSetIds.get(flags);
    if (known !== undefined) return known;
    const { flagSets, rows } = this.reader.loaded;
    const id = flagSets.push(flags);
    const crc = rowCrc([id, flags]);
    this.#statements.putFlagSet.run(id, flags, crc);
    rows.add(crc);
    this.#flagSetIds.set(flags, id);
    return id;
  }
}

function nameKey({ sourceRawName, targetName }: Pick<OpenedFolder, 'sourceRawName' | 'targetName'>): string {
  return `${sourceRawName}\0${targetName}`;
}

type Statements = Readonly<Record<keyof typeof statementTexts, Statement>>;

const statementTexts = {
  putFolder: `INSERT OR REPLACE INTO folders (${folderColumns.join(', ')}, crc)
    VALUES (${folderColumns.map(() => '?').join(', ')}, ?)`,
  putFlagSet: 'INSERT INTO flag_sets (id, flags, crc) VALUES (?, ?, ?)',
  putMessage: `INSERT OR REPLACE INTO messages (folder, uid, verdict, target_uid, size, digest, flags, crc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  message: 'SELECT verdict, target_uid, size, digest, crc FROM messages WHERE folder = ? AND uid = ?',
  messageCrc: 'SELECT crc FROM messages WHERE folder = ? AND uid = ?',
  dropMessages: 'DELETE FROM messages WHERE folder = ?',
  putIntent: `INSERT INTO intents
    (folder, uid, batch, fence, target_uidvalidity, size, digest, internal_date, flags, crc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  takeIntent: 'DELETE FROM intents WHERE folder = ? AND uid = ? RETURNING crc',
  dropIntents: 'DELETE FROM intents WHERE folder = ?',
  putCommit: `INSERT INTO commits (id, at, kind, records, row_count, row_sum, chain) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  dropCommits: 'DELETE FROM commits WHERE id < ?',
  checkpoint: 'PRAGMA wal_checkpoint(PASSIVE)',
} as const;

function prepareStatements(db: Database): Statements {
  const entries = Object.entries(statementTexts).map(([name, sql]) => [name, db.prepare(sql)] as const);
  return Object.fromEntries(entries) as unknown as Statements;
}
