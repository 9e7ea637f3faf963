import { readAt } from './files.ts';

const defaultBytes = 1024 * 1024;
/** Read around a place that is peeked at: what is asked for next is often right behind. */
const peekBytes = 4096;

/**
 * A file seen through a window, so that one of any size is looked through in bounded memory: what is given out is not to be
 * kept.
 */
export class FileWindow {
  readonly size: number;
  readonly #handle: number;
  readonly #windowBytes: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #peekStart = 0;
  #peeked: Buffer = Buffer.alloc(0);

  /** `size`: how far the file is looked at. */
  constructor(handle: number, size: number, windowBytes = defaultBytes) {
    this.#handle = handle;
    this.size = size;
    this.#windowBytes = windowBytes;
  }

  /** What is known from `offset` on: `atLeast` bytes, unless the file ends before, and often more. */
  view(offset: number, atLeast: number): Buffer {
    const wanted = Math.min(atLeast, this.size - offset);
    const isInside = offset >= this.#start && offset + wanted <= this.#start + this.#bytes.length;
    if (!isInside) {
      const length = Math.max(0, Math.min(Math.max(wanted, this.#windowBytes), this.size - offset));
      this.#bytes = readAt(this.#handle, offset, length);
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start);
  }

  /** A few bytes anywhere, without moving the window. */
  peek(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.size);
    if (offset >= this.#start && end <= this.#start + this.#bytes.length) {
      return this.#bytes.subarray(offset - this.#start, end - this.#start);
    }
    if (offset < this.#peekStart || end > this.#peekStart + this.#peeked.length) {
      this.#peekStart = offset;
      this.#peeked = readAt(this.#handle, offset, clamp(Math.max(length, peekBytes), this.size - offset));
    }
    return this.#peeked.subarray(offset - this.#peekStart, Math.max(offset, end) - this.#peekStart);
  }
}

function clamp(length: number, most: number): number {
  return Math.max(0, Math.min(length, most));
}
