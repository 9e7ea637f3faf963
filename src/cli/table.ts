/**
 * Aligned columns of text, measured in terminal columns.
 */
import type { Style } from './style.ts';
import { cutToWidth, displayWidth, padToWidth, truncateToWidth } from './width.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut down to `minWidth` columns where the table is wider than the screen. */
  readonly shrinks?: boolean;
  /** What a cell that is too long loses. Default `middle`: the end of a path says more than its middle. */
  readonly cut?: 'middle' | 'end';
}

export interface TableOptions {
  readonly style: Style;
  /** Columns of the screen; `null`: as wide as it has to be. */
  readonly maxWidth: number | null;
  /** Set apart below the rows. */
  readonly footer?: readonly string[];
}

const gap = '  ';
const minWidth = 12;

/** The lines of a table: titles, rows, footer. The cells must have gone through `toDisplay`; missing ones are empty. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const { style } = options;
  const all = options.footer === undefined ? rows : [...rows, options.footer];
  const widths = columns.map((column, index) =>
    all.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? '')), displayWidth(column.title)),
  );
  if (options.maxWidth !== null) shrinkWidths(columns, widths, options.maxWidth);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const cut = column.cut === 'end' ? cutToWidth : truncateToWidth;
        return padToWidth(cut(cells[index] ?? '', width, style.symbols.ellipsis), width, column.align);
      })
      .join(gap)
      .trimEnd();
  const lines = [style.bold(line(columns.map((column) => column.title))), ...rows.map(line)];
  if (options.footer !== undefined) lines.push(style.bold(line(options.footer)));
  return lines;
}

/** Takes what is too much from the widest shrinking column, one column at a time, until the table fits or none gives. */
function shrinkWidths(columns: readonly TableColumn[], widths: number[], maxWidth: number): void {
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - maxWidth;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      if (column.shrinks !== true || (widths[index] ?? 0) <= minWidth) continue;
      if (widest === -1 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
}
