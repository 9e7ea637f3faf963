import { describe, expect, it } from 'vitest';
import { createStyle } from '../../src/cli/style.ts';
import { renderTable } from '../../src/cli/table.ts';
import { displayWidth } from '../../src/cli/width.ts';

const style = createStyle({}, { LANG: 'C.UTF-8' });
const columns = [{ title: 'Folder', shrinks: true }, { title: 'Copied', align: 'right' as const }, { title: 'Note' }];

describe('renderTable', () => {
  it('aligns by what the eye sees, not by characters', () => {
    const lines = renderTable(
      columns,
      [
        ['INBOX', '1,204', 'x'],
        ['日本語', '7'],
        ['Entwu\u0308rfe', '12', 'y'],
      ],
      {
        style,
        maxWidth: null,
        footer: ['3 folders', '1,223'],
      },
    );
    expect(lines).toEqual([
      'Folder     Copied  Note',
      'INBOX       1,204  x',
      '日本語          7',
      'Entwu\u0308rfe       12  y',
      '3 folders   1,223',
    ]);
  });

  it('cuts the column that may shrink until the table fits', () => {
    const lines = renderTable(columns, [['Projects/2024/Customers/Lighthouse', '12', 'long note here']], {
      style,
      maxWidth: 40,
    });
    expect(Math.max(...lines.map(displayWidth))).toBe(40);
    expect(lines[1]).toBe('Proje…Lighthouse      12  long note here');
  });

  it('shrinks no column beyond reading, even if the table stays too wide', () => {
    const lines = renderTable(columns, [['Projects/2024/Customers', '12', 'a note']], { style, maxWidth: 10 });
    expect(lines[1]).toMatch(/^Pro…ustomers {2}/);
  });
});
