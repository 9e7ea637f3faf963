import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../src/journal/database.ts';

/** From the root of the checkout: compiled for the fuzzer, this module has no such file beside it. */
const script = join('test', 'journal', 'schema-3.sql');

/** Makes `file` a journal as the version of schema 3 wrote it, for the accounts of the fixtures. */
export function writeSchema3(file: string): void {
  const db = new Database(file, { busyMs: 0 });
  db.exec(readFileSync(script, 'utf8'));
  db.close();
}
