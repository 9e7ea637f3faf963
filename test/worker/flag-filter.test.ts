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
    const filter = new FlagFilter(permanent);
    expect(filter.split(flags)).toEqual({ kept, lost });
    const frozen = Object.freeze([...flags]);
    for (let time = 1; time <= 2; time++) expect(filter.split(frozen)).toEqual({ kept, lost });
  });

  it('are looked at anew in a list that changes', () => {
    const filter = new FlagFilter(['\\Seen']);
    const flags = ['\\Seen'];
    expect(filter.split(flags).lost).toEqual([]);
    flags.push('Work');
    expect(filter.split(flags).lost).toEqual(['Work']);
  });
});
