/**
 * The messages of the journal, written: a folder's blocks are ranges of UIDs that do not overlap, like the leaves of a tree.
 * What comes above all of them, as it does when a folder is copied, is a block more; the rest goes into the block it
 * belongs to, which is split where it grows too big.
 */

import { type Block, blockColumns, fromBlockRow, isGone, mergeBlocks, sliceBlock, toBlockRow } from './block.ts';
import { rowCrc } from './checksum.ts';
import type { Database, Statement } from './database.ts';
import type { FolderState } from './folder-state.ts';
import { blockId } from './schema.ts';

/** Messages in a block at most: a batch of a lane (100) is one block. */
export const maxMessages = 128;

export class MessageBlocks {
  readonly #putBlock: Statement;
  readonly #blockBefore: Statement;
  readonly #firstUidAfter: Statement;
  readonly #dropBlocks: Statement;

  constructor(db: Database) {
    this.#putBlock = db.prepare(
      `INSERT OR REPLACE INTO message_blocks (${blockColumns}, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#blockBefore = db.prepare(
      `SELECT ${blockColumns}, crc FROM message_blocks WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1`,
    );
    this.#firstUidAfter = db.prepare(
      'SELECT first_uid FROM message_blocks WHERE id > ? AND id < ? ORDER BY id LIMIT 1',
    );
    this.#dropBlocks = db.prepare('DELETE FROM message_blocks WHERE id >= ? AND id < ?');
  }

  /** Takes messages with their verdicts; earlier verdicts on them are replaced. */
  put(folder: FolderState, messages: Block): void {
    const { uids } = messages;
    for (let row = 0; row < uids.length; ) {
      const uid = uids[row] ?? 0;
      const home = this.#find(folder, uid);
      const end = firstAbove(uids, row, home?.lastUid ?? this.#gapEnd(folder, uid));
      const part = row === 0 && end === uids.length ? messages : sliceBlock(messages, row, end);
      if (home === null) this.#insert(folder, part);
      else this.#replace(folder, home, mergeBlocks(home.block, part));
      row = end;
    }
  }

  /** Changes the flags (ids of flag sets) of messages; those without a verdict are passed over. */
  setFlags(folder: FolderState, uids: Uint32Array, flags: Uint32Array): void {
    for (const { home, at, rows } of this.#homes(folder, uids)) {
      const changed = home.block.flags.slice();
      for (const [index, place] of at.entries()) changed[place] = flags[rows[index] ?? 0] ?? 0;
      this.#replace(folder, home, { ...home.block, flags: changed });
    }
  }

  /** Forgets where at the target messages are that are gone from the source; all others are passed over. */
  remove(folder: FolderState, uids: Uint32Array): void {
    for (const { home, at } of this.#homes(folder, uids)) {
      const { block } = home;
      const targetUids = block.targetUids.slice();
      for (const place of at) if (isGone(block, place)) targetUids[place] = 0;
      this.#replace(folder, home, { ...block, targetUids });
    }
  }

  /** The blocks that hold some of the messages: `at` which places in the block are those in which `rows` of `uids`. */
  *#homes(folder: FolderState, uids: Uint32Array): Iterable<{ home: Home; at: number[]; rows: number[] }> {
    for (let row = 0; row < uids.length; ) {
      const home = this.#find(folder, uids[row] ?? 0);
      if (home === null) {
        row++;
        continue;
      }
      const at: number[] = [];
      const rows: number[] = [];
      for (const end = firstAbove(uids, row, home.lastUid); row < end; row++) {
        const place = home.block.uids.indexOf(uids[row] ?? 0);
        if (place === -1) continue;
        at.push(place);
        rows.push(row);
      }
      if (at.length > 0) yield { home, at, rows };
    }
  }

  /** Removes what the folder has; its state is the caller's. */
  drop(folder: FolderState): void {
    this.#dropBlocks.run(blockId(folder.id, 0), blockId(folder.id + 1, 0));
  }

  /** The block whose range holds `uid`. */
  #find(folder: FolderState, uid: number): Home | null {
    if (uid > folder.lastUid) return null;
    const row = this.#blockBefore.get(blockId(folder.id, 0), blockId(folder.id, uid));
    const lastUid = Number(row?.[3] ?? 0);
    return row === undefined || lastUid < uid ? null : { block: fromBlockRow(row), lastUid, crc: Number(row.at(-1)) };
  }

  /** The last UID that may stand in a new block with `uid`, which is in no block. */
  #gapEnd(folder: FolderState, uid: number): number {
    if (uid > folder.lastUid) return Number.POSITIVE_INFINITY;
    const next = this.#firstUidAfter.get(blockId(folder.id, uid), blockId(folder.id + 1, 0));
    return next === undefined ? Number.POSITIVE_INFINITY : Number(next[0]) - 1;
  }

  #replace(folder: FolderState, { block, crc }: Home, changed: Block): void {
    folder.messages.remove(crc, block.uids.length);
    // It begins with the same UID, so that its row is replaced.
    this.#insert(folder, changed);
  }

  #insert(folder: FolderState, messages: Block): void {
    const { length } = messages.uids;
    const blocks = Math.ceil(length / maxMessages);
    for (let index = 0; index < blocks; index++) {
      const start = Math.floor((index * length) / blocks);
      const end = Math.floor(((index + 1) * length) / blocks);
      const row = toBlockRow(folder.id, blocks === 1 ? messages : sliceBlock(messages, start, end));
      const crc = rowCrc(row);
      this.#putBlock.run(...row, crc);
      folder.messages.add(crc, end - start);
    }
    folder.lastUid = Math.max(folder.lastUid, messages.uids.at(-1) ?? 0);
  }
}

interface Home {
  readonly block: Block;
  readonly lastUid: number;
  readonly crc: number;
}

/** The first row from `row` on whose UID is above `uid`. */
function firstAbove(uids: Uint32Array, row: number, uid: number): number {
  if ((uids.at(-1) ?? 0) <= uid) return uids.length;
  let at = row;
  while ((uids[at] ?? 0) <= uid) at++;
  return at;
}
