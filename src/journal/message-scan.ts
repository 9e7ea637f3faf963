/**
 * Reads the messages of a folder, and checks every block on the way.
 */

import { type Block, blockColumns, fromBlockRow } from './block.ts';
import { isIntact, Tally } from './checksum.ts';
import type { Database, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import { blockId } from './schema.ts';

/** Takes a block whose messages are the folder's from number `from` on, counted from 0. */
export type TakeBlock = (block: Block, from: number) => void;

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
   * Checks the blocks of a folder, and hands them on where somebody takes them.
   * @throws DamageError where a block is broken, or where the messages are not those that `expected` counts.
   */
  run(folderId: number, expected: Tally, take: TakeBlock | null): Scanned {
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
      take?.(fromBlockRow(row), found.count);
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

function wrongMessages(folderId: number, expected: Tally): DamageError {
  return new DamageError(`the messages of folder ${folderId} are not the ${expected.count} it had`);
}
