/**
 * What is known of a batch of messages, as columns: it crosses a thread as a few blocks of memory, whatever the number of
 * messages, where an object for each would cost more than copying them.
 */
import type { FlagColumns } from './flag-changes.ts';

/** SHA-256. */
export const digestBytes = 32;

/** Columns of equal length, one row a message, strictly ascending by UID. UIDs are those of the source. */
export interface MessageFacts extends FlagColumns {
  /** Bytes. */
  readonly sizes: Float64Array;
  /** `digestBytes` a message: SHA-256 of the bytes the source served. */
  readonly digests: Uint8Array;
}

/** Messages that are about to be appended. */
export interface IntendedMessages extends Omit<MessageFacts, 'digests'> {
  /** `null`: not known before they are sent. */
  readonly digests: Uint8Array | null;
  /** As the source wrote them; `null` where it gave none. */
  readonly internalDates: readonly (string | null)[];
}

/** Messages that the target said it has stored. */
export interface StoredMessages extends MessageFacts {
  /** 0 where the target told none. */
  readonly targetUids: Uint32Array;
  /** As the source wrote them, `null` where it gave none; `null` for all: not kept. */
  readonly internalDates: readonly (string | null)[] | null;
}

/** The given rows (ascending row numbers) of `facts`, in memory of their own. */
export function pickFacts(
  { uids, sizes, digests, flags, flagSets }: MessageFacts,
  rows: ArrayLike<number>,
): MessageFacts {
  return {
    uids: pickNumbers(uids, rows),
    sizes: pickNumbers(sizes, rows),
    digests: pickDigests(digests, rows),
    flags: pickNumbers(flags, rows),
    flagSets,
  };
}

/** The given rows of a column. @throws RangeError where there is no such row */
export function pickNumbers<Column extends Uint32Array | Float64Array>(
  column: Column,
  rows: ArrayLike<number>,
): Column {
  const picked = column.slice(0, rows.length) as Column;
  for (let index = 0; index < rows.length; index++) {
    const value = column[rows[index] ?? 0];
    if (value === undefined) throw new RangeError(`row ${rows[index]} of a column of ${column.length}`);
    picked[index] = value;
  }
  return picked;
}

/** The digests of the given rows. */
export function pickDigests(digests: Uint8Array, rows: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const picked = new Uint8Array(rows.length * digestBytes);
  for (let index = 0; index < rows.length; index++) {
    const start = (rows[index] ?? 0) * digestBytes;
    picked.set(digests.subarray(start, start + digestBytes), index * digestBytes);
  }
  return picked;
}
