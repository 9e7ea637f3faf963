import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeader, toUnicode } from '../../src/protocol/header-text.ts';

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('decodeHeader', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['=?utf-8?q?caf=C3=A9?=', 'café'],
    ['=?UTF-8?B?Y2Fmw6k=?=', 'café'],
    ['=?iso-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
    ['a =?utf-8?q?b?= c', 'a b c'],
    ['=?utf-8?q?a_b?=', 'a b'],
    ['=?utf-8?q?a?= =?iso-8859-1?q?=E9?=', 'aé'],
    ['=?utf-8?q?a?=\r\n =?utf-8?q?b?=', 'ab'],
    // One character cut between two words.
    ['=?utf-8?q?=C3?= =?utf-8?q?=A9?=', 'é'],
    ['=?utf-8?b?w6k=?= x =?utf-8?b?w6k=?=', 'é x é'],
    ['=?us-ascii*en?q?tag?=', 'tag'],
    ['=?x-unknown?q?kept?= =?utf-8?q?a?=', '=?x-unknown?q?kept?=a'],
    ['=?utf-8?x?no?=', '=?utf-8?x?no?='],
    ['=?utf-8?q?open', '=?utf-8?q?open'],
    ['=? a', '=? a'],
    [latin1('grüße =?utf-8?q?=C3=A9?='), 'grüße é'],
    ['=?utf-8?q?=zz?=', '=zz'],
  ])('makes of %j %j', (raw, text) => {
    expect(decodeHeader(raw)).toBe(text);
  });

  it('reads a long row of openings in linear time', () => {
    const raw = '=?utf-8?q?'.repeat(50_000);
    const start = process.cpuUsage();
    expect(decodeHeader(raw)).toBe(raw);
    expect(process.cpuUsage(start).user).toBeLessThan(2_000_000);
  });

  it('property: text in encoded words of B is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }), (parts) => {
        const raw = parts.map((part) => `=?utf-8?b?${Buffer.from(part).toString('base64')}?=`).join(' ');
        // A decoder drops one byte order mark at the start of what it reads.
        expect(decodeHeader(raw)).toBe(parts.join('').replace(/^\ufeff/, ''));
      }),
    );
  });
});

describe('toUnicode', () => {
  it('reads UTF-8 as such and leaves other bytes alone', () => {
    expect(toUnicode(latin1('grüße'))).toBe('grüße');
    expect(toUnicode('\xe9t\xe9')).toBe('\xe9t\xe9');
  });
});
