/**
 * Whether a file is a journal that this version knows.
 */

import type { Database } from './database.ts';
import { damagedJournal, foreignJournal, outdatedJournal } from './failure.ts';
import { applicationId, oldestSchema, schemaVersion } from './schema.ts';

/**
 * The version of the journal's schema, today's or one that can be upgraded.
 * `logged: false`: it was opened without its log.
 * @throws MigrateError (exit 9) where the file is no journal of this program, or one it does not know
 */
export function checkKind(
  db: Database,
  file: string,
  { logged }: { readonly logged: boolean } = { logged: true },
): number {
  const version = Number(db.pragma('user_version'));
  const isOurs = db.pragma('application_id') === applicationId;
  if (!isOurs && version === 1) throw outdatedJournal(file);
  if (!isOurs) throw damagedJournal(file, 'it is not a journal of this program');
  if (version > schemaVersion) {
    throw foreignJournal(
      `the journal ${file} was written by a newer version (schema ${version}, this one knows ${schemaVersion}): use that version, or another --state DIR`,
    );
  }
  if (version < oldestSchema) throw damagedJournal(file, `it has no schema ${version}`);
  if (logged && db.pragma('journal_mode') !== 'wal') throw damagedJournal(file, 'it has lost its write-ahead log');
  return version;
}
