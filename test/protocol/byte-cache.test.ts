import { describe, expect, it } from 'vitest';
import { ByteCache } from '../../src/protocol/byte-cache.ts';

const cacheOfLists = () => new ByteCache<string>(0x29);

describe('ByteCache', () => {
  it('finds what was kept by the very same bytes only', () => {
    const cache = cacheOfLists();
    const list = Buffer.from('(\\Seen $A)');
    cache.keep(list, 0, list.length, 'kept');
    const line = Buffer.from('FLAGS (\\Seen $A) UID');
    expect(cache.find(line, 6, line.length)).toMatchObject({ value: 'kept', bytes: Uint8Array.from(list) });
    for (const other of ['(\\seen $A)', '(\\Seen $A', '(\\Seen $A )', '(\\Seen $B)', ' \\Seen $A)', '']) {
      const buffer = Buffer.from(other);
      expect(cache.find(buffer, 0, buffer.length), other).toBeNull();
    }
    // The same bytes go on behind the end of the text: they do not belong to it.
    expect(cache.find(list, 0, list.length - 1)).toBeNull();
  });

  it('never finds what has the closing byte inside quotes', () => {
    const cache = cacheOfLists();
    const list = Buffer.from('("a)b" c)');
    cache.keep(list, 0, list.length, 'kept');
    expect(cache.find(list, 0, list.length)).toBeNull();
  });

  it('keeps what is up to 128 bytes long', () => {
    for (const length of [2, 127, 128, 129]) {
      const cache = cacheOfLists();
      const list = Buffer.from(`(${'x'.repeat(length - 2)})`);
      cache.keep(list, 0, list.length, 'kept');
      expect(cache.find(list, 0, list.length)?.value).toBe(length <= 128 ? 'kept' : undefined);
    }
  });

  it('forgets one of two that share a place, and mixes them up never', () => {
    const cache = new ByteCache<number>(0x29);
    const lists = Array.from({ length: 3000 }, (_, at) => Buffer.from(`($${at})`));
    for (const [at, list] of lists.entries()) cache.keep(list, 0, list.length, at);
    const found = lists.map((list) => cache.find(list, 0, list.length)?.value);
    expect(found.filter((value) => value !== undefined).length).toBeLessThan(1025);
    expect(found.every((value, at) => value === undefined || value === at)).toBe(true);
    expect(found.at(-1)).toBe(2999);
  });
});
