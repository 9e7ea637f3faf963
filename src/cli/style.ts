/**
 * Colours and symbols, where the stream and the environment allow them. Words never depend on either.
 */
import { stripVTControlCharacters } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly red: Paint;
  readonly symbols: Symbols;
}

interface Symbols {
  readonly good: string;
  readonly warning: string;
  readonly bad: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly barDone: string;
  readonly barOpen: string;
}

const unicodeSymbols: Symbols = {
  good: '✓ ',
  warning: '! ',
  bad: '✗ ',
  arrow: '→',
  ellipsis: '…',
  barDone: '█',
  barOpen: '░',
};

/** Without UTF-8 the words stand alone: a `v` or an `x` would be a riddle. */
const asciiSymbols: Symbols = {
  good: '',
  warning: '',
  bad: '',
  arrow: '->',
  ellipsis: '...',
  barDone: '#',
  barOpen: '.',
};

function sgr(open: number, close: number): Paint {
  return (text) => `\u001b[${open}m${text}\u001b[${close}m`;
}

/** The text without what a `Paint` added. */
export function stripStyle(text: string): string {
  return stripVTControlCharacters(text);
}

const asIs: Paint = (text) => text;

/**
 * The style for a stream. Colour: `NO_COLOR` (any value but the empty one) forbids it, `FORCE_COLOR` (any value but `0`
 * and the empty one) demands it, otherwise a terminal that is not `dumb` has it. Symbols: where the locale is UTF-8.
 */
export function createStyle(stream: { readonly isTTY?: boolean | undefined }, env: Environment): Style {
  const symbols = speaksUtf8(env) ? unicodeSymbols : asciiSymbols;
  if (!hasColor(stream, env)) return { bold: asIs, dim: asIs, green: asIs, yellow: asIs, red: asIs, symbols };
  return { bold: sgr(1, 22), dim: sgr(2, 22), green: sgr(32, 39), yellow: sgr(33, 39), red: sgr(31, 39), symbols };
}

function hasColor(stream: { readonly isTTY?: boolean | undefined }, env: Environment): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  const forced = env.FORCE_COLOR ?? '';
  if (forced !== '') return forced !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** POSIX order: LC_ALL, else LC_CTYPE, else LANG. */
function speaksUtf8(env: Environment): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => (value ?? '') !== '') ?? '';
  return /utf-?8/i.test(locale) || (env.WT_SESSION ?? '') !== '';
}
