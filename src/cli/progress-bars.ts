/**
 * Progress on a terminal: one bar for the whole job, one for each folder at work. The only file that knows cli-progress.
 */
import { MultiBar, type Options, type Params, type SingleBar } from 'cli-progress';
import { toDisplay } from '../display.ts';
import type { Progress, Waiting } from '../job.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatBytes, formatClock, formatCount, formatNoun, formatPercent, formatRate } from './format.ts';
import type { Output } from './io.ts';
import type { ProgressView } from './progress-view.ts';
import { type Style, stripStyle } from './style.ts';
import { displayWidth, padToWidth, truncateToWidth } from './width.ts';

/** What one bar is drawn from; a function of the room it has. */
type Draw = (columns: number) => string;

/** Folder bars at most, on a screen of any height. */
const maxFolderBars = 8;
/** Wider lines are harder to read, and tear when the window shrinks. */
const maxColumns = 110;
/** Narrower screens get the line of the job alone. */
const minFolderColumns = 40;
const framesPerSecond = 8;
const minBar = 10;
const maxBar = 24;
const maxName = 36;
const indent = '  ';

const eraseBelow = '\u001b[J';
const wrapOn = '\u001b[?7h';
const wrapOff = '\u001b[?7l';

/** The line of the whole job, at most `columns` wide. What matters least is left out first. */
export function drawJob(progress: Progress, style: Style, columns: number): string {
  const { messages, bytes } = progress;
  const time =
    progress.etaMs === null || progress.etaMs === 0
      ? `${formatClock(progress.elapsedMs)} gone`
      : `${formatClock(progress.etaMs)} left`;
  const facts = [
    { text: formatPercent(messages.done, messages.total).padStart(5), rank: 0 },
    { text: `${formatCount(messages.done)}/${formatNoun(messages.total, 'message')}`, rank: 1 },
    { text: bytes.total > 0 ? `${formatBytes(bytes.done)} of ${formatBytes(bytes.total)}` : '', rank: 4 },
    { text: `${formatRate(progress.messagesPerSecond)} msg/s`, rank: 5 },
    { text: bytes.total > 0 ? `${formatBytes(progress.bytesPerSecond)}/s` : '', rank: 3 },
    { text: time, rank: 2 },
    { text: progress.waiting === null ? '' : waitingText(progress.waiting), rank: 1 },
    { text: progress.refused > 0 ? `${formatCount(progress.refused)} refused` : '', rank: 1 },
  ].filter((fact) => fact.text !== '');
  const room = columns - minBar - 1;
  const width = () => facts.reduce((sum, fact) => sum + displayWidth(fact.text) + 2, -2);
  while (width() > room && facts.length > 1) {
    facts.splice(facts.indexOf(facts.reduce((least, fact) => (fact.rank > least.rank ? fact : least))), 1);
  }
  const text = facts.map((fact) => fact.text).join('  ');
  return drawBar(share(messages.done, messages.total), Math.min(maxBar, columns - displayWidth(text) - 1), text, style);
}

/** There is no room for more than the time on the clock. */
function waitingText({ until, parked }: Waiting): string {
  const time = formatLocalTime(Date.parse(until));
  return `${parked ? 'parked' : 'waiting'} until ${parked ? time : time.slice(-5)}`;
}

/** The line of one folder: its name, a bar, its counts. */
export function drawFolder(folder: Progress['activeFolders'][number], style: Style, columns: number): string {
  const counts = `${formatCount(folder.done)}/${formatCount(folder.total)}`;
  const nameWidth = Math.max(8, Math.min(maxName, columns - indent.length - minBar - counts.length - 2));
  const name = padToWidth(truncateToWidth(toDisplay(folder.name), nameWidth, style.symbols.ellipsis), nameWidth);
  const barWidth = Math.min(maxBar, columns - indent.length - nameWidth - counts.length - 2);
  return `${indent}${name} ${drawBar(share(folder.done, folder.total), barWidth, counts, style)}`;
}

function drawBar(done: number, width: number, text: string, style: Style): string {
  if (width < 3) return text;
  const full = Math.floor(done * width);
  const open = width - full;
  return `${style.green(style.symbols.barDone.repeat(full))}${style.dim(style.symbols.barOpen.repeat(open))} ${text}`;
}

function share(done: number, total: number): number {
  return total <= 0 ? 0 : Math.min(1, done / total);
}

export class ProgressBars implements ProgressView {
  readonly #stream: Output;
  readonly #style: Style;
  readonly #bars: MultiBar;
  readonly #shown: SingleBar[] = [];
  /** Widths of the lines as they stand on the screen. */
  readonly #drawn: number[] = [];
  /** Something other than the next frame stands below the first bar's line. */
  #untidy = false;
  #latest: Progress | null = null;
  #stopped = false;
  readonly #onResize = () => this.#resize();

  constructor(stream: Output, style: Style) {
    this.#stream = stream;
    this.#style = style;
    this.#bars = new MultiBar({
      stream,
      format: (_options: Options, _params: Params, payload: { draw: Draw; index: number }) => {
        const line = payload.draw(this.#columns());
        this.#drawn[payload.index] = displayWidth(stripStyle(line));
        return line;
      },
      fps: framesPerSecond,
      hideCursor: true,
      // Lines are cut to the screen here; what wraps by itself would put every later frame one row off.
      linewrap: false,
      clearOnComplete: true,
      forceRedraw: true,
      gracefulExit: false,
    });
    // Lines that pass are written over the bars; what they do not cover has to go first.
    this.#bars.on('redraw-pre', () => {
      if (this.#untidy) stream.write(eraseBelow);
      this.#untidy = false;
    });
    stream.on('resize', this.#onResize);
  }

  update(progress: Progress): void {
    if (this.#stopped) return;
    this.#latest = progress;
    const style = this.#style;
    const narrow = (this.#stream.columns ?? 80) < minFolderColumns;
    const room = narrow ? 0 : Math.max(0, Math.min(maxFolderBars, (this.#stream.rows ?? 24) - 4));
    const folders = progress.activeFolders.slice(0, room);
    const hidden = progress.activeFolders.length - folders.length;
    const lines: Draw[] = [
      (columns) => drawJob(progress, style, columns),
      ...folders.map(
        (folder): Draw =>
          (columns) =>
            drawFolder(folder, style, columns),
      ),
    ];
    if (hidden > 0 && room > 0) lines.push(() => style.dim(`  and ${formatNoun(hidden, 'more folder')}`));
    for (const [index, draw] of lines.entries()) {
      const bar = this.#shown[index];
      if (bar === undefined) this.#shown.push(this.#bars.create(1, 0, { draw, index }));
      else bar.update({ draw });
    }
    for (const bar of this.#shown.splice(lines.length)) this.#bars.remove(bar);
    this.#drawn.length = this.#shown.length;
  }

  print(lines: readonly string[]): void {
    if (this.#stopped || this.#shown.length === 0) {
      for (const line of lines) this.#stream.write(`${line}\n`);
      return;
    }
    // Text, unlike bars, may wrap.
    this.#bars.log(`${wrapOn}${lines.join('\n')}\n${wrapOff}`);
    this.#untidy = true;
    this.#bars.update();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stream.removeListener('resize', this.#onResize);
    if (this.#latest === null) return;
    this.#bars.stop();
    // What is left to see: where the job stood at the end.
    this.#stream.write(`${drawJob(this.#latest, this.#style, this.#columns())}\n`);
  }

  #columns(): number {
    return Math.min(maxColumns, (this.#stream.columns ?? 80) - 1);
  }

  /** A window that got narrower broke the drawn lines in two: climbs over the extra rows and draws everything anew. */
  #resize(): void {
    if (this.#shown.length === 0) return;
    const columns = Math.max(1, this.#stream.columns ?? 80);
    const extra = this.#drawn.reduce((sum, width) => sum + Math.max(0, Math.ceil(width / columns) - 1), 0);
    if (extra > 0) this.#stream.write(`\u001b[${extra}A`);
    this.#untidy = true;
    this.#bars.update();
  }
}
