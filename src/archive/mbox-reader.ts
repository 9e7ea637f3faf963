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

const maxWindow = 256 * 1024;

/** A message in a file that is open. */
interface Found {
  readonly window: FileWindow;
  readonly entry: MboxEntry;
}

/** Bytes of a file. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

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

  read(message: TreeMessage): Promise<readonly Buffer[]> {
    return this.#at(message, ({ window, entry }) => {
      const place = placeOf(window, entry);
      const slices = [...readPlace(window, place)];
      this.#check(place, bytesOf(slices));
      return slices;
    });
  }

  async open(message: TreeMessage): Promise<OpenedMessage> {
    const place = await this.#at(message, ({ window, entry }) => {
      const found = placeOf(window, entry);
      return { ...found, size: found.size ?? bytesOf(readPlace(window, found)) };
    });
    return { size: place.size, slices: this.#stream(place) };
  }

  /** The bytes of the file that are the message now. @throws TreeError `GONE` */
  find(message: TreeMessage): Promise<Range> {
    return this.#at(message, ({ entry }) => ({ start: entry.offset, end: entry.end }));
  }

  /** Opens the file at a message, wherever that is now. */
  async #at<Result>(message: TreeMessage, work: (found: Found) => Result): Promise<Result> {
    const attempt = (expected: TreeMessage) =>
      this.#opened((handle) => {
        const found = locate(handle, expected);
        return found === null ? { stamp: stampOf(handle) } : { result: work(found) };
      });
    const first = attempt(message);
    if (first.stamp === undefined) return first.result;
    const moved = await this.#findMoved(message.uid, first.stamp);
    const second = moved === undefined ? first : attempt({ ...moved, uid: message.uid });
    if (second.stamp === undefined) return second.result;
    throw new TreeError('GONE', `a message is not in ${this.#path} any more: the file has been changed`);
  }

  async #findMoved(uid: number | null, stamp: string): Promise<TreeMessage | undefined> {
    if (uid === null) return undefined;
    if (this.#moved?.stamp !== stamp) {
      this.#moved = { stamp, byUid: new Map((await this.list()).map((one) => [one.uid ?? 0, one])) };
    }
    return this.#moved.byUid.get(uid);
  }

  async *#stream(place: MessagePlace): AsyncGenerator<Buffer> {
    const handle = openFile(this.#path);
    try {
      let bytes = 0;
      for (const slice of readPlace(new FileWindow(handle, fstatSync(handle).size), place)) {
        bytes += slice.length;
        yield slice;
      }
      this.#check(place, bytes);
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

  #check(place: MessagePlace, bytes: number): void {
    if (place.size === null || place.size === bytes) return;
    const where = `${this.#path}, byte ${place.start}`;
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

/** The message that is where `expected` is said to be; `null`: another one is, or none. */
function locate(handle: number, expected: TreeMessage): Found | null {
  const { size } = fstatSync(handle);
  if (expected.offset >= size) return null;
  // One read tells all of a message, the line behind it included.
  const window = new FileWindow(handle, size, Math.min(expected.length + 4096, maxWindow));
  window.view(expected.offset, 1);
  const entry = entryAt(window, expected.offset);
  if (entry === null || entry.end - entry.offset !== expected.length) return null;
  return expected.uid === null || entry.own?.uid === expected.uid ? { window, entry } : null;
}

function bytesOf(slices: Iterable<Buffer>): number {
  let bytes = 0;
  for (const slice of slices) bytes += slice.length;
  return bytes;
}
