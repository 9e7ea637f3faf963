/** What waits to be sent: small texts gathered into one buffer, octets handed on as they are. */
export class OutputBuffer {
  #parts: Buffer[] = [];
  #text: string[] = [];
  #textLength = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds text, one latin1 character per byte. */
  text(text: string): void {
    this.#text.push(text);
    this.#textLength += text.length;
    this.#length += text.length;
  }

  /** Adds octets without copying them. */
  octets(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#settleText();
    this.#parts.push(octets);
    this.#length += octets.length;
  }

  /** The first `count` bytes, or all when there are fewer. */
  take(count: number): Buffer[] {
    this.#settleText();
    if (count >= this.#length) {
      const parts = this.#parts;
      this.#parts = [];
      this.#length = 0;
      return parts;
    }
    const taken: Buffer[] = [];
    let wanted = count;
    let whole = 0;
    while (wanted > 0) {
      const part = this.#parts[whole] as Buffer;
      taken.push(part.subarray(0, wanted));
      if (part.length > wanted) {
        this.#parts[whole] = part.subarray(wanted);
        wanted = 0;
      } else {
        wanted -= part.length;
        whole += 1;
      }
    }
    this.#parts.splice(0, whole);
    this.#length -= count;
    return taken;
  }

  clear(): void {
    this.#parts = [];
    this.#text = [];
    this.#textLength = 0;
    this.#length = 0;
  }

  #settleText(): void {
    if (this.#textLength === 0) return;
    this.#parts.push(Buffer.from(this.#text.join(''), 'latin1'));
    this.#text = [];
    this.#textLength = 0;
  }
}
