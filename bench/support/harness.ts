/**
 * A small harness: every case is warmed up, then the cases take turns for some rounds, so that a disturbance of the
 * machine hits all of them; the median of the rounds counts. `--json` prints one JSON object per case instead of a table.
 */

import { spreadOf } from './spread.ts';

export interface BenchCase {
  readonly group: string;
  readonly name: string;
  /** What one run works through. */
  readonly bytes: number;
  /** Responses, commands, messages: what `unit` names. */
  readonly units: number;
  readonly run: () => void | Promise<void>;
}

export interface BenchOptions {
  readonly title: string;
  readonly unit: string;
  /** Cases of each group that all are compared with, byte for byte. */
  readonly compareWith: readonly string[];
  /**
   * What a run is charged with: the time on the wall (default), or the processor time of this process, its threads
   * included, for cases that wait for nothing. Other work on the machine hardly changes that.
   */
  readonly time?: 'wall' | 'processor';
  /** Prints the processor time of a unit too. */
  readonly showProcessor?: boolean;
  readonly rounds?: number;
  readonly roundMs?: number;
  readonly warmUpMs?: number;
}

export interface BenchResult {
  readonly group: string;
  readonly name: string;
  readonly unitsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Processor time of this process for one unit, its threads included, in microseconds. */
  readonly processorUs: number;
  /** How many times as fast, byte for byte, as the cases compared with. */
  readonly timesAsFastAs: Readonly<Record<string, number>>;
}

/** Runs the cases group by group and prints the results. */
export async function runBench(cases: readonly BenchCase[], options: BenchOptions): Promise<BenchResult[]> {
  const json = process.argv.includes('--json');
  if (!json) console.log(`\n${options.title}  (Node ${process.versions.node})`);
  const groups = new Map<string, BenchCase[]>();
  for (const item of cases) {
    const group = groups.get(item.group);
    if (group === undefined) groups.set(item.group, [item]);
    else group.push(item);
  }
  const results: BenchResult[] = [];
  for (const [group, members] of groups) {
    const measured = await measureGroup(members, options);
    results.push(...measured);
    if (json) for (const result of measured) console.log(JSON.stringify({ bench: options.title, ...result }));
    else printGroup(group, measured, options);
  }
  return results;
}

async function measureGroup(members: readonly BenchCase[], options: BenchOptions): Promise<BenchResult[]> {
  const { rounds = 3, roundMs = 60, warmUpMs = 60, time = 'wall' } = options;
  const times: RunTime[][] = members.map(() => []);
  for (const member of members) await timePerRun(member, warmUpMs);
  for (let round = 0; round < rounds; round++) {
    for (const [index, member] of members.entries()) times[index]?.push(await timePerRun(member, roundMs));
  }
  const medianOf = (index: number, kind: keyof RunTime) =>
    spreadOf((times[index] ?? []).map((run) => run[kind])).median;
  const bytesPerSecond = members.map((member, index) => (member.bytes / medianOf(index, time)) * 1000);
  return members.map(({ group, name, bytes, units }, index) => {
    const speed = bytesPerSecond[index] ?? Number.NaN;
    const ratios = options.compareWith.map((other): [string, number] => [
      other,
      speed / (bytesPerSecond[members.findIndex((member) => member.name === other)] ?? Number.NaN),
    ]);
    return {
      group,
      name,
      unitsPerSecond: (speed / bytes) * units,
      bytesPerSecond: speed,
      processorUs: (medianOf(index, 'processor') / units) * 1000,
      timesAsFastAs: Object.fromEntries(ratios),
    };
  });
}

/** Milliseconds. */
interface RunTime {
  readonly wall: number;
  readonly processor: number;
}

/** What one run takes, averaged over as many runs as fit into `durationMs` on the wall, at least one. */
async function timePerRun(item: BenchCase, durationMs: number): Promise<RunTime> {
  const start = { wall: performance.now(), processor: processorMs() };
  let runs = 0;
  let wall = 0;
  do {
    const pending = item.run();
    if (pending instanceof Promise) await pending;
    runs++;
    wall = performance.now() - start.wall;
  } while (wall < durationMs);
  return { wall: wall / runs, processor: (processorMs() - start.processor) / runs };
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function printGroup(group: string, results: readonly BenchResult[], options: BenchOptions): void {
  console.log(`\n${group}`);
  for (const result of results) {
    const units = `${formatCount(result.unitsPerSecond)} ${options.unit}/s`.padStart(options.unit.length + 14);
    const bytes = `${formatCount(result.bytesPerSecond / 1e6)} MB/s`.padStart(16);
    const cost = options.showProcessor ? `${formatCount(result.processorUs)} µs CPU each`.padStart(20) : '';
    const ratios = Object.entries(result.timesAsFastAs)
      .filter(([other]) => other !== result.name)
      .map(([other, ratio]) => `${formatCount(ratio)}x ${other}`);
    console.log(`  ${result.name.padEnd(20)}${units}${bytes}${cost}   ${ratios.join(', ')}`);
  }
}

function formatCount(count: number): string {
  if (count >= 100) return Math.round(count).toLocaleString('en-US');
  return Number(count.toPrecision(3)).toString();
}
