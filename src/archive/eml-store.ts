/**
 * One file a message, under directories that are called as the folders are. A message's name tells its date, its subject and
 * its UID; what it was stored as is all there is in the file.
 */
import { closeSync, fstatSync, futimesSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { pack, packStream, unpack, unpackStream } from './compression.ts';
import { type Compression, emlName, parseEmlName } from './eml-name.ts';
import { exactly } from './exact-stream.ts';
import {
  createFile,
  inTree,
  listDirectory,
  makeDirectory,
  openFile,
  readAt,
  readWhole,
  syncDirectory,
  syncFiles,
  writeAll,
} from './files.ts';
import { NamedFiles } from './named-files.ts';
import type {
  NewBody,
  NewMessage,
  OpenedMessage,
  StoreFolder,
  StoreOptions,
  TreeFolder,
  TreeMessage,
  TreePath,
  TreeStore,
} from './store.ts';
import { readError, TreeError, writeError } from './tree-error.ts';

const readBytes = 256 * 1024;
/** A file that is not a message yet. */
const partName = (uid: number) => `.imap-migrate-${uid}.part`;
const isPart = /^\.imap-migrate-\d+\.part$/;

/** Opens an eml tree. */
export function openEmlStore(options: StoreOptions): TreeStore {
  return new EmlStore(options);
}

class EmlStore implements TreeStore {
  readonly format = 'eml';
  readonly #options: StoreOptions;
  readonly #names = new NamedFiles('', (entry) =>
    entry.isDirectory() && !entry.name.startsWith('.') ? entry.name : null,
  );

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  async listFolders(): Promise<readonly TreeFolder[]> {
    return this.#below(this.#options.root, []);
  }

  #below(directory: string, outer: TreePath): TreeFolder[] {
    return this.#names.list(directory).flatMap(({ segment, path: inner }) => {
      const path = [...outer, segment];
      const below = this.#below(inner, path);
      // A directory of nothing but directories is there for their sake.
      return [{ path, holdsMessages: below.length === 0 || holdsMessages(inner) }, ...below];
    });
  }

  async createFolder(path: TreePath): Promise<boolean> {
    let directory = this.#options.root;
    let made = false;
    for (const segment of path) {
      const found = this.#names.find(directory, segment);
      const wanted = found ?? this.#names.reserve(directory, segment);
      if (found === null) {
        made = makeDirectory(wanted) || made;
        if (this.#options.fsync === 'batch') syncDirectory(directory);
      }
      directory = wanted;
    }
    return made;
  }

  async openFolder(path: TreePath, { forWriting }: { readonly forWriting: boolean }): Promise<StoreFolder> {
    let directory = this.#options.root;
    for (const segment of path) {
      const found = this.#names.find(directory, segment);
      if (found === null)
        throw new TreeError('NO_FOLDER', `there is no folder ${path.join('/')} in ${this.#options.root}`);
      directory = found;
    }
    if (forWriting) clearParts(directory);
    return new EmlFolder(directory, this.#options);
  }
}

function holdsMessages(directory: string): boolean {
  return (listDirectory(directory) ?? []).some((entry) => entry.isFile() && parseEmlName(entry.name) !== null);
}

/** Removes what a run that was killed has left half written. */
function clearParts(directory: string): void {
  for (const { name } of listDirectory(directory) ?? []) {
    if (isPart.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** A message on its way to its name. */
interface Part {
  readonly path: string;
  readonly final: string;
  readonly handle: number;
  open: boolean;
}

/** A message's file as its name tells of it. */
interface EmlFile {
  readonly name: string;
  readonly uid: number | null;
  readonly compression: Compression;
}

class EmlFolder implements StoreFolder {
  readonly #directory: string;
  /** The same, relative to the root of the tree and with `/`. */
  readonly #place: string;
  readonly #options: StoreOptions;

  constructor(directory: string, options: StoreOptions) {
    this.#directory = directory;
    this.#place = relative(options.root, directory).split(sep).join('/');
    this.#options = options;
  }

  async list(): Promise<readonly TreeMessage[]> {
    return this.#files()
      .flatMap((file) => this.#toMessage(file) ?? [])
      .sort(inOrder);
  }

  async uids(): Promise<Uint32Array> {
    return Uint32Array.from(this.#files().flatMap(({ uid }) => uid ?? [])).sort();
  }

  async find(uid: number): Promise<TreeMessage | null> {
    const file = this.#files().find((other) => other.uid === uid);
    return file === undefined ? null : this.#toMessage(file);
  }

  #files(): EmlFile[] {
    const uids = new Set<number>();
    return (listDirectory(this.#directory) ?? []).flatMap((entry) => {
      const named = entry.isFile() ? parseEmlName(entry.name) : null;
      if (named === null) return [];
      // A copy somebody made beside it is another message.
      const uid = named.uid !== null && !uids.has(named.uid) ? named.uid : null;
      if (uid !== null) uids.add(uid);
      return { name: entry.name, uid, compression: named.compression };
    });
  }

  /** `null`: it is gone meanwhile. */
  #toMessage({ name, uid, compression }: EmlFile): TreeMessage | null {
    const stat = statSync(join(this.#directory, name), { throwIfNoEntry: false });
    if (stat === undefined) return null;
    return {
      uid,
      file: this.#place === '' ? name : `${this.#place}/${name}`,
      offset: 0,
      length: stat.size,
      size: compression === 'none' ? stat.size : null,
      // Times come back some nanoseconds short of the millisecond.
      dateMs: Math.round(stat.mtimeMs),
      flags: null,
    };
  }

  async read({ file }: TreeMessage): Promise<readonly Buffer[]> {
    const path = inTree(this.#options.root, file);
    const stored = readWhole(path);
    try {
      return [await unpack(stored, parseEmlName(basename(file))?.compression ?? 'none')];
    } catch (error) {
      throw readError(path, error);
    }
  }

  async open(message: TreeMessage): Promise<OpenedMessage> {
    const path = inTree(this.#options.root, message.file);
    const compression = parseEmlName(basename(message.file))?.compression ?? 'none';
    // How long it is has to be known before it is read.
    const size =
      compression === 'none' ? fileSize(path) : await countBytes(unpackStream(slicesOf(path), compression), path);
    return { size, slices: readable(unpackStream(slicesOf(path), compression), path) };
  }

  async append(messages: readonly NewBody[]): Promise<void> {
    const { compress, fsync } = this.#options;
    const packed = await Promise.all(messages.map(({ body }) => pack(body.chunks, compress)));
    const parts: Part[] = [];
    try {
      for (const [index, message] of messages.entries()) {
        const part = this.#begin(message, emlName(message, message.body, compress));
        parts.push(part);
        writeAll(part.handle, packed[index] ?? []);
        stamp(part, message);
      }
      if (fsync === 'batch') await syncFiles(parts.map(({ handle }) => handle));
      this.#finish(parts);
    } catch (error) {
      giveUp(parts);
      throw writeError(this.#directory, error);
    }
  }

  async appendStream(message: NewMessage, { size, slices }: OpenedMessage): Promise<void> {
    const { compress, fsync } = this.#options;
    const front: Buffer[] = [];
    const part = this.#begin(message, '');
    try {
      for await (const slice of packStream(watch(exactly(slices, size), front), compress)) this.#write(part, slice);
    } catch (error) {
      // Whoever delivers it has failed, or the disk: each says so itself.
      giveUp([part]);
      throw error;
    }
    try {
      stamp(part, message);
      if (fsync === 'batch') await syncFiles([part.handle]);
      const name = emlName(message, { size: 0, chunks: front }, compress);
      this.#finish([Object.assign(part, { final: join(this.#directory, name) })]);
    } catch (error) {
      giveUp([part]);
      throw writeError(this.#directory, error);
    }
  }

  #begin({ uid }: NewMessage, name: string): Part {
    const path = join(this.#directory, partName(uid));
    return { path, final: join(this.#directory, name), handle: createFile(path), open: true };
  }

  #write({ handle, path }: Part, slice: Buffer): void {
    try {
      writeAll(handle, [slice]);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** From here on they are messages. */
  #finish(parts: readonly Part[]): void {
    for (const part of parts) {
      const { path, final } = part;
      close(part);
      if (lstatSync(final, { throwIfNoEntry: false }) !== undefined) {
        throw new TreeError('DISK', `cannot write ${final}: there is a file of that name`);
      }
      renameSync(path, final);
    }
    if (this.#options.fsync === 'batch') syncDirectory(this.#directory);
  }

  async setFlags(): Promise<void> {
    // A file has no flags: the manifest keeps them.
  }

  async remove(messages: readonly TreeMessage[]): Promise<void> {
    try {
      for (const { file } of messages) rmSync(inTree(this.#options.root, file), { force: true });
      if (this.#options.fsync === 'batch') syncDirectory(this.#directory);
    } catch (error) {
      throw writeError(this.#directory, error);
    }
  }

  async close(): Promise<void> {
    // No file is kept open.
  }
}

/** A number that was closed may be another file's by now. */
function close(part: Part): void {
  if (!part.open) return;
  part.open = false;
  closeSync(part.handle);
}

/** Leaves nothing half written. */
function giveUp(parts: readonly Part[]): void {
  for (const part of parts) {
    close(part);
    rmSync(part.path, { force: true });
  }
}

/** INTERNALDATE becomes the file's date. */
function stamp({ handle }: Part, { dateMs }: NewMessage): void {
  if (Number.isNaN(dateMs)) return;
  // As numbers, dates before 1970 would mean now.
  const date = new Date(dateMs);
  futimesSync(handle, date, date);
}

function fileSize(path: string): number {
  const handle = openFile(path);
  try {
    return fstatSync(handle).size;
  } finally {
    closeSync(handle);
  }
}

async function* slicesOf(path: string): AsyncGenerator<Buffer> {
  const handle = openFile(path);
  try {
    for (let at = 0; ; ) {
      const slice = readAt(handle, at, readBytes);
      if (slice.length === 0) return;
      at += slice.length;
      yield slice;
    }
  } finally {
    closeSync(handle);
  }
}

async function countBytes(slices: AsyncIterable<Buffer>, path: string): Promise<number> {
  let bytes = 0;
  for await (const slice of readable(slices, path)) bytes += slice.length;
  return bytes;
}

/** The same slices; what goes wrong is named. */
async function* readable(slices: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  try {
    yield* slices;
  } catch (error) {
    throw readError(path, error);
  }
}

/** The same slices; the first of them are kept. */
async function* watch(slices: AsyncIterable<Buffer>, front: Buffer[]): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const slice of slices) {
    if (bytes < readBytes) front.push(slice);
    bytes += slice.length;
    yield slice;
  }
}

/** By UID; what came by other means after that, by date and name. */
function inOrder(a: TreeMessage, b: TreeMessage): number {
  if (a.uid !== null || b.uid !== null)
    return (a.uid ?? Number.POSITIVE_INFINITY) - (b.uid ?? Number.POSITIVE_INFINITY);
  return a.dateMs - b.dateMs || (a.file < b.file ? -1 : 1);
}
