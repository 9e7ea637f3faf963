import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Adoption, type SizedSide, splitByHeader } from '../../src/plan/adopt.ts';
import { manyMessages } from '../support/many-messages.ts';

interface Row {
  readonly header: string;
  readonly size: number;
  readonly date: number;
  readonly isOpen: boolean;
}

const open = { isOpen: true, size: 1, date: 1 };

function side(rows: readonly Row[]): SizedSide {
  const keys = rows.map(({ header }) => createHash('sha256').update(header).digest().subarray(0, 16));
  return {
    uids: Uint32Array.from(rows, (_, row) => row + 1),
    sizes: Uint32Array.from(rows, ({ size }) => size),
    dates: Float64Array.from(rows, ({ date }) => date),
    flags: new Uint32Array(rows.length),
    flagSets: [''],
    headerKeys: new Uint8Array(Buffer.concat(keys)),
    digests: null,
  };
}

const openRows = (rows: readonly Row[]) => Uint32Array.from(rows.keys()).filter((row) => rows[row]?.isOpen);

function split(source: readonly Row[], target: readonly Row[]): Adoption {
  return splitByHeader(side(source), side(target), { source: openRows(source), target: openRows(target) });
}

/** Certain pairs, and doubtful rows of both sides, each ascending. */
function plain({ certain, doubtful }: Adoption) {
  const all = (rows: readonly Uint32Array[]) => rows.flatMap((some) => [...some]).sort((a, b) => a - b);
  return {
    certain: Array.from(certain.source, (row, index) => [row, certain.target[index]]),
    source: all(doubtful.map(({ source }) => source)),
    target: all(doubtful.map(({ target }) => target)),
  };
}

describe('what two folders have in common', () => {
  const cases: [name: string, source: Row[], target: Row[], expected: unknown][] = [
    [
      'is certain',
      [{ ...open, header: 'a' }],
      [{ ...open, header: 'a' }],
      { certain: [[0, 0]], source: [], target: [] },
    ],
    ['is nothing', [{ ...open, header: 'a' }], [{ ...open, header: 'b' }], { certain: [], source: [], target: [] }],
    [
      'is doubtful where sizes differ',
      [{ ...open, header: 'a', size: 2 }],
      [{ ...open, header: 'a' }],
      { certain: [], source: [0], target: [0] },
    ],
    [
      'is doubtful where dates differ',
      [{ ...open, header: 'a', date: 2 }],
      [{ ...open, header: 'a' }],
      { certain: [], source: [0], target: [0] },
    ],
    [
      'is certain where neither can tell the date',
      [{ ...open, header: 'a', date: Number.NaN }],
      [{ ...open, header: 'a', date: Number.NaN }],
      { certain: [[0, 0]], source: [], target: [] },
    ],
    [
      'is doubtful where there is no header to know it by',
      [{ ...open, header: '' }],
      [{ ...open, header: '' }],
      { certain: [], source: [0], target: [0] },
    ],
    [
      'is doubtful where one side has a twin',
      [{ ...open, header: 'a' }],
      [
        { ...open, header: 'a' },
        { ...open, header: 'a' },
      ],
      { certain: [], source: [0], target: [0, 1] },
    ],
    [
      'is doubtful where twins were settled before',
      [
        { ...open, header: 'a' },
        { ...open, header: 'a', isOpen: false },
      ],
      [
        { ...open, header: 'a', isOpen: false },
        { ...open, header: 'a' },
      ],
      { certain: [], source: [0], target: [1] },
    ],
    [
      'is nothing where all of one side is accounted for',
      [{ ...open, header: 'a' }],
      [{ ...open, header: 'a', isOpen: false }],
      { certain: [], source: [], target: [] },
    ],
  ];
  it.each(cases)('%s', (_, source, target, expected) => {
    expect(plain(split(source, target))).toEqual(expected);
  });

  it('is split as a simple model does', () => {
    const row = fc.record({
      header: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e'),
      size: fc.constantFrom(1, 1, 2),
      date: fc.constantFrom(1, 1, 2),
      isOpen: fc.boolean(),
    });
    const rows = fc.array(row, { maxLength: 12 });
    fc.assert(
      fc.property(rows, rows, (source, target) => {
        const expected = { certain: [] as number[][], source: [] as number[], target: [] as number[] };
        for (const [index, { header, size, date, isOpen }] of source.entries()) {
          if (!isOpen) continue;
          const here = source.filter((other) => other.header === header);
          const there = target.filter((other) => other.header === header);
          if (!there.some((other) => other.isOpen)) continue;
          const isAlike = there[0]?.size === size && there[0].date === date;
          if (here.length === 1 && there.length === 1 && isAlike && header !== '')
            expected.certain.push([index, target.findIndex((other) => other.header === header)]);
          else expected.source.push(index);
        }
        const doubtful = new Set(expected.source.map((index) => source[index]?.header));
        for (const [index, { header, isOpen }] of target.entries())
          if (isOpen && doubtful.has(header)) expected.target.push(index);
        expect(plain(split(source, target))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is doubtful in parts of some thousand rows, none of which splits a header', () => {
    const count = 30_000;
    const [source, target] = [manyMessages(count, { twins: 3 }), manyMessages(count, { twins: 3, reversed: true })];
    const rows = source.uids.map((uid) => uid - 1);
    const { certain, doubtful } = splitByHeader(source, target, { source: rows, target: rows });
    expect(certain.source).toHaveLength(0);
    expect(doubtful.length).toBeGreaterThan(10);
    for (const part of doubtful) {
      expect(part.source.length + part.target.length).toBeLessThan(4_010);
      const headers = (some: Uint32Array, of: SizedSide) =>
        Array.from(some, (row) => Buffer.from(of.headerKeys.subarray(16 * row, 16 * row + 16)).toString('hex')).sort();
      expect(headers(part.source, source)).toEqual(headers(part.target, target));
    }
    expect(doubtful.flatMap((part) => [...part.source])).toEqual([...rows]);
  });

  it.each([
    ['certain', 1, 1_000_000],
    ['doubtful', 2, 0],
  ])('is split in a million messages on each side (%s)', { timeout: 60_000 }, (_, twins, expected) => {
    const count = 1_000_000;
    const [source, target] = [manyMessages(count, { twins }), manyMessages(count, { twins, reversed: true })];
    const rows = source.uids.map((uid) => uid - 1);
    const before = process.resourceUsage().maxRSS;
    const { certain, doubtful } = splitByHeader(source, target, { source: rows, target: rows });
    // Objects or strings of them would be a gigabyte.
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(400);
    expect(certain.source).toHaveLength(expected);
    expect(doubtful.reduce((sum, part) => sum + part.source.length, 0)).toBe(count - expected);
  });
});
