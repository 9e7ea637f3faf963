/** What a lane has taken on and not finished, in bytes. */
export class LaneLoad {
  #bytes = 0;
  readonly #waiting: (() => void)[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  /** So much of it is done, or lost with the lane. */
  drop(bytes: number): void {
    this.#bytes -= bytes;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when something is dropped from now on. */
  dropped(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
