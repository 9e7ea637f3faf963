/**
 * Sets of flags and their ids. An account has few different ones.
 */

import { rowCrc, type Tally } from './checksum.ts';
import type { Database, Statement } from './database.ts';
import { DamageError } from './failure.ts';
import { toStoredText } from './stored-text.ts';

export class FlagSets {
  readonly #putFlagSet: Statement;
  readonly #sets: string[];
  readonly #rows: Tally;
  /** Ids by text, as it was given and as it is stored. */
  readonly #ids = new Map<string, number>();

  /** `sets`: those in the file, to be added to; the set of id n stands at n - 1. `rows` counts their rows. */
  constructor(db: Database, sets: string[], rows: Tally) {
    this.#putFlagSet = db.prepare('INSERT INTO flag_sets (id, flags, crc) VALUES (?, ?, ?)');
    this.#sets = sets;
    this.#rows = rows;
    for (const [index, flags] of sets.entries()) this.#ids.set(flags, index + 1);
  }

  /** The ids of a column of indexes into `flagSets`. */
  idsOf(flags: Uint32Array, flagSets: readonly string[]): Uint32Array {
    const ids = flagSets.map((text) => this.#idOf(text));
    return flags.map((set) => ids[set] ?? 0);
  }

  #idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const flags = toStoredText(text);
    const id = this.#ids.get(flags) ?? this.#add(flags);
    this.#ids.set(text, id);
    return id;
  }

  #add(flags: string): number {
    const id = this.#sets.push(flags);
    const crc = rowCrc([id, flags]);
    this.#putFlagSet.run(id, flags, crc);
    this.#rows.add(crc);
    this.#ids.set(flags, id);
    return id;
  }
}

/** The flags of an id; the set of id n stands at n - 1 of `sets`. @throws DamageError where there is none */
export function flagSetOf(id: number, sets: readonly string[]): string {
  const flags = sets[id - 1];
  if (flags === undefined) throw new DamageError(`flag set ${id} is missing`);
  return flags;
}

/**
 * Replaces ids, in place, by indexes into the list that is answered, of the sets that occur: one folder's sets are few, the
 * journal's may be many.
 * @throws DamageError as `flagSetOf`
 */
export function narrowFlagSets(flags: Uint32Array, sets: readonly string[]): string[] {
  const narrow: string[] = [];
  const indexOf = new Map<number, number>();
  for (const [row, id] of flags.entries()) {
    let index = indexOf.get(id);
    if (index === undefined) {
      index = narrow.push(flagSetOf(id, sets)) - 1;
      indexOf.set(id, index);
    }
    flags[row] = index;
  }
  return narrow;
}
