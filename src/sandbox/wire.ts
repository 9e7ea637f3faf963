import { bad } from './answer.ts';

/** Text as it is spelled in answers. Strings are latin1, one character per byte. */

/** A quoted string, or a literal where quoting cannot carry it. */
export function encodeString(value: string): string {
  if (/[\r\n\0\x80-\xff]/.test(value)) return `{${value.length}}\r\n${value}`;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

export function encodeNString(value: string | null): string {
  return value === null ? 'NIL' : encodeString(value);
}

/** A mailbox name: an atom where that is safe, quoted else. */
export function encodeMailbox(rawName: string): string {
  return /^[A-Za-z0-9._/&+,:$#@=-]+$/.test(rawName) && rawName.toUpperCase() !== 'NIL'
    ? rawName
    : encodeString(rawName);
}

export function encodeDelimiter(delimiter: string | null): string {
  return delimiter === null ? 'NIL' : encodeString(delimiter);
}

/** Ascending numbers as a set: `1:3,7`. `''` for none. */
export function encodeSet(numbers: readonly number[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    let end = at;
    while (end + 1 < numbers.length && (numbers[end + 1] as number) === (numbers[end] as number) + 1) end += 1;
    ranges.push(end === at ? `${numbers[at]}` : `${numbers[at]}:${numbers[end]}`);
    at = end + 1;
  }
  return ranges.join(',');
}

/** One range of a set as the client wrote it; `Infinity` is `*`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** @throws a BAD refusal for a set that breaks the grammar. */
export function parseSet(text: string): Range[] {
  return text.split(',').map((part) => {
    const match = /^([1-9]\d{0,9}|\*)(?::([1-9]\d{0,9}|\*))?$/.exec(part);
    if (match === null) throw bad('Invalid messageset');
    const from = parseSetNumber(match[1] as string);
    return { from, to: match[2] === undefined ? from : parseSetNumber(match[2]) };
  });
}

function parseSetNumber(text: string): number {
  return text === '*' ? Number.POSITIVE_INFINITY : Number(text);
}
