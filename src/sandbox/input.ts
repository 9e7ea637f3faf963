/** What arrived and is not consumed yet: lines and literal octets are taken from the front, each byte is searched once. */
export class InputBuffer {
  #chunks: Buffer[] = [];
  /** Index of the first chunk that still holds bytes: shifting an array per chunk would be quadratic for many small ones. */
  #first = 0;
  /** Bytes at the front known to hold no LF. */
  #searched = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next line without its CRLF (or bare LF), or `null` while it is incomplete. */
  takeLine(): Buffer | null {
    let before = 0;
    for (let at = this.#first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Buffer;
      const from = Math.max(0, this.#searched - before);
      const found = from < chunk.length ? chunk.indexOf(0x0a, from) : -1;
      if (found !== -1) {
        const line = this.#join(this.take(before + found + 1));
        const end = line.length >= 2 && line[line.length - 2] === 0x0d ? line.length - 2 : line.length - 1;
        return line.subarray(0, end);
      }
      before += chunk.length;
    }
    this.#searched = this.#length;
    return null;
  }

  /** Up to `count` bytes from the front, as slices. */
  take(count: number): Buffer[] {
    const slices: Buffer[] = [];
    let wanted = Math.min(count, this.#length);
    this.#length -= wanted;
    this.#searched = Math.max(0, this.#searched - wanted);
    while (wanted > 0) {
      const chunk = this.#chunks[this.#first] as Buffer;
      if (chunk.length <= wanted) {
        slices.push(chunk);
        wanted -= chunk.length;
        this.#first += 1;
      } else {
        slices.push(chunk.subarray(0, wanted));
        this.#chunks[this.#first] = chunk.subarray(wanted);
        wanted = 0;
      }
    }
    if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    return slices;
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#searched = 0;
    this.#length = 0;
  }

  #join(slices: Buffer[]): Buffer {
    return slices.length === 1 ? (slices[0] as Buffer) : Buffer.concat(slices);
  }
}
