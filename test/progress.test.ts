import { describe, expect, it } from 'vitest';
import { ProgressMeter } from '../src/progress.ts';
import { ManualClock } from './cli/fake-io.ts';

/** A meter with everything announced, at time 0. */
function createMeter(messages: number, bytes: number) {
  const clock = new ManualClock();
  const meter = new ProgressMeter(clock);
  meter.addTotal(messages, bytes);
  meter.folderStarted('INBOX', messages);
  const copy = (seconds: number, perSecond: number, bytesEach: number) => {
    for (let tick = 0; tick < seconds * 4; tick++) {
      clock.advance(250);
      meter.done('INBOX', perSecond / 4, (perSecond / 4) * bytesEach);
    }
  };
  return { clock, meter, copy };
}

describe('ProgressMeter', () => {
  it('starts with nothing done and nothing foretold', () => {
    expect(new ProgressMeter(new ManualClock()).snapshot()).toEqual({
      elapsedMs: 0,
      messages: { done: 0, total: 0 },
      bytes: { done: 0, total: 0 },
      messagesPerSecond: 0,
      bytesPerSecond: 0,
      etaMs: null,
      refused: 0,
      activeFolders: [],
      waiting: null,
    });
  });

  it('counts messages, bytes and refusals, per folder and in all', () => {
    const { meter } = createMeter(10, 1_000);
    meter.folderStarted('Sent', 4);
    meter.done('INBOX', 3, 300);
    meter.refused('Sent', 1, 50);
    const { messages, bytes, refused, activeFolders } = meter.snapshot();
    expect({ messages, bytes, refused }).toEqual({
      messages: { done: 4, total: 10 },
      bytes: { done: 350, total: 1_000 },
      refused: 1,
    });
    expect(activeFolders).toEqual([
      { name: 'INBOX', done: 3, total: 10 },
      { name: 'Sent', done: 1, total: 4 },
    ]);
  });

  it('counts what is already there as done, but not as work', () => {
    const { clock, meter } = createMeter(1_000, 1_000);
    clock.advance(5_000);
    meter.alreadyThere('INBOX', 900, 900);
    expect(meter.snapshot()).toMatchObject({
      messages: { done: 900, total: 1_000 },
      bytes: { done: 900, total: 1_000 },
      messagesPerSecond: 0,
      bytesPerSecond: 0,
      etaMs: null,
      activeFolders: [{ name: 'INBOX', done: 900, total: 1_000 }],
    });
  });

  it('lists a folder only while it is worked on, and takes a corrected number for it', () => {
    const { meter } = createMeter(10, 1_000);
    meter.done('INBOX', 2, 20);
    meter.folderStarted('INBOX', 12);
    expect(meter.snapshot().activeFolders).toEqual([{ name: 'INBOX', done: 2, total: 12 }]);
    meter.folderFinished('INBOX');
    expect(meter.snapshot().activeFolders).toEqual([]);
  });

  it('never shows a total below what is done', () => {
    const { meter } = createMeter(1, 10);
    meter.done('INBOX', 2, 30);
    meter.addTotal(-5, -50);
    const { messages, bytes, activeFolders } = meter.snapshot();
    expect([messages, bytes]).toEqual([
      { done: 2, total: 2 },
      { done: 30, total: 30 },
    ]);
    expect(activeFolders[0]).toEqual({ name: 'INBOX', done: 2, total: 2 });
  });

  it('measures the rate over the last seconds only', () => {
    const { meter, copy } = createMeter(10_000, 10_000_000);
    copy(20, 100, 1_000);
    expect(meter.snapshot().messagesPerSecond).toBeCloseTo(100, -1);
    copy(20, 8, 1_000);
    const { messagesPerSecond, bytesPerSecond } = meter.snapshot();
    expect(messagesPerSecond).toBeGreaterThan(7.5);
    expect(messagesPerSecond).toBeLessThan(8.6);
    expect(bytesPerSecond / 1_000).toBeCloseTo(messagesPerSecond, 1);
  });

  it('shows a stall as no rate', () => {
    const { clock, meter, copy } = createMeter(1_000, 1_000);
    copy(5, 100, 1);
    clock.advance(8_250);
    expect(meter.snapshot()).toMatchObject({ messagesPerSecond: 0, bytesPerSecond: 0 });
  });

  it('makes no rate of a batch that lands in the first instant', () => {
    const { meter } = createMeter(100, 100);
    meter.done('INBOX', 50, 50);
    expect(meter.snapshot().messagesPerSecond).toBe(200);
  });

  it('does not count the time before work began', () => {
    const clock = new ManualClock();
    const meter = new ProgressMeter(clock);
    clock.advance(6_000);
    meter.addTotal(100, 100);
    meter.folderStarted('INBOX', 100);
    clock.advance(1_000);
    meter.done('INBOX', 50, 50);
    expect(meter.snapshot()).toMatchObject({ messagesPerSecond: 50, elapsedMs: 7_000 });
  });

  it('keeps its counts right over pauses longer than its memory', () => {
    const { clock, meter, copy } = createMeter(10_000, 10_000);
    copy(5, 100, 1);
    clock.advance(3_600_000);
    expect(meter.snapshot()).toMatchObject({ messagesPerSecond: 0, etaMs: null });
    copy(8, 100, 1);
    expect(meter.snapshot().messagesPerSecond).toBeGreaterThan(95);
  });

  describe('the time left', () => {
    it('is not told before there is something to tell it from', () => {
      const { meter, copy } = createMeter(1_000, 1_000);
      copy(2, 100, 1);
      expect(meter.snapshot().etaMs).toBeNull();
      copy(2, 100, 1);
      expect(meter.snapshot().etaMs).toBeCloseTo(6_000, -3);
    });

    it('follows the bytes where the big messages come last', () => {
      const { meter, copy } = createMeter(1_000, 400_000);
      copy(8, 100, 100);
      // 200 messages are left, 2 s at this rate; their 320,000 bytes take 32 s.
      expect(meter.snapshot().etaMs).toBeCloseTo(32_000, -3);
    });

    it('follows the messages where the small ones come last', () => {
      const { meter, copy } = createMeter(1_000, 81_000);
      copy(8, 10, 1_000);
      expect(meter.snapshot().etaMs).toBeCloseTo(92_000, -3);
    });

    it('is not known while the totals still grow', () => {
      const { clock, meter, copy } = createMeter(1_000, 1_000);
      copy(5, 100, 1);
      meter.addTotal(500, 500);
      expect(meter.snapshot().etaMs).toBeNull();
      clock.advance(3_250);
      expect(meter.snapshot().etaMs).not.toBeNull();
    });

    it('is not known when nothing has moved for a minute', () => {
      const { clock, meter, copy } = createMeter(1_000, 1_000);
      copy(5, 100, 1);
      clock.advance(61_000);
      expect(meter.snapshot().etaMs).toBeNull();
    });

    it('is nothing when all is done', () => {
      const { meter, copy } = createMeter(500, 500);
      copy(5, 100, 1);
      expect(meter.snapshot().etaMs).toBe(0);
    });
  });
});
