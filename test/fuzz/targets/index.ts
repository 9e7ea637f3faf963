import type { FuzzTarget } from '../target.ts';
import { answerTargets } from './answers.ts';
import { inflateTarget } from './inflate.ts';
import { journalTargets } from './journal.ts';
import { responseTargets } from './responses.ts';
import { textTargets } from './texts.ts';
import { valueTargets } from './values.ts';

/** Every target, each with a name of its own. */
export async function fuzzTargets(): Promise<FuzzTarget[]> {
  return [
    ...(await responseTargets()),
    ...valueTargets(),
    ...answerTargets(),
    inflateTarget,
    ...textTargets,
    ...(await journalTargets()),
  ];
}
