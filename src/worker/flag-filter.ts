import { isFlag } from '../protocol/index.ts';

/** The system flags a client may set (RFC 9051 2.3.2); \Recent is the server's own. */
const systemFlags: ReadonlySet<string> = new Set(['\\answered', '\\flagged', '\\deleted', '\\seen', '\\draft']);

/** Flags that a mailbox keeps, and flags that it loses. */
export interface SplitFlags {
  readonly kept: readonly string[];
  readonly lost: readonly string[];
}

/** Splits flags by what a mailbox keeps for good: its PERMANENTFLAGS (RFC 3501 7.1). */
export class FlagFilter {
  readonly #permanent: ReadonlySet<string> | null;
  readonly #keepsNewKeywords: boolean;
  readonly #splits = new WeakMap<readonly string[], SplitFlags>();

  /** `permanentFlags: null`: the server did not say, which means that it keeps every flag. */
  constructor(permanentFlags: readonly string[] | null) {
    this.#permanent = permanentFlags === null ? null : new Set(permanentFlags.map((flag) => flag.toLowerCase()));
    this.#keepsNewKeywords = this.#permanent === null || this.#permanent.has('\\*');
  }

  split(flags: readonly string[]): SplitFlags {
    // Message after message has the same list, which nobody can change.
    if (!Object.isFrozen(flags)) return this.#split(flags);
    let split = this.#splits.get(flags);
    if (split === undefined) {
      split = this.#split(flags);
      this.#splits.set(flags, split);
    }
    return split;
  }

  #split(flags: readonly string[]): SplitFlags {
    const kept: string[] = [];
    const lost: string[] = [];
    for (const flag of flags) {
      const folded = flag.toLowerCase();
      // \Recent belongs to the session that saw the message first; a server answers BAD when a client sets it.
      if (folded === '\\recent') continue;
      if (this.#keeps(folded)) kept.push(flag);
      else lost.push(flag);
    }
    return { kept, lost };
  }

  #keeps(folded: string): boolean {
    // Servers hand out keywords that no client may send (`50%`, 8-bit ones): with one of them the whole APPEND would fail.
    if (!isFlag(folded)) return false;
    if (this.#permanent?.has(folded)) return true;
    // Dovecot refuses a whole APPEND for a backslash flag it does not know (`\$NOTJUNK` has been seen), wildcard or not.
    if (folded.startsWith('\\')) return this.#permanent === null && systemFlags.has(folded);
    return this.#keepsNewKeywords;
  }
}
