/**
 * Writes `index.html` into a tree, by which a person finds messages in it with a browser and nothing else.
 */
import { closeSync, fsyncSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createFile, inTree, writeAll } from '../archive/files.ts';
import type { TreeFolder } from '../archive/store.ts';
import { openTree, type TreePlace } from '../archive/tree.ts';
import { writeError } from '../archive/tree-error.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import { Catalogue, type CatalogueEntry, type CatalogueFolder, type CatalogueOptions } from './catalogue.ts';
import { ExpandedFiles, isCompressed } from './expanded-files.ts';
import { type PageData, type PageFolder, pageOf } from './page/page.ts';

export const indexName = 'index.html';

export interface IndexOptions extends Omit<CatalogueOptions, 'store' | 'stateDirectory'> {
  readonly place: TreePlace;
  /** Writes copies of compressed messages, so that the page can open them. */
  readonly expand: boolean;
  /** When the page is made. */
  readonly now: Date;
}

export interface WrittenIndex {
  /** Absolute. */
  readonly file: string;
  /** Of the page. */
  readonly bytes: number;
  readonly folders: number;
  readonly messages: number;
  /** Messages that could not be read: they are listed without details. */
  readonly unreadable: number;
  /** Compressed messages that the page cannot open, since there is no copy. */
  readonly compressed: number;
}

/**
 * Brings the page of an eml or Maildir tree up to date, in one step: whoever has it open sees the old one or the new one.
 * @throws TreeError, MigrateError where the tree is one that a page cannot open messages of, and the signal's reason
 */
export async function writeIndex(options: IndexOptions): Promise<WrittenIndex> {
  const { place, expand, now } = options;
  if (place.format === 'mbox') {
    throw new MigrateError(
      'TREE',
      exitCodes.usage,
      `${place.root} is an mbox tree, whose messages share a file: a page could not open one of them. Find them with search, or export them as eml`,
    );
  }
  const store = await openTree(place);
  await using catalogue = new Catalogue({ ...options, store, stateDirectory: place.stateDirectory });
  const copies = expand ? new ExpandedFiles(place) : null;
  const page = new PageColumns();
  const folders = await catalogue.listFolders();
  for (const { path } of folders.sort(byName)) {
    const folder = await catalogue.readFolder(path);
    const opened = copies === null ? new Map<string, string>() : await copies.write(store, folder);
    page.add(folder, opened);
  }
  copies?.removeOthers();
  const data = page.finish(basename(place.root), now);
  const file = inTree(place.root, indexName);
  const bytes = replaceFile(file, pageOf(data));
  return {
    file,
    bytes,
    folders: data.folders.length,
    messages: data.rows.subject.length,
    unreadable: data.rows.unreadable.length,
    compressed: data.rows.compressed.length,
  };
}

/** The inbox first, the others by name, folders below a folder behind it. */
function byName({ path: a }: TreeFolder, { path: b }: TreeFolder): number {
  for (let level = 0; ; level++) {
    const [left, right] = [a[level], b[level]];
    if (left === undefined || right === undefined) return a.length - b.length;
    if (left === right) continue;
    if (level === 0 && (left === 'INBOX' || right === 'INBOX')) return left === 'INBOX' ? -1 : 1;
    return collator.compare(left, right) || (left < right ? -1 : 1);
  }
}

const collator = new Intl.Collator('en', { numeric: true });

/** Collects what the page is told. */
class PageColumns {
  readonly #folders: PageFolder[] = [];
  readonly #people = new Numbers();
  readonly #dirs = new Numbers();
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #subject: string[] = [];
  readonly #date: (number | null)[] = [];
  readonly #size: number[] = [];
  readonly #dir: number[] = [];
  readonly #name: string[] = [];
  readonly #files: Record<number, readonly string[]> = {};
  readonly #unreadable: number[] = [];
  readonly #compressed: number[] = [];

  /** `opened`: files that stand for others, by those. */
  add({ path, entries }: CatalogueFolder, opened: ReadonlyMap<string, string>): void {
    this.#folders.push({ name: path, first: this.#subject.length, count: entries.length });
    for (const entry of entries) this.#addEntry(entry, opened.get(entry.message.file) ?? entry.message.file);
  }

  #addEntry(entry: CatalogueEntry, file: string): void {
    const row = this.#subject.length;
    const slash = file.lastIndexOf('/') + 1;
    this.#from.push(this.#people.of(entry.from));
    this.#to.push(this.#people.of(entry.to));
    this.#subject.push(entry.subject);
    this.#date.push(Number.isNaN(entry.shownMs) ? null : Math.floor(entry.shownMs / 1000));
    this.#size.push(entry.size);
    this.#dir.push(this.#dirs.of(file.slice(0, slash)));
    this.#name.push(file.slice(slash));
    if (entry.attachments.length > 0) this.#files[row] = entry.attachments;
    if (entry.state === 'unreadable') this.#unreadable.push(row);
    else if (isCompressed(file)) this.#compressed.push(row);
  }

  finish(title: string, now: Date): PageData {
    return {
      title,
      made: Math.floor(now.getTime() / 1000),
      folders: this.#folders,
      people: this.#people.texts,
      dirs: this.#dirs.texts,
      rows: {
        from: this.#from,
        to: this.#to,
        subject: this.#subject,
        date: this.#date,
        size: this.#size,
        dir: this.#dir,
        name: this.#name,
        files: this.#files,
        unreadable: this.#unreadable,
        compressed: this.#compressed,
      },
    };
  }
}

/** Texts by number: each is kept once. */
class Numbers {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

/** Puts a file in place of what has its name, complete or not at all; answers its size. @throws TreeError */
function replaceFile(file: string, pieces: Iterable<string>): number {
  const draft = join(file, '..', `.${basename(file)}.new`);
  rmSync(draft, { force: true });
  const handle = createFile(draft);
  try {
    let bytes = 0;
    for (const piece of pieces) {
      const buffer = Buffer.from(piece);
      writeAll(handle, [buffer]);
      bytes += buffer.length;
    }
    fsyncSync(handle);
    renameSync(draft, file);
    return bytes;
  } catch (error) {
    rmSync(draft, { force: true });
    throw writeError(file, error);
  } finally {
    closeSync(handle);
  }
}
