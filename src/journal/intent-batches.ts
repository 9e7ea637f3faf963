/**
 * Open intents, written and read: the messages of one APPEND command are one row, which goes when the last of them has its
 * answer.
 */

import { digestBytes, pickDigests, pickNumbers } from '../plan/message-facts.ts';
import { selectMissing } from '../plan/select.ts';
import { numbersOf, toJson } from './block.ts';
import { rowCrc } from './checksum.ts';
import type { Database, Row, Statement, Value } from './database.ts';
import type { FolderState } from './folder-state.ts';
import type { Intent, IntentColumns } from './types.ts';

/** Columns of `intent_batches` without `crc`. */
export const batchColumns =
  'id, folder, fence, target_uidvalidity, uids, sizes, digests, internal_dates, flags' as const;

/** Messages of one APPEND command, before it is sent. */
export interface IntentBatch extends Omit<IntentColumns, 'flagSets'> {
  readonly fence: number | null;
  readonly targetUidValidity: number | null;
  /** Ids of flag sets. */
  readonly flags: Uint32Array;
}

export class IntentBatches {
  readonly #putBatch: Statement;
  readonly #batch: Statement;
  readonly #dropBatch: Statement;
  readonly #dropFolder: Statement;
  #lastId: number;

  /** `lastId`: the highest id that is in use. */
  constructor(db: Database, lastId: number) {
    this.#lastId = lastId;
    this.#putBatch = db.prepare(
      `INSERT OR REPLACE INTO intent_batches (${batchColumns}, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#batch = db.prepare(`SELECT ${batchColumns} FROM intent_batches WHERE id = ?`);
    this.#dropBatch = db.prepare('DELETE FROM intent_batches WHERE id = ?');
    this.#dropFolder = db.prepare('DELETE FROM intent_batches WHERE folder = ?');
  }

  /** Takes a batch; intents that are open for its UIDs are replaced. */
  put(folder: FolderState, batch: IntentBatch): void {
    if (batch.uids.length === 0) return;
    this.close(folder, batch.uids);
    this.#write(folder, ++this.#lastId, batch);
  }

  /** Closes the intents of these UIDs, where there are any. */
  close(folder: FolderState, uids: Uint32Array): void {
    for (const [id, open] of folder.openBatches) {
      const left = stillOpen(open.uids, uids);
      if (left.length === open.uids.length) continue;
      folder.intents.remove(open.crc, open.uids.length);
      folder.openBatches.delete(id);
      if (left.length === 0) this.#dropBatch.run(id);
      else this.#write(folder, id, pickBatch(fromBatchRow(this.#batch.get(id) ?? []), left));
    }
  }

  /** Removes what the folder has; its state is the caller's. */
  drop(folder: FolderState): void {
    this.#dropFolder.run(folder.id);
  }

  #write(folder: FolderState, id: number, batch: IntentBatch): void {
    const { fence, targetUidValidity, uids, sizes, digests, internalDates, flags } = batch;
    const row = [id, folder.id, fence, targetUidValidity, toJson(uids), toJson(sizes), digests];
    row.push(JSON.stringify(internalDates), toJson(flags));
    const crc = rowCrc(row);
    this.#putBatch.run(...row, crc);
    folder.intents.add(crc, uids.length);
    folder.openBatches.set(id, { uids: uids.slice(), crc });
  }
}

const none = new Uint32Array();

/** Rows of the open UIDs that are not among the closed ones. */
function stillOpen(open: Uint32Array, closed: Uint32Array): ArrayLike<number> {
  // Nearly always a whole batch is answered at once.
  if (open.length === closed.length && open.every((uid, row) => uid === closed[row])) return none;
  return selectMissing(open, closed);
}

function pickBatch(batch: IntentBatch, rows: ArrayLike<number>): IntentBatch {
  return {
    ...batch,
    uids: pickNumbers(batch.uids, rows),
    sizes: pickNumbers(batch.sizes, rows),
    digests: batch.digests === null ? null : pickDigests(batch.digests, rows),
    internalDates: Array.from(rows, (row) => batch.internalDates[row] ?? null),
    flags: pickNumbers(batch.flags, rows),
  };
}

/** The batch of a row that is known to be intact. */
function fromBatchRow(row: Row): IntentBatch {
  const [, , fence, targetUidValidity, uids, sizes, digests, internalDates, flags] = row;
  return {
    fence: toNumber(fence),
    targetUidValidity: toNumber(targetUidValidity),
    uids: numbersOf(uids),
    sizes: Float64Array.from(JSON.parse(String(sizes))),
    digests: digests instanceof Uint8Array ? digests : null,
    internalDates: JSON.parse(String(internalDates)),
    flags: numbersOf(flags),
  };
}

/** The intents of a row, one by one. `flagSet` tells the flags of an id. */
export function intentsOf(row: Row, flagSet: (id: number) => string): Intent[] {
  const { fence, targetUidValidity, uids, sizes, digests, internalDates, flags } = fromBatchRow(row);
  return Array.from(uids, (uid, at) => ({
    uid,
    batch: Number(row[0]),
    fence,
    targetUidValidity,
    size: sizes[at] ?? 0,
    digest: digests?.slice(at * digestBytes, (at + 1) * digestBytes) ?? null,
    internalDate: internalDates[at] ?? null,
    flags: flagSet(flags[at] ?? 0),
  }));
}

function toNumber(value: Value | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
