import { describe, expect, it } from 'vitest';
import { FlagFilter } from '../../src/worker/flag-filter.ts';

describe('flags kept by a target', () => {
  const cases: [name: string, permanent: string[] | null, flags: string[], kept: string[], lost: string[]][] = [
    ['all, where the server did not say', null, ['\\Seen', '$Forwarded', 'Work'], ['\\Seen', '$Forwarded', 'Work'], []],
    ['never \\Recent, which no client may set', null, ['\\Recent', '\\Seen'], ['\\Seen'], []],
    ['never \\Recent, in whatever letter case', ['\\*'], ['\\RECENT'], [], []],
    ['those listed, in any letter case', ['\\SEEN', '$Junk'], ['\\Seen', '$junk'], ['\\Seen', '$junk'], []],
    ['new keywords only with \\*', ['\\Seen'], ['\\Seen', 'Work'], ['\\Seen'], ['Work']],
    ['new keywords with \\*', ['\\Seen', '\\*'], ['\\Seen', 'Work'], ['\\Seen', 'Work'], []],
    ['no system flag that is not listed, \\* or not', ['\\Seen', '\\*'], ['\\Flagged'], [], ['\\Flagged']],
    ['no backslash flag that no RFC knows', null, ['\\$NOTJUNK', '\\Seen'], ['\\Seen'], ['\\$NOTJUNK']],
    ['nothing where the target keeps nothing', [], ['\\Seen', 'Work'], [], ['\\Seen', 'Work']],
  ];
  it.each(cases)('%s', (_, permanent, flags, kept, lost) => {
    expect(new FlagFilter(permanent).split(flags)).toEqual({ kept, lost });
  });
});
