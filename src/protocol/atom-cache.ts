import { toLowerAscii, toLowerByte, toUpperAscii, toUpperByte } from './word.ts';

/**
 * Flags, item names and response names come in the same few spellings millions of times. These direct-mapped tables hand
 * out one string for each without a native call; they are bounded, and a collision only costs the call.
 */

const slots = 1024;
/** Longer atoms are rare and not worth a place. */
const maxCachedLength = 32;

const exactAtoms: string[] = new Array<string>(slots).fill('');
const upperAtoms: string[] = new Array<string>(slots).fill('');
const lowerAtoms: string[] = new Array<string>(slots).fill('');

/** The bytes from `start` to `end` as a latin1 string. */
export function internAtom(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > maxCachedLength || length <= 0) return buffer.toString('latin1', start, end);
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (buffer[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 10)) & (slots - 1);
  const known = exactAtoms[slot] as string;
  if (known.length === length) {
    let at = 0;
    while (at < length && known.charCodeAt(at) === buffer[start + at]) at++;
    if (at === length) return known;
  }
  const atom = buffer.toString('latin1', start, end);
  exactAtoms[slot] = atom;
  return atom;
}

/** The bytes from `start` to `end` as a latin1 string with ASCII letters in upper case. */
export function internUpper(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > maxCachedLength || length <= 0) return toUpperAscii(buffer.toString('latin1', start, end));
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + toUpperByte(buffer[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 10)) & (slots - 1);
  const known = upperAtoms[slot] as string;
  if (known.length === length) {
    let at = 0;
    while (at < length && known.charCodeAt(at) === toUpperByte(buffer[start + at] as number)) at++;
    if (at === length) return known;
  }
  const atom = toUpperAscii(buffer.toString('latin1', start, end));
  upperAtoms[slot] = atom;
  return atom;
}

/** The bytes from `start` to `end` as a latin1 string with ASCII letters in lower case. */
export function internLower(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > maxCachedLength || length <= 0) return toLowerAscii(buffer.toString('latin1', start, end));
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + toLowerByte(buffer[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 10)) & (slots - 1);
  const known = lowerAtoms[slot] as string;
  if (known.length === length) {
    let at = 0;
    while (at < length && known.charCodeAt(at) === toLowerByte(buffer[start + at] as number)) at++;
    if (at === length) return known;
  }
  const atom = toLowerAscii(buffer.toString('latin1', start, end));
  lowerAtoms[slot] = atom;
  return atom;
}
