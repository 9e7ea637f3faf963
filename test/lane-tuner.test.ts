import { describe, expect, it } from 'vitest';
import { type LaneAdvice, LaneTuner } from '../src/lane-tuner.ts';
import { ManualClock } from '../src/testing/index.ts';

const megabyte = 1024 * 1024;

interface Line {
  /** Bytes a second, by lanes. */
  readonly rateOf: (lanes: number) => number;
  readonly useful?: number;
  readonly leftBytes?: number;
  readonly oneByOne?: boolean;
}

/** What a tuner does in the first 30 seconds. */
async function tune({
  rateOf,
  useful = 100,
  leftBytes = 10_000 * megabyte,
  oneByOne = false,
}: Line): Promise<LaneAdvice[]> {
  const clock = new ManualClock();
  const tuner = new LaneTuner(clock, { oneByOne });
  const advices = [tuner.begin(useful)];
  for (let lanes = advices[0]?.lanes ?? 0, tenth = 0; tenth < 300; tenth++) {
    await clock.advance(100);
    const share = { messages: 0, bytes: rateOf(lanes) / 10 / lanes };
    for (let lane = 0; lane < lanes; lane++) {
      const advice = tuner.note(share, { lanes, useful, left: { messages: 0, bytes: leftBytes } });
      if (advice === null) continue;
      advices.push(advice);
      lanes = advice.lanes;
      break;
    }
  }
  return advices;
}

const lanesOf = (advices: readonly LaneAdvice[]) => advices.map(({ lanes }) => lanes);

describe('the number of lanes', () => {
  it('stays small where more are hardly faster', async () => {
    const advices = await tune({ rateOf: (lanes) => (lanes > 1 ? 100 : 60) * megabyte });
    expect(lanesOf(advices)).toEqual([2, 4, 2]);
    expect(advices.at(-1)?.reason).toBe('4 were hardly faster than 2');
  });

  it('grows as long as the whole gets faster', async () => {
    const advices = await tune({ rateOf: (lanes) => lanes * 12 * megabyte });
    expect(lanesOf(advices)).toEqual([2, 4, 8]);
    expect(advices.at(-1)?.reason).toBe('4 were 2.0 times as fast as 2');
  });

  it('goes back from what did not pay', async () => {
    const advices = await tune({ rateOf: (lanes) => Math.min(lanes, 4) * 12 * megabyte });
    expect(lanesOf(advices)).toEqual([2, 4, 8, 4]);
  });

  it('is no more than have something to do', async () => {
    expect(lanesOf(await tune({ rateOf: (lanes) => lanes * megabyte, useful: 1 }))).toEqual([1]);
    expect(lanesOf(await tune({ rateOf: (lanes) => lanes * megabyte, useful: 3 }))).toEqual([2, 3]);
  });

  it('does not grow at the end of a job', async () => {
    expect(lanesOf(await tune({ rateOf: (lanes) => lanes * megabyte, leftBytes: 7 * megabyte }))).toEqual([2]);
  });

  it('begins higher where one message after the other costs a round trip', async () => {
    expect(lanesOf(await tune({ rateOf: (lanes) => lanes * megabyte, oneByOne: true }))).toEqual([4, 8]);
  });

  it('does not change any more once the servers want no more', async () => {
    const clock = new ManualClock();
    const tuner = new LaneTuner(clock, { oneByOne: false });
    tuner.settle();
    for (let tenth = 0; tenth < 100; tenth++) {
      await clock.advance(100);
      const state = { lanes: 2, useful: 9, left: { messages: 0, bytes: 10_000 * megabyte } };
      expect(tuner.note({ messages: 10, bytes: megabyte }, state)).toBeNull();
    }
  });
});
