import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth, padToWidth, truncateToWidth, wrapWords } from '../../src/cli/width.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['INBOX', 5],
    ['Entwürfe', 8],
    ['Entwu\u0308rfe', 8],
    ['日本語', 6],
    ['한국어', 6],
    ['\u1112\u1161\u11AB', 2],
    ['ｶﾅ', 2],
    ['Ａ１', 4],
    ['📧', 2],
    ['❤\uFE0F', 2],
    ['🇩🇪', 2],
    ['Входящие', 8],
    ['→…', 2],
    ['𠮷', 2],
  ])('%s takes %i columns', (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });
});

describe('truncateToWidth', () => {
  it.each([
    ['INBOX', 5, 'INBOX'],
    ['INBOX', 4, 'I…OX'],
    ['Projects/2024/Customers/Lighthouse', 16, 'Proje…Lighthouse'],
    ['日本語日本語', 12, '日本語日本語'],
    ['日本語日本語', 8, '日…本語'],
    ['日本語', 1, '…'],
    ['abc', 0, ''],
  ])('%s in %i columns is %s', (text, columns, shown) => {
    expect(truncateToWidth(text, columns)).toBe(shown);
  });

  it('marks the cut in ASCII where asked to', () => {
    expect(truncateToWidth('abcdefghij', 7, '...')).toBe('a...hij');
    expect(truncateToWidth('abcdefghij', 3, '...')).toBe('...');
    expect(truncateToWidth('abcdefghij', 2, '...')).toBe('..');
  });

  it('never takes more room than there is', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '日', 'e\u0301', '📧', '/', 'ü') });
    fc.assert(
      fc.property(text, fc.nat(20), (value, columns) => {
        expect(displayWidth(truncateToWidth(value, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('cutToWidth', () => {
  it.each([
    ['INBOX', 5, 'INBOX'],
    ['INBOX', 4, 'INB…'],
    ['two words', 5, 'two…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['日本語', 1, '…'],
    ['abc', 0, ''],
  ])('%s in %i columns is %s', (text, columns, shown) => {
    expect(cutToWidth(text, columns)).toBe(shown);
  });
});

describe('padToWidth', () => {
  it.each([
    ['日本', 6, 'left', '日本  '],
    ['日本', 6, 'right', '  日本'],
    ['INBOX', 3, 'left', 'INBOX'],
  ] as const)('%s to %i columns, %s', (text, columns, align, padded) => {
    expect(padToWidth(text, columns, align)).toBe(padded);
  });
});

describe('wrapWords', () => {
  const wrap = (text: string, columns: number) => wrapWords(text.split(' '), columns);

  it('breaks between words, and gives one that is too long a line of its own', () => {
    expect(wrap('a word and another', 10)).toEqual(['a word and', 'another']);
    expect(wrap('go to imap.example.org now', 8)).toEqual(['go to', 'imap.example.org', 'now']);
    expect(wrap('日本 日本 x', 9)).toEqual(['日本 日本', 'x']);
    expect(wrap('short', 80)).toEqual(['short']);
  });
});
