/**
 * Reads the messages of a folder and checks every row on the way. The rows come as text, some thousands at a time: one
 * value for each column of each row would cost four times as much.
 */

import { crc32 } from 'node:zlib';
import { Tally } from './checksum.ts';
import type { Database, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import { verdictKinds } from './types.ts';

const rowsPerRead = 4096;

/** One row is one line: the JSON array that `rowCrc` makes of its columns, and the CRC. An intact row holds no line end. */
const scanQuery = `
  SELECT count(*), max(uid), CAST(group_concat(line, char(10)) AS BLOB) FROM (
    SELECT uid, concat('[', folder, ',', uid, ',"', verdict, '",', coalesce(target_uid, 'null'), ',',
      coalesce(size, 'null'), ',', iif(digest IS NULL, 'null', '"' || hex(digest) || '"'), ',', flags, ']', crc) AS line
    FROM messages WHERE folder = ? AND uid > ? ORDER BY uid LIMIT ${rowsPerRead}
  )`;

/** Columns to fill, all of the folder's number of messages. `flags` gets ids of flag sets. */
export interface MessageColumns {
  readonly uids: Uint32Array;
  readonly targetUids: Uint32Array;
  readonly verdicts: Uint8Array;
  readonly flags: Uint32Array;
}

export class MessageScan {
  readonly #read: Statement;

  constructor(db: Database) {
    this.#read = db.prepare(scanQuery);
  }

  /**
   * Checks the rows of a folder, and fills `columns` where they are asked for.
   * @throws DamageError where a row is broken, or where the rows are not those that `expected` counts.
   */
  run(folderId: number, expected: Tally, columns: MessageColumns | null): void {
    const found = new Tally();
    let lastUid = 0;
    for (;;) {
      const [count, maxUid, text] = this.#read.get(folderId, lastUid) ?? [];
      if (count === 0) break;
      if (typeof maxUid !== 'number' || !(text instanceof Uint8Array)) throw brokenRow(folderId, lastUid);
      // Columns have room for those that are expected.
      if (found.count + Number(count) > expected.count) throw wrongRows(folderId, expected);
      lastUid = readLines(text, folderId, lastUid, found, columns);
      if (lastUid !== maxUid) throw brokenRow(folderId, lastUid);
    }
    if (!found.equals(expected)) throw wrongRows(folderId, expected);
  }
}

const comma = 0x2c;
const bracket = 0x5d;
const newline = 0x0a;

/** Reads the lines of `text`, whose UIDs must rise from above `lastUid`; returns the last UID. */
function readLines(
  text: Uint8Array,
  folderId: number,
  lastUid: number,
  found: Tally,
  columns: MessageColumns | null,
): number {
  const folderDigits = String(folderId).length;
  let uid = lastUid;
  let start = 0;
  while (start < text.length) {
    const next = text.indexOf(newline, start);
    const end = next === -1 ? text.length : next;
    const close = text.lastIndexOf(bracket, end - 1);
    const crc = readNumber(text, close + 1, end);
    if (close < start || crc32(text.subarray(start, close + 1)) !== crc) throw brokenRow(folderId, uid);
    // From here on the line is what was written: the positions hold.
    let at = start + folderDigits + 2;
    const uidEnd = text.indexOf(comma, at);
    const rowUid = readNumber(text, at, uidEnd);
    if (rowUid <= uid) throw brokenRow(folderId, uid);
    uid = rowUid;
    if (columns !== null) {
      at = uidEnd + 2;
      const verdict = verdictOfInitial[text[at] ?? 0] ?? 0;
      at = text.indexOf(comma, at) + 1;
      const row = found.count;
      columns.uids[row] = uid;
      columns.verdicts[row] = verdict;
      columns.targetUids[row] = readNumber(text, at, text.indexOf(comma, at));
      columns.flags[row] = readNumber(text, text.lastIndexOf(comma, close) + 1, close);
    }
    found.add(crc);
    start = end + 1;
  }
  return uid;
}

/** Index into `verdictKinds` by the first character. */
const verdictOfInitial: Readonly<Record<number, number>> = Object.fromEntries(
  verdictKinds.map((kind, index) => [kind.charCodeAt(0), index]),
);

/** The decimal number in `[start, end)`; 0 for `null`. */
function readNumber(text: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (text[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

function wrongRows(folderId: number, expected: Tally): DamageError {
  return new DamageError(`the messages of folder ${folderId} are not the ${expected.count} it had`);
}

function brokenRow(folderId: number, uid: number): DamageError {
  return new DamageError(`a message of folder ${folderId} behind UID ${uid} fails its checksum`);
}
