import { closeSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { createFile, inTree, listDirectory, makeDirectory, writeAll } from '../archive/files.ts';
import type { StoreFolder, TreeMessage, TreeStore } from '../archive/store.ts';
import type { TreePlace } from '../archive/tree.ts';
import { TreeError, writeError } from '../archive/tree-error.ts';
import type { CatalogueFolder } from './catalogue.ts';

const compressed = /\.(?:gz|zst)$/;

/** True for files that a browser would show as what they are not. */
export function isCompressed(file: string): boolean {
  return compressed.test(file);
}

/**
 * Copies of compressed messages as they were before, in the tree's state directory, where no folder can be. A message never
 * changes: a copy that is there stays.
 */
export class ExpandedFiles {
  readonly #root: string;
  readonly #directory: string;
  readonly #wanted = new Set<string>();

  constructor({ root, stateDirectory }: TreePlace) {
    this.#root = root;
    this.#directory = join(stateDirectory, 'index-files');
  }

  /** Writes what is missing of a folder; the copies by the files they stand for, both relative to the root. @throws TreeError */
  async write(store: TreeStore, { path, entries }: CatalogueFolder): Promise<Map<string, string>> {
    const copies = new Map<string, string>();
    const wanted = entries.filter(({ message, state }) => isCompressed(message.file) && state !== 'unreadable');
    if (wanted.length === 0) return copies;
    const folder = await store.openFolder(path, { forWriting: false });
    try {
      for (const { message } of wanted) {
        const place = message.file.replace(compressed, '');
        if (!(await this.#ensure(place, folder, message))) continue;
        const copy = inTree(this.#directory, place);
        this.#wanted.add(copy);
        copies.set(message.file, relative(this.#root, copy).split(sep).join('/'));
      }
    } finally {
      await folder.close();
    }
    return copies;
  }

  /** Makes a copy where there is none; false: the message cannot be read any more. */
  async #ensure(place: string, folder: StoreFolder, message: TreeMessage): Promise<boolean> {
    const copy = inTree(this.#directory, place);
    if (lstatSync(copy, { throwIfNoEntry: false })?.isFile() === true) return true;
    let body: readonly Buffer[];
    try {
      body = await folder.read(message);
    } catch (error) {
      if (error instanceof TreeError && (error.code === 'GONE' || error.code === 'UNREADABLE')) return false;
      throw error;
    }
    // Level by level, so that no link leads out of the tree.
    let directory = dirname(this.#directory);
    makeDirectory(directory);
    for (const name of [basename(this.#directory), ...place.split('/').slice(0, -1)]) {
      directory = join(directory, name);
      makeDirectory(directory);
    }
    writeCopy(copy, body);
    return true;
  }

  /** Removes the copies of messages that are not there any more. */
  removeOthers(): void {
    removeBelow(this.#directory, this.#wanted);
  }
}

function writeCopy(file: string, body: readonly Buffer[]): void {
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const handle = createFile(draft);
  try {
    writeAll(handle, body);
    renameSync(draft, file);
  } catch (error) {
    throw writeError(file, error);
  } finally {
    closeSync(handle);
  }
}

function removeBelow(directory: string, wanted: ReadonlySet<string>): void {
  for (const entry of listDirectory(directory) ?? []) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) removeBelow(path, wanted);
    else if (!wanted.has(path)) rmSync(path, { force: true });
  }
}
