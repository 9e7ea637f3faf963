/** What a client says and hears on one connection, line by line, without what is inside literals. */

/** Longer lines are cut. */
const maxChars = 120;

export class LineLog {
  readonly #connection: number;
  readonly #lines: string[];
  readonly #now: () => number;
  readonly #sent = new LineScanner();
  readonly #received = new LineScanner();

  /** Appends to `lines`: `<ms> <connection> > <what was sent>`, or `<` for what was received. */
  constructor(connection: number, lines: string[], now: () => number = () => performance.now()) {
    this.#connection = connection;
    this.#lines = lines;
    this.#now = now;
    this.#add('-', 'connected');
  }

  sent(chunk: Buffer): void {
    for (const line of this.#sent.push(chunk)) {
      this.#add('>', line.replace(/^(\S+ (?:LOGIN|AUTHENTICATE \S+)).*/i, '$1'));
    }
  }

  received(chunk: Buffer): void {
    for (const line of this.#received.push(chunk)) this.#add('<', line);
  }

  #add(mark: string, line: string): void {
    this.#lines.push(`${this.#now().toFixed(1)} ${this.#connection} ${mark} ${line}\n`);
  }
}

class LineScanner {
  #line = '';
  #literal = 0;

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#literal > 0) {
        const skipped = Math.min(this.#literal, chunk.length - at);
        this.#literal -= skipped;
        at += skipped;
        continue;
      }
      const end = chunk.indexOf(10, at);
      this.#line += chunk.toString('latin1', at, end === -1 ? chunk.length : end + 1);
      if (end === -1) break;
      at = end + 1;
      this.#literal = Number(/\{(\d+)\+?\}\r\n$/.exec(this.#line)?.[1] ?? 0);
      lines.push(this.#line.trimEnd().slice(0, maxChars));
      this.#line = '';
    }
    return lines;
  }
}
