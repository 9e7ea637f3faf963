import { dateTimeBytes, readDateTime } from './datetime.ts';
import { knownSections, type SectionName } from './fetch-caches.ts';
import type { Lexer } from './lexer.ts';
import { type MessageItems, readBinarySize, readMessageItem } from './message-items.ts';
import type { Literal } from './types.ts';
import type { Value } from './value.ts';
import { toUpperAscii, toWord } from './word.ts';

const SPACE = 0x20;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const LESS = 0x3c;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** One FETCH response. `undefined`: not in the response; null: the server said NIL. Of an item sent twice the last counts. */
export interface FetchData {
  readonly seq: number;
  uid?: number | undefined;
  /** As sent, `\Recent` included. Frozen, and shared by responses with the same flags. */
  flags?: readonly string[] | undefined;
  /** Exactly as sent, without the quotes: `" 7-Feb-1994 22:43:04 +0100"` keeps its leading space. */
  internalDate?: string | undefined;
  /** RFC822.SIZE: a claim, not a fact. */
  size?: number | undefined;
  modSeq?: bigint | undefined;
  /** BODY[] or RFC822. Null means the server cannot read the message: never an empty one. */
  body?: Literal | null | undefined;
  /**
   * Every other `BODY[…]<origin>` and `BINARY[…]`, RFC822.HEADER and RFC822.TEXT. Keys are upper case with header names
   * unquoted: `BODY[HEADER.FIELDS (MESSAGE-ID DATE)]`, whatever the server made of the case and quotes.
   */
  sections?: Map<string, Literal | null> | undefined;
  /** ENVELOPE, BODYSTRUCTURE, EMAILID, X-GM-LABELS, …: parsed. */
  items?: MessageItems | undefined;
  /** Items nobody here has heard of, by their upper-case names. */
  other?: Map<string, Value> | undefined;
}

/**
 * Reads the items of `* seq FETCH (…)` (RFC 9051 7.5.2) from a lexer just behind the word FETCH. Items may come in any
 * order. In front of a literal that a sink is about to receive it stops and returns the items before it.
 * Throws `ProtocolError`.
 */
export function parseFetch(seq: number, lexer: Lexer): FetchData {
  const data: FetchData = {
    seq,
    uid: undefined,
    flags: undefined,
    internalDate: undefined,
    size: undefined,
    modSeq: undefined,
    body: undefined,
    sections: undefined,
    items: undefined,
    other: undefined,
  };
  lexer.space();
  lexer.open();
  while (!lexer.close()) {
    if (!parseItem(data, lexer)) return data;
  }
  lexer.finish();
  return data;
}

/** An item that comes with every message. Told apart by its first letter and then compared as bytes: no string is made. */
interface HotItem {
  readonly kind: 'uid' | 'flags' | 'internalDate' | 'size' | 'modSeq' | 'body';
  readonly word: Uint8Array;
}

const hotItems: (HotItem | null)[] = new Array<HotItem | null>(256).fill(null);
hotItems[0x75] = { kind: 'uid', word: toWord('uid ') };
hotItems[0x66] = { kind: 'flags', word: toWord('flags ') };
hotItems[0x69] = { kind: 'internalDate', word: toWord('internaldate ') };
hotItems[0x72] = { kind: 'size', word: toWord('rfc822.size ') };
hotItems[0x6d] = { kind: 'modSeq', word: toWord('modseq ') };
hotItems[0x62] = { kind: 'body', word: toWord('body[] ') };

/** False when the item's value is still to come. */
function parseItem(data: FetchData, lexer: Lexer): boolean {
  const item = hotItems[lexer.peek() | 0x20];
  if (item == null || !lexer.skipWord(item.word)) return parseOther(data, lexer);
  lexer.skipSpaces();
  switch (item.kind) {
    case 'uid':
      data.uid = lexer.number();
      return true;
    case 'flags':
      data.flags = lexer.flagList();
      return true;
    case 'internalDate':
      data.internalDate = parseDate(lexer);
      return true;
    case 'size':
      data.size = lexer.number53();
      return true;
    case 'modSeq':
      data.modSeq = parseModSeq(lexer);
      return true;
    case 'body':
      if (lexer.atPendingLiteral) return false;
      data.body = lexer.nliteral();
      return true;
  }
}

function parseOther(data: FetchData, lexer: Lexer): boolean {
  const name = lexer.wordUntil(OPEN_BRACKET);
  if (lexer.peek() === OPEN_BRACKET) return parseSection(data, lexer, name);
  lexer.space();
  if (lexer.atPendingLiteral) return false;
  switch (name) {
    case 'RFC822':
      data.body = lexer.nliteral();
      return true;
    case 'RFC822.HEADER':
    case 'RFC822.TEXT':
      addSection(data, name, lexer.nliteral());
      return true;
    default: {
      const items = readMessageItem(name, lexer, data.items);
      if (items === undefined) {
        data.other ??= new Map();
        data.other.set(name, lexer.value());
      } else {
        data.items = items;
      }
      return true;
    }
  }
}

function parseModSeq(lexer: Lexer): bigint {
  lexer.open();
  const modSeq = lexer.number64();
  if (!lexer.close()) lexer.fail('")"');
  return modSeq;
}

/** The date between its quotes, byte for byte. */
function parseDate(lexer: Lexer): string {
  const { buffer, end, position } = lexer;
  const date = end - position < dateTimeBytes ? null : readDateTime(buffer, position);
  if (date !== null) {
    lexer.position = position + dateTimeBytes;
    return date;
  }
  return lexer.string().toString('latin1');
}

/** `name[section]<origin> nstring`, but for BODY[] with nothing behind it; the lexer is at the bracket. */
function parseSection(data: FetchData, lexer: Lexer, name: string): boolean {
  const section = sectionName(lexer);
  let origin = '';
  if (lexer.skip(LESS)) {
    origin = `<${lexer.number53()}>`;
    if (!lexer.skip(GREATER)) lexer.fail('">"');
  }
  lexer.space();
  if (lexer.atPendingLiteral) return false;
  if (name === 'BODY' && origin === '') {
    addSection(data, section.ofBody, lexer.nliteral());
  } else if (name === 'BODY' || name === 'BINARY') {
    addSection(data, `${name}${section.text}${origin}`, lexer.nliteral());
  } else if (name === 'BINARY.SIZE') {
    data.items = readBinarySize(section.text.slice(1, -1), lexer, data.items);
  } else {
    data.other ??= new Map();
    data.other.set(`${name}${section.text}${origin}`, lexer.value());
  }
  return true;
}

function addSection(data: FetchData, key: string, literal: Literal | null): void {
  data.sections ??= new Map();
  data.sections.set(key, literal);
}

/** The brackets and what stands between them. */
function sectionName(lexer: Lexer): SectionName {
  const { buffer, end, position } = lexer;
  const known = knownSections.find(buffer, position, end);
  if (known !== null) {
    lexer.position = position + known.bytes.length;
    return known.value;
  }
  lexer.skip(OPEN_BRACKET);
  const text = `[${sectionText(lexer)}]`;
  if (!lexer.skip(CLOSE_BRACKET)) lexer.fail('"]"');
  const section = { text, ofBody: `BODY${text}` };
  // Behind a literal it would be another run.
  if (lexer.buffer === buffer && lexer.end === end) knownSections.keep(buffer, position, lexer.position, section);
  return section;
}

/** What stands between the brackets: part numbers and words, then perhaps header names in parentheses. */
function sectionText(lexer: Lexer): string {
  const words: string[] = [];
  while (lexer.peek() !== CLOSE_BRACKET) {
    if (lexer.peek() === OPEN_PAREN) {
      words.push(`(${headerNames(lexer).join(' ')})`);
    } else {
      words.push(lexer.wordUntil(CLOSE_BRACKET));
    }
    if (lexer.peek() !== SPACE) break;
    lexer.space();
  }
  return words.join(' ');
}

/** Courier quotes the names, mailutils changes their case. */
function headerNames(lexer: Lexer): string[] {
  const names: string[] = [];
  lexer.list(() => {
    names.push(lexer.atString ? toUpperAscii(lexer.astring()) : lexer.word());
    if (lexer.peek() !== CLOSE_PAREN) lexer.space();
  });
  return names;
}
