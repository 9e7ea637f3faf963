import { describe, expect, it } from 'vitest';
import { encodeMaildirName, messageBase, parseMaildirName, UniqueNames } from '../../src/archive/maildir-name.ts';

const ours = '1563107405.M000123P77R0a1b2c3dQ1.host.example';

describe('the name of a message file', () => {
  it.each([
    [`${ours},U=7,S=120:2,FS`, { base: `${ours},U=7,S=120`, uid: 7, letters: 'FS' }],
    [`${ours},U=4294967295,S=0:2,`, { base: `${ours},U=4294967295,S=0`, uid: 4_294_967_295, letters: '' }],
    [`${ours},U=7,S=120`, { base: `${ours},U=7,S=120`, uid: 7, letters: '' }],
    [`${ours},U=7,S=120;2,S`, { base: `${ours},U=7,S=120`, uid: 7, letters: 'S' }],
    [`${ours},U=7,S=120:2,Sab,x`, { base: `${ours},U=7,S=120`, uid: 7, letters: 'Sab' }],
  ])('tells UID and letters: %s', (name, parts) => {
    expect(parseMaildirName(name)).toEqual(parts);
  });

  it.each([
    `${ours},U=0,S=1:2,`,
    `${ours},U=07,S=1:2,`,
    `${ours},U=4294967296,S=1:2,`,
    `${ours},U=99999999999999999999,S=1:2,`,
    `${ours},U=-1,S=1:2,`,
    `${ours},U=1e3,S=1:2,`,
    `${ours},U=7:2,`,
    `${ours},U=7,S=1,U=8:2,`,
    '1563107405.4711_1.elsewhere,U=7:2,S',
    '1563107405.M1P2.elsewhere,S=3,W=4:2,S',
    'hello',
    ':2,S',
    '',
  ])('tells no UID where others made it: %j', (name) => {
    expect(parseMaildirName(name).uid).toBeNull();
  });

  it.each([
    ['1.a;b.c:2,S', '1.a;b.c', 'S'],
    ['1.a:1,S', '1.a', ''],
    ['1.a:2,S:2,F', '1.a', 'S'],
    ['1.a:', '1.a', ''],
    ['1.a:2,\u00e4S', '1.a', ''],
  ])('ends at the first colon: %s', (name, base, letters) => {
    expect(parseMaildirName(name)).toEqual({ base, uid: null, letters });
  });

  it('is what was put together', () => {
    const base = messageBase(new UniqueNames().next(), 12, 34);
    expect(parseMaildirName(encodeMaildirName(base, 'Sa'))).toEqual({ base, uid: 12, letters: 'Sa' });
    expect(base).not.toMatch(/[/:]/);
    expect(Buffer.byteLength(encodeMaildirName(messageBase(base, 4_294_967_295, 2 ** 40), 'DFPRST'))).toBeLessThan(250);
  });
});

describe('unique names', () => {
  it('ascend, as text too, and differ from those of another writer', () => {
    const [first, second] = [new UniqueNames(), new UniqueNames()];
    const names = Array.from({ length: 5000 }, () => first.next());
    expect([...names].sort()).toEqual(names);
    const all = [...names, ...Array.from({ length: 5000 }, () => second.next())];
    expect(new Set(all).size).toBe(10_000);
  });

  it('tell what a dead writer left from what a living one is at, and from what others made', () => {
    const names = new UniqueNames();
    expect(names.isLeftover(names.next())).toBe(false);
    // Another thread of this process.
    expect(names.isLeftover(new UniqueNames().next())).toBe(false);
    expect(names.isLeftover(ours)).toBe(true);
    // A process that had the same number.
    expect(names.isLeftover(ours.replace('P77', `P${process.pid}`))).toBe(true);
    expect(names.isLeftover('1563107405.M1P2.elsewhere')).toBe(false);
    expect(names.isLeftover('hello')).toBe(false);
  });
});
