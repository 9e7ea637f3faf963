import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIni } from '../../src/config/ini.ts';
import { ConfigError } from '../../src/errors.ts';

function parse(text: string | Uint8Array): Record<string, Record<string, string>> {
  const sections = parseIni(typeof text === 'string' ? Buffer.from(text) : text, 'a.ini');
  const plain = [...sections].map(([name, { entries }]) => [
    name,
    Object.fromEntries([...entries].map(([key, { value }]) => [key, value])),
  ]);
  return Object.fromEntries(plain);
}

describe('parseIni', () => {
  it.each([
    ['with = and with :', 'a = 1\nb: 2\nc=3\nd:4', { a: '1', b: '2', c: '3', d: '4' }],
    ['up to the first separator', 'a = b=c:d\ne: f=g', { a: 'b=c:d', e: 'f=g' }],
    ['in any case', 'Host = x\nUSER name = y', { host: 'x', 'user name': 'y' }],
    ['without blanks at the ends', '  a  =  x y \t\n', { a: 'x y' }],
    ['with a comment sign inside', 'a = p;w#1', { a: 'p;w#1' }],
    ['with a comment sign behind a blank', 'a = p ;w #1', { a: 'p ;w #1' }],
    ['with quotes', `a = "x"\nb = 'y'`, { a: '"x"', b: "'y'" }],
    ['with backslashes', 'a = \\n\\t\\\\', { a: '\\n\\t\\\\' }],
    ['with percent signs', 'a = 100%%(b)s%', { a: '100%%(b)s%' }],
    ['with brackets', 'a = [x]', { a: '[x]' }],
    ['with a comment sign first', 'a = ;x\nb = #y', { a: ';x', b: '#y' }],
    ['in any script', 'a = pässwörd日本😀', { a: 'pässwörd日本😀' }],
    ['that are empty', 'a =\nb:', { a: '', b: '' }],
    ['after comments and empty lines', '; x = 1\n# y = 2\n   # z = 3\n\n \t\na = 1', { a: '1' }],
    ['with the line ends of Windows', 'a = 1\r\nb = 2\r\n', { a: '1', b: '2' }],
    ['after a byte order mark', '\ufeffa = 1', { a: '1' }],
    ['under a header', '[DEFAULT]\na = 1', { a: '1' }],
    ['under a header in small letters', ' [default] \na = 1', { a: '1' }],
    ['that are all indented alike', '[DEFAULT]\n  a = 1\n  b = 2', { a: '1', b: '2' }],
    ['that are indented less and less', '  a = 1\n b = 2\nc = 3', { a: '1', b: '2', c: '3' }],
    ['with a tab inside', 'a = x\ty', { a: 'x\ty' }],
    ['from an empty file', '', {}],
  ])('reads values %s', (_, text, expected) => {
    expect(parse(text)).toEqual({ DEFAULT: expected });
  });

  it('reads further sections, whatever characters their names have', () => {
    expect(parse('a = 0\n[a@b.com]\na = 1\n[x y]\n[z]]\nb = 2')).toEqual({
      DEFAULT: { a: '0' },
      'a@b.com': { a: '1' },
      'x y': {},
      'z]': { b: '2' },
    });
  });

  it('counts lines from one, comments and all', () => {
    const entries = parseIni(Buffer.from('# x\n\na = 1\r\n[s]\nb = 2'), 'a.ini');
    expect(entries.get('DEFAULT')?.entries.get('a')?.line).toBe(3);
    expect([entries.get('s')?.line, entries.get('s')?.entries.get('b')?.line]).toEqual([4, 5]);
  });

  it('gives back any value that has no blanks at its ends and no control characters', () => {
    const value = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/\p{Cc}/u.test(text) && text === text.replace(/^ +| +$/g, ''));
    fc.assert(
      fc.property(value, (text) => {
        expect(parse(`k = ${text}\n`)).toEqual({ DEFAULT: { k: text } });
      }),
    );
  });

  it.each([
    ['a word alone', 'a = 1\nSECRET', 'a.ini:2: is neither "key = value" nor a [section] nor a comment'],
    ['no key', '= SECRET', 'a.ini:1: is neither "key = value" nor a [section] nor a comment'],
    ['an unfinished header', '[DEFAULT\na=SECRET', 'a.ini:1: is neither "key = value" nor a [section] nor a comment'],
    ['words behind a header', '[DEFAULT] SECRET', 'a.ini:1: is neither "key = value" nor a [section] nor a comment'],
    ['an empty header', '[]', 'a.ini:1: is neither "key = value" nor a [section] nor a comment'],
    ['a key twice', 'a = SECRET\n\nA: SECRET', 'a.ini:3: a is there twice (first in line 1): keep one'],
    ['a section twice', '[s]\n[s]', 'a.ini:2: section [s] is there twice'],
    ['[DEFAULT] twice', '[DEFAULT]\n[default]', 'a.ini:2: section [DEFAULT] is there twice'],
    [
      'a value that goes on',
      'password = SECRET\n  SECRET',
      'a.ini:2: is indented below the line above: a value cannot go on here; remove the blanks at the beginning',
    ],
    [
      'a value that goes on after an empty line',
      'password = SECRET\n\n SECRET = x',
      'a.ini:3: is indented below the line above: a value cannot go on here; remove the blanks at the beginning',
    ],
    ['a NUL', 'a = SECRET\0', 'a.ini:1: holds a control character: retype the line'],
    ['a carriage return inside', 'a = SECRET\rb = 2', 'a.ini:1: holds a control character: retype the line'],
    ['Latin-1', Buffer.from('a = 1\nb = SECRET\xe9\n', 'latin1'), 'a.ini:2: is not UTF-8 text: save the file as UTF-8'],
    [
      'Latin-1 in the last line',
      Buffer.from('a = 1\r\nb = \xe9', 'latin1'),
      'a.ini:2: is not UTF-8 text: save the file as UTF-8',
    ],
    ['UTF-16', Buffer.from('\ufeffa = SECRET', 'utf16le'), 'a.ini:1: is not UTF-8 text: save the file as UTF-8'],
  ])('refuses %s, with the line and never a value', (_, text, message) => {
    let thrown: unknown;
    try {
      parse(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(thrown).toHaveProperty('message', message);
  });
});
