import type { Lexer } from './lexer.ts';
import type { Limits } from './limits.ts';
import type { Literal } from './types.ts';

const QUOTE = 0x22;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const BACKSLASH = 0x5c;

/**
 * One whole server response without its last CRLF: text runs with literals between them, run 0, literal 0, run 1, …
 * Held as offsets into the socket's chunks in parallel arrays, not as an object per piece: the framer fills one Frame
 * over and over, so it is valid only until the callback that received it returns.
 *
 * `Literal`s taken from it may be kept for ever. They are views: a small literal that is kept long keeps its whole
 * chunk (64 KiB) alive, so copy what must stay. Text is always handed out as strings or copies.
 */
export class Frame {
  readonly limits: Limits;
  /** False while a literal sink is being asked: the last literal and all after it are still to come. */
  complete = false;

  /** For `Lexer.of`: the frame's one lexer, used again with it. */
  lexer: Lexer | null = null;

  runCount = 0;
  readonly runBuffers: (Buffer | null)[] = [];
  readonly runStarts: number[] = [];
  /** Exclusive; neither the CRLF nor a literal's announcement belongs to the run. */
  readonly runEnds: number[] = [];

  literalCount = 0;
  readonly #literalSizes: number[] = [];
  readonly #literalSlices: number[] = [];

  #sliceCount = 0;
  readonly #sliceBuffers: (Buffer | null)[] = [];
  readonly #sliceStarts: number[] = [];
  readonly #sliceEnds: number[] = [];

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Bytes announced for literal `index`. */
  literalSize(index: number): number {
    return this.#literalSizes[index] as number;
  }

  /** Literal `index` as slices of the chunks. Its `chunks` is empty when it went to a sink or is still to come. */
  literal(index: number): Literal {
    const size = this.#literalSizes[index] as number;
    const first = this.#literalSlices[index] as number;
    const last = index + 1 < this.literalCount ? (this.#literalSlices[index + 1] as number) : this.#sliceCount;
    if (last - first === 1) return { size, chunks: [this.#slice(first)] };
    const chunks: Buffer[] = [];
    for (let at = first; at < last; at++) chunks.push(this.#slice(at));
    return { size, chunks };
  }

  /** True when a parenthesis outside quotes is still open at the end of what the frame holds. */
  hasOpenList(): boolean {
    let depth = 0;
    for (let run = 0; run < this.runCount; run++) {
      const buffer = this.runBuffers[run] as Buffer;
      const end = this.runEnds[run] as number;
      let quoted = false;
      for (let at = this.runStarts[run] as number; at < end; at++) {
        const byte = buffer[at];
        if (quoted && byte === BACKSLASH) at++;
        else if (byte === QUOTE) quoted = !quoted;
        else if (quoted) continue;
        else if (byte === OPEN_PAREN) depth++;
        else if (byte === CLOSE_PAREN) depth--;
      }
    }
    return depth > 0;
  }

  /** All text, bytes as latin1, with `{n}` where the literals stand; for traces. */
  text(): string {
    let text = '';
    for (let run = 0; run < this.runCount; run++) {
      const buffer = this.runBuffers[run] as Buffer;
      text += buffer.toString('latin1', this.runStarts[run], this.runEnds[run]);
      if (run < this.literalCount) text += `{${this.literalSize(run)}}`;
    }
    return text;
  }

  #slice(at: number): Buffer {
    const buffer = this.#sliceBuffers[at] as Buffer;
    const start = this.#sliceStarts[at] as number;
    const end = this.#sliceEnds[at] as number;
    return start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
  }

  /** For the framer. */
  addRun(buffer: Buffer, start: number, end: number): void {
    const at = this.runCount++;
    this.runBuffers[at] = buffer;
    this.runStarts[at] = start;
    this.runEnds[at] = end;
  }

  /** For the framer. */
  addLiteral(size: number): void {
    const at = this.literalCount++;
    this.#literalSizes[at] = size;
    this.#literalSlices[at] = this.#sliceCount;
  }

  /** For the framer: the next bytes of the last literal. */
  addSlice(buffer: Buffer, start: number, end: number): void {
    const at = this.#sliceCount++;
    this.#sliceBuffers[at] = buffer;
    this.#sliceStarts[at] = start;
    this.#sliceEnds[at] = end;
  }

  /** For the framer: length of the last literal's last slice, -1 when it has none yet. */
  lastSliceLength(): number {
    const last = this.#sliceCount - 1;
    if (last < (this.#literalSlices[this.literalCount - 1] as number)) return -1;
    return (this.#sliceEnds[last] as number) - (this.#sliceStarts[last] as number);
  }

  /** For the framer: makes the last slice `bytes` longer if it ends at `end` of `buffer`, and says whether it did. */
  extendLastSlice(buffer: Buffer, end: number, bytes: number): boolean {
    const last = this.#sliceCount - 1;
    if (this.#sliceBuffers[last] !== buffer || this.#sliceEnds[last] !== end) return false;
    this.#sliceEnds[last] = end + bytes;
    return true;
  }

  /** For the framer: forgets everything, so that no chunk is kept alive by a frame that is done. */
  reset(): void {
    this.lexer?.release();
    for (let at = 0; at < this.runCount; at++) this.runBuffers[at] = null;
    if (this.#sliceCount > 64) {
      this.#sliceBuffers.length = 0;
      this.#sliceStarts.length = 0;
      this.#sliceEnds.length = 0;
    } else {
      for (let at = 0; at < this.#sliceCount; at++) this.#sliceBuffers[at] = null;
    }
    this.runCount = 0;
    this.literalCount = 0;
    this.#sliceCount = 0;
    this.complete = false;
  }
}
