import { LimitError, ProtocolError, UsageError } from './errors.ts';

const maxNumber = 0xffff_ffff;

/** A range of numbers, both ends included, `from <= to`. */
export type SequenceRange = readonly [from: number, to: number];

/**
 * Ascending numbers as a `sequence-set` (RFC 9051 section 9): `1:5,9`. Equal neighbours count once.
 * Throws `UsageError` for an empty list, a number outside 1 … 2^32 - 1, or a descending one.
 */
export function encodeSequenceSet(numbers: ArrayLike<number>): string {
  if (numbers.length === 0) throw new UsageError('a sequence set needs at least one number');
  const parts: string[] = [];
  let from = 0;
  let to = 0;
  for (let at = 0; at < numbers.length; at++) {
    const number = checked(numbers[at] as number, to);
    if (number === to + 1 && at > 0) {
      to = number;
    } else if (number !== to) {
      if (at > 0) parts.push(encodeRange(from, to));
      from = number;
      to = number;
    }
  }
  parts.push(encodeRange(from, to));
  return parts.join(',');
}

/**
 * Cuts ascending numbers into views whose encoding stays within `maxBytes`: servers limit a command line to about
 * 8 KiB (RFC 7162 section 4). Throws `UsageError` as `encodeSequenceSet` does, and for a `maxBytes` too small for a range.
 */
export function* splitSequenceSet(numbers: Uint32Array, maxBytes: number): Generator<Uint32Array, void, void> {
  if (maxBytes < 2 * 10 + 1) throw new UsageError('a sequence set needs room for one range');
  let start = 0;
  let closedBytes = 0;
  let from = 0;
  let to = 0;
  for (let at = 0; at < numbers.length; at++) {
    const number = checked(numbers[at] as number, to);
    const follows = at > start && (number === to || number === to + 1);
    if (follows) {
      if (closedBytes + rangeBytes(from, number) <= maxBytes) {
        to = number;
        continue;
      }
    } else if (at > start) {
      closedBytes += rangeBytes(from, to) + 1;
      if (closedBytes + rangeBytes(number, number) <= maxBytes) {
        from = number;
        to = number;
        continue;
      }
    }
    if (at > start) yield numbers.subarray(start, at);
    start = at;
    closedBytes = 0;
    from = number;
    to = number;
  }
  if (start < numbers.length) yield numbers.subarray(start);
}

/**
 * The ranges of a `sequence-set` in the order written, never expanded. `*` stands for `largest`, as in `9:*` (which is
 * `9:4` when the largest is 4, so `4:9`); without `largest` it is refused: servers never send it.
 * Throws `ProtocolError` where the text is no sequence set.
 */
export function* parseSequenceSet(text: string, largest?: number): Generator<SequenceRange, void, void> {
  let at = 0;
  for (;;) {
    let end = numberEnd(text, at);
    const first = parseNumber(text, at, end, largest);
    let second = first;
    if (text[end] === ':') {
      at = end + 1;
      end = numberEnd(text, at);
      second = parseNumber(text, at, end, largest);
    }
    if (end < text.length && text[end] !== ',') fail(text, end);
    yield first <= second ? [first, second] : [second, first];
    if (end === text.length) return;
    at = end + 1;
  }
}

/**
 * All numbers of a `sequence-set` in the order written. Throws `LimitError` before anything is allocated when there are
 * more than `maxCount`, `ProtocolError` where the text is no sequence set.
 */
export function expandSequenceSet(text: string, maxCount: number, largest?: number): Uint32Array {
  let count = 0;
  for (const [from, to] of parseSequenceSet(text, largest)) {
    count += to - from + 1;
    if (count > maxCount) throw new LimitError(`a sequence set names more than ${maxCount} numbers`);
  }
  const numbers = new Uint32Array(count);
  let at = 0;
  for (const [from, to] of parseSequenceSet(text, largest)) {
    for (let number = from; number <= to; number++) numbers[at++] = number;
  }
  return numbers;
}

/** How many numbers a `sequence-set` names, counted without expanding it. Throws `ProtocolError` where it is none. */
export function countNumbers(text: string): number {
  let count = 0;
  for (const [from, to] of parseSequenceSet(text)) count += to - from + 1;
  return count;
}

function checked(number: number, previous: number): number {
  if (!Number.isInteger(number) || number < 1 || number > maxNumber) {
    throw new UsageError(`a sequence set holds numbers from 1 to ${maxNumber}, not ${number}`);
  }
  if (number < previous) throw new UsageError(`a sequence set must ascend, but ${number} follows ${previous}`);
  return number;
}

function encodeRange(from: number, to: number): string {
  return from === to ? `${from}` : `${from}:${to}`;
}

function rangeBytes(from: number, to: number): number {
  return from === to ? digits(from) : digits(from) + 1 + digits(to);
}

function digits(number: number): number {
  let count = 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) count++;
  return count;
}

/** Where the digits, or the star, at `start` end. */
function numberEnd(text: string, start: number): number {
  if (text[start] === '*') return start + 1;
  let at = start;
  while (at < text.length && isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function parseNumber(text: string, start: number, end: number, largest: number | undefined): number {
  if (text[start] === '*' && largest !== undefined) return largest;
  const number = Number(text.slice(start, end));
  if (!(number >= 1 && number <= maxNumber)) fail(text, start);
  return number;
}

function fail(text: string, at: number): never {
  const seen = text.slice(at, at + 20).replace(/[^\x21-\x7e]/g, '?');
  throw new ProtocolError(`expected a sequence set, got "${seen}"`);
}
