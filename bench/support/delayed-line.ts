/** Lines of a given length, each a process of its own (`delay-proxy.ts`), and what they are worth. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RawImap } from '../../test/support/imap-raw.ts';
import type { AccountAccess } from '../../test/support/servers/instance.ts';
import type { DelayProxySettings } from './delay-proxy.ts';
import { spreadOf } from './spread.ts';

const pings = 15;

export class DelayedLine implements AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Files of its own go to `dir` under `name`. */
  static async open(dir: string, name: string, settings: DelayProxySettings): Promise<DelayedLine> {
    const file = join(dir, `${name}.json`);
    writeFileSync(file, JSON.stringify(settings));
    const { process, port } = await startPrinting('delay-proxy.js', file);
    return new DelayedLine(process, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endProcess(this.#process);
  }
}

/** The median time of a NOOP, in ms. */
export async function measureRtt(access: AccountAccess): Promise<number> {
  await using client = await RawImap.open(access);
  const times: number[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const start = performance.now();
    await client.command('NOOP');
    times.push(performance.now() - start);
  }
  return spreadOf(times).median;
}

export interface LineRates {
  /** Bytes per second of one connection. */
  readonly direct: number;
  readonly proxied: number;
  readonly delayed: number;
}

/** How fast bytes come without a proxy, through one that delays nothing, and through one with 80 ms. */
export async function measureRates(dir: string): Promise<LineRates> {
  const source = await startPrinting('byte-source.js');
  try {
    const through = async (rttMs: number): Promise<number> => {
      const settings = { port: source.port, rttMs, windowBytes: null, logFile: null };
      await using line = await DelayedLine.open(dir, `rate-${rttMs}`, settings);
      return await rateOf(line.port);
    };
    return { direct: await rateOf(source.port), proxied: await through(0), delayed: await through(80) };
  } finally {
    await endProcess(source.process);
  }
}

/** Reads to the end; the time before the first byte does not count. */
function rateOf(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let start = 0;
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      if (bytes === 0) start = performance.now();
      bytes += chunk.length;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve((bytes / (performance.now() - start)) * 1000));
  });
}

/** Starts one of the programs beside this one; its first line is the port it listens on. */
async function startPrinting(program: string, ...args: string[]): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${program} ended with exit code ${code}`)));
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
  });
  return { process: child, port };
}

/** They end when nobody holds their standard input any more. */
async function endProcess(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null) return;
  child.stdin?.end();
  await ended;
}
