import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeScenario, makeScenario, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

/** `npm run simulate`: seed after seed in as many processes as there are processors, until all are done. */

/** Seeds a process is given at a time. */
const seedsPerPiece = 20;
/** Real time that one seed may take before it counts as one that never ends (milliseconds). */
const patienceMs = 120_000;
/** A seed is played twice, and must go the same way, each time this many have been played. */
const playedTwice = 25;

/** What one piece came to. */
interface PieceResult {
  readonly seeds: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly struck: number;
  readonly acts: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

interface Totals {
  seeds: number;
  steps: number;
  virtualMs: number;
  struck: number;
  failed: number;
  readonly acts: Map<string, number>;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string' },
      piece: { type: 'string' },
    },
  });
  if (values.piece !== undefined) return await playPiece(values.piece);
  if (values.seed !== undefined) return await replay(numberOf('--seed', values.seed));
  const from = numberOf('--from', values.from ?? '1');
  const seeds = numberOf('--seeds', values.seeds ?? '1000');
  return await campaign(from, seeds, numberOf('--jobs', values.jobs ?? String(availableParallelism())));
}

async function campaign(from: number, seeds: number, jobs: number): Promise<number> {
  const started = performance.now();
  const totals: Totals = { seeds: 0, steps: 0, virtualMs: 0, struck: 0, failed: 0, acts: new Map() };
  const end = from + seeds;
  let next = from;
  const work = async () => {
    while (next < end) {
      const first = next;
      next = Math.min(end, next + seedsPerPiece);
      take(await startPiece(first, next - first), totals);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
  const minutes = (performance.now() - started) / 60_000;
  const ends = [...totals.acts].sort((a, b) => b[1] - a[1]).map(([word, count]) => `${count} ${word}`);
  process.stdout.write(`runs: ${ends.join(', ')}\n`);
  process.stdout.write(
    `simulate: ${totals.seeds} seeds from ${from}, ${totals.failed} failed; ${totals.struck} faults struck, ${totals.steps} deliveries, ${(totals.virtualMs / 3_600_000).toFixed(1)} simulated hours in ${minutes.toFixed(1)} min (${Math.round(totals.seeds / minutes)} seeds/min)\n`,
  );
  return totals.failed > 0 ? 1 : 0;
}

function take(result: PieceResult, totals: Totals): void {
  totals.seeds += result.seeds;
  totals.steps += result.steps;
  totals.virtualMs += result.virtualMs;
  totals.struck += result.struck;
  totals.failed += result.failures.length;
  for (const [word, count] of Object.entries(result.acts)) totals.acts.set(word, (totals.acts.get(word) ?? 0) + count);
  for (const failure of result.failures) process.stdout.write(`${failure}\n`);
}

/** Plays some seeds in a process of their own: one that never ends is ended, and named. */
function startPiece(first: number, count: number): Promise<PieceResult> {
  const child = fork(fileURLToPath(import.meta.url), ['--piece', `${first}:${count}`], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let playing = first;
  let result: PieceResult | null = null;
  const endless = () => void child.kill('SIGKILL');
  let timer = setTimeout(endless, patienceMs);
  child.on('message', (message: { readonly playing: number } | PieceResult) => {
    clearTimeout(timer);
    timer = setTimeout(endless, patienceMs);
    if ('playing' in message) playing = message.playing;
    else result = message;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      const failure = `FAILED --seed ${playing}: its process ended with ${signal ?? `code ${code}`}`;
      const nothing = { seeds: playing - first + 1, steps: 0, virtualMs: 0, struck: 0, acts: {}, failures: [failure] };
      resolve(result ?? nothing);
    });
  });
}

async function playPiece(piece: string): Promise<number> {
  const [first = 0, count = 0] = piece.split(':').map(Number);
  const totals: Totals = { seeds: 0, steps: 0, virtualMs: 0, struck: 0, failed: 0, acts: new Map() };
  const failures: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    process.send?.({ playing: seed });
    const scenario = makeScenario(seed);
    const outcome = await simulate(scenario);
    totals.seeds++;
    totals.steps += outcome.steps;
    totals.virtualMs += outcome.virtualMs;
    totals.struck += outcome.struck;
    for (const word of outcome.acts) totals.acts.set(word, (totals.acts.get(word) ?? 0) + 1);
    if (outcome.violation !== null) failures.push(await describe(scenario, outcome));
    else if (seed % playedTwice === 0 && (await simulate(scenario)).trace !== outcome.trace)
      failures.push(`FAILED --seed ${seed}: the same seed went another way the second time`);
  }
  const result: PieceResult = { ...totals, acts: Object.fromEntries(totals.acts), failures };
  await new Promise<void>((resolve) =>
    process.send === undefined ? resolve() : process.send(result, () => resolve()),
  );
  process.disconnect?.();
  return 0;
}

async function replay(seed: number): Promise<number> {
  const scenario = makeScenario(seed);
  const outcome = await simulate(scenario);
  process.stdout.write(`${describeScenario(scenario)}\nruns: ${outcome.acts.join(', ')}\ntrace: ${outcome.trace}\n`);
  if (outcome.violation !== null) process.stdout.write(`${await describe(scenario, outcome)}\n`);
  return outcome.violation === null ? 0 : 1;
}

async function describe(scenario: Scenario, outcome: Outcome): Promise<string> {
  const { scenario: smallest, outcome: last } = await shrink(scenario, outcome);
  const { violation } = last;
  return [
    `FAILED --seed ${scenario.seed}: guarantee ${violation?.guarantee}: ${violation?.message}`,
    `runs: ${last.acts.join(', ')}; enough for that:`,
    describeScenario(smallest),
    `  as data: ${JSON.stringify(smallest)}`,
  ].join('\n');
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new RangeError(`${option} takes a whole number, not '${text}'`);
  return number;
}

process.exitCode = await main();
