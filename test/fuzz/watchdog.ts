import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Effort, type Patience } from './effort.ts';

/** Ends the process, with seed and input, where one input keeps its thread busy for good: no timer fires then. */
const patience: Patience = { maxMs: 30_000, maxIdleLooks: 240 };
const lookMs = 250;

/** More than any input needs, in bytes, and less than what Node ends the process for without a word of the input. */
const maxResident = 900 * 1024 * 1024;
const maxInput = 1024 * 1024;

interface Shared {
  /** A counter that changes with every input, the iteration, the lengths of the text and the input in `bytes`. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

export class Watchdog {
  readonly #shared: Shared = {
    words: new Int32Array(new SharedArrayBuffer(16)),
    bytes: new Uint8Array(new SharedArrayBuffer(maxInput + 1024)),
  };
  readonly #thread: Worker;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#thread = new Worker(new URL(import.meta.url), { workerData: this.#shared });
  }

  /** Says what is being worked on from now on. */
  watch(target: string, iteration: number, input: Buffer): void {
    const { words, bytes } = this.#shared;
    const text = Buffer.from(`${target} --seed ${this.#seed}`);
    bytes.set(text);
    bytes.set(input.subarray(0, maxInput), text.length);
    words[1] = iteration;
    words[2] = text.length;
    words[3] = Math.min(input.length, maxInput);
    Atomics.add(words, 0, 1);
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

function guard({ words, bytes }: Shared): void {
  let seen = -1;
  let effort = new Effort(patience);
  setInterval(() => {
    const now = Atomics.load(words, 0);
    if (now !== seen) {
      seen = now;
      effort = new Effort(patience);
    }
    const resident = process.memoryUsage.rss();
    const excess = resident > maxResident ? `has ${Math.round(resident / 1024 / 1024)} MiB in use` : effort.look();
    if (excess === null) return;
    const [, iteration = 0, textLength = 0, inputLength = 0] = words;
    const text = Buffer.from(bytes.slice(0, textLength)).toString();
    const input = Buffer.from(bytes.slice(textLength, textLength + inputLength)).toString('base64');
    writeSync(2, `fuzz: ${text}, iteration ${iteration}, ${excess}, with the input (base64)\n${input}\n`);
    process.kill(process.pid, 'SIGKILL');
  }, lookMs);
}

if (!isMainThread) guard(workerData as Shared);
