/**
 * Which files of a tree are folders. Ours: `A/B.mbox` is the folder A/B, and `A.mbox` beside the directory is A. Of other
 * programs: any file that begins as an mbox does, whatever its name; Thunderbird's `A.sbd` is the directory of A's folders.
 */
import { closeSync, type Dirent, fstatSync, lstatSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fromFileNames, isContinued } from './file-name.ts';
import { FileWindow } from './file-window.ts';
import { listDirectory, openFile } from './files.ts';
import { isFromAt } from './mbox-scan.ts';
import type { TreePath } from './store.ts';

export const suffix = '.mbox';

/** What other programs put beside their folders, and other kinds of trees. */
const noFolder = /^\.|\.(?:lock|msf|eml|gz|zst|db|html|dat|sqlite|json)$/i;

/** Of a Maildir. */
export const noDirectory = /^(?:\.|(?:cur|new|tmp)$)/;

/** Directories in directories that are looked into. */
const maxDepth = 100;

/** Every folder below a directory or in a single file, absolute paths; parents first where they have a file. */
export function* mboxFiles(root: string): Generator<{ readonly path: TreePath; readonly file: string }> {
  if (isSingleFile(root)) {
    yield { path: [nameOf(basename(root))], file: root };
    return;
  }
  yield* filesBelow(root, [], [], 0);
}

function* filesBelow(
  directory: string,
  parent: TreePath,
  outer: readonly string[],
  depth: number,
): Generator<{ readonly path: TreePath; readonly file: string }> {
  const entries = listDirectory(directory) ?? [];
  for (const entry of entries) {
    const file = join(directory, entry.name);
    if (entry.isFile() && isMbox(file, entry, entries)) {
      const segment = fromFileNames([...outer, nameOf(entry.name)]);
      const isTheirs = parent.length === 0 && !entry.name.endsWith(suffix);
      yield { path: [...parent, isTheirs ? topName(segment) : segment], file };
    }
  }
  if (depth === maxDepth) return;
  for (const entry of entries) {
    if (!entry.isDirectory() || noDirectory.test(entry.name)) continue;
    const below = join(directory, entry.name);
    if (isContinued(entry.name)) yield* filesBelow(below, parent, [...outer, entry.name], depth + 1);
    else {
      const segment = fromFileNames([...outer, directoryName(entry.name)]);
      const name = parent.length === 0 && entry.name.endsWith('.sbd') ? topName(segment) : segment;
      yield* filesBelow(below, [...parent, name], [], depth + 1);
    }
  }
}

/** A file's name without what tells its format. */
function nameOf(fileName: string): string {
  return fileName.endsWith(suffix) && fileName !== suffix ? fileName.slice(0, -suffix.length) : fileName;
}

/** The name of a directory of folders. */
export function directoryName(fileName: string): string {
  return fileName.endsWith('.sbd') && fileName !== '.sbd' ? fileName.slice(0, -4) : fileName;
}

/** Thunderbird's `Inbox`: RFC 3501 5.1 has one spelling for it. */
function topName(segment: string): string {
  return /^inbox$/i.test(segment) ? 'INBOX' : segment;
}

/** True for a folder's file. One that is empty tells of itself by its name, or by Thunderbird's index beside it. */
function isMbox(file: string, entry: Dirent, beside: readonly Dirent[]): boolean {
  if (noFolder.test(entry.name)) return false;
  if (entry.name.endsWith(suffix)) return true;
  if (lstatSync(file).size === 0) return beside.some(({ name }) => name === `${entry.name}.msf`);
  return beginsAsMbox(file);
}

function beginsAsMbox(file: string): boolean {
  const handle = openFile(file);
  try {
    return isFromAt(new FileWindow(handle, fstatSync(handle).size, 4096), 0);
  } finally {
    closeSync(handle);
  }
}

/** True where the tree is one plain file. */
export function isSingleFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** A file's place in the tree as messages name it, with `/`. Of a single file its own name. */
export function placeInTree(root: string, file: string): string {
  return isSingleFile(root) ? basename(root) : relative(root, file).split(sep).join('/');
}

/** The directory that places in the tree are relative to. */
export function directoryOf(root: string): string {
  return isSingleFile(root) ? dirname(root) : root;
}
