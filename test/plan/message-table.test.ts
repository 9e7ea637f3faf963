import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageTable } from '../../src/plan/message-table.ts';

const rows = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 1000 })), { maxLength: 80 });

function columnsOf(table: MessageTable): [number, number][] {
  const { uids, sizes } = table.columns();
  return Array.from(uids, (uid, row) => [uid, sizes[row] ?? -1]);
}

/** What the table has to hold: the first row of each UID, ascending. */
function firstOfEach(list: readonly (readonly [number, number])[]): [number, number][] {
  const first = new Map<number, number>();
  for (const [uid, size] of list) if (!first.has(uid)) first.set(uid, size);
  return [...first].sort(([a], [b]) => a - b);
}

describe('MessageTable', () => {
  it('ascends by UID and holds each UID once, whatever order rows are pushed in and whenever it is read', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(80), { maxLength: 5 }), (list, reads) => {
        const table = new MessageTable();
        list.forEach(([uid, size], index) => {
          table.push(uid, size);
          if (reads.includes(index)) expect(table.length).toBeGreaterThan(0);
        });
        expect(columnsOf(table)).toEqual(firstOfEach(list));
        expect(table.length).toBe(firstOfEach(list).length);
      }),
    );
  });

  it('holds the same after windows are appended, in order, overlapping or shuffled, as after single rows', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 6 }), (windows) => {
        const table = new MessageTable();
        for (const window of windows) {
          table.append({
            uids: Uint32Array.from(window, ([uid]) => uid),
            sizes: Uint32Array.from(window, ([, size]) => size),
          });
        }
        expect(columnsOf(table)).toEqual(firstOfEach(windows.flat()));
        const parts = windows.map((window) => {
          const part = new MessageTable();
          for (const [uid, size] of window) part.push(uid, size);
          return part;
        });
        expect(columnsOf(MessageTable.concat(parts))).toEqual(firstOfEach(windows.flat()));
      }),
    );
  });

  it('gives columns of exactly its length whose memory is not shared with the table', () => {
    const table = new MessageTable(100);
    table.push(7, 70);
    const { uids, sizes } = table.columns();
    expect([uids.buffer.byteLength, sizes.buffer.byteLength]).toEqual([4, 4]);
    uids[0] = 9;
    expect([...table.uids]).toEqual([7]);
  });

  it('cuts out rows by range and by row number', () => {
    const table = MessageTable.from({ uids: Uint32Array.of(1, 5, 9, 12), sizes: Uint32Array.of(10, 50, 90, 120) });
    expect(columnsOf(table.slice(1, 3))).toEqual([
      [5, 50],
      [9, 90],
    ]);
    expect(columnsOf(table.slice())).toHaveLength(4);
    expect(columnsOf(table.pick(Uint32Array.of(0, 3)))).toEqual([
      [1, 10],
      [12, 120],
    ]);
    expect(table.totalBytes()).toBe(270);
    expect(table.totalBytes(1, 3)).toBe(140);
    expect(table.lastUid).toBe(12);
    expect(new MessageTable().lastUid).toBe(0);
    expect(() => table.pick(Uint32Array.of(4))).toThrow(RangeError);
  });

  it.each([
    [0, 1],
    [-1, 1],
    [1.5, 1],
    [2 ** 32, 1],
    [1, -1],
    [1, 0.5],
  ])('refuses the row UID %d, %d bytes', (uid, size) => {
    expect(() => new MessageTable().push(uid, size)).toThrow(RangeError);
  });

  it('refuses windows with UID 0 and columns of unequal length, and stays as it was', () => {
    const table = MessageTable.from({ uids: Uint32Array.of(3), sizes: Uint32Array.of(30) });
    expect(() => table.append({ uids: Uint32Array.of(0, 4), sizes: Uint32Array.of(1, 1) })).toThrow(RangeError);
    expect(() => table.append({ uids: Uint32Array.of(4, 5), sizes: Uint32Array.of(1) })).toThrow(RangeError);
    expect(columnsOf(table)).toEqual([[3, 30]]);
  });

  it('takes the highest UID there is, and a size beyond 32 bits as the largest it can hold', () => {
    const table = new MessageTable();
    table.push(0xffff_ffff, 2 ** 40);
    expect(columnsOf(table)).toEqual([[0xffff_ffff, 0xffff_ffff]]);
  });

  it('holds a million rows, pushed backwards, in order', () => {
    const table = new MessageTable();
    for (let uid = 1_000_000; uid >= 1; uid -= 1) table.push(uid, 8);
    const { uids } = table.columns();
    expect([table.length, uids[0], uids[499_999], uids[999_999]]).toEqual([1_000_000, 1, 500_000, 1_000_000]);
    expect(table.totalBytes()).toBe(8_000_000);
  });
});
