import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../src/journal/index.ts';
import { Ledger } from '../src/ledger.ts';
import { ManualClock } from '../src/testing/index.ts';

const record = (folderId: number): JournalRecord => ({ kind: 'forget', folderId });

/** A journal whose writes end when the test says so, and a ledger on it. */
function scene() {
  const written: number[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const journal = {
    write: (...records: readonly JournalRecord[]) => {
      written.push(records.map((it) => ('folderId' in it ? it.folderId : 0)));
      return new Promise<void>((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
      });
    },
  };
  const clock = new ManualClock();
  const flushes: Promise<void>[] = [];
  const ledger = new Ledger(journal, clock, (writing) => flushes.push(writing));
  return { written, ends, clock, flushes, ledger };
}

describe('a ledger', () => {
  it('writes what is noted with the next write, in order', async () => {
    const { ledger, written, clock, flushes } = scene();
    ledger.note(record(1), record(2));
    ledger.note();
    ledger.note(record(3));
    void ledger.write(record(4));
    void ledger.write(record(5));
    expect(written).toEqual([[1, 2, 3, 4], [5]]);
    await clock.advance(10_000);
    expect(written, 'nothing is left to be written').toHaveLength(2);
    expect(flushes).toEqual([]);
  });

  it('writes it alone where nothing comes, a moment after the first of it', async () => {
    const { ledger, written, clock, flushes } = scene();
    ledger.note(record(1));
    await clock.advance(60);
    ledger.note(record(2));
    expect(written).toEqual([]);
    await clock.advance(40);
    expect(written).toEqual([[1, 2]]);
    expect(flushes).toHaveLength(1);
    ledger.note(record(3));
    await clock.advance(100);
    expect(written).toEqual([[1, 2], [3]]);
  });

  it('is settled when all of it is durable', async () => {
    const { ledger, written, ends } = scene();
    void ledger.write(record(1));
    ledger.note(record(2));
    let isSettled = false;
    const settled = ledger.settled().then(() => {
      isSettled = true;
    });
    expect(written).toEqual([[1], [2]]);
    ends[0]?.();
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    ends[1]?.();
    await settled;
    await ledger.settled();
    expect(written, 'nothing is written where there is nothing').toHaveLength(2);
  });

  it('tells that a write failed, whoever asks', async () => {
    const { ledger, ends, flushes } = scene();
    ledger.note(record(1));
    ledger.flush();
    ends[0]?.(new Error('disk full'));
    await expect(flushes[0]).rejects.toThrow('disk full');
    await expect(ledger.settled()).rejects.toThrow('disk full');
  });
});
