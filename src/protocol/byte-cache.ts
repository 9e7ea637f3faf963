/**
 * Message after message carries one of a few flag lists and asks for the same sections. These direct-mapped tables turn
 * their bytes into one value each, without a string or an array per message. Bounded; a collision only costs the making.
 */

const slots = 1024;
const maxLength = 128;

/** What the bytes of a word or list, its closing byte included, mean. */
export interface Kept<Value> {
  readonly bytes: Uint8Array;
  readonly value: Value;
}

export class ByteCache<Value> {
  readonly #closing: number;
  readonly #kept: (Kept<Value> | null)[] = new Array<Kept<Value> | null>(slots).fill(null);

  /** For things that end with the byte `closing`, and have it nowhere else unless in quotes. */
  constructor(closing: number) {
    this.#closing = closing;
  }

  /** What begins at `start`, if it was kept before. */
  find(buffer: Buffer, start: number, end: number): Kept<Value> | null {
    const closing = this.#closing;
    const last = Math.min(end, start + maxLength);
    let at = start;
    let hash = 0;
    while (at < last && buffer[at] !== closing) hash = (Math.imul(hash, 31) + (buffer[at++] as number)) | 0;
    const known = this.#kept[slotOf(hash)] as Kept<Value> | null;
    if (known === null || at === last) return null;
    const { bytes } = known;
    // The last byte is the one the hash stopped at.
    const length = at - start;
    if (bytes.length !== length + 1) return null;
    for (let index = 0; index < length; index++) {
      if (buffer[start + index] !== bytes[index]) return null;
    }
    return known;
  }

  /** Keeps a value for `find`, which never finds one with a closing byte inside quotes again. */
  keep(buffer: Buffer, start: number, end: number, value: Value): void {
    if (end - start > maxLength) return;
    const close = buffer.indexOf(this.#closing, start);
    let hash = 0;
    for (let at = start; at < close; at++) hash = (Math.imul(hash, 31) + (buffer[at] as number)) | 0;
    this.#kept[slotOf(hash)] = { bytes: Uint8Array.from(buffer.subarray(start, end)), value };
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 10)) & (slots - 1);
}
