import type { FuzzTarget } from './target.ts';

/** An input is worked through in milliseconds; what takes this long would hold up a migration. */
const maxMs = 10_000;

const stray: unknown[] = [];

/** Counts every rejection that nobody handles, until the process ends, to the input of its time. */
export function watchRejections(): void {
  process.on('unhandledRejection', (reason) => stray.push(reason));
  process.on('uncaughtException', (error) => stray.push(error));
}

/** Checks one input. What is wrong with it, null: nothing. Never rejects. */
export async function attempt(target: FuzzTarget, input: Buffer): Promise<Error | null> {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    const checked = target.check(Buffer.from(input));
    if (checked !== undefined) {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`does not end within ${maxMs} ms`)), maxMs);
      });
      await Promise.race([checked, late]);
      // A rejection is told of once the microtasks are done.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    return toError(error);
  } finally {
    clearTimeout(timer);
  }
  const [first] = stray.splice(0);
  if (first !== undefined) return new Error('an error that nobody handles', { cause: first });
  const ms = performance.now() - start;
  return ms > maxMs ? new Error(`takes ${Math.round(ms)} ms`) : null;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('what was thrown is no error', { cause: error });
}
