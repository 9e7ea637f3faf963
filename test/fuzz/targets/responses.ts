import fc from 'fast-check';
import type { LiteralSinkChooser } from '../../../src/protocol/framer.ts';
import type { Limits } from '../../../src/protocol/limits.ts';
import { damaged, damages, fetchStreams } from '../../support/fetch-streams.ts';
import { readFrames, readResponses } from '../../support/responses.ts';
import { serverCorpus } from '../corpus.ts';
import { assertSame } from '../same.ts';
import { type FuzzTarget, randomOf, someChunkings } from '../target.ts';

export const wireWords: readonly string[] = [
  ...'(){}[]"\\<>*+ \r\n\0~',
  '\r\n',
  '{3}\r\n',
  '{0}\r\n',
  '~{2}\r\n',
  '{2+}\r\n',
  ' NIL ',
  '* 1 FETCH (UID 1)\r\n',
  ' BODY[] {2}\r\n',
  ' BODY[1.2.HEADER]<0> "x"',
  ' FLAGS (\\Seen)',
  ' MODSEQ (5)',
  ' ENVELOPE ',
  ' BODYSTRUCTURE ',
  ' INTERNALDATE ',
  '* BYE ',
  '* OK [',
  '+ ',
];

/** Framer, lexer, responses and FETCH data: the same at every chunking, under any caps, with the one-pass scan or without it. */
export async function responseTargets(): Promise<FuzzTarget[]> {
  const corpus = await serverCorpus();
  const fetches = corpus.filter((bytes) => bytes.includes(' FETCH ('));
  const streams = fc.tuple(fetchStreams, damages).map(([bytes, damages]) => damages.reduce(damaged, bytes));
  return [
    { name: 'responses', corpus, words: wireWords, check: checkResponses },
    { name: 'fetch', corpus: fetches, words: wireWords, arbitrary: streams, check: checkResponses },
    { name: 'streamed-literals', corpus: fetches, words: wireWords, check: checkStreamed },
  ];
}

function checkResponses(bytes: Buffer): void {
  for (const limits of [{}, tightLimits(bytes)])
    sameAtEveryChunking(bytes, (chunks) => readResponses(chunks, { limits }));
}

/** Some caps, near enough to be reached. */
function tightLimits(bytes: Buffer): Partial<Limits> {
  const random = randomOf(bytes);
  const caps = [
    { maxTextBytes: random.below(300) },
    { maxLiteralBytes: random.below(14) },
    { maxStreamedLiteralBytes: random.below(20) },
    { maxLiterals: random.below(3) },
    { maxResponseBytes: random.below(300) },
    { maxDepth: 1 + random.below(4), maxValues: 1 + random.below(20) },
    { maxBodyParts: 1 + random.below(3), maxAddresses: random.below(4) },
    { maxJoinedBytes: random.below(20) },
  ];
  return { ...caps[random.below(caps.length)], ...caps[random.below(caps.length)] };
}

function checkStreamed(bytes: Buffer): void {
  const limits = { streamLiteralBytes: randomOf(bytes).below(10) };
  sameAtEveryChunking(bytes, (chunks) => {
    const streamed: string[] = [];
    const literalSink: LiteralSinkChooser = (size) => {
      const at = streamed.push('') - 1;
      return {
        write: (slice) => {
          streamed[at] += slice.toString('latin1');
        },
        end: () => streamed.push(`${size} bytes`),
      };
    };
    return { ...readFrames(chunks, { limits, literalSink }), streamed };
  });
}

/** Fails unless `read` makes the same of the bytes however they arrive. */
export function sameAtEveryChunking<Result>(bytes: Buffer, read: (chunks: readonly Buffer[]) => Result): Result {
  const expected = read([bytes]);
  for (const chunks of someChunkings(bytes)) assertSame(read(chunks), expected, 'cuts change what is read');
  return expected;
}
