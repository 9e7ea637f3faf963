/**
 * Compares the contents of two folders as multisets: n copies at the source want n copies at the target.
 */

/** One side of a folder, as columns of equal length. */
export interface ComparedSide {
  readonly uids: Uint32Array;
  /** INTERNALDATE as epoch milliseconds; NaN: unreadable. */
  readonly dates: Float64Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  readonly flagSets: readonly string[];
  /** 32 bytes a message: what the identifying header fields hash to. */
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

const keyBytes = 32;

/** Which rows belong together, and which are left. */
export interface MessageMatch {
  /** Rows: source, target. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly sourceLeft: readonly number[];
  /** Copies too many: what they hold is at the source, and paired. */
  readonly targetLeft: readonly number[];
  /** Messages at the target that the source does not hold. */
  readonly foreign: readonly number[];
}

/**
 * Pairs every source message with a target message of the same content (of the same header, unless both sides were read),
 * twins by what else they have in common. Each message is used once. Linear in the number of messages.
 */
export function matchMessages(source: ComparedSide, target: ComparedSide): MessageMatch {
  const byContent = source.digests !== null && target.digests !== null;
  const content = (side: ComparedSide, row: number) =>
    keyAt(byContent && side.digests ? side.digests : side.headerKeys, row);
  const atTarget = groupRows(target, content);
  const pairs: (readonly [number, number])[] = [];
  const sourceLeft: number[] = [];
  const targetLeft: number[] = [];
  for (const [key, rows] of groupRows(source, content)) {
    const paired = pairRows(source, rows, target, atTarget.get(key) ?? []);
    atTarget.delete(key);
    // One by one: a group of twins may be longer than an argument list.
    for (const pair of paired.pairs) pairs.push(pair);
    for (const row of paired.left) sourceLeft.push(row);
    for (const row of paired.right) targetLeft.push(row);
  }
  return { pairs, sourceLeft, targetLeft, foreign: [...atTarget.values()].flat() };
}

/** Tells everything in which two folders differ. */
export function compareFolders(source: ComparedSide, target: ComparedSide): FolderComparison {
  const differences: FolderDifference[] = [];
  const { pairs, sourceLeft, targetLeft, foreign } = matchMessages(source, target);
  for (const [sourceRow, targetRow] of pairs) differences.push(...compareRows(source, sourceRow, target, targetRow));
  // What is left on both sides with the same header is one message with changed bytes.
  const byHeader = new Map<string, number[]>();
  for (const row of foreign.toReversed()) pushTo(byHeader, keyAt(target.headerKeys, row), row);
  let changed = 0;
  for (const row of sourceLeft) {
    const sourceUid = source.uids[row] ?? 0;
    const other = byHeader.get(keyAt(source.headerKeys, row))?.pop();
    if (other === undefined) {
      differences.push({ kind: 'missing', sourceUid });
      continue;
    }
    changed++;
    differences.push({ kind: 'content', sourceUid, targetUid: target.uids[other] ?? 0 });
  }
  for (const row of targetLeft) differences.push({ kind: 'extra', targetUid: target.uids[row] ?? 0 });
  return { differences, matched: pairs.length, foreign: foreign.length - changed };
}

function groupRows(side: ComparedSide, key: (side: ComparedSide, row: number) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < side.uids.length; row++) pushTo(groups, key(side, row), row);
  return groups;
}

function pushTo(groups: Map<string, number[]>, key: string, row: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [row]);
  else group.push(row);
}

/** Pairs equal messages: first those with equal flags and date, then by date, then whatever is left, in UID order. */
function pairRows(source: ComparedSide, left: number[], target: ComparedSide, right: number[]) {
  const pairs: [number, number][] = [];
  let restLeft = left;
  let restRight = right;
  const likenesses = [
    (side: ComparedSide, row: number) => `${side.dates[row]} ${flagsAt(side, row)}`,
    (side: ComparedSide, row: number) => `${side.dates[row]}`,
    () => '',
  ];
  for (const likeness of likenesses) {
    if (restLeft.length === 0 || restRight.length === 0) break;
    const offered = new Map<string, number[]>();
    // The first one last: taking it from the end costs nothing, however many twins there are.
    for (const row of restRight.toReversed()) pushTo(offered, likeness(target, row), row);
    const unpaired: number[] = [];
    const taken = new Set<number>();
    for (const row of restLeft) {
      const partner = offered.get(likeness(source, row))?.pop();
      if (partner === undefined) {
        unpaired.push(row);
        continue;
      }
      taken.add(partner);
      pairs.push([row, partner]);
    }
    restLeft = unpaired;
    restRight = restRight.filter((row) => !taken.has(row));
  }
  return { pairs, left: restLeft, right: restRight };
}

function compareRows(
  source: ComparedSide,
  sourceRow: number,
  target: ComparedSide,
  targetRow: number,
): FolderDifference[] {
  const found: FolderDifference[] = [];
  const ids = { sourceUid: source.uids[sourceRow] ?? 0, targetUid: target.uids[targetRow] ?? 0 };
  const [before, after] = [flagsAt(source, sourceRow), flagsAt(target, targetRow)];
  if (before !== after) found.push({ kind: 'flags', ...ids, source: before, target: after });
  const [sourceMs, targetMs] = [source.dates[sourceRow] ?? Number.NaN, target.dates[targetRow] ?? Number.NaN];
  if (!Object.is(sourceMs, targetMs)) found.push({ kind: 'date', ...ids, sourceMs, targetMs });
  return found;
}

function flagsAt(side: ComparedSide, row: number): string {
  return side.flagSets[side.flags[row] ?? 0] ?? '';
}

/** A key of 32 bytes as a string of 16 characters: what a Map compares fast. */
function keyAt(keys: Uint8Array, row: number): string {
  let key = '';
  for (let at = row * keyBytes; at < (row + 1) * keyBytes; at += 2) {
    key += String.fromCharCode(((keys[at] ?? 0) << 8) | (keys[at + 1] ?? 0));
  }
  return key;
}
