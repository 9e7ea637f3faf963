/**
 * The tables. What they mean to a person with a shell stands in docs/JOURNAL.md.
 */

/** 1 was a journal without checksums. */
export const schemaVersion = 2;

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
  messages INTEGER NOT NULL,            -- rows in messages, and the sum of their CRCs
  messages_sum INTEGER NOT NULL,
  intents INTEGER NOT NULL,             -- rows in intents, and the sum of their CRCs
  intents_sum INTEGER NOT NULL,
  crc INTEGER NOT NULL
)`,

  flag_sets: `CREATE TABLE flag_sets (
  id INTEGER PRIMARY KEY,
  flags TEXT NOT NULL,                  -- joined by blanks
  crc INTEGER NOT NULL
)`,

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
  SELECT folders.source_name AS folder, messages.uid, messages.verdict, folders.target_name AS target_folder,
    messages.target_uid, messages.size, hex(messages.digest) AS digest, flag_sets.flags
  FROM messages JOIN folders ON folders.id = messages.folder JOIN flag_sets ON flag_sets.id = messages.flags`,

  intent_list: `CREATE VIEW intent_list AS
  SELECT folders.source_name AS folder, intents.uid, intents.batch, folders.target_name AS target_folder,
    intents.fence, intents.size, hex(intents.digest) AS digest, intents.internal_date, flag_sets.flags
  FROM intents JOIN folders ON folders.id = intents.folder JOIN flag_sets ON flag_sets.id = intents.flags`,
};
