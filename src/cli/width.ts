/**
 * How many columns of a terminal a text takes, and how to make it take no more. For text that went through `toDisplay`.
 */

let segmenter: Intl.Segmenter | null = null;

/** Made when it is first needed: most names need none. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** First and last code points of the runs that East Asian Width calls wide or fullwidth (UAX #11), neighbours merged. */
const wideRuns: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18d08],
  [0x1aff0, 0x1b2fb],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

const emoji = /^\p{Emoji_Presentation}|\uFE0F/u;
const marksOnly = /^\p{M}+$/u;
const plain = /^[\x20-\x7e]*$/;

function graphemeWidth(grapheme: string): number {
  if (emoji.test(grapheme)) return 2;
  if (marksOnly.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0) ?? 0;
  return wideRuns.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Columns that `text` takes: wide characters and emoji count two, combining marks none. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment);
  return width;
}

/**
 * `text` where it fits into `columns`, else its beginning and its end with `mark` between them: the end of a folder's
 * path says more than its middle. Never splits a character; never wider than `columns`.
 */
export function truncateToWidth(text: string, columns: number, mark = '…'): string {
  if (displayWidth(text) <= columns) return text;
  const room = columns - displayWidth(mark);
  if (room < 1) return mark.slice(0, Math.max(0, columns));
  const segments = [...graphemesOf(text)].map(({ segment }) => segment);
  const head = takeWidth(segments, Math.floor(room / 3));
  const tail = takeWidth(segments.slice(head.length).reverse(), room - displayWidth(head.join('')));
  return head.join('') + mark + tail.reverse().join('');
}

/** `text` where it fits into `columns`, else its beginning and `mark`. Never splits a character; never wider than `columns`. */
export function cutToWidth(text: string, columns: number, mark = '…'): string {
  if (displayWidth(text) <= columns) return text;
  const room = columns - displayWidth(mark);
  if (room < 1) return mark.slice(0, Math.max(0, columns));
  const segments = [...graphemesOf(text)].map(({ segment }) => segment);
  return takeWidth(segments, room).join('').trimEnd() + mark;
}

/** The first of `segments` that together fit into `columns`. */
function takeWidth(segments: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const segment of segments) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    taken.push(segment);
  }
  return taken;
}

/** `text` filled up with spaces to `columns`, on its right (`left` aligned) or on its left. Never cut. */
export function padToWidth(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const padding = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return align === 'left' ? text + padding : padding + text;
}

/** Lines of as many words as fit into `columns`; a longer word has a line of its own. */
export function wrapWords(words: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line === '') line = word;
    else if (displayWidth(line) + 1 + displayWidth(word) <= columns) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
