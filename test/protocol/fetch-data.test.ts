import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFetch } from '../../src/protocol/fetch-data.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import type { Value } from '../../src/protocol/value.ts';
import { cutAt, readAtEveryChunking, wire } from '../support/chunking.ts';
import { type PlainFetch, readResponses } from '../support/responses.ts';

const read = (lines: readonly string[]) => readAtEveryChunking(wire(...lines), (chunks) => readResponses(chunks));
const text = (value: string) => Buffer.from(value, 'latin1');

interface Row {
  readonly name: string;
  readonly lines: readonly string[];
  readonly data: Omit<PlainFetch, 'seq'>;
}

const rows: Row[] = [
  { name: 'no items', lines: ['()'], data: {} },
  { name: 'a UID', lines: ['(UID 4294967295)'], data: { uid: 4294967295 } },
  { name: 'no flags', lines: ['(FLAGS ())'], data: { flags: [] } },
  { name: 'flags as sent', lines: ['(FLAGS (\\Recent \\seen $X))'], data: { flags: ['\\Recent', '\\seen', '$X'] } },
  {
    name: 'a date with a leading space',
    lines: ['(INTERNALDATE " 7-Feb-1994 22:43:04 +0100")'],
    data: { internalDate: ' 7-Feb-1994 22:43:04 +0100' },
  },
  {
    name: 'a date that is none, byte for byte',
    lines: ['(INTERNALDATE "yesterday \\"at\\" noon \xe9" UID 1)'],
    data: { internalDate: 'yesterday "at" noon \xe9', uid: 1 },
  },
  {
    name: 'an empty date in front of another string',
    lines: ['(INTERNALDATE "" X "567890123456789012345")'],
    data: { internalDate: '', other: new Map([['X', text('567890123456789012345')]]) },
  },
  {
    name: 'a date with more behind it',
    lines: ['(INTERNALDATE "17-Jul-1996 02:44:25 -0700 (PDT)")'],
    data: { internalDate: '17-Jul-1996 02:44:25 -0700 (PDT)' },
  },
  {
    name: 'a date as a literal',
    lines: ['(INTERNALDATE {26}', '17-Jul-1996 02:44:25 -0700 UID 2)'],
    data: { internalDate: '17-Jul-1996 02:44:25 -0700', uid: 2 },
  },
  { name: 'a size above 2^32', lines: ['(RFC822.SIZE 5000000000)'], data: { size: 5000000000 } },
  { name: 'a mod-sequence', lines: ['(MODSEQ (12345678901234567890))'], data: { modSeq: 12345678901234567890n } },
  { name: 'a mod-sequence with spaces', lines: ['(MODSEQ ( 7 ))'], data: { modSeq: 7n } },
  { name: 'a body', lines: ['(BODY[] {5}', 'a\r\nb))'], data: { body: 'a\r\nb)' } },
  { name: 'a body called RFC822', lines: ['(RFC822 {1}', 'x)'], data: { body: 'x' } },
  { name: 'an empty body', lines: ['(BODY[] {0}', ')'], data: { body: '' } },
  { name: 'an empty quoted body', lines: ['(BODY[] "")'], data: { body: '' } },
  { name: 'a quoted body', lines: ['(UID 1 BODY[] "a\\"b" FLAGS ())'], data: { uid: 1, body: 'a"b', flags: [] } },
  { name: 'a body of NIL', lines: ['(BODY[] NIL RFC822.SIZE 3)'], data: { body: null, size: 3 } },
  { name: 'a body as literal8', lines: ['(BODY[] ~{2}', '\0\xff)'], data: { body: '\0\xff' } },
  {
    name: 'a partial body, which is not the body',
    lines: ['(BODY[]<0> {1}', 'x BODY[]<5000000000> NIL)'],
    data: {
      sections: new Map([
        ['BODY[]<0>', 'x'],
        ['BODY[]<5000000000>', null],
      ]),
    },
  },
  {
    name: 'sections in one spelling',
    lines: [
      '(body[1.2.mime] "a" Body[Header.Fields ("Message-Id" dAte)] "b" BINARY[1] ~{1}',
      'c BODY[HEADER.FIELDS.NOT ( {2}',
      'to "x y")] nil BODY[TEXT]<3> "d" RFC822.TEXT "e" rfc822.header "f")',
    ],
    data: {
      sections: new Map([
        ['BODY[1.2.MIME]', 'a'],
        ['BODY[HEADER.FIELDS (MESSAGE-ID DATE)]', 'b'],
        ['BINARY[1]', 'c'],
        ['BODY[HEADER.FIELDS.NOT (TO X Y)]', null],
        ['BODY[TEXT]<3>', 'd'],
        ['RFC822.TEXT', 'e'],
        ['RFC822.HEADER', 'f'],
      ]),
    },
  },
  {
    name: 'unknown items',
    lines: ['(X-FOO bar X-BAR {2}', 'hi X-LIST (1 NIL "x") X-SIZE[1]<3> 40)'],
    data: {
      other: new Map<string, Value>([
        ['X-FOO', 'bar'],
        ['X-BAR', text('hi')],
        ['X-LIST', [1, null, text('x')]],
        ['X-SIZE[1]<3>', 40],
      ]),
    },
  },
  {
    name: 'items of extensions',
    lines: [
      '(EMAILID (M6d99) THREADID (T1) SAVEDATE "17-Jul-1996 02:44:25 -0700" PREVIEW {3}',
      'h\xc3\xa9 BINARY.SIZE[1.2] 40 BINARY.SIZE[] 5 X-GM-MSGID 18446744073709551615 X-GM-THRID 7 ' +
        'X-GM-LABELS (\\Inbox "a b" &AOk- {1}',
      'x))',
    ],
    data: {
      items: {
        emailId: 'M6d99',
        threadId: 'T1',
        saveDate: new Date(Date.UTC(1996, 6, 17, 9, 44, 25)),
        preview: 'hé',
        binarySizes: new Map([
          ['1.2', 40],
          ['', 5],
        ]),
        gmailMessageId: 18446744073709551615n,
        gmailThreadId: 7n,
        gmailLabels: ['\\Inbox', 'a b', 'é', 'x'],
      },
    },
  },
  {
    name: 'items of extensions that a message does not have',
    lines: ['(THREADID NIL SAVEDATE NIL PREVIEW NIL ENVELOPE NIL BODYSTRUCTURE nil BODY NIL X-GM-LABELS ())'],
    data: {
      items: {
        threadId: null,
        saveDate: null,
        preview: null,
        envelope: null,
        bodyStructure: null,
        bodyBasic: null,
        gmailLabels: [],
      },
    },
  },
  {
    name: 'items in any case, order and spacing',
    lines: ['(  flags (\\Seen)  uid 9 Internaldate "x"   RFC822.size 3 )  '],
    data: { flags: ['\\Seen'], uid: 9, internalDate: 'x', size: 3 },
  },
  {
    name: 'of items sent twice the last',
    lines: ['(UID 1 FLAGS (a) BODY[] "x" UID 2 FLAGS () BODY[] NIL)'],
    data: { uid: 2, flags: [], body: null },
  },
  {
    name: 'names that begin like common ones',
    lines: ['(UIDX 1 FLAGSX 2 BODYX 3 RFC822.SIZES 4 MODSEQS 5 U 6)'],
    data: { other: new Map(Object.entries({ UIDX: 1, FLAGSX: 2, BODYX: 3, 'RFC822.SIZES': 4, MODSEQS: 5, U: 6 })) },
  },
];

describe('parseFetch', () => {
  it.each(rows)('reads $name', ({ lines, data }) => {
    const [first, ...rest] = lines;
    expect(read([`* 3 FETCH ${first}`, ...rest])).toEqual({
      values: [{ kind: 'fetch', data: { seq: 3, ...data } }],
      error: null,
    });
  });

  it.each([
    '',
    ' ',
    ' UID 1',
    ' (UID 1',
    ' (UID 1) x',
    ' (UID)',
    ' (UID )',
    ' (UID x)',
    ' (UID 4294967296)',
    ' (UID -1)',
    ' (UID "1")',
    ' (FLAGS \\Seen)',
    ' (FLAGS (\\Seen)',
    ' (FLAGS NIL)',
    ' (INTERNALDATE NIL)',
    ' (INTERNALDATE 7)',
    ' (INTERNALDATE "7)',
    ' (RFC822.SIZE NIL)',
    ' (RFC822.SIZE 9007199254740992)',
    ' (MODSEQ 5)',
    ' (MODSEQ (5)',
    ' (MODSEQ (5 6))',
    ' (BODY[)',
    ' (BODY[ "x")',
    ' (BODY[TEXT "x")',
    ' (BODY[HEADER.FIELDS (A] "x")',
    ' (BODY[HEADER.FIELDS A B "x")',
    ' (BODY[]<0 "x")',
    ' (BODY[]<> "x")',
    ' (BODY[]<x> "x")',
    ' (BODY[]"x")',
    ' (BODY[] atom)',
    ' (BODY[] (x))',
    ' (BODY[])',
    ' (X)',
    ' ("X" 1)',
    ' (UID 1 (X) 2)',
  ])('refuses %j', (items) => {
    expect(read([`* 3 FETCH${items}`])).toEqual({ values: [], error: 'PROTOCOL' });
  });

  it('refuses a body followed by rubbish', () => {
    expect(read(['* 3 FETCH (BODY[] {1}', 'xy)']).error).toBe('PROTOCOL');
    expect(read(['* 3 FETCH (BODY[] {1}', 'x']).error).toBe('PROTOCOL');
  });

  it('hands out the very bytes of the chunk as body', () => {
    const chunk = wire('* 1 FETCH (UID 1 BODY[] {4}', 'abcd)');
    const bodies: ArrayBufferLike[] = [];
    new Framer((frame) => {
      const response = parseResponse(frame);
      if (response.kind !== 'data') return;
      for (const slice of parseFetch(1, response.lexer).body?.chunks ?? []) bodies.push(slice.buffer);
    }).push(chunk);
    expect(bodies).toEqual([chunk.buffer]);
  });

  it('property: any items written in any order are read back at any chunking', () => {
    const flag = fc.stringMatching(/^\\?[A-Za-z$.][A-Za-z0-9$._-]{0,12}$/);
    const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    const items = fc.record(
      {
        uid: fc.integer({ min: 1, max: 0xffff_ffff }),
        flags: fc.array(flag, { maxLength: 4 }),
        internalDate: fc.constantFrom('17-Jul-1996 02:44:25 -0700', ' 7-Jul-2026 02:44:25 +0000'),
        size: fc.nat(),
        modSeq: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        body: fc.option(body),
      },
      { requiredKeys: [] },
    );
    const write = {
      uid: (uid: number) => `UID ${uid}`,
      flags: (flags: string[]) => `FLAGS (${flags.join(' ')})`,
      internalDate: (date: string) => `INTERNALDATE "${date}"`,
      size: (size: number) => `RFC822.SIZE ${size}`,
      modSeq: (modSeq: bigint) => `MODSEQ (${modSeq})`,
      body: (bytes: string | null) => (bytes === null ? 'BODY[] NIL' : `BODY[] {${bytes.length}}\r\n${bytes}`),
    } as Record<string, (value: never) => string>;
    const message = items.chain((data) =>
      fc.shuffledSubarray(Object.keys(data), { minLength: Object.keys(data).length }).map((order) => ({ data, order })),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat({ max: 2000 })), (messages, cuts) => {
        const lines = messages.map(({ data, order }, index) => {
          const parts = order.map((key) => write[key]?.((data as Record<string, never>)[key] as never));
          return `* ${index + 1} FETCH (${parts.join(' ')})`;
        });
        const bytes = wire(...lines);
        const offsets = cuts.map((cut) => Math.min(cut, bytes.length));
        expect(readResponses(cutAt(bytes, offsets))).toEqual({
          values: messages.map(({ data }, index) => ({ kind: 'fetch', data: { seq: index + 1, ...data } })),
          error: null,
        });
      }),
    );
  });
});
