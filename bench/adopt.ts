/**
 * What it takes to see that the target holds the mail already: pairing two sides of a folder by content, comparing them for
 * a verification, and adopting one into a journal. Columns are made up, no server is asked. Each case has a process of its
 * own, since memory is half of the matter.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CaseResult } from './support/adopt-case.ts';
import { spreadOf } from './support/spread.ts';

const script = join(import.meta.dirname, 'support', 'adopt-case.js');
const cases = [
  { name: 'match', args: ['match'], twins: 1 },
  { name: 'match twins', args: ['match'], twins: 2 },
  { name: 'verify', args: ['verify'], twins: 1 },
  { name: 'adopt', args: ['adopt'], twins: 1 },
  { name: 'adopt twins', args: ['adopt'], twins: 2 },
];
const patienceMs = 5 * 60_000;
/** Messages on each side, and how often each case is run: the big ones take their time, and differ less. */
const sizes = [
  { messages: 20_000, runs: 3 },
  { messages: 200_000, runs: 3 },
  { messages: 1_000_000, runs: 1 },
];

interface Result {
  readonly name: string;
  readonly messages: number;
  /** Rows of both sides. */
  readonly rowsPerSecond: number;
  /** Of the whole process, the columns of both sides included. */
  readonly peakRssBytes: number;
}

const json = process.argv.includes('--json');
if (!json) console.log(`\nadopt  (Node ${process.versions.node})`);
for (const { messages, runs } of sizes) {
  if (!json) console.log(`\n${messages.toLocaleString('en-US')} messages on each side`);
  for (const { name, args, twins } of cases) {
    const result = await measure(name, [...args, `${messages}`, `${twins}`], messages, runs);
    if (json) console.log(JSON.stringify({ bench: 'adopt', ...result }));
    else print(result);
  }
}

async function measure(name: string, args: readonly string[], messages: number, runs: number): Promise<Result> {
  const times: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < runs; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { timeout: patienceMs });
    const { ms, peakRssBytes } = JSON.parse(stdout) as CaseResult;
    times.push(ms);
    peaks.push(peakRssBytes);
  }
  const rowsPerSecond = (2 * messages * 1000) / spreadOf(times).median;
  return { name, messages, rowsPerSecond, peakRssBytes: spreadOf(peaks).median };
}

function print({ name, rowsPerSecond, peakRssBytes }: Result): void {
  const speed = `${Math.round(rowsPerSecond).toLocaleString('en-US')} rows/s`;
  console.log(`  ${name.padEnd(16)}${speed.padStart(20)}${`${Math.round(peakRssBytes / 1e6)} MB`.padStart(12)} peak`);
}
