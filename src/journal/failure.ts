/**
 * How a journal fails: as one sentence that says what to do.
 */

import { exitCodes, MigrateError } from '../errors.ts';
import { databaseProblem } from './database-problem.ts';
import { placeOf } from './names.ts';

/** The content cannot be right. Thrown by whoever reads; becomes a `MigrateError` where the file's name is known. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

const rebuildAdvice =
  'run again with --rebuild, which puts it aside and matches everything at the target again by content';

/** Exit 9: `what` is wrong with the file. */
export function damagedJournal(file: string, what: string, cause?: unknown): MigrateError {
  return new MigrateError('JOURNAL', exitCodes.journal, `the journal ${file} is damaged (${what}): ${rebuildAdvice}`, {
    cause,
  });
}

/** Exit 9: the file is sound, but not one this program can go on with. */
export function foreignJournal(message: string): MigrateError {
  return new MigrateError('JOURNAL', exitCodes.journal, message);
}

/** Exit 2: what lies at that place is another source's. */
export function foreignTree(directory: string, itsSource: string, source: string): MigrateError {
  return new MigrateError(
    'USAGE',
    exitCodes.usage,
    `${directory} is in the backup of ${itsSource}, not of ${source}: choose another directory, or take it over with --rebuild, which finds out by content what is there already`,
  );
}

/** The journal of an earlier version, which is matched anew. */
export function outdatedJournal(file: string): MigrateError {
  return foreignJournal(`the journal ${file} was written by an earlier version without checksums: ${rebuildAdvice}`);
}

/** Exit 10: the directory or the disk refuses. */
export function stateError(message: string, cause?: unknown): MigrateError {
  return new MigrateError('STATE', exitCodes.disk, message, { cause });
}

/** What an error met while opening or reading the journal means. */
export function toReadError(error: unknown, file: string): unknown {
  if (error instanceof MigrateError) return error;
  if (error instanceof DamageError || isOutOfRange(error)) return damagedJournal(file, error.message, error);
  const problem = databaseProblem(error);
  const reason = reasonOf(error);
  switch (problem) {
    case 'damaged':
    case 'other':
      return damagedJournal(file, reason, error);
    case 'busy':
      return stateError(`cannot open the journal ${file}: ${reason}; ${busyAdvice}`, error);
    case 'refused':
      return stateError(`cannot open the journal ${file}: ${reason}; ${directoryAdvice(file)}`, error);
    case null:
      if (!isSystemError(error)) return error;
      return stateError(`cannot open the journal ${file}: ${reason}; ${directoryAdvice(file)}`, error);
    default:
      return problem satisfies never;
  }
}

/** What an error met while writing the journal means: nothing of that commit is kept. */
export function toWriteError(error: unknown, file: string): unknown {
  if (error instanceof MigrateError) return error;
  if (error instanceof DamageError) return damagedJournal(file, error.message, error);
  const problem = databaseProblem(error);
  const reason = reasonOf(error);
  switch (problem) {
    case 'damaged':
      return damagedJournal(file, reason, error);
    case 'busy':
      return stateError(`cannot write the journal ${file}: ${reason}; ${busyAdvice}`, error);
    case 'refused':
      return stateError(`cannot write the journal ${file}: ${reason}; ${diskAdvice}`, error);
    case 'other':
    case null:
      return error;
    default:
      return problem satisfies never;
  }
}

const busyAdvice = 'another program holds it (a database shell?): end that and run again';
const directoryAdvice = (file: string) =>
  placeOf(file).kind === 'tree'
    ? 'see to it that its directory can be used'
    : 'choose another directory with --state DIR';
const diskAdvice = 'nothing more is copied: make room, or see to the disk, and run again';

/** A number in the file that none of ours can be: the package does not give it. */
function isOutOfRange(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
