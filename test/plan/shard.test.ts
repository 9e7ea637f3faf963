import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutShards, folderOrder, packBatches } from '../../src/plan/shard.ts';

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1000 }) },
);
const table = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), size), { maxLength: 120 }).map((gaps) => {
  let uid = 0;
  const uids = Uint32Array.from(gaps, ([gap]) => {
    uid += gap;
    return uid;
  });
  return { uids, sizes: Uint32Array.from(gaps, ([, bytes]) => bytes) };
});
const limits = fc.record({ maxMessages: fc.integer({ min: 1, max: 20 }), maxBytes: fc.integer({ min: 1, max: 300 }) });

function sum(sizes: Iterable<number>): number {
  return [...sizes].reduce((total, bytes) => total + bytes, 0);
}

describe('cutShards', () => {
  it('puts every message in exactly one shard, in UID order, within the limits', () => {
    fc.assert(
      fc.property(table, limits, ({ uids, sizes }, caps) => {
        const shards = cutShards(4, uids, sizes, caps);
        expect(shards.flatMap((shard) => [...shard.uids])).toEqual([...uids]);
        expect(shards.flatMap((shard) => [...shard.sizes])).toEqual([...sizes]);
        for (const shard of shards) {
          expect(shard.folderId).toBe(4);
          expect(shard.uids.length).toBeGreaterThan(0);
          expect(shard.uids.length).toBeLessThanOrEqual(caps.maxMessages);
          expect(shard.totalBytes).toBe(sum(shard.sizes));
          if (shard.uids.length > 1) expect(shard.totalBytes).toBeLessThanOrEqual(caps.maxBytes);
        }
      }),
    );
  });

  it('makes at most one shard more than twice the fewest possible', () => {
    fc.assert(
      fc.property(table, limits, ({ uids, sizes }, caps) => {
        const fewest = packBatches(sizes, caps).length;
        expect(cutShards(1, uids, sizes, caps).length).toBeLessThanOrEqual(2 * fewest + 1);
      }),
    );
  });

  it.each([
    ['count', 405, 1, [81, 81, 81, 81, 81]],
    ['bytes', 9, 30, [3, 3, 3]],
    ['bytes, where the last would be a crumb', 4, 30, [2, 2]],
    ['nothing, where one shard takes all', 3, 30, [3]],
    ['nothing, where there is nothing', 0, 30, []],
  ])('balances by %s', (_, messages, bytes, expected) => {
    const uids = Uint32Array.from({ length: messages }, (_, row) => row + 1);
    const sizes = new Uint32Array(messages).fill(bytes);
    const caps = { maxMessages: 100, maxBytes: bytes === 1 ? 1000 : 100 };
    expect(cutShards(1, uids, sizes, caps).map((shard) => shard.uids.length)).toEqual(expected);
  });

  it('gives a message above the limit a shard of its own and keeps its neighbours together', () => {
    const sizes = Uint32Array.of(5, 5, 500, 5, 5, 5);
    const shards = cutShards(1, Uint32Array.of(1, 2, 3, 4, 5, 6), sizes, { maxMessages: 10, maxBytes: 100 });
    expect(shards.map((shard) => [...shard.uids])).toEqual([[1, 2], [3], [4, 5, 6]]);
  });

  it('gives each shard memory of its own, so that sending one does not send the folder', () => {
    const uids = Uint32Array.from({ length: 1000 }, (_, row) => row + 1);
    const [shard] = cutShards(1, uids, new Uint32Array(1000), { maxMessages: 10, maxBytes: 10 });
    expect(shard?.uids.buffer.byteLength).toBe(40);
    expect(shard?.sizes.buffer.byteLength).toBe(40);
  });

  it.each([
    ['columns of unequal length', [1, 2], [1], 10],
    ['UIDs that do not ascend', [2, 1], [1, 1], 10],
    ['a limit of no messages', [1], [1], 0],
  ])('refuses %s', (_, uids, sizes, maxMessages) => {
    const cut = () => cutShards(1, Uint32Array.from(uids), Uint32Array.from(sizes), { maxMessages, maxBytes: 10 });
    expect(cut).toThrow(RangeError);
  });
});

describe('packBatches', () => {
  it('covers the rows asked for, in order, and never passes a limit with more than one message', () => {
    fc.assert(
      fc.property(table, limits, fc.nat(130), fc.nat(130), ({ sizes }, caps, a, b) => {
        const start = Math.min(a, b, sizes.length);
        const end = Math.min(Math.max(a, b), sizes.length);
        let next = start;
        for (const range of packBatches(sizes, caps, start, end)) {
          expect(range.start).toBe(next);
          expect(range.end).toBeGreaterThan(range.start);
          expect(range.end - range.start).toBeLessThanOrEqual(caps.maxMessages);
          const bytes = sum(sizes.subarray(range.start, range.end));
          if (range.end - range.start > 1) expect(bytes).toBeLessThanOrEqual(caps.maxBytes);
          next = range.end;
        }
        expect(next).toBe(end);
      }),
    );
  });

  it.each([
    ['by count', [1, 1, 1, 1, 1], [2, 2, 1]],
    ['up to exactly the limit', [50, 50, 1], [2, 1]],
    ['with a large message alone', [1, 101, 1], [1, 1, 1]],
    ['with empty messages', [0, 0, 0], [2, 1]],
  ])('fills each batch as far as it goes: %s', (_, sizes, expected) => {
    const ranges = packBatches(Uint32Array.from(sizes), { maxMessages: 2, maxBytes: 100 });
    expect(ranges.map(({ start, end }) => end - start)).toEqual(expected);
  });
});

describe('folderOrder', () => {
  it('starts with the most work, counting bytes and messages, and keeps equal folders as they came', () => {
    const folders = [
      { messages: 1, bytes: 10 },
      { messages: 10, bytes: 50_000_000 },
      { messages: 50_000, bytes: 1_000_000 },
      { messages: 1, bytes: 10 },
      { messages: null, bytes: null },
      { messages: 1_000, bytes: null },
    ];
    expect(folderOrder(folders)).toEqual([2, 1, 5, 0, 3, 4]);
  });
});
