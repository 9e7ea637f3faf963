import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError, ProtocolError, UsageError } from '../../src/protocol/errors.ts';
import {
  encodeSequenceSet,
  expandSequenceSet,
  parseSequenceSet,
  splitSequenceSet,
} from '../../src/protocol/sequence-set.ts';

const max = 0xffff_ffff;
const ascending = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max })), { minLength: 1, maxLength: 60 })
  .map((numbers) => Uint32Array.from(numbers).sort());

describe('encodeSequenceSet', () => {
  it.each([
    [[1], '1'],
    [[1, 2], '1:2'],
    [[1, 2, 3, 4, 5, 9], '1:5,9'],
    [[1, 3, 5], '1,3,5'],
    [[7, 7, 8, 8], '7:8'],
    [[max - 1, max], '4294967294:4294967295'],
  ])('writes %j as %s', (numbers, text) => {
    expect(encodeSequenceSet(numbers)).toBe(text);
    expect(encodeSequenceSet(Uint32Array.from(numbers))).toBe(text);
  });

  it.each([[[]], [[0]], [[-1]], [[1.5]], [[max + 1]], [[Number.NaN]], [[2, 1]], [[1, 2, 1]]])(
    'refuses %j',
    (numbers) => {
      expect(() => encodeSequenceSet(numbers)).toThrow(UsageError);
    },
  );
});

describe('parseSequenceSet', () => {
  it.each([
    ['1', [[1, 1]]],
    [
      '1:5,9',
      [
        [1, 5],
        [9, 9],
      ],
    ],
    [
      '9,5:1',
      [
        [9, 9],
        [1, 5],
      ],
    ],
    ['4294967295', [[max, max]]],
    ['001', [[1, 1]]],
  ])('reads %s', (text, ranges) => {
    expect([...parseSequenceSet(text)]).toEqual(ranges);
  });

  it('lets a star stand for the largest number', () => {
    expect([...parseSequenceSet('*', 7)]).toEqual([[7, 7]]);
    expect([...parseSequenceSet('3:*,*:2', 7)]).toEqual([
      [3, 7],
      [2, 7],
    ]);
    expect([...parseSequenceSet('9:*', 7)]).toEqual([[7, 9]]);
  });

  it.each([
    '',
    ',',
    '1,',
    ',1',
    '1,,2',
    '1:',
    ':1',
    '1:2:3',
    '0',
    '0:1',
    '4294967296',
    'a',
    '1 ',
    ' 1',
    '1;2',
    '-1',
    '*',
    '1:*',
    '1.5',
    '1e3',
    '0x1',
    '9'.repeat(400),
  ])('refuses %j', (text) => {
    expect(() => [...parseSequenceSet(text)]).toThrow(ProtocolError);
  });

  it.each(['**', '1*', '*1', '*:*:1'])('refuses the star in %j', (text) => {
    expect(() => [...parseSequenceSet(text, 9)]).toThrow(ProtocolError);
  });

  it('takes linear time', () => {
    // Quadratic time would take hours: the test's timeout is the bound.
    const singles = Array.from({ length: 1_000_000 }, (_, at) => 2 * at + 1).join(',');
    let count = 0;
    for (const [from] of parseSequenceSet(singles)) count += from > 0 ? 1 : 0;
    expect(count).toBe(1_000_000);
  });
});

describe('expandSequenceSet', () => {
  it('lists the numbers in the order written', () => {
    expect(expandSequenceSet('5:7,1', 4)).toEqual(Uint32Array.of(5, 6, 7, 1));
    expect(expandSequenceSet('6:*', 4, 8)).toEqual(Uint32Array.of(6, 7, 8));
  });

  it.each(['1:4294967295', '1:4294967295,1:4294967295', '1:3,5:6', '1,2,3,4,5'])(
    'refuses %s for four numbers before it allocates anything',
    (text) => {
      expect(() => expandSequenceSet(text, 4)).toThrow(LimitError);
    },
  );

  it('property: gives back what was encoded', () => {
    fc.assert(
      fc.property(ascending, (numbers) => {
        expect(expandSequenceSet(encodeSequenceSet(numbers), numbers.length)).toEqual(numbers);
      }),
    );
  });
});

describe('splitSequenceSet', () => {
  it('cuts where the next number would not fit', () => {
    const numbers = Uint32Array.of(1, 2, 3, 10, 1000000000, 2000000000, 2000000001, 2000000002);
    const texts = [...splitSequenceSet(numbers, 21)].map((part) => encodeSequenceSet(part));
    expect(texts).toEqual(['1:3,10,1000000000', '2000000000:2000000002']);
  });

  it('counts equal neighbours once', () => {
    const numbers = Uint32Array.from({ length: 100 }, (_, at) => 4_000_000_000 + (at >> 5));
    expect([...splitSequenceSet(numbers, 21)]).toEqual([numbers]);
  });

  it('gives views on the same memory', () => {
    const numbers = Uint32Array.from({ length: 5000 }, (_, at) => 3 * at + 1);
    for (const part of splitSequenceSet(numbers, 100)) expect(part.buffer).toBe(numbers.buffer);
    expect.hasAssertions();
  });

  it('gives nothing for nothing', () => {
    expect([...splitSequenceSet(new Uint32Array(), 100)]).toEqual([]);
  });

  it('refuses a length that no range fits in, and numbers that do not ascend', () => {
    expect(() => [...splitSequenceSet(Uint32Array.of(1), 20)]).toThrow(UsageError);
    expect(() => [...splitSequenceSet(Uint32Array.of(2, 1), 100)]).toThrow(UsageError);
  });

  it('property: parts fit, follow one another, and a part could not have been longer', () => {
    fc.assert(
      fc.property(ascending, fc.integer({ min: 21, max: 80 }), (numbers, maxBytes) => {
        const parts = [...splitSequenceSet(numbers, maxBytes)];
        expect(parts.flatMap((part) => [...part])).toEqual([...numbers]);
        let end = 0;
        for (const part of parts) {
          expect(encodeSequenceSet(part).length).toBeLessThanOrEqual(maxBytes);
          const longer = numbers.subarray(end, end + part.length + 1);
          if (longer.length > part.length) expect(encodeSequenceSet(longer).length).toBeGreaterThan(maxBytes);
          end += part.length;
        }
      }),
      { numRuns: 500 },
    );
  });
});
