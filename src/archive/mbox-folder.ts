import type { MboxReader, Range } from './mbox-reader.ts';
import type { MboxWriter } from './mbox-writer.ts';
import type { FlagChange, NewBody, NewMessage, OpenedMessage, StoreFolder, TreeMessage, TreePath } from './store.ts';
import { pathKey, type Takeout } from './takeout.ts';
import { TreeError } from './tree-error.ts';

/** Where the messages of a folder are: in files, or in parts of them. */
export interface FolderSource {
  readonly path: TreePath;
  readonly readers: readonly MboxReader[];
  readonly takeouts: readonly Takeout[];
}

/** A folder of an mbox tree. */
export class MboxFolder implements StoreFolder {
  readonly #source: FolderSource;
  readonly #writer: MboxWriter | null;
  /** The file that is written to. */
  readonly #file: string | null;

  constructor(source: FolderSource, writing: { readonly writer: MboxWriter; readonly file: string } | null) {
    this.#source = source;
    this.#writer = writing?.writer ?? null;
    this.#file = writing?.file ?? null;
  }

  async list(): Promise<readonly TreeMessage[]> {
    const { path, readers, takeouts } = this.#source;
    const lists: (readonly TreeMessage[])[] = [];
    for (const reader of readers) lists.push(await reader.list());
    for (const takeout of takeouts) lists.push((await takeout.folders()).get(pathKey(path))?.messages ?? []);
    const messages = lists.flat();
    // Others may have sorted the file. What has no UID keeps its place behind.
    return messages.sort((a, b) => (a.uid ?? Number.POSITIVE_INFINITY) - (b.uid ?? Number.POSITIVE_INFINITY) || 0);
  }

  async uids(): Promise<Uint32Array> {
    return Uint32Array.from((await this.list()).flatMap(({ uid }) => uid ?? [])).sort();
  }

  async find(uid: number): Promise<TreeMessage | null> {
    return (await this.list()).find((message) => message.uid === uid) ?? null;
  }

  read(message: TreeMessage): Promise<readonly Buffer[]> {
    return this.#readerOf(message).read(message);
  }

  open(message: TreeMessage): Promise<OpenedMessage> {
    return this.#readerOf(message).open(message);
  }

  async append(messages: readonly NewBody[]): Promise<void> {
    if (messages.length > 0) await this.#writable().append(messages);
  }

  appendStream(message: NewMessage, body: OpenedMessage): Promise<void> {
    return this.#writable().appendStream(message, body);
  }

  /** An mbox of ours has no place for flags. */
  async setFlags(_changes: readonly FlagChange[]): Promise<void> {}

  async remove(messages: readonly TreeMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const writer = this.#writable();
    const stray = messages.find(({ file }) => file !== this.#file);
    if (stray !== undefined)
      throw new TreeError('TREE', `cannot delete in ${stray.file}: it was made by another program`);
    const [first] = messages;
    const reader = first === undefined ? null : this.#readerOf(first);
    await writer.rewrite(async (end) => {
      const gone: Range[] = [];
      for (const message of messages) {
        const found = await reader?.find(message).catch(rethrowUnlessGone);
        if (found !== undefined && found !== null) gone.push(found);
      }
      return keptBetween(gone, end);
    });
  }

  async close(): Promise<void> {
    this.#writer?.close();
  }

  #readerOf(message: TreeMessage): MboxReader {
    const readers = [...this.#source.readers, ...this.#source.takeouts.map((takeout) => takeout.reader)];
    const found = readers.find((reader) => reader.file === message.file);
    if (found === undefined) throw new TreeError('GONE', `${message.file} is no file of this folder`);
    return found;
  }

  #writable(): MboxWriter {
    if (this.#writer === null) throw new TreeError('TREE', 'the folder was opened for reading');
    return this.#writer;
  }
}

/** What is not there needs no deleting. */
function rethrowUnlessGone(error: unknown): null {
  if (error instanceof TreeError && error.code === 'GONE') return null;
  throw error;
}

/** The bytes before, between and behind what goes. */
function keptBetween(gone: readonly Range[], end: number): Range[] {
  const kept: Range[] = [];
  let start = 0;
  for (const range of [...gone].sort((a, b) => a.start - b.start)) {
    if (range.start > start) kept.push({ start, end: range.start });
    start = Math.max(start, range.end);
  }
  if (end > start) kept.push({ start, end });
  return kept;
}
