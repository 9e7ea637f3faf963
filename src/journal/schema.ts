/**
 * The tables. What they mean to a person with a shell stands in docs/JOURNAL.md.
 */

/** 1 was a journal without checksums; 2 had a row for each message; 3 knew no dates, and of folders their names only. */
export const schemaVersion = 4;

/** What is turned into a journal of today where it is met (`upgrade.ts`). */
export const oldestSchema = 3;

/** `application_id` of the file: "IMmj". */
export const applicationId = 0x494d6d6a;

/** Commits that are kept: at least this many, at most twice as many. */
export const keptCommits = 1024;

/** Id of the oldest commit that is kept when `last` is the newest: old ones go in whole lots. */
export function firstKeptCommit(last: number): number {
  return Math.max(0, Math.floor(last / keptCommits) - 1) * keptCommits + 1;
}

/** One statement per object, exactly as SQLite stores them, so that a damaged schema shows. */
export const schema: Readonly<Record<string, string>> = {
  meta: `CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID`,

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
  special_use TEXT,                     -- of the source folder; NULL: none
  subscribed INTEGER,                   -- NULL: not known
  source_delimiter TEXT,
  crc INTEGER NOT NULL
)`,

  flag_sets: `CREATE TABLE flag_sets (
  id INTEGER PRIMARY KEY,
  flags TEXT NOT NULL,                  -- joined by blanks
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
  internal_dates TEXT,                  -- as the source wrote them; NULL: none is kept
  crc INTEGER NOT NULL
)`,

  intent_batches: `CREATE TABLE intent_batches (
  id INTEGER PRIMARY KEY,               -- one APPEND command
  folder INTEGER NOT NULL REFERENCES folders (id),
  fence INTEGER,                        -- target UIDNEXT before it
  target_uidvalidity INTEGER,
  uids TEXT NOT NULL,                   -- JSON, as all columns of text: one element a message
  sizes TEXT NOT NULL,
  digests BLOB,                         -- SHA-256, 32 bytes a message
  internal_dates TEXT NOT NULL,
  flags TEXT NOT NULL,                  -- ids of flag_sets
  crc INTEGER NOT NULL
)`,

  commits: `CREATE TABLE commits (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,                     -- UTC
  kind TEXT NOT NULL,                   -- created | write | closed
  records INTEGER NOT NULL,
  row_count INTEGER NOT NULL,           -- over meta, flag_sets and folders
  row_sum INTEGER NOT NULL,
  chain TEXT NOT NULL
)`,

  message_list: `CREATE VIEW message_list AS
  SELECT folders.source_name AS folder, one.value AS uid,
    CASE substr(block.verdicts, one.key + 1, 1) WHEN 'c' THEN 'copied' WHEN 'a' THEN 'adopted' ELSE 'gone' END AS verdict,
    folders.target_name AS target_folder,
    nullif(json_extract(block.target_uids, '$[' || one.key || ']'), 0) AS target_uid,
    json_extract(block.sizes, '$[' || one.key || ']') AS size,
    hex(nullif(substr(block.digests, one.key * 32 + 1, 32), zeroblob(32))) AS digest,
    json_extract(block.internal_dates, '$[' || one.key || ']') AS internal_date, flag_sets.flags
  FROM folders
  CROSS JOIN message_blocks AS block
    ON block.id BETWEEN folders.id * 4294967296 AND folders.id * 4294967296 + 4294967295
  CROSS JOIN json_each(block.uids) AS one
  CROSS JOIN flag_sets ON flag_sets.id = json_extract(block.flags, '$[' || one.key || ']')`,

  intent_list: `CREATE VIEW intent_list AS
  SELECT folders.source_name AS folder, one.value AS uid, batch.id AS batch, folders.target_name AS target_folder,
    batch.fence, json_extract(batch.sizes, '$[' || one.key || ']') AS size,
    hex(substr(batch.digests, one.key * 32 + 1, 32)) AS digest,
    json_extract(batch.internal_dates, '$[' || one.key || ']') AS internal_date, flag_sets.flags
  FROM intent_batches AS batch
  CROSS JOIN folders ON folders.id = batch.folder
  CROSS JOIN json_each(batch.uids) AS one
  CROSS JOIN flag_sets ON flag_sets.id = json_extract(batch.flags, '$[' || one.key || ']')`,
};

/** What is multiplied with a folder's id in the ids of its blocks: UIDs are below. */
const uidRange = 2 ** 32;

/** The id that a block of the folder has, or would have, whose first UID is `uid`. */
export function blockId(folderId: number, uid: number): number {
  return folderId * uidRange + uid;
}
