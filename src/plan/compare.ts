/**
 * Compares the contents of two folders as multisets: n copies at the source want n copies at the target.
 */

import { joinKeys } from './message-keys.ts';
import { type MessageMatch, Pairing, type RowPairs } from './pairing.ts';
import { groupRows, joinRows } from './row-groups.ts';

/** One side of a folder, as columns of equal length, ascending by UID. */
export interface ComparedSide {
  readonly uids: Uint32Array;
  /** INTERNALDATE as epoch milliseconds; NaN: unreadable. */
  readonly dates: Float64Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  readonly flagSets: readonly string[];
  /** What the identifying header fields hash to: for each message as many bytes, whole words of four, as on the other side. */
  readonly headerKeys: Uint8Array;
  /** 32 bytes a message: digest of the content; `null`: bodies were not read. */
  readonly digests: Uint8Array | null;
}

export type FolderDifference =
  /** A source message that the target does not hold. */
  | { readonly kind: 'missing'; readonly sourceUid: number }
  /** One copy more at the target than at the source. */
  | { readonly kind: 'extra'; readonly targetUid: number }
  /** The same header, other bytes. */
  | { readonly kind: 'content'; readonly sourceUid: number; readonly targetUid: number }
  | {
      readonly kind: 'flags';
      readonly sourceUid: number;
      readonly targetUid: number;
      readonly source: string;
      readonly target: string;
    }
  | {
      readonly kind: 'date';
      readonly sourceUid: number;
      readonly targetUid: number;
      readonly sourceMs: number;
      readonly targetMs: number;
    };

export interface FolderComparison {
  readonly differences: readonly FolderDifference[];
  /** Pairs that were found equal in content (by header alone where bodies were not read). */
  readonly matched: number;
  /** Messages at the target that have nothing to do with the source folder. */
  readonly foreign: number;
}

/**
 * Pairs every source message with a target message of the same content (of the same header, unless both sides were read),
 * twins by what else they have in common: those with equal flags and date first, then by date, then whatever is left, in
 * UID order. Each message is used once. Of the target only `targetRows` (ascending; default: all) are looked at.
 */
export function matchMessages(source: ComparedSide, target: ComparedSide, targetRows?: Uint32Array): MessageMatch {
  const keys = joinKeys(source, target, source.digests !== null && target.digests !== null ? 'content' : 'header');
  const pairing = new Pairing(source, target);
  groupRows(keys, joinRows(keys, undefined, targetRows), pairing.add);
  return pairing.match();
}

/** Tells everything in which two folders differ. */
export function compareFolders(source: ComparedSide, target: ComparedSide): FolderComparison {
  const differences: FolderDifference[] = [];
  const { pairs, sourceLeft, targetLeft, foreign } = matchMessages(source, target);
  for (let index = 0; index < pairs.source.length; index++) {
    addDifferences(differences, source, pairs.source[index] ?? 0, target, pairs.target[index] ?? 0);
  }
  // What is left on both sides with the same header is one message with changed bytes.
  const changed = pairByHeader(source, sourceLeft, target, foreign);
  let at = 0;
  for (const row of sourceLeft) {
    const sourceUid = source.uids[row] ?? 0;
    if (changed.source[at] !== row) {
      differences.push({ kind: 'missing', sourceUid });
      continue;
    }
    differences.push({ kind: 'content', sourceUid, targetUid: target.uids[changed.target[at] ?? 0] ?? 0 });
    at++;
  }
  for (const row of targetLeft) differences.push({ kind: 'extra', targetUid: target.uids[row] ?? 0 });
  return { differences, matched: pairs.source.length, foreign: foreign.length - changed.source.length };
}

/** Pairs rows with equal headers, in UID order. */
function pairByHeader(
  source: ComparedSide,
  sourceRows: Uint32Array,
  target: ComparedSide,
  targetRows: Uint32Array,
): RowPairs {
  const keys = joinKeys(source, target, 'header');
  const pairing = new Pairing(source, target);
  groupRows(keys, joinRows(keys, sourceRows, targetRows), pairing.zip);
  return pairing.pairs();
}

/** Adds what two messages of the same content differ in. */
function addDifferences(
  found: FolderDifference[],
  source: ComparedSide,
  sourceRow: number,
  target: ComparedSide,
  targetRow: number,
): void {
  const [before, after] = [flagsAt(source, sourceRow), flagsAt(target, targetRow)];
  const [sourceMs, targetMs] = [source.dates[sourceRow] ?? Number.NaN, target.dates[targetRow] ?? Number.NaN];
  const sameDate = Object.is(sourceMs, targetMs);
  if (before === after && sameDate) return;
  const ids = { sourceUid: source.uids[sourceRow] ?? 0, targetUid: target.uids[targetRow] ?? 0 };
  if (before !== after) found.push({ kind: 'flags', ...ids, source: before, target: after });
  if (!sameDate) found.push({ kind: 'date', ...ids, sourceMs, targetMs });
}

function flagsAt(side: ComparedSide, row: number): string {
  return side.flagSets[side.flags[row] ?? 0] ?? '';
}
