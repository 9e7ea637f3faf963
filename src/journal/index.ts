/** The front door of the journal. */

import type { Journal, OpenOptions } from './types.ts';

export type * from './types.ts';
export { verdictKinds } from './types.ts';

export declare function openJournal(
  stateDir: string,
  source: string,
  target: string,
  options?: OpenOptions,
): Promise<Journal>;

export declare function peekJournal(
  stateDir: string,
  source: string,
  target: string,
  options?: OpenOptions,
): Promise<Journal | null>;
