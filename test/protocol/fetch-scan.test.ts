import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FetchData, parseFetch } from '../../src/protocol/fetch-data.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { Framer, type FramerOptions } from '../../src/protocol/framer.ts';
import type { Limits } from '../../src/protocol/limits.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import type { Literal } from '../../src/protocol/types.ts';
import { cutAt, cutEvery, readAtEveryChunking, wire } from '../support/chunking.ts';
import { damaged, damages, fetchStreams, someLimits } from '../support/fetch-streams.ts';
import { readResponses, readScanned, readUnscanned, toPlainFetch } from '../support/responses.ts';

/** What the scan takes of one chunk, literals as text. */
function scan(bytes: Buffer, options: FramerOptions = {}): { taken: unknown[]; left: number } {
  const taken: unknown[] = [];
  let left = 0;
  const onFetch = (data: FetchData) => taken.push(toPlainFetch(data));
  new Framer(() => left++, { ...options, onFetch }).push(bytes);
  return { taken, left };
}

const date = '17-Jul-1996 02:44:25 -0700';

// Lists of flags and sections are taken once the parser has seen them.
beforeAll(() => {
  readUnscanned([
    wire('* 1 FETCH (FLAGS ())', '* 1 FETCH (FLAGS (\\Seen))', '* 1 FETCH (FLAGS (\\Answered \\Seen))'),
    wire('* 1 FETCH (BODY[1.MIME] NIL BODY[header.fields ("Date" TO)] NIL BODY[]<1> NIL)'),
  ]);
});

describe('FetchScan', () => {
  it.each([
    ['a UID', ['(UID 4294967295)'], { uid: 4294967295 }],
    ['flags', ['(FLAGS (\\Seen))'], { flags: ['\\Seen'] }],
    ['no flags', ['(FLAGS ())'], { flags: [] }],
    ['a date', [`(INTERNALDATE "${date}")`], { internalDate: date }],
    [
      'a date with a leading space',
      ['(INTERNALDATE " 7-Feb-1994 22:43:04 +0100")'],
      { internalDate: ' 7-Feb-1994 22:43:04 +0100' },
    ],
    ['a size above 2^32', ['(RFC822.SIZE 999999999999999)'], { size: 999999999999999 }],
    ['a mod-sequence', ['(MODSEQ (715194045007))'], { modSeq: 715194045007n }],
    ['a body', ['(BODY[] {5}', 'a\r\nb))'], { body: 'a\r\nb)' }],
    ['an empty body', ['(BODY[] {0}', ')'], { body: '' }],
    ['a section', ['(BODY[1.MIME] {2}', 'ab)'], { sections: new Map([['BODY[1.MIME]', 'ab']]) }],
    [
      'a section in a spelling of its own',
      ['(UID 7 BODY[header.fields ("Date" TO)] {2}', 'ab FLAGS ())'],
      { uid: 7, flags: [], sections: new Map([['BODY[HEADER.FIELDS (DATE TO)]', 'ab']]) },
    ],
    ['a row of a listing', ['(UID 7 RFC822.SIZE 9)'], { uid: 7, size: 9 }],
    [
      'a row of a listing with flags',
      ['(UID 7 RFC822.SIZE 9 FLAGS (\\Answered \\Seen))'],
      { uid: 7, size: 9, flags: ['\\Answered', '\\Seen'] },
    ],
    [
      'a message as Dovecot sends it',
      [`(UID 7 FLAGS (\\Seen) INTERNALDATE "${date}" BODY[] {3}`, 'abc)'],
      { uid: 7, flags: ['\\Seen'], internalDate: date, body: 'abc' },
    ],
    [
      'a message with its body in the middle',
      [`(RFC822.SIZE 3 MODSEQ (5) BODY[] {3}`, `abc INTERNALDATE "${date}" FLAGS () UID 7)`],
      { uid: 7, flags: [], internalDate: date, size: 3, modSeq: 5n, body: 'abc' },
    ],
    ['a body with a blank line behind it', ['(BODY[] {1}', 'x', ')'], { body: 'x' }],
    ['of items sent twice the last', ['(UID 1 UID 2 BODY[] {1}', 'x UID 3)'], { uid: 3, body: 'x' }],
  ])('takes %s', (_, [first, ...rest], data) => {
    const bytes = wire(`* 3 FETCH ${first}`, ...rest);
    expect(scan(bytes)).toEqual({ taken: [{ seq: 3, ...data }], left: 0 });
    expect(readAtEveryChunking(bytes, (chunks) => readResponses(chunks)).values).toHaveLength(1);
  });

  it.each([
    ['another response', ['* 3 EXISTS', '* 3 FETCHED (UID 1)', 'A1 OK (UID 1)', '* OK see * 3 FETCH (UID 1)']],
    [
      'other items',
      [
        '* 3 FETCH (EMAILID (x))',
        '* 3 FETCH (UID 1 X-GM-MSGID 2)',
        '* 3 FETCH (FLAGX (\\Seen))',
        '* 3 FETCH (BODY[9.8] {1}',
        'x)',
      ],
    ],
    [
      'other spellings',
      [
        '* 3 fetch (UID 1)',
        '* 3 FETCH (uid 1)',
        '*  3 FETCH (UID 1)',
        '* 3 FETCH (UID 1 )',
        '* 3 FETCH ( UID 1)',
        '* 3 FETCH (UID 1UID 2)',
      ],
    ],
    ['no items', ['* 3 FETCH ()']],
    [
      'a body that is no literal',
      [
        '* 3 FETCH (BODY[] NIL)',
        '* 3 FETCH (BODY[] "x")',
        '* 3 FETCH (BODY[] ~{1}',
        'x)',
        '* 3 FETCH (BODY[] {1+}',
        'x)',
        '* 3 FETCH (BODY[]<0> {1}',
        'x)',
        '* 3 FETCH (BODY[1.MIME] NIL)',
        '* 3 FETCH (BODY[1.MIME] "{1}")',
      ],
    ],
    [
      'two literals',
      ['* 3 FETCH (BODY[] {1}', 'x BODY[] {1}', 'y)', '* 3 FETCH (BODY[] {1}', 'x BODY[1.MIME] {1}', 'y)'],
    ],
    [
      'numbers of many digits',
      [
        '* 3 FETCH (UID 0000000000000001)',
        '* 3 FETCH (RFC822.SIZE 9007199254740991)',
        '* 3 FETCH (MODSEQ (12345678901234567890))',
      ],
    ],
    [
      'a date in another form',
      ['* 3 FETCH (INTERNALDATE "yesterday" X "5678901234567890")', `* 3 FETCH (INTERNALDATE "${date} (PDT)")`],
    ],
    ['flags never seen', ['* 3 FETCH (FLAGS ($NeverSeen1))', '* 3 FETCH (FLAGS ("a)b"))']],
  ])('leaves %s to the parser, with the same result', (_, lines) => {
    const bytes = wire(...lines);
    expect(scan(bytes).taken).toEqual([]);
    expect(readAtEveryChunking(bytes, (chunks) => readResponses(chunks)).error).toBeNull();
  });

  it.each([
    '(UID 4294967296)',
    '(UID )',
    '(UID 1',
    '(UID 1))',
    '(UID 1) x',
    '(RFC822.SIZE x)',
    '(MODSEQ (5)',
    '(MODSEQ 5)',
    '(MODSEQ (5])',
    `(INTERNALDATE "${date}" UID)`,
    `(INTERNALDATE-"${date}")`,
    `(INTERNALDATE "17-Jul-1996 02:44:\n5 -0700")`,
    '(FLAGS (\\Seen)',
    '(BODY[] {1}',
    '(BODY[1.MIME]{1}\r\nx)',
    '(BODY[1.MIME]x{1}\r\nx)',
    '(BODY[1.MIME] (1}\r\nx)',
    '(BODY[1.MIME {1}',
  ])('takes nothing of %j, which the parser refuses', (items) => {
    const bytes = wire(`* 3 FETCH ${items}`);
    expect(scan(bytes).taken).toEqual([]);
    expect(readAtEveryChunking(bytes, (chunks) => readResponses(chunks)).error).toBe('PROTOCOL');
  });

  it('refuses a sequence number that is too large', () => {
    expect(scan(wire('* 4294967296 FETCH (UID 1)')).taken).toEqual([]);
  });

  it('keeps to every cap as the parser does', () => {
    const bytes = wire('* 1 FETCH (UID 1)', '* 2 FETCH (UID 1 BODY[] {9}', '123456789 RFC822.SIZE 5)', '* 3 EXISTS');
    for (let cap = 0; cap <= 70; cap++) {
      for (const name of [
        'maxTextBytes',
        'maxLiteralBytes',
        'maxStreamedLiteralBytes',
        'maxResponseBytes',
        'maxLiterals',
      ]) {
        const limits = { [name]: cap };
        readAtEveryChunking(bytes, (chunks) => readResponses(chunks, { limits }));
      }
    }
    expect(readScanned([bytes], { limits: { maxTextBytes: 46 } }).error).toBeNull();
    expect(readScanned([bytes], { limits: { maxTextBytes: 45 } }).error).toBe('LIMIT');
  });

  it('counts the literals inside the name of a section', () => {
    const bytes = wire('* 4 FETCH (BODY[HEADER.FIELDS ({2}', 'TO)] {1}', 'x)');
    expect(readUnscanned([bytes]).error).toBeNull();
    expect(scan(bytes)).toEqual({ taken: [], left: 1 });
    expect(readScanned([bytes], { limits: { maxLiterals: 1 } }).error).toBe('LIMIT');
  });

  it('hands out the very bytes of the chunk as body', () => {
    const chunk = wire('* 1 FETCH (UID 1 BODY[] {4}', 'abcd)');
    const bodies: Buffer[] = [];
    const onFetch = (data: FetchData) => bodies.push(...(data.body?.chunks ?? []));
    new Framer(() => {}, { onFetch }).push(chunk);
    expect(bodies.map((slice) => [slice.buffer === chunk.buffer, slice.toString()])).toEqual([[true, 'abcd']]);
  });

  it('reads a response on where its chunk ends', () => {
    const bytes = wire(`* 1 FETCH (UID 1 BODY[] {2000}`, `${'x'.repeat(2000)} FLAGS (\\Seen))`);
    const taken: number[] = [];
    let frames = 0;
    const onFetch = (data: FetchData) => taken.push(data.body?.chunks.length ?? -1);
    const framer = new Framer(() => frames++, { onFetch });
    for (const chunk of cutEvery(bytes, 1024)) framer.push(chunk);
    expect({ taken, frames }).toEqual({ taken: [2], frames: 0 });
  });

  it('property: makes no difference, be it items, order, spelling, damage, cuts or limits', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        fetchStreams,
        damages,
        fc.array(fc.nat(), { maxLength: 3 }),
        someLimits,
        (stream, damages, cuts, limits) => {
          const bytes = damages.reduce(damaged, stream);
          const chunks = cutAt(
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          );
          const scanned = read(chunks, limits, true);
          expect(scanned.events).toStrictEqual(read(chunks, limits, false).events);
          taken += scanned.taken;
        },
      ),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(500);
  });
});

/** All that a stream leads to, literals slice by slice, and how many responses the scan took. */
function read(
  chunks: readonly Buffer[],
  limits: Partial<Limits>,
  scans: boolean,
): { events: unknown[]; taken: number } {
  const events: unknown[] = [];
  let taken = 0;
  const tell = (data: FetchData) =>
    events.push({
      ...data,
      body: slicesOf(data.body),
      sections: [...(data.sections ?? [])].map(([key, literal]) => [key, slicesOf(literal)]),
    });
  const onFrame = (frame: Frame) => {
    const response = parseResponse(frame);
    if (response.kind !== 'data') events.push(response);
    else if (response.name !== 'FETCH' || response.number === null) events.push(response.name, response.number);
    else tell(parseFetch(response.number, response.lexer));
  };
  const onFetch = (data: FetchData) => {
    taken++;
    tell(data);
  };
  const literalSink = (size: number) => {
    events.push(`streams ${size}`);
    return { write: (slice: Buffer) => events.push(slice.toString('latin1')), end: () => events.push('ends') };
  };
  const framer = new Framer(onFrame, { limits, literalSink, onFetch: scans ? onFetch : undefined });
  try {
    for (const chunk of chunks) framer.push(chunk);
    framer.end();
  } catch (error) {
    events.push(error);
  }
  return { events, taken };
}

function slicesOf(literal: Literal | null | undefined): string[] | undefined {
  return literal?.chunks.map((slice) => slice.toString('latin1'));
}
