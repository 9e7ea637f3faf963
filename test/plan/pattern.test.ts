import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePattern } from '../../src/plan/pattern.ts';
import { folder, side } from './folders.ts';

function matches(text: string, name: string, delimiter: string | null = '/'): boolean {
  const pattern = parsePattern(text, []);
  if (typeof pattern === 'string') throw new Error(pattern);
  return pattern(folder(name, { delimiter }));
}

describe('parsePattern', () => {
  it.each([
    ['A', 'A', true],
    ['A', 'a', false],
    ['A', 'A/b', false],
    ['A', 'xA', false],
    ['*', 'A', true],
    ['*', 'A/b', false],
    ['A*', 'A', true],
    ['A*', 'Abc', true],
    ['A/*', 'A/b', true],
    ['A/*', 'A', false],
    ['A/*', 'A/b/c', false],
    ['A/**', 'A/b/c', true],
    ['A/**', 'A', false],
    ['**', 'A/b/c', true],
    ['**/c', 'A/b/c', true],
    ['**/c', 'c', false],
    ['*/*/c', 'A/b/c', true],
    ['A?', 'Ab', true],
    ['A?', 'A', false],
    ['A?b', 'A/b', false],
    ['?', '😀', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['[Gmail]/*', '[Gmail]/Spam', true],
    ['[Gmail]/*', 'G/Spam', false],
    ['a.b(c)+', 'a.b(c)+', true],
    ['a.b', 'axb', false],
    ['inbox', 'INBOX', true],
    ['INBOX', 'Inbox', true],
    ['inbox/Sub', 'INBOX/Sub', true],
    ['inbox/sub', 'INBOX/Sub', false],
    ['Inboxes', 'INBOXes', false],
    ['inbox*', 'INBOX', true],
    ['caf\u00e9', 'cafe\u0301', true],
    ['caf?', 'cafe\u0301', true],
    ['re:^Work', 'Work/2024', true],
    ['re:20\\d\\d$', 'Work/2024', true],
    ['re:^work', 'Work', false],
    ['re:^\\p{L}+$', 'été', true],
  ])('%s and the folder %s: %s', (text, name, expected) => {
    expect(matches(text, name)).toBe(expected);
  });

  it("stops * at the folder's own delimiter, and nowhere in a flat name", () => {
    expect(matches('A*', 'A/b', '.')).toBe(true);
    expect(matches('A*', 'A.b', '.')).toBe(false);
    expect(matches('A*', 'A/b', null)).toBe(true);
  });

  it('finds a special use by its attribute in any case, and what lies below that folder', () => {
    const { folders } = side('/', '', {
      Papierkorb: { use: '\\Trash' },
      'Papierkorb/alt': {},
      Trash: {},
      'Trash/old': {},
    });
    const named = (text: string) => {
      const pattern = parsePattern(text, folders);
      return typeof pattern === 'string' ? pattern : folders.filter(pattern).map(({ name }) => name);
    };
    expect(named('\\Trash')).toEqual(['Papierkorb']);
    expect(named('\\trash/**')).toEqual(['Papierkorb/alt']);
    expect(named('\\Junk')).toEqual([]);
  });

  it.each([
    ['', 'is empty'],
    ['\\Bin', 'names no special use'],
    ['\\Trashcan', 'names no special use'],
    ['re:(', 'is not a regular expression'],
    ['re:\\_', 'is not a regular expression'],
  ])('says why %j is no pattern', (text, reason) => {
    expect(parsePattern(text, [])).toContain(reason);
  });

  it('asks a regular expression about names of up to 255 characters only', () => {
    expect(matches('re:x', 'x'.repeat(255))).toBe(true);
    expect(matches('re:(x+)+$', `${'x'.repeat(255)}!`)).toBe(false);
  });

  it('takes time in proportion to the lengths, however many stars a pattern has', () => {
    expect(matches(`${'*a'.repeat(40)}b`, 'a'.repeat(2_000))).toBe(false);
  });

  it('agrees with the regular expression a glob stands for', () => {
    const glob = fc.array(fc.constantFrom('a', 'b', '/', '*', '**', '?'), { maxLength: 7 });
    const name = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 8 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(glob, name, (tokens, text) => {
        const pattern = tokens.join('');
        fc.pre(pattern !== '');
        const source = pattern.replace(/\*\*+|\*|\?/g, (token) =>
          token === '?' ? '[^/]' : token === '*' ? '[^/]*' : '.*',
        );
        expect(matches(pattern, text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
    );
  });
});
