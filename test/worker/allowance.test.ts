import { describe, expect, it } from 'vitest';
import { Allowance, makeShared } from '../../src/worker/allowance.ts';
import type { JobPace } from '../../src/worker/contract.ts';

/** The allowances of two lanes of a job, by a time that the test sets. */
function openPair(limits: Partial<JobPace>) {
  const time = { ms: 1_000 };
  const pace = { bytesPerSecond: null, messagesPerSecond: null, shared: makeShared(), ...limits };
  const open = () => new Allowance(pace, () => time.ms);
  return { time, first: open(), second: open() };
}

describe('the allowance of a job', () => {
  it('has whoever moves bytes rest until they are paid for, each direction by itself', () => {
    const { first } = openPair({ bytesPerSecond: 1_000 });
    expect(first.received(1_000)).toBe(1_000);
    expect(first.sent(500)).toBe(500);
    expect(first.received(100)).toBe(1_100);
  });

  it('is one for all lanes: what one has used, another waits for', () => {
    const { time, first, second } = openPair({ bytesPerSecond: 1_000 });
    expect(first.sent(1_000)).toBe(1_000);
    expect(second.sent(1_000)).toBe(2_000);
    time.ms += 2_000;
    expect(first.sent(0)).toBe(0);
  });

  it.each([1, 3, 8])('lets %i lanes move neither more nor less than it says', (count) => {
    const { time, first, second } = openPair({ bytesPerSecond: 1_000_000 });
    const lanes = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? first : second));
    const freeAt = lanes.map(() => time.ms);
    let moved = 0;
    for (const end = time.ms + 60_000; time.ms < end; time.ms++) {
      for (const [index, lane] of lanes.entries()) {
        if ((freeAt[index] ?? 0) > time.ms) continue;
        moved += 65_536;
        freeAt[index] = time.ms + lane.received(65_536);
      }
    }
    expect(moved / 60).toBeGreaterThan(990_000);
    expect(moved / 60).toBeLessThan(1_010_000);
  });

  it('saves up no more than half a second, and nothing before the job begins', () => {
    const { time, first } = openPair({ bytesPerSecond: 1_000 });
    time.ms += 3_600_000;
    expect(first.received(1_000)).toBe(1_000);
    time.ms += 3_600_000;
    expect(first.received(1_000)).toBe(500);
  });

  it('has messages wait for those before them, and not for themselves', () => {
    const { first, second } = openPair({ messagesPerSecond: 4 });
    expect(first.messages(3)).toBe(0);
    expect(second.messages(1)).toBe(750);
    expect(first.messages(1)).toBe(1_000);
    expect(first.received(1e9)).toBe(0);
  });
});
