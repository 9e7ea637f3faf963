import { inspect, isDeepStrictEqual } from 'node:util';

/** What is shown of a value: of two big ones, all that differs would be more than memory holds. */
const shown = { depth: 6, maxArrayLength: 100, maxStringLength: 2_000, breakLength: 120 };

/** Throws unless the values are deeply equal. Costs no memory where they are, however big, and little where they are not. */
export function assertSame(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}\n${inspect(actual, shown)}\ninstead of\n${inspect(expected, shown)}`);
}
