const lf = 0x0a;
const cr = 0x0d;

/** Mail as IMAP has it: every LF without a CR gets one. */
export class CrlfLines {
  #last = 0;

  /** The slice, a copy where something was missing. */
  push(slice: Buffer): Buffer {
    const bare = this.#bareEnds(slice);
    this.#last = slice[slice.length - 1] ?? this.#last;
    if (bare.length === 0) return slice;
    const whole = Buffer.allocUnsafeSlow(slice.length + bare.length);
    let from = 0;
    let to = 0;
    for (const at of bare) {
      to += slice.copy(whole, to, from, at);
      whole[to++] = cr;
      from = at;
    }
    slice.copy(whole, to, from);
    return whole;
  }

  #bareEnds(slice: Buffer): number[] {
    const found: number[] = [];
    for (let at = slice.indexOf(lf); at !== -1; at = slice.indexOf(lf, at + 1)) {
      if ((at === 0 ? this.#last : slice[at - 1]) !== cr) found.push(at);
    }
    return found;
  }
}
