/** What may stay behind after the first round, which fills caches, in bytes. */
const maxGrowth = 48 * 1024 * 1024;

/** Watches what is alive after a collection. Needs `--expose-gc`. */
export class Memory {
  readonly #byTarget = new Map<string, number>();
  #beforeTurn = liveBytes();
  #first: number | null = null;
  #last = 0;
  #rounds = 0;

  /** After a target's turn, or (null) after a round of all. */
  note(target: string | null): void {
    const live = liveBytes();
    if (target === null) {
      this.#rounds++;
      if (this.#first === null) this.#byTarget.clear();
      this.#first ??= live;
      this.#last = live;
    } else this.#byTarget.set(target, (this.#byTarget.get(target) ?? 0) + live - this.#beforeTurn);
    this.#beforeTurn = live;
  }

  report(): { readonly line: string; readonly tooMuch: boolean } {
    const first = this.#first ?? 0;
    const tooMuch = this.#last - first > maxGrowth;
    const [worst] = [...this.#byTarget].sort(([, a], [, b]) => b - a);
    const most = worst === undefined ? '' : `; most for ${worst[0]}: ${mib(worst[1])}`;
    const line = `alive after round 1: ${mib(first)}, after round ${this.#rounds}: ${mib(this.#last)}${most}`;
    return { line: tooMuch ? `FAILED memory: ${line}` : line, tooMuch };
  }
}

function liveBytes(): number {
  if (globalThis.gc === undefined) throw new Error('--expose-gc is missing');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
