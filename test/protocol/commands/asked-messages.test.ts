import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AskedMessages } from '../../../src/protocol/commands/asked-messages.ts';
import { UsageError } from '../../../src/protocol/errors.ts';

describe('AskedMessages', () => {
  it.each<[string | number[], number[], number[]]>([
    [[5], [5], [4, 6]],
    [
      [1, 2, 3, 9],
      [1, 2, 3, 9],
      [4, 8, 10],
    ],
    ['7', [7], [6, 8]],
    ['9,2:4', [2, 3, 4, 9], [1, 5, 10]],
    ['4:2', [2, 3, 4], [1, 5]],
    ['5:*', [5, 4_294_967_295], [4]],
    ['*:5', [5, 6], [4]],
    ['$', [1, 4_294_967_295], []],
  ])('of %j has %j and not %j', (set, inside, outside) => {
    const asked = new AskedMessages(set);
    expect(inside.filter((number) => !asked.has(number, false))).toEqual([]);
    expect(outside.filter((number) => asked.has(number, false))).toEqual([]);
  });

  it('with a star has the last message, whatever its number', () => {
    expect(new AskedMessages('100:*').has(7, true)).toBe(true);
    expect(new AskedMessages('100:*').has(7, false)).toBe(false);
    expect(new AskedMessages('*').has(7, true)).toBe(true);
    expect(new AskedMessages('100:200').has(7, true)).toBe(false);
  });

  it('takes each message once, in any order', () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 400 });
    fc.assert(
      fc.property(numbers, (list) => {
        const asked = new AskedMessages('1:*');
        const taken = list.filter((number) => asked.take(number, false));
        expect(taken).toEqual([...new Set(list)]);
      }),
    );
  });

  it.each(['', 'a', '1:', '0', '1,,2', '5000000000'])('refuses %j', (set) => {
    expect(() => new AskedMessages(set)).toThrow(UsageError);
  });

  it('agrees with a plain set, whatever order the questions come in', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
    const questions = fc.array(fc.integer({ min: 1, max: 62 }), { maxLength: 100 });
    fc.assert(
      fc.property(numbers, questions, fc.boolean(), (list, asks, asText) => {
        const sorted = [...list].sort((a, b) => a - b);
        if (asText && list.length === 0) return;
        const asked = new AskedMessages(asText ? list.join(',') : sorted);
        for (const number of asks) expect(asked.has(number, false)).toBe(list.includes(number));
      }),
    );
  });
});
