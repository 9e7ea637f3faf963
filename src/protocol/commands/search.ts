import type { Command } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { LimitError, UsageError } from '../errors.ts';
import { isAtom } from '../flags.ts';
import type { Lexer } from '../lexer.ts';
import { expandSequenceSet } from '../sequence-set.ts';

/**
 * One piece of a search (RFC 9051 6.4.4): a keyword, flag or sequence set as text, a number, a day, typed numbers for a
 * set, or a list, which stands in parentheses. Text that is neither goes as a string.
 */
export type SearchArgument = string | number | bigint | Date | Buffer | Uint32Array | readonly SearchArgument[];

export interface SearchRequest {
  /** A string is sent as it is: the caller has quoted what needs it. */
  readonly criteria: readonly SearchArgument[] | string;
  /** Sent where given; UTF-8 where an argument needs it. */
  readonly charset: string | undefined;
  readonly useUid: boolean;
  /** The server has ESEARCH (RFC 4731): a big answer comes as ranges. */
  readonly extended: boolean;
  /** More are a LimitError. */
  readonly maxHits: number;
}

/** SEARCH and UID SEARCH; the numbers ascend, each once. */
export function searchCommand(request: SearchRequest): Command<Uint32Array> {
  const hits = new NumberColumn(request.maxHits);
  const name = request.useUid ? 'UID SEARCH' : 'SEARCH';
  return {
    name,
    pipelining: request.useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      out.raw(name);
      if (request.extended) out.raw(' RETURN (ALL)');
      const charset = request.charset ?? (needsUtf8(request.criteria) ? 'UTF-8' : undefined);
      if (charset !== undefined) out.raw(' CHARSET ').atom(charset);
      if (typeof request.criteria !== 'string') {
        writeArguments(out, request.criteria);
      } else if (/^[\x20-\x7e]+$/.test(request.criteria) && !/\{\d+\+?\}$/.test(request.criteria)) {
        out.sp().raw(request.criteria);
      } else {
        throw new UsageError('search criteria as text are printable ASCII: give the parts as a list');
      }
    },
    accept(response, tag) {
      if (response.kind !== 'data') return false;
      if (response.name === 'SEARCH') {
        readNumbers(response.lexer, hits);
        return true;
      }
      return response.name === 'ESEARCH' && readExtended(response.lexer, tag, request.useUid, hits);
    },
    finish: () => hits.toAscending(),
  };
}

function writeArguments(out: Encoder, criteria: readonly SearchArgument[]): void {
  if (criteria.length === 0) throw new UsageError('a search needs at least one criterion');
  for (const criterion of criteria) writeArgument(out.sp(), criterion);
}

function writeArgument(out: Encoder, argument: SearchArgument): void {
  if (typeof argument === 'string') {
    if (isBare(argument)) out.raw(argument);
    else out.astring(argument);
  } else if (typeof argument === 'number' || typeof argument === 'bigint') out.number(argument);
  else if (argument instanceof Date) out.raw(toSearchDate(argument));
  else if (argument instanceof Uint32Array) out.sequenceSet(argument);
  else if (Buffer.isBuffer(argument)) out.astring(argument);
  else {
    const [first, ...rest] = argument as readonly SearchArgument[];
    if (first === undefined) throw new UsageError('a list of search criteria cannot be empty');
    writeArgument(out.raw('('), first);
    for (const next of rest) writeArgument(out.sp(), next);
    out.raw(')');
  }
}

/** An atom, a flag keyword or a sequence set stands as it is: `SEEN`, `$Forwarded`, `1:*`. */
function isBare(text: string): boolean {
  return isAtom(text) || /^[0-9*:,]+$/.test(text);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `date` of RFC 9051: the day in UTC. */
function toSearchDate(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new UsageError('a search date is invalid');
  return `${date.getUTCDate()}-${months[date.getUTCMonth()]}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
}

function needsUtf8(criteria: readonly SearchArgument[] | string): boolean {
  if (typeof criteria === 'string') return false;
  return criteria.some((argument) => {
    if (typeof argument === 'string') return /\P{ASCII}/u.test(argument);
    return Array.isArray(argument) && needsUtf8(argument);
  });
}

function readNumbers(lexer: Lexer, hits: NumberColumn): void {
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
    if (lexer.peek() === 0x28) {
      // RFC 7162 3.1.5: the highest mod-sequence of the hits stands last.
      lexer.value();
    } else {
      hits.add(lexer.number());
    }
  }
}

/** `* ESEARCH (TAG "A1") UID ALL 1:5,9`: false when it answers another command. */
function readExtended(lexer: Lexer, ownTag: string, useUid: boolean, hits: NumberColumn): boolean {
  lexer.skipSpaces();
  if (lexer.peek() === 0x28) {
    let tag: string | null = null;
    lexer.list(() => {
      const name = lexer.word();
      lexer.space();
      const value = lexer.astring();
      if (name === 'TAG') tag = value;
    });
    if (tag !== null && tag !== ownTag) return false;
  }
  let countsUids = false;
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
    const name = lexer.word();
    if (name === 'UID') {
      countsUids = true;
      continue;
    }
    lexer.space();
    if (name !== 'ALL') {
      lexer.value();
      continue;
    }
    if (countsUids !== useUid) return false;
    hits.addAll(expandSequenceSet(lexer.atom(), hits.room));
  }
  return true;
}

/** Numbers in a growing typed array: an array of objects would cost four times as much. */
class NumberColumn {
  readonly #maxLength: number;
  #numbers = new Uint32Array(256);
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** How many more it takes. */
  get room(): number {
    return this.#maxLength - this.#length;
  }

  add(number: number): void {
    if (this.room === 0) throw new LimitError(`a search has more than ${this.#maxLength} hits`);
    if (this.#length === this.#numbers.length) this.#reserve(1);
    this.#numbers[this.#length++] = number;
  }

  addAll(numbers: Uint32Array): void {
    this.#reserve(numbers.length);
    this.#numbers.set(numbers, this.#length);
    this.#length += numbers.length;
  }

  /** The numbers in ascending order, each once. Servers send them so, but do not have to. */
  toAscending(): Uint32Array {
    const numbers = this.#numbers.slice(0, this.#length);
    let length = numbers.length;
    for (let at = 1; at < numbers.length; at++) {
      if ((numbers[at] as number) > (numbers[at - 1] as number)) continue;
      numbers.sort();
      length = dropEqualNeighbours(numbers);
      break;
    }
    return length === numbers.length ? numbers : numbers.slice(0, length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#numbers.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.#numbers.length));
    grown.set(this.#numbers.subarray(0, this.#length));
    this.#numbers = grown;
  }
}

function dropEqualNeighbours(numbers: Uint32Array): number {
  let kept = 1;
  for (let at = 1; at < numbers.length; at++) {
    if (numbers[at] !== numbers[kept - 1]) numbers[kept++] = numbers[at] as number;
  }
  return Math.min(kept, numbers.length);
}
