/**
 * Journals of schema 2, which had a row for each message and each intent: read to be turned into what is written today.
 */

import { crc32 } from 'node:zlib';
import { Tally } from './checksum.ts';
import type { Database, Row, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import type { FolderState } from './folder-state.ts';
import { type LoadedTables, loadTables } from './load.ts';
import { schema } from './schema.ts';
import type { VerdictKind } from './types.ts';

const { meta, flag_sets, commits } = schema;

/** As SQLite stored it. */
const schema2 = {
  meta,

  folders: `CREATE TABLE folders (
  id INTEGER PRIMARY KEY,
  source_name TEXT NOT NULL,            -- as listed, one character per byte
  target_name TEXT NOT NULL,
  source_uidvalidity INTEGER,
  target_uidvalidity INTEGER,
  fence INTEGER,                        -- what the journal does not know has a target UID from here on
  in_doubt INTEGER NOT NULL,            -- 1: match what is there by content before appending
  flags_modseq TEXT,                    -- source HIGHESTMODSEQ up to which flags are applied
  finished_messages INTEGER,            -- STATUS of the source when last brought to its end
  finished_uidnext INTEGER,
  finished_uidvalidity INTEGER,
  finished_modseq TEXT,
  finished_size INTEGER,
  messages INTEGER NOT NULL,            -- rows in messages, and the sum of their CRCs
  messages_sum INTEGER NOT NULL,
  intents INTEGER NOT NULL,             -- rows in intents, and the sum of their CRCs
  intents_sum INTEGER NOT NULL,
  crc INTEGER NOT NULL
)`,

  flag_sets,

  messages: `CREATE TABLE messages (
  folder INTEGER NOT NULL REFERENCES folders (id),
  uid INTEGER NOT NULL,                 -- at the source
  verdict TEXT NOT NULL,                -- copied | adopted | gone
  target_uid INTEGER,                   -- NULL: the server told none
  size INTEGER,                         -- bytes
  digest BLOB,                          -- SHA-256; NULL: content not compared
  flags INTEGER NOT NULL REFERENCES flag_sets (id),
  crc INTEGER NOT NULL,
  PRIMARY KEY (folder, uid)
) WITHOUT ROWID`,

  intents: `CREATE TABLE intents (
  folder INTEGER NOT NULL REFERENCES folders (id),
  uid INTEGER NOT NULL,
  batch INTEGER NOT NULL,               -- one APPEND command
  fence INTEGER,                        -- target UIDNEXT before it
  target_uidvalidity INTEGER,
  size INTEGER NOT NULL,
  digest BLOB,
  internal_date TEXT,
  flags INTEGER NOT NULL REFERENCES flag_sets (id),
  crc INTEGER NOT NULL,
  PRIMARY KEY (folder, uid)
) WITHOUT ROWID`,

  commits,

  message_list: `CREATE VIEW message_list AS
  SELECT folders.source_name AS folder, messages.uid, messages.verdict, folders.target_name AS target_folder,
    messages.target_uid, messages.size, hex(messages.digest) AS digest, flag_sets.flags
  FROM messages JOIN folders ON folders.id = messages.folder JOIN flag_sets ON flag_sets.id = messages.flags`,

  intent_list: `CREATE VIEW intent_list AS
  SELECT folders.source_name AS folder, intents.uid, intents.batch, folders.target_name AS target_folder,
    intents.fence, intents.size, hex(intents.digest) AS digest, intents.internal_date, flag_sets.flags
  FROM intents JOIN folders ON folders.id = intents.folder JOIN flag_sets ON flag_sets.id = intents.flags`,
} as Readonly<Record<string, string>>;

/** What schema 3 has no more, or has in another form. */
export const droppedIn3: readonly string[] = [
  'DROP VIEW message_list',
  'DROP VIEW intent_list',
  'DROP TABLE messages',
  'DROP TABLE intents',
  'DROP TABLE folders',
];

/** A row of the table `messages`. */
export type MessageRow = readonly [
  folder: number,
  uid: number,
  verdict: VerdictKind,
  targetUid: number | null,
  size: number | null,
  digest: Uint8Array | null,
  flags: number,
  crc: number,
];

/** A row of the table `intents`. */
export type IntentRow = readonly [
  folder: number,
  uid: number,
  batch: number,
  fence: number | null,
  targetUidValidity: number | null,
  size: number,
  digest: Uint8Array | null,
  internalDate: string | null,
  flags: number,
  crc: number,
];

const rowsPerRead = 4096;

/** A journal of schema 2, in the transaction that is open on it. */
export class Version2 {
  readonly tables: LoadedTables;
  readonly #messages: Statement;
  readonly #intents: Statement;

  /** @throws DamageError, or what SQLite throws */
  constructor(db: Database) {
    this.tables = loadTables(db, schema2);
    this.#messages = db.prepare(
      `SELECT folder, uid, verdict, target_uid, size, digest, flags, crc FROM messages
      WHERE folder = ? AND uid > ? ORDER BY uid LIMIT ${rowsPerRead}`,
    );
    this.#intents = db.prepare(
      `SELECT folder, uid, batch, fence, target_uidvalidity, size, digest, internal_date, flags, crc FROM intents
      WHERE folder = ? ORDER BY batch, uid`,
    );
    const count = (table: string) => Number(db.prepare(`SELECT count(*) FROM ${table}`).get()?.[0]);
    const counted = { messages: 0, intents: 0 };
    for (const { messages, intents } of this.tables.folders.values()) {
      counted.messages += messages.count;
      counted.intents += intents.count;
    }
    if (count('messages') !== counted.messages || count('intents') !== counted.intents) {
      throw new DamageError('it holds messages of a folder that is not there');
    }
  }

  /** The messages of a folder, ascending by UID, some at a time. @throws DamageError where they are not what they were */
  *messages({ id, messages: expected }: Pick<FolderState, 'id' | 'messages'>): Iterable<readonly MessageRow[]> {
    const found = new Tally();
    for (let lastUid = 0; ; ) {
      const rows = this.#messages.all(id, lastUid) as unknown as MessageRow[];
      for (const row of rows) count('messages', row, found);
      lastUid = rows.at(-1)?.[1] ?? 0;
      if (rows.length > 0) yield rows;
      if (rows.length < rowsPerRead) break;
    }
    if (!found.equals(expected)) throw wrongRows('messages', id);
  }

  /** The open intents of a folder in the order of batch and UID. @throws DamageError as `messages` */
  intents({ id, intents: expected }: Pick<FolderState, 'id' | 'intents'>): readonly IntentRow[] {
    const found = new Tally();
    const rows = this.#intents.all(id) as unknown as IntentRow[];
    for (const row of rows) count('intents', row, found);
    if (!found.equals(expected)) throw wrongRows('intents', id);
    return rows;
  }
}

/** The CRC was that of a JSON array, blobs in it as upper-case hex. */
function count(table: string, row: Row, found: Tally): void {
  const columns = row.slice(0, -1).map((value) => (value instanceof Uint8Array ? toHex(value) : value));
  const crc = Number(row.at(-1));
  if (crc32(JSON.stringify(columns)) !== crc) throw new DamageError(`a row of ${table} fails its checksum`);
  found.add(crc);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex').toUpperCase();
}

function wrongRows(table: string, folderId: number): DamageError {
  return new DamageError(`the ${table} of folder ${folderId} are not those it had`);
}
