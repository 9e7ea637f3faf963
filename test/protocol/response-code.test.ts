import { describe, expect, it } from 'vitest';
import { LimitError, ProtocolError } from '../../src/protocol/errors.ts';
import { findCodeEnd, parseAppendUid, parseCopyUid, toResponseCode } from '../../src/protocol/response-code.ts';

describe('findCodeEnd', () => {
  it.each([
    ['A] b', 1],
    ['] b', 0],
    ['"]" x] y', 5],
    ['"\\"]" x] y', 7],
    ['(]) x] y', 5],
    ['("]") x] y] z', 7],
    ['(a] b', 2],
    ['"a] b', 2],
    [') a] b', 3],
    [') "]" a] b', 7],
    ['a b', -1],
    ['', -1],
  ])('finds the bracket of %j', (text, at) => {
    const bytes = Buffer.from(`[${text}] not this one`);
    expect(findCodeEnd(bytes, 1, 1 + text.length)).toBe(at === -1 ? -1 : at + 1);
  });

  it('takes linear time for what never closes', () => {
    // Quadratic time would take hours: the test's timeout is the bound.
    const hostile = Buffer.from('("['.repeat(2_000_000));
    expect(findCodeEnd(hostile, 0, hostile.length)).toBe(-1);
  });
});

describe('toResponseCode', () => {
  it.each([
    ['ALERT', 'ALERT', ''],
    ['uidnext 12', 'UIDNEXT', '12'],
    ['Capability IMAP4rev1 idle', 'CAPABILITY', 'IMAP4rev1 idle'],
    ['X  two', 'X', ' two'],
    ['\xff\xe4', '\xff\xe4', ''],
  ])('splits %j', (text, name, rest) => {
    expect(toResponseCode(text)).toEqual({ name, text: rest });
  });
});

describe('parseAppendUid', () => {
  it.each([
    ['1 2', 1, [2]],
    ['4294967295 3:5,9', 4294967295, [3, 4, 5, 9]],
    ['7 9,3:4 ', 7, [9, 3, 4]],
  ])('reads %j in the order of the messages', (text, uidValidity, uids) => {
    expect(parseAppendUid(text, 10)).toEqual({ uidValidity, uids: Uint32Array.from(uids) });
  });

  it.each(['', '1', '1 ', 'x 2', '1 x', '1 2:*', '1 0', '1 2 3', '1 4294967296', '1 2,', '1 (2)'])(
    'refuses %j',
    (text) => {
      expect(() => parseAppendUid(text, 10)).toThrow(ProtocolError);
    },
  );

  it('expands nothing beyond the count', () => {
    expect(parseAppendUid('1 1:10', 10).uids).toHaveLength(10);
    expect(() => parseAppendUid('1 1:11', 10)).toThrow(LimitError);
    expect(() => parseAppendUid('1 1:4294967295', 10)).toThrow(LimitError);
  });
});

describe('parseCopyUid', () => {
  it('pairs the two sets', () => {
    expect(parseCopyUid('38505 304,319:320 3956:3958', 3)).toEqual({
      uidValidity: 38505,
      sourceUids: Uint32Array.of(304, 319, 320),
      targetUids: Uint32Array.of(3956, 3957, 3958),
    });
  });

  it.each(['1 2 3:4', '1 2:3 4', '1 2', '1 2 3 4', '1 2 x'])('refuses %j', (text) => {
    expect(() => parseCopyUid(text, 10)).toThrow(ProtocolError);
  });

  it('expands nothing beyond the count', () => {
    expect(() => parseCopyUid('1 1:4 1:4', 3)).toThrow(LimitError);
  });
});
