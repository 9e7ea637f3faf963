import type { Literal } from '../protocol/index.ts';

const lf = 0x0a;
const cr = 0x0d;

/** The first bytes of a message, up to the empty line that ends its header, at most `maxBytes`. */
export function headerBlockOf(body: Literal, maxBytes: number): Buffer {
  const search = new HeaderEndSearch();
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const chunk of body.chunks) {
    const end = search.next(chunk);
    const part = chunk.subarray(0, Math.min(end === -1 ? chunk.length : end, maxBytes - bytes));
    parts.push(part);
    bytes += part.length;
    if (end !== -1 || bytes >= maxBytes) break;
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, bytes);
}

/** Looks for the empty line chunk by chunk: each byte is seen once, however small the chunks are. */
class HeaderEndSearch {
  #atLineStart = false;
  /** The line so far is one CR. */
  #onlyCr = false;

  /** Where in this chunk the line feed of the empty line stands; -1: not in here. */
  next(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#atLineStart) {
        const byte = chunk[at];
        if (byte === lf) return at;
        this.#atLineStart = false;
        this.#onlyCr = byte === cr;
        at++;
      } else if (this.#onlyCr && chunk[at] === lf) {
        return at;
      } else {
        this.#onlyCr = false;
        const end = chunk.indexOf(lf, at);
        if (end === -1) return -1;
        this.#atLineStart = true;
        at = end + 1;
      }
    }
    return -1;
  }
}
