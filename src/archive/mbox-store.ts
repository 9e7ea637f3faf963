import { closeSync, type Dirent } from 'node:fs';
import { dirname, join } from 'node:path';
import { createFile, inTree, makeDirectory, syncDirectory } from './files.ts';
import { type FolderSource, MboxFolder } from './mbox-folder.ts';
import { MboxReader } from './mbox-reader.ts';
import { directoryName, directoryOf, isSingleFile, mboxFiles, noDirectory, placeInTree, suffix } from './mbox-tree.ts';
import { MboxWriter } from './mbox-writer.ts';
import { NamedFiles } from './named-files.ts';
import type { StoreFolder, StoreOptions, TreeFolder, TreePath, TreeStore } from './store.ts';
import { isTakeout, pathKey, Takeout } from './takeout.ts';
import { TreeError } from './tree-error.ts';

/**
 * A tree of mbox files, ours or other programs', which are read only. A plain file for its root is a tree of that one file,
 * for reading.
 */
export function openMboxStore(options: StoreOptions): TreeStore {
  return new MboxStore(options);
}

const directories = new NamedFiles('', (entry: Dirent) =>
  entry.isDirectory() && !noDirectory.test(entry.name) ? directoryName(entry.name) : null,
);
const files = new NamedFiles(suffix, (entry: Dirent) =>
  entry.isFile() && !entry.name.startsWith('.') && entry.name.endsWith(suffix)
    ? entry.name.slice(0, -suffix.length)
    : null,
);

interface MutableSource extends FolderSource {
  readonly readers: MboxReader[];
  readonly takeouts: Takeout[];
}

class MboxStore implements TreeStore {
  readonly format = 'mbox';
  readonly #root: string;
  readonly #sync: boolean;
  /** Files of Takeout by their paths, as long as the store is open: they are read through to know their folders. */
  readonly #takeouts = new Map<string, Takeout>();
  #sources: ReadonlyMap<string, FolderSource> | null = null;

  constructor({ root, fsync }: StoreOptions) {
    this.#root = root;
    this.#sync = fsync === 'batch';
  }

  async listFolders(): Promise<readonly TreeFolder[]> {
    this.#sources = await this.#look();
    const folders = new Map<string, TreeFolder>();
    for (const [key, { path }] of this.#sources) {
      for (let depth = 1; depth < path.length; depth++) {
        const above = path.slice(0, depth);
        const aboveKey = pathKey(above);
        if (!folders.has(aboveKey)) {
          folders.set(aboveKey, { path: above, holdsMessages: this.#sources.has(aboveKey) });
        }
      }
      if (!folders.has(key)) folders.set(key, { path, holdsMessages: true });
    }
    return [...folders.values()];
  }

  async createFolder(path: TreePath): Promise<boolean> {
    const name = path.at(-1);
    if (name === undefined) throw new TreeError('TREE', 'a folder without a name was asked for');
    if ((await this.#find(path)) !== null) return false;
    this.#refuseSingleFile();
    let directory = this.#root;
    for (const segment of path.slice(0, -1)) directory = this.#enter(directory, segment);
    const file = files.reserve(directory, name);
    closeSync(createFile(file));
    if (this.#sync) syncBetween(directory, dirname(file));
    this.#sources = null;
    return true;
  }

  async openFolder(path: TreePath, { forWriting }: { readonly forWriting: boolean }): Promise<StoreFolder> {
    const source = await this.#find(path);
    if (source === null) throw new TreeError('NO_FOLDER', `there is no folder ${path.join('/')} in ${this.#root}`);
    if (!forWriting) return new MboxFolder(source, null);
    this.#refuseSingleFile();
    const own = source.readers.find(({ file }) => file.endsWith(suffix)) ?? source.readers[0];
    if (own === undefined) {
      throw new TreeError('TREE', `cannot write to ${path.join('/')}: it is a label in a file of Google Takeout`);
    }
    const writer = new MboxWriter(inTree(this.#root, own.file), { sync: this.#sync });
    try {
      await writer.repair();
    } catch (error) {
      writer.close();
      throw error;
    }
    return new MboxFolder(source, { writer, file: own.file });
  }

  #refuseSingleFile(): void {
    if (isSingleFile(this.#root)) {
      throw new TreeError('TREE', `${this.#root} is a single file, which is read only: choose a directory to write to`);
    }
  }

  /** The directory of a folder's folders, made where it is missing. */
  #enter(directory: string, segment: string): string {
    const found = directories.find(directory, segment);
    if (found !== null) return found;
    const made = directories.reserve(directory, segment);
    makeDirectory(made);
    if (this.#sync) syncBetween(directory, dirname(made));
    return made;
  }

  async #find(path: TreePath): Promise<FolderSource | null> {
    this.#sources ??= await this.#look();
    return this.#sources.get(pathKey(path)) ?? null;
  }

  async #look(): Promise<ReadonlyMap<string, FolderSource>> {
    const sources = new Map<string, MutableSource>();
    const sourceAt = (path: TreePath) => {
      const source = sources.get(pathKey(path)) ?? { path, readers: [], takeouts: [] };
      sources.set(pathKey(path), source);
      return source;
    };
    for (const { path, file } of mboxFiles(this.#root)) {
      const takeout = this.#takeoutOf(file);
      if (takeout === null) sourceAt(path).readers.push(this.#readerOf(file));
      else for (const folder of (await takeout.folders()).values()) sourceAt(folder.path).takeouts.push(takeout);
    }
    return sources;
  }

  #takeoutOf(file: string): Takeout | null {
    const known = this.#takeouts.get(file);
    if (known !== undefined) return known;
    if (!isTakeout(file)) return null;
    const takeout = new Takeout(this.#readerOf(file));
    this.#takeouts.set(file, takeout);
    return takeout;
  }

  #readerOf(file: string): MboxReader {
    const place = placeInTree(this.#root, file);
    return new MboxReader(join(directoryOf(this.#root), place), place);
  }
}

/** Makes new names durable: those in `inner`, and in the directories up to `outer`. */
function syncBetween(outer: string, inner: string): void {
  for (let directory = inner; ; directory = dirname(directory)) {
    syncDirectory(directory);
    if (directory === outer) return;
  }
}
