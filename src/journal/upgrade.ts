/**
 * Turns a journal of schema 2 into one of today's: the rows of its messages and intents become blocks and batches, and
 * nothing else changes. What it knows it goes on knowing, and an orderly end stays one.
 */

import { digestBytes } from '../plan/message-facts.ts';
import { type Block, verdictLetter } from './block.ts';
import { Tally } from './checksum.ts';
import { CommitWriter } from './commit-writer.ts';
import type { Database } from './database.ts';
import { type IntentBatch, IntentBatches } from './intent-batches.ts';
import { MessageBlocks } from './message-blocks.ts';
import { schema, schemaVersion } from './schema.ts';
import { droppedIn3, type IntentRow, type MessageRow, Version2 } from './version-2.ts';

/** Tables that are as they were. */
const keptTables = ['meta', 'flag_sets', 'commits'];

/**
 * Writes what `from` holds into `to`, which is `from` itself or an empty database, in the transaction that is open on it.
 * Everything is checked before it is believed.
 * @throws DamageError, or what SQLite throws
 */
export function upgradeJournal(from: Database, to: Database): void {
  const old = new Version2(from);
  const { folders, lastCommit } = old.tables;
  if (to !== from) copyTables(from, to);
  for (const table of ['message_blocks', 'intent_batches']) create(to, table);
  const blocks = new MessageBlocks(to);
  const batches = new IntentBatches(to, 0);
  for (const folder of folders.values()) {
    const { id, messages, intents } = folder;
    folder.messages = new Tally();
    folder.intents = new Tally();
    for (const rows of old.messages({ id, messages })) blocks.put(folder, toBlock(rows));
    for (const rows of groupBatches(old.intents({ id, intents }))) batches.put(folder, toBatch(rows));
  }
  if (to === from) for (const statement of droppedIn3) to.exec(statement);
  for (const table of ['folders', 'message_list', 'intent_list']) create(to, table);
  // No run did this: whether the last one ended in an orderly way is still to be told.
  new CommitWriter(to, old.tables).sign(folders.values(), { kind: lastCommit.kind, records: 0 });
  to.exec(`PRAGMA user_version = ${schemaVersion}`);
}

function create(db: Database, table: string): void {
  db.exec(schema[table] ?? '');
}

function copyTables(from: Database, to: Database): void {
  for (const table of keptTables) {
    create(to, table);
    const rows = from.prepare(`SELECT * FROM ${table}`).all();
    const [first] = rows;
    if (first === undefined) continue;
    const put = to.prepare(`INSERT INTO ${table} VALUES (${first.map(() => '?').join(', ')})`);
    for (const row of rows) put.run(...row);
  }
}

function toBlock(rows: readonly MessageRow[]): Block {
  return {
    uids: Uint32Array.from(rows, ([, uid]) => uid),
    verdicts: rows.map(([, , verdict]) => verdictLetter(verdict)).join(''),
    targetUids: Uint32Array.from(rows, ([, , , targetUid]) => targetUid ?? 0),
    sizes: Float64Array.from(rows, ([, , , , size]) => size ?? Number.NaN),
    digests: joinDigests(rows.map(([, , , , , digest]) => digest)),
    flags: Uint32Array.from(rows, ([, , , , , , flags]) => flags),
  };
}

/** Rows of one APPEND command, as far as they say the same of it. */
function groupBatches(rows: readonly IntentRow[]): IntentRow[][] {
  const groups = new Map<string, IntentRow[]>();
  for (const row of rows) {
    const [, , batch, fence, targetUidValidity, , digest] = row;
    const key = JSON.stringify([batch, fence, targetUidValidity, digest === null]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

function toBatch(rows: readonly IntentRow[]): IntentBatch {
  const [first] = rows;
  return {
    fence: first?.[3] ?? null,
    targetUidValidity: first?.[4] ?? null,
    uids: Uint32Array.from(rows, ([, uid]) => uid),
    sizes: Float64Array.from(rows, ([, , , , , size]) => size),
    digests: first?.[6] == null ? null : joinDigests(rows.map(([, , , , , , digest]) => digest)),
    internalDates: rows.map(([, , , , , , , date]) => date),
    flags: Uint32Array.from(rows, ([, , , , , , , , flags]) => flags),
  };
}

/** `digestBytes` each, zeros where there is none. */
function joinDigests(digests: readonly (Uint8Array | null)[]): Uint8Array {
  const joined = new Uint8Array(digests.length * digestBytes);
  for (const [row, digest] of digests.entries()) if (digest !== null) joined.set(digest, row * digestBytes);
  return joined;
}
