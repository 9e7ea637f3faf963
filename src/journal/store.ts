/**
 * The journal's file, written: entries become rows, and every commit signs for all of them. Synchronous; one owner.
 */

import { type Block, verdictLetter } from './block.ts';
import { CommitWriter } from './commit-writer.ts';
import type { Database, Statement } from './database.ts';
import { type Entry, rowsOf } from './entry.ts';
import { toWriteError } from './failure.ts';
import { FlagSets } from './flag-sets.ts';
import { FolderState } from './folder-state.ts';
import { IntentBatches } from './intent-batches.ts';
import { MessageBlocks } from './message-blocks.ts';
import { JournalReader } from './reader.ts';
import { toStoredText } from './stored-text.ts';
import type { JournalFolder, JournalRecord, OpenedFolder } from './types.ts';

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
  readonly #checkpoint: Statement;
  readonly #messages: MessageBlocks;
  readonly #intents: IntentBatches;
  readonly #flagSets: FlagSets;
  readonly #commits: CommitWriter;
  readonly #idOfFolder = new Map<string, number>();
  readonly #dirty = new Set<FolderState>();
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
    const { loaded, state } = this.reader;
    this.#checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    this.#messages = new MessageBlocks(db);
    this.#intents = new IntentBatches(db, loaded.lastBatch);
    this.#flagSets = new FlagSets(db, loaded.flagSets, loaded.rows);
    this.#commits = new CommitWriter(db, loaded);
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
    const [busy, pages, folded] = this.#checkpoint.get() ?? [];
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
    this.#commits.sign(this.#dirty, { kind, records });
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
      case 'intents': {
        const { fence, targetUidValidity, messages } = entry;
        const flags = this.#flagSets.idsOf(messages.flags, messages.flagSets);
        this.#intents.put(folder, { ...messages, flags, fence, targetUidValidity });
        break;
      }
      case 'verdicts':
        this.#intents.close(folder, entry.messages.uids);
        this.#messages.put(folder, this.#toBlock(entry));
        folder.raiseFence(entry.fence);
        break;
      case 'dropped':
        this.#intents.close(folder, entry.uids);
        break;
      case 'removed':
        this.#messages.remove(folder, entry.uids);
        break;
      case 'flags': {
        const { uids, flags, flagSets } = entry.messages;
        this.#messages.setFlags(folder, uids, this.#flagSets.idsOf(flags, flagSets));
        folder.flagsModSeq = entry.modSeq ?? folder.flagsModSeq;
        break;
      }
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

  #toBlock({ verdict, messages }: Extract<JournalRecord, { kind: 'verdicts' }>): Block {
    const { uids, flags, flagSets } = messages;
    const verdicts = verdictLetter(verdict).repeat(uids.length);
    return { ...messages, verdicts, flags: this.#flagSets.idsOf(flags, flagSets) };
  }

  #forget(folder: FolderState): void {
    this.#messages.drop(folder);
    this.#intents.drop(folder);
    folder.forget();
  }
}

function nameKey({ sourceRawName, targetName }: Pick<OpenedFolder, 'sourceRawName' | 'targetName'>): string {
  return `${sourceRawName}\0${targetName}`;
}
