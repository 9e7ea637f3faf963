import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupRows, JoinedKeys, joinRows } from '../../src/plan/row-groups.ts';

function column(keys: readonly (readonly number[])[]) {
  return { words: Uint32Array.from(keys.flat()), rows: keys.length };
}

function groupsOf(keys: JoinedKeys, rows = joinRows(keys), fromDepth = 0): number[][] {
  const groups: number[][] = [];
  groupRows(keys, rows, (grouped, start, end) => groups.push([...grouped.subarray(start, end)]), fromDepth);
  return groups;
}

const byFirst = (groups: number[][]) => groups.toSorted(([a = 0], [b = 0]) => a - b);

describe('rows with equal keys', () => {
  const word = fc.oneof(fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff), fc.integer({ min: 0, max: 3 }));
  const key = fc.tuple(word, word, word);
  const keys = fc.array(key, { maxLength: 40 });

  it('are one group each, in the order of their rows, whichever rows and words count', () => {
    fc.assert(
      fc.property(keys, keys, fc.nat(3), fc.infiniteStream(fc.boolean()), (source, target, fromDepth, picks) => {
        const joined = new JoinedKeys(3, column(source), column(target));
        const rows = joinRows(joined).filter(() => picks.next().value);
        const expected = new Map<string, number[]>();
        for (const row of rows) {
          const text = JSON.stringify([...source, ...target][row]?.slice(fromDepth));
          expected.set(text, [...(expected.get(text) ?? []), row]);
        }
        expect(byFirst(groupsOf(joined, rows, fromDepth))).toEqual([...expected.values()]);
      }),
    );
  });

  it('are none where there are no rows, and one where keys have no words', () => {
    expect(groupsOf(new JoinedKeys(0, column([]), column([])))).toEqual([]);
    expect(groupsOf(new JoinedKeys(0, { words: new Uint32Array(), rows: 2 }, column([[]])))).toEqual([[0, 1, 2]]);
  });

  it('are refused where a column does not have a key for each row', () => {
    expect(() => new JoinedKeys(2, column([[1, 2]]), { words: Uint32Array.of(1), rows: 1 })).toThrow(RangeError);
  });

  const count = 400_000;
  const cases: [name: string, keyAt: (row: number) => number[], groups: number][] = [
    ['all equal', () => [7, 7, 7, 7], 1],
    ['told apart by their last word only', (row) => [7, 7, 7, row], count],
    ['told apart by their first word only', (row) => [row, 7, 7, 7], count],
    ['equal by pairs, each word telling some apart', (row) => [row >>> 13, row >>> 9, row >>> 5, row >>> 1], count / 2],
    ['descending', (row) => [count - row, 0, 0, 0], count],
  ];
  // A way of matching that compares every pair of such rows would take hours.
  it.each(cases)('are found among many that are %s', (_, keyAt, groups) => {
    const words = new Uint32Array(count * 4);
    for (let row = 0; row < count; row++) words.set(keyAt(row), row * 4);
    let found = 0;
    const joined = new JoinedKeys(4, { words, rows: count }, column([]));
    groupRows(joined, joinRows(joined), () => found++);
    expect(found).toBe(groups);
  });
});
