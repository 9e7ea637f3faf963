/**
 * A checked journal, read. The writer reads through it too.
 */

import type { Database, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import type { FolderState } from './folder-state.ts';
import { batchColumns, intentsOf } from './intent-batches.ts';
import { type Loaded, loadJournal } from './load.ts';
import type { Intent, Journal, JournalMessages } from './types.ts';

export class JournalReader {
  readonly loaded: Loaded;
  readonly state: Journal['state'];
  readonly #intents: Statement;

  /** Reads and checks the journal behind `db`. @throws DamageError, or what SQLite throws */
  constructor(db: Database) {
    this.loaded = loadJournal(db);
    const { lastCommit, folders } = this.loaded;
    this.#intents = db.prepare(`SELECT ${batchColumns} FROM intent_batches WHERE folder = ? ORDER BY id`);
    // A run that ended in the middle may have lost its last commits: SQLite cuts a torn log without a word.
    if (lastCommit.kind === 'write') for (const folder of folders.values()) folder.inDoubt = true;
    const inDoubt = [...folders.values()].some((folder) => folder.inDoubt);
    this.state = lastCommit.kind === 'created' ? 'new' : inDoubt || lastCommit.kind === 'write' ? 'crash' : 'clean';
  }

  /** @throws DamageError where the rows are no longer what they were */
  messages(folderId: number): JournalMessages {
    const { messages } = this.#folder(folderId);
    const columns = {
      uids: new Uint32Array(messages.count),
      targetUids: new Uint32Array(messages.count),
      verdicts: new Uint8Array(messages.count),
      flags: new Uint32Array(messages.count),
    };
    this.loaded.scan.run(folderId, messages, columns);
    return { ...columns, flagSets: this.#narrowFlagSets(columns.flags) };
  }

  intents(folderId: number): Intent[] {
    this.#folder(folderId);
    return this.#intents.all(folderId).flatMap((row) => intentsOf(row, (id) => this.#flagSet(id)));
  }

  #folder(folderId: number): FolderState {
    const folder = this.loaded.folders.get(folderId);
    if (folder === undefined) throw new RangeError(`the journal has no folder ${folderId}`);
    return folder;
  }

  #flagSet(id: number): string {
    const flags = this.loaded.flagSets[id - 1];
    if (flags === undefined) throw new DamageError(`flag set ${id} is missing`);
    return flags;
  }

  /** Replaces ids by indexes into a list of the sets that occur: one folder's sets are few, the journal's may be many. */
  #narrowFlagSets(flags: Uint32Array): string[] {
    const sets: string[] = [];
    const indexOf = new Map<number, number>();
    for (const [row, id] of flags.entries()) {
      let index = indexOf.get(id);
      if (index === undefined) {
        index = sets.push(this.#flagSet(id)) - 1;
        indexOf.set(id, index);
      }
      flags[row] = index;
    }
    return sets;
  }
}
