import { internAtom, internUpper } from './atom-cache.ts';
import { endsAtom, endsFlag } from './byte-class.ts';
import { LimitError, ProtocolError } from './errors.ts';
import { excerpt } from './excerpt.ts';
import { knownFlagLists } from './fetch-caches.ts';
import { Frame } from './frame.ts';
import { defaultLimits } from './limits.ts';
import type { Literal } from './types.ts';
import { parseValue, type Value } from './value.ts';
import { matchesWord } from './word.ts';

export type { Value } from './value.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** `peek` at the end of the response. */
export const END = -1;
/** `peek` in front of a literal. */
export const LITERAL = 256;

const empty: Buffer = Buffer.alloc(0);

const maxNumber = 0xffff_ffff;
const maxNumber64 = 0xffff_ffff_ffff_ffffn;

/**
 * A cursor over one frame with the token rules of RFC 9051 section 9 (and RFC 3501's). Every method throws
 * `ProtocolError` where the bytes do not fit, with a short excerpt of text, never of a literal. Reading is linear in the
 * bytes read and iterative. 8-bit bytes are kept, more than one space is taken for one (DavMail sends two). The servers
 * that a leniency is for are in test/transcripts/servers.ts.
 */
export class Lexer {
  readonly frame: Frame;
  /** The text run under the cursor; for the parsers next door. */
  buffer: Buffer;
  position: number;
  end: number;
  #run = 0;

  private constructor(frame: Frame) {
    this.frame = frame;
    this.buffer = frame.runBuffers[0] as Buffer;
    this.position = frame.runStarts[0] as number;
    this.end = frame.runEnds[0] as number;
  }

  /** A cursor at the start of a frame. There is one for each: an earlier one of the same frame starts anew. */
  static of(frame: Frame): Lexer {
    const lexer = frame.lexer;
    if (lexer === null) {
      frame.lexer = new Lexer(frame);
      return frame.lexer;
    }
    lexer.#run = 0;
    lexer.buffer = frame.runBuffers[0] as Buffer;
    lexer.position = frame.runStarts[0] as number;
    lexer.end = frame.runEnds[0] as number;
    return lexer;
  }

  /** For the frame that is done: what is left behind reads as an empty line. */
  release(): void {
    this.buffer = empty;
    this.position = 0;
    this.end = 0;
    this.#run = 0;
  }

  /** A cursor over text that was handed out before, such as what a response code holds (latin1). */
  static over(text: string): Lexer {
    const frame = new Frame(defaultLimits);
    const bytes = Buffer.from(text, 'latin1');
    frame.addRun(bytes, 0, bytes.length);
    frame.complete = true;
    return Lexer.of(frame);
  }

  /** The byte under the cursor, `LITERAL` in front of a literal, `END` at the end. */
  peek(): number {
    if (this.position < this.end) return this.buffer[this.position] as number;
    return this.#run < this.frame.literalCount ? LITERAL : END;
  }

  get atEnd(): boolean {
    return this.peek() === END;
  }

  /** True in front of a quoted string or a literal. */
  get atString(): boolean {
    const next = this.peek();
    return next === QUOTE || next === LITERAL;
  }

  /** True in front of a literal that a sink is about to receive: nothing behind it can be read yet. */
  get atPendingLiteral(): boolean {
    return !this.frame.complete && this.position === this.end && this.#run === this.frame.literalCount - 1;
  }

  /** Steps over `byte` if it is under the cursor, and says whether it was. */
  skip(byte: number): boolean {
    if (this.position >= this.end || this.buffer[this.position] !== byte) return false;
    this.position++;
    return true;
  }

  /** Steps over `word`, made by `toWord`, if it is next in any case, and says whether it was. */
  skipWord(word: Uint8Array): boolean {
    const { buffer, position } = this;
    if (this.end - position < word.length || !matchesWord(buffer, position, word)) return false;
    this.position = position + word.length;
    return true;
  }

  /** Steps over spaces, if there are any. */
  skipSpaces(): void {
    while (this.position < this.end && this.buffer[this.position] === SPACE) this.position++;
  }

  /** At least one space. */
  space(): void {
    if (this.position >= this.end || this.buffer[this.position] !== SPACE) this.fail('a space');
    this.skipSpaces();
  }

  /** `(` and spaces after it. */
  open(): void {
    if (!this.skip(OPEN_PAREN)) this.fail('"("');
    this.skipSpaces();
  }

  /** Steps over `)`, with spaces before it, if that is next, and says whether it was. */
  close(): boolean {
    this.skipSpaces();
    return this.skip(CLOSE_PAREN);
  }

  /** Nothing but spaces may be left (Outlook ends STATUS lines with one). */
  finish(): void {
    this.skipSpaces();
    if (!this.atEnd) this.fail('the end of the line');
  }

  /** True when NIL, in any case, is next; the cursor stays. */
  isNil(): boolean {
    const { buffer, position, end } = this;
    return (
      end - position >= 3 &&
      ((buffer[position] as number) | 0x20) === 0x6e &&
      ((buffer[position + 1] as number) | 0x20) === 0x69 &&
      ((buffer[position + 2] as number) | 0x20) === 0x6c &&
      (position + 3 === end ? this.#run >= this.frame.literalCount : endsAtom[buffer[position + 3] as number] === 1)
    );
  }

  /** Steps over NIL if that is next, and says whether it was. */
  nil(): boolean {
    if (!this.isNil()) return false;
    this.position += 3;
    return true;
  }

  /** An atom as sent (latin1). Everything up to a space, parenthesis, quote, brace or control is part of it. */
  atom(): string {
    const start = this.position;
    return internAtom(this.buffer, start, this.#atomEnd());
  }

  /** An atom in upper case, for names that know no case. */
  word(): string {
    const start = this.position;
    return internUpper(this.buffer, start, this.#atomEnd());
  }

  /** An atom in upper case that also ends in front of the byte `stop`. */
  wordUntil(stop: number): string {
    const { buffer, end, position: start } = this;
    let at = start;
    while (at < end && endsAtom[buffer[at] as number] === 0 && buffer[at] !== stop) at++;
    if (at === start) this.fail('an atom');
    this.position = at;
    return internUpper(buffer, start, at);
  }

  /** `number`, up to 2^32 - 1. */
  number(): number {
    const start = this.position;
    const value = this.#digits();
    if (value > maxNumber) {
      this.position = start;
      this.fail('a number below 2^32');
    }
    return value;
  }

  /** A number up to 2^53 - 1: sizes that servers let grow beyond 32 bits. */
  number53(): number {
    const start = this.position;
    const value = this.#digits();
    if (value > Number.MAX_SAFE_INTEGER) {
      this.position = start;
      this.fail('a number below 2^53');
    }
    return value;
  }

  /** `number64`, up to 2^64 - 1. */
  number64(): bigint {
    const start = this.position;
    const value = this.#digits();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    const digits = this.position - start;
    const exact = digits <= 20 ? BigInt(this.buffer.toString('latin1', start, this.position)) : maxNumber64 + 1n;
    if (exact > maxNumber64) {
      this.position = start;
      this.fail('a number below 2^64');
    }
    return exact;
  }

  /** `quoted`, unescaped, as a copy. */
  quoted(): Buffer {
    const { buffer, end } = this;
    const start = this.position + 1;
    if (!this.skip(QUOTE)) this.fail('a quoted string');
    let at = start;
    while (at < end && buffer[at] !== QUOTE && buffer[at] !== BACKSLASH) at++;
    if (at < end && buffer[at] === QUOTE) {
      this.position = at + 1;
      return Buffer.from(buffer.subarray(start, at));
    }
    return this.#escaped(start);
  }

  /** The literal under the cursor, also a `literal8`. */
  literal(): Literal {
    if (this.position < this.end || this.#run >= this.frame.literalCount) this.fail('a literal');
    const literal = this.frame.literal(this.#run);
    this.#nextRun();
    return literal;
  }

  /** `string`: quoted or literal, as a copy. A literal must not exceed `limits.maxJoinedBytes`. */
  string(): Buffer {
    const next = this.peek();
    if (next === LITERAL) return this.#joined();
    if (next !== QUOTE) this.fail('a string');
    return this.quoted();
  }

  /** `nstring`: NIL is null, a quoted string a Buffer (a copy), a literal stays one. */
  nstring(): Buffer | Literal | null {
    const next = this.peek();
    if (next === LITERAL) return this.literal();
    if (next === QUOTE) return this.quoted();
    return this.#null();
  }

  /** `nstring` for what may be large: a quoted string becomes a literal of one slice. */
  nliteral(): Literal | null {
    const next = this.peek();
    if (next === LITERAL) return this.literal();
    if (next !== QUOTE) return this.#null();
    const value = this.quoted();
    return { size: value.length, chunks: [value] };
  }

  /** `astring`: atom, quoted or literal, bytes as latin1. */
  astring(): string {
    return this.atString ? this.string().toString('latin1') : this.atom();
  }

  /**
   * Flags in parentheses, as sent (latin1). Lists that come again and again are handed out as one frozen array. Servers
   * bend the rules here: a space inside the parentheses (iCloud, SurgeMail), keywords with brackets
   * (`OIB-Seen-[Gmail]/Spam` at Gmail), with 8-bit bytes, in quotes, or two flags without a space between them.
   */
  flagList(): readonly string[] {
    const { buffer, position: start } = this;
    const known = knownFlagLists.find(buffer, start, this.end);
    if (known !== null) {
      this.position = start + known.bytes.length;
      return known.value;
    }
    const flags: string[] = [];
    if (!this.skip(OPEN_PAREN)) this.fail('a flag list');
    while (!this.close()) flags.push(this.peek() === QUOTE ? this.quoted().toString('latin1') : this.#flag());
    knownFlagLists.keep(buffer, start, this.position, Object.freeze(flags));
    return flags;
  }

  /** `(` items `)`: calls `item` in front of each one. */
  list(item: () => void): void {
    this.open();
    while (!this.close()) item();
  }

  /** Any value. Bounded by `limits.maxDepth` and `limits.maxValues`. */
  value(): Value {
    return parseValue(this);
  }

  /** The rest of the response, bytes as latin1; a literal in it stands as its bytes. */
  text(): string {
    let text = this.buffer.toString('latin1', this.position, this.end);
    this.position = this.end;
    while (this.peek() === LITERAL) {
      text += this.#joined().toString('latin1');
      text += this.buffer.toString('latin1', this.position, this.end);
      this.position = this.end;
    }
    return text;
  }

  /** Throws `ProtocolError` naming what was expected and what stands at the cursor. */
  fail(expected: string): never {
    const next = this.peek();
    const seen =
      next === END ? 'the end' : next === LITERAL ? 'a literal' : `"${excerpt(this.buffer, this.position, this.end)}"`;
    throw new ProtocolError(`expected ${expected}, got ${seen}`);
  }

  #null(): null {
    if (!this.nil()) this.fail('a string or NIL');
    return null;
  }

  #flag(): string {
    const { buffer, end, position: start } = this;
    const first = start < end ? (buffer[start] as number) : 0;
    if (first !== BACKSLASH && endsFlag[first] === 1) this.fail('a flag');
    let at = start + 1;
    while (at < end && endsFlag[buffer[at] as number] === 0) at++;
    this.position = at;
    return internAtom(buffer, start, at);
  }

  #atomEnd(): number {
    const { buffer, end, position: start } = this;
    let at = start;
    while (at < end && endsAtom[buffer[at] as number] === 0) at++;
    if (at === start) this.fail('an atom');
    this.position = at;
    return at;
  }

  /** Digits as a double: exact up to 2^53 - 1, above that only known to be above. */
  #digits(): number {
    const { buffer, end, position: start } = this;
    let at = start;
    let value = 0;
    while (at < end) {
      const byte = buffer[at] as number;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
      at++;
    }
    if (at === start) this.fail('a number');
    this.position = at;
    return value;
  }

  #escaped(start: number): Buffer {
    const { buffer, end } = this;
    let at = start;
    while (at < end && buffer[at] !== QUOTE) at += buffer[at] === BACKSLASH ? 2 : 1;
    if (at >= end) {
      this.position = start - 1;
      this.fail('a quoted string with an end');
    }
    const value = Buffer.allocUnsafe(at - start);
    let length = 0;
    for (let from = start; from < at; from++) {
      if (buffer[from] === BACKSLASH) from++;
      value[length++] = buffer[from] as number;
    }
    this.position = at + 1;
    return value.subarray(0, length);
  }

  #joined(): Buffer {
    const size = this.frame.literalSize(this.#run);
    const { maxJoinedBytes } = this.frame.limits;
    if (size > maxJoinedBytes)
      throw new LimitError(`a string of ${size} bytes is above the limit of ${maxJoinedBytes}`);
    const { chunks } = this.literal();
    return Buffer.concat(chunks);
  }

  #nextRun(): void {
    const run = ++this.#run;
    const { frame } = this;
    if (run >= frame.runCount) throw new ProtocolError('the rest of the response is still to come');
    this.buffer = frame.runBuffers[run] as Buffer;
    this.position = frame.runStarts[run] as number;
    this.end = frame.runEnds[run] as number;
  }
}
