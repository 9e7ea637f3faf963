/** What the contenders took, as a table for people. */
import type { Entry } from './cell.ts';
import type { MeasuredRun } from './measured-run.ts';
import { spreadOf } from './spread.ts';

export interface CopiedMail {
  readonly folders: number;
  readonly messages: number;
  readonly bytes: number;
}

const headings = ['', 'runs', 'wall s', '(min – max)', 'messages/s', 'MB/s', 'CPU s', 'peak RSS MB'];

/**
 * A row for each contender, with a column of ratios for each of `floors`: names of entries whose wall time the others' is
 * divided by. Medians, except that of the memory peaks the highest counts.
 */
export function entryRows(entries: readonly Entry[], mail: CopiedMail, floors: readonly string[]): string[][] {
  const compared = floors.filter((floor) => entries.some(({ name }) => name === floor));
  const ratios = (seconds: number) =>
    compared.map((floor) =>
      (seconds / medianSeconds(entries.find(({ name }) => name === floor)?.runs ?? [])).toFixed(2),
    );
  const later = (name: string, runs: readonly MeasuredRun[]) =>
    runs.length === 0 ? [] : [[...toRow(name, runs, null), ...compared.map(() => '')]];
  const rows = entries.flatMap(({ name, runs, again, oneMore = [] }) => [
    [...toRow(name, runs, mail), ...ratios(medianSeconds(runs))],
    ...later(`${name}, nothing to do`, again),
    ...later(`${name}, one new message`, oneMore),
  ]);
  return [[...headings, ...compared.map((floor) => `× ${floor}`)], ...rows];
}

export function medianSeconds(runs: readonly MeasuredRun[]): number {
  return spreadOf(runs.map(({ wallSeconds }) => wallSeconds)).median;
}

/** The first column is text, the others are numbers. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('   ')}`;
  });
  return lines.join('\n');
}

/** The same as Markdown. */
export function formatMarkdown(rows: readonly (readonly string[])[]): string {
  const [first = [], ...rest] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(first), line(first.map((_, column) => (column === 0 ? '---' : '---:'))), ...rest.map(line)].join('\n');
}

function toRow(name: string, runs: readonly MeasuredRun[], mail: CopiedMail | null): string[] {
  const wall = spreadOf(runs.map(({ wallSeconds }) => wallSeconds));
  return [
    name,
    String(runs.length),
    wall.median.toFixed(2),
    `(${wall.min.toFixed(2)} – ${wall.max.toFixed(2)})`,
    mail === null ? '' : count(mail.messages / wall.median),
    mail === null ? '' : (mail.bytes / 1e6 / wall.median).toFixed(1),
    measured(spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds ?? Number.NaN)).median, (seconds) => seconds.toFixed(2)),
    measured(spreadOf(runs.map(({ peakRssBytes }) => peakRssBytes ?? Number.NaN)).max, (bytes) => count(bytes / 1e6)),
  ];
}

function measured(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? '–' : format(value);
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
