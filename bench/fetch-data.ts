import { type BenchCase, runBench } from './support/harness.ts';
import { readingCases } from './support/readers.ts';
import { chunkSizes, dateOf, fetchResponses, flagsOf, messageItems } from './support/wire.ts';

/** What the items of a FETCH response cost: the rows of a listing, and others that come with every message. */

const count = 10_000;

interface Items {
  readonly name: string;
  readonly asked: readonly string[];
  readonly sent: (seq: number) => string;
}

const headers = 'Message-ID: <abcdefghij@example.org>\r\n\r\n';
const person = '(("A B" NIL "ab" "example.org"))';
const parts =
  '(("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 1152 23 NIL NIL NIL NIL)' +
  '("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 4152 93 NIL NIL NIL NIL) ' +
  '"ALTERNATIVE" ("BOUNDARY" "b1") NIL NIL)("APPLICATION" "PDF" ("NAME" "report.pdf") NIL NIL "BASE64" 45540 NIL ' +
  '("ATTACHMENT" ("FILENAME" "report.pdf")) NIL NIL)';
const people = `${person} ${person} NIL ${person} NIL NIL NIL`;

const rows: readonly Items[] = [
  {
    name: 'UID RFC822.SIZE',
    asked: ['UID', 'RFC822.SIZE'],
    sent: (seq) => `UID ${seq + 1000} RFC822.SIZE ${1500 + (seq % 5000)}`,
  },
  {
    name: 'UID RFC822.SIZE FLAGS',
    asked: ['UID', 'RFC822.SIZE', 'FLAGS'],
    sent: (seq) => `UID ${seq + 1000} RFC822.SIZE ${1500 + (seq % 5000)} FLAGS (${flagsOf(seq)})`,
  },
  { name: 'UID FLAGS', asked: ['UID', 'FLAGS'], sent: (seq) => `UID ${seq + 1000} FLAGS (${flagsOf(seq)})` },
  {
    name: 'UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ',
    asked: ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'MODSEQ'],
    sent: (seq) =>
      `UID ${seq + 1000} FLAGS (${flagsOf(seq)}) INTERNALDATE "${dateOf(seq)}" RFC822.SIZE ${seq + 1500} MODSEQ (${seq + 7})`,
  },
  { name: 'message of 200 B', asked: ['UID', 'BODY.PEEK[]'], sent: messageItems(200) },
  {
    name: 'Message-ID',
    asked: ['UID', 'BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]'],
    sent: (seq) => `UID ${seq + 1000} BODY[HEADER.FIELDS (MESSAGE-ID)] {${headers.length}}\r\n${headers}`,
  },
  {
    name: 'ENVELOPE',
    asked: ['UID', 'ENVELOPE'],
    sent: (seq) =>
      `UID ${seq + 1000} ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "subject" ${people} "<id@example.org>")`,
  },
  {
    name: 'FLAGS ENVELOPE BODYSTRUCTURE',
    asked: ['UID', 'FLAGS', 'ENVELOPE', 'BODYSTRUCTURE'],
    sent: (seq) =>
      `UID ${seq + 1000} FLAGS (${flagsOf(seq)}) ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "Re: subject ${seq}" ` +
      `${people} "<in-reply-to-${seq}@example.org>" "<id-${seq}@example.org>") BODYSTRUCTURE (${parts} "MIXED" ` +
      `("BOUNDARY" "----=_Part_${seq}") NIL NIL)`,
  },
];

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const { name, asked, sent } of rows) {
    for (const chunkSize of chunkSizes.slice(1, 3)) {
      const reading = {
        group: `${name} in ${chunkSize.name} chunks`,
        stream: (count: number) => fetchResponses(count, sent),
        count,
        chunkBytes: chunkSize.bytes,
        items: asked,
      };
      cases.push(...(await readingCases(reading)));
    }
  }
  await runBench(cases, {
    title: 'fetch-data: items',
    unit: 'responses',
    compareWith: ['copy', 'imapflow', 'imapflow, parsed'],
    time: 'processor',
    // Until the compiler has seen all of it.
    warmUpMs: 300,
  });
}

await main();
