/** Bytes of one direction of an IMAP connection, taken off as lines and literals. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes already searched for a line end. */
  #searched = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next line with its CRLF, or LF where the sender is careless; `null` until it is complete. */
  line(): Buffer | null {
    const bytes = this.#joined();
    const end = bytes.indexOf(0x0a, this.#searched);
    if (end === -1) {
      this.#searched = bytes.length;
      return null;
    }
    return this.take(end + 1);
  }

  /** Up to `most` of the bytes that are there. */
  take(most: number): Buffer {
    const bytes = this.#joined();
    const taken = bytes.subarray(0, most);
    const rest = bytes.subarray(taken.length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    this.#searched = 0;
    return taken;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (this.#chunks.length === 1 && only !== undefined) return only;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    return bytes;
  }
}

/** A line as text, without its line end. */
export function lineText(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\r?\n$/, '');
}

/** A literal announced at the end of a line. */
export interface LiteralHeader {
  readonly size: number;
  /** `{n+}`: the sender does not wait. */
  readonly nonSync: boolean;
  /** The line up to the announcement. */
  readonly before: string;
}

/** `line` without CRLF. */
export function literalHeader(line: string): LiteralHeader | null {
  const match = /\{(\d+)(\+?)\}$/.exec(line);
  if (match === null) return null;
  return { size: Number(match[1]), nonSync: match[2] === '+', before: line.slice(0, match.index) };
}
