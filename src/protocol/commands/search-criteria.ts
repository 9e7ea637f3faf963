import type { Encoder } from '../encoder.ts';
import { UsageError } from '../errors.ts';
import { isAtom } from '../flags.ts';

/**
 * One piece of a search (RFC 9051 6.4.4): a keyword, flag or sequence set as text, a number, a day, typed numbers for a
 * set, or a list, which stands in parentheses. Text that is neither goes as a string.
 */
export type SearchArgument = string | number | bigint | Date | Buffer | Uint32Array | readonly SearchArgument[];

/** What to look for, and in which words. */
export interface SearchQuery {
  /** A string is sent as it is: the caller has quoted what needs it. */
  readonly criteria: readonly SearchArgument[] | string;
  /** Sent where given; UTF-8 where an argument needs it; null: never, as RFC 6855 3 wants it once UTF-8 is enabled. */
  readonly charset: string | null | undefined;
  readonly useUid: boolean;
}

/** ` CHARSET UTF-8 criteria`. */
export function writeQuery(out: Encoder, { criteria, charset }: SearchQuery): void {
  const needed = charset === undefined && needsUtf8(criteria) ? 'UTF-8' : charset;
  if (needed !== undefined && needed !== null) out.raw(' CHARSET ').atom(needed);
  writeCriteria(out, criteria);
}

/** ` criteria`. @throws UsageError for text that could be more than criteria, and for an empty list */
export function writeCriteria(out: Encoder, criteria: readonly SearchArgument[] | string): void {
  if (typeof criteria !== 'string') {
    writeArguments(out, criteria);
  } else if (/^[\x20-\x7e]+$/.test(criteria) && !/\{\d+\+?\}$/.test(criteria)) {
    out.sp().raw(criteria);
  } else {
    throw new UsageError('search criteria as text are printable ASCII: give the parts as a list');
  }
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
