import { setFlagsFromString } from 'node:v8';

/** How much a function has to do before it is optimized, in V8's own measure: six times the usual. */
const interruptBudget = 800_000;

/** The first version of V8 that measures otherwise. */
const nextMeasure = 13;

/**
 * Has the engine optimize what runs for long, not all that runs: every thread compiles for itself, and in a copy of some
 * seconds that is a fifth of all its processor time, of which little comes back. To be called when everything is loaded:
 * compiled code that was kept, Node's own included, is taken only while the flags are as usual. `v8Version` as in
 * `process.versions`.
 */
export function optimizeLater(v8Version: string, setFlags: (flags: string) => void = setFlagsFromString): void {
  // A flag that the engine does not know would be complained about on the terminal.
  if (Number.parseInt(v8Version, 10) < nextMeasure) setFlags(`--interrupt-budget=${interruptBudget}`);
}
