import { groupRows, JoinedKeys, joinRows, type KeyColumn } from './row-groups.ts';

/** What the messages of one side are known by: as many bytes a message as on the other side, a multiple of four. */
export interface MessageKeys {
  readonly uids: Uint32Array;
  /** What the identifying header fields hash to. */
  readonly headerKeys: Uint8Array;
  /** Digest of the content; `null`: bodies were not read. */
  readonly digests: Uint8Array | null;
}

/** The keys of both sides. @throws RangeError where they differ in length, or the bodies of a side were not read */
export function joinKeys(source: MessageKeys, target: MessageKeys, by: 'content' | 'header'): JoinedKeys {
  const [left, right] = [keyColumn(source, by), keyColumn(target, by)];
  const { words, rows } = left.rows > 0 ? left : right;
  return new JoinedKeys(rows === 0 ? 0 : words.length / rows, left, right);
}

/** Those of `rows` whose header one of `otherRows` on the other side has too; both ascend. */
export function rowsWithHeaderIn(
  side: MessageKeys,
  rows: Uint32Array,
  other: MessageKeys,
  otherRows: Uint32Array,
): Uint32Array {
  const keys = joinKeys(side, other, 'header');
  const isShared = new Uint8Array(keys.sourceRows);
  groupRows(keys, joinRows(keys, rows, otherRows), (group, start, end) => {
    if ((group[end - 1] ?? 0) < keys.sourceRows) return;
    for (let at = start; at < end && (group[at] ?? 0) < keys.sourceRows; at++) isShared[group[at] ?? 0] = 1;
  });
  return rows.filter((row) => isShared[row] === 1);
}

function keyColumn({ uids, headerKeys, digests }: MessageKeys, by: 'content' | 'header'): KeyColumn {
  const bytes = by === 'header' ? headerKeys : digests;
  if (bytes === null) throw new RangeError('the content of messages is to be compared that was not read');
  return { words: toWords(bytes), rows: uids.length };
}

/** The same bytes by fours; their order inside a word is this machine's, on both sides alike. */
function toWords(bytes: Uint8Array): Uint32Array {
  // A view of words begins at a multiple of four.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
