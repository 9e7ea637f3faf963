import { endsName } from './byte-class.ts';

/**
 * The words that tell responses and items apart, compared as bytes and without regard to case.
 */

/** A word for `matchesWord`, given in lower case. Bytes, because reading a string by characters costs several times more. */
export function toWord(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** True when the bytes at `start` spell `word` in whatever case. The caller knows that there are enough of them. */
export function matchesWord(buffer: Buffer, start: number, word: Uint8Array): boolean {
  for (let at = 0; at < word.length; at++) {
    const byte = buffer[start + at] as number;
    const expected = word[at] as number;
    if (byte !== expected && (byte | 0x20) !== expected) return false;
  }
  return true;
}

/** Four characters as the number that `quadAt` makes of their bytes: compared at once, they cost a third. */
export function quad(text: string): number {
  return quadAt(Buffer.from(text, 'latin1'), 0);
}

/** The four bytes at `start` as one number. The caller knows that there are four. */
export function quadAt(buffer: Buffer, start: number): number {
  return (
    ((buffer[start] as number) << 24) |
    ((buffer[start + 1] as number) << 16) |
    ((buffer[start + 2] as number) << 8) |
    (buffer[start + 3] as number)
  );
}

/** Where the word at `start` that names a response ends: at a space, control, parenthesis, quote or bracket. */
export function findNameEnd(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && endsName[buffer[at] as number] === 0) at++;
  return at;
}

/** Upper case for ASCII letters only: `toUpperCase` would turn the byte 0xFF or 0xDF into something else. */
export function toUpperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** Lower case for ASCII letters only. */
export function toLowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/** Lower case of one byte. */
export function toLowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Upper case of one byte. */
export function toUpperByte(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}
