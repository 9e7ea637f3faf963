import { type Envelope, parseEnvelope } from './envelope.ts';
import { LimitError } from './errors.ts';
import { decodeHeader } from './header-text.ts';
import type { Lexer } from './lexer.ts';
import { readLower, readNumber, readText, skipToClose } from './lexer-text.ts';
import type { Value } from './value.ts';

const OPEN_PAREN = 0x28;

/** Content-Disposition (RFC 2183). */
export interface Disposition {
  /** Lower case: `attachment`. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What every part of a message has. Null: the server said NIL, or sent the short form (BODY), which has no more. */
interface AnyPart {
  /**
   * What BODY[…] calls the part: `1`, `2.1`. A message's own multipart has no number: `TEXT` at the top, `3.TEXT` for the
   * one inside the attached message 3 (RFC 9051 6.4.5.1).
   */
  readonly section: string;
  /** Lower case: `text`, `multipart`. */
  readonly type: string;
  /** Lower case: `plain`, `mixed`. */
  readonly subtype: string;
  /** Content-Type parameters: names in lower case, values Unicode. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly disposition: Disposition | null;
  readonly languages: readonly string[] | null;
  readonly location: string | null;
  /** What later standards added. */
  readonly extensions: readonly Value[];
}

export interface SinglePart extends AnyPart {
  readonly isMultipart: false;
  /** Content-ID, with its angle brackets. */
  readonly id: string | null;
  readonly description: string | null;
  /** Content-Transfer-Encoding in lower case: `base64`. */
  readonly encoding: string | null;
  /** Bytes, as encoded. */
  readonly size: number | null;
  /** Lines, as encoded: for text and for attached messages. */
  readonly lines: number | null;
  readonly md5: string | null;
  /** The attached message: for `message/rfc822` and `message/global` only. */
  readonly message: { readonly envelope: Envelope; readonly body: BodyPart } | null;
}

export interface MultiPart extends AnyPart {
  readonly isMultipart: true;
  readonly parts: readonly BodyPart[];
}

/** BODYSTRUCTURE, or BODY without its extension data (RFC 9051 7.5.2). */
export type BodyPart = SinglePart | MultiPart;

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** A part whose children are being read. */
type Open =
  | { readonly kind: 'multi'; readonly section: string; readonly prefix: string; readonly parts: BodyPart[] }
  | { readonly kind: 'message'; readonly part: Mutable<SinglePart>; readonly envelope: Envelope };

/**
 * Reads a BODYSTRUCTURE or BODY without recursion, in time linear in its bytes.
 * @throws ProtocolError where it is none, LimitError beyond `limits.maxDepth` levels or `limits.maxBodyParts` parts.
 */
export function parseBodyStructure(lexer: Lexer): BodyPart {
  const { maxDepth, maxBodyParts } = lexer.frame.limits;
  const open: Open[] = [];
  for (let count = 1; ; count++) {
    if (count > maxBodyParts) throw new LimitError(`a body structure has more than ${maxBodyParts} parts`);
    if (open.length >= maxDepth) throw new LimitError(`a body structure nests deeper than ${maxDepth}`);
    lexer.skipSpaces();
    lexer.open();
    if (lexer.peek() === OPEN_PAREN) {
      open.push({ kind: 'multi', ...multiNumber(open.at(-1)), parts: [] });
      continue;
    }
    const part = readSinglePart(lexer, singleNumber(open.at(-1)));
    if (isMessage(part) && nextIsList(lexer)) {
      const envelope = parseEnvelope(lexer);
      if (nextIsList(lexer)) {
        open.push({ kind: 'message', part, envelope });
        continue;
      }
    }
    finishSinglePart(lexer, part);
    const whole = closeParts(lexer, open, part);
    if (whole !== null) return whole;
  }
}

/** Ends every open part that `done` completes; null when another part follows. */
function closeParts(lexer: Lexer, open: Open[], done: BodyPart): BodyPart | null {
  let part = done;
  for (let parent = open.at(-1); parent !== undefined; parent = open.at(-1)) {
    if (parent.kind === 'message') {
      parent.part.message = { envelope: parent.envelope, body: part };
      finishSinglePart(lexer, parent.part);
      part = parent.part;
    } else {
      parent.parts.push(part);
      if (nextIsList(lexer)) return null;
      part = readMultiPartEnd(lexer, parent.section, parent.parts);
    }
    open.pop();
  }
  return part;
}

/** The number of a part that is no multipart, inside `parent`. */
function singleNumber(parent: Open | undefined): string {
  if (parent === undefined) return '1';
  return parent.kind === 'message' ? `${parent.part.section}.1` : `${parent.prefix}${parent.parts.length + 1}`;
}

/** What a multipart inside `parent` is called, and what stands in front of its parts' numbers. */
function multiNumber(parent: Open | undefined): { section: string; prefix: string } {
  if (parent === undefined) return { section: 'TEXT', prefix: '' };
  if (parent.kind === 'message') return { section: `${parent.part.section}.TEXT`, prefix: `${parent.part.section}.` };
  const section = `${parent.prefix}${parent.parts.length + 1}`;
  return { section, prefix: `${section}.` };
}

function isMessage({ type, subtype }: SinglePart): boolean {
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global');
}

function nextIsList(lexer: Lexer): boolean {
  lexer.skipSpaces();
  return lexer.peek() === OPEN_PAREN;
}

/** Everything up to the size. */
function readSinglePart(lexer: Lexer, section: string): Mutable<SinglePart> {
  return {
    isMultipart: false,
    section,
    type: readLower(lexer) ?? 'text',
    subtype: readLower(lexer) ?? 'plain',
    parameters: readParameters(lexer),
    id: readText(lexer),
    description: readHeader(lexer),
    encoding: readLower(lexer),
    size: readNumber(lexer),
    lines: null,
    md5: null,
    disposition: null,
    languages: null,
    location: null,
    message: null,
    extensions: noValues,
  };
}

/** Lines, extension data and the closing parenthesis. */
function finishSinglePart(lexer: Lexer, part: Mutable<SinglePart>): void {
  if (part.type === 'text' || isMessage(part)) part.lines = readNumber(lexer);
  if (lexer.close()) return;
  part.md5 = readText(lexer);
  readExtensions(lexer, part);
}

function readMultiPartEnd(lexer: Lexer, section: string, parts: readonly BodyPart[]): MultiPart {
  const part: Mutable<MultiPart> = {
    isMultipart: true,
    section,
    type: 'multipart',
    subtype: readLower(lexer) ?? 'mixed',
    parts,
    parameters: noParameters,
    disposition: null,
    languages: null,
    location: null,
    extensions: noValues,
  };
  if (lexer.close()) return part;
  part.parameters = readParameters(lexer);
  readExtensions(lexer, part);
  return part;
}

function readExtensions(lexer: Lexer, part: Mutable<AnyPart>): void {
  if (lexer.close()) return;
  part.disposition = readDisposition(lexer);
  if (lexer.close()) return;
  part.languages = readLanguages(lexer);
  if (lexer.close()) return;
  part.location = readText(lexer);
  if (lexer.close()) return;
  const extensions: Value[] = [];
  while (!lexer.close()) extensions.push(lexer.value());
  part.extensions = extensions;
}

const noParameters: ReadonlyMap<string, string> = new Map();
const noValues: readonly Value[] = Object.freeze([]);

function readParameters(lexer: Lexer): ReadonlyMap<string, string> {
  if (!nextIsList(lexer)) {
    readText(lexer);
    return noParameters;
  }
  lexer.open();
  const parameters = new Map<string, string>();
  while (!lexer.close()) {
    const name = readLower(lexer);
    const value = readHeader(lexer);
    if (name !== null) parameters.set(name, value ?? '');
  }
  return parameters;
}

function readDisposition(lexer: Lexer): Disposition | null {
  if (!nextIsList(lexer)) {
    const type = readLower(lexer);
    return type === null ? null : { type, parameters: noParameters };
  }
  lexer.open();
  const type = readLower(lexer);
  const parameters = readParameters(lexer);
  skipToClose(lexer);
  return type === null ? null : { type, parameters };
}

function readLanguages(lexer: Lexer): readonly string[] | null {
  if (!nextIsList(lexer)) {
    const language = readText(lexer);
    return language === null ? null : [language];
  }
  lexer.open();
  const languages: string[] = [];
  while (!lexer.close()) {
    const language = readText(lexer);
    if (language !== null) languages.push(language);
  }
  return languages;
}

function readHeader(lexer: Lexer): string | null {
  const raw = readText(lexer);
  return raw === null ? null : decodeHeader(raw);
}
