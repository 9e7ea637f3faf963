import { UsageError } from './errors.ts';

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
  const at = (offset: number) => buffer[start + offset] as number;
  // biome-ignore format: the day, the time, the zone
  const d1 = at(1), d2 = at(2), dash1 = at(3), m1 = at(4), m2 = at(5), m3 = at(6), dash2 = at(7), y1 = at(8), y2 = at(9),
    y3 = at(10), y4 = at(11), gap1 = at(12),
    h1 = at(13), h2 = at(14), colon1 = at(15), i1 = at(16), i2 = at(17), colon2 = at(18), s1 = at(19), s2 = at(20), gap2 = at(21),
    sign = at(22), z1 = at(23), z2 = at(24), z3 = at(25), z4 = at(26);
  if (at(0) !== QUOTE || at(27) !== QUOTE || dash1 !== DASH || dash2 !== DASH) return null;
  if (gap1 !== SPACE || gap2 !== SPACE || colon1 !== COLON || colon2 !== COLON) return null;
  // Below zero when one of them is a control: LF would end the line.
  // biome-ignore format: the day, the time, the zone
  const lowest = (d1 - SPACE) | (d2 - SPACE) | (m1 - SPACE) | (m2 - SPACE) | (m3 - SPACE) |
    (y1 - SPACE) | (y2 - SPACE) | (y3 - SPACE) | (y4 - SPACE) |
    (h1 - SPACE) | (h2 - SPACE) | (i1 - SPACE) | (i2 - SPACE) | (s1 - SPACE) | (s2 - SPACE) |
    (sign - SPACE) | (z1 - SPACE) | (z2 - SPACE) | (z3 - SPACE) | (z4 - SPACE);
  if (lowest < 0) return null;
  // `toString` is a native call, which costs more than twice as much.
  // biome-ignore format: the day, the time, the zone
  return String.fromCharCode(
    d1, d2, dash1, m1, m2, m3, dash2, y1, y2, y3, y4, gap1,
    h1, h2, colon1, i1, i2, colon2, s1, s2, gap2,
    sign, z1, z2, z3, z4,
  );
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
