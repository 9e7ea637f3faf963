import { describe, expect, it } from 'vitest';
import { findFlagList, keepFlagList } from '../../src/protocol/flag-list-cache.ts';

describe('kept flag lists', () => {
  it('are found by the very same bytes only', () => {
    const list = Buffer.from('(\\Seen $A)');
    keepFlagList(list, 0, list.length, ['\\Seen', '$A']);
    expect(findFlagList(Buffer.from('(\\Seen $A) UID'), 0, 14)?.flags).toEqual(['\\Seen', '$A']);
    for (const other of ['(\\seen $A)', '(\\Seen $A', '(\\Seen $A )', '(\\Seen $B)', ' \\Seen $A)', '']) {
      const buffer = Buffer.from(other);
      expect(findFlagList(buffer, 0, buffer.length), other).toBeNull();
    }
    // The same bytes go on behind the end of the text: they do not belong to it.
    expect(findFlagList(list, 0, list.length - 1)).toBeNull();
  });

  it('are not kept when a parenthesis inside quotes would end them early', () => {
    const list = Buffer.from('("a)b" c)');
    keepFlagList(list, 0, list.length, ['a)b', 'c']);
    expect(findFlagList(list, 0, list.length)).toBeNull();
  });
});
