import { Effort, type Patience } from './effort.ts';
import type { FuzzTarget } from './target.ts';

/** An input is worked through in milliseconds; what takes this long would hold up a migration. */
const patience: Patience = { maxMs: 10_000, maxIdleLooks: 10 };
const lookMs = 1_000;

/**
 * By how much one input may raise the most that the process has ever had, in bytes: a few times what the largest result
 * takes (`maxSearchHits`).
 */
const maxRise = 384 * 1024 * 1024;

const stray: unknown[] = [];

/** Counts every rejection that nobody handles, until the process ends, to the input of its time. */
export function watchRejections(): void {
  process.on('unhandledRejection', (reason) => stray.push(reason));
  process.on('uncaughtException', (error) => stray.push(error));
}

/** Checks one input. What is wrong with it, null: nothing. Never rejects. */
export async function attempt(target: FuzzTarget, input: Buffer): Promise<Error | null> {
  const effort = new Effort(patience);
  const peak = peakBytes();
  let timer: NodeJS.Timeout | undefined;
  try {
    const checked = target.check(Buffer.from(input));
    if (checked !== undefined) {
      const late = new Promise<never>((_, reject) => {
        timer = setInterval(() => {
          const excess = effort.look();
          if (excess !== null) reject(new Error(excess));
        }, lookMs);
      });
      await Promise.race([checked, late]);
      // A rejection is told of once the microtasks are done.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    return toError(error);
  } finally {
    clearInterval(timer);
  }
  const [first] = stray.splice(0);
  if (first !== undefined) return new Error('an error that nobody handles', { cause: first });
  const rise = peakBytes() - peak;
  const excess = rise > maxRise ? `took ${Math.round(rise / 1024 / 1024)} MiB of memory` : effort.excess;
  return excess === null ? null : new Error(excess);
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('what was thrown is no error', { cause: error });
}
