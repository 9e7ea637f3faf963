import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer } from '../../src/protocol/framer.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import { cutAt, readAtEveryChunking, wire } from '../support/chunking.ts';
import { readResponses } from '../support/responses.ts';
import { transcripts } from '../transcripts/servers.ts';

const read = (bytes: Buffer) => readAtEveryChunking(bytes, (chunks) => readResponses(chunks));

describe('parseResponse', () => {
  it.each(transcripts)('reads what $server sends: $what', ({ lines, responses }) => {
    expect(read(wire(...lines))).toStrictEqual({ values: responses, error: null });
  });

  it.each([
    ['text', '+ go ahead', { code: null, text: 'go ahead' }],
    ['nothing', '+', { code: null, text: '' }],
    ['a space', '+ ', { code: null, text: '' }],
    ['base64', '+ YWJj', { code: null, text: 'YWJj' }],
    ['leading and trailing spaces that belong to it', '+  a ', { code: null, text: ' a ' }],
    ['a code', '+ [ALERT] soon', { code: { name: 'ALERT', text: '' }, text: 'soon' }],
  ])('reads a continuation with %s', (_, line, expected) => {
    expect(read(wire(line)).values).toEqual([{ kind: 'continuation', ...expected }]);
  });

  it.each([
    ['A1 OK', null, ''],
    ['A1 OK ', null, ''],
    ['A1  OK done', null, 'done'],
    ['A1 ok done', null, 'done'],
    ['A1 OK []', { name: '', text: '' }, ''],
    ['A1 OK [a] b', { name: 'A', text: '' }, 'b'],
    ['A1 OK [a]b', { name: 'A', text: '' }, 'b'],
    ['A1 OK[a] b', { name: 'A', text: '' }, 'b'],
    ['A1 OK [code with words] b', { name: 'CODE', text: 'with words' }, 'b'],
    ['A1 OK [badcharset ("a]b" "c\\"]")] d', { name: 'BADCHARSET', text: '("a]b" "c\\"]")' }, 'd'],
    ['A1 OK [X (a]b (c]d))] e', { name: 'X', text: '(a]b (c]d))' }, 'e'],
    // Quotes or parentheses that never close: the first bracket counts.
    ['A1 OK [X "a] b', { name: 'X', text: '"a' }, 'b'],
    ['A1 OK [X (a] b', { name: 'X', text: '(a' }, 'b'],
    ['A1 OK [X a) b] c', { name: 'X', text: 'a) b' }, 'c'],
    ['A1 OK [no end', null, '[no end'],
    ['A1 OK a [b] c', null, 'a [b] c'],
    ['A1 OK [X \xff] y', { name: 'X', text: '\xff' }, 'y'],
  ])('reads the code and text of %s', (line, code, text) => {
    expect(read(wire(line)).values).toEqual([{ kind: 'tagged', tag: 'A1', status: 'OK', code, text }]);
  });

  it('reads text as UTF-8 where it is, else as latin1', () => {
    const utf8 = Buffer.from('A1 NO Fehler: ungültig 日本\r\n', 'utf8');
    expect(read(utf8).values).toMatchObject([{ text: 'Fehler: ungültig 日本' }]);
    expect(read(wire('A1 NO ung\xfcltig')).values).toMatchObject([{ text: 'ungültig' }]);
  });

  it.each([
    ['* LIST (\\A) "/" x', 'LIST', null, ' (\\A) "/" x'],
    ['* list', 'LIST', null, ''],
    ['* ESEARCH (TAG "a") UID ALL 1:3', 'ESEARCH', null, ' (TAG "a") UID ALL 1:3'],
    ['* 4294967295 EXISTS', 'EXISTS', 4294967295, ''],
    ['* 0 RECENT', 'RECENT', 0, ''],
    ['* 3 exists ', 'EXISTS', 3, ' '],
    ['* FLAGS(\\Seen)', 'FLAGS', null, '(\\Seen)'],
    ['* X-FOO.BAR', 'X-FOO.BAR', null, ''],
    ['* OKAY', 'OKAY', null, ''],
  ])('reads the data of %s', (line, name, number, rest) => {
    expect(read(wire(line)).values).toEqual([{ kind: 'data', name, number, rest }]);
  });

  it.each([
    '*',
    '* ',
    '*OK',
    '* (x)',
    '* 3',
    '* 3 ',
    '* 4294967296 EXISTS',
    '* 3EXISTS',
    'A1',
    'A1 ',
    'A1 MAYBE',
    'A1 BYE',
    'A1 OKAY',
    ' OK',
    '()',
    '"A1" OK',
    '\0* OK',
    '\x80',
    'SSH-2.0-OpenSSH_9.2',
    'HTTP/1.1 400 Bad Request',
    '220 smtp.example ESMTP',
  ])('refuses %j', (line) => {
    expect(read(wire(line))).toEqual({ values: [], error: 'PROTOCOL' });
  });

  it('quotes what it refuses in one short line without controls', () => {
    const framer = new Framer((frame) => parseResponse(frame));
    expect(() => framer.push(wire(`\x1b[2J${'a'.repeat(500)}`))).toThrow(
      /^expected a response, got "\\x1b\[2J[a]+…"$|^expected an atom, got "\\x1b\[2Ja+…"$/,
    );
  });

  it('can read the same frame twice', () => {
    const frames: unknown[] = [];
    const framer = new Framer((frame) => {
      const first = parseResponse(frame);
      if (first.kind === 'data') first.lexer.text();
      const second = parseResponse(frame);
      frames.push(second.kind === 'data' && second.lexer.text());
    });
    framer.push(wire('* X a {1}', 'b c'));
    expect(frames).toEqual([' a b c']);
  });

  it('ends any mutilated transcript in responses or an error, the same for every chunking', () => {
    const all = Buffer.concat(transcripts.map(({ lines }) => wire(...lines)));
    const change = fc.record({
      at: fc.nat({ max: all.length - 1 }),
      remove: fc.nat({ max: 3 }),
      insert: fc.stringMatching(/^[(){}[\]"\\*+~0-9 \r\na\xff]{0,3}$/),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat({ max: 6000 })),
        (changes, cuts) => {
          let bytes = all;
          for (const { at, remove, insert } of changes) {
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert, 'latin1'), bytes.subarray(at + remove)]);
          }
          const whole = readResponses([bytes]);
          expect([null, 'PROTOCOL', 'LIMIT']).toContain(whole.error);
          const offsets = cuts.map((cut) => Math.min(cut, bytes.length));
          expect(readResponses(cutAt(bytes, offsets))).toEqual(whole);
        },
      ),
      { numRuns: 400 },
    );
  });
});
