import { UsageError } from './errors.ts';
import { quadAt } from './word.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const pattern = /^ ?(\d{1,2})-([a-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/i;

/**
 * The instant of an INTERNALDATE as sent, `" 7-Feb-1994 22:43:04 +0100"` without the quotes (RFC 9051 `date-time`), in
 * milliseconds since 1970. Null when it is no date-time or names a day or time that does not exist.
 */
export function internalDateToEpochMs(raw: string): number | null {
  const match = pattern.exec(raw);
  if (match === null) return null;
  const [, day, month, year, hour, minute, second, sign, zoneHour, zoneMinute] = match;
  const zone = toZoneMinutes(sign, zoneHour, zoneMinute);
  return zone === null ? null : toEpochMs(Number(year), month, Number(day), [hour, minute, second], zone);
}

/** An INTERNALDATE as a Date; null where it is no date-time. */
export function internalDateToDate(raw: string): Date | null {
  return toDate(internalDateToEpochMs(raw));
}

/** The zone an INTERNALDATE is written in, in minutes east of UTC; null where it is no date-time. */
export function internalDateZoneMinutes(raw: string): number | null {
  const [, , , , , , , sign, zoneHour, zoneMinute] = pattern.exec(raw) ?? [];
  return toZoneMinutes(sign, zoneHour, zoneMinute);
}

/** Longer ones are no dates. */
const maxDateChars = 100;

const messageDate =
  /^\s*(?:[a-z]{2,9}\.?,?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]{0,6}\.?[\s-]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*(?:([+-])(\d{2}):?(\d{2})|([a-z]{1,4})))?(?:\s*\(.*)?\s*$/i;

/**
 * The instant of a Date header (RFC 5322 3.3, with the two-digit years and zone names of its section 4.3). Null where it
 * is no date. A zone that is missing or unknown counts as UTC.
 */
export function parseMessageDate(text: string): Date | null {
  const match = text.length > maxDateChars ? null : messageDate.exec(text);
  if (match === null) return null;
  const [, day, month, year = '', hour, minute, second = '0', sign, zoneHour, zoneMinute, zoneName] = match;
  const zone = sign === undefined ? zoneOf(zoneName) : toZoneMinutes(sign, zoneHour, zoneMinute);
  return zone === null ? null : toDate(toEpochMs(fullYear(year), month, Number(day), [hour, minute, second], zone));
}

/** RFC 5322 4.3: two digits below 50 are of this century, other short years count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2 && year < 50) return year + 2000;
  return digits.length < 4 ? year + 1900 : year;
}

/** RFC 5322 4.3 zone names, in hours. */
const zoneHours: Readonly<Record<string, number>> = {
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

function zoneOf(name: string | undefined): number {
  return (zoneHours[(name ?? '').toUpperCase()] ?? 0) * 60;
}

function toZoneMinutes(sign = '', hours = '', minutes = ''): number | null {
  if (sign === '' || Number(minutes) > 59) return null;
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

function toEpochMs(
  year: number,
  monthName = '',
  day: number,
  [hour = '', minute = '', second = '']: readonly (string | undefined)[],
  zoneMinutes: number,
): number | null {
  const month = monthNumbers[monthName] ?? monthNumbers[capitalised(monthName)] ?? -1;
  if (month === -1 || day < 1 || day > daysIn(year, month)) return null;
  // 60 is a leap second; it counts as the next minute's first, as everywhere.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const seconds = (Number(hour) * 60 + Number(minute) - zoneMinutes) * 60 + Number(second);
  return startOfDay(year, month, day) + seconds * 1000;
}

const monthNumbers: Readonly<Record<string, number>> = Object.fromEntries(months.map((name, index) => [name, index]));

function capitalised(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1).toLowerCase();
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 1 && isLeap ? 29 : (monthDays[month] ?? 0);
}

function startOfDay(year: number, month: number, day: number): number {
  // Date.UTC takes years below 100 for years of the last century.
  return year >= 100 ? Date.UTC(year, month, day) : new Date(0).setUTCFullYear(year, month, day);
}

function toDate(epochMs: number | null): Date | null {
  return epochMs === null ? null : new Date(epochMs);
}

/**
 * An instant as a `date-time` in the zone `zoneMinutes` east of UTC, without the quotes. Throws `UsageError` for an
 * invalid date, a year outside 0 … 9999 or a zone the form cannot hold.
 */
export function dateToInternalDate(date: Date, zoneMinutes = 0): string {
  const local = new Date(date.getTime() + zoneMinutes * 60_000);
  const year = local.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new UsageError('a date-time needs a year from 0 to 9999');
  const zone = Math.abs(zoneMinutes);
  if (!Number.isInteger(zone) || zone > 99 * 60 + 59) throw new UsageError(`${zoneMinutes} minutes are no time zone`);
  const day = `${pad(local.getUTCDate())}-${months[local.getUTCMonth()]}-${String(year).padStart(4, '0')}`;
  const time = `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}:${pad(local.getUTCSeconds())}`;
  return `${day} ${time} ${zoneMinutes < 0 ? '-' : '+'}${pad(Math.floor(zone / 60))}${pad(zone % 60)}`;
}

/** Length of a `date-time` on the wire, quotes included. */
export const dateTimeBytes = 28;

const SPACE = 0x20;
const QUOTE = 0x22;
const DASH = 0x2d;
const COLON = 0x3a;

/**
 * The `date-time` at `start`, where `dateTimeBytes` bytes are known to be, without its quotes and byte for byte (latin1).
 * Null when it has not the marks of one, or a control in it.
 */
export function readDateTime(buffer: Buffer, start: number): string | null {
  if (
    buffer[start] !== QUOTE ||
    buffer[start + 3] !== DASH ||
    buffer[start + 7] !== DASH ||
    buffer[start + 12] !== SPACE ||
    buffer[start + 15] !== COLON ||
    buffer[start + 18] !== COLON ||
    buffer[start + 21] !== SPACE ||
    buffer[start + 27] !== QUOTE ||
    hasControl(buffer, start)
  ) {
    return null;
  }
  const b = (offset: number) => buffer[start + offset] as number;
  // `toString` is a native call, which costs more than twice as much.
  // biome-ignore format: the day, the time, the zone
  return String.fromCharCode(
    b(1), b(2), b(3), b(4), b(5), b(6), b(7), b(8), b(9), b(10), b(11), b(12),
    b(13), b(14), b(15), b(16), b(17), b(18), b(19), b(20), b(21),
    b(22), b(23), b(24), b(25), b(26),
  );
}

/** True when one of the `dateTimeBytes` bytes is below a space: four at a time, by the borrow that subtracting leaves. */
function hasControl(buffer: Buffer, start: number): boolean {
  let borrows = 0;
  for (let at = start; at < start + dateTimeBytes; at += 4) {
    const four = quadAt(buffer, at);
    borrows |= (four - 0x20202020) & ~four;
  }
  return (borrows & 0x80808080) !== 0;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
