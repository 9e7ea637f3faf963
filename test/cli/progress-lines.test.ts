import { describe, expect, it } from 'vitest';
import { ProgressLines } from '../../src/cli/progress-lines.ts';
import { progressSentence } from '../../src/cli/progress-view.ts';
import { FakeOutput, ManualClock, makeProgress } from './fake-io.ts';

function createLines(always: boolean) {
  const clock = new ManualClock();
  const stream = new FakeOutput();
  return { clock, stream, lines: new ProgressLines({ stream, clock, everyMs: 30_000, always }) };
}

const moved = (done: number) => makeProgress({ messages: { done, total: 1_000 } });

describe('progressSentence', () => {
  it('says where the job stands', () => {
    expect(progressSentence(makeProgress({ refused: 2 }))).toBe(
      '240 of 1,000 messages (24 %), 2.4 MB of 10 MB, 20 messages/s, 200 kB/s, 0:12 gone, 0:38 left, 2 refused, in INBOX 12/40',
    );
  });

  it('leaves out a time that is not known, and folders beyond the first three', () => {
    const activeFolders = ['A', 'B', 'C', 'D', 'E'].map((name) => ({ name, done: 1, total: 2 }));
    const sentence = progressSentence(makeProgress({ etaMs: null, activeFolders }));
    expect(sentence).toMatch(/0:12 gone, in A 1\/2, B 1\/2, C 1\/2, 2 other folders$/);
  });

  it('shows no folder name raw', () => {
    const activeFolders = [{ name: 'a\u001b]0;x\u0007', done: 1, total: 2 }];
    expect(progressSentence(makeProgress({ activeFolders }))).toContain('a\\x1b]0;x\\x07 1/2');
  });
});

describe('ProgressLines', () => {
  it('says nothing before its time, then a line every time', () => {
    const { clock, stream, lines } = createLines(false);
    lines.update(moved(1));
    clock.advance(29_999);
    expect(stream.text).toBe('');
    lines.update(moved(2));
    clock.advance(1);
    expect(stream.lines).toEqual([expect.stringMatching(/^progress: 2 of 1,000 messages/)]);
    lines.update(moved(3));
    clock.advance(30_000);
    expect(stream.lines).toHaveLength(2);
  });

  it('beats on when nothing moves, and says so', () => {
    const { clock, stream, lines } = createLines(false);
    lines.update(moved(1));
    clock.advance(60_000);
    expect(stream.lines.map((line) => line.split('; ')[1])).toEqual([
      'nothing moved for 0:30',
      'nothing moved for 1:00',
    ]);
  });

  it('does not call it standing still when only the clock of the job moves', () => {
    const { clock, stream, lines } = createLines(false);
    lines.update(moved(1));
    clock.advance(20_000);
    lines.update({ ...moved(1), elapsedMs: 20_000 });
    clock.advance(10_000);
    expect(stream.lines[0]).toContain('nothing moved for 0:30');
  });

  it('says the first and the last word with `always`', () => {
    const { clock, stream, lines } = createLines(true);
    lines.update(moved(1));
    clock.advance(1_000);
    lines.update(moved(2));
    lines.stop();
    expect(stream.lines.map((line) => line.slice(0, 30))).toEqual([
      'progress: 1 of 1,000 messages ',
      'progress: 2 of 1,000 messages ',
    ]);
  });

  it('leaves no timer behind', () => {
    const { clock, lines } = createLines(false);
    lines.update(moved(1));
    lines.stop();
    lines.stop();
    lines.update(moved(2));
    expect(clock.pending).toBe(0);
  });
});
