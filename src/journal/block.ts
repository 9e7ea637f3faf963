/**
 * A block of messages, as the rows of `message_blocks` hold it: encoding, decoding, joining. Pure.
 */

import { digestBytes, pickDigests, pickNumbers } from '../plan/message-facts.ts';
import { selectMissing } from '../plan/select.ts';
import type { Row, Value } from './database.ts';
import { DamageError } from './failure.ts';
import { blockId } from './schema.ts';
import type { VerdictKind } from './types.ts';

/** Messages of a folder with their verdicts, in columns, strictly ascending by UID; at least one. */
export interface Block {
  readonly uids: Uint32Array;
  /** A `verdictLetter` each. */
  readonly verdicts: string;
  /** 0: none was told. */
  readonly targetUids: Uint32Array;
  /** Bytes; NaN or `null`: not known. */
  readonly sizes: Float64Array | null;
  /** SHA-256; zeros or `null`: not known. */
  readonly digests: Uint8Array | null;
  /** Ids of flag sets. */
  readonly flags: Uint32Array;
  /** As the source wrote them; `null`: not known. */
  readonly internalDates: readonly (string | null)[] | null;
}

/** Columns of `message_blocks` without `crc`, in the order of `toBlockRow`. */
export const blockColumns =
  'id, folder, first_uid, last_uid, uids, verdicts, target_uids, sizes, digests, flags, internal_dates' as const;

/** How a block tells a verdict. */
export function verdictLetter(kind: VerdictKind): string {
  return kind.charAt(0);
}

const goneLetter = verdictLetter('gone');

/** True where the message in `row` is gone from the source. */
export function isGone(block: Block, row: number): boolean {
  return block.verdicts.charAt(row) === goneLetter;
}

/** Values for `blockColumns`. */
export function toBlockRow(folderId: number, block: Block): Value[] {
  const { uids, verdicts, targetUids, sizes, digests, flags, internalDates } = block;
  const firstUid = uids[0] ?? 0;
  return [
    blockId(folderId, firstUid),
    folderId,
    firstUid,
    uids.at(-1) ?? 0,
    toJson(uids),
    verdicts,
    toJson(targetUids),
    // JSON has no NaN: it becomes null.
    sizes === null ? null : JSON.stringify(Array.from(sizes)),
    digests,
    toJson(flags),
    internalDates === null ? null : JSON.stringify(internalDates),
  ];
}

/**
 * The block of a row whose CRC is right. That the columns are of one length is checked: a CRC is no proof of who wrote it.
 * @throws DamageError
 */
export function fromBlockRow(row: Row): Block {
  const [, , , , uids, letters, targetUids, sizes, digests, flags, internalDates] = row;
  const verdicts = String(letters);
  const count = verdicts.length;
  const hasDigests = digests instanceof Uint8Array;
  if (hasDigests && digests.length !== count * digestBytes) throw unreadable();
  const dates = internalDates == null ? null : arrayOf<string | null>(internalDates, count);
  if (dates?.some((date) => date !== null && typeof date !== 'string')) throw unreadable();
  return {
    uids: Uint32Array.from(arrayOf<number>(uids, count)),
    verdicts,
    targetUids: Uint32Array.from(arrayOf<number>(targetUids, count)),
    sizes:
      sizes == null
        ? null
        : Float64Array.from(arrayOf<number | null>(sizes, count), (size) =>
            size === null ? Number.NaN : Number(size),
          ),
    digests: hasDigests ? digests : null,
    flags: Uint32Array.from(arrayOf<number>(flags, count)),
    internalDates: dates,
  };
}

/** A JSON array of so many elements; what these are is the caller's to see. */
function arrayOf<Element>(text: Value | undefined, count: number): Element[] {
  let array: unknown;
  try {
    array = JSON.parse(String(text));
  } catch (error) {
    throw unreadable(error);
  }
  if (!Array.isArray(array) || array.length !== count) throw unreadable();
  return array;
}

function unreadable(cause?: unknown): DamageError {
  return new DamageError('a block of messages is not in one piece', { cause });
}

/** A JSON array of finite numbers. */
export function toJson(numbers: Uint32Array | Float64Array): string {
  return `[${numbers.join(',')}]`;
}

/** The numbers of a column that `toJson` wrote. */
export function numbersOf(text: Value | undefined): Uint32Array {
  return Uint32Array.from(JSON.parse(String(text)) as number[]);
}

/** Rows `[start, end)`; the columns are views. */
export function sliceBlock(block: Block, start: number, end: number): Block {
  return {
    uids: block.uids.subarray(start, end),
    verdicts: block.verdicts.slice(start, end),
    targetUids: block.targetUids.subarray(start, end),
    sizes: block.sizes?.subarray(start, end) ?? null,
    digests: block.digests?.subarray(start * digestBytes, end * digestBytes) ?? null,
    flags: block.flags.subarray(start, end),
    internalDates: block.internalDates?.slice(start, end) ?? null,
  };
}

/** The messages of both. Of those that both know, what `fresh` says; but a message that is gone stays what it was. */
export function mergeBlocks(known: Block, fresh: Block): Block {
  const both = concatBlocks(pickBlock(known, selectMissing(known.uids, fresh.uids)), describeGone(known, fresh));
  const { uids } = both;
  return pickBlock(
    both,
    Uint32Array.from(uids.keys()).sort((a, b) => (uids[a] ?? 0) - (uids[b] ?? 0)),
  );
}

/** `fresh`, with what is known of those of its messages that are gone. */
function describeGone(known: Block, fresh: Block): Block {
  if (!fresh.verdicts.includes(goneLetter)) return fresh;
  const rows = fresh.uids.map((uid, row) => {
    const at = isGone(fresh, row) ? known.uids.indexOf(uid) : -1;
    return at === -1 ? known.uids.length + row : at;
  });
  return { ...pickBlock(concatBlocks(known, fresh), rows), verdicts: fresh.verdicts };
}

function pickBlock(block: Block, rows: Uint32Array): Block {
  return {
    uids: pickNumbers(block.uids, rows),
    verdicts: Array.from(rows, (row) => block.verdicts.charAt(row)).join(''),
    targetUids: pickNumbers(block.targetUids, rows),
    sizes: block.sizes === null ? null : pickNumbers(block.sizes, rows),
    digests: block.digests === null ? null : pickDigests(block.digests, rows),
    flags: pickNumbers(block.flags, rows),
    internalDates: block.internalDates === null ? null : Array.from(rows, (row) => block.internalDates?.[row] ?? null),
  };
}

function concatBlocks(first: Block, second: Block): Block {
  const count = first.uids.length;
  const total = count + second.uids.length;
  const uids = new Uint32Array(total);
  const targetUids = new Uint32Array(total);
  const flags = new Uint32Array(total);
  const sizes = new Float64Array(total).fill(Number.NaN);
  const digests = new Uint8Array(total * digestBytes);
  for (const [block, row] of [
    [first, 0],
    [second, count],
  ] as const) {
    uids.set(block.uids, row);
    targetUids.set(block.targetUids, row);
    flags.set(block.flags, row);
    if (block.sizes !== null) sizes.set(block.sizes, row);
    if (block.digests !== null) digests.set(block.digests, row * digestBytes);
  }
  const internalDates =
    first.internalDates === null && second.internalDates === null
      ? null
      : [first, second].flatMap((block) => block.internalDates ?? Array.from(block.uids, () => null));
  return { uids, verdicts: first.verdicts + second.verdicts, targetUids, sizes, digests, flags, internalDates };
}
