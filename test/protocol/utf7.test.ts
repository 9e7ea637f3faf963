import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/protocol/errors.ts';
import { decodeFolderName, encodeFolderName } from '../../src/protocol/utf7.ts';

describe('modified UTF-7', () => {
  it.each([
    ['', ''],
    ['INBOX', 'INBOX'],
    ['a/b.c "d" \\ ~', 'a/b.c "d" \\ ~'],
    ['&', '&-'],
    ['R&D', 'R&-D'],
    ['&&', '&-&-'],
    ['Entwürfe', 'Entw&APw-rfe'],
    ['Envoyés', 'Envoy&AOk-s'],
    ['台北', '&U,BTFw-'],
    ['~peter/mail/日本語/台北', '~peter/mail/&ZeVnLIqe-/&U,BTFw-'],
    ['é-é', '&AOk--&AOk-'],
    ['é&é', '&AOk-&-&AOk-'],
    ['😀', '&2D3eAA-'],
    ['\t', '&AAk-'],
    ['\x7f', '&AH8-'],
    ['\0', '&AAA-'],
    ['\u{10ffff}', '&2,,f,w-'],
    ['\ufeff', '&,v8-'],
  ])('writes %j as %s and back', (name, raw) => {
    expect(encodeFolderName(name)).toBe(raw);
    expect(decodeFolderName(raw)).toBe(name);
  });

  it.each([
    ['an ampersand that is no shift', 'R&D'],
    ['a shift without an end', '&AOk'],
    ['only a shift', '&'],
    ['8-bit bytes', 'Entw\xc3\xbcrfe'],
    ['controls', 'a\tb'],
    ['DEL', 'a\x7f'],
    ['bytes outside base64', '&AO!k-'],
    ['a slash inside base64', '&U/BTFw-'],
    ['padding', '&AOk=-'],
    ['too few bits', '&AO-'],
    ['one character', '&A-'],
    ['bits left over', '&AOl-'],
    ['printable ASCII in base64', '&AEE-'],
    ['an ampersand in base64', '&ACY-'],
    ['two runs that belong together', '&AOk-&AOk-'],
    ['a high surrogate alone', '&2D0-'],
    ['a low surrogate alone', '&3gA-'],
    ['surrogates in the wrong order', '&3gDYPQ-'],
    ['a pair split over two runs', '&2D0-&3gA-'],
    ['a character beyond latin1, which raw bytes cannot hold', '日'],
  ])('does not decode %s', (_, raw) => {
    expect(decodeFolderName(raw)).toBeNull();
  });

  it.each(['\ud83d', 'a\ude00b', '\ude00\ud83d'])('does not encode the lone surrogate in %j', (name) => {
    expect(() => encodeFolderName(name)).toThrow(UsageError);
  });

  it('takes linear time for hostile names', () => {
    // Quadratic time would take minutes: the test's timeout is the bound.
    expect(decodeFolderName('&'.repeat(1_000_000))).toBeNull();
    expect(decodeFolderName(`${'&-'.repeat(500_000)}&`)).toBeNull();
    expect(decodeFolderName(`&${'A'.repeat(1_000_000)}-`)).toHaveLength(375_000);
  });

  it('property: every name comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (name) => {
        const raw = encodeFolderName(name);
        expect(raw).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeFolderName(raw)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });

  it('property: what is decoded encodes to the very same bytes', () => {
    const raw = fc.stringMatching(/^([ -~]|&[A-Za-z0-9+,]{0,8}-|&){0,10}$/);
    fc.assert(
      fc.property(raw, (bytes) => {
        const name = decodeFolderName(bytes);
        if (name !== null) expect(encodeFolderName(name)).toBe(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});
