import { describe, expect, it } from 'vitest';
import type { CatalogueEntry } from '../../src/catalogue/catalogue.ts';
import { matchesHeader, parseQuery } from '../../src/catalogue/query.ts';

const entry: CatalogueEntry = {
  from: 'Jürgen Weiß <jw@example.org>',
  to: 'Anna <anna@example.net>, 山田太郎 <yamada@example.jp>',
  subject: 'Re: Réunion ｆｕｌｌ width',
  messageId: '<4711@example.org>',
  dateMs: Number.NaN,
  shownMs: new Date(2024, 2, 1).getTime(),
  size: 2_000_000,
  attachments: ['Rechnung.pdf'],
  state: 'whole',
  message: { uid: 1, file: 'a/1.eml', offset: 0, length: 9, size: 9, dateMs: Number.NaN, flags: null },
};

describe('a query', () => {
  it.each([
    [['weiß'], true],
    [['WEISS'], true],
    [['jurgen'], true],
    [['reunion'], true],
    [['full'], true],
    [['山田'], true],
    [['rechnung'], true],
    [['4711'], true],
    [['jurgen', 'anna'], true],
    [['jurgen', 'nobody'], false],
    [['from:jürgen'], true],
    [['from:anna'], false],
    [['to:anna'], true],
    [['TO:YAMADA'], true],
    [['subject:re: réunion'], true],
    [['subject:rechnung'], false],
    [['Re:'], true],
    [['has:attachment'], true],
    [['larger:1.9MB'], true],
    [['larger:2MB'], false],
    [['larger:500k'], true],
    [['since:2024'], true],
    [['since:2024-03-01'], true],
    [['since:2024-03-02'], false],
    [['before:2024-03-01'], false],
    [['before:2024-03-02', 'since:2024-02'], true],
    [['since:2023', 'since:2025'], false],
  ])('of %j fits: %j', (words, fits) => {
    expect(matchesHeader(parseQuery(words), entry)).toBe(fits);
  });

  it('for a span of time fits no message whose date nobody knows', () => {
    const undated = { ...entry, shownMs: Number.NaN };
    expect(matchesHeader(parseQuery(['since:1970']), undated)).toBe(false);
    expect(matchesHeader(parseQuery(['before:2100']), undated)).toBe(false);
    expect(matchesHeader(parseQuery(['jurgen']), undated)).toBe(true);
  });

  it('keeps the words of the body for later', () => {
    expect(parseQuery(['text:Größe']).text).toEqual(['grosse']);
    expect(matchesHeader(parseQuery(['text:nowhere']), entry)).toBe(true);
  });

  it.each([
    ['from:', /does not say what to look for/],
    ['since:2024-02-30', /names no date: 2024-03-01/],
    ['before:yesterday', /names no date/],
    ['larger:big', /names no size: 500k/],
    ['larger:', /names no size/],
    ['has:picture', /there is has:attachment/],
  ])('refuses %s', (word, message) => {
    expect(() => parseQuery([word])).toThrow(message);
  });
});
