import { closeSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './dot-lock.ts';
import { createFile, listDirectory, readWhole, removeFile, syncDirectory, syncFiles, writeAll } from './files.ts';
import { type TreeFormat, treeFormats } from './store.ts';
import { readError, systemCode, TreeError, writeError } from './tree-error.ts';

/** What a tree knows of itself, in a file of its state directory: without it, it is a tree that other programs made. */
export interface TreeState {
  readonly format: TreeFormat;
  /** Of all its folders (RFC 9051 2.3.1.1): UIDs in the names of messages are those of this tree. */
  readonly uidValidity: number;
}

const fileName = 'format';

/** What a tree says of itself; `null`: nothing. @throws TreeError where that makes no sense */
export function readTreeState(directory: string): TreeState | null {
  refuseLinks(directory);
  const file = join(directory, fileName);
  let text: string;
  try {
    text = readWhole(file).toString('latin1');
  } catch (error) {
    if (error instanceof TreeError && error.code === 'GONE') return null;
    throw error;
  }
  const [, word, digits] = /^([a-z]+) ([1-9]\d{0,9})\n$/.exec(text) ?? [];
  const format = treeFormats.find((known) => known === word);
  if (format === undefined) throw new TreeError('TREE', `${file} names no kind of tree that this version knows`);
  return { format, uidValidity: Number(digits) };
}

/** The same; where there is nothing it is written. Several may do so at once: what the first of them wrote holds. */
export async function ensureTreeState(directory: string, format: TreeFormat, wallClockMs: number): Promise<TreeState> {
  removeDrafts(directory);
  const known = readTreeState(directory);
  if (known !== null) return known;
  const file = join(directory, fileName);
  const draft = `${file}.${process.pid}.${crypto.randomUUID()}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const handle = createFile(draft);
    try {
      writeAll(handle, [Buffer.from(`${format} ${Math.floor(wallClockMs / 1000)}\n`)]);
      await syncFiles([handle]);
    } finally {
      closeSync(handle);
    }
    linkSync(draft, file);
    syncDirectory(directory);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(file, error);
  } finally {
    rmSync(draft, { force: true });
  }
  const state = readTreeState(directory);
  if (state === null) throw new TreeError('TREE', `${file} was removed just now`);
  return state;
}

/** Removes what a process that is gone was about to write. */
function removeDrafts(directory: string): void {
  for (const { name } of listDirectory(directory) ?? []) {
    const pid = /^format\.(\d+)\.[0-9a-f-]+$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeFile(join(directory, name));
  }
}

/** What is read or written there would be somebody's elsewhere. @throws TreeError */
function refuseLinks(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return;
  const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const link = isLink(directory) ? directory : namesIn(directory).find(isLink);
  if (link !== undefined) throw new TreeError('TREE', `${link} is a link, which no tree of ours has there: remove it`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch (error) {
    throw readError(directory, error);
  }
}
