import type { Frame } from './frame.ts';

/** Slices below this are small. */
export const smallSlice = 1024;
const poolBytes = 16 * 1024;

/**
 * Memory for literals that dribble in: each tiny chunk would cost an object and keep its memory. A small slice that follows
 * a small one is copied here instead, where neighbours grow together.
 */
export class SlicePool {
  #memory = Buffer.alloc(0);
  #used = 0;

  /** Takes the next bytes of the frame's literal, and says whether it did: the first of a literal and most others are left. */
  take(frame: Frame, chunk: Buffer, start: number, bytes: number): boolean {
    const before = frame.lastSliceLength();
    if (before === -1) return false;
    const fits = this.#used + bytes <= this.#memory.length;
    const grows = fits && frame.extendLastSlice(this.#memory, this.#used, bytes);
    if (!grows && before >= smallSlice) return false;
    if (!fits) {
      this.#memory = Buffer.allocUnsafeSlow(poolBytes);
      this.#used = 0;
    }
    chunk.copy(this.#memory, this.#used, start, start + bytes);
    if (!grows) frame.addSlice(this.#memory, this.#used, this.#used + bytes);
    this.#used += bytes;
    return true;
  }
}
