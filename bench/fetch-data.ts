import { parseFetch } from '../src/protocol/fetch-data.ts';
import { Framer } from '../src/protocol/framer.ts';
import { parseResponse } from '../src/protocol/response.ts';
import { type BenchCase, runBench } from './support/harness.ts';

/** What single items of a FETCH response cost: framing included, and framing alone to compare with. */

const count = 5000;
const chunkBytes = 64 * 1024;

const items: Readonly<Record<string, (seq: number) => string>> = {
  'UID FLAGS': (seq) => `UID ${seq} FLAGS (\\Seen${seq % 3 === 0 ? ' \\Answered' : ''})`,
  scan: (seq) =>
    `UID ${seq} FLAGS (\\Seen) INTERNALDATE "17-Jul-2024 12:34:56 +0200" RFC822.SIZE ${seq + 1000} MODSEQ (${seq + 7})`,
  message: (seq) =>
    `UID ${seq} FLAGS (\\Seen) INTERNALDATE "17-Jul-2024 12:34:56 +0200" BODY[] {200}\r\n${'x'.repeat(200)}`,
  'Message-ID': (seq) => `UID ${seq} BODY[HEADER.FIELDS (MESSAGE-ID)] {30}\r\nMessage-ID: <abcdefghij@k>\r\n\r\n`,
  ENVELOPE: (seq) =>
    `UID ${seq} ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "subject" (("A B" NIL "ab" "example.org")) ` +
    `(("A B" NIL "ab" "example.org")) NIL (("C" NIL "c" "example.org")) NIL NIL NIL "<id@example.org>")`,
};

async function main(): Promise<void> {
  const cases: BenchCase[] = Object.entries(items).flatMap(([group, write]) => {
    const stream = Buffer.from(
      Array.from({ length: count }, (_, at) => `* ${at + 1} FETCH (${write(at + 1)})\r\n`).join(''),
      'latin1',
    );
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes));
    const bytes = stream.length;
    return [
      { group, name: 'framer', bytes, units: count, run: () => read(chunks, false) },
      { group, name: 'framer + parser', bytes, units: count, run: () => read(chunks, true) },
    ];
  });
  await runBench(cases, { title: 'fetch-data: items', unit: 'responses', compareWith: ['framer'] });
}

function read(chunks: readonly Buffer[], parse: boolean): void {
  let seen = 0;
  const framer = new Framer((frame) => {
    if (!parse) {
      seen++;
      return;
    }
    const response = parseResponse(frame);
    if (response.kind === 'data' && parseFetch(response.number ?? 0, response.lexer).uid !== undefined) seen++;
  });
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  if (seen !== count) throw new Error(`read ${seen} responses instead of ${count}`);
}

await main();
