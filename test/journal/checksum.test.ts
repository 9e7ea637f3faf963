import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Commit, chainOf, isIntact, rowCrc, Tally } from '../../src/journal/checksum.ts';

describe('the CRC of a row', () => {
  it('is that of the JSON array of its columns, as docs/JOURNAL.md says', () => {
    const columns = [7, null, 'é"', Uint8Array.of(0, 0xab, 0xff).subarray(1)];
    expect(rowCrc(columns)).toBe(crc32(Buffer.concat([Buffer.from('[7,null,"é\\"",2]'), Buffer.of(0xab, 0xff)])));
    expect(isIntact([...columns, rowCrc(columns)])).toBe(true);
    expect(isIntact([...columns, rowCrc(columns) + 1])).toBe(false);
  });

  it.each([
    { one: [1, 23], other: [12, 3] },
    { one: [null], other: ['null'] },
    { one: ['a', 'b'], other: ['a,b'] },
    { one: [1], other: ['1'] },
    { one: [Uint8Array.of(1, 2)], other: [Uint8Array.of(2, 1)] },
    { one: [Uint8Array.of(1), Uint8Array.of(2, 3)], other: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
    { one: [null], other: [new Uint8Array()] },
  ])('tells $one from $other', ({ one, other }) => expect(rowCrc(one)).not.toBe(rowCrc(other)));
});

describe('a tally', () => {
  it('comes back to what it was when what was added is removed', () => {
    const tally = new Tally();
    for (let count = 0; count < 70_000; count++) tally.add(0xffff_ffff);
    expect(tally.sum).toBeLessThan(2 ** 48);
    for (let count = 0; count < 70_000; count++) tally.remove(0xffff_ffff);
    expect(tally.equals(new Tally())).toBe(true);
  });

  it('shows the same change to two rows, which would cancel out under XOR', () => {
    const before = [rowCrc([1, 5]), rowCrc([2, 5])] as const;
    const after = [rowCrc([1, 6]), rowCrc([2, 6])] as const;
    expect(before[0] ^ before[1]).toBe(after[0] ^ after[1]);
    const tallyOf = (crcs: readonly number[]) => {
      const tally = new Tally();
      for (const crc of crcs) tally.add(crc);
      return tally;
    };
    expect(tallyOf(before).equals(tallyOf(after))).toBe(false);
  });
});

describe('the chain', () => {
  const commit: Commit = { id: 2, at: '2024-01-01T00:00:00.000Z', kind: 'write', records: 3, rows: 4, sum: 5 };
  const changes: Partial<Commit>[] = [
    { id: 3 },
    { at: '' },
    { kind: 'closed' },
    { records: 4 },
    { rows: 5 },
    { sum: 6 },
  ];

  it.each(changes)('is another one for %o', (change) => {
    expect(chainOf('x', { ...commit, ...change })).not.toBe(chainOf('x', commit));
  });

  it('is another one behind another commit', () => expect(chainOf('y', commit)).not.toBe(chainOf('x', commit)));
});
