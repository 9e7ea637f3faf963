import { createHash, hash } from 'node:crypto';
import type { Literal } from '../protocol/index.ts';

const lf = 0x0a;
const cr = 0x0d;
const crlf = Buffer.from('\r\n');

const digestBytes = 32;
/**
 * Digests lie side by side: a buffer that the hash makes for each costs as much as hashing a kilobyte, and a thread that
 * is sent a digest is sent all memory around it.
 */
const digestsPerBlock = 32;
/** Slices of a body up to this size are put together for the hash: calling it once costs less than an object for it. */
const maxJoined = 16 * 1024;
const joined = Buffer.allocUnsafeSlow(maxJoined);

let block = Buffer.alloc(0);
let blockUsed = 0;

/** Writes SHA-256 over the exact bytes of a literal into `into` from `at` on. */
export function writeDigest(body: Literal, into: Buffer, at: number): void {
  into.write(shaOf(body), at, 'latin1');
}

/** SHA-256 over the exact bytes of a body that is never there as a whole. */
export class BodyHash {
  readonly #sha = createHash('sha256');

  add(slice: Buffer): void {
    this.#sha.update(slice);
  }

  /** Of all that was added; to be asked once. */
  digest(): Buffer {
    return this.#sha.digest();
  }
}

/** One character a byte. */
function shaOf(body: Literal): string {
  const [only] = body.chunks;
  if (only !== undefined && body.chunks.length === 1) return hash('sha256', only, 'binary');
  if (body.size <= maxJoined) {
    let length = 0;
    for (const chunk of body.chunks) length += chunk.copy(joined, length);
    return hash('sha256', joined.subarray(0, length), 'binary');
  }
  const sha = createHash('sha256');
  for (const chunk of body.chunks) sha.update(chunk);
  return sha.digest('binary');
}

function toDigest(bytes: string): Buffer {
  if (blockUsed === block.length) {
    block = Buffer.allocUnsafeSlow(digestsPerBlock * digestBytes);
    blockUsed = 0;
  }
  const start = blockUsed;
  blockUsed += block.write(bytes, start, 'latin1');
  return block.subarray(start, blockUsed);
}

/**
 * SHA-256 over the canonical form: every line ends in CRLF (bare CR and bare LF become CRLF) and the last line has its end.
 * Servers that store lines their own way serve the same message with other line ends; the canonical digest is what stays equal.
 */
export function canonicalDigestOf(body: Literal): Buffer {
  const lines = new CanonicalLines();
  for (const chunk of body.chunks) lines.add(chunk);
  return lines.digest();
}

/**
 * Hashes lines in the canonical form as they come, cut anywhere. Runs of lines that are canonical already are hashed where
 * they lie.
 */
export class CanonicalLines {
  readonly #sha = createHash('sha256');
  /** The last byte was a CR, hashed as CRLF: an LF that follows belongs to it. */
  #afterCr = false;
  #midLine = false;

  add(chunk: Buffer): void {
    const { length } = chunk;
    if (length === 0) return;
    let start = this.#afterCr && chunk[0] === lf ? 1 : 0;
    this.#afterCr = chunk[length - 1] === cr;
    this.#midLine = !this.#afterCr && chunk[length - 1] !== lf;
    let crAt = positionOf(chunk, cr, start);
    let lfAt = positionOf(chunk, lf, start);
    while (crAt < length || lfAt < length) {
      const end = Math.min(crAt, lfAt);
      let next = end + 1;
      if (crAt + 1 === lfAt && lfAt < length) {
        next = lfAt + 1;
      } else {
        if (end > start) this.#sha.update(chunk.subarray(start, end));
        this.#sha.update(crlf);
        start = next;
      }
      if (crAt < next) crAt = positionOf(chunk, cr, next);
      if (lfAt < next) lfAt = positionOf(chunk, lf, next);
    }
    if (start < length) this.#sha.update(start === 0 ? chunk : chunk.subarray(start));
  }

  digest(): Buffer {
    if (this.#midLine) this.#sha.update(crlf);
    return toDigest(this.#sha.digest('binary'));
  }
}

/** Where the byte stands next, the chunk's length where it does not: a search that found nothing is not repeated. */
function positionOf(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at === -1 ? chunk.length : at;
}

const identifyingFields = /^(message-id|date|from|subject):/i;

/**
 * SHA-256 over the identifying header fields of a header block: name in lower case, unfolded, blanks collapsed, sorted,
 * so that a server's own folding, order or letter case of field names makes no difference.
 */
export function headerKeyOf(header: Buffer): Buffer {
  const unfolded = header
    .toString('latin1')
    .replace(/\r\n|\r/g, '\n')
    .replace(/\n[ \t]+/g, ' ');
  const fields: string[] = [];
  for (const line of unfolded.split('\n')) {
    if (line === '') {
      if (fields.length > 0) break;
      continue;
    }
    if (!identifyingFields.test(line)) continue;
    const colon = line.indexOf(':');
    fields.push(
      `${line.slice(0, colon).trim().toLowerCase()}:${line
        .slice(colon + 1)
        .replace(/[ \t]+/g, ' ')
        .trim()}`,
    );
  }
  return toDigest(hash('sha256', fields.sort().join('\n'), 'binary'));
}
