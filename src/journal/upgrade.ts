/**
 * Turns a journal of schema 3 into one of today's: its rows get the columns they did not have, and nothing else changes.
 * What it knows it goes on knowing, and an orderly end stays one.
 */

import { fromBlockRow } from './block.ts';
import { Tally } from './checksum.ts';
import { CommitWriter } from './commit-writer.ts';
import type { Database } from './database.ts';
import { loadJournal } from './load.ts';
import { MessageBlocks } from './message-blocks.ts';
import { blockId, schema, schemaVersion } from './schema.ts';
import { setAside3, version3 } from './version-3.ts';

/** Tables that are as they were. */
const keptTables = ['meta', 'flag_sets', 'commits', 'intent_batches'];

/**
 * Writes what `from` holds into `to`, which is `from` itself or an empty database, in the transaction that is open on it.
 * Everything is checked before it is believed.
 * @throws DamageError, or what SQLite throws
 */
export function upgradeJournal(from: Database, to: Database): void {
  const old = loadJournal(from, version3);
  if (to === from) for (const statement of setAside3) to.exec(statement);
  else for (const table of [...keptTables, 'intent_list']) copyTable(from, to, table);
  for (const table of ['folders', 'message_blocks', 'message_list']) create(to, table);
  const oldBlocks = from.prepare(
    `SELECT ${version3.blockColumns} FROM ${to === from ? 'blocks_3' : 'message_blocks'}
    WHERE id > ? AND id < ? ORDER BY id LIMIT 1`,
  );
  const blocks = new MessageBlocks(to);
  for (const folder of old.folders.values()) {
    folder.messages = new Tally();
    folder.lastUid = 0;
    const end = blockId(folder.id + 1, 0);
    for (let id = blockId(folder.id, 0); ; ) {
      const row = oldBlocks.get(id, end);
      if (row === undefined) break;
      blocks.put(folder, fromBlockRow(row));
      id = Number(row[0]);
    }
  }
  if (to === from) to.exec('DROP TABLE blocks_3');
  // No run did this: whether the last one ended in an orderly way is still to be told.
  new CommitWriter(to, old).sign(old.folders.values(), { kind: old.lastCommit.kind, records: 0 });
  to.exec(`PRAGMA user_version = ${schemaVersion}`);
}

function create(db: Database, name: string): void {
  db.exec(schema[name] ?? '');
}

function copyTable(from: Database, to: Database, name: string): void {
  create(to, name);
  if (!keptTables.includes(name)) return;
  const rows = from.prepare(`SELECT * FROM ${name}`).all();
  const [first] = rows;
  if (first === undefined) return;
  const put = to.prepare(`INSERT INTO ${name} VALUES (${first.map(() => '?').join(', ')})`);
  for (const row of rows) put.run(...row);
}
