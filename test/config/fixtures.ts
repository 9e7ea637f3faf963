import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach } from 'vitest';
import type { Cancel, Clock } from '../../src/clock.ts';

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that is removed when the test is over. */
export function tempDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'imap-migrate-config-'));
  directories.push(directory);
  return directory;
}

/** Writes a file with exactly this mode, whatever the umask, and returns its path. */
export function writeFile(directory: string, name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  chmodSync(path, mode);
  return path;
}

/** The error that `action` ends with; fails where it ends well. */
export async function errorOf(action: Promise<unknown>): Promise<Error> {
  try {
    await action;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`threw ${String(error)}`);
  }
  throw new Error('did not throw');
}

/** Everything that could be printed of an error: message, stack, causes, hidden properties. */
export function everythingOf(error: unknown): string {
  return inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
}

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #due = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const call = () => callback();
    this.#due.set(call, this.#now + delayMs);
    return () => this.#due.delete(call);
  }

  get pending(): number {
    return this.#due.size;
  }

  advance(byMs: number): void {
    this.#now += byMs;
    for (const [call, at] of this.#due) {
      if (at > this.#now) continue;
      this.#due.delete(call);
      call();
    }
  }
}
