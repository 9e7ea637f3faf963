/**
 * What to look for in a tree, as words say it.
 */
import { ConfigError } from '../errors.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { fold } from './fold.ts';

/** All of it must hold; texts are folded, and are looked for anywhere in a field. */
export interface Query {
  /** In the sender, the recipients, the subject, a file's name or the message's ID. */
  readonly any: readonly string[];
  readonly from: readonly string[];
  /** To and Cc. */
  readonly to: readonly string[];
  readonly subject: readonly string[];
  /** In the body. */
  readonly text: readonly string[];
  /** Epoch milliseconds, from there on; -Infinity: no matter. */
  readonly sinceMs: number;
  /** Up to there, exclusive; Infinity: no matter. */
  readonly beforeMs: number;
  /** Has more bytes than this; -1: no matter. */
  readonly largerBytes: number;
  readonly hasAttachment: boolean;
}

const textCriteria = ['from', 'to', 'subject', 'text'] as const;

/** Names of criteria, for a person who has to be told. */
const known = 'from:, to:, subject:, text:, since:, before:, larger:, has:attachment';

/**
 * Reads `from:anna`, `since:2024-03`, `larger:2MB`, `has:attachment` and bare words. A word with another name before a colon is
 * a bare word.
 * @throws ConfigError that names the word that cannot be meant
 */
export function parseQuery(words: readonly string[]): Query {
  const texts: Record<'any' | (typeof textCriteria)[number], string[]> = {
    any: [],
    from: [],
    to: [],
    subject: [],
    text: [],
  };
  let [sinceMs, beforeMs, largerBytes, hasAttachment] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -1, false];
  for (const word of words) {
    const [, name = '', value = ''] = /^([a-z]+):(.*)$/is.exec(word) ?? [];
    const criterion = name.toLowerCase();
    const textCriterion = textCriteria.find((each) => each === criterion);
    if (textCriterion !== undefined) texts[textCriterion].push(textOf(word, value));
    else if (criterion === 'since') sinceMs = Math.max(sinceMs, dateOf(word, value));
    else if (criterion === 'before') beforeMs = Math.min(beforeMs, dateOf(word, value));
    else if (criterion === 'larger') largerBytes = Math.max(largerBytes, bytesOf(word, value));
    else if (criterion === 'has') hasAttachment = isAttachment(word, value);
    else texts.any.push(textOf(word, word));
  }
  return { ...texts, sinceMs, beforeMs, largerBytes, hasAttachment };
}

/** True where all but the words of the body hold. */
export function matchesHeader(query: Query, entry: CatalogueEntry): boolean {
  const { shownMs, size, attachments } = entry;
  if (query.hasAttachment && attachments.length === 0) return false;
  if (size <= query.largerBytes) return false;
  // A date nobody knows is in no span.
  const hasSpan = query.sinceMs !== Number.NEGATIVE_INFINITY || query.beforeMs !== Number.POSITIVE_INFINITY;
  if (hasSpan && !(shownMs >= query.sinceMs && shownMs < query.beforeMs)) return false;
  if (!contains(entry.from, query.from) || !contains(entry.to, query.to) || !contains(entry.subject, query.subject)) {
    return false;
  }
  const all = [entry.from, entry.to, entry.subject, entry.messageId, ...attachments].join('\n');
  return contains(all, query.any);
}

function contains(text: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const folded = fold(text);
  return words.every((word) => folded.includes(word));
}

function textOf(word: string, value: string): string {
  const text = fold(value.trim());
  if (text === '')
    throw new ConfigError(`'${word}' does not say what to look for (there are ${known}, and bare words)`);
  return text;
}

/** The beginning of a day, month or year on this machine's calendar. */
function dateOf(word: string, value: string): number {
  const [, year, month = '1', day = '1'] = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(value) ?? [];
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  if (date.getMonth() !== Number(month) - 1 || date.getDate() !== Number(day)) {
    throw new ConfigError(`'${word}' names no date: 2024-03-01, 2024-03 or 2024`);
  }
  return date.getTime();
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

function bytesOf(word: string, value: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)b?$/i.exec(value) ?? [];
  const bytes = Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
  if (Number.isNaN(bytes)) throw new ConfigError(`'${word}' names no size: 500k, 2MB or a number of bytes`);
  return bytes;
}

function isAttachment(word: string, value: string): true {
  if (!/^attachments?$/i.test(value)) throw new ConfigError(`'${word}' is not known: there is has:attachment`);
  return true;
}
