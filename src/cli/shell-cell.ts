/**
 * One value of the shell on one line: bytes cut short, nothing a terminal would act on.
 */
import { inspect, types } from 'node:util';
import { toDisplay } from '../display.ts';
import { formatBytes, formatNoun } from './format.ts';

/** Characters of a body, or of a nested value, in a cell of a table. */
const maxCellChars = 60;
/** Bytes of each buffer deep inside another value. */
const maxInnerBytes = 100;
/** Runs of a list of numbers. */
const maxRuns = 200;

/** The text for one cell; `maxChars` bounds what may be long: bodies and nested values. Empty for `undefined`. */
export function cellText(value: unknown, maxChars = maxCellChars): string {
  if (value === undefined) return '';
  if (value === null) return '-';
  if (typeof value === 'string') return toDisplay(value);
  if (typeof value !== 'object') return toDisplay(String(value));
  if (isBytes(value)) return bytesText(value, maxChars);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'no date' : dateText(value);
  if (isNumbers(value)) return numbersText(value);
  if (Array.isArray(value)) {
    if (value.every(isWord)) return value.map((item) => cellText(item)).join(' ');
    if (value.every(isAddress)) return toDisplay(value.map(addressText).join(', '));
  }
  if (isBodyPart(value)) return toDisplay(bodyPartText(value));
  const text = inspect(withText(value), { depth: 3, breakLength: Number.POSITIVE_INFINITY, compact: 10 });
  return cut(toDisplay(text), maxChars);
}

/** `4 numbers: 1:3 9`. Runs are joined; the order stays. */
export function numbersText(numbers: ArrayLike<number>): string {
  if (numbers.length === 0) return 'no numbers';
  const runs: string[] = [];
  for (let index = 0; index < numbers.length && runs.length < maxRuns; index++) {
    const first = numbers[index] ?? 0;
    let last = first;
    while (numbers[index + 1] === last + 1) {
      index++;
      last++;
    }
    runs.push(first === last ? `${first}` : `${first}:${last}`);
  }
  const more = runs.length === maxRuns ? ' …' : '';
  return `${formatNoun(numbers.length, 'number')}: ${runs.join(' ')}${more}`;
}

/** The beginning of the bytes as text, and how many they are. */
export function bytesText(value: Uint8Array | Bytes, maxChars: number): string {
  const chunks = types.isUint8Array(value) ? [value] : value.chunks;
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const head: Uint8Array[] = [];
  for (let room = maxChars * 4, index = 0; room > 0 && index < chunks.length; index++) {
    const piece = chunks[index]?.subarray(0, room) ?? new Uint8Array();
    head.push(piece);
    room -= piece.length;
  }
  return `${cut(toDisplay(toText(Buffer.concat(head))), maxChars)} (${formatBytes(size)})`.trimStart();
}

interface Bytes {
  readonly chunks: readonly Uint8Array[];
  readonly size: number;
}

/** A Buffer, or a literal in its slices. */
export function isBytes(value: unknown): value is Uint8Array | Bytes {
  if (types.isUint8Array(value)) return true;
  return isPlain(value) && 'size' in value && 'chunks' in value && Array.isArray(value.chunks);
}

export function isNumbers(value: unknown): value is Uint32Array | readonly number[] {
  if (types.isUint32Array(value)) return true;
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number');
}

/** Something that stands for itself in a row of words. */
export function isWord(value: unknown): boolean {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** An object that is only its fields, whoever made it: the shell's own context has an `Object` of its own. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `2026-11-20 21:14:03Z`. */
function dateText(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('.000Z', 'Z');
}

interface AddressLike {
  readonly kind: 'address' | 'group';
  readonly name: string | null;
  readonly address?: string;
  readonly members?: readonly AddressLike[];
}

function isAddress(value: unknown): value is AddressLike {
  return isPlain(value) && 'kind' in value && (value.kind === 'address' || value.kind === 'group');
}

function addressText({ name, address, members }: AddressLike): string {
  if (members !== undefined) return `${name ?? ''}: ${members.map(addressText).join(', ')};`;
  return name === null || name === '' ? (address ?? '') : `${name} <${address ?? ''}>`;
}

interface BodyPartLike {
  readonly type: string;
  readonly subtype: string;
  readonly section: string;
  readonly parts?: readonly BodyPartLike[];
}

function isBodyPart(value: unknown): value is BodyPartLike {
  return isPlain(value) && 'type' in value && 'subtype' in value && 'section' in value;
}

/** `multipart/mixed (text/plain, image/png)`. */
function bodyPartText({ type, subtype, parts }: BodyPartLike): string {
  const inner = parts === undefined ? '' : ` (${parts.map(bodyPartText).join(', ')})`;
  return `${type}/${subtype}${inner}`;
}

/** The same with bytes inside it as text. */
function withText(value: unknown, depth = 4): unknown {
  if (types.isUint8Array(value)) return toText(value.subarray(0, maxInnerBytes));
  if (depth > 0 && Array.isArray(value)) return value.map((item) => withText(item, depth - 1));
  return value;
}

/** As UTF-8, without the character that a cut may have left at the end. */
function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')}…`;
}
