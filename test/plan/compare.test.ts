import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparedSide, compareFolders, matchMessages } from '../../src/plan/compare.ts';
import type { MessageMatch } from '../../src/plan/pairing.ts';
import { manyMessages } from '../support/many-messages.ts';

interface Row {
  readonly uid: number;
  readonly header?: string;
  readonly body?: string;
  readonly date?: number;
  readonly flags?: string;
}

const key = (text: string) => createHash('sha256').update(text).digest();

function side(rows: readonly Row[], options = { digests: true }): ComparedSide {
  const flagSets = [...new Set(rows.map((row) => row.flags ?? ''))];
  return {
    uids: Uint32Array.from(rows, (row) => row.uid),
    dates: Float64Array.from(rows, (row) => row.date ?? 0),
    flags: Uint32Array.from(rows, (row) => flagSets.indexOf(row.flags ?? '')),
    flagSets,
    headerKeys: new Uint8Array(Buffer.concat(rows.map((row) => key(row.header ?? '')))),
    digests: options.digests
      ? new Uint8Array(Buffer.concat(rows.map((row) => key(`${row.header}\n${row.body}`))))
      : null,
  };
}

const a = { header: 'a', body: '1' };
const b = { header: 'b', body: '2' };

describe('two folders', () => {
  const cases: [name: string, source: Row[], target: Row[], differences: unknown[], foreign: number][] = [
    [
      'are equal whatever their UIDs and order',
      [
        { uid: 1, ...a },
        { uid: 2, ...b },
      ],
      [
        { uid: 7, ...b },
        { uid: 9, ...a },
      ],
      [],
      0,
    ],
    [
      'miss what the target does not hold',
      [
        { uid: 1, ...a },
        { uid: 2, ...b },
      ],
      [{ uid: 7, ...b }],
      [{ kind: 'missing', sourceUid: 1 }],
      0,
    ],
    [
      'want every twin',
      [
        { uid: 1, ...a },
        { uid: 2, ...a },
      ],
      [{ uid: 7, ...a }],
      [{ kind: 'missing', sourceUid: 2 }],
      0,
    ],
    [
      'want no twin too many',
      [{ uid: 1, ...a }],
      [
        { uid: 7, ...a },
        { uid: 8, ...a },
      ],
      [{ kind: 'extra', targetUid: 8 }],
      0,
    ],
    [
      'may hold mail of other origin at the target',
      [{ uid: 1, ...a }],
      [
        { uid: 7, ...a },
        { uid: 8, ...b },
      ],
      [],
      1,
    ],
    [
      'differ in bytes under the same header',
      [{ uid: 1, ...a }],
      [{ uid: 7, header: 'a', body: 'x' }],
      [{ kind: 'content', sourceUid: 1, targetUid: 7 }],
      0,
    ],
    [
      'differ in flags',
      [{ uid: 1, ...a, flags: '\\seen' }],
      [{ uid: 7, ...a, flags: '' }],
      [{ kind: 'flags', sourceUid: 1, targetUid: 7, source: '\\seen', target: '' }],
      0,
    ],
    [
      'differ in dates',
      [{ uid: 1, ...a, date: 1 }],
      [{ uid: 7, ...a, date: 2 }],
      [{ kind: 'date', sourceUid: 1, targetUid: 7, sourceMs: 1, targetMs: 2 }],
      0,
    ],
    [
      'agree on a date that neither can tell',
      [{ uid: 1, ...a, date: Number.NaN }],
      [{ uid: 7, ...a, date: Number.NaN }],
      [],
      0,
    ],
    [
      'pair twins by flags and date first',
      [
        { uid: 1, ...a, flags: 'x', date: 1 },
        { uid: 2, ...a, flags: 'y', date: 2 },
      ],
      [
        { uid: 7, ...a, flags: 'y', date: 2 },
        { uid: 8, ...a, flags: 'x', date: 1 },
      ],
      [],
      0,
    ],
    ['are equal when both are empty', [], [], [], 0],
  ];
  it.each(cases)('%s', (_, source, target, differences, foreign) => {
    const comparison = compareFolders(side(source), side(target));
    expect(comparison.differences).toEqual(differences);
    expect(comparison.foreign).toBe(foreign);
  });

  it('are compared by header alone where one side was not read', () => {
    const source = side([{ uid: 1, header: 'a', body: '1' }], { digests: false });
    expect(compareFolders(source, side([{ uid: 7, header: 'a', body: 'other' }]))).toMatchObject({
      differences: [],
      matched: 1,
    });
  });

  it('of a great many twins are compared, left over on either side or not', () => {
    const twins = (count: number): ComparedSide => ({
      uids: Uint32Array.from({ length: count }, (_, row) => row + 1),
      dates: new Float64Array(count),
      flags: new Uint32Array(count),
      flagSets: [''],
      headerKeys: new Uint8Array(count * 32),
      digests: null,
    });
    const [few, many] = [twins(1), twins(300_000)];
    expect(compareFolders(many, many)).toMatchObject({ differences: [], matched: 300_000 });
    expect(compareFolders(many, few).differences).toHaveLength(299_999);
    expect(compareFolders(few, many).differences).toHaveLength(299_999);
  });

  it('lose and gain exactly what was planted, twins or not', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
    fc.assert(
      fc.property(letters, letters, (kept, lost) => {
        const rows = (names: string[], firstUid: number) =>
          names.map((name, index) => ({ uid: firstUid + index, header: name, body: name }));
        const { differences } = compareFolders(side(rows([...kept, ...lost], 1)), side(rows(kept, 100)));
        expect(differences.filter(({ kind }) => kind === 'missing')).toHaveLength(lost.length);
        expect(differences).toHaveLength(lost.length);
        const reverse = compareFolders(side(rows(kept, 1)), side(rows([...kept, ...lost], 100)));
        const known = lost.filter((name) => kept.includes(name)).length;
        expect(reverse.differences.filter(({ kind }) => kind === 'extra')).toHaveLength(known);
        expect(reverse.foreign).toBe(lost.length - known);
      }),
    );
  });
});

/** What matching means, in as few words as possible: every row of one side held against every row of the other. */
function simpleMatch(source: readonly Row[], target: readonly Row[], contentOf: (row: Row) => string) {
  const pairs: [number, number][] = [];
  const free = { source: new Set(source), target: new Set(target) };
  const likenesses = [(row: Row) => `${row.date} ${row.flags}`, (row: Row) => `${row.date}`, () => ''];
  for (const likeness of likenesses) {
    const isLike = (left: Row, right: Row) =>
      contentOf(left) === contentOf(right) && likeness(left) === likeness(right);
    for (const left of free.source) {
      for (const right of free.target) {
        if (!free.source.has(left) || !isLike(left, right)) continue;
        pairs.push([left.uid, right.uid]);
        free.source.delete(left);
        free.target.delete(right);
      }
    }
  }
  const known = new Set(source.map(contentOf));
  return {
    pairs: pairs.sort(([a], [b]) => a - b),
    sourceLeft: Array.from(free.source, ({ uid }) => uid),
    targetLeft: [...free.target].filter((row) => known.has(contentOf(row))).map(({ uid }) => uid),
    foreign: [...free.target].filter((row) => !known.has(contentOf(row))).map(({ uid }) => uid),
  };
}

function uidsOf({ pairs, sourceLeft, targetLeft, foreign }: MessageMatch, source: ComparedSide, target: ComparedSide) {
  const at = ({ uids }: ComparedSide, rows: Uint32Array) => Array.from(rows, (row) => uids[row] ?? 0);
  const right = at(target, pairs.target);
  return {
    pairs: at(source, pairs.source).map((uid, index) => [uid, right[index]]),
    sourceLeft: at(source, sourceLeft),
    targetLeft: at(target, targetLeft),
    foreign: at(target, foreign),
  };
}

describe('messages', () => {
  const row = fc.record({
    header: fc.constantFrom('a', 'b', 'c'),
    body: fc.constantFrom('1', '2'),
    date: fc.constantFrom(1, 2, Number.NaN),
    flags: fc.constantFrom('', '\\seen', '\\flagged \\seen'),
  });
  const rows = fc
    .array(row, { maxLength: 30 })
    .map((list) => list.map((one, index) => ({ uid: 10 * index + 1, ...one })));

  it.each([true, false])('are matched as a simple model does, twins included (bodies read: %s)', (digests) => {
    fc.assert(
      fc.property(rows, rows, (left, right) => {
        const [source, target] = [side(left, { digests }), side(right, { digests })];
        const contentOf = ({ header, body }: Row) => (digests ? `${header} ${body}` : `${header}`);
        expect(uidsOf(matchMessages(source, target), source, target)).toEqual(simpleMatch(left, right, contentOf));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are matched with some of the target as if it held no others', () => {
    fc.assert(
      fc.property(rows, rows, fc.infiniteStream(fc.boolean()), (left, right, picks) => {
        const some = Array.from(right.keys()).filter(() => picks.next().value);
        const [source, target] = [side(left), side(right)];
        const match = matchMessages(source, target, Uint32Array.from(some));
        const picked = right.filter((_, index) => some.includes(index));
        const contentOf = ({ header, body }: Row) => `${header} ${body}`;
        expect(uidsOf(match, source, target)).toEqual(simpleMatch(left, picked, contentOf));
      }),
    );
  });

  it('are refused where the keys of the two sides differ in length', () => {
    const source = side([{ uid: 1, ...a }]);
    const target = { ...side([{ uid: 1, ...a }]), headerKeys: new Uint8Array(16), digests: null };
    expect(() => matchMessages(source, target)).toThrow(RangeError);
  });

  it('are matched wherever their keys lie in memory', () => {
    const source = side([{ uid: 1, ...a }]);
    const shifted = new Uint8Array(33);
    shifted.set(source.digests ?? [], 1);
    expect(matchMessages(source, { ...source, digests: shifted.subarray(1) }).pairs.source).toHaveLength(1);
  });
});

describe('a million messages on each side', { timeout: 60_000 }, () => {
  const count = 1_000_000;

  it.each([
    ['no two alike', 1],
    ['in pairs of twins', 2],
  ])('(%s) are matched in the memory of some numbers each', (_, twins) => {
    const [source, target] = [manyMessages(count, { twins }), manyMessages(count, { twins, reversed: true })];
    const before = process.resourceUsage().maxRSS;
    const { pairs, sourceLeft, targetLeft, foreign } = matchMessages(source, target);
    // Objects or strings of them would be a gigabyte.
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(400);
    expect([sourceLeft.length, targetLeft.length, foreign.length]).toEqual([0, 0, 0]);
    expect(pairs.source).toHaveLength(count);
    for (let index = 0; index < count; index += 997) {
      const [left = 0, right = 0] = [pairs.source[index], pairs.target[index]];
      expect(source.dates[left]).toBe(target.dates[right]);
    }
  });

  it('are compared, and what was planted is found', () => {
    const [source, target] = [manyMessages(count), manyMessages(count)];
    source.digests?.fill(1, 32 * 500, 32 * 501);
    source.headerKeys.fill(1, 16 * 500, 16 * 501);
    target.digests?.fill(2, 32 * 700, 32 * 701);
    target.dates[900] = Number.NaN;
    expect(compareFolders(source, target).differences).toEqual([
      { kind: 'date', sourceUid: 901, targetUid: 901, sourceMs: source.dates[900], targetMs: Number.NaN },
      { kind: 'missing', sourceUid: 501 },
      { kind: 'content', sourceUid: 701, targetUid: 701 },
    ]);
  });
});
