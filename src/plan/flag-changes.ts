/**
 * What has to be changed in the flags of messages that are at the target already.
 */
import type { FlagPolicy } from './types.ts';

/** Flags of messages, in columns, ascending by UID. */
export interface FlagColumns {
  readonly uids: Uint32Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  /** Flags joined by blanks. */
  readonly flagSets: readonly string[];
}

/** One change, and the source messages (ascending) it concerns. */
export interface FlagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** All flags the target has been given then, joined by blanks. */
  readonly flags: string;
  readonly uids: readonly number[];
}

/**
 * Compares the flags as last applied with the flags as they are now; messages that are in one of the two only are passed
 * over. Flags are equal whatever their case (RFC 9051 2.3.2), and \Recent is none. Linear in the number of messages.
 */
export function flagChanges(applied: FlagColumns, now: FlagColumns, policy: Exclude<FlagPolicy, 'once'>): FlagChange[] {
  const changes = new Map<string, FlagChange & { uids: number[] }>();
  let at = 0;
  for (let row = 0; row < now.uids.length; row++) {
    const uid = now.uids[row] ?? 0;
    while (at < applied.uids.length && (applied.uids[at] ?? 0) < uid) at++;
    if (applied.uids[at] !== uid) continue;
    const [before, after] = [applied.flags[at] ?? 0, now.flags[row] ?? 0];
    const key = `${before} ${after}`;
    let change = changes.get(key);
    if (change === undefined) {
      const flags = now.flagSets[after] ?? '';
      const [old, current] = [foldedFlags(applied.flagSets[before] ?? ''), foldedFlags(flags)];
      const add = missingIn(old, current);
      change =
        policy === 'merge'
          ? { add, remove: [], flags: [...old.values(), ...add].join(' '), uids: [] }
          : { add, remove: missingIn(current, old), flags, uids: [] };
      changes.set(key, change);
    }
    change.uids.push(uid);
  }
  return [...changes.values()].filter(({ add, remove }) => add.length + remove.length > 0);
}

/** Lower case -> as written. */
function foldedFlags(text: string): Map<string, string> {
  const flags = new Map<string, string>();
  for (const flag of text.split(' ')) if (flag !== '') flags.set(flag.toLowerCase(), flag);
  flags.delete('\\recent');
  return flags;
}

/** Flags of `flags` that `known` lacks. */
function missingIn(known: ReadonlyMap<string, string>, flags: ReadonlyMap<string, string>): string[] {
  return [...flags].flatMap(([folded, flag]) => (known.has(folded) ? [] : [flag]));
}
