import { closeSync, fstatSync } from 'node:fs';
import { FileWindow } from './file-window.ts';
import { openFile } from './files.ts';
import { flagsOfHeader } from './mbox-header.ts';
import { type MessagePlace, placeOf, readPlace } from './mbox-message.ts';
import { entryAt, type MboxEntry, scanMbox } from './mbox-scan.ts';
import type { OpenedMessage, TreeMessage } from './store.ts';
import { readError, TreeError } from './tree-error.ts';

/** Messages looked at before others on this thread get their turn. */
const messagesPerTurn = 200;

/** Between windows over the file, for what is read here and there. */
const smallWindow = 64 * 1024;

/** An mbox that is read. It is opened for each use: other programs put new files in its place. */
export class MboxReader {
  readonly #path: string;
  /** Relative to the root of the tree. */
  readonly #file: string;
  /** Where messages were found that were not where they had been. */
  #moved: { readonly stamp: string; readonly byUid: ReadonlyMap<number, TreeMessage> } | null = null;

  constructor(path: string, file: string) {
    this.#path = path;
    this.#file = file;
  }

  get file(): string {
    return this.#file;
  }

  /** Changes when the file does. @throws TreeError where it is gone */
  stamp(): string {
    return this.#opened((handle) => stampOf(handle));
  }

  /** All messages, in the order of the file. `see` is shown each with what the file says of it. */
  async list(see: (entry: MboxEntry, message: TreeMessage) => void = () => {}): Promise<TreeMessage[]> {
    const handle = openFile(this.#path);
    try {
      const messages: TreeMessage[] = [];
      const uids = new Set<number>();
      for (const entry of scanMbox(new FileWindow(handle, fstatSync(handle).size))) {
        // Whoever copies a message inside a file makes a second one of that UID.
        const uid = entry.own !== null && !uids.has(entry.own.uid) ? entry.own.uid : null;
        if (uid !== null) uids.add(uid);
        const message = this.#toMessage(entry, uid);
        messages.push(message);
        see(entry, message);
        if (messages.length % messagesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return messages;
    } catch (error) {
      throw readError(this.#path, error);
    } finally {
      closeSync(handle);
    }
  }

  async read(message: TreeMessage): Promise<readonly Buffer[]> {
    const found = await this.find(message);
    return this.#opened((handle) => {
      const place = this.#placeOf(handle, found);
      const slices = [...readPlace(handle, place)];
      this.#check(place, found, bytesOf(slices));
      return slices;
    });
  }

  async open(message: TreeMessage): Promise<OpenedMessage> {
    const found = await this.find(message);
    const place = this.#opened((handle) => {
      const place = this.#placeOf(handle, found);
      if (place.size !== null) return place;
      let size = 0;
      for (const slice of readPlace(handle, place)) size += slice.length;
      return { ...place, size };
    });
    return { size: place.size ?? 0, slices: this.#stream(place, found) };
  }

  /** The message as it is in the file now. @throws TreeError `GONE` */
  async find(message: TreeMessage): Promise<TreeMessage> {
    const stamp = this.#opened((handle) => {
      const window = new FileWindow(handle, fstatSync(handle).size, smallWindow);
      const entry = message.offset < window.size ? entryAt(window, message.offset) : null;
      const isThere = entry !== null && entry.end - entry.offset === message.length;
      return isThere && (message.uid === null || entry.own?.uid === message.uid) ? null : stampOf(handle);
    });
    if (stamp === null) return message;
    if (message.uid !== null) {
      if (this.#moved?.stamp !== stamp) {
        const byUid = new Map((await this.list()).map((one) => [one.uid ?? 0, one]));
        this.#moved = { stamp, byUid };
      }
      const found = this.#moved.byUid.get(message.uid);
      if (found !== undefined) return found;
    }
    throw new TreeError('GONE', `a message is not in ${this.#path} any more: another program has changed the file`);
  }

  async *#stream(place: MessagePlace, message: TreeMessage): AsyncGenerator<Buffer> {
    const handle = openFile(this.#path);
    try {
      let bytes = 0;
      for (const slice of readPlace(handle, place)) {
        bytes += slice.length;
        yield slice;
      }
      this.#check(place, message, bytes);
    } catch (error) {
      throw readError(this.#path, error);
    } finally {
      closeSync(handle);
    }
  }

  #toMessage(entry: MboxEntry, uid: number | null): TreeMessage {
    return {
      uid,
      file: this.#file,
      offset: entry.offset,
      length: entry.end - entry.offset,
      size: entry.isExact ? (entry.own?.size ?? null) : null,
      dateMs: entry.dateMs,
      flags: entry.own === null ? flagsOfHeader(entry.header) : null,
    };
  }

  #placeOf(handle: number, message: TreeMessage): MessagePlace {
    const window = new FileWindow(handle, fstatSync(handle).size, smallWindow);
    const entry = entryAt(window, message.offset);
    if (entry === null) throw new TreeError('GONE', `a message is not in ${this.#path} any more`);
    return placeOf(handle, window, entry);
  }

  #check(place: MessagePlace, message: TreeMessage, bytes: number): void {
    if (place.size === null || place.size === bytes) return;
    const where = `${this.#path}, byte ${message.offset}`;
    throw new TreeError('UNREADABLE', `a message of ${place.size} bytes is damaged, ${bytes} were read: ${where}`);
  }

  #opened<Result>(work: (handle: number) => Result): Result {
    const handle = openFile(this.#path);
    try {
      return work(handle);
    } catch (error) {
      throw readError(this.#path, error);
    } finally {
      closeSync(handle);
    }
  }
}

function stampOf(handle: number): string {
  const { ino, size, mtimeMs } = fstatSync(handle);
  return `${ino} ${size} ${mtimeMs}`;
}

function bytesOf(slices: readonly Buffer[]): number {
  let bytes = 0;
  for (const slice of slices) bytes += slice.length;
  return bytes;
}
