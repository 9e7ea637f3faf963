/**
 * Reading small files that hold settings and secrets.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';

/** Nothing that is configured is longer; whoever names a mail file by mistake hears of it at once. */
const maxBytes = 1024 * 1024;
/** Read and write for group and others. */
const foreignAccess = 0o066;

export interface PrivateFile {
  readonly bytes: Buffer;
  /** Others than the owner may read or change it. Never true on Windows, where the mode says nothing. */
  readonly exposed: boolean;
}

/**
 * The content of a file of at most 1 MiB, with its access rights as they were when it was read.
 * @param what How a message calls the file: `src.ini` or `src.ini:4: password_file (secret.txt)`.
 * @throws ConfigError where it cannot be read.
 */
export async function readPrivateFile(path: string, what: string): Promise<PrivateFile> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, 'r');
    const { mode } = await handle.stat();
    const bytes = await readAll(handle);
    if (bytes === null) throw new ConfigError(`${what}: is larger than ${maxBytes} bytes, which no such file is`);
    return { bytes, exposed: process.platform !== 'win32' && (mode & foreignAccess) !== 0 };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${what}: ${reasonOf(error)}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** A path as written in the file `settingsFile`: `~/` is the home directory, relative means beside that file. */
export function resolvePath(path: string, settingsFile: string, env: NodeJS.ProcessEnv): string {
  if (path === '~' || path.startsWith('~/')) return join(env.HOME ?? homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(dirname(settingsFile), path);
}

/** What to do about a file that is exposed: `run "chmod 600 src.ini"`. */
export function chmodAdvice(path: string): string {
  const quoted = /^[\w./~+@%:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  return `run "chmod 600 ${quoted}"`;
}

/** Not `readFile`: a pipe has no size, and `/dev/zero` has no end. */
async function readAll(handle: FileHandle): Promise<Buffer | null> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  return null;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file: check the path';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by you: check its owner and mode';
    case 'EISDIR':
      return 'is a directory, not a file';
    default:
      return `cannot be read (${code === '' ? 'unknown reason' : code})`;
  }
}
