import { bad } from './answer.ts';

/** A piece of a command: text between literals (bytes as latin1), or a literal's octets. */
export type CommandPart = string | Buffer;

// Classes are spelled by what they hold: printable ASCII without the specials of RFC 3501 9.
const atomChars = /[!#$&'+-[^-z|}~]+/y;
const astringChars = /[!#$&'+-[\]^-z|}~]+/y;
const listChars = /[!#$%&'*+-[\]^-z|}~]+/y;
const setChars = /[0-9:,*]+/y;
const digits = /[0-9]+/y;

/**
 * A cursor over the arguments of one command. Strings come back as latin1, one character per byte.
 * Every method throws a BAD refusal when the argument is not there.
 */
export class Arguments {
  readonly #parts: readonly CommandPart[];
  #part = 0;
  #at = 0;

  constructor(parts: readonly CommandPart[]) {
    this.#parts = parts;
  }

  /** Nothing is left. */
  get atEnd(): boolean {
    return this.#part >= this.#parts.length - 1 && this.#at >= this.#text.length;
  }

  /** The next character, `''` before a literal or at the end. */
  get next(): string {
    return this.#text[this.#at] ?? '';
  }

  end(): void {
    if (!this.atEnd) throw bad('Unknown or extra arguments');
  }

  space(): void {
    this.expect(' ');
  }

  /** Takes one character. */
  expect(character: string): void {
    if (!this.accept(character)) throw bad(`Missing ${character === ' ' ? 'argument' : `"${character}"`}`);
  }

  accept(character: string): boolean {
    if (this.next !== character) return false;
    this.#at += 1;
    return true;
  }

  /** Takes the given upper-case text, spelled in any case. */
  acceptWord(word: string): boolean {
    if (this.#text.slice(this.#at, this.#at + word.length).toUpperCase() !== word) return false;
    this.#at += word.length;
    return true;
  }

  atom(): string {
    return this.run(atomChars, 'an atom');
  }

  /** An atom in upper case. */
  keyword(): string {
    return this.atom().toUpperCase();
  }

  number(): number {
    const word = this.run(digits, 'a number');
    const value = Number(word);
    if (!Number.isSafeInteger(value)) throw bad('Number too large');
    return value;
  }

  sequenceSet(): string {
    return this.run(setChars, 'a message set');
  }

  astring(): string {
    return this.#atString() ? this.string() : this.run(astringChars, 'a string');
  }

  /** Quoted or literal. */
  string(): string {
    this.#atString();
    const part = this.#parts[this.#part];
    if (typeof part === 'object') {
      this.#part += 1;
      this.#at = 0;
      return part.toString('latin1');
    }
    return this.#quoted();
  }

  /** A mailbox name as in LIST: wild cards allowed. */
  listMailbox(): string {
    return this.#atString() ? this.string() : this.run(listChars, 'a mailbox pattern');
  }

  /** A string or NIL. */
  nstring(): string | null {
    if (this.#atString()) return this.string();
    if (this.keyword() !== 'NIL') throw bad('Expected a string or NIL');
    return null;
  }

  /** `\Seen` or a keyword, spelled as sent. */
  flag(): string {
    const backslash = this.accept('\\') ? '\\' : '';
    return backslash + this.atom();
  }

  /** `(item item …)`, possibly empty. */
  list<T>(item: () => T): T[] {
    const items: T[] = [];
    this.expect('(');
    if (this.accept(')')) return items;
    do items.push(item());
    while (this.accept(' '));
    this.expect(')');
    return items;
  }

  /** What the pattern (sticky) matches here. */
  run(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const word = pattern.exec(this.#text)?.[0];
    if (word === undefined) throw bad(`Expected ${what}`);
    this.#at += word.length;
    return word;
  }

  /** The text part under the cursor; `''` when that is a literal. */
  get #text(): string {
    const part = this.#parts[this.#part];
    return typeof part === 'string' ? part : '';
  }

  /** Steps onto a literal that follows, and says whether a string (quoted or literal) stands here. */
  #atString(): boolean {
    if (this.#at >= this.#text.length && typeof this.#parts[this.#part + 1] === 'object') {
      this.#part += 1;
      this.#at = 0;
    }
    return typeof this.#parts[this.#part] === 'object' || this.next === '"';
  }

  #quoted(): string {
    this.expect('"');
    const text = this.#text;
    let value = '';
    for (;;) {
      const character = text[this.#at];
      if (character === undefined) throw bad('Unfinished quoted string');
      this.#at += 1;
      if (character === '"') return value;
      if (character === '\\') {
        const escaped = text[this.#at];
        if (escaped !== '"' && escaped !== '\\') throw bad('Wrong escape in a quoted string');
        this.#at += 1;
        value += escaped;
      } else if (character === '\0') {
        throw bad('NUL in a quoted string');
      } else {
        value += character;
      }
    }
  }
}
