import type { FileWindow } from './file-window.ts';
import { fromWord, maxOwnLine, type OwnFrom, ownMark, parseFromDate, parseOwnFrom, startsWith } from './mbox-from.ts';
import { headerLength, isEdited, isFolderData, type MboxHeader, parseMboxHeader } from './mbox-header.ts';

/** Longer lines separate nothing. */
const maxFromLine = 1000;

/** Longer headers are not read to their end. */
const maxHeader = 256 * 1024;

const lf = 0x0a;
const cr = 0x0d;
const newFrom = Buffer.from('\nFrom ');
const noHeader: MboxHeader = new Map();

/** A message in an mbox: what is between its `From ` line and the next one, both lines' places included. */
export interface MboxEntry {
  readonly offset: number;
  /** Behind the last byte that belongs to it, the empty line included. */
  readonly end: number;
  /** What its line says, if it is one of ours. */
  readonly own: OwnFrom | null;
  /** It is ours, and as long as its line says: nobody has touched it. */
  readonly isExact: boolean;
  readonly dateMs: number;
  /** Empty where `isExact`. */
  readonly header: MboxHeader;
}

/**
 * The messages of an mbox in the order of the file. Ours are stepped over by their lengths. Whatever is not as it should be
 * (a message of another program's, one of ours that another program has changed) ends at the next `From ` line; from there on
 * lengths count again. A message of ours that was never finished is none. Nothing that a file holds makes this throw.
 */
export function* scanMbox(window: FileWindow): Generator<MboxEntry> {
  const first = findFrom(window, 0);
  for (let at = first; at < window.size; ) {
    const entry = entryAt(window, at);
    if (entry === null) return;
    const isHidden = isTorn(window, entry) || (at === first && isFolderData(entry.header));
    if (!isHidden) yield entry;
    at = entry.end;
  }
}

/** The message whose `From ` line is at `offset`; `null`: no whole line is there. */
export function entryAt(window: FileWindow, offset: number): MboxEntry | null {
  const own = parseOwnFrom(window.peek(offset, maxOwnLine));
  const exactEnd = own === null ? null : endOfOwn(window, offset, own);
  if (own !== null && exactEnd !== null) {
    return { offset, end: exactEnd, own, isExact: true, dateMs: own.dateMs, header: noHeader };
  }
  const line = lineAt(window, offset);
  if (line === null) return null;
  const bodyAt = offset + line.length;
  const bytes = headerAt(window, bodyAt);
  const header = parseMboxHeader(bytes);
  const end = endByLength(window, bodyAt + headerLength(bytes), header)?.next ?? findFrom(window, bodyAt);
  return { offset, end, own, isExact: false, dateMs: own?.dateMs ?? parseFromDate(line), header };
}

/** Where a message of ours ends if all of it is there as its line says; `null`: it is not. */
function endOfOwn(window: FileWindow, offset: number, own: OwnFrom): number | null {
  if (own.storedBytes === null) return null;
  const bodyEnd = offset + own.lineBytes + own.storedBytes;
  if (bodyEnd > window.size) return null;
  const around = window.peek(bodyEnd - 1, 3 + fromWord.length);
  const ends = own.storedBytes === 0 || around[0] === lf ? 1 : 2;
  for (let at = 0; at < ends; at++) {
    // What is missing at the very end are line ends: every byte of the message is there.
    if (bodyEnd + at === window.size) return window.size;
    if (around[1 + at] !== lf) return null;
  }
  return isPartOf(around.subarray(1 + ends, 1 + ends + fromWord.length), fromWord) ? bodyEnd + ends : null;
}

/** True for `whole`, and for a beginning of it. */
function isPartOf(bytes: Buffer, whole: Buffer): boolean {
  return bytes.length <= whole.length && whole.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}

/** Never finished: the writing of it was cut off, or is going on. */
export function isTorn(window: FileWindow, { offset, end, own, isExact }: MboxEntry): boolean {
  if (own === null || isExact) return false;
  if (own.storedBytes === null) return true;
  const bodyAt = offset + own.lineBytes;
  if (end < window.size || bodyAt + own.storedBytes <= end) return false;
  return !isEdited(headerAt(window, bodyAt));
}

/** Where one of our lines begins that is cut off by the end of the file; the end: there is none. */
export function tornLineAt(window: FileWindow): number {
  const tail = window.peek(Math.max(0, window.size - maxOwnLine), maxOwnLine);
  const line = tail.subarray(tail.lastIndexOf(lf) + 1);
  const isOurs = line.length < tail.length || line.length === window.size;
  return isOurs && isPartOf(line.subarray(0, ownMark.length), ownMark) ? window.size - line.length : window.size;
}

/** Where a body ends, and the next message begins. */
export interface BodyEnd {
  readonly end: number;
  readonly next: number;
}

/**
 * Where a body ends by its Content-Length (mboxcl, mboxcl2): only where that leads to the next message or the end, with
 * nothing but empty lines between; `null`: it does not.
 */
export function endByLength(window: FileWindow, bodyAt: number, header: MboxHeader): BodyEnd | null {
  const length = header.get('content-length');
  if (length === undefined || !/^\d{1,15}$/.test(length)) return null;
  const end = bodyAt + Number(length);
  if (end > window.size) return null;
  const around = window.peek(end - 1, 8);
  let at = 1;
  while (around[at] === lf || (around[at] === cr && around[at + 1] === lf)) at += around[at] === lf ? 1 : 2;
  const next = end - 1 + at;
  if (next === window.size) return { end, next };
  const beginsLine = around[at - 1] === lf;
  return beginsLine && isFromAt(window, next) ? { end, next } : null;
}

/** The first `From ` line at `offset`, where a line begins, or behind it; the end of the file: there is none. */
function findFrom(window: FileWindow, offset: number): number {
  if (isFromAt(window, offset)) return offset;
  for (let at = offset; ; ) {
    const view = window.view(at, newFrom.length);
    if (view.length < newFrom.length) return window.size;
    const hit = view.indexOf(newFrom);
    if (hit === -1) {
      at += view.length - newFrom.length + 1;
      continue;
    }
    if (isFromAt(window, at + hit + 1)) return at + hit + 1;
    at += hit + 1;
  }
}

/**
 * True where the line at `offset` separates messages. One with a date does, as for other programs. One without, as some
 * write it (`From `, `From -`), must have an empty line before it and a field of a header behind it.
 */
export function isFromAt(window: FileWindow, offset: number): boolean {
  const line = lineAt(window, offset);
  if (line === null) return false;
  if (!Number.isNaN(parseFromDate(line))) return true;
  if (!/^From [ -]*\r?\n$/.test(line) || !isBehindEmptyLine(window, offset)) return false;
  const next = window.peek(offset + line.length, 80).toString('latin1');
  return /^[!-9;-~]+:/.test(next);
}

function isBehindEmptyLine(window: FileWindow, offset: number): boolean {
  return (
    offset === 0 || /(?:^|\n)\r?\n$/.test(window.peek(Math.max(0, offset - 3), Math.min(3, offset)).toString('latin1'))
  );
}

/** The line at `offset` with its end, if it begins with `From `; `null`: it does not, or has no end near by. */
export function lineAt(window: FileWindow, offset: number): string | null {
  const bytes = window.peek(offset, maxFromLine);
  if (!startsWith(bytes, fromWord)) return null;
  const end = bytes.indexOf(lf);
  return end === -1 ? null : bytes.toString('latin1', 0, end + 1);
}

/** The header at `offset`, and perhaps more. */
export function headerAt(window: FileWindow, offset: number): Buffer {
  const most = Math.min(maxHeader, window.size - offset);
  for (let length = 16 * 1024; ; length *= 4) {
    const bytes = window.view(offset, Math.min(length, most));
    if (length >= most || headerLength(bytes) < bytes.length) return bytes;
  }
}
