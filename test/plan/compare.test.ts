import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparedSide, compareFolders } from '../../src/plan/compare.ts';

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
