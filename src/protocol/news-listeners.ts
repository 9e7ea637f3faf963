import type { Unsolicited } from './unsolicited.ts';

/** What a client tells: news by their kinds, all of them as `news`, and the end of the session as `close`. */
export type ClientEvents = { readonly [News in Unsolicited as News['kind']]: News } & {
  readonly news: Unsolicited;
  readonly close: Error;
};

/** Who wants to hear what. */
export class NewsListeners {
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  /** Calls `listener` for each event of that name; the result ends it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    // A copy: a listener may end itself.
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(event as never);
  }
}
