import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError, ProtocolError } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { END, Lexer, LITERAL } from '../../src/protocol/lexer.ts';
import type { Limits } from '../../src/protocol/limits.ts';
import { cutEvery, readAtEveryChunking, wire } from '../support/chunking.ts';
import { toText } from '../support/responses.ts';

/** What `use` reads behind `* ` of a response, the same at every chunking. */
function lex<Result>(
  lines: string | readonly string[],
  use: (lexer: Lexer) => Result,
  limits?: Partial<Limits>,
): Result {
  const bytes = wire(...(typeof lines === 'string' ? [`* ${lines}`] : [`* ${lines[0]}`, ...lines.slice(1)]));
  const outcome = readAtEveryChunking(bytes, (chunks) => {
    const results: { value: Result }[] = [];
    let thrown: unknown = null;
    const framer = new Framer(
      (frame) => {
        const lexer = Lexer.of(frame);
        lexer.position += 2;
        results.push({ value: use(lexer) });
      },
      limits === undefined ? {} : { limits },
    );
    try {
      for (const chunk of chunks) framer.push(chunk);
    } catch (error) {
      thrown = error;
    }
    return { results, thrown };
  });
  if (outcome.thrown !== null) throw outcome.thrown;
  expect(outcome.results).toHaveLength(1);
  return (outcome.results[0] as { value: Result }).value;
}

describe('Lexer', () => {
  it.each([
    ['abc def', 'abc'],
    ['\\Seen)', '\\Seen'],
    ['\\*)', '\\*'],
    ['BODY[TEXT] x', 'BODY[TEXT]'],
    ['a]b"c', 'a]b'],
    ['&Jjo-/%*', '&Jjo-/%*'],
    ['\xe9\xff(', '\xe9\xff'],
    [`${'x'.repeat(50)} y`, 'x'.repeat(50)],
  ])('reads the atom of %j', (text, atom) => {
    expect(lex(text, (lexer) => lexer.atom())).toBe(atom);
    expect(lex(text, (lexer) => lexer.astring())).toBe(atom);
  });

  it.each(['', ' a', '(a', ')', '"a"', '{a', '\x01', '\x7f'])('refuses %j as an atom', (text) => {
    expect(() => lex(text, (lexer) => lexer.atom())).toThrow(ProtocolError);
  });

  it('reads words in upper case, ASCII letters only', () => {
    expect(lex('body[a', (lexer) => lexer.wordUntil(0x5b))).toBe('BODY');
    expect(lex('x-\xe9\xffz rest', (lexer) => lexer.word())).toBe('X-\xe9\xffZ');
    expect(lex(`${'long'.repeat(20)} y`, (lexer) => lexer.word())).toBe('LONG'.repeat(20));
  });

  it.each([
    ['"" x', ''],
    ['"abc"', 'abc'],
    ['"a b(c){3}%*]"', 'a b(c){3}%*]'],
    ['"\\"\\\\"', '"\\'],
    ['"\\a\\b"', 'ab'],
    ['"caf\xe9 \x01\x80"', 'caf\xe9 \x01\x80'],
    ['"{3}"', '{3}'],
  ])('reads the quoted string %j', (text, value) => {
    expect(lex(text, (lexer) => lexer.quoted().toString('latin1'))).toBe(value);
    expect(lex(text, (lexer) => lexer.astring())).toBe(value);
    expect(lex(text, (lexer) => lexer.string().toString('latin1'))).toBe(value);
  });

  it.each(['"', '"abc', '"abc\\"', '"abc\\', 'abc"', '"a {3'])('refuses the quoted string %j', (text) => {
    expect(() => lex(text, (lexer) => lexer.quoted())).toThrow(ProtocolError);
  });

  it('refuses a quoted string that a literal interrupts', () => {
    expect(() => lex(['"abc {3}', 'def"'], (lexer) => lexer.quoted())).toThrow(ProtocolError);
  });

  it('gives copies of quoted strings, so that no chunk is kept alive or changed', () => {
    const chunk = cutEvery(wire('* "abc"', '* "d\\"f"'), 100)[0] as Buffer;
    const kept: Buffer[] = [];
    new Framer((frame) => {
      const lexer = Lexer.of(frame);
      lexer.position += 2;
      kept.push(lexer.quoted());
    }).push(chunk);
    chunk.fill(0);
    expect(kept.map(String)).toEqual(['abc', 'd"f']);
    expect(kept.some((value) => value.buffer === chunk.buffer)).toBe(false);
  });

  it.each([
    ['a literal', ['{5}', 'a\r\nbc x'], 'a\r\nbc'],
    ['a literal8', ['~{2}', '\0\xff x'], '\0\xff'],
    ['an empty literal', ['{0}', ' x'], ''],
    ['a literal at the end', ['{1}', 'a'], 'a'],
  ])('reads %s', (_, lines, value) => {
    expect(lex(lines, (lexer) => toText(lexer.literal()))).toBe(value);
    expect(lex(lines, (lexer) => lexer.astring())).toBe(value);
    expect(lex(lines, (lexer) => toText(lexer.nliteral()))).toBe(value);
    expect(lex(lines, (lexer) => lexer.string().toString('latin1'))).toBe(value);
  });

  it('takes a literal glued to an atom as two things, and reads on behind it', () => {
    expect(lex(['a{1}', 'b c'], (lexer) => [lexer.atom(), lexer.peek(), lexer.astring(), lexer.text()])).toEqual([
      'a',
      LITERAL,
      'b',
      ' c',
    ]);
  });

  it.each([
    ['nil', null],
    ['NIL', null],
    ['nIl)', null],
    ['"NIL"', 'NIL'],
    ['"a"', 'a'],
  ])('reads the nstring %j', (text, value) => {
    const plain = (read: Buffer | null) => read?.toString('latin1') ?? null;
    expect(lex(text, (lexer) => plain(lexer.nstring() as Buffer | null))).toBe(value);
    expect(lex(text, (lexer) => toText(lexer.nliteral()))).toBe(value);
  });

  it.each(['NILS', 'NI', 'x', '', '(', '1'])('refuses %j as an nstring', (text) => {
    expect(() => lex(text, (lexer) => lexer.nstring())).toThrow(ProtocolError);
    expect(() => lex(text, (lexer) => lexer.nliteral())).toThrow(ProtocolError);
  });

  it('keeps NIL apart from atoms that begin like it', () => {
    expect(lex('NILE', (lexer) => [lexer.isNil(), lexer.nil(), lexer.atom()])).toEqual([false, false, 'NILE']);
    expect(lex(['NIL{1}', 'x'], (lexer) => lexer.isNil())).toBe(false);
    expect(lex('NIL', (lexer) => [lexer.isNil(), lexer.isNil(), lexer.nil(), lexer.atEnd])).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  describe('numbers', () => {
    it.each([
      ['0', 0],
      ['007 x', 7],
      ['4294967295)', 4294967295],
    ])('reads %s', (text, value) => {
      expect(lex(text, (lexer) => lexer.number())).toBe(value);
      expect(lex(text, (lexer) => lexer.number53())).toBe(value);
      expect(lex(text, (lexer) => lexer.number64())).toBe(BigInt(value));
    });

    it('reads sizes up to 2^53 - 1 and no further', () => {
      expect(lex('9007199254740991', (lexer) => lexer.number53())).toBe(Number.MAX_SAFE_INTEGER);
      expect(() => lex('9007199254740992', (lexer) => lexer.number53())).toThrow(/below 2\^53, got "9007199254740992"/);
    });

    it('reads 64-bit numbers exactly', () => {
      expect(lex('9007199254740993', (lexer) => lexer.number64())).toBe(9007199254740993n);
      expect(lex('18446744073709551615', (lexer) => lexer.number64())).toBe(18446744073709551615n);
    });

    it.each(['18446744073709551616', '000000000000000000000018446744073709551616', '9'.repeat(400)])(
      'refuses %s as a 64-bit number',
      (text) => {
        expect(() => lex(text, (lexer) => lexer.number64())).toThrow(ProtocolError);
      },
    );

    it.each(['4294967296', '99999999999999999999', '9'.repeat(400)])('refuses %s as a number', (text) => {
      expect(() => lex(text, (lexer) => lexer.number())).toThrow(/below 2\^32, got "\d/);
    });

    it.each(['', '-1', '+1', 'x', ' 1', '"1"'])('refuses %j as any number', (text) => {
      for (const read of ['number', 'number53', 'number64'] as const) {
        expect(() => lex(text, (lexer) => lexer[read]())).toThrow(ProtocolError);
      }
    });
  });

  describe('flags', () => {
    it.each([
      ['()', []],
      ['(\\Seen)', ['\\Seen']],
      ['(\\Seen $Forwarded a.b-c_d)', ['\\Seen', '$Forwarded', 'a.b-c_d']],
      ['(\\Answered \\*)', ['\\Answered', '\\*']],
      ['( )', []],
      ['( \\*)', ['\\*']],
      ['(\\Seen )', ['\\Seen']],
      ['(\\Seen  x)', ['\\Seen', 'x']],
      ['(\\Seen\\Flagged)', ['\\Seen', '\\Flagged']],
      ['(OIB-Seen-[Gmail]/All Mail)', ['OIB-Seen-[Gmail]/All', 'Mail']],
      ['("a b" "c)d" e)', ['a b', 'c)d', 'e']],
      ['(caf\xe9 a%b* {3)', ['caf\xe9', 'a%b*', '{3']],
      ['(\\)', ['\\']],
    ])('reads %j', (text, flags) => {
      // Twice: the second time the list is known already.
      for (let time = 0; time < 2; time++) {
        expect(lex(`${text} next`, (lexer) => [lexer.flagList(), lexer.text()])).toEqual([flags, ' next']);
      }
    });

    it.each(['', '(', '(\\Seen', '(\\Seen ', '\\Seen', '((a))', '(a (b))', '(a\x01b)', '("a)', 'NIL'])(
      'refuses %j',
      (text) => {
        expect(() => lex(text, (lexer) => lexer.flagList())).toThrow(ProtocolError);
      },
    );

    it('does not mistake a list cut short for a known one', () => {
      expect(lex('(\\Seen \\Known)', (lexer) => lexer.flagList())).toEqual(['\\Seen', '\\Known']);
      expect(() => lex('(\\Seen \\Known', (lexer) => lexer.flagList())).toThrow(ProtocolError);
    });

    it('refuses a literal as a flag', () => {
      expect(() => lex(['(a {1}', 'b)'], (lexer) => lexer.flagList())).toThrow(ProtocolError);
    });

    it('are shared, and frozen', () => {
      const first = lex('(\\Seen $Shared)', (lexer) => lexer.flagList());
      expect(lex('(\\Seen $Shared)', (lexer) => lexer.flagList())).toBe(first);
      expect(Object.isFrozen(first)).toBe(true);
      expect(Object.isFrozen(lex(`(${'x'.repeat(300)})`, (lexer) => lexer.flagList()))).toBe(true);
    });
  });

  describe('values', () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1');

    it.each([
      ['NIL', null],
      ['nil', null],
      ['atom', 'atom'],
      ['"NIL"', bytes('NIL')],
      ['7', 7],
      ['0', 0],
      ['007', '007'],
      ['9007199254740991', 9007199254740991],
      ['9007199254740993', 9007199254740993n],
      ['18446744073709551615', 18446744073709551615n],
      ['18446744073709551616', '18446744073709551616'],
      ['1.2', '1.2'],
      ['()', []],
      ['( )', []],
      ['(a "b" NIL 1 (2 (3)) ())', ['a', bytes('b'), null, 1, [2, [3]], []]],
      ['(("a" NIL)("b" NIL) "mixed")', [[bytes('a'), null], [bytes('b'), null], bytes('mixed')]],
      ['("a""b"(c)d)', [bytes('a'), bytes('b'), ['c'], 'd']],
      ['((a ) b )', [['a'], 'b']],
    ])('reads %j', (text, value) => {
      expect(lex(`${text} rest`, (lexer) => [lexer.value(), lexer.text()])).toEqual([value, ' rest']);
      expect(lex(`${text}`, (lexer) => lexer.value())).toEqual(value);
    });

    it('reads literals inside lists', () => {
      expect(lex(['({3}', 'a)b {0}', ' ~{1}', 'c)'], (lexer) => lexer.value())).toEqual([
        bytes('a)b'),
        bytes(''),
        bytes('c'),
      ]);
    });

    it.each(['', ')', '(', '(a', '((a)', '(a "b', '("a" {3)'])('refuses %j', (text) => {
      expect(() => lex(text, (lexer) => lexer.value())).toThrow(ProtocolError);
    });

    it('reads 64 levels of parentheses and not one more', () => {
      const nested = (depth: number) => `${'('.repeat(depth)}x${')'.repeat(depth)}`;
      expect(JSON.stringify(lex(nested(64), (lexer) => lexer.value()))).toBe(`${'['.repeat(64)}"x"${']'.repeat(64)}`);
      expect(() => lex(nested(65), (lexer) => lexer.value())).toThrow(LimitError);
    });

    it('refuses 10,000 levels without overflowing a stack, whatever the limit', () => {
      const deep = wire(`* ${'('.repeat(10_000)}${')'.repeat(10_000)}`);
      const read = (limits: Partial<Limits>) => {
        let value: unknown;
        const framer = new Framer(
          (frame) => {
            const lexer = Lexer.of(frame);
            lexer.position += 2;
            value = lexer.value();
          },
          { limits },
        );
        framer.push(deep);
        return value;
      };
      expect(() => read({})).toThrow(LimitError);
      expect(read({ maxDepth: 20_000 })).toBeDefined();
    });

    it('counts values', () => {
      expect(() => lex('(a b c)', (lexer) => lexer.value(), { maxValues: 3 })).toThrow(LimitError);
      expect(lex('(a b c)', (lexer) => lexer.value(), { maxValues: 4 })).toEqual(['a', 'b', 'c']);
      expect(() => lex('(()()())', (lexer) => lexer.value(), { maxValues: 3 })).toThrow(LimitError);
    });

    it('joins no literal above the cap', () => {
      const lines = ['({4}', 'abcd)'];
      expect(() => lex(lines, (lexer) => lexer.value(), { maxJoinedBytes: 3 })).toThrow(LimitError);
      expect(lex(lines, (lexer) => lexer.value(), { maxJoinedBytes: 4 })).toEqual([bytes('abcd')]);
    });
  });

  it('walks lists item by item', () => {
    const items: string[] = [];
    lex('( a "b"  c ) d', (lexer) => lexer.list(() => items.push(lexer.astring())));
    expect(items.slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(() => lex('(a', (lexer) => lexer.list(() => lexer.atom()))).toThrow(ProtocolError);
  });

  it('steps over single bytes, spaces and words only where they are', () => {
    expect(
      lex('  (x', (lexer) => [
        lexer.skip(0x28),
        lexer.space(),
        lexer.skip(0x28),
        lexer.skip(0x28),
        lexer.close(),
        lexer.peek(),
        lexer.skip(0x78),
        lexer.peek(),
        lexer.skip(0x78),
      ]),
    ).toEqual([false, undefined, true, false, false, 0x78, true, END, false]);
    expect(() => lex('x', (lexer) => lexer.space())).toThrow('expected a space, got "x"');
    expect(() => lex('x', (lexer) => lexer.open())).toThrow(ProtocolError);
  });

  it('finishes at the end, with spaces before it (Outlook) or without, and nowhere else', () => {
    expect(lex('x', (lexer) => [lexer.atom(), lexer.finish()])).toEqual(['x', undefined]);
    expect(lex('x  ', (lexer) => [lexer.atom(), lexer.finish()])).toEqual(['x', undefined]);
    expect(() => lex('x y', (lexer) => [lexer.atom(), lexer.finish()])).toThrow(
      'expected the end of the line, got "y"',
    );
    expect(() => lex(['x {1}', 'y'], (lexer) => [lexer.atom(), lexer.finish()])).toThrow(/got a literal$/);
  });

  it('gives the rest of the text with the bytes of literals in it', () => {
    expect(lex(['a b {2}', '\xff) c {0}', ' d'], (lexer) => [lexer.atom(), lexer.text(), lexer.atEnd])).toEqual([
      'a',
      ' b \xff) c  d',
      true,
    ]);
  });

  it('shows of what it refuses at most sixty characters, escaped, and never a literal', () => {
    const message = (text: string | readonly string[]) => {
      try {
        return lex(text, (lexer) => lexer.number());
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message('\x1b[31m\x00\xff\\"')).toBe('expected a number, got "\\x1b[31m\\x00\\xff\\\\""');
    expect(message(`x${'y'.repeat(200)}`)).toBe(`expected a number, got "x${'y'.repeat(58)}…"`);
    expect(message(['{6}', 'secret'])).toBe('expected a number, got a literal');
    expect(message('')).toBe('expected a number, got the end');
  });

  it('reads text that was handed out before', () => {
    const lexer = Lexer.over('(\\Seen \\*) 7 \xff');
    expect([lexer.flagList(), lexer.space(), lexer.number(), lexer.text()]).toEqual([
      ['\\Seen', '\\*'],
      undefined,
      7,
      ' \xff',
    ]);
    expect(Lexer.over('').atEnd).toBe(true);
  });

  it('property: strings written as quoted or literal are read back', () => {
    const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (texts) => {
        const written = texts.map((value) =>
          /^[^\0\r\n]*$/.test(value) ? `"${value.replace(/[\\"]/g, '\\$&')}"` : `{${value.length}}\r\n${value}`,
        );
        const read: string[] = [];
        const framer = new Framer((frame) => {
          const lexer = Lexer.of(frame);
          lexer.position += 1;
          while (!lexer.atEnd) {
            lexer.space();
            read.push(lexer.astring());
          }
        });
        framer.push(wire(`* ${written.join(' ')}`));
        expect(read).toEqual(texts);
      }),
    );
  });
});
