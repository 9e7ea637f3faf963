import { LimitError, ProtocolError } from './errors.ts';
import { type FetchReceiver, FetchScan } from './fetch-scan.ts';
import { Frame } from './frame.ts';
import { type Limits, resolveLimits } from './limits.ts';
import { findMarker, mayHoldLiterals, readMarker } from './literal-marker.ts';
import { SlicePool, smallSlice } from './slice-pool.ts';

const LF = 0x0a;
const CR = 0x0d;
const CLOSE_BRACE = 0x7d;

/** Receives a literal instead of the frame. Called synchronously from `push`. */
export interface LiteralSink {
  /** The next bytes. The slice may be kept. */
  write(slice: Buffer): void;
  /** All announced bytes were written. Not called when the connection fails before that. */
  end(): void;
}

/**
 * Asked when a literal of at least `limits.streamLiteralBytes` begins. `frame` is incomplete: it holds what came before
 * the literal, which is its last one; `parseFetch` reads the items before it. Null lets the frame collect the bytes.
 */
export type LiteralSinkChooser = (size: number, frame: Frame) => LiteralSink | null;

export interface FramerOptions {
  readonly limits?: Partial<Limits>;
  readonly literalSink?: LiteralSinkChooser;
  /**
   * Receives the FETCH responses that `FetchScan` knows, in their turn, as `parseFetch` would have read them. Without it
   * every response comes as a frame, which costs twice as much.
   */
  readonly onFetch?: FetchReceiver | undefined;
}

/** A carry buffer above this is not kept for the next line. */
const keptCarryBytes = 64 * 1024;
/** Blank lines inside one response that are overlooked. */
const maxBlankLines = 4;

const empty: Buffer = Buffer.alloc(0);

/**
 * Cuts a server's byte stream into responses (RFC 9051 4, 9): looks for CRLF outside literals only; inside a literal it
 * counts and slices. No byte of a literal is looked at or copied (but see `SlicePool`), text is copied only where a line
 * crosses chunks. The result is the same for every chunking of the same bytes.
 *
 * Throws `ProtocolError` or `LimitError` from `push`, and the same error again from every later `push`.
 */
export class Framer {
  readonly #onFrame: (frame: Frame) => void;
  readonly #limits: Limits;
  readonly #literalSink: LiteralSinkChooser | null;
  readonly #frame: Frame;
  readonly #onFetch: FetchReceiver | null;
  readonly #scan = new FetchScan();
  /** Literals up to this size can be handed out of a chunk that holds the whole response. */
  readonly #maxWholeLiteral: number;
  /** The scan has read the first line of this frame. */
  #scanned = false;

  /** The line that crosses chunks; lines of this frame that did so before may stand in front of it. */
  #carry = empty;
  #carryLength = 0;
  /** Where the unfinished line starts in the carry, -1 when no line is unfinished. */
  #lineStart = -1;

  #literalLeft = 0;
  #sink: LiteralSink | null = null;

  #textBytes = 0;
  #literalBytes = 0;
  #blankLines = 0;

  readonly #pool = new SlicePool();

  #chunk = empty;
  #position = 0;
  #failure: Error | null = null;

  constructor(onFrame: (frame: Frame) => void, options: FramerOptions = {}) {
    this.#onFrame = onFrame;
    this.#limits = resolveLimits(options.limits);
    this.#literalSink = options.literalSink ?? null;
    this.#frame = new Frame(this.#limits);
    this.#onFetch = options.onFetch ?? null;
    this.#maxWholeLiteral = maxWholeLiteral(this.#limits, this.#literalSink !== null);
  }

  /** True when every byte pushed so far belongs to a finished response. */
  get idle(): boolean {
    return this.#frame.runCount === 0 && this.#lineStart === -1;
  }

  /**
   * Takes the next bytes and calls `onFrame` for every response they finish. The chunk is kept as long as literals of it
   * are: its memory must not be reused. Not to be called from within `onFrame`.
   */
  push(chunk: Buffer): void {
    if (this.#failure !== null) throw this.#failure;
    this.#chunk = chunk;
    try {
      this.#consume(chunk);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('a response handler failed', { cause: error });
      this.#frame.reset();
      this.#carry = empty;
      throw error;
    } finally {
      this.#chunk = empty;
    }
  }

  /**
   * Within `onFrame`: the bytes of the current chunk after that frame, which the framer then leaves alone. What follows
   * the OK of STARTTLS or COMPRESS is not plain IMAP any more.
   */
  takeRest(): Buffer {
    const rest = this.#chunk.subarray(this.#position);
    this.#position = this.#chunk.length;
    return rest;
  }

  /** The stream ended. Throws `ProtocolError` when that was inside a response. */
  end(): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.idle) throw new ProtocolError('the connection ended inside a response');
  }

  #consume(chunk: Buffer): void {
    const frame = this.#frame;
    const limits = this.#limits;
    const length = chunk.length;
    let position = 0;
    while (position < length) {
      if (this.#literalLeft > 0) {
        const taken = Math.min(this.#literalLeft, length - position);
        this.#literalLeft -= taken;
        this.#addSlice(chunk, position, position + taken);
        position += taken;
        continue;
      }
      if (this.#onFetch !== null && frame.runCount === 0 && this.#lineStart === -1) {
        const next = this.#takeFetch(chunk, position, this.#onFetch);
        if (next !== -1) {
          position = next;
          continue;
        }
      }

      const lineFeed = chunk.indexOf(LF, position);
      if (lineFeed === -1) {
        this.#carryOver(chunk, position, length);
        return;
      }
      let line = chunk;
      let start = position;
      let end = lineFeed + 1;
      position = end;
      if (this.#lineStart !== -1) {
        this.#carryOver(chunk, start, end);
        line = this.#carry;
        start = this.#lineStart;
        end = this.#carryLength;
        this.#lineStart = -1;
      }
      this.#textBytes += end - start;
      if (this.#textBytes > limits.maxTextBytes) this.#failText();
      // mailutils imap4d 3.15 ends the OK of AUTHENTICATE with a bare LF. Outside literals LF can mean nothing else.
      const textEnd = end - start > 1 && line[end - 2] === CR ? end - 2 : end - 1;
      if (textEnd === start && this.#overlookBlankLine()) continue;

      if (line[textEnd - 1] === CLOSE_BRACE) {
        const marker = findMarker(line, start, textEnd);
        // Braces after anything else in data (`foo{3}`, an open quote) are taken as a literal, too: reading a literal's bytes
        // as responses would let a mail's content speak as the server, reading text as a literal only ends in an error.
        if (marker !== -1 && (frame.runCount > 0 || mayHoldLiterals(line, start, textEnd))) {
          const size = readMarker(line, marker, textEnd);
          frame.addRun(line, start, marker);
          this.#beginLiteral(size);
          continue;
        }
      }
      frame.addRun(line, start, textEnd);
      frame.complete = true;
      this.#position = position;
      if (this.#scanned && frame.runCount === 2 && this.#scan.tail(line, start, end) !== -1) {
        this.#onFetch?.(this.#scan.toData(frame.literal(0)));
      } else {
        this.#onFrame(frame);
      }
      this.#scanned = false;
      position = this.#position;
      frame.reset();
      this.#textBytes = 0;
      this.#literalBytes = 0;
      this.#blankLines = 0;
      this.#carryLength = 0;
      if (this.#carry.length > keptCarryBytes) this.#carry = empty;
    }
  }

  /** Reads a response that the scan knows, or its first line, and answers where to go on; -1 when that is none. */
  #takeFetch(chunk: Buffer, start: number, onFetch: FetchReceiver): number {
    const scan = this.#scan;
    const limits = this.#limits;
    const lineEnd = scan.head(chunk, start, chunk.length);
    if (lineEnd === -1 || lineEnd - start > limits.maxTextBytes) return -1;
    const { literalSize, markerStart } = scan;
    if (literalSize === -1) {
      onFetch(scan.toData(undefined));
      return lineEnd;
    }
    const literalEnd = lineEnd + literalSize;
    if (literalSize <= this.#maxWholeLiteral && literalEnd < chunk.length) {
      const end = scan.tail(chunk, literalEnd, chunk.length);
      const bytes = end - start;
      if (end !== -1 && bytes <= limits.maxResponseBytes && bytes - literalSize <= limits.maxTextBytes) {
        const chunks = literalSize === 0 ? [] : [chunk.subarray(lineEnd, literalEnd)];
        onFetch(scan.toData({ size: literalSize, chunks }));
        return end;
      }
    }
    // The rest may be in the next chunk: it is collected as always, and the scan goes on behind the literal.
    this.#textBytes = lineEnd - start;
    this.#frame.addRun(chunk, start, markerStart);
    this.#beginLiteral(literalSize);
    this.#scanned = true;
    return lineEnd;
  }

  /** Appends to the unfinished line. Linear: the carry doubles, and only new bytes are searched. */
  #carryOver(chunk: Buffer, start: number, end: number): void {
    if (this.#lineStart === -1) this.#lineStart = this.#carryLength;
    const bytes = end - start;
    const lineBytes = this.#carryLength - this.#lineStart;
    if (this.#textBytes + lineBytes + bytes > this.#limits.maxTextBytes) this.#failText();
    if (this.#carryLength + bytes > this.#carry.length) {
      // Finished lines of this frame keep pointing into the old buffer: only the unfinished one moves.
      const grown = Buffer.allocUnsafeSlow(Math.max(4096, 2 * (lineBytes + bytes)));
      this.#carry.copy(grown, 0, this.#lineStart, this.#carryLength);
      this.#carry = grown;
      this.#lineStart = 0;
      this.#carryLength = lineBytes;
    }
    if (bytes < 32) {
      for (let at = start; at < end; at++) this.#carry[this.#carryLength++] = chunk[at] as number;
    } else {
      chunk.copy(this.#carry, this.#carryLength, start, end);
      this.#carryLength += bytes;
    }
  }

  #beginLiteral(size: number): void {
    const frame = this.#frame;
    const limits = this.#limits;
    if (frame.literalCount >= limits.maxLiterals) {
      throw new LimitError(`a response has more than ${limits.maxLiterals} literals`);
    }
    if (size > limits.maxStreamedLiteralBytes) this.#failLiteral(size, limits.maxStreamedLiteralBytes);
    frame.addLiteral(size);
    if (this.#literalSink !== null && size >= limits.streamLiteralBytes) {
      this.#sink = this.#literalSink(size, frame);
    }
    if (this.#sink === null) {
      if (size > limits.maxLiteralBytes) this.#failLiteral(size, limits.maxLiteralBytes);
      this.#literalBytes += size;
      if (this.#literalBytes + this.#textBytes > limits.maxResponseBytes) {
        throw new LimitError(`a response announces more than ${limits.maxResponseBytes} bytes`);
      }
    }
    this.#literalLeft = size;
    if (size === 0) this.#endLiteral();
  }

  /** Hands on the next bytes of the literal. */
  #addSlice(chunk: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (this.#sink !== null) {
      this.#sink.write(chunk.subarray(start, end));
    } else if (bytes >= smallSlice || !this.#pool.take(this.#frame, chunk, start, bytes)) {
      this.#frame.addSlice(chunk, start, end);
    }
    if (this.#literalLeft === 0) this.#endLiteral();
  }

  #endLiteral(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }

  /**
   * Blank lines between responses, and one after a literal whose list is still open, are sent by servers that count a
   * literal two bytes short (reported to Python's imaplib as issue 88574). They mean nothing, so nothing is lost.
   */
  #overlookBlankLine(): boolean {
    if (this.#frame.runCount === 0) {
      this.#textBytes = 0;
      this.#carryLength = 0;
      return true;
    }
    if (this.#blankLines === maxBlankLines || !this.#frame.hasOpenList()) return false;
    this.#blankLines++;
    return true;
  }

  #failText(): never {
    throw new LimitError(`a response has more than ${this.#limits.maxTextBytes} bytes outside literals`);
  }

  #failLiteral(size: number, cap: number): never {
    throw new LimitError(`a literal of ${size} bytes is above the limit of ${cap}`);
  }
}

function maxWholeLiteral(limits: Limits, hasSink: boolean): number {
  if (limits.maxLiterals === 0) return -1;
  const max = Math.min(limits.maxLiteralBytes, limits.maxStreamedLiteralBytes);
  return hasSink ? Math.min(max, limits.streamLiteralBytes - 1) : max;
}
