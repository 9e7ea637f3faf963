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
  const [, day, monthName, year, hour, minute, second, sign, zoneHour, zoneMinute] = match;
  const month = months.findIndex((name) => name.toLowerCase() === monthName?.toLowerCase());
  const date = new Date(0);
  date.setUTCFullYear(Number(year), month, Number(day));
  if (month === -1 || date.getUTCMonth() !== month || date.getUTCDate() !== Number(day)) return null;
  // 60 is a leap second; it counts as the next minute's first, as everywhere.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60 || Number(zoneMinute) > 59) return null;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  return date.getTime() + ((Number(hour) * 60 + Number(minute) - zone) * 60 + Number(second)) * 1000;
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

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
