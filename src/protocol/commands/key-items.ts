import type { FetchData } from '../fetch-data.ts';
import { fieldOf } from '../message-items.ts';

/**
 * Tells an answer from news: servers volunteer FETCH responses with flags at any time, so a response counts only when it
 * has what nobody sends unasked. Where flags themselves were asked for, they are what counts.
 */
export class KeyItems {
  #body = false;
  #size = false;
  #internalDate = false;
  #sections = false;
  #flags = false;
  #modSeq = false;
  readonly #others: ((data: FetchData) => boolean)[] = [];

  /** @param items as asked for */
  constructor(items: readonly string[], changedSince: boolean) {
    const names = items.map((item) => item.toUpperCase());
    const still = names.filter((name) => name !== 'UID' && !volatile.has(name));
    for (const name of still.length > 0 ? still : names) this.#add(name);
    if (still.length === 0 && changedSince) this.#modSeq = true;
  }

  /** True when the response has them all. Hot: called for each message, so what is common is asked without a call. */
  areIn(data: FetchData): boolean {
    return (
      (!this.#body || data.body !== undefined) &&
      (!this.#size || data.size !== undefined) &&
      (!this.#internalDate || data.internalDate !== undefined) &&
      (!this.#sections || data.sections !== undefined) &&
      (!this.#flags || data.flags !== undefined) &&
      (!this.#modSeq || data.modSeq !== undefined) &&
      (this.#others.length === 0 || this.#others.every((isIn) => isIn(data)))
    );
  }

  #add(name: string): void {
    switch (name) {
      case 'UID':
        break;
      case 'FLAGS':
        this.#flags = true;
        break;
      case 'MODSEQ':
        this.#modSeq = true;
        break;
      case 'RFC822.SIZE':
      case 'ALL':
      case 'FAST':
      case 'FULL':
        this.#size = true;
        break;
      case 'INTERNALDATE':
        this.#internalDate = true;
        break;
      case 'RFC822':
      case 'BODY[]':
      case 'BODY.PEEK[]':
        this.#body = true;
        break;
      case 'RFC822.HEADER':
      case 'RFC822.TEXT':
        this.#sections = true;
        break;
      default:
        // Spelling of section names is the server's affair: that there is one has to do.
        if (/^(BODY(\.PEEK)?|BINARY(\.PEEK)?)\[/.test(name)) this.#sections = true;
        else this.#others.push(otherTest(name));
    }
  }
}

/** What a server tells of its own accord. */
const volatile: ReadonlySet<string> = new Set(['FLAGS', 'MODSEQ', 'X-GM-LABELS']);

function otherTest(name: string): (data: FetchData) => boolean {
  const field = fieldOf(name);
  if (field === null) return (data) => data.other?.has(name) === true;
  return (data) => data.items?.[field] !== undefined;
}
