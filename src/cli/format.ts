/**
 * Numbers as people read them.
 */

/** `12,345`. Intl's formatters do the same, and take 10 ms of every start. */
export function formatCount(count: number): string {
  return count.toFixed(0).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 message`, `12,345 messages`. */
export function formatNoun(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `512 B`, `8.2 kB`, `12 MB`: decimal units, two significant places below ten. `null`: `?`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '?';
  let value = bytes;
  let unit = 0;
  // 999.5 and above would print as four digits.
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
  return `${digits} ${byteUnits[unit]}`;
}

/** Per second: `0.4`, `12`, `1,234`. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** A span on a clock face: `0:07`, `12:30`, `3:05:00`, `2 d 4 h`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** A span that is over: `0.3 s`, `42 s`, and from two minutes on as a clock. */
export function formatSeconds(seconds: number): string {
  if (seconds >= 120) return formatClock(seconds * 1000);
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${seconds.toFixed(0)} s`;
}

/** `24 %`; rounds down, so that 100 % means all. A share of nothing is all of it. */
export function formatPercent(done: number, total: number): string {
  return `${total <= 0 ? 100 : Math.min(100, Math.floor((done * 100) / total))} %`;
}

/** A moment on this machine's calendar and clock: `2026-11-21 09:30`. */
export function formatMoment(moment: Date): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  return `${day} ${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
}
