/**
 * Reads the messages of a folder, and checks every block on the way.
 */

import { blockColumns, fromBlockRow, verdictLetter } from './block.ts';
import { isIntact, Tally } from './checksum.ts';
import type { Database, Row, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import { blockId } from './schema.ts';
import { verdictKinds } from './types.ts';

/** Columns to fill, all of the folder's number of messages. `flags` gets ids of flag sets. */
export interface MessageColumns {
  readonly uids: Uint32Array;
  readonly targetUids: Uint32Array;
  readonly verdicts: Uint8Array;
  readonly flags: Uint32Array;
}

/** What was found of a folder. */
export interface Scanned {
  readonly blocks: number;
  /** 0: there is none. */
  readonly lastUid: number;
}

export class MessageScan {
  readonly #next: Statement;

  /** `columns`: those of a block's row, without `crc`. */
  constructor(db: Database, columns: string = blockColumns) {
    // One by one: errors of `get` say what is wrong.
    this.#next = db.prepare(`SELECT ${columns}, crc FROM message_blocks WHERE id > ? AND id < ? ORDER BY id LIMIT 1`);
  }

  /**
   * Checks the blocks of a folder, and fills `columns` where they are asked for.
   * @throws DamageError where a block is broken, or where the messages are not those that `expected` counts.
   */
  run(folderId: number, expected: Tally, columns: MessageColumns | null): Scanned {
    const found = new Tally();
    const end = blockId(folderId + 1, 0);
    let lastUid = 0;
    let blocks = 0;
    for (let id = blockId(folderId, 0); ; blocks++) {
      const row = this.#next.get(id, end);
      if (row === undefined) break;
      if (!isIntact(row))
        throw new DamageError(`messages of folder ${folderId} behind UID ${lastUid} fail their checksum`);
      // What the CRC confirms was written by `toBlockRow`.
      const [rowId, , firstUid, rowLastUid, , { length: count }] = row as unknown as BlockRow;
      if (rowId !== blockId(folderId, firstUid) || firstUid <= lastUid || found.count + count > expected.count) {
        throw wrongMessages(folderId, expected);
      }
      if (columns !== null) fill(columns, found.count, row);
      found.add(Number(row.at(-1)), count);
      lastUid = rowLastUid;
      id = rowId;
    }
    if (!found.equals(expected)) throw wrongMessages(folderId, expected);
    return { blocks, lastUid };
  }
}

type BlockRow = readonly [
  id: number,
  folder: number,
  firstUid: number,
  lastUid: number,
  uids: string,
  verdicts: string,
  ...rest: unknown[],
];

function fill(columns: MessageColumns, from: number, row: Row): void {
  const { uids, targetUids, verdicts, flags } = fromBlockRow(row);
  columns.uids.set(uids, from);
  columns.targetUids.set(targetUids, from);
  columns.flags.set(flags, from);
  for (let at = 0; at < verdicts.length; at++)
    columns.verdicts[from + at] = verdictOfLetter.get(verdicts.charAt(at)) ?? 0;
}

/** Indexes into `verdictKinds`. */
const verdictOfLetter = new Map(verdictKinds.map((kind, index) => [verdictLetter(kind), index]));

function wrongMessages(folderId: number, expected: Tally): DamageError {
  return new DamageError(`the messages of folder ${folderId} are not the ${expected.count} it had`);
}
