/**
 * A checked journal, read. The writer reads through it too.
 */

import { verdictLetter } from './block.ts';
import type { Database, Statement } from './database.ts';
import { flagSetOf, narrowFlagSets } from './flag-sets.ts';
import type { FolderState } from './folder-state.ts';
import { batchColumns, intentsOf } from './intent-batches.ts';
import { type Loaded, loadJournal } from './load.ts';
import { type Intent, type Journal, type JournalMessages, verdictKinds } from './types.ts';

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
    this.loaded.scan.run(folderId, messages, ({ uids, targetUids, verdicts, flags }, from) => {
      columns.uids.set(uids, from);
      columns.targetUids.set(targetUids, from);
      columns.flags.set(flags, from);
      for (let at = 0; at < verdicts.length; at++)
        columns.verdicts[from + at] = verdictOfLetter.get(verdicts.charAt(at)) ?? 0;
    });
    return { ...columns, flagSets: narrowFlagSets(columns.flags, this.loaded.flagSets) };
  }

  intents(folderId: number): Intent[] {
    this.#folder(folderId);
    return this.#intents.all(folderId).flatMap((row) => intentsOf(row, (id) => flagSetOf(id, this.loaded.flagSets)));
  }

  #folder(folderId: number): FolderState {
    const folder = this.loaded.folders.get(folderId);
    if (folder === undefined) throw new RangeError(`the journal has no folder ${folderId}`);
    return folder;
  }
}

/** Indexes into `verdictKinds`. */
const verdictOfLetter = new Map(verdictKinds.map((kind, index) => [verdictLetter(kind), index]));
