/**
 * What a terminal shows after some output: enough of one to check progress bars.
 */

const escapeCode = '\u001b';
const tokens = new RegExp(`${escapeCode}\\[(\\??)(\\d*)([A-Za-z])|[^]`, 'gu');

export class Screen {
  readonly rows: string[] = [''];
  cursorHidden = false;
  wrapOff = false;
  #row = 0;
  #column = 0;
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Throws for a control sequence it does not know, so that a test cannot pass by overlooking one. */
  feed(output: string): this {
    for (const [text, mark, number, final] of output.matchAll(tokens)) {
      if (final !== undefined) this.#control(`${mark}${final}`, number === '' ? null : Number(number), text);
      else if (text === escapeCode) throw new Error('an escape that begins no known sequence');
      else if (text === '\n') this.#moveTo(this.#row + 1, 0);
      else if (text === '\r') this.#moveTo(this.#row, 0);
      else this.#put(text);
    }
    return this;
  }

  /** The rows, without spaces and empty rows at the end. */
  get text(): string[] {
    const rows = this.rows.map((row) => row.trimEnd());
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  #control(kind: string, number: number | null, text: string): void {
    const count = number ?? 1;
    if (kind === 'm') return;
    if (kind === 'A') this.#moveTo(Math.max(0, this.#row - count), this.#column);
    else if (kind === 'B') this.#moveTo(this.#row + count, this.#column);
    else if (kind === 'G') this.#moveTo(this.#row, count - 1);
    else if (kind === 'K') this.#erase(number ?? 0);
    else if (kind === 'J' && (number ?? 0) === 0) {
      this.#erase(0);
      this.rows.length = this.#row + 1;
    } else if ((kind === '?h' || kind === '?l') && number === 25) this.cursorHidden = kind === '?l';
    else if ((kind === '?h' || kind === '?l') && number === 7) this.wrapOff = kind === '?l';
    else throw new Error(`unknown control sequence ${JSON.stringify(text)}`);
  }

  #erase(mode: number): void {
    const row = this.rows[this.#row] ?? '';
    this.rows[this.#row] = mode === 0 ? row.slice(0, this.#column) : '';
  }

  #moveTo(row: number, column: number): void {
    this.#row = row;
    this.#column = column;
    while (this.rows.length <= row) this.rows.push('');
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) {
      if (this.wrapOff) this.#column = this.#columns - 1;
      else this.#moveTo(this.#row + 1, 0);
    }
    const row = (this.rows[this.#row] ?? '').padEnd(this.#column);
    this.rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + character.length);
    this.#column += character.length;
  }
}
