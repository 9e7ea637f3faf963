import type { Machine } from './machine.ts';
import type { MeasuredRun } from './measured-run.ts';
import { spreadOf } from './spread.ts';

/** Every run of one contender. */
export interface Contender {
  readonly name: string;
  /** Messages and bytes copied by one run. */
  readonly messages: number;
  readonly bytes: number;
  readonly runs: readonly MeasuredRun[];
}

export interface EndToEndResult {
  readonly machine: Machine;
  readonly mail: { readonly folders: number; readonly messages: number; readonly bytes: number };
  readonly contenders: readonly Contender[];
  /** Medians of wall time. */
  readonly timesAsLongAsFloor: number;
  readonly runs: number;
}

const headings = ['', 'wall s', '(min - max)', 'messages/s', 'MB/s', 'CPU s', 'peak RSS MB'];

/** Prints the result for people: medians, except that of the memory peaks the highest counts. */
export function printEndToEnd({ machine, mail, contenders, timesAsLongAsFloor, runs }: EndToEndResult): void {
  const { cores, processor, platform, node, dovecot, loadAverage } = machine;
  console.log(`\nend-to-end: two Dovecots ${dovecot} on this machine, clear text  (Node ${node})`);
  console.log(
    `${cores} cores, shared with the servers (${processor}, ${platform}); load average before: ${loadAverage.toFixed(2)}`,
  );
  console.log(
    `${count(mail.messages)} messages, ${(mail.bytes / 1e6).toFixed(1)} MB, ${mail.folders} folders; ` +
      `${runs} ${runs === 1 ? 'run' : 'runs'} each, in turns`,
  );
  console.log('whole processes; messages counted after every run, digests, flags and dates compared after the last\n');
  const rows = [headings, ...contenders.map(toRow)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(`  ${cells.join('   ')}`);
  }
  console.log(`\n  imap-migrate takes ${timesAsLongAsFloor.toFixed(2)} times as long as the floor`);
}

function toRow({ name, messages, bytes, runs }: Contender): string[] {
  const wall = spreadOf(runs.map(({ wallSeconds }) => wallSeconds));
  const cpu = spreadOf(runs.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds));
  const rss = spreadOf(runs.map(({ peakRssBytes }) => peakRssBytes));
  return [
    name,
    wall.median.toFixed(2),
    `(${wall.min.toFixed(2)} - ${wall.max.toFixed(2)})`,
    messages === 0 ? '' : count(messages / wall.median),
    bytes === 0 ? '' : (bytes / 1e6 / wall.median).toFixed(1),
    cpu.median.toFixed(2),
    count(rss.max / 1e6),
  ];
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
