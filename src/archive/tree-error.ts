import { exitCodes, MigrateError } from '../errors.ts';

/**
 * What went wrong with a tree on the disk.
 *
 * `DISK` it is full, or may not be written (exit 10) · `TREE` it is not what it should be: no directory, a link, somebody
 * else's (exit 2) · `NO_FOLDER`, `GONE` a folder or a message is not there · `UNREADABLE` a file cannot be read, or its
 * contents make no sense.
 */
export type TreeErrorCode = 'DISK' | 'TREE' | 'NO_FOLDER' | 'GONE' | 'UNREADABLE';

const exitCodeOf: Readonly<Record<TreeErrorCode, number>> = {
  DISK: exitCodes.disk,
  TREE: exitCodes.usage,
  NO_FOLDER: exitCodes.partial,
  GONE: exitCodes.partial,
  UNREADABLE: exitCodes.partial,
};

export class TreeError extends MigrateError {
  override readonly name = 'TreeError';
  declare readonly code: TreeErrorCode;

  constructor(code: TreeErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, exitCodeOf[code], message, options);
  }
}

/** The system's own code of an error: `ENOENT`; `null`: it is not the system's. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

const writeProblems: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room, then run again',
  EDQUOT: 'your quota on this disk is used up: make room, then run again',
  EROFS: 'the disk can only be read',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EIO: 'the disk reports an error',
  EFBIG: 'the file would be bigger than allowed',
};

/** What kept us from writing `path`. A `TreeError` stays as it is. */
export function writeError(path: string, error: unknown): TreeError {
  if (error instanceof TreeError) return error;
  const known = writeProblems[systemCode(error) ?? ''];
  const why = known ?? (error instanceof Error ? error.message : String(error));
  return new TreeError('DISK', `cannot write ${path}: ${why}`, { cause: error });
}

/** What kept us from reading `path`: it is gone, or it cannot be read. A `TreeError` stays as it is. */
export function readError(path: string, error: unknown): TreeError {
  if (error instanceof TreeError) return error;
  if (systemCode(error) === 'ENOENT') return new TreeError('GONE', `${path} is not there any more`, { cause: error });
  const why = systemCode(error) === 'ELOOP' ? 'it is a link' : error instanceof Error ? error.message : String(error);
  return new TreeError('UNREADABLE', `cannot read ${path}: ${why}`, { cause: error });
}
