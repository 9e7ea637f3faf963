/**
 * The journal of a tree, read for what the tree's files cannot tell of their messages. Synchronous, and on any thread:
 * another one may be writing it.
 */

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitCodes, MigrateError } from '../errors.ts';
import { digestBytes, pickDigests, pickNumbers } from '../plan/message-facts.ts';
import type { SpecialUse } from '../plan/types.ts';
import { type Block, isGone } from './block.ts';
import { Database, type Statement } from './database.ts';
import { DamageError, damagedJournal, toReadError } from './failure.ts';
import { narrowFlagSets } from './flag-sets.ts';
import type { FolderState } from './folder-state.ts';
import { checkKind } from './kind.ts';
import { type LoadedTables, loadTables } from './load.ts';
import { maxMessages } from './message-blocks.ts';
import { MessageScan } from './message-scan.ts';
import { blockId, schemaVersion } from './schema.ts';

export { manifestFile } from './names.ts';

/** A folder of the tree. Where several source folders went to it, it is described as the one that came last. */
export interface ManifestFolder {
  readonly targetName: string;
  /** As listed, one character per byte (latin1). */
  readonly sourceRawName: string;
  /** `null`: a flat name, or not known. */
  readonly sourceDelimiter: string | null;
  readonly specialUse: SpecialUse | null;
  /** `null`: not known. */
  readonly subscribed: boolean | null;
  /** The highest there is: UIDs of another one are void, and are not told. */
  readonly targetUidValidity: number | null;
  /** Every message that this program stored has a lower target UID; `null`: not known. */
  readonly uidNext: number | null;
  /** Known messages, with those that are gone or have no target UID. */
  readonly messages: number;
}

/** Messages of a folder of the tree, in columns, strictly ascending by target UID. */
export interface ManifestMessages {
  readonly targetUids: Uint32Array;
  readonly sourceUids: Uint32Array;
  /** Bytes; NaN: not known. */
  readonly sizes: Float64Array;
  /** SHA-256, 32 bytes a message; zeros: not known. */
  readonly digests: Uint8Array;
  /** Indexes into `flagSets`. */
  readonly flags: Uint32Array;
  /** Flags joined by blanks, as the source wrote them. */
  readonly flagSets: readonly string[];
  /** As the source wrote them; `null`: not known. */
  readonly internalDates: readonly (string | null)[];
  /** 1: expunged at the source. */
  readonly gone: Uint8Array;
}

/** An open manifest. What it answers is what the last commit before the question left. */
export interface Manifest {
  /** Label of the account, or the tree, whose backup it is. */
  readonly source: string;
  /** In the order in which they came. @throws MigrateError (exit 9, 10) */
  folders(): readonly ManifestFolder[];
  /** None where there is no such folder. Of messages that have one target UID a living one is told. @throws as `folders` */
  messages(targetName: string): ManifestMessages;
  close(): void;
}

/** How long a statement waits for whoever folds the log away. */
const busyMs = 5_000;

/**
 * Opens the manifest `file`, which must be there, for reading.
 * @throws MigrateError (exit 9) where it is damaged or no manifest, (exit 10) where it cannot be read
 */
export function openManifest(file: string): Manifest {
  try {
    return new OpenManifest(file, { immutable: false });
  } catch (error) {
    const isRefused = error instanceof MigrateError && error.exitCode === exitCodes.disk;
    if (!isRefused || !isAtRest(file)) throw error;
    return new OpenManifest(file, { immutable: true });
  }
}

/** True where nobody can be writing: the readers of a log need a file that they share, and there it cannot be made. */
function isAtRest(file: string): boolean {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (log > 0 || !existsSync(file)) return false;
  try {
    accessSync(dirname(file), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

class OpenManifest implements Manifest {
  readonly source: string;
  readonly #file: string;
  readonly #db: Database;
  readonly #statements: { readonly version: Statement; readonly blocks: Statement; readonly scan: MessageScan };
  /** As it was found; as long as `version` stays, nobody has written. */
  #known: { readonly tables: LoadedTables; readonly version: unknown } | null = null;

  constructor(file: string, options: { readonly immutable: boolean }) {
    this.#file = file;
    this.#db = this.#reading(() => new Database(file, { busyMs, readOnly: true, ...options }));
    try {
      this.#statements = this.#reading(() => this.#prepare(options));
      this.source = this.#look(({ source }) => source);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #prepare({ immutable }: { readonly immutable: boolean }) {
    const db = this.#db;
    db.exec('PRAGMA cell_size_check = ON');
    const schema = checkKind(db, this.#file, { logged: !immutable });
    if (schema !== schemaVersion) throw damagedJournal(this.#file, `no tree has one of schema ${schema}`);
    return {
      version: db.prepare('PRAGMA data_version'),
      blocks: db.prepare('SELECT count(*) FROM message_blocks WHERE id >= ? AND id < ?'),
      scan: new MessageScan(db),
    };
  }

  folders(): readonly ManifestFolder[] {
    return this.#look(({ folders }) => [...byTarget(folders.values()).values()].map(toManifestFolder));
  }

  messages(targetName: string): ManifestMessages {
    return this.#look((tables) => {
      const folders = current(byTarget(tables.folders.values()).get(targetName) ?? []);
      for (const folder of folders) this.#checkCount(folder);
      const columns = new MessageColumns(folders.reduce((sum, { messages }) => sum + messages.count, 0));
      for (const { id, messages } of folders) this.#statements.scan.run(id, messages, (block) => columns.add(block));
      return columns.byTargetUid(tables.flagSets);
    });
  }

  close(): void {
    this.#db.close();
  }

  /** @throws DamageError where a folder says it has more messages than there can be: they are not made room for. */
  #checkCount({ id, messages }: FolderState): void {
    const [blocks] = this.#statements.blocks.get(blockId(id, 0), blockId(id + 1, 0)) ?? [];
    if (messages.count > Number(blocks) * maxMessages) throw new DamageError(`messages of folder ${id} are missing`);
  }

  /** Answers with what one commit left. */
  #look<Result>(ask: (tables: LoadedTables) => Result): Result {
    return this.#reading(() => {
      this.#db.exec('BEGIN');
      try {
        const version = this.#statements.version.get()?.[0];
        if (this.#known === null || this.#known.version !== version) {
          this.#known = { tables: loadTables(this.#db), version };
        }
        return ask(this.#known.tables);
      } finally {
        this.#db.rollback();
      }
    });
  }

  #reading<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw toReadError(error, this.#file);
    }
  }
}

function byTarget(folders: Iterable<FolderState>): Map<string, FolderState[]> {
  const groups = new Map<string, FolderState[]>();
  for (const folder of folders) {
    const group = groups.get(folder.targetName);
    if (group === undefined) groups.set(folder.targetName, [folder]);
    else group.push(folder);
  }
  return groups;
}

/** Those of a target's folders whose target UIDs mean something. */
function current(folders: readonly FolderState[]): FolderState[] {
  const newest = uidValidityOf(folders);
  return folders.filter(({ targetUidValidity }) => targetUidValidity === newest);
}

/** RFC 3501 2.3.1.1: a new one is higher than those before. */
function uidValidityOf(folders: readonly FolderState[]): number | null {
  return folders.reduce<number | null>((highest, { targetUidValidity }) => {
    return targetUidValidity === null ? highest : Math.max(highest ?? 0, targetUidValidity);
  }, null);
}

/** The highest fence: what was stored is below, unless a run was ended in the middle. */
function fenceOf(folders: readonly FolderState[]): number | null {
  return folders.reduce<number | null>((highest, { fence }) => {
    return fence === null ? highest : Math.max(highest ?? 0, fence);
  }, null);
}

function toManifestFolder(folders: readonly FolderState[]): ManifestFolder {
  const last = folders.at(-1);
  const { specialUse = null, subscribed = null, sourceDelimiter = null } = last?.attributes ?? {};
  return {
    targetName: last?.targetName ?? '',
    sourceRawName: last?.sourceRawName ?? '',
    // Whoever wrote the file: what is told here becomes a part of commands.
    sourceDelimiter: sourceDelimiter?.length === 1 ? sourceDelimiter : null,
    specialUse: specialUse !== null && Object.hasOwn(specialUses, specialUse) ? specialUse : null,
    subscribed,
    targetUidValidity: uidValidityOf(folders),
    uidNext: fenceOf(current(folders)),
    messages: current(folders).reduce((sum, { messages }) => sum + messages.count, 0),
  };
}

const specialUses: Readonly<Record<SpecialUse, true>> = {
  '\\All': true,
  '\\Archive': true,
  '\\Drafts': true,
  '\\Flagged': true,
  '\\Important': true,
  '\\Junk': true,
  '\\Sent': true,
  '\\Trash': true,
};

/** Messages as they come, block by block. */
class MessageColumns {
  readonly #targetUids: Uint32Array;
  readonly #sourceUids: Uint32Array;
  readonly #sizes: Float64Array;
  readonly #digests: Uint8Array;
  /** Ids of flag sets. */
  readonly #flags: Uint32Array;
  readonly #internalDates: (string | null)[] = [];
  readonly #gone: Uint8Array;
  #count = 0;

  constructor(count: number) {
    this.#targetUids = new Uint32Array(count);
    this.#sourceUids = new Uint32Array(count);
    this.#sizes = new Float64Array(count).fill(Number.NaN);
    this.#digests = new Uint8Array(count * digestBytes);
    this.#flags = new Uint32Array(count);
    this.#gone = new Uint8Array(count);
  }

  add(block: Block): void {
    const from = this.#count;
    const { uids, targetUids, sizes, digests, flags, internalDates } = block;
    this.#targetUids.set(targetUids, from);
    this.#sourceUids.set(uids, from);
    this.#flags.set(flags, from);
    if (sizes !== null) this.#sizes.set(sizes, from);
    if (digests !== null) this.#digests.set(digests, from * digestBytes);
    for (let row = 0; row < uids.length; row++) {
      this.#internalDates.push(internalDates?.[row] ?? null);
      if (isGone(block, row)) this.#gone[from + row] = 1;
    }
    this.#count += uids.length;
  }

  /** `flagSets`: by id. */
  byTargetUid(flagSets: readonly string[]): ManifestMessages {
    const rows = this.#rows();
    const flags = pickNumbers(this.#flags, rows);
    return {
      targetUids: pickNumbers(this.#targetUids, rows),
      sourceUids: pickNumbers(this.#sourceUids, rows),
      sizes: pickNumbers(this.#sizes, rows),
      digests: pickDigests(this.#digests, rows),
      flagSets: narrowFlagSets(flags, flagSets),
      flags,
      internalDates: Array.from(rows, (row) => this.#internalDates[row] ?? null),
      gone: Uint8Array.from(rows, (row) => this.#gone[row] ?? 0),
    };
  }

  /** Rows with a target UID, ascending by it; of equals the living one, or else the first. */
  #rows(): Uint32Array {
    const uidOf = (row: number) => this.#targetUids[row] ?? 0;
    const goneOf = (row: number) => this.#gone[row] ?? 0;
    const rows = Uint32Array.from(this.#targetUids.keys()).filter((row) => uidOf(row) !== 0);
    const isSorted = rows.every((row, at) => at === 0 || uidOf(rows[at - 1] ?? 0) < uidOf(row));
    if (isSorted) return rows;
    rows.sort((a, b) => uidOf(a) - uidOf(b) || goneOf(a) - goneOf(b) || a - b);
    return rows.filter((row, at) => at === 0 || uidOf(rows[at - 1] ?? 0) !== uidOf(row));
  }
}
