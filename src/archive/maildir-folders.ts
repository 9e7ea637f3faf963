/**
 * Folders of a Maildir tree as directories. In Maildir++ each is a directory `.A.B` of the root; in the file-system layout they
 * are nested. The root itself is the inbox. Names are written in modified UTF-7, as Dovecot writes them, after what could do
 * harm has been escaped (see `file-name.ts`). Whatever the layout, directories of the other kind are found, too.
 */
import { createHash } from 'node:crypto';
import { closeSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFolderName, encodeFolderName } from '../protocol/index.ts';
import { foldName, fromFileNames, toFileName } from './file-name.ts';
import { createFile, listDirectory, makeDirectory, readWhole, syncDirectory, writeAll } from './files.ts';
import type { StoreOptions, TreePath } from './store.ts';
import { TreeError, writeError } from './tree-error.ts';

/** Longest name of a directory: longer ones are a hash, and the name is in a file. */
const maxNameBytes = 200;
const hashedName = /^imap-migrate-[0-9a-f]{32}$/;
const nameFile = 'imap-migrate-name';
const maxNameFileBytes = 64 * 1024;

/** How many letters may be escaped to tell names apart. */
const maxEscaped = 16;

const inboxKey = keyOf(['INBOX']);

/** A directory that holds messages. */
export interface MaildirPlace {
  readonly path: TreePath;
  /** Relative to the root, with `/`; the root itself is empty. */
  readonly directory: string;
}

export class MaildirFolders {
  readonly #root: string;
  readonly #fsync: boolean;
  readonly #newLayout: StoreOptions['layout'];
  #places = new Map<string, MaildirPlace>();
  /** Names of directories by the path of what they stand for, folders or not: what is below them is put there. */
  #names = new Map<string, string>();
  /** What is in a directory, by folded name, where that has been looked at. */
  readonly #taken = new Map<string, Map<string, string>>();
  #layout: StoreOptions['layout'] | null = null;
  #isListed = false;

  constructor({ root, fsync, layout }: Pick<StoreOptions, 'root' | 'fsync' | 'layout'>) {
    this.#root = root;
    this.#fsync = fsync === 'batch';
    this.#newLayout = layout;
  }

  /** All that are there now. @throws TreeError */
  list(): readonly MaildirPlace[] {
    this.#places = new Map();
    this.#names = new Map();
    this.#taken.clear();
    this.#isListed = true;
    if (isMaildir(this.#root)) this.#add(['INBOX'], '');
    const entries = directoriesIn(this.#root);
    for (const name of entries.filter(isFlat)) this.#addFlat(name);
    const flat = this.#places.size;
    for (const name of entries.filter((entry) => !isFlat(entry))) this.#addNested([], '', name);
    // The inbox belongs to both.
    const inbox = this.#places.has(inboxKey) ? 1 : 0;
    const nested = this.#places.size - flat;
    if (this.#places.size > inbox) this.#layout = nested > flat - inbox ? 'fs' : 'maildir++';
    return [...this.#places.values()];
  }

  /** `null`: there is none. @throws TreeError */
  find(path: TreePath): MaildirPlace | null {
    const known = this.#known(path);
    if (known !== null) return known;
    this.list();
    return this.#known(path);
  }

  #known(path: TreePath): MaildirPlace | null {
    const place = this.#places.get(keyOf(path));
    return place !== undefined && isMaildir(join(this.#root, place.directory)) ? place : null;
  }

  /** Makes the directories of a folder; false: they were there. @throws TreeError */
  create(path: TreePath): boolean {
    // Listed once for all the folders of an account: an index for each would take minutes.
    if (!this.#isListed) this.list();
    if (this.#known(path) !== null) return false;
    this.#places.delete(keyOf(path));
    const directory = keyOf(path) === inboxKey ? '' : this.#reserve(path);
    const absolute = join(this.#root, directory);
    // Without a `cur` it is no folder yet.
    for (const name of ['tmp', 'new', 'cur']) makeDirectory(join(absolute, name));
    if (this.#fsync) syncDirectory(absolute);
    this.#add(path, directory);
    return true;
  }

  #reserve(path: TreePath): string {
    return (this.#layout ?? this.#newLayout) === 'maildir++' ? this.#reserveFlat(path) : this.#reserveNested(path);
  }

  #reserveFlat(path: TreePath): string {
    const parent = path.slice(0, -1);
    const known = this.#names.get(keyOf(parent));
    const isUsable = known !== undefined && isFlat(known);
    const prefix = isUsable ? known : parent.map((segment) => `.${toFlatName(segment)}`).join('');
    const name = this.#freeName('', (escaped) => {
      const whole = `${prefix}.${toFlatName(path.at(-1) ?? '', escaped)}`;
      return Buffer.byteLength(whole) > maxNameBytes ? `.${hashOf(path)}` : whole;
    });
    this.#makeDirectory(name, path, name.slice(1));
    const marker = join(this.#root, name, 'maildirfolder');
    if (lstatSync(marker, { throwIfNoEntry: false }) === undefined) closeSync(createFile(marker));
    return name;
  }

  #reserveNested(path: TreePath): string {
    let directory = '';
    for (const [index, segment] of path.entries()) {
      const outer = path.slice(0, index + 1);
      const known = this.#names.get(keyOf(outer));
      if (known !== undefined && !isFlat(known)) {
        directory = known;
        continue;
      }
      const name = this.#freeName(directory, (escaped) => {
        const encoded = encodeFolderName(toFileName(segment, { escaped }));
        return Buffer.byteLength(encoded) > maxNameBytes ? hashOf([segment]) : encoded;
      });
      directory = directory === '' ? name : `${directory}/${name}`;
      this.#makeDirectory(directory, [segment], name);
      this.#names.set(keyOf(outer), directory);
    }
    return directory;
  }

  /** A name in `directory` that no file system takes for what is there. */
  #freeName(directory: string, encode: (escaped: number) => string): string {
    const absolute = join(this.#root, directory);
    let taken = this.#taken.get(directory);
    if (taken === undefined) {
      taken = new Map(listDirectory(absolute)?.map((entry) => [foldName(entry.name), entry.name]));
      this.#taken.set(directory, taken);
    }
    for (let escaped = 0; escaped < maxEscaped; escaped++) {
      const name = encode(escaped);
      const similar = taken.get(foldName(name));
      // Of that very name there may be half a folder: a crash left it.
      if (similar !== undefined && (similar !== name || isMaildir(join(absolute, name)))) continue;
      taken.set(foldName(name), name);
      return name;
    }
    throw new TreeError('TREE', `there are too many folders in ${absolute} whose names are much the same`);
  }

  #makeDirectory(directory: string, segments: TreePath, name: string): void {
    const absolute = join(this.#root, directory);
    if (makeDirectory(absolute) && this.#fsync) syncDirectory(join(absolute, '..'));
    if (!hashedName.test(name)) return;
    const file = join(absolute, nameFile);
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return;
    const handle = createFile(file);
    try {
      writeAll(handle, [Buffer.from(`${toText(segments)}\n`)]);
    } catch (error) {
      throw writeError(file, error);
    } finally {
      closeSync(handle);
    }
  }

  #addFlat(name: string): void {
    const isFolder = isMaildir(join(this.#root, name));
    if (!isFolder) return;
    const hashed = this.#unhash(name, name.slice(1));
    if (hashed !== null) {
      this.#add(hashed, name);
      return;
    }
    const names = name.slice(1).split('.');
    const path = names.map(fromDirectoryName);
    this.#add(path, name);
    for (let length = 1; length < path.length; length++) {
      const outer = keyOf(path.slice(0, length));
      if (!this.#names.has(outer)) this.#names.set(outer, `.${names.slice(0, length).join('.')}`);
    }
  }

  #addNested(outer: TreePath, parent: string, name: string): void {
    if (name === 'cur' || name === 'new' || name === 'tmp') return;
    const directory = parent === '' ? name : `${parent}/${name}`;
    const path = [...outer, ...(this.#unhash(directory, name) ?? [fromDirectoryName(name)])];
    const absolute = join(this.#root, directory);
    const key = keyOf(path);
    if (isMaildir(absolute)) this.#add(path, directory);
    else if (!this.#names.has(key)) this.#names.set(key, directory);
    for (const below of directoriesIn(absolute)) this.#addNested(path, directory, below);
  }

  /** What a file in the directory says that it is called; `null`: nothing says so, or something else than its hash. */
  #unhash(directory: string, name: string): TreePath | null {
    if (!hashedName.test(name)) return null;
    try {
      const text = readWhole(join(this.#root, directory, nameFile), { maxBytes: maxNameFileBytes }).toString();
      const path = text
        .trimEnd()
        .split('/')
        .map((part) => fromFileNames([part]));
      return hashOf(path) === name ? path : null;
    } catch (error) {
      if (error instanceof TreeError) return null;
      throw error;
    }
  }

  #add(path: TreePath, directory: string): MaildirPlace {
    let free = path;
    // Several names may stand for one folder, and none of the directories may be passed over.
    for (let count = 2; this.#places.has(keyOf(free)); count++)
      free = [...path.slice(0, -1), `${path.at(-1)} (${count})`];
    const place = { path: free, directory };
    this.#places.set(keyOf(free), place);
    if (directory !== '' && !hashedName.test(directory.slice(1))) this.#names.set(keyOf(free), directory);
    return place;
  }
}

/** True for a directory that can hold messages. */
function isMaildir(directory: string): boolean {
  return lstatSync(join(directory, 'cur'), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** True for the name of a Maildir++ folder. */
function isFlat(name: string): boolean {
  return name.startsWith('.');
}

function directoriesIn(directory: string): string[] {
  const entries = listDirectory(directory) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function toFlatName(segment: string, escaped = 0): string {
  // Dots are between segments.
  return encodeFolderName(toFileName(segment, { escaped }).replaceAll('.', '%2E'));
}

/** A segment by what was written for it; names that are no modified UTF-7 stand for themselves. */
function fromDirectoryName(name: string): string {
  return fromFileNames([decodeFolderName(name) ?? name]);
}

function toText(path: TreePath): string {
  return path.map((segment) => toFileName(segment)).join('/');
}

function hashOf(path: TreePath): string {
  return `imap-migrate-${createHash('sha256').update(toText(path)).digest('hex').slice(0, 32)}`;
}

function keyOf(path: TreePath): string {
  return JSON.stringify(path);
}
