import { describe, expect, it } from 'vitest';
import { LineLog } from '../../bench/support/line-log.ts';
import { chunkings } from '../support/chunking.ts';

const sent = Buffer.from(
  'a1 LOGIN "alice" "secret"\r\na2 APPEND "x" () {10+}\r\nb3 x\r\nb4 y () "date" {3+}\r\n\r\n\n\r\na5 NOOP\r\n',
);
const said = ['a1 LOGIN', 'a2 APPEND "x" () {10+}', ' () "date" {3+}', '', 'a5 NOOP'];

function logged(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const log = new LineLog(7, lines);
  for (const chunk of chunks) log.sent(chunk);
  return lines.map((line) => line.replace(/^[\d.]+ /, ''));
}

describe('a line log', () => {
  it('holds every line but what is inside literals and secrets, wherever the bytes are split', () => {
    const expected = ['7 - connected\n', ...said.map((line) => `7 > ${line}\n`)];
    for (const { name, chunks } of chunkings(sent)) expect(logged(chunks), name).toEqual(expected);
  });

  it('tells the two directions apart', () => {
    const lines: string[] = [];
    const log = new LineLog(1, lines);
    log.received(Buffer.from('* 1 FETCH (BODY[] {2}\r\nab)\r\na1 OK done\r\n'));
    expect(lines.map((line) => line.replace(/^[\d.]+ 1 /, ''))).toEqual([
      '- connected\n',
      '< * 1 FETCH (BODY[] {2}\n',
      '< )\n',
      '< a1 OK done\n',
    ]);
  });
});
