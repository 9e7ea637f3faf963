/** Whoever passes has to wait while it is held. */
export class Gate {
  #open: Promise<void> | null = null;
  #release: (() => void) | null = null;

  hold(): void {
    this.#open ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release?.();
    this.#open = null;
    this.#release = null;
  }

  /** Resolves when nobody holds it; those who wait pass in the order they came. */
  async passed(): Promise<void> {
    while (this.#open !== null) await this.#open;
  }
}
