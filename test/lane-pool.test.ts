import { describe, expect, it } from 'vitest';
import { type LaneDriver, LanePool } from '../src/lanes.ts';
import { turns } from '../src/testing/index.ts';

/** A pool of lanes, works that end when they are told to, and who does which. */
function makePool(lanes: number) {
  const pool = new LanePool((error) => {
    throw error;
  });
  const stubs = Array.from({ length: lanes }, () => ({ alive: true, ended: new Promise<never>(() => {}) }));
  // Nothing but these two is looked at.
  for (const stub of stubs) pool.add(stub as unknown as LaneDriver);
  const running = new Map<number, { readonly lane: number; end(): void }>();
  const start = (work: number) =>
    pool.run(0, async (lane) => {
      await new Promise<void>((end) => {
        running.set(work, { lane: stubs.indexOf(lane as never), end });
      });
      running.delete(work);
    });
  const end = async (work: number) => {
    running.get(work)?.end();
    await turns(2);
  };
  const works = () => [...running].map(([work, { lane }]) => [work, lane]);
  return { pool, start, end, works };
}

describe('lanes that rest', () => {
  it('get nothing new, and finish what they do', async () => {
    const { pool, start, end, works } = makePool(3);
    for (const work of [1, 2, 3, 4, 5, 6]) start(work);
    await turns(2);
    expect(works()).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    pool.rest(2);
    expect(pool.size).toBe(1);
    await end(3);
    expect(works()).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
    ]);
    await end(1);
    await end(2);
    expect(works()).toEqual([[4, 2]]);
    await end(4);
    expect(works()).toEqual([[5, 2]]);
  });

  it('go on when they are woken', async () => {
    const { pool, start, end, works } = makePool(3);
    for (const work of [1, 2]) start(work);
    await turns(2);
    // The one that has nothing to do rests first.
    pool.rest(1);
    start(3);
    await turns(2);
    expect(works()).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(pool.wake(5)).toBe(1);
    await turns(2);
    expect(works()).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    await end(1);
    expect(pool.isBusy).toBe(true);
  });

  it('are never all of them', async () => {
    const { pool, start, works } = makePool(2);
    pool.rest(2);
    expect(pool.size).toBe(1);
    start(1);
    start(2);
    await turns(2);
    expect(works()).toHaveLength(1);
  });
});
