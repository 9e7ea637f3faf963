/**
 * The columns of a folder's contents: typed arrays of equal length, so that a million messages are 36 MB (68 with digests)
 * and cross to another thread without a copy.
 */

import { follows } from '../plan/message-table.ts';

export const digestBytes = 32;
/**
 * Of a header's SHA-256: half of it is 16 MB less in a million messages. In 128 bits, two headers of a folder of a million
 * are the same by chance once in 10^26 folders, and on purpose for nothing: whoever could make them so could as well write
 * two equal headers.
 */
export const headerKeyBytes = 16;

export interface ContentColumns {
  readonly uids: Uint32Array;
  readonly sizes: Uint32Array;
  readonly dates: Float64Array;
  readonly flags: Uint32Array;
  /** `headerKeyBytes` a row. */
  readonly headerKeys: Uint8Array;
  /** `digestBytes` a row. */
  readonly digests: Uint8Array | null;
}

/** Room for `rows` rows. */
export function makeColumns(rows: number, options: { readonly digests: boolean }): ContentColumns {
  return {
    uids: new Uint32Array(rows),
    sizes: new Uint32Array(rows),
    dates: new Float64Array(rows),
    flags: new Uint32Array(rows),
    headerKeys: new Uint8Array(rows * headerKeyBytes),
    digests: options.digests ? new Uint8Array(rows * digestBytes) : null,
  };
}

/** The same rows with room for `rows` of them. */
export function growColumns(columns: ContentColumns, rows: number): ContentColumns {
  const grown = makeColumns(rows, { digests: columns.digests !== null });
  grown.uids.set(columns.uids);
  grown.sizes.set(columns.sizes);
  grown.dates.set(columns.dates);
  grown.flags.set(columns.flags);
  grown.headerKeys.set(columns.headerKeys);
  if (columns.digests !== null) grown.digests?.set(columns.digests);
  return grown;
}

/** The first `rows` rows in memory of their own, ascending by UID; of those with one UID the first stands. */
export function settleColumns(columns: ContentColumns, rows: number): ContentColumns {
  const uids = columns.uids.subarray(0, rows);
  if (follows(uids, 0)) {
    return {
      uids: uids.slice(),
      sizes: columns.sizes.slice(0, rows),
      dates: columns.dates.slice(0, rows),
      flags: columns.flags.slice(0, rows),
      headerKeys: columns.headerKeys.slice(0, rows * headerKeyBytes),
      digests: columns.digests?.slice(0, rows * digestBytes) ?? null,
    };
  }
  return pickColumns(columns, rowsByUid(uids));
}

function pickColumns(columns: ContentColumns, rows: Uint32Array): ContentColumns {
  const { headerKeys, digests } = columns;
  return {
    uids: rows.map((row) => columns.uids[row] ?? 0),
    sizes: rows.map((row) => columns.sizes[row] ?? 0),
    dates: Float64Array.from(rows, (row) => columns.dates[row] ?? Number.NaN),
    flags: rows.map((row) => columns.flags[row] ?? 0),
    headerKeys: pickBytes(headerKeys, rows, headerKeyBytes),
    digests: digests === null ? null : pickBytes(digests, rows, digestBytes),
  };
}

function pickBytes(column: Uint8Array, rows: Uint32Array, width: number): Uint8Array {
  const picked = new Uint8Array(rows.length * width);
  for (const [index, row] of rows.entries()) {
    picked.set(column.subarray(row * width, (row + 1) * width), index * width);
  }
  return picked;
}

function rowsByUid(uids: Uint32Array): Uint32Array {
  const uidAt = (row: number) => uids[row] ?? 0;
  const order = uids.map((_, row) => row).sort((a, b) => uidAt(a) - uidAt(b) || a - b);
  return order.filter((row, index) => index === 0 || uidAt(row) !== uidAt(order[index - 1] ?? 0));
}
