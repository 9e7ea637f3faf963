/**
 * Message after message carries one of a few flag lists. This direct-mapped table turns their bytes into one frozen array
 * each, without a string or an array per message. Bounded; a collision only costs the making.
 */

const slots = 1024;
const maxLength = 128;
const CLOSE_PAREN = 0x29;

/** A list of flags as it stands on the wire, parentheses included, and what it holds. */
interface KnownFlagList {
  readonly bytes: Uint8Array;
  readonly flags: readonly string[];
}

const lists: (KnownFlagList | null)[] = new Array<KnownFlagList | null>(slots).fill(null);

/** The flag list at `start` if it was kept before. Shared by all who ask: it is frozen. */
export function findFlagList(buffer: Buffer, start: number, end: number): KnownFlagList | null {
  const last = Math.min(end, start + maxLength);
  let at = start;
  let hash = 0;
  while (at < last && buffer[at] !== CLOSE_PAREN) hash = (Math.imul(hash, 31) + (buffer[at++] as number)) | 0;
  const known = lists[listSlot(hash)] as KnownFlagList | null;
  if (known === null || at === last) return null;
  const { bytes } = known;
  // The last byte is the parenthesis the hash stopped at.
  const length = at - start;
  if (bytes.length !== length + 1) return null;
  for (let index = 0; index < length; index++) {
    if (buffer[start + index] !== bytes[index]) return null;
  }
  return known;
}

/** Freezes `flags` and keeps them for `findFlagList`, which never finds a list with a `)` inside quotes again. */
export function keepFlagList(buffer: Buffer, start: number, end: number, flags: string[]): void {
  Object.freeze(flags);
  if (end - start > maxLength) return;
  const close = buffer.indexOf(CLOSE_PAREN, start);
  let hash = 0;
  for (let at = start; at < close; at++) hash = (Math.imul(hash, 31) + (buffer[at] as number)) | 0;
  lists[listSlot(hash)] = { bytes: Uint8Array.from(buffer.subarray(start, end)), flags };
}

function listSlot(hash: number): number {
  return (hash ^ (hash >>> 10)) & (slots - 1);
}
