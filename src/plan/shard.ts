/**
 * Cutting work into pieces: folders into shards for the lanes, shards into batches for one APPEND.
 */
import { follows, sumOf } from './message-table.ts';
import type { BatchLimits, Range, Shard } from './types.ts';

/**
 * Cuts the messages of one folder into shards, in UID order, every message in exactly one. No shard passes a limit,
 * except that a message larger than `maxBytes` makes a shard of its own. The shards are of about equal work
 * (bytes and count weighed by their limits): five shards of 81 rather than four of 100 and one of 5.
 * Each shard owns its memory and may be transferred.
 * @throws RangeError where the columns differ in length, `uids` does not strictly ascend, or a limit is below 1.
 */
export function cutShards(folderId: number, uids: Uint32Array, sizes: Uint32Array, limits: BatchLimits): Shard[] {
  if (uids.length !== sizes.length) throw new RangeError(`${uids.length} UIDs but ${sizes.length} sizes`);
  if (!follows(uids, 0)) throw new RangeError('UIDs must ascend strictly');
  return balance(sizes, limits).map(({ start, end }) => ({
    folderId,
    uids: uids.slice(start, end),
    sizes: sizes.slice(start, end),
    totalBytes: sumOf(sizes, start, end),
  }));
}

/**
 * Packs rows `[start, end)` into batches, in order, each as full as `limits` allow. A message larger than
 * `maxBytes` travels alone.
 * @throws RangeError where a limit is below 1.
 */
export function packBatches(
  sizes: Uint32Array,
  limits: BatchLimits,
  start: number = 0,
  end: number = sizes.length,
): Range[] {
  return pack(sizes, limits, start, end, Number.POSITIVE_INFINITY);
}

/** What is known about a folder's work when folders are put in order. */
export interface FolderWork {
  readonly messages: number | null;
  readonly bytes: number | null;
}

/** What a message costs besides its bytes, in bytes; and what an unknown message is taken for. */
const messageOverhead = 4096;
const typicalMessageBytes = 32_768;

/**
 * The indices of `folders` in the order they should be started: most work first, because the longest folder decides
 * when the whole is done (longest processing time first); equal ones as they came. INBOX is a folder like any other.
 */
export function folderOrder(folders: readonly FolderWork[]): number[] {
  const work = folders.map(({ messages, bytes }) => {
    const count = messages ?? 0;
    return count * messageOverhead + (bytes ?? count * typicalMessageBytes);
  });
  return work.map((_, index) => index).sort((a, b) => (work[b] ?? 0) - (work[a] ?? 0) || a - b);
}

/** As few ranges as the limits allow, then as equal as that number allows. Messages above the limit stand between the parts so balanced. */
function balance(sizes: Uint32Array, limits: BatchLimits): Range[] {
  const ranges: Range[] = [];
  let from = 0;
  for (let row = 0; row <= sizes.length; row += 1) {
    if (row < sizes.length && (sizes[row] ?? 0) <= limits.maxBytes) continue;
    const fewest = packBatches(sizes, limits, from, row).length;
    const share = workOf(sizes, limits, from, row) / Math.max(1, fewest);
    ranges.push(...pack(sizes, limits, from, row, share));
    if (row < sizes.length) ranges.push({ start: row, end: row + 1 });
    from = row + 1;
  }
  return ranges;
}

/** Rows into ranges: a range closes before the row that would pass a limit, or once it has its `share` of the work. */
function pack(sizes: Uint32Array, limits: BatchLimits, start: number, end: number, share: number): Range[] {
  const { maxMessages, maxBytes } = limits;
  if (!(maxMessages >= 1 && maxBytes >= 1)) throw new RangeError('a batch holds at least one message and one byte');
  const ranges: Range[] = [];
  let from = start;
  let bytes = 0;
  let done = 0;
  for (let row = start; row < end; row += 1) {
    const size = sizes[row] ?? 0;
    const full = row - from >= maxMessages || bytes + size > maxBytes;
    // The line is drawn at multiples of the share, so that what one range leaves short does not add up in the last one.
    const hasShare = done + weigh(size, limits) / 2 > share * (ranges.length + 1);
    if (row > from && (full || hasShare)) {
      ranges.push({ start: from, end: row });
      from = row;
      bytes = 0;
    }
    bytes += size;
    done += weigh(size, limits);
  }
  if (end > from) ranges.push({ start: from, end });
  return ranges;
}

function weigh(size: number, limits: BatchLimits): number {
  return 1 / limits.maxMessages + size / limits.maxBytes;
}

function workOf(sizes: Uint32Array, limits: BatchLimits, start: number, end: number): number {
  return (end - start) / limits.maxMessages + sumOf(sizes, start, end) / limits.maxBytes;
}
