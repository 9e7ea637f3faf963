import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../src/journal/database.ts';

/** Makes `file` a journal as the version of schema 2 wrote it, for the accounts of the fixtures. */
export function writeSchema2(file: string): void {
  const db = new Database(file, { busyMs: 0 });
  db.exec(readFileSync(join(import.meta.dirname, 'schema-2.sql'), 'utf8'));
  db.close();
}
