import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  type AddressList,
  addressesOf,
  type Envelope,
  parseEnvelope,
} from '../../src/protocol/envelope.ts';
import { ImapError } from '../../src/protocol/errors.ts';
import { cutAt, readAtEveryChunking } from '../support/chunking.ts';
import { readValueOf, valueLine } from '../support/values.ts';

const read = (value: string) => readAtEveryChunking(valueLine(value), (chunks) => readValueOf(chunks, parseEnvelope));
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

const nothing: Envelope = {
  date: null,
  rawDate: null,
  subject: null,
  rawSubject: null,
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  inReplyTo: null,
  messageId: null,
};

function address(name: string | null, mailbox: string, host: string, rawName = name): Address {
  return { kind: 'address', name, rawName, route: null, mailbox, host, address: host ? `${mailbox}@${host}` : mailbox };
}

describe('parseEnvelope', () => {
  it('reads the example of RFC 3501 8', () => {
    const terry = address('Terry Gray', 'gray', 'cac.washington.edu');
    const envelope = read(
      '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ' +
        '(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
        '(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ' +
        '((NIL NIL "minutes" "CNRI.Reston.VA.US") ("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL ' +
        '"<B27397-0100000@cac.washington.edu>")',
    );
    expect(envelope).toEqual({
      date: new Date(Date.UTC(1996, 6, 17, 9, 23, 25)),
      rawDate: 'Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      subject: 'IMAP4rev1 WG mtg summary and minutes',
      rawSubject: 'IMAP4rev1 WG mtg summary and minutes',
      from: [terry],
      sender: [terry],
      replyTo: [terry],
      to: [address(null, 'imap', 'cac.washington.edu')],
      cc: [address(null, 'minutes', 'CNRI.Reston.VA.US'), address('John Klensin', 'KLENSIN', 'MIT.EDU')],
      bcc: [],
      inReplyTo: null,
      messageId: '<B27397-0100000@cac.washington.edu>',
    });
  });

  it('reads groups, also two of them among other addresses', () => {
    const { to } = read(
      '(NIL NIL NIL NIL NIL ((NIL NIL "a" "h")(NIL NIL "Team" NIL)("B" NIL "b" "h")(NIL NIL "c" "h")(NIL NIL NIL NIL)' +
        '(NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)(NIL NIL "d" "h")) NIL NIL NIL NIL)',
    );
    const [a, b, c, d] = [
      address(null, 'a', 'h'),
      address('B', 'b', 'h'),
      address(null, 'c', 'h'),
      address(null, 'd', 'h'),
    ];
    expect(to).toEqual([
      a,
      { kind: 'group', name: 'Team', rawName: 'Team', members: [b, c] },
      { kind: 'group', name: 'undisclosed-recipients', rawName: 'undisclosed-recipients', members: [] },
      d,
    ]);
    expect(addressesOf(to)).toEqual([a, b, c, d]);
  });

  it('decodes encoded words and UTF-8 and keeps what was sent', () => {
    const { subject, rawSubject, from } = read(
      `(NIL {10}\r\n${latin1('Grüße "x')} (("=?iso-8859-1?q?Andr=E9?=" NIL "${latin1('ü')}" "h.example")) NIL NIL NIL NIL NIL NIL NIL)`,
    );
    expect([subject, rawSubject]).toEqual(['Grüße "x', latin1('Grüße "x')]);
    expect(from).toEqual([address('André', 'ü', 'h.example', '=?iso-8859-1?q?Andr=E9?=')]);
  });

  it.each<[string, string, Partial<Envelope>]>([
    ['nothing but NIL', '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)', {}],
    ['fields that are missing', '("x" "s")', { rawDate: 'x', subject: 's', rawSubject: 's' }],
    ['an empty list', '()', {}],
    ['more fields than there are', '(NIL NIL NIL NIL NIL NIL NIL NIL NIL "<m>" (1 2) "x")', { messageId: '<m>' }],
    ['empty strings for address lists', '(NIL NIL "" "" "" "" "" "" "" "<m>")', { inReplyTo: '', messageId: '<m>' }],
    ['empty address lists', '(NIL NIL () () () () () () NIL "<m>")', { messageId: '<m>' }],
    [
      'bare words',
      '(today hello NIL NIL NIL NIL NIL NIL NIL <m>)',
      { rawDate: 'today', subject: 'hello', rawSubject: 'hello', messageId: '<m>' },
    ],
    ['a list for a string', '((a b) (("x")) NIL NIL NIL NIL NIL NIL NIL NIL)', {}],
    [
      'a string among the addresses',
      '(NIL NIL ("x" (NIL NIL "a" "h")) NIL NIL NIL NIL NIL NIL NIL)',
      { from: [address(null, 'a', 'h')] },
    ],
    [
      'an address without a host',
      '(NIL NIL (("A" NIL "a" "")) NIL NIL NIL NIL NIL NIL NIL)',
      { from: [address('A', 'a', '')] },
    ],
    [
      'a named address whose host is NIL',
      '(NIL NIL (("A" NIL "a" NIL)) NIL NIL NIL NIL NIL NIL NIL)',
      { from: [address('A', 'a', '')] },
    ],
    [
      'a group that does not end',
      '(NIL NIL ((NIL NIL "g" NIL)(NIL NIL "a" "h")) NIL NIL NIL NIL NIL NIL NIL)',
      { from: [{ kind: 'group', name: 'g', rawName: 'g', members: [address(null, 'a', 'h')] }] },
    ],
    ['the end of no group', '(NIL NIL ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)', {}],
    ['an address that is cut short', '(NIL NIL (("A")) NIL NIL NIL NIL NIL NIL NIL)', { from: [address('A', '', '')] }],
  ])('takes %s', (_what, value, fields) => {
    expect(read(value)).toEqual({ ...nothing, ...fields });
  });

  it.each(['', '"x"', 'NIL', '(', '("a"', '(NIL NIL ((NIL NIL "a"', '("a\\'])('refuses %j', (value) => {
    expect(() => readValueOf([valueLine(value)], parseEnvelope)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  it('refuses more addresses than the limit', () => {
    const value = `(NIL NIL (${'()'.repeat(4)}) NIL NIL NIL NIL NIL NIL NIL)`;
    expect(() => readValueOf([valueLine(value)], parseEnvelope, { maxAddresses: 3 })).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    );
    expect(readValueOf([valueLine(value)], parseEnvelope, { maxAddresses: 4 }).from).toEqual([]);
  });

  it('property: what is written is read back at any chunking', () => {
    fc.assert(
      fc.property(envelopes, fc.array(fc.nat({ max: 4000 })), fc.boolean(), (envelope, cuts, literals) => {
        const bytes = valueLine(writeEnvelope(envelope, literals));
        const chunks = cutAt(
          bytes,
          cuts.map((cut) => Math.min(cut, bytes.length)),
        );
        expect(readValueOf(chunks, parseEnvelope)).toEqual(envelope);
      }),
    );
  });

  it('property: damaged bytes end in a result or an error of ours', () => {
    const damage = fc.array(fc.record({ at: fc.nat({ max: 4000 }), byte: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(envelopes, damage, (envelope, hits) => {
        const bytes = valueLine(writeEnvelope(envelope, false));
        for (const { at, byte } of hits) bytes[at % bytes.length] = byte;
        try {
          readValueOf([bytes], parseEnvelope);
        } catch (error) {
          if (!(error instanceof ImapError) && !/has no value/.test(String(error))) throw error;
        }
      }),
    );
  });
});

/** ASCII that holds no encoded word: what is decoded has tests of its own. */
const word = fc.string({ unit: fc.constantFrom(...'ab c"\\()<>@,;:{}[]*%!'), minLength: 1, maxLength: 12 });
const addresses: fc.Arbitrary<Address> = fc
  .record({ name: fc.option(word), mailbox: word, host: word })
  .map(({ name, mailbox, host }) => address(name, mailbox, host));
const lists: fc.Arbitrary<AddressList> = fc
  .array(
    fc.oneof(
      addresses,
      fc.record({ name: word, members: fc.array(addresses, { maxLength: 3 }) }).map(({ name, members }) => {
        return { kind: 'group' as const, name, rawName: name, members };
      }),
    ),
    { maxLength: 4 },
  )
  .map((list) => list);
const envelopes: fc.Arbitrary<Envelope> = fc
  .record({
    date: fc.constant(null),
    rawDate: fc.option(word),
    subject: fc.option(word),
    rawSubject: fc.constant(null),
    from: lists,
    sender: lists,
    replyTo: lists,
    to: lists,
    cc: lists,
    bcc: lists,
    inReplyTo: fc.option(word),
    messageId: fc.option(word),
  })
  .map((envelope) => ({ ...envelope, rawSubject: envelope.subject }));

function writeEnvelope(envelope: Envelope, literals: boolean): string {
  const text = (value: string | null) => {
    if (value === null) return 'NIL';
    return literals ? `{${value.length}}\r\n${value}` : `"${value.replace(/["\\]/g, '\\$&')}"`;
  };
  const one = ({ rawName, mailbox, host }: Address) => `(${text(rawName)} NIL ${text(mailbox)} ${text(host)})`;
  const list = (entries: AddressList) =>
    entries.length === 0
      ? 'NIL'
      : `(${entries
          .map((entry) =>
            entry.kind === 'address'
              ? one(entry)
              : `(NIL NIL ${text(entry.rawName)} NIL)${entry.members.map(one).join('')}(NIL NIL NIL NIL)`,
          )
          .join('')})`;
  const { rawDate, rawSubject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId } = envelope;
  const fields = [text(rawDate), text(rawSubject), ...[from, sender, replyTo, to, cc, bcc].map(list)];
  return `(${[...fields, text(inReplyTo), text(messageId)].join(' ')})`;
}
