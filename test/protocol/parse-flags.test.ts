import { describe, expect, it } from 'vitest';
import { keywords, systemFlags } from '../../src/protocol/flag-names.ts';
import { isFlag } from '../../src/protocol/flags.ts';
import { parseFlags } from '../../src/protocol/parse-flags.ts';

describe('parseFlags', () => {
  it.each<[string | Buffer, string[]]>([
    ['(\\Seen $Forwarded)', ['\\Seen', '$Forwarded']],
    [' ()', []],
    ['* 1 FETCH (FLAGS (\\Seen) UID 7)', ['\\Seen']],
    ['2 (UID 7 flags  (a b))', ['a', 'b']],
    [Buffer.from('* FLAGS (\\Answered)'), ['\\Answered']],
    ['* 1 FETCH (UID 7)', []],
    ['FLAGS (open', []],
    ['', []],
  ])('reads %j', (text, flags) => {
    expect(parseFlags(text)).toEqual(flags);
  });
});

describe('the constants', () => {
  it('are flags that commands can carry', () => {
    const names = [...Object.values(systemFlags), ...Object.values(keywords)];
    expect(names.filter((name) => !isFlag(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
