/** Whole Node processes, measured from their start to their exit. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** What a process used up to its end. */
export interface ProcessUsage {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly peakRssBytes: number;
}

export interface MeasuredRun extends ProcessUsage {
  /** From just before the process is started until it is gone. */
  readonly wallSeconds: number;
}

const patienceMs = 5 * 60_000;
const entry = join(import.meta.dirname, 'measured-process.js');

/**
 * Runs `node SCRIPT ARGS...`.
 * @throws Error with the end of what it printed, unless it ends with exit code 0
 */
export async function measureRun(script: string, args: readonly string[]): Promise<MeasuredRun> {
  const start = performance.now();
  const child = spawn(process.execPath, [entry, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  const output = Promise.all([child.stdio[1], child.stdio[2], child.stdio[3]].map((pipe) => text(pipe as Readable)));
  const [exitCode, wallSeconds] = await new Promise<[number | null, number]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve([code, (performance.now() - start) / 1000]));
  });
  const [stdout = '', stderr = '', usage = ''] = await output;
  if (exitCode !== 0) {
    const printed = `${stdout}${stderr}`.slice(-4000).trim();
    throw new Error(`${script} ended with exit code ${exitCode ?? 'none (killed)'}:\n${printed}`);
  }
  return { wallSeconds, ...(JSON.parse(usage) as ProcessUsage) };
}
