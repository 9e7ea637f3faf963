import type { FetchData } from '../protocol/index.ts';
import type { FlagTable } from './contract.ts';

/** Collects FETCH responses with UID and FLAGS into columns. The last word on a message counts. */
export class FlagRows {
  readonly #flags = new Map<number, number>();
  readonly #flagSets = new Map<string, number>();

  /** Takes one response; one without UID or FLAGS is passed over. */
  add({ uid, flags }: Pick<FetchData, 'uid' | 'flags'>): void {
    if (uid === undefined || flags === undefined) return;
    const text = flags.filter((flag) => flag.toLowerCase() !== '\\recent').join(' ');
    let index = this.#flagSets.get(text);
    if (index === undefined) {
      index = this.#flagSets.size;
      this.#flagSets.set(text, index);
    }
    this.#flags.set(uid, index);
  }

  columns(): Pick<FlagTable, 'uids' | 'flags' | 'flagSets'> {
    const uids = Uint32Array.from(this.#flags.keys()).sort();
    const flags = uids.map((uid) => this.#flags.get(uid) ?? 0);
    return { uids, flags, flagSets: [...this.#flagSets.keys()] };
  }
}
