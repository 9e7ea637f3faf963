import { createHash } from 'node:crypto';
import type { SizedSide } from '../../src/plan/adopt.ts';

/**
 * One side of a big folder, made up: UIDs from 1 on, `twins` neighbours of the same content, dates a second apart.
 * `reversed`: the last message has the first UID.
 */
export function manyMessages(count: number, options: { twins?: number; reversed?: boolean } = {}): SizedSide {
  const { twins = 1, reversed = false } = options;
  const side = {
    uids: new Uint32Array(count),
    sizes: new Uint32Array(count),
    dates: new Float64Array(count),
    flags: new Uint32Array(count),
    flagSets: ['', '\\seen'],
    headerKeys: new Uint8Array(count * 16),
    digests: new Uint8Array(count * 32),
  };
  const hash = createHash('shake256', { outputLength: Math.ceil(count / twins) * 32 }).digest();
  for (let row = 0; row < count; row++) {
    const message = reversed ? count - 1 - row : row;
    const digest = hash.subarray(32 * Math.floor(message / twins), 32 * Math.floor(message / twins) + 32);
    side.uids[row] = row + 1;
    side.sizes[row] = 1_000 + (message % 50_000);
    side.dates[row] = 1_000 * message;
    side.flags[row] = message % 2;
    side.headerKeys.set(digest.subarray(0, 16), row * 16);
    side.digests.set(digest, row * 32);
  }
  return side;
}
