import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/index.ts';
import { LaneWindow } from '../../src/worker/lane-window.ts';

const megabyte = 1024 * 1024;

/** The window of a lane that has moved `bytesPerSecond` for three seconds between servers so far away. */
async function windowAfter(roundTripMs: number, bytesPerSecond: number | null): Promise<LaneWindow> {
  const clock = new ManualClock();
  const window = new LaneWindow(clock);
  window.measure({ sourceMs: roundTripMs, targetMs: roundTripMs, streams: true });
  for (let tenth = 0; bytesPerSecond !== null && tenth < 30; tenth++) {
    window.stored(bytesPerSecond / 10);
    await clock.advance(100);
  }
  return window;
}

describe('the window of a lane', () => {
  it('is small where the servers are near, however fast they are', async () => {
    const window = await windowAfter(0.2, 300 * megabyte);
    expect(window.bytes / megabyte).toBeLessThan(7);
    expect([window.ahead, window.unanswered]).toEqual([3, 3]);
  });

  it('is big where they are far, before anything is known of the line', async () => {
    const window = await windowAfter(80, null);
    expect(window.bytes / megabyte).toBeGreaterThan(40);
    expect([window.ahead, window.unanswered]).toEqual([23, 23]);
  });

  it('shrinks to what a slow line carries in a round trip to each', async () => {
    const window = await windowAfter(80, 4 * megabyte);
    // 0.64 MB, and half as much again, on top of what a near one has.
    expect(window.bytes / megabyte).toBeCloseTo(6.96, 1);
  });

  it.each([
    ['next door', 0.2, 1, 1],
    ['far away, on a line that may be fast', 80, null, 14],
    ['far away, on a slow line', 80, 1, 1],
  ])('has a message streamed %s: at %d ms', async (_where, roundTripMs, megabytesPerSecond, megabytes) => {
    const window = await windowAfter(roundTripMs, megabytesPerSecond && megabytesPerSecond * megabyte);
    expect(window.oversizeBytes / megabyte).toBeCloseTo(megabytes, 0);
  });

  it.each([
    ['before anything is known of the line', 80, null, false],
    ['on a slow line', 20, 1, true],
    ['on a fast one', 20, 40, false],
    ['next door, however slow the server is', 0.5, 1, false],
  ])('says whether compressing pays: %s', async (_where, roundTripMs, megabytesPerSecond, pays) => {
    const window = await windowAfter(roundTripMs, megabytesPerSecond && megabytesPerSecond * megabyte);
    expect(window.paysToCompress).toEqual({ source: pays, target: pays });
  });

  it('grows again where the line turns out to carry more', async () => {
    const sizes: number[] = [];
    const clock = new ManualClock();
    const window = new LaneWindow(clock);
    window.measure({ sourceMs: 80, targetMs: 80, streams: true });
    window.stored(megabyte);
    // Whatever the window allows comes through in the 160 ms it takes.
    for (let round = 0; round < 60; round++) {
      await clock.advance(160);
      window.stored(round < 10 ? megabyte / 10 : window.bytes);
      sizes.push(Math.round(window.bytes / megabyte));
    }
    expect(sizes[9]).toBe(6);
    expect(sizes.at(-1)).toBe(48);
  });

  it('has few batches where each message waits for its go-ahead', () => {
    const window = new LaneWindow(new ManualClock());
    window.measure({ sourceMs: 80, targetMs: 80, streams: false });
    expect([window.ahead, window.unanswered]).toEqual([3, 3]);
  });

  it('never exceeds its ceiling, and does without round trip times', async () => {
    expect((await windowAfter(900, 900 * megabyte)).bytes).toBe(48 * megabyte);
    expect((await windowAfter(Number.POSITIVE_INFINITY, null)).bytes).toBe(6 * megabyte);
  });
});
