import { describe, expect, it } from 'vitest';
import type { Entry } from '../../bench/support/cell.ts';
import type { MeasuredRun } from '../../bench/support/measured-run.ts';
import { checkRequirements } from '../../bench/support/requirement.ts';

function run(wallSeconds: number, cpuSeconds: number | null = 1, megabytes = 100): MeasuredRun {
  return { wallSeconds, cpuSeconds, peakRssBytes: megabytes * 1e6 };
}

function entry(name: string, runs: readonly MeasuredRun[], again: readonly MeasuredRun[] = []): Entry {
  return { name, runs, again };
}

function sharesOf(cell: string, entries: readonly Entry[]): Record<string, number> {
  const rows = checkRequirements(new Map([[cell, entries]]), 'ours');
  return Object.fromEntries(rows.map(({ what, share }) => [what, Number(share.toFixed(2))]));
}

describe('the requirement', () => {
  it('compares medians of the same cell, and the highest memory peak', () => {
    const runs = [run(9, 0.9), run(2, 2.2, 320), run(1, 1.1)];
    expect(sharesOf('large,rtt0', [entry('ours', runs), entry('Node floor', [run(4)])])).toEqual({
      'LARGE, RTT 0': 0.5,
      'LARGE, CPU of the client': 1,
      'LARGE, peak RSS': 2,
    });
  });

  it('counts round trips of 80 ms, and a run with nothing to do by itself', () => {
    const entries = [entry('ours', [run(2.08)], [run(0.52)]), entry('C floor', [run(0.65)])];
    expect(sharesOf('small,rtt80', entries)).toEqual({
      'SMALL, RTT 80 ms': 2,
      'SMALL, RTT 80 ms, in all': 2,
      'nothing to do, RTT 80 ms': 0.5,
    });
  });

  it('leaves out what was not run, and says so of what could not be measured', () => {
    expect(sharesOf('small,rtt0', [entry('mbsync', [run(1)])])).toEqual({});
    expect(checkRequirements(new Map([['small,rtt20', [entry('ours', [run(1)])]]]), 'ours')).toEqual([
      { what: 'SMALL, RTT 20 ms', measured: '1.00 s', limit: '2 × C floor = not measured', share: Number.NaN },
    ]);
    const bulk = [entry('ours', [run(1, null, Number.NaN)]), entry('Node floor', [run(1)])];
    expect(sharesOf('bulk,rtt0', bulk)).toEqual({ 'BULK, RTT 0': 0.77, 'BULK, peak RSS': Number.NaN });
  });
});
