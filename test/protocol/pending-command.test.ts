import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simpleCommand } from '../../src/protocol/command.ts';
import { PendingCommand } from '../../src/protocol/pending-command.ts';

function pend(groups: readonly (readonly Buffer[])[], changesState = true): PendingCommand {
  const bytes = groups.flat().reduce((sum, part) => sum + part.length, 0);
  return new PendingCommand(
    simpleCommand('X', 'free', changesState),
    'A1',
    { groups, bytes },
    () => {},
    () => {},
  );
}

/** Hands over the current group and tells the sizes of its pieces. */
function handOver(pending: PendingCommand): number[] {
  const sizes: number[] = [];
  while (!pending.fullySent && !pending.awaitsContinuation) sizes.push(pending.nextPiece().bytes);
  return sizes;
}

describe('PendingCommand', () => {
  it('hands over a large group in pieces, whatever parts it is made of', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const parts = [Buffer.from('A1 X\r\n'), ...lengths.map((length, index) => Buffer.alloc(length, 97 + index))];
        const pending = pend([parts]);
        const pieces: Buffer[] = [];
        while (!pending.fullySent) {
          const piece = pending.nextPiece();
          expect(piece.parts.reduce((sum, part) => sum + part.length, 0)).toBe(piece.bytes);
          expect(piece.bytes).toBeLessThanOrEqual(260 * 1024);
          pieces.push(...piece.parts);
        }
        expect(Buffer.concat(pieces).equals(Buffer.concat(parts))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps the end of a command together with what stands before it', () => {
    const pending = pend([[Buffer.alloc(512 * 1024), Buffer.from('\r\n')]]);
    expect(handOver(pending)).toEqual([262_144, 262_146]);
  });

  it('stops at the end of a group until it may go on', () => {
    const pending = pend([[Buffer.from('A1 X {3}\r\n')], [Buffer.from('abc'), Buffer.from('\r\n')]]);
    expect(handOver(pending)).toEqual([10]);
    expect([pending.awaitsContinuation, pending.fullySent]).toEqual([true, false]);
    pending.continue();
    expect([pending.awaitsContinuation, pending.atGroupStart]).toEqual([false, true]);
    expect(handOver(pending)).toEqual([5]);
    expect(pending.fullySent).toBe(true);
  });

  it('may have taken effect from the first byte of its last group on, if it changes anything', () => {
    const groups = [[Buffer.from('A1 X {3}\r\n')], [Buffer.from('abc\r\n')]];
    const [changing, harmless] = [pend(groups), pend(groups, false)];
    for (const pending of [changing, harmless]) {
      handOver(pending);
      pending.continue();
      expect(pending.mayHaveTakenEffect).toBe(false);
      pending.nextPiece();
    }
    expect([changing.mayHaveTakenEffect, harmless.mayHaveTakenEffect]).toEqual([true, false]);
  });

  it('when abandoned drops the groups that were not begun and finishes the one that was', () => {
    const waiting = pend([[Buffer.from('A1 X {3}\r\n')], [Buffer.from('abc\r\n')]]);
    handOver(waiting);
    waiting.abandon();
    expect(waiting.fullySent).toBe(true);

    const allowed = pend([[Buffer.from('A1 X {3}\r\n')], [Buffer.from('abc\r\n')]]);
    handOver(allowed);
    allowed.continue();
    allowed.abandon();
    expect(allowed.fullySent).toBe(true);

    const halfway = pend([[Buffer.alloc(600_000)], [Buffer.from('abc\r\n')]]);
    halfway.nextPiece();
    halfway.abandon();
    expect(halfway.fullySent).toBe(false);
    expect(handOver(halfway).length).toBeGreaterThan(0);
    expect(halfway.fullySent).toBe(true);
  });
});
