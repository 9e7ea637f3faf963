/**
 * The lines that separate messages of an mbox: `From `, a sender, and the date of delivery as asctime writes it. Ours say in
 * the sender's place whose message it is and how long, so that nobody has to look for the next one:
 *
 *     From imap-migrate.<uid>.<stored bytes>.<bytes>@localhost Fri Nov 20 09:30:00 2026
 *
 * The stored bytes are those of the message with its quoting (`mbox-quoting`). The date is UTC.
 */

/** What every such line begins with. */
export const fromWord = Buffer.from('From ');

/** What ours begin with. */
export const ownMark = Buffer.from('From imap-migrate.');

/** Bytes that hold any line of ours. */
export const maxOwnLine = 160;

/** Digits of a length that is known when the message has been written. */
const lateDigits = 15;

/** In the place of a length as long as the message is being written. */
const unfinished = 'x'.repeat(lateDigits);

const maxUid = 0xffffffff;
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** What one of our lines says. */
export interface OwnFrom {
  readonly uid: number;
  /** Bytes that follow the line; `null`: the message was never finished. */
  readonly storedBytes: number | null;
  /** Bytes of the message itself. */
  readonly size: number;
  /** NaN: the message has none. */
  readonly dateMs: number;
  /** Bytes of the line, its end included. */
  readonly lineBytes: number;
}

/** One of our lines. `storedBytes: null`: the message is about to be written, and a line of the same length follows. */
export function encodeFrom(message: {
  readonly uid: number;
  readonly storedBytes: number | null;
  readonly size: number;
  readonly dateMs: number;
  /** The length was not known at first. */
  readonly late?: boolean;
}): Buffer {
  const { uid, storedBytes, size, dateMs, late = false } = message;
  const length = storedBytes === null ? unfinished : String(storedBytes).padStart(late ? lateDigits : 0, '0');
  const date = toAsctime(dateMs);
  const mark = date === null ? '.undated' : '';
  return Buffer.from(
    `From imap-migrate.${uid}.${length}.${size}${mark}@localhost ${date ?? 'Thu Jan  1 00:00:00 1970'}\n`,
  );
}

const ownLine =
  /^From imap-migrate\.(\d{1,10})\.(\d{1,15}|x{15})\.(\d{1,15})(\.undated)?@localhost (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\r?\n/;

/** What the line says that `bytes` begin with; `null`: it is not one of ours, or not there as a whole. */
export function parseOwnFrom(bytes: Buffer): OwnFrom | null {
  if (!startsWith(bytes, ownMark)) return null;
  const match = ownLine.exec(bytes.toString('latin1', 0, maxOwnLine));
  if (match === null) return null;
  const [line, uid, stored = '', size, undated, date = ''] = match;
  if (Number(uid) < 1 || Number(uid) > maxUid) return null;
  return {
    uid: Number(uid),
    storedBytes: stored === unfinished ? null : Number(stored),
    size: Number(size),
    dateMs: undated === undefined ? parseFromDate(date) : Number.NaN,
    lineBytes: line.length,
  };
}

export function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && prefix.compare(bytes, 0, prefix.length) === 0;
}

/** RFC 4155: asctime, in UTC; `null`: the date is none that it can write. */
function toAsctime(dateMs: number): string | null {
  const date = new Date(dateMs);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return null;
  const day = String(date.getUTCDate()).padStart(2);
  const time = date.toISOString().slice(11, 19);
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} ${String(year).padStart(4, '0')}`;
}

/*
 * `Fri Nov 20 09:30:00 2026`, with the seconds left out, a zone before the year (Google Takeout, System V) or behind it.
 */
const asctime =
  /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) +(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) +(\d{1,2}):(\d\d)(?::(\d\d))?(?: +([+-]\d{4}|[A-Z]{1,5}))?(?: +[A-Z]{3,5})? +(\d{4})(?: +([+-]\d{4}))?\b/;

/** Zones that have one meaning; every other name is read as UTC. */
const zoneHours: Readonly<Record<string, number>> = {
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  CET: 1,
  CEST: 2,
};

/** The date in a line of anybody's, epoch milliseconds, read as UTC where it names no zone; NaN: there is none. */
export function parseFromDate(line: string): number {
  const match = asctime.exec(line);
  if (match === null) return Number.NaN;
  const [, month = '', day, hour, minute, second = '0', zone, year, lateZone] = match;
  const date = new Date(0);
  // Date.UTC takes years below 100 for those of the twentieth century.
  date.setUTCFullYear(Number(year), months.indexOf(month), Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  return date.getTime() - zoneMinutes(zone ?? lateZone ?? '') * 60_000;
}

function zoneMinutes(zone: string): number {
  const match = /^([+-])(\d\d)(\d\d)$/.exec(zone);
  if (match === null) return (zoneHours[zone] ?? 0) * 60;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}
