/**
 * Files of a tree. Nothing here follows a link, opens anything but a plain file, or writes over a file that is there; what is
 * made can be read by its owner only.
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  unlinkSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { readError, systemCode, TreeError, writeError } from './tree-error.ts';

// Windows knows neither links in the way of an attacker nor these.
const noFollow = constants.O_NOFOLLOW ?? 0;
// Opening a pipe would wait for its other end.
const noWait = constants.O_NONBLOCK ?? 0;

/** Slices in one call; the system takes no more than IOV_MAX. */
const maxSlices = 1024;

/**
 * The root of a tree as an absolute path without links. `create`: makes it, for its owner only, where it is missing.
 * `forWriting`: it must be a directory of our own, since whoever owns it can exchange whatever is in it.
 */
export function openRoot(path: string, options: { readonly create: boolean; readonly forWriting: boolean }): string {
  try {
    if (options.create) mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(path, error);
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new TreeError('TREE', `there is no directory ${path}`);
  if (!stat.isDirectory()) throw new TreeError('TREE', `${path} is no directory`);
  const user = process.getuid?.();
  if (options.forWriting && user !== undefined && stat.uid !== user) {
    throw new TreeError(
      'TREE',
      `${path} belongs to somebody else: choose a directory of your own, or change its owner`,
    );
  }
  return realpathSync(path);
}

/** What is in a directory but links, pipes and devices, sorted by name; `null`: there is no such directory. */
export function listDirectory(path: string): Dirent[] | null {
  try {
    if (lstatSync(path).isSymbolicLink()) return null;
    const entries = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile() || entry.isDirectory());
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw readError(path, error);
  }
}

/** Makes a directory below one that is there; false: it was there. @throws TreeError where something else is */
export function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(path, error);
    if (lstatSync(path).isDirectory()) return false;
    throw new TreeError('TREE', `${path} is no directory, and should be one`);
  }
}

/** A new file, open for writing; the caller closes it. @throws TreeError, also where there is one of that name */
export function createFile(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o600);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** A plain file that is there, open for reading, or for both; the caller closes it. @throws TreeError */
export function openFile(path: string, options: { readonly forWriting: boolean } = { forWriting: false }): number {
  return openPlain(path, options).handle;
}

function openPlain(
  path: string,
  { forWriting }: { readonly forWriting: boolean },
): { readonly handle: number; readonly size: number } {
  const mode = forWriting ? constants.O_RDWR : constants.O_RDONLY;
  let handle: number;
  try {
    handle = openSync(path, mode | noFollow | noWait);
  } catch (error) {
    throw forWriting && systemCode(error) !== 'ENOENT' ? writeError(path, error) : readError(path, error);
  }
  const stat = fstatSync(handle);
  if (stat.isFile()) return { handle, size: stat.size };
  closeSync(handle);
  throw new TreeError('UNREADABLE', `cannot read ${path}: it is no plain file`);
}

/** A whole file, or as much of it as `maxBytes`; not to be kept for long. @throws TreeError */
export function readWhole(path: string, { maxBytes = Number.POSITIVE_INFINITY } = {}): Buffer {
  const { handle, size } = openPlain(path, { forWriting: false });
  try {
    const length = Math.min(size, maxBytes);
    return fill(handle, 0, length > maxShared ? Buffer.allocUnsafeSlow(length) : sharedBuffer(length));
  } catch (error) {
    throw readError(path, error);
  } finally {
    closeSync(handle);
  }
}

/** Small files that are read one after the other share memory: each by itself is a burden to the collector. */
const sharedBytes = 256 * 1024;
const maxShared = 64 * 1024;
let shared = Buffer.alloc(0);

function sharedBuffer(length: number): Buffer {
  if (shared.length < length) shared = Buffer.allocUnsafeSlow(sharedBytes);
  const bytes = shared.subarray(0, length);
  shared = shared.subarray(length);
  return bytes;
}

/** `length` bytes from `offset` on, fewer where the file ends. @throws what Node throws */
export function readAt(handle: number, offset: number, length: number): Buffer {
  return fill(handle, offset, Buffer.allocUnsafeSlow(length));
}

function fill(handle: number, offset: number, bytes: Buffer): Buffer {
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(handle, bytes, filled, bytes.length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Writes all of it, in order, at the file's position, or from `offset` on. @throws what Node throws */
export function writeAll(handle: number, slices: readonly Buffer[], offset: number | null = null): void {
  let at = offset;
  for (let start = 0; start < slices.length; start += maxSlices) {
    let part = slices.slice(start, start + maxSlices);
    while (part.length > 0) {
      const written = at === null ? writevSync(handle, part) : writevSync(handle, part, at);
      if (at !== null) at += written;
      part = dropBytes(part, written);
    }
  }
}

/** What is left of `slices` behind so many bytes. */
function dropBytes(slices: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  let index = 0;
  while (index < slices.length && left >= (slices[index]?.length ?? 0)) left -= slices[index++]?.length ?? 0;
  const rest = slices.slice(index);
  if (left > 0 && rest[0] !== undefined) rest[0] = rest[0].subarray(left);
  return rest;
}

/** Resolves when all of the files are on the disk. @throws what Node throws */
export async function syncFiles(handles: readonly number[]): Promise<void> {
  const synced = handles.map(
    (handle) =>
      new Promise<void>((resolve, reject) => {
        fsync(handle, (error) => (error === null ? resolve() : reject(error)));
      }),
  );
  // None may be closed before all are done with it.
  const [failed] = (await Promise.allSettled(synced)).filter((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Deletes a file that is in the way, if it is there and can be. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // What is left is looked for again when the folder is opened.
  }
}

/** Makes the names in a directory durable. @throws TreeError */
export function syncDirectory(path: string): void {
  // Windows cannot open a directory, and keeps its names without.
  if (process.platform === 'win32') return;
  try {
    const handle = openSync(path, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

/** A file of the tree, by its place below the root. @throws TreeError where that would lead out of it */
export function inTree(root: string, file: string): string {
  const parts = file.split('/');
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (!isInside) throw new TreeError('TREE', `${file} is no name of a file in ${root}`);
  return join(root, ...parts);
}
