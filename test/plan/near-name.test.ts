import { describe, expect, it } from 'vitest';
import { nearNames } from '../../src/plan/near-name.ts';

describe('nearNames', () => {
  it.each([
    ['a letter too few', 'Wrk', ['Play', 'Work'], ['Work']],
    ['letters swapped', 'Wrok', ['Work'], ['Work']],
    ['other case', 'WORK', ['Work'], ['Work']],
    ['a part of a longer name', 'Sent', ['INBOX.Sent', 'Trash'], ['INBOX.Sent']],
    ['a longer name than there is', 'Sent Items', ['Sent'], ['Sent']],
    ['accents in another Unicode form', 'e\u0301t\u00e9s', ['\u00e9te\u0301'], ['\u00e9te\u0301']],
    ['something else altogether', 'Invoices', ['Work', 'Play'], []],
    ['no name at all', '', ['Work'], []],
  ])('finds what is meant by %s', (_, wanted, known, expected) => {
    expect(nearNames(wanted, known)).toEqual(expected);
  });

  it('offers at most three, the nearest first and each once', () => {
    expect(nearNames('abcdef', ['abcdxx', 'abcdex', 'abcxef', 'abxdef', 'abcdef', 'abcdef'])).toEqual([
      'abcdef',
      'abcdex',
      'abcxef',
    ]);
  });

  it('stays quick on very long names', () => {
    const long = 'x'.repeat(200_000);
    expect(nearNames(long, [`${long}y`])).toHaveLength(1);
  });
});
