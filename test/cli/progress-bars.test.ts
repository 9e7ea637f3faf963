import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { drawFolder, drawJob, ProgressBars } from '../../src/cli/progress-bars.ts';
import { createStyle, stripStyle } from '../../src/cli/style.ts';
import { displayWidth } from '../../src/cli/width.ts';
import { FakeOutput, makeProgress } from './fake-io.ts';
import { Screen } from './screen.ts';

const style = createStyle({}, { LANG: 'C.UTF-8' });
const ascii = createStyle({}, {});

describe('drawJob', () => {
  it.each([
    [110, '█████░░░░░░░░░░░░░░░░░░░  24 %  240/1,000 messages  2.4 MB of 10 MB  20 msg/s  200 kB/s  0:38 left'],
    [80, '███░░░░░░░░░░░░░  24 %  240/1,000 messages  2.4 MB of 10 MB  200 kB/s  0:38 left'],
    [50, '███░░░░░░░░░░  24 %  240/1,000 messages  0:38 left'],
    [30, '█████░░░░░░░░░░░░░░░░░░░  24 %'],
    [8, ' 24 %'],
  ])('fits into %i columns', (columns, line) => {
    expect(drawJob(makeProgress(), style, columns)).toBe(line);
    expect(displayWidth(line)).toBeLessThanOrEqual(columns);
  });

  it('shows refusals, and the time gone where the time left is not known', () => {
    expect(drawJob(makeProgress({ refused: 3, etaMs: null }), ascii, 100)).toMatch(/0:12 gone {2}3 refused$/);
  });

  it('leaves out bytes where none are moved', () => {
    expect(drawJob(makeProgress({ bytes: { done: 0, total: 0 } }), ascii, 100)).not.toMatch(/B/);
  });

  it('is empty at nothing and full only at all', () => {
    const draw = (done: number) =>
      drawJob(makeProgress({ messages: { done, total: 1_000 } }), ascii, 110).split(' ')[0];
    expect(draw(0)).toBe('........................');
    expect(draw(999)).toBe('#######################.');
    expect(draw(1_000)).toBe('########################');
    expect(drawJob(makeProgress({ messages: { done: 0, total: 0 } }), ascii, 30)).toContain('......');
  });
});

describe('drawFolder', () => {
  it('cuts names by the columns they take', () => {
    const line = drawFolder({ name: '日本語のとても長いフォルダの名前です', done: 1, total: 2 }, style, 50);
    expect(displayWidth(line)).toBeLessThanOrEqual(50);
    expect(line).toMatch(/^ {2}日本語の.*….* █████░░░░░ 1\/2$/);
  });

  it.each([40, 60, 110])('fits into %i columns', (columns) => {
    const line = drawFolder({ name: 'x'.repeat(300), done: 123_456, total: 234_567 }, style, columns);
    expect(displayWidth(line)).toBeLessThanOrEqual(columns);
  });

  it('shows no name raw', () => {
    expect(drawFolder({ name: '\u001b[2J\u202e', done: 1, total: 2 }, style, 80)).toContain('\\x1b[2J\\u{202e}');
  });
});

describe('ProgressBars', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const folders = (...names: string[]) =>
    makeProgress({ activeFolders: names.map((name) => ({ name, done: 1, total: 2 })) });

  function createBars(options: { columns?: number; rows?: number } = {}) {
    const stream = new FakeOutput({ isTTY: true, ...options });
    const bars = new ProgressBars(stream, createStyle(stream, { LANG: 'C.UTF-8' }));
    let fed = 0;
    const screen = new Screen(stream.columns);
    return {
      stream,
      bars,
      screen,
      /** The screen after the next frame. */
      look(): string[] {
        vi.advanceTimersByTime(200);
        screen.feed(stream.text.slice(fed));
        fed = stream.text.length;
        return screen.text;
      },
    };
  }

  it('shows the job and each folder at work', () => {
    const { bars, look } = createBars();
    bars.update(folders('INBOX', 'Sent'));
    expect(look()).toEqual([
      expect.stringMatching(/^█+░+ +24 % +240\/1,000 messages/),
      expect.stringMatching(/^ {2}INBOX +█+░+ 1\/2$/),
      expect.stringMatching(/^ {2}Sent +█+░+ 1\/2$/),
    ]);
    bars.stop();
  });

  it('follows folders that come and go', () => {
    const { bars, look } = createBars();
    bars.update(folders('A', 'B', 'C'));
    look();
    bars.update(folders('C'));
    expect(look()).toEqual([expect.stringMatching(/messages/), expect.stringMatching(/^ {2}C /)]);
    bars.update(folders('C', 'D', 'E', 'F'));
    expect(look().map((row) => row.slice(2, 3))).toEqual([expect.anything(), 'C', 'D', 'E', 'F']);
    bars.stop();
  });

  it('keeps to a bounded number of rows', () => {
    const { bars, look } = createBars({ rows: 8 });
    bars.update(folders(...'ABCDEFGHIJ'));
    expect(look()).toHaveLength(6);
    expect(look().at(-1)).toBe('  and 6 more folders');
    bars.stop();
  });

  it('shows the job alone on a narrow screen', () => {
    const { bars, look } = createBars({ columns: 30 });
    bars.update(folders('A'));
    expect(look()).toHaveLength(1);
    bars.stop();
  });

  it('lets lines pass above without a trace of bars in them', () => {
    const { bars, look } = createBars({ columns: 60 });
    bars.update(folders('A', 'B'));
    look();
    const long = `warning: ${'words '.repeat(14)}end`;
    bars.print(['short', long]);
    bars.print(['next']);
    const rows = look();
    expect(rows.slice(0, 4).join('|')).toBe(`short|${long.slice(0, 60).trimEnd()}|${long.slice(60)}|next`);
    expect(rows.slice(4)).toEqual([
      expect.stringMatching(/messages/),
      expect.stringMatching(/^ {2}A /),
      expect.stringMatching(/^ {2}B /),
    ]);
    bars.stop();
  });

  it('prints plainly before the first progress and after the end', () => {
    const { bars, stream } = createBars();
    bars.print(['before']);
    expect(stream.text).toBe('before\n');
    bars.update(folders('A'));
    bars.stop();
    const end = stream.text.length;
    bars.print(['after']);
    expect(stream.text.slice(end)).toBe('after\n');
  });

  it('leaves the line of the job behind and gives the terminal back', () => {
    const { bars, look, screen, stream } = createBars();
    bars.print(['kept']);
    bars.update(folders('A', 'B'));
    look();
    expect([screen.cursorHidden, screen.wrapOff]).toEqual([true, true]);
    bars.stop();
    expect(look()).toEqual(['kept', drawJob(folders('A'), style, 79)]);
    expect([screen.cursorHidden, screen.wrapOff]).toEqual([false, false]);
    const end = stream.text.length;
    bars.stop();
    bars.update(folders('A'));
    expect(stream.text.length).toBe(end);
    expect(stream.listenerCount('resize')).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('draws itself anew for a window of another size', () => {
    const { bars, look, stream, screen } = createBars({ columns: 100 });
    bars.update(folders('A'));
    look();
    // The terminal has broken each long row in two.
    const broken = screen.text.flatMap((row) => [row.slice(0, 50), row.slice(50)]).filter((row) => row !== '');
    const narrow = new Screen(50).feed(broken.join('\n'));
    const before = stream.text.length;
    stream.columns = 50;
    stream.emit('resize');
    narrow.feed(stream.text.slice(before));
    expect(narrow.text).toEqual([expect.stringMatching(/messages/), expect.stringMatching(/^ {2}A .* 1\/2$/)]);
    expect(narrow.text.every((row) => displayWidth(row) < 50)).toBe(true);
    bars.stop();
  });

  it('paints where the terminal has colours', () => {
    const { bars, look, stream } = createBars();
    bars.update(folders('A'));
    look();
    expect(stripStyle(stream.text)).not.toBe(stream.text);
    expect(stream.text).toContain('\u001b[32m');
    bars.stop();
  });
});
