import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodedCommand, Encoder, type NonSyncLiterals } from '../../src/protocol/encoder.ts';
import { UsageError } from '../../src/protocol/errors.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { Lexer } from '../../src/protocol/lexer.ts';
import { toText } from '../support/responses.ts';

const encoder = (nonSyncLiterals: NonSyncLiterals = 'none') => new Encoder({ nonSyncLiterals });

/** The groups as latin1 text. */
function groups({ groups: parts }: EncodedCommand): string[] {
  return parts.map((group) => Buffer.concat(group as readonly Buffer[]).toString('latin1'));
}

/** What a write puts behind `X ` when nothing waits, `T X ` and CRLF taken off. */
function written(write: (out: Encoder) => Encoder, nonSyncLiterals: NonSyncLiterals = 'all'): string {
  const [group, ...rest] = groups(write(encoder(nonSyncLiterals).raw('X ')).finish('T'));
  expect(rest).toEqual([]);
  expect(group).toMatch(/^T X /);
  expect(group?.endsWith('\r\n')).toBe(true);
  return (group as string).slice(4, -2);
}

describe('Encoder', () => {
  it('writes a command into one buffer', () => {
    const command = encoder().raw('UID FETCH').sp().sequenceSet([1, 2, 3, 7]).sp().raw('(FLAGS)').finish('a.17');
    expect(command.groups).toHaveLength(1);
    expect(command.groups[0]).toHaveLength(1);
    expect(groups(command)).toEqual(['a.17 UID FETCH 1:3,7 (FLAGS)\r\n']);
    expect(command.bytes).toBe('a.17 UID FETCH 1:3,7 (FLAGS)\r\n'.length);
  });

  it.each([
    ['', '""'],
    ['a', '"a"'],
    ['a b', '"a b"'],
    ['NIL', '"NIL"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['"\\"', '"\\"\\\\\\""'],
    ['{3}', '"{3}"'],
    ['(%*])~', '"(%*])~"'],
    ['x'.repeat(1024), `"${'x'.repeat(1024)}"`],
    ['"'.repeat(1024), `"${'\\"'.repeat(1024)}"`],
    ['x'.repeat(1025), `{1025+}\r\n${'x'.repeat(1025)}`],
    ['a\r\nA1 LOGOUT', '{12+}\r\na\r\nA1 LOGOUT'],
    ['\n', '{1+}\r\n\n'],
    ['\r', '{1+}\r\n\r'],
    ['\t', '{1+}\r\n\t'],
    ['\x7f', '{1+}\r\n\x7f'],
    ['é', '{2+}\r\n\xc3\xa9'],
    ['日本', '{6+}\r\n\xe6\x97\xa5\xe6\x9c\xac'],
  ])('writes the string %j', (value, wire) => {
    expect(written((out) => out.string(value))).toBe(wire);
    expect(written((out) => out.astring(value))).toBe(wire);
    expect(written((out) => out.string(Buffer.from(value, 'utf8')))).toBe(wire);
  });

  it('keeps the bytes of a buffer', () => {
    expect(written((out) => out.string(Buffer.from([0xff, 0x41])))).toBe('{2+}\r\n\xffA');
  });

  it.each(['\0', 'a\0b', Buffer.from('a\0'), Buffer.alloc(2000), `é\0`, 'half \ud83d'])(
    'refuses the string %j',
    (value) => {
      expect(() => encoder().string(value)).toThrow(UsageError);
      expect(() => encoder().astring(value)).toThrow(UsageError);
    },
  );

  it.each([
    ['inbox', '"INBOX"'],
    ['InBoX', '"INBOX"'],
    ['inbox/a', '"inbox/a"'],
    ['Entwürfe', '"Entw&APw-rfe"'],
    ['R&D', '"R&-D"'],
    ['a"b', '"a\\"b"'],
    ['a\r\nb', '"a&AA0ACg-b"'],
    ['nul\0', '"nul&AAA-"'],
    [Buffer.from('inbox'), '"inbox"'],
    [Buffer.from('Entw&APw-rfe'), '"Entw&APw-rfe"'],
    [Buffer.from([0xe9, 0x2f]), '{2+}\r\n\xe9/'],
  ])('writes the mailbox %j', (name, wire) => {
    expect(written((out) => out.mailbox(name))).toBe(wire);
  });

  it('refuses a mailbox that cannot be written', () => {
    expect(() => encoder().mailbox(Buffer.from('a\0b'))).toThrow(UsageError);
    expect(() => encoder().mailbox('half \ude00')).toThrow(UsageError);
  });

  it.each(['a', 'UID', 'a.b-c_$&+/', 'X[1', '!#;<>=?@^`|}~'])('writes the atom %s', (text) => {
    expect(written((out) => out.atom(text))).toBe(text);
  });

  it.each(['', 'a b', 'a(', 'a)', 'a{', 'a%', 'a*', 'a"', 'a\\', 'a]', 'a\r\n', 'a\0', 'a\x7f', 'é', 'a\n'])(
    'refuses the atom %j',
    (text) => {
      expect(() => encoder().atom(text)).toThrow(UsageError);
    },
  );

  it.each([
    [[], '()'],
    [['\\Seen'], '(\\Seen)'],
    [['\\Seen', '$Forwarded', 'a.b'], '(\\Seen $Forwarded a.b)'],
  ])('writes the flags %j', (flags, wire) => {
    expect(written((out) => out.flags(flags))).toBe(wire);
  });

  it.each(['', '\\', '\\*', '\\\\Seen', 'a b', 'a)', 'a]', 'a"', 'caf\xe9', '\\Seen\r\nA1 LOGOUT', 'a\0'])(
    'refuses the flag %j',
    (flag) => {
      expect(() => encoder().flags(['\\Seen', flag])).toThrow(UsageError);
    },
  );

  it.each([' 7-Feb-1994 22:43:04 +0100', '17-Jul-1996 02:44:25 -0000', 'whatever the source said'])(
    'writes the date %j as it is',
    (date) => {
      expect(written((out) => out.dateTime(date))).toBe(`"${date}"`);
    },
  );

  it.each(['17-Jul"', 'a\\', 'a\r\n', 'a\n', 'a\0', 'é', 'x'.repeat(65)])('refuses the date %j', (date) => {
    expect(() => encoder().dateTime(date)).toThrow(UsageError);
  });

  it.each([
    [0, '0'],
    [4294967295, '4294967295'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [18446744073709551615n, '18446744073709551615'],
  ])('writes the number %s', (number, wire) => {
    expect(written((out) => out.number(number))).toBe(wire);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -1n])('refuses the number %s', (number) => {
    expect(() => encoder().number(number)).toThrow(UsageError);
  });

  it.each(['1', '1:*', '*', '*:4,7', '2,4:7,9,12:*', '$'])('writes the sequence set %s', (set) => {
    expect(written((out) => out.sequenceSet(set))).toBe(set);
  });

  it.each(['', '0', '1 2', '1,', 'a', '1:2:3', '1)', '$1', '1\r\n', '4294967296', '**'])(
    'refuses the sequence set %j',
    (set) => {
      expect(() => encoder().sequenceSet(set)).toThrow(UsageError);
    },
  );

  it('refuses numbers that are no sequence set', () => {
    expect(() => encoder().sequenceSet([])).toThrow(UsageError);
    expect(() => encoder().sequenceSet([2, 1])).toThrow(UsageError);
  });

  it.each(['a\r\n', 'a\n', '\r', '\0', '\t', '\x7f', 'é', '日'])('refuses %j as raw grammar', (text) => {
    expect(() => encoder().raw(text)).toThrow(UsageError);
  });

  it.each(['', 'a b', '*é', 'a\r\n', 'x'.repeat(32), '(', '"'])('refuses the tag %j', (tag) => {
    expect(() => encoder().raw('NOOP').finish(tag)).toThrow(UsageError);
  });

  it('writes tags of any other length', () => {
    for (const tag of ['1', 'A1', 'x'.repeat(31)]) {
      expect(groups(encoder().raw('NOOP').finish(tag))).toEqual([`${tag} NOOP\r\n`]);
    }
  });

  describe('literals', () => {
    const body = (size: number) => Buffer.alloc(size, 'b');
    const append = (size: number, nonSync: NonSyncLiterals) =>
      groups(encoder(nonSync).raw('APPEND x ').literal(body(size)).finish('T'));

    it.each([
      ['all', 0, true],
      ['all', 1_000_000, true],
      ['small', 0, true],
      ['small', 4096, true],
      ['small', 4097, false],
      ['none', 0, false],
      ['none', 1, false],
    ] as const)('with %s literals of %d bytes wait: not %s', (nonSync, size, together) => {
      const text = body(size).toString();
      expect(append(size, nonSync)).toEqual(
        together ? [`T APPEND x {${size}+}\r\n${text}\r\n`] : [`T APPEND x {${size}}\r\n`, `${text}\r\n`],
      );
    });

    it('each count for themselves under LITERAL-', () => {
      const command = encoder('small').raw('X ').literal(body(4096)).sp().literal(body(4097)).sp().literal(body(4096));
      expect(groups(command.finish('T')).map((group) => group.length)).toEqual([
        'T X {4096+}\r\n {4097}\r\n'.length + 4096,
        ' {4096+}\r\n\r\n'.length + 4097 + 4096,
      ]);
    });

    it('end a group right behind each announcement that waits, and nowhere else', () => {
      const command = encoder().raw('LOGIN ').string('ü').sp().string('a"b').sp().string('\n').finish('T');
      expect(groups(command)).toEqual(['T LOGIN {2}\r\n', '\xc3\xbc "a\\"b" {1}\r\n', '\n\r\n']);
    });

    it('are handed on as the very same slices', () => {
      const slices = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')];
      const whole = Buffer.from('three');
      const command = encoder('all').raw('X ').literal({ size: 6, chunks: slices }).sp().literal(whole).finish('T');
      const parts = command.groups.flat();
      expect(parts.map(String)).toEqual(['T X {6+}\r\n', 'one', 'two', ' {5+}\r\n', 'three', '\r\n']);
      expect(parts[1]).toBe(slices[0]);
      expect(parts[2]).toBe(slices[2]);
      expect(parts[4]).toBe(whole);
    });

    it('may hold any byte', () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
      expect(written((out) => out.literal(bytes))).toBe(`{256+}\r\n${bytes.toString('latin1')}`);
    });
  });

  it('writes a MULTIAPPEND of many messages with one small piece before each body', () => {
    const messages = Array.from({ length: 100 }, (_, at) => ({
      body: { size: 2000 + at, chunks: [Buffer.alloc(1000, 'a'), Buffer.alloc(1000 + at, 'b')] },
      flags: at % 2 === 0 ? ['\\Seen'] : [],
      date: '17-Jul-1996 02:44:25 -0700',
    }));
    const out = encoder('all').raw('APPEND ').mailbox('Sent');
    for (const { body, flags, date } of messages) out.sp().flags(flags).sp().dateTime(date).sp().literal(body);
    const command = out.finish('A9');
    const expected = messages.map(
      ({ body, flags, date }) => ` (${flags.join(' ')}) "${date}" {${body.size}+}\r\n${toText(body)}`,
    );
    expect(groups(command)).toEqual([`A9 APPEND "Sent"${expected.join('')}\r\n`]);
    expect(command.bytes).toBe(groups(command)[0]?.length);
    expect(command.groups[0]).toHaveLength(301);
  });

  it('grows as far as a command needs', () => {
    const set = Array.from({ length: 50_000 }, (_, at) => 2 * at + 1);
    expect(written((out) => out.sequenceSet(set))).toBe(set.join(','));
    const mixed = written((out) => out.string('ü').raw('x'.repeat(700)).string('"'.repeat(900)).string('ü'));
    expect(mixed).toBe(`{2+}\r\n\xc3\xbc${'x'.repeat(700)}"${'\\"'.repeat(900)}"{2+}\r\n\xc3\xbc`);
  });

  it('property: whatever the arguments hold, a reader finds one command with these arguments', () => {
    const unicode = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\0'));
    const hostile = fc.stringMatching(/^[\r\n"\\(){}*% A1LOGOUT+~]{0,20}$/);
    const bytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array.map((byte) => byte || 1)));
    const argument = fc.oneof(
      fc.oneof(unicode, hostile).map((value) => ({ kind: 'string' as const, value, wire: Buffer.from(value, 'utf8') })),
      bytes.map((value) => ({ kind: 'bytes' as const, value, wire: value })),
      fc.uint8Array({ maxLength: 5000 }).map((array) => ({
        kind: 'literal' as const,
        value: Buffer.from(array),
        wire: Buffer.from(array),
      })),
    );
    fc.assert(
      fc.property(
        fc.array(argument, { maxLength: 6 }),
        fc.constantFrom<NonSyncLiterals>('all', 'small', 'none'),
        (args, nonSyncLiterals) => {
          const out = encoder(nonSyncLiterals).raw('X');
          for (const { kind, value } of args) {
            out.sp();
            if (kind === 'literal') out.literal(value);
            else out.string(value);
          }
          const command = out.finish('T');
          const parts = groups(command);
          // Every group but the last ends with an announcement that waits, and no other does.
          const waiting = parts.map((part) => /\{\d+\}\r\n$/.test(part));
          expect(waiting.slice(0, -1).every(Boolean)).toBe(true);
          const stream = Buffer.concat(command.groups.flat() as Buffer[]);
          expect(stream.length).toBe(command.bytes);

          const read: Buffer[] = [];
          let frames = 0;
          const framer = new Framer((frame) => {
            frames++;
            const lexer = Lexer.of(frame);
            lexer.position += '* X'.length;
            while (!lexer.atEnd) {
              lexer.space();
              read.push(lexer.string());
            }
          });
          // A command reads like untagged data once its tag is a star.
          framer.push(Buffer.concat([Buffer.from('*'), stream.subarray(1)]));
          framer.end();
          expect(frames).toBe(1);
          expect(read).toEqual(args.map(({ wire }) => wire));
        },
      ),
      { numRuns: 300 },
    );
  });
});
