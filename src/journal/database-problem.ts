/**
 * SQLite's errors, told apart. Apart from the database itself, so that the main thread need not load it.
 */

/** What went wrong, by SQLite's result code. */
export type DatabaseProblem =
  /** The file's content cannot be right (CORRUPT, NOTADB). */
  | 'damaged'
  /** Another connection holds a lock (BUSY, LOCKED). */
  | 'busy'
  /** The disk, the file system or the memory says no (FULL, IOERR, READONLY, CANTOPEN, …). */
  | 'refused'
  /** A statement that does not fit the file or the program. */
  | 'other';

const problemOfCode: Readonly<Record<number, DatabaseProblem>> = {
  3: 'refused',
  5: 'busy',
  6: 'busy',
  7: 'refused',
  8: 'refused',
  10: 'refused',
  11: 'damaged',
  13: 'refused',
  14: 'refused',
  15: 'refused',
  23: 'refused',
  26: 'damaged',
};

/** SQLITE_IOERR_SHORT_READ: the file ends in the middle of what it should hold. */
const shortRead = 522;

/** What kind of failure SQLite reports; `null`: the error is not SQLite's. */
export function databaseProblem(error: unknown): DatabaseProblem | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return null;
  // Where the package reads many rows at once, it forgets what SQLite said.
  if (!('errcode' in error) || typeof error.errcode !== 'number') return 'other';
  return error.errcode === shortRead ? 'damaged' : (problemOfCode[error.errcode & 0xff] ?? 'other');
}
