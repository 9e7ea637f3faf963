import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatNoun,
  formatPercent,
  formatRate,
  formatSeconds,
} from '../../src/cli/format.ts';

describe('format', () => {
  it.each([
    [null, '?'],
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [9_940, '9.9 kB'],
    [9_950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [12_345_678, '12 MB'],
    [1_234_567_890, '1.2 GB'],
    [5e15, '5000 TB'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0:00'],
    [7_400, '0:07'],
    [59_600, '1:00'],
    [750_000, '12:30'],
    [3_600_000, '1:00:00'],
    [3_599_600, '1:00:00'],
    [172_800_000, '2 d 0 h'],
    [273_600_000, '3 d 4 h'],
  ])('%i ms on a clock are %s', (ms, text) => {
    expect(formatClock(ms)).toBe(text);
  });

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [42.4, '42 s'],
    [119, '119 s'],
    [120, '2:00'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.42, '0.4'],
    [9.96, '10'],
    [1_234.5, '1,235'],
  ])('%d per second are %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });

  it.each([
    [0, 0, '100 %'],
    [999, 1_000, '99 %'],
    [1_000, 1_000, '100 %'],
    [5, 4, '100 %'],
  ])('%i of %i is %s', (done, total, text) => {
    expect(formatPercent(done, total)).toBe(text);
  });

  it('groups thousands and counts nouns', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect([formatNoun(1, 'message'), formatNoun(0, 'message'), formatNoun(2, 'box', 'boxes')]).toEqual([
      '1 message',
      '0 messages',
      '2 boxes',
    ]);
  });
});
