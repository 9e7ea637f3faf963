/**
 * How a journal of schema 3 looks, which knew no dates of messages, and of folders their names only.
 */

import type { Layout } from './load.ts';
import { schema } from './schema.ts';

/** As SQLite stored it; what is not here has stayed. */
const schema3 = {
  ...schema,

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
  messages INTEGER NOT NULL,            -- messages in message_blocks, and the sum of the blocks' CRCs
  messages_sum INTEGER NOT NULL,
  intents INTEGER NOT NULL,             -- messages in intent_batches, and the sum of the batches' CRCs
  intents_sum INTEGER NOT NULL,
  crc INTEGER NOT NULL
)`,

  message_blocks: `CREATE TABLE message_blocks (
  id INTEGER PRIMARY KEY,               -- folder * 4294967296 + first_uid
  folder INTEGER NOT NULL REFERENCES folders (id),
  first_uid INTEGER NOT NULL,           -- of the UIDs from here
  last_uid INTEGER NOT NULL,            -- to here no other block of the folder has any
  uids TEXT NOT NULL,                   -- at the source; JSON, as all columns of text but verdicts: one element a message
  verdicts TEXT NOT NULL,               -- one letter a message: c(opied) | a(dopted) | g(one)
  target_uids TEXT NOT NULL,            -- 0: the server told none
  sizes TEXT,                           -- bytes; null or NULL: not known
  digests BLOB,                         -- SHA-256, 32 bytes a message; zeros or NULL: content not compared
  flags TEXT NOT NULL,                  -- ids of flag_sets
  crc INTEGER NOT NULL
)`,

  message_list: `CREATE VIEW message_list AS
  SELECT folders.source_name AS folder, one.value AS uid,
    CASE substr(block.verdicts, one.key + 1, 1) WHEN 'c' THEN 'copied' WHEN 'a' THEN 'adopted' ELSE 'gone' END AS verdict,
    folders.target_name AS target_folder,
    nullif(json_extract(block.target_uids, '$[' || one.key || ']'), 0) AS target_uid,
    json_extract(block.sizes, '$[' || one.key || ']') AS size,
    hex(nullif(substr(block.digests, one.key * 32 + 1, 32), zeroblob(32))) AS digest,
    flag_sets.flags
  FROM folders
  CROSS JOIN message_blocks AS block
    ON block.id BETWEEN folders.id * 4294967296 AND folders.id * 4294967296 + 4294967295
  CROSS JOIN json_each(block.uids) AS one
  CROSS JOIN flag_sets ON flag_sets.id = json_extract(block.flags, '$[' || one.key || ']')`,
} as Readonly<Record<string, string>>;

/** Its rows begin like those of today. */
export const version3: Layout = {
  schema: schema3,
  folderColumns: [
    'id',
    'source_name',
    'target_name',
    'source_uidvalidity',
    'target_uidvalidity',
    'fence',
    'in_doubt',
    'flags_modseq',
    'finished_messages',
    'finished_uidnext',
    'finished_uidvalidity',
    'finished_modseq',
    'finished_size',
    'messages',
    'messages_sum',
    'intents',
    'intents_sum',
  ],
  blockColumns: 'id, folder, first_uid, last_uid, uids, verdicts, target_uids, sizes, digests, flags',
};

/** Makes room in a journal of schema 3 for the tables of today; its messages are in `blocks_3` then. */
export const setAside3: readonly string[] = [
  'DROP VIEW message_list',
  'ALTER TABLE message_blocks RENAME TO blocks_3',
  'DROP TABLE folders',
];
