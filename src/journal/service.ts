/**
 * The journal behind a message channel: what the writer's thread does, call by call. Synchronous, so calls never overlap.
 */

import { createJournal, hasJournal, putAside } from './create.ts';
import { Database } from './database.ts';
import type { Entry } from './entry.ts';
import { foreignJournal, foreignTree, toReadError } from './failure.ts';
import { checkKind } from './kind.ts';
import { type LockHolder, lockHolder, TargetLock } from './lock.ts';
import { targetIn } from './names.ts';
import { JournalReader } from './reader.ts';
import { schemaVersion } from './schema.ts';
import { type CommitResult, Store } from './store.ts';
import { toStoredText } from './stored-text.ts';
import type { Intent, Journal, JournalFolder, JournalMessages, JournalPlace } from './types.ts';
import { upgradeJournal } from './upgrade.ts';

/** Which journal, and what for. */
export type OpenSettings =
  | {
      readonly mode: 'write';
      readonly place: JournalPlace;
      readonly file: string;
      readonly source: string;
      readonly target: string;
      readonly rebuild: boolean;
    }
  /** Without a lock; the file must be there. `owner: null`: whoever's it is. */
  | { readonly mode: 'read'; readonly place: JournalPlace; readonly file: string; readonly owner: Owner | null };

interface Owner {
  readonly source: string;
  readonly target: string;
}

/** What an opened journal tells of itself. */
export interface OpenedJournal {
  readonly state: Journal['state'];
  readonly source: string;
  readonly target: string;
  readonly folders: readonly JournalFolder[];
  /** When its last commit was, UTC, ISO 8601. */
  readonly lastCommitAt: string;
  /** Whoever else is copying to this target now; `unknown`: somebody who has not said so yet. */
  readonly otherRun: LockHolder | 'unknown' | null;
}

/** Every call: what is asked and what is answered. Plain data. */
export interface Calls {
  open: { readonly request: OpenSettings; readonly reply: OpenedJournal };
  commit: { readonly request: readonly Entry[]; readonly reply: CommitResult };
  messages: { readonly request: number; readonly reply: JournalMessages };
  intents: { readonly request: number; readonly reply: readonly Intent[] };
  close: { readonly request: null; readonly reply: null };
}

export type CallName = keyof Calls;

/** How long a statement waits for a shell that has the journal open. */
const busyMs = 5_000;

export class JournalService {
  #file = '';
  #reader: JournalReader | null = null;
  #store: Store | null = null;
  /** What `close` has to end, besides the store. */
  #readDb: Database | null = null;
  #lock: TargetLock | null = null;

  /** The methods by name. @throws MigrateError as the journal's interface says */
  readonly handlers: { [Name in CallName]: (request: Calls[Name]['request']) => Calls[Name]['reply'] } = {
    open: (settings) => this.#reading(settings.file, () => this.#open(settings)),
    commit: (entries) => this.#opened(this.#store).commit(entries),
    messages: (folderId) => this.#reading(this.#file, () => this.#opened(this.#reader).messages(folderId)),
    intents: (folderId) => this.#reading(this.#file, () => this.#opened(this.#reader).intents(folderId)),
    close: () => {
      this.#close();
      return null;
    },
  };

  #opened<Part>(part: Part | null): Part {
    if (part === null) throw new Error('the journal is not open for that');
    return part;
  }

  #reading<Result>(file: string, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw toReadError(error, file);
    }
  }

  #open(settings: OpenSettings): OpenedJournal {
    this.#file = settings.file;
    try {
      return settings.mode === 'write' ? this.#openToWrite(settings) : this.#openToRead(settings);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #openToWrite({ place, file, source, target, rebuild }: Extract<OpenSettings, { mode: 'write' }>): OpenedJournal {
    this.#lock = TargetLock.take(place, source, target);
    if (rebuild) putAside(file);
    if (!hasJournal(file)) createJournal(file, source, targetIn(place, target));
    const db = new Database(file, { busyMs });
    try {
      db.exec('PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON');
      if (checkKind(db, file) < schemaVersion) db.transaction(() => upgradeJournal(db, db));
      this.#store = new Store(db, file);
    } catch (error) {
      db.close();
      throw error;
    }
    this.#reader = this.#store.reader;
    return this.#tell(this.#reader, place, { source, target });
  }

  #openToRead({ place, file, owner }: Extract<OpenSettings, { mode: 'read' }>): OpenedJournal {
    hasJournal(file);
    this.#readDb = new Database(file, { busyMs, readOnly: true });
    this.#readDb.exec('PRAGMA cell_size_check = ON');
    const version = checkKind(this.#readDb, file);
    // Open until the end: everything read belongs together, whatever a run writes meanwhile.
    this.#readDb.exec('BEGIN');
    if (version < schemaVersion) this.#readDb = upgradedCopy(this.#readDb);
    this.#reader = new JournalReader(this.#readDb);
    return this.#tell(this.#reader, place, owner);
  }

  #tell(reader: JournalReader, place: JournalPlace, owner: Owner | null): OpenedJournal {
    const { source, target, folders, lastCommit } = reader.loaded;
    if (owner !== null) this.#checkOwner(reader, place, owner);
    return {
      state: reader.state,
      source,
      target,
      folders: [...folders.values()].map((folder) => folder.snapshot()),
      lastCommitAt: lastCommit.at,
      otherRun: this.#lock === null ? lockHolder(place, target) : null,
    };
  }

  /** @throws MigrateError (exit 2, 9) where the journal is not the one that is asked for */
  #checkOwner({ loaded: { source, target } }: JournalReader, place: JournalPlace, owner: Owner): void {
    const isTheirs = source === toStoredText(owner.source);
    if (isTheirs && target === targetIn(place, owner.target)) return;
    if (place.kind === 'tree' && !isTheirs) throw foreignTree(place.directory, source, owner.source);
    throw foreignJournal(
      `the journal ${this.#file} belongs to ${source} -> ${target}, not to ${owner.source} -> ${owner.target}: use another --state DIR, or --rebuild to put it aside`,
    );
  }

  #close(): void {
    const { store, readDb, lock } = { store: this.#store, readDb: this.#readDb, lock: this.#lock };
    this.#store = null;
    this.#reader = null;
    this.#readDb = null;
    this.#lock = null;
    try {
      store?.close();
    } finally {
      readDb?.close();
      lock?.release();
    }
  }
}

/** A journal of an earlier schema as one of today's, in memory: the file is only to be read. Closes `old`. */
function upgradedCopy(old: Database): Database {
  const copy = new Database(':memory:', { busyMs });
  try {
    copy.transaction(() => upgradeJournal(old, copy));
  } catch (error) {
    copy.close();
    throw error;
  }
  old.close();
  return copy;
}
