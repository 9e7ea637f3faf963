/**
 * Finds out which source messages a target folder holds already, from headers alone as far as that is certain.
 */
import { type ComparedSide, matchMessages } from './compare.ts';

/** Two sides of a folder whose bodies were not read, with sizes. */
export interface SizedSide extends ComparedSide {
  /** Bytes, as the server announces them. */
  readonly sizes: Uint32Array;
}

export interface Adoption {
  /** Rows (source, target) of messages that are the same beyond reasonable doubt: same header, size and date, and no other like them. */
  readonly certain: readonly (readonly [number, number])[];
  /** Rows whose header stands on both sides, but whose content has to be compared. */
  readonly sourceDoubtful: readonly number[];
  readonly targetDoubtful: readonly number[];
}

/** Splits what two folders may have in common into what is certain and what must be read. */
export function splitByHeader(source: SizedSide, target: SizedSide): Adoption {
  const { pairs, targetLeft, sourceLeft } = matchMessages({ ...source, digests: null }, { ...target, digests: null });
  const doubtful = new Set<string>();
  // Twins, or copies of which one side has more: only their bytes can tell.
  for (const row of targetLeft) doubtful.add(keyOf(target, row));
  for (const row of sourceLeft) doubtful.add(keyOf(source, row));
  const seen = new Set<string>();
  for (const [row] of pairs) {
    const key = keyOf(source, row);
    if (seen.has(key)) doubtful.add(key);
    seen.add(key);
  }
  const certain: (readonly [number, number])[] = [];
  const sourceDoubtful: number[] = [];
  const targetDoubtful: number[] = [...targetLeft];
  for (const pair of pairs) {
    const [sourceRow, targetRow] = pair;
    const isAlike =
      source.sizes[sourceRow] === target.sizes[targetRow] &&
      Object.is(source.dates[sourceRow], target.dates[targetRow]);
    if (isAlike && !doubtful.has(keyOf(source, sourceRow)) && !isEmptyKey(source, sourceRow)) certain.push(pair);
    else {
      sourceDoubtful.push(sourceRow);
      targetDoubtful.push(targetRow);
    }
  }
  const shared = new Set(pairs.map(([row]) => keyOf(source, row)));
  for (const row of sourceLeft) if (shared.has(keyOf(source, row))) sourceDoubtful.push(row);
  return { certain, sourceDoubtful, targetDoubtful };
}

const keyBytes = 32;

function keyOf(side: ComparedSide, row: number): string {
  return String.fromCharCode(...side.headerKeys.subarray(row * keyBytes, (row + 1) * keyBytes));
}

/** The key of a header without any identifying field: SHA-256 of nothing begins so. */
function isEmptyKey(side: ComparedSide, row: number): boolean {
  const at = row * keyBytes;
  return side.headerKeys[at] === 0xe3 && side.headerKeys[at + 1] === 0xb0 && side.headerKeys[at + 2] === 0xc4;
}
