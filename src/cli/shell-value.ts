/**
 * What the shell prints for a value: tables where it is one.
 */
import { inspect, types } from 'node:util';
import { toDisplay } from '../display.ts';
import { formatCount } from './format.ts';
import { bytesText, cellText, isBytes, isNumbers, isPlain, isWord, numbersText } from './shell-cell.ts';
import type { Style } from './style.ts';
import { renderTable, type TableColumn } from './table.ts';
import { displayWidth, wrapWords } from './width.ts';

export interface ValueOptions {
  readonly style: Style;
  /** Columns of the screen; null: nobody looks at one. */
  readonly columns: number | null;
}

type Row = ReadonlyMap<string, unknown>;

/** Rows of a table before the rest is only counted. */
const maxRows = 200;
/** Characters of what may be long where it has a line of its own. */
const maxLineChars = 400;
const defaultColumns = 100;

/** Fields that say in bytes what another one says in words. */
const rawTwin = /^raw[A-Z]/;

/** Fields whose own fields stand beside the others in a table; of an envelope those that fit. */
const spread: Readonly<Record<string, readonly string[] | 'all'>> = {
  status: 'all',
  sections: 'all',
  other: 'all',
  envelope: ['date', 'subject', 'from'],
};

/** The lines to print; none for `undefined`. */
export function valueLines(value: unknown, options: ValueOptions): string[] {
  if (value === undefined) return [];
  if (isNumbers(value)) return [numbersText(value)];
  if (isBytes(value)) return [bytesText(value, maxLineChars)];
  if ((types.isMap(value) || types.isSet(value)) && value.size === 0) return ['(empty)'];
  if (types.isSet(value) && [...value].every(isWord)) {
    return wrapWords(
      [...value].map((word) => cellText(word)),
      options.columns ?? defaultColumns,
    );
  }
  const rows = toRows(value);
  if (rows !== null) return [...tableLines(rows, options), ...extraLines(value)];
  if (isPlain(value)) return fieldLines(value, options);
  return inspectLines(value);
}

/** One line of an error: its words, its code, and whether the server may have done what was asked. */
export function errorLine(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const unknown = 'outcomeUnknown' in error && error.outcomeUnknown === true ? ', outcome unknown' : '';
  const text = error.message.split('\n', 1)[0] ?? '';
  if (code === null) return toDisplay(`${error.name}: ${text}`);
  // A refusal quotes the server's NO or BAD, which is its code.
  const isSaid = text.split(/\W+/).includes(code) && unknown === '';
  return toDisplay(isSaid ? text : `${text} (${code}${unknown})`);
}

/** Rows of a list or map of objects; null where the value is no such thing. */
function toRows(value: unknown): Row[] | null {
  if (types.isMap(value)) {
    const entries = [...value];
    if (entries.every((entry): entry is [unknown, object] => isPlain(entry[1]))) {
      return entries.map(([key, item]) => keyedRow(key, item));
    }
    return entries.map(([key, item]) => new Map([['key', key] as const, ['value', item] as const]));
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isPlain)) return value.map((item) => toRow(item));
  return null;
}

function keyedRow(key: unknown, item: object): Row {
  const row = toRow(item);
  // A map by UID or by sequence number says its key once more in each item.
  return row.get('uid') === key || row.get('seq') === key ? row : new Map([['key', key], ...row]);
}

function toRow(item: object): Row {
  const row = new Map<string, unknown>();
  for (const [key, value] of Object.entries(item)) {
    if (rawTwin.test(key)) continue;
    const inner = innerFields(key, value);
    if (inner === null) row.set(key, value);
    else for (const [name, innerValue] of inner) row.set(row.has(name) ? `${key}.${name}` : name, innerValue);
  }
  return row;
}

function innerFields(key: string, value: unknown): [string, unknown][] | null {
  const wanted = Object.hasOwn(spread, key) ? spread[key] : undefined;
  if (wanted === undefined || typeof value !== 'object' || value === null) return null;
  const fields = types.isMap(value)
    ? [...value].map(([name, inner]): [string, unknown] => [String(name), inner])
    : Object.entries(value);
  return wanted === 'all' ? fields : fields.filter(([name]) => wanted.includes(name));
}

function tableLines(rows: readonly Row[], { style, columns: maxWidth }: ValueOptions): string[] {
  const shown = rows.slice(0, maxRows);
  const keys = new Set(shown.flatMap((row) => [...row.keys()]));
  const columns = [...keys].filter((key) => shown.some((row) => (row.get(key) ?? '') !== ''));
  const specs = columns.map((key): TableColumn => {
    const values = shown.map((row) => row.get(key) ?? undefined);
    const isNumber = values.every((value) => /^(number|bigint|undefined)$/.test(typeof value));
    const isDate = values.every((value) => value === undefined || types.isDate(value));
    // The size stands behind the beginning of a body, and the end of a path is what tells it from others.
    const cut = key === 'name' || values.some(isBytes) ? 'middle' : 'end';
    return { title: toDisplay(key), align: isNumber ? 'right' : 'left', shrinks: !isNumber && !isDate, cut };
  });
  const cells = shown.map((row) => columns.map((key) => cellText(row.get(key))));
  const lines = renderTable(specs, cells, { style, maxWidth });
  const rest = rows.length - shown.length;
  return rest === 0 ? lines : [...lines, style.dim(`and ${formatCount(rest)} more rows; _ holds them all`)];
}

/** What a map or list knows besides its items, such as the UIDs that vanished. */
function extraLines(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.entries(value).filter(([key, item]) => !/^\d+$/.test(key) && item !== null && item !== undefined);
  return own.map(([key, item]) => `${toDisplay(key)}: ${cellText(item, maxLineChars)}`);
}

function fieldLines(value: object, { style }: ValueOptions): string[] {
  const fields = Object.entries(value).filter(([key, item]) => item !== undefined && !rawTwin.test(key));
  if (fields.length === 0) return inspectLines(value);
  const width = Math.max(...fields.map(([key]) => displayWidth(toDisplay(key))));
  return fields.map(([key, item]) => `${style.bold(toDisplay(key).padEnd(width))}  ${cellText(item, maxLineChars)}`);
}

function inspectLines(value: unknown): string[] {
  return inspect(value, { depth: 4, maxArrayLength: maxRows, maxStringLength: 10_000 }).split('\n').map(toDisplay);
}
