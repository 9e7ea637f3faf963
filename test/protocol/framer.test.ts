import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/protocol/errors.ts';
import { parseFetch } from '../../src/protocol/fetch-data.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { Framer, type LiteralSink } from '../../src/protocol/framer.ts';
import { Lexer } from '../../src/protocol/lexer.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import type { Literal } from '../../src/protocol/types.ts';
import { cutAt, cutEvery, readAtEveryChunking, wire } from '../support/chunking.ts';
import { type PlainFrame, readFrames, toText } from '../support/responses.ts';

interface Row {
  readonly name: string;
  readonly bytes: Buffer;
  readonly frames: readonly PlainFrame[];
}

const line = (text: string): PlainFrame => ({ runs: [text], literals: [] });

const rows: Row[] = [
  { name: 'a line', bytes: wire('* OK ready'), frames: [line('* OK ready')] },
  {
    name: 'several responses in one chunk',
    bytes: wire('* 3 EXISTS', '+ go on', 'A1 OK done'),
    frames: [line('* 3 EXISTS'), line('+ go on'), line('A1 OK done')],
  },
  {
    name: 'a literal with CRLF, responses and announcements inside',
    bytes: Buffer.concat([wire('* 1 FETCH (BODY[] {20}'), Buffer.from('a\r\nA1 OK done\r\n{9}\r\n'), wire(' UID 7)')]),
    frames: [{ runs: ['* 1 FETCH (BODY[] ', ' UID 7)'], literals: ['a\r\nA1 OK done\r\n{9}\r\n'] }],
  },
  {
    name: 'an empty literal',
    bytes: wire('* LIST () "/" {0}', '', 'A1 OK'),
    frames: [{ runs: ['* LIST () "/" ', ''], literals: [''] }, line('A1 OK')],
  },
  {
    name: 'literals one after the other, of every spelling',
    bytes: wire('* X {2}', 'ab{2+}', 'cd ~{2}', '\0\n~{1+}', 'z}'),
    frames: [{ runs: ['* X ', '', ' ', '', '}'], literals: ['ab', 'cd', '\0\n', 'z'] }],
  },
  {
    name: 'a literal with leading zeros in its size',
    bytes: wire('* X {0003}', 'abc'),
    frames: [{ runs: ['* X ', ''], literals: ['abc'] }],
  },
  {
    name: 'two spaces behind the star (DavMail) in front of a literal',
    bytes: wire('*  1 FETCH (BODY[] {1}', 'x)'),
    frames: [{ runs: ['*  1 FETCH (BODY[] ', ')'], literals: ['x'] }],
  },
  {
    name: 'braces at the end of a quoted string',
    bytes: wire('* LIST () "/" "a{3}"'),
    frames: [line('* LIST () "/" "a{3}"')],
  },
  ...['{}', '{+}', '{a}', '{-1}', '{3-}', '{3 }', '3}', '}', '{ 3}'].map((end) => ({
    name: `no announcement: ${end}`,
    bytes: wire(`* X ${end}`),
    frames: [line(`* X ${end}`)],
  })),
  // Text for people may end with what looks like an announcement; taking it for one would wait for ever.
  ...[
    '* OK bye {3}',
    '* NO {3}',
    '* no {3}',
    '*  BAD wait {10}',
    '* BYE {99999999999}',
    '* PREAUTH [CAPABILITY X] {3}',
    '* OK[ALERT] {3}',
    'A1 OK done {3}',
    'a.7 NO no folder "x" {12}',
    '+ {3}',
    '+ send {3+}',
    '+{3}',
  ].map((text) => ({
    name: `text that ends with braces: ${text}`,
    bytes: wire(text, '* X'),
    frames: [line(text), line('* X')],
  })),
  // A word that only begins like a status is data.
  {
    name: 'a name that begins like a status word',
    bytes: wire('* NOOPS {1}', 'x', '* OK-X {1}', 'y'),
    frames: [
      { runs: ['* NOOPS ', ''], literals: ['x'] },
      { runs: ['* OK-X ', ''], literals: ['y'] },
    ],
  },
  {
    name: 'blank lines between responses',
    bytes: wire('* 1 EXISTS', '', '', 'A1 OK', ''),
    frames: [line('* 1 EXISTS'), line('A1 OK')],
  },
  {
    name: 'a blank line behind a literal whose list is open',
    bytes: wire('* 9 FETCH (BODY[] {4}', 'body', ')', 'A1 OK'),
    frames: [{ runs: ['* 9 FETCH (BODY[] ', ')'], literals: ['body'] }, line('A1 OK')],
  },
  {
    name: 'four blank lines in one response, but not a fifth',
    bytes: wire('* X ({0}', '', '{0}', '', '{0}', '', '{0}', '', '{0}', '', ')'),
    frames: [{ runs: ['* X (', '', '', '', '', ''], literals: ['', '', '', '', ''] }, line(')')],
  },
  {
    name: 'parentheses inside quotes as text',
    bytes: wire('* LIST () "\\"(" {4}', 'name', 'A1 OK'),
    frames: [{ runs: ['* LIST () "\\"(" ', ''], literals: ['name'] }, line('A1 OK')],
  },
  {
    name: 'an end of line behind a literal whose list is closed',
    bytes: wire('* LIST (\\A "(") "/" {4}', 'name', 'A1 OK'),
    frames: [{ runs: ['* LIST (\\A "(") "/" ', ''], literals: ['name'] }, line('A1 OK')],
  },
  {
    name: 'lines that end with LF alone (mailutils imap4d 3.15)',
    bytes: Buffer.from('* OK\n\nA1 OK\n* X {3}\nabc\n', 'latin1'),
    frames: [line('* OK'), line('A1 OK'), { runs: ['* X ', ''], literals: ['abc'] }],
  },
  { name: 'a lone CR in a line', bytes: wire('* OK a\rb'), frames: [line('* OK a\rb')] },
  { name: '8-bit bytes and controls in a line', bytes: wire('* OK \xff\x00\x01'), frames: [line('* OK \xff\x00\x01')] },
];

describe('Framer', () => {
  it.each(rows)('cuts out $name at every chunking', ({ bytes, frames }) => {
    expect(readAtEveryChunking(bytes, (chunks) => readFrames(chunks))).toEqual({ values: frames, error: null });
  });

  it.each([
    ['an end inside a line', '* OK\r\n* 1 EXI', 1],
    ['an end behind CR', '* OK\r', 0],
    ['an end inside a literal', '* X {5}\r\nabc', 0],
    ['an end behind a literal', '* X {3}\r\nabc', 0],
  ])('refuses %s at every chunking', (_, text, before) => {
    const outcome = readAtEveryChunking(Buffer.from(text, 'latin1'), (chunks) => readFrames(chunks));
    expect(outcome.error).toBe('PROTOCOL');
    expect(outcome.values).toHaveLength(before);
  });

  it.each([
    ['a line above the cap', { maxTextBytes: 20 }, wire('* 1234567 EXPUNGE no')],
    ['lines around literals above the cap', { maxTextBytes: 20 }, wire('* X {1}', 'a{1}', 'b 7890')],
    ['blank lines in a list above the cap', { maxTextBytes: 10 }, wire('* X ({0}', '', '', ')')],
    ['a literal above the cap', { maxLiteralBytes: 5 }, wire('* X {6}', 'abcdef')],
    ['a literal of 100 GB', {}, wire('* X {99999999999}', '')],
    ['a size of 20 digits', {}, wire('* X {99999999999999999999}', '')],
    ['a size of 21 digits', {}, wire('* X {000000000000000000001}', 'a')],
    ['a size of 500 digits', {}, wire(`* X {${'9'.repeat(500)}}`, '')],
    ['more literals than allowed', { maxLiterals: 2 }, wire('* X {1}', 'a{1}', 'b{1}', 'c')],
    ['literals above the cap together', { maxResponseBytes: 20 }, wire('* X {6}', 'abcdef{6}', 'abcdef')],
  ])('refuses %s', (name, limits, bytes) => {
    const outcome = readAtEveryChunking(bytes, (chunks) => readFrames(chunks, { limits }));
    expect(outcome, name).toEqual({ values: [], error: 'LIMIT' });
  });

  it.each([
    ['a line', { maxTextBytes: 23 }, wire('* 1234567 EXPUNGE yes')],
    ['lines around literals', { maxTextBytes: 20 }, wire('* X {1}', 'a{1}', 'b 789')],
    ['a literal', { maxLiteralBytes: 6 }, wire('* X {6}', 'abcdef')],
    ['the number of literals', { maxLiterals: 2 }, wire('* X {1}', 'a{1}', 'b')],
  ])('accepts %s exactly at the cap', (_, limits, bytes) => {
    const outcome = readAtEveryChunking(bytes, (chunks) => readFrames(chunks, { limits }));
    expect(outcome).toMatchObject({ error: null });
    expect(outcome.values).toHaveLength(1);
  });

  it('measures each response anew', () => {
    const bytes = wire('* X {4}', 'abcd', '* X {4}', 'abcd', '* X {4}', 'abcd');
    const limits = { maxTextBytes: 12, maxResponseBytes: 16, maxLiterals: 1 };
    expect(readFrames([bytes], { limits })).toMatchObject({ error: null, values: [{}, {}, {}] });
  });

  it('hands out the very bytes of the chunk', () => {
    const chunk = Buffer.concat([wire('* X {5}'), Buffer.from('abcde'), wire('')]);
    let literal: Literal | undefined;
    new Framer((frame) => {
      literal = frame.literal(0);
    }).push(chunk);
    expect(literal?.chunks).toHaveLength(1);
    expect(literal?.chunks[0]?.buffer).toBe(chunk.buffer);
    chunk.fill('z');
    expect(toText(literal)).toBe('zzzzz');
  });

  it('keeps literals readable after the frame is gone', () => {
    const kept: Literal[] = [];
    const framer = new Framer((frame) => kept.push(frame.literal(0)));
    const body = Buffer.alloc(5000, 'abc');
    for (const chunk of cutEvery(Buffer.concat([wire('* X {5000}'), body, wire('', '* X {1}', 'b')]), 1448)) {
      framer.push(chunk);
    }
    expect(kept.map((literal) => literal.size)).toEqual([5000, 1]);
    expect(Buffer.concat(kept[0]?.chunks ?? []).equals(body)).toBe(true);
  });

  it('keeps few slices of a literal that dribbles in byte by byte', () => {
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
    let literal: Literal | undefined;
    const framer = new Framer((frame) => {
      literal = frame.literal(0);
    });
    for (const chunk of cutEvery(Buffer.concat([wire('* X {100000}'), body, wire('')]), 1)) framer.push(chunk);
    expect(Buffer.concat(literal?.chunks ?? []).equals(body)).toBe(true);
    expect(literal?.chunks.length).toBeLessThan(100);
  });

  it('does not mix dribbled literals with their neighbours', () => {
    const bytes = wire(
      '* X {700}',
      `${'a'.repeat(700)}{700}`,
      `${'b'.repeat(700)} {3}`,
      'ccc',
      '* Y {700}',
      'd'.repeat(700),
    );
    for (const size of [1, 3, 100, 699, 1023, 1025]) {
      const { values } = readFrames(cutEvery(bytes, size));
      expect(values).toEqual([
        { runs: ['* X ', '', ' ', ''], literals: ['a'.repeat(700), 'b'.repeat(700), 'ccc'] },
        { runs: ['* Y ', ''], literals: ['d'.repeat(700)] },
      ]);
    }
  });

  it('does not copy the slices of an ordinary body', () => {
    // The last slice is a small one.
    const chunks = cutEvery(Buffer.concat([wire('* X {8776}'), Buffer.alloc(8776, 'x'), wire('')]), 1448);
    const memory = new Set(chunks.map((chunk) => chunk.buffer));
    const framer = new Framer((frame) => {
      for (const slice of frame.literal(0).chunks) expect(memory.has(slice.buffer)).toBe(true);
    });
    for (const chunk of chunks) framer.push(chunk);
    expect.hasAssertions();
  });

  it('keeps no chunk of a response that is done', () => {
    const seen: { frame: Frame; lexer: Lexer }[] = [];
    const framer = new Framer((frame) => seen.push({ frame, lexer: Lexer.of(frame) }));
    framer.push(wire('* X {3}', 'abc {2}', 'de'));
    expect(seen).toHaveLength(1);
    for (const { frame, lexer } of seen) {
      expect(frame.runBuffers).toEqual([null, null, null]);
      expect(lexer.buffer).toHaveLength(0);
      expect(lexer.atEnd).toBe(true);
    }
  });

  it('says whether it is between responses', () => {
    const framer = new Framer(() => {});
    expect(framer.idle).toBe(true);
    framer.push(Buffer.from('* X {1}\r\n'));
    expect(framer.idle).toBe(false);
    framer.push(Buffer.from('a\r'));
    expect(framer.idle).toBe(false);
    framer.push(Buffer.from('\n'));
    expect(framer.idle).toBe(true);
    framer.push(Buffer.from('*'));
    expect(framer.idle).toBe(false);
  });

  it('throws the same error for ever once it failed', () => {
    const framer = new Framer(() => {});
    const first = caught(() => framer.push(wire('* X {99999999999}')));
    expect(first).toBeInstanceOf(LimitError);
    expect(caught(() => framer.push(wire('* OK')))).toBe(first);
    expect(caught(() => framer.end())).toBe(first);
  });

  it('is finished when a handler throws', () => {
    const failure = new LimitError('enough');
    let frames = 0;
    const framer = new Framer(() => {
      frames++;
      throw failure;
    });
    expect(caught(() => framer.push(wire('* 1 EXISTS', '* 2 EXISTS')))).toBe(failure);
    expect(caught(() => framer.push(wire('* 3 EXISTS')))).toBe(failure);
    expect(frames).toBe(1);
  });

  it('leaves the rest of the chunk to a handler that takes it', () => {
    const rests: string[] = [];
    const seen: string[] = [];
    const framer = new Framer((frame) => {
      seen.push(frame.text());
      if (frame.text().startsWith('A1')) rests.push(framer.takeRest().toString());
    });
    framer.push(wire('* X', 'A1 OK begin TLS', '* INJECTED'));
    framer.push(wire('* Y'));
    expect(seen).toEqual(['* X', 'A1 OK begin TLS', '* Y']);
    expect(rests).toEqual(['* INJECTED\r\n']);
    expect(framer.idle).toBe(true);
  });

  it('has no rest for a handler behind the last response', () => {
    const framer = new Framer(() => expect(framer.takeRest()).toHaveLength(0));
    framer.push(wire('* X'));
    expect.hasAssertions();
  });

  it('shows text with literals as their sizes', () => {
    const texts: string[] = [];
    new Framer((frame) => texts.push(frame.text())).push(wire('* X {3}', 'abc {0}', ' z', '* Y'));
    expect(texts).toEqual(['* X {3} {0} z', '* Y']);
  });

  describe('property', () => {
    const text = fc.stringMatching(/^[ -z|~]{0,30}$/).filter((run) => !run.endsWith('}') && !run.endsWith('~'));
    const literal = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    const response = fc.record({
      head: text.map((run) => `* X ${run}`),
      tail: fc.array(
        fc.record({ literal, nonSync: fc.boolean(), binary: fc.boolean(), run: text.map((run) => ` ${run}`) }),
        {
          maxLength: 4,
        },
      ),
    });

    it('finds any responses again at any chunking', () => {
      fc.assert(
        fc.property(fc.array(response, { maxLength: 6 }), fc.array(fc.nat({ max: 600 })), (responses, cuts) => {
          const bytes = Buffer.concat(
            responses.map(({ head, tail }) => {
              const parts = tail.map(
                ({ literal: body, nonSync, binary, run }) =>
                  `${binary ? '~' : ''}{${body.length}${nonSync ? '+' : ''}}\r\n${body}${run}`,
              );
              return Buffer.from(`${head}${parts.join('')}\r\n`, 'latin1');
            }),
          );
          const offsets = cuts.map((cut) => Math.min(cut, bytes.length));
          expect(readFrames(cutAt(bytes, offsets))).toEqual({
            values: responses.map(({ head, tail }) => ({
              runs: [head, ...tail.map(({ run }) => run)],
              literals: tail.map(({ literal: body }) => body),
            })),
            error: null,
          });
        }),
      );
    });

    it('ends arbitrary bytes in frames or an error, the same for every chunking', () => {
      const alphabet = fc.constantFrom(...'* {}0129+~\r\n"()OKx', '\r\n', '{1}\r\n', '* OK ', '\r\n* X ');
      fc.assert(
        fc.property(fc.array(alphabet, { maxLength: 60 }), fc.array(fc.nat({ max: 120 })), (pieces, cuts) => {
          const bytes = Buffer.from(pieces.join(''), 'latin1');
          const offsets = cuts.map((cut) => Math.min(cut, bytes.length));
          expect(readFrames(cutAt(bytes, offsets))).toEqual(readFrames([bytes]));
        }),
        { numRuns: 500 },
      );
    });
  });
});

describe('a literal sink', () => {
  const bytes = Buffer.concat([
    wire('* 7 FETCH (UID 42 FLAGS (\\Seen) BODY[] {10}'),
    Buffer.from('0123456789'),
    wire(' RFC822.SIZE 10)', '* 8 FETCH (BODY[] {3}', 'abc)'),
  ]);

  function collect(chunks: readonly Buffer[], take: (frame: Frame) => boolean) {
    const written: string[] = [];
    let ends = 0;
    const asked: { size: number; uid: number | undefined; body: unknown }[] = [];
    const frames: unknown[] = [];
    const sink: LiteralSink = {
      write: (slice) => written.push(slice.toString()),
      end: () => {
        ends++;
      },
    };
    const framer = new Framer(
      (frame) => {
        const response = parseResponse(frame);
        if (response.kind !== 'data') return;
        const { uid, size, body } = parseFetch(response.number ?? 0, response.lexer);
        frames.push({ uid, size, bodySize: body?.size, body: toText(body) });
      },
      {
        limits: { streamLiteralBytes: 10, maxLiteralBytes: 5 },
        literalSink(size, frame) {
          const response = parseResponse(frame);
          if (response.kind !== 'data') throw new Error('not data');
          const { uid, body } = parseFetch(response.number ?? 0, response.lexer);
          asked.push({ size, uid, body });
          return take(frame) ? sink : null;
        },
      },
    );
    for (const chunk of chunks) framer.push(chunk);
    return { written: written.join(''), ends, asked, frames };
  }

  it('receives a literal from the threshold on, knowing what came before it, at every chunking', () => {
    const outcome = readAtEveryChunking(bytes, (chunks) => collect(chunks, () => true));
    expect(outcome).toEqual({
      written: '0123456789',
      ends: 1,
      asked: [{ size: 10, uid: 42, body: undefined }],
      frames: [
        { uid: 42, size: 10, bodySize: 10, body: '' },
        { uid: undefined, size: undefined, bodySize: 3, body: 'abc' },
      ],
    });
  });

  it('receives an empty literal, too, where the threshold is zero', () => {
    const events: string[] = [];
    const literalSink = () => ({ write: () => events.push('write'), end: () => events.push('end') });
    const framer = new Framer(() => events.push('frame'), { limits: { streamLiteralBytes: 0 }, literalSink });
    framer.push(wire('* X {0}', ' {1}', 'a'));
    expect(events).toEqual(['end', 'write', 'end', 'frame']);
  });

  it('is no way around the cap when it is declined', () => {
    expect(() => collect([bytes], () => false)).toThrow(LimitError);
  });

  it('may take what is above the cap for collected literals, but no more than the cap for streamed ones', () => {
    const read = (size: number) =>
      readFrames([wire(`* X {${size}}`)], {
        limits: { maxStreamedLiteralBytes: 2000, maxLiteralBytes: 100, streamLiteralBytes: 50 },
        literalSink: () => ({ write() {}, end() {} }),
      });
    expect(read(2001).error).toBe('LIMIT');
    expect(read(2000).error).toBe('PROTOCOL');
  });

  it('is not asked below the threshold', () => {
    const framer = new Framer(() => {}, {
      limits: { streamLiteralBytes: 4 },
      literalSink: () => {
        throw new Error('asked');
      },
    });
    framer.push(wire('* X {3}', 'abc'));
    expect(framer.idle).toBe(true);
  });
});

describe('hostile streams', () => {
  // Each of these takes milliseconds in linear time and minutes to hours in quadratic time: the test's timeout is the bound.
  it('are read in linear time when a line of megabytes comes byte by byte', () => {
    const text = `* SEARCH${' 12345678'.repeat(250_000)}`;
    const { values } = readFrames(cutEvery(wire(text), 1));
    expect(values).toEqual([line(text)]);
  });

  it('are read in linear time when 16 MiB of line come in small chunks without an end', () => {
    const chunk = Buffer.alloc(64, 'x');
    const framer = new Framer(() => {});
    expect(() => {
      for (;;) framer.push(chunk);
    }).toThrow(LimitError);
  });

  it('are read in linear time when a response has very many literals', () => {
    const framer = new Framer(() => {});
    expect(() => {
      framer.push(wire('* X ({0}'));
      for (;;) framer.push(wire('{0}'));
    }).toThrow(LimitError);
  });

  it('do not make the framer hold the memory of an announced literal', () => {
    const before = process.memoryUsage().arrayBuffers;
    const framers = Array.from({ length: 50 }, () => {
      const framer = new Framer(() => {});
      framer.push(wire('* X {500000000}'));
      return framer;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
    expect(framers.every((framer) => !framer.idle)).toBe(true);
  });
});

function caught(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
