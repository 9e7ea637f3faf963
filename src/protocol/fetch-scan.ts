import { dateTimeBytes, readDateTime } from './datetime.ts';
import { knownFlagLists, knownSections } from './fetch-caches.ts';
import type { FetchData } from './fetch-data.ts';
import type { Literal } from './types.ts';
import { quad, quadAt } from './word.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const CLOSE_PAREN = 0x29;
const STAR = 0x2a;
const ZERO = 0x30;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Called synchronously; the data may be kept. */
export type FetchReceiver = (data: FetchData) => void;

/** `FETCH (` and the items, cut into quads. */
const [spFet, chOpen] = [quad(' FET'), quad('CH (')];
const uid = quad('UID ');
const [flag, ags] = [quad('FLAG'), quad('AGS ')];
const [inte, rnal, date] = [quad('INTE'), quad('RNAL'), quad('DATE')];
const [rfc8, size22, ize] = [quad('RFC8'), quad('22.S'), quad('IZE ')];
const [mods, eqOpen] = [quad('MODS'), quad('EQ (')];
const [body, openBrace] = [quad('BODY'), quad('[] {')];

/** Shortest item with the end of the line behind it: `UID 1)` and CRLF. */
const minItemBytes = 8;
/** Fewer than a double holds exactly. */
const maxDigits = 15;
const maxNumber = 0xffff_ffff;

/**
 * Reads the FETCH responses that come a million times in one pass over the bytes: UID, FLAGS, INTERNALDATE, RFC822.SIZE,
 * MODSEQ and one literal as BODY[] or a section of it, in any order, spelled as nearly every server spells them; flag
 * lists and sections when the parser has seen them before. It knows no errors: what it leaves (-1) is for `Framer` and
 * `parseFetch`, and what it takes they would read just the same.
 */
export class FetchScan {
  /** Announced by the line just read, -1 when that line ended the response. */
  literalSize = -1;
  /** Where that announcement stands. */
  markerStart = 0;

  #seq = 0;
  #uid: number | undefined = undefined;
  #flags: readonly string[] | undefined = undefined;
  #internalDate: string | undefined = undefined;
  #size: number | undefined = undefined;
  #modSeq: bigint | undefined = undefined;
  /** What the literal is, null for BODY[]. */
  #section: string | null = null;
  /** What `#digits` read. */
  #number = 0;

  /** Reads the first line of a response, up to a literal or its end. Answers the offset behind the CRLF. */
  head(buffer: Buffer, start: number, end: number): number {
    if (end - start < minItemBytes || buffer[start] !== STAR || buffer[start + 1] !== SPACE) return -1;
    const at = this.#digits(buffer, start + 2, end);
    if (at === -1 || end - at < 8 || quadAt(buffer, at) !== spFet || quadAt(buffer, at + 4) !== chOpen) return -1;
    if (this.#number > maxNumber) return -1;
    this.#seq = this.#number;
    this.#uid = undefined;
    this.#flags = undefined;
    this.#internalDate = undefined;
    this.#size = undefined;
    this.#modSeq = undefined;
    this.#section = null;
    return this.#items(buffer, at + 8, end);
  }

  /** Reads what is behind the literal. Answers the offset behind the CRLF that ends the response. */
  tail(buffer: Buffer, start: number, end: number): number {
    if (end - start < 3) return -1;
    if (buffer[start] === CLOSE_PAREN) return buffer[start + 1] === CR && buffer[start + 2] === LF ? start + 3 : -1;
    if (buffer[start] !== SPACE) return -1;
    const next = this.#items(buffer, start + 1, end);
    return this.literalSize === -1 ? next : -1;
  }

  /** What was read since `head`. */
  toData(literal: Literal | undefined): FetchData {
    const section = this.#section;
    const isSection = section !== null && literal !== undefined;
    return {
      seq: this.#seq,
      uid: this.#uid,
      flags: this.#flags,
      internalDate: this.#internalDate,
      size: this.#size,
      modSeq: this.#modSeq,
      body: isSection ? undefined : literal,
      sections: isSection ? new Map<string, Literal | null>().set(section, literal) : undefined,
      items: undefined,
      other: undefined,
    };
  }

  #items(buffer: Buffer, start: number, end: number): number {
    for (let at = start; end - at >= minItemBytes; at++) {
      const name = quadAt(buffer, at);
      const more = quadAt(buffer, at + 4);
      if (name === body) {
        return more === openBrace ? this.#announcement(buffer, at + 7, end) : this.#readSection(buffer, at + 4, end);
      }
      if (name === uid) at = this.#readUid(buffer, at + 4, end);
      else if (name === flag) at = this.#readFlags(buffer, at + 2, end);
      else if (name === inte && more === rnal) at = this.#readDate(buffer, at + 8, end);
      else if (name === rfc8 && more === size22) at = this.#readSize(buffer, at + 8, end);
      else if (name === mods && more === eqOpen) at = this.#readModSeq(buffer, at + 8, end);
      else return -1;
      if (at === -1 || end - at < 3) return -1;
      if (buffer[at] === SPACE) continue;
      if (buffer[at] !== CLOSE_PAREN || buffer[at + 1] !== CR || buffer[at + 2] !== LF) return -1;
      this.literalSize = -1;
      return at + 3;
    }
    return -1;
  }

  #readUid(buffer: Buffer, start: number, end: number): number {
    const at = this.#digits(buffer, start, end);
    if (this.#number > maxNumber) return -1;
    this.#uid = this.#number;
    return at;
  }

  #readFlags(buffer: Buffer, start: number, end: number): number {
    if (quadAt(buffer, start) !== ags) return -1;
    const known = knownFlagLists.find(buffer, start + 4, end);
    if (known === null) return -1;
    this.#flags = known.value;
    return start + 4 + known.bytes.length;
  }

  #readDate(buffer: Buffer, start: number, end: number): number {
    if (end - start < 5 + dateTimeBytes || quadAt(buffer, start) !== date || buffer[start + 4] !== SPACE) return -1;
    const text = readDateTime(buffer, start + 5);
    if (text === null) return -1;
    this.#internalDate = text;
    return start + 5 + dateTimeBytes;
  }

  #readSize(buffer: Buffer, start: number, end: number): number {
    if (end - start < 4 || quadAt(buffer, start) !== ize) return -1;
    const at = this.#digits(buffer, start + 4, end);
    this.#size = this.#number;
    return at;
  }

  #readModSeq(buffer: Buffer, start: number, end: number): number {
    const at = this.#digits(buffer, start, end);
    if (at === -1 || at === end || buffer[at] !== CLOSE_PAREN) return -1;
    this.#modSeq = BigInt(this.#number);
    return at + 1;
  }

  #readSection(buffer: Buffer, start: number, end: number): number {
    const known = knownSections.find(buffer, start, end);
    if (known === null) return -1;
    const at = start + known.bytes.length;
    if (end - at < 2 || buffer[at] !== SPACE || buffer[at + 1] !== OPEN_BRACE) return -1;
    this.#section = known.value.ofBody;
    return this.#announcement(buffer, at + 1, end);
  }

  #announcement(buffer: Buffer, start: number, end: number): number {
    const at = this.#digits(buffer, start + 1, end);
    if (at === -1 || end - at < 3) return -1;
    if (buffer[at] !== CLOSE_BRACE || buffer[at + 1] !== CR || buffer[at + 2] !== LF) return -1;
    this.literalSize = this.#number;
    this.markerStart = start;
    return at + 3;
  }

  /** Digits into `#number`. Answers the offset behind them. */
  #digits(buffer: Buffer, start: number, end: number): number {
    let number = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = (buffer[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    this.#number = number;
    return at === start || at - start > maxDigits ? -1 : at;
  }
}
