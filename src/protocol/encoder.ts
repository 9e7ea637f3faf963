import type { ByteSource } from './byte-source.ts';
import { UsageError } from './errors.ts';
import { isAtom, isFlag } from './flags.ts';
import { encodeSequenceSet, parseSequenceSet } from './sequence-set.ts';
import type { FolderName, Literal } from './types.ts';
import { encodeFolderName } from './utf7.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Which literals may follow without waiting for `+` (RFC 7888): all (LITERAL+), those up to 4096 bytes (LITERAL-), none. */
export type NonSyncLiterals = 'all' | 'small' | 'none';

/** Bytes of a command, or where they will come from. */
export type CommandPart = Buffer | ByteSource;

/** A command ready to be sent. Between two groups the sender must have received `+` (RFC 9051 7.6). */
export interface EncodedCommand {
  readonly groups: readonly (readonly CommandPart[])[];
  /** All groups together. */
  readonly bytes: number;
}

export interface EncoderOptions {
  readonly nonSyncLiterals: NonSyncLiterals;
}

/** LITERAL- allows `{n+}` up to this size, inclusive, for each literal on its own (RFC 7888 section 5). */
const smallLiteral = 4096;
/** Longer strings go as literals: servers bound a command line, some at 8 KiB. */
const maxQuoted = 1024;
const firstBytes = 512;
/** Room in front of the command for its tag and a space. */
const tagRoom = 32;

/**
 * Writes one command: grammar and short strings into one buffer, literals beside it as the very slices they came in.
 * Nothing an argument holds can end the command or start another: what cannot stand where it was put is sent as a
 * literal or refused with `UsageError`, and no byte leaves before `finish`.
 */
export class Encoder {
  readonly #nonSyncLiterals: NonSyncLiterals;
  readonly #groups: CommandPart[][] = [];
  #group: CommandPart[] = [];
  #buffer = Buffer.allocUnsafe(firstBytes);
  /** Start of the piece that is being written; the first one leaves room for the tag. */
  #start = tagRoom;
  #position = tagRoom;
  /** The first piece, once it is whole: the tag is not known before `finish`. */
  #first: { buffer: Buffer; end: number } | null = null;
  #bytes = 0;

  constructor(options: EncoderOptions) {
    this.#nonSyncLiterals = options.nonSyncLiterals;
  }

  /** Grammar of our own: `FETCH `, `(`, `RETURN (STATUS`. Printable ASCII only, else `UsageError`. */
  raw(text: string): this {
    const { length } = text;
    this.#reserve(length);
    const buffer = this.#buffer;
    let at = this.#position;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > 0x7e) throw new UsageError('a command can hold only printable ASCII outside strings');
      buffer[at++] = code;
    }
    this.#position = at;
    return this;
  }

  /** One space. */
  sp(): this {
    this.#reserve(1);
    this.#buffer[this.#position++] = SPACE;
    return this;
  }

  /** An `atom`; `UsageError` when the text is none. */
  atom(text: string): this {
    if (!isAtom(text)) throw new UsageError(`${JSON.stringify(text.slice(0, 40))} is no atom`);
    return this.raw(text);
  }

  /** A `number` or `number64`. */
  number(number: number | bigint): this {
    if (typeof number === 'number' ? !Number.isSafeInteger(number) || number < 0 : number < 0n) {
      throw new UsageError(`${number} is no number that a command can hold`);
    }
    return this.raw(String(number));
  }

  /**
   * A `string`: quoted when it is short printable ASCII, else a literal. Strings are sent as UTF-8. `UsageError` when it
   * holds a NUL, which no string can (RFC 9051 section 9 CHAR8).
   */
  string(value: string | Buffer): this {
    if (typeof value === 'string' && isQuotable(value)) return this.#quoted(value);
    const bytes = typeof value === 'string' ? toUtf8(value) : value;
    if (bytes.includes(0)) throw new UsageError('a string cannot hold a NUL byte');
    if (typeof value !== 'string') {
      const text = bytes.length <= maxQuoted ? bytes.toString('latin1') : '';
      if (bytes.length <= maxQuoted && isQuotable(text)) return this.#quoted(text);
    }
    return this.literal(bytes);
  }

  /** An `astring`. It is never sent as an atom: `NIL` must stay a string. */
  astring(value: string | Buffer): this {
    return this.string(value);
  }

  /** A mailbox name: a string in modified UTF-7 with INBOX in upper case (RFC 3501 5.1), a Buffer as it is. */
  mailbox(name: FolderName): this {
    if (typeof name !== 'string') return this.string(name);
    return this.string(/^inbox$/i.test(name) ? 'INBOX' : encodeFolderName(name));
  }

  /** Flags in parentheses; `UsageError` for one that is no flag. */
  flags(flags: readonly string[]): this {
    this.raw('(');
    for (let at = 0; at < flags.length; at++) {
      const flag = flags[at] as string;
      if (!isFlag(flag)) throw new UsageError(`${JSON.stringify(flag.slice(0, 40))} is no flag`);
      if (at > 0) this.sp();
      this.raw(flag);
    }
    return this.raw(')');
  }

  /** A `date-time` in quotes, exactly as given. `UsageError` when it could end the quotes. */
  dateTime(internalDate: string): this {
    if (internalDate.length > 64 || internalDate.includes('"') || internalDate.includes('\\')) {
      throw new UsageError('a date-time cannot hold quotes');
    }
    return this.raw('"').raw(internalDate).raw('"');
  }

  /** A `sequence-set`: ascending numbers, or text such as `1:*`, `2,4:7` or `$`, which is checked. */
  sequenceSet(set: string | ArrayLike<number>): this {
    if (typeof set !== 'string') return this.raw(encodeSequenceSet(set));
    if (set !== '$') checkSequenceSet(set);
    return this.raw(set);
  }

  /**
   * A literal. Its slices are handed on, neither copied nor looked at; they must not change until they are sent.
   * A synchronising `{n}` ends the group.
   */
  literal(bytes: Buffer | Literal | ByteSource): this {
    return this.#literal(bytes, '');
  }

  /** A `literal8`, which may hold NUL bytes: where the server has BINARY (RFC 3516) or UTF8 (RFC 6855). */
  literal8(bytes: Buffer | Literal | ByteSource): this {
    return this.#literal(bytes, '~');
  }

  #literal(bytes: Buffer | Literal | ByteSource, mark: '' | '~'): this {
    const size = 'size' in bytes ? bytes.size : bytes.length;
    const nonSync = this.#nonSyncLiterals === 'all' || (this.#nonSyncLiterals === 'small' && size <= smallLiteral);
    this.raw(nonSync ? `${mark}{${size}+}` : `${mark}{${size}}`);
    this.#newline();
    this.#endPiece();
    if (!nonSync) {
      this.#groups.push(this.#group);
      this.#group = [];
    }
    if (!('size' in bytes)) this.#add(bytes);
    else for (const chunk of bytes.chunks) this.#add(chunk);
    return this;
  }

  /** Ends the command: tag in front, CRLF behind. The encoder cannot be used again. */
  finish(tag: string): EncodedCommand {
    if (!isAtom(tag) || tag.length >= tagRoom) throw new UsageError('a tag is a short atom');
    this.#newline();
    this.#endPiece();
    this.#groups.push(this.#group);
    const first = this.#first as { buffer: Buffer; end: number };
    const start = tagRoom - tag.length - 1;
    first.buffer.write(tag, start, 'latin1');
    first.buffer[tagRoom - 1] = SPACE;
    (this.#groups[0] as CommandPart[])[0] = first.buffer.subarray(start, first.end);
    this.#bytes += tag.length + 1;
    return { groups: this.#groups, bytes: this.#bytes };
  }

  #quoted(text: string): this {
    this.#reserve(2 * text.length + 2);
    const buffer = this.#buffer;
    let at = this.#position;
    buffer[at++] = QUOTE;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === QUOTE || code === BACKSLASH) buffer[at++] = BACKSLASH;
      buffer[at++] = code;
    }
    buffer[at++] = QUOTE;
    this.#position = at;
    return this;
  }

  #newline(): void {
    this.#reserve(2);
    this.#buffer[this.#position++] = 0x0d;
    this.#buffer[this.#position++] = 0x0a;
  }

  #endPiece(): void {
    if (this.#first === null) {
      this.#first = { buffer: this.#buffer, end: this.#position };
      this.#group.push(this.#buffer);
    } else {
      this.#group.push(this.#buffer.subarray(this.#start, this.#position));
    }
    this.#bytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  #add(chunk: CommandPart): void {
    if (chunk.length === 0) return;
    this.#group.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Makes room for `bytes` more of the piece. Finished pieces stay where they are. */
  #reserve(bytes: number): void {
    if (this.#position + bytes <= this.#buffer.length) return;
    const front = this.#first === null ? tagRoom : 0;
    const written = this.#position - this.#start;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, front + written + bytes));
    this.#buffer.copy(grown, front, this.#start, this.#position);
    this.#buffer = grown;
    this.#start = front;
    this.#position = front + written;
  }
}

function isQuotable(text: string): boolean {
  if (text.length > maxQuoted) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code > 0x7e) return false;
  }
  return true;
}

function checkSequenceSet(set: string): void {
  try {
    for (const range of parseSequenceSet(set, 1)) void range;
  } catch (cause) {
    throw new UsageError(`${JSON.stringify(set.slice(0, 40))} is no sequence set`, { cause });
  }
}

function toUtf8(text: string): Buffer {
  if (/\p{Surrogate}/u.test(text)) throw new UsageError('a string holds half a character (a lone surrogate)');
  return Buffer.from(text, 'utf8');
}
