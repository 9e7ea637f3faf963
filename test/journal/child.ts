/** A process that uses a journal and is killed. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface Child {
  readonly pid: number;
  /** Resolves with every line said so far when `count` of them are there, or when the process ends. */
  lines(count: number): Promise<readonly string[]>;
  /** SIGKILL, and everything it had said. */
  kill(): Promise<readonly string[]>;
}

/** Runs `script`, an ES module, in a Node process of its own. */
export function startChild(script: string): Child {
  const process_: ChildProcessByStdio<null, Readable, null> = spawn(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  const input: Interface = createInterface({ input: process_.stdout });
  let waiting: { count: number; resolve: () => void }[] = [];
  const wake = (isOver: boolean) => {
    for (const { count, resolve } of waiting) if (isOver || said.length >= count) resolve();
    waiting = waiting.filter(({ count }) => !isOver && said.length < count);
  };
  input.on('line', (line) => {
    said.push(line);
    wake(false);
  });
  let isOver = false;
  const over = new Promise<void>((resolve) => {
    input.on('close', () => {
      isOver = true;
      wake(true);
      resolve();
    });
  });
  return {
    pid: process_.pid ?? 0,
    async lines(count) {
      if (said.length < count && !isOver) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return said;
    },
    async kill() {
      process_.kill('SIGKILL');
      await over;
      return said;
    },
  };
}
