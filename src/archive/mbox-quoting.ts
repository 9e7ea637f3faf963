/**
 * mboxrd quoting: in a message, a line that begins with any number of `>` and `From ` gets one `>` more, header lines
 * included, and loses it again. So every byte comes back. A line begins at the beginning and behind each LF; a lone CR
 * ends none.
 */
import { fromWord } from './mbox-from.ts';

const lf = 0x0a;
const angle = 0x3e;
const quote = Buffer.from('>');

/** In the middle of a line. */
const within = -1;

/**
 * Quotes or unquotes a message slice by slice. What comes out are views of what went in, in order; the last few bytes of a
 * slice are kept back where they may be the beginning of such a line.
 */
export class FromQuoting {
  readonly #kind: 'quote' | 'unquote';
  /** How much of `From ` the line has so far, behind its `>`; or `within`. */
  #matched = 0;
  /** The `>` before that. */
  #heldQuote: Buffer | null = null;
  /** What has been matched, where it was not in the slice at hand. */
  #heldWord: Buffer[] = [];
  #foundBare = false;

  constructor(kind: 'quote' | 'unquote') {
    this.#kind = kind;
  }

  /** A line began with `From ` and no `>`. */
  get foundBare(): boolean {
    return this.#foundBare;
  }

  /** Puts what is certain of the message so far behind `out`. */
  push(slice: Buffer, out: Buffer[]): void {
    if (slice.length === 0) return;
    const start = { at: 0, from: 0 };
    if (this.#matched !== within && !this.#goOn(slice, start, out)) return;
    let { from } = start;
    for (
      let hit = slice.indexOf(fromWord, start.at);
      hit !== -1;
      hit = slice.indexOf(fromWord, hit + fromWord.length)
    ) {
      const line = lineBefore(slice, hit, start.at);
      if (line === null) continue;
      from = this.#edit(slice, from, hit, hit > line ? hit - 1 : null, out);
    }
    this.#holdEnd(slice, start.at, from, out);
  }

  /** The last bytes of the message. */
  end(out: Buffer[]): void {
    this.#release(out);
  }

  /** Goes on with a line from an earlier slice; false: the slice ends before it is known what that is. */
  #goOn(slice: Buffer, start: { at: number; from: number }, out: Buffer[]): boolean {
    let at = 0;
    let angleAt: number | null = null;
    let wordAt: number | null = null;
    while (at < slice.length) {
      if (this.#matched === 0 && slice[at] === angle) {
        this.#release(out);
        angleAt = at++;
      } else if (slice[at] === fromWord[this.#matched]) {
        if (this.#matched++ === 0) wordAt = at;
        at++;
        if (this.#matched < fromWord.length) continue;
        start.from = wordAt === null ? this.#editHeld(out) : this.#editFrom(slice, wordAt, angleAt, out);
        start.at = at;
        this.#matched = within;
        return true;
      } else {
        this.#matched = within;
        this.#release(out);
        start.at = at;
        return true;
      }
    }
    this.#hold(slice, 0, angleAt, wordAt ?? (angleAt === null ? 0 : slice.length), out);
    return false;
  }

  /** The same as `#edit`, where the `>` may have been kept back. */
  #editFrom(slice: Buffer, wordAt: number, angleAt: number | null, out: Buffer[]): number {
    if (this.#heldQuote === null) return this.#edit(slice, 0, wordAt, angleAt, out);
    if (this.#kind === 'quote') out.push(this.#heldQuote, quote);
    this.#heldQuote = null;
    return wordAt;
  }

  /** A line was found of which all of `From ` but its end has been kept back. */
  #editHeld(out: Buffer[]): number {
    if (this.#kind === 'quote') out.push(quote);
    else if (this.#heldQuote === null) this.#foundBare = true;
    else this.#heldQuote = null;
    this.#release(out);
    return 0;
  }

  /** A line was found whose `From ` is at `wordAt`; tells from where on the slice has not come out yet. */
  #edit(slice: Buffer, from: number, wordAt: number, angleAt: number | null, out: Buffer[]): number {
    if (this.#kind === 'quote') {
      if (wordAt > from) out.push(slice.subarray(from, wordAt));
      out.push(quote);
      return wordAt;
    }
    if (angleAt === null) {
      this.#foundBare = true;
      return from;
    }
    if (angleAt > from) out.push(slice.subarray(from, angleAt));
    return angleAt + 1;
  }

  /** The slice from `from` on comes out, but for what may begin such a line at its end. */
  #holdEnd(slice: Buffer, start: number, from: number, out: Buffer[]): void {
    const wordAt = slice.length - partAtEnd(slice, start);
    const line = lineBefore(slice, wordAt, start);
    if (line === null) {
      this.#matched = within;
      if (from < slice.length) out.push(from === 0 ? slice : slice.subarray(from));
      return;
    }
    this.#matched = slice.length - wordAt;
    this.#hold(slice, from, wordAt > line ? wordAt - 1 : null, wordAt, out);
  }

  #hold(slice: Buffer, from: number, angleAt: number | null, wordAt: number, out: Buffer[]): void {
    const end = angleAt ?? wordAt;
    if (end > from) out.push(from === 0 && end === slice.length ? slice : slice.subarray(from, end));
    if (angleAt !== null) this.#heldQuote = slice.subarray(angleAt, angleAt + 1);
    if (wordAt < slice.length) this.#heldWord.push(slice.subarray(wordAt));
  }

  #release(out: Buffer[]): void {
    if (this.#heldQuote !== null) out.push(this.#heldQuote);
    out.push(...this.#heldWord);
    this.#heldQuote = null;
    this.#heldWord = [];
  }
}

/** Where the line begins that has nothing but `>` before `at`; `null`: it has more, or began before `start`. */
function lineBefore(slice: Buffer, at: number, start: number): number | null {
  let line = at;
  while (line > start && slice[line - 1] === angle) line--;
  return line > start && slice[line - 1] === lf ? line : null;
}

/** How many bytes at the end are the beginning of `From `, all of it excepted. */
function partAtEnd(slice: Buffer, start: number): number {
  const most = Math.min(fromWord.length - 1, slice.length - start);
  for (let length = most; length > 0; length--) {
    if (fromWord.compare(slice, slice.length - length, slice.length, 0, length) === 0) return length;
  }
  return 0;
}

/** A body as it is stored, and its bytes then. The slices are views of the body's. */
export function quoteBody(chunks: readonly Buffer[]): { readonly slices: Buffer[]; readonly bytes: number } {
  const quoting = new FromQuoting('quote');
  const slices: Buffer[] = [];
  for (const chunk of chunks) quoting.push(chunk, slices);
  quoting.end(slices);
  let bytes = 0;
  for (const slice of slices) bytes += slice.length;
  return { slices, bytes };
}
