import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { errorLine, valueLines } from '../../src/cli/shell-value.ts';
import { createStyle } from '../../src/cli/style.ts';
import { CommandError, ConnectionClosedError, type Envelope, FetchedMessages } from '../../src/protocol/index.ts';

const style = createStyle({}, { LANG: 'C.UTF-8' });
const show = (value: unknown, columns: number | null = null) => valueLines(value, { style, columns });
const person = (name: string | null, address: string) => {
  const [mailbox = '', host = ''] = address.split('@');
  return { kind: 'address', name, rawName: name, route: null, mailbox, host, address } as const;
};

describe('the shell shows', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing for undefined', undefined, []],
    ['null', null, ['null']],
    ['a number', 3, ['3']],
    ['a text in quotes', 'it', ["'it'"]],
    ['numbers as runs', Uint32Array.of(1, 2, 3, 7, 9, 10), ['6 numbers: 1:3 7 9:10']],
    ['numbers in their order', [3, 1, 2], ['3 numbers: 3 1:2']],
    ['no numbers', new Uint32Array(), ['no numbers']],
    ['bytes', Buffer.from('Subject: x\r\n'), ['Subject: x\\r\\n (12 B)']],
    ['a literal', { size: 4, chunks: [Buffer.from('ab'), Buffer.from('cd')] }, ['abcd (4 B)']],
    ['an empty map', new Map(), ['(empty)']],
    ['words', new Set(['IDLE', 'MOVE']), ['IDLE MOVE']],
    [
      'fields',
      { exists: 3, rawName: 'x', readOnly: false, unseen: null },
      ['exists    3', 'readOnly  false', 'unseen    -'],
    ],
    ['a map of words', new Map([['alice', 'lrs']]), ['key    value', 'alice  lrs']],
    ['a list of words', ['a', 'b'], ["[ 'a', 'b' ]"]],
    ['a function', Math.max, ['[Function: max]']],
  ])('%s', (_what, value, lines) => {
    expect(show(value)).toEqual(lines);
  });

  test('folders as a table, the status of each beside its name', () => {
    const folders = [
      { rawName: '&AMk-', name: 'É', delimiter: '/', attributes: ['\\Sent', '\\Marked'], status: { messages: 12 } },
      { rawName: 'INBOX', name: 'INBOX', delimiter: '/', attributes: [], status: null },
    ];
    expect(show(folders)).toEqual([
      'name   delimiter  attributes     messages',
      'É      /          \\Sent \\Marked        12',
      'INBOX  /',
    ]);
  });

  test('fetched messages as a table, with what matters of the envelope', () => {
    const envelope: Envelope = {
      date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
      rawDate: 'x',
      subject: 'Grüße',
      rawSubject: 'x',
      from: [person('Alice', 'alice@example.org'), person(null, 'bob@example.org')],
      sender: [],
      replyTo: [],
      to: [{ kind: 'group', name: 'friends', rawName: '', members: [person('', 'carol@example.org')] }],
      cc: [],
      bcc: [],
      inReplyTo: null,
      messageId: '<1@x>',
    };
    const messages = new FetchedMessages([
      [7, { seq: 1, uid: 7, flags: ['\\Seen'], envelope, sections: new Map([['BODY[TEXT]', Buffer.from('hello')]]) }],
      [9, { seq: 2, uid: 9, flags: [], modSeq: 12n }],
    ]);
    messages.vanished = '3:5';
    expect(show(messages)).toEqual([
      'seq  uid  flags  date                  subject  from                                        BODY[TEXT]   modSeq',
      '  1    7  \\Seen  2026-01-02 03:04:05Z  Grüße    Alice <alice@example.org>, bob@example.org  hello (5 B)',
      '  2    9                                                                                                     12',
      'vanished: 3:5',
    ]);
  });

  test('addresses, groups among them, as a header has them', () => {
    const group = { kind: 'group', name: 'friends', rawName: '', members: [person('', 'carol@example.org')] };
    expect(show([{ to: [group, person('Bob', 'bob@example.org')] }])[1]).toBe(
      'friends: carol@example.org;, Bob <bob@example.org>',
    );
  });

  test('a body structure by its types', () => {
    const part = (section: string, type: string, subtype: string) => ({ section, type, subtype, isMultipart: false });
    const parts = [part('1', 'text', 'plain'), part('2', 'image', 'png')];
    const bodyStructure = { section: 'TEXT', type: 'multipart', subtype: 'mixed', isMultipart: true, parts };
    expect(show([{ uid: 1, bodyStructure }])[1]).toBe('  1  multipart/mixed (text/plain, image/png)');
  });

  test('a wide table within the screen, and a long body cut', () => {
    const lines = show(
      [{ uid: 1, body: Buffer.from('x'.repeat(5_000_000)), other: new Map([['X', 'y'.repeat(90)]]) }],
      60,
    );
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(lines[1]).toContain('(5.0 MB)');
    const dated = show(
      [{ date: new Date(0), subject: 'first '.repeat(9), name: `Archive/${'x'.repeat(40)}/2019` }],
      60,
    );
    expect(dated[1]).toMatch(/^1970-01-01 00:00:00Z {2}first f.*… {2}Arc.*…x+\/2019$/);
    expect(show(Buffer.alloc(5000, 'x'))[0]?.length).toBeLessThan(420);
  });

  test('the beginning of a long table, and how much more there is', () => {
    const lines = show(Array.from({ length: 1250 }, (_, uid) => ({ uid })));
    expect(lines).toHaveLength(202);
    expect(lines.at(-1)).toBe('and 1,050 more rows; _ holds them all');
  });

  test('words within the screen', () => {
    const lines = show(new Set(Array.from({ length: 30 }, (_, index) => `CAPABILITY-${index}`)), 50);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.every((line) => line.length <= 50)).toBe(true);
  });

  test('values that were made in another context', () => {
    const made = runInNewContext('[new Map([[1, { uid: 1, seen: new Date(0) }]]), new Set(["a"]), [{ a: 1 }]]');
    expect(show(made[0])).toEqual(['uid  seen', '  1  1970-01-01 00:00:00Z']);
    expect(show(made[1])).toEqual(['a']);
    expect(show(made[2])).toEqual(['a', '1']);
  });

  test.each<[string, unknown]>([
    ['a text', '\x1b[2J\u202e'],
    ['a cell', [{ name: '\x1b[2J', '\x1b]0;x\u0007': '\u200b' }]],
    ['a field', { '\x1b[2J': '\u009b', note: ['\u202e'] }],
    ['words', new Set(['\x1b[2J'])],
    ['bytes', Buffer.from('\x1b[2J\u202e')],
    ['a nested value', { deep: [[Buffer.from('\x1b[2J')]], more: { x: '\u202e' } }],
    ['a map', new Map([['\x1b[2J', '\u202e']])],
    ['a key that is no text', new Map([[Symbol('\x1b[2J'), 1]])],
  ])('%s without what a terminal would act on', (_what, value) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(show(value).join('\n')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]/);
  });
});

describe('an error is one line', () => {
  const refused = new CommandError('SELECT', {
    status: 'NO',
    code: { name: 'NONEXISTENT', text: '' },
    text: 'no\nsuch',
  });
  test.each<[string, Error, string]>([
    ['of a refusal', refused, 'SELECT: NO [NONEXISTENT] no\\nsuch'],
    ['with its code', new ConnectionClosedError('the connection was closed'), 'the connection was closed (CLOSED)'],
    [
      'that says what nobody knows',
      new ConnectionClosedError('CLOSED early', { outcomeUnknown: true }),
      'CLOSED early (CLOSED, outcome unknown)',
    ],
    ['of JavaScript', new TypeError('x is not a function'), 'TypeError: x is not a function'],
    ['whatever it says', new Error('first\nsecond \x1b[31m'), 'Error: first'],
    ['that a terminal can show', new Error('\x1b[31m'), 'Error: \\x1b[31m'],
  ])('%s', (_what, error, line) => {
    expect(errorLine(error)).toBe(line);
  });
});
