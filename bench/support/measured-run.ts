/** Whole processes, measured from their start to their exit. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface MeasuredRun {
  readonly wallSeconds: number;
  /** User and system time of all threads, and of children; `null` without a C compiler, as only `usage.c` can tell. */
  readonly cpuSeconds: number | null;
  readonly peakRssBytes: number | null;
}

export type Command = readonly [string, ...string[]];

const patienceMs = 5 * 60_000;
const usageDescriptor = 3;

/**
 * Runs a command under `usage`, the compiled `usage.c`.
 * @throws Error with the end of what it printed, unless it ends with exit code 0
 */
export async function measureRun(command: Command, usage: string | null): Promise<MeasuredRun> {
  const [program, ...args] = usage === null ? command : ([usage, ...command] as const);
  const start = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  const pipes = [child.stdio[1], child.stdio[2], child.stdio[usageDescriptor]];
  const output = Promise.all(pipes.map((pipe) => text(pipe as Readable)));
  const [exitCode, wallSeconds] = await new Promise<[number | null, number]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve([code, (performance.now() - start) / 1000]));
  });
  const [stdout = '', stderr = '', report = ''] = await output;
  if (exitCode !== 0) {
    const printed = `${stdout}${stderr}`.slice(-4000).trim();
    throw new Error(`${command.join(' ')} ended with exit code ${exitCode ?? 'none (killed)'}:\n${printed}`);
  }
  if (usage === null) return { wallSeconds, cpuSeconds: null, peakRssBytes: null };
  const [wall = 0, user = 0, system = 0, kilobytes = 0] = report.split(' ').map(Number);
  return { wallSeconds: wall, cpuSeconds: user + system, peakRssBytes: kilobytes * 1024 };
}
