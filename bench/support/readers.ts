import parseImapflow from 'imapflow/lib/handler/imap-parser.js';
import { ImapStream } from 'imapflow/lib/handler/imap-stream.js';
import { formatMessageResponse } from 'imapflow/lib/tools.js';
import { type FetchData, parseFetch } from '../../src/protocol/fetch-data.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import type { BenchCase } from './harness.ts';
import { openReplay } from './replay.ts';
import { cut } from './wire.ts';

/** The ways to read FETCH responses that are compared. */

export interface Reading {
  readonly group: string;
  /** A stream of `count` responses. */
  readonly stream: (count: number) => Buffer;
  readonly count: number;
  readonly chunkBytes: number;
  /** What `fetchEach` asks for. */
  readonly items: readonly string[];
}

/** The peer is so much slower that a part of the stream has to do. */
const peerShare = 16;

/** A plain copy, framing alone, framing and parsing with and without the scan, all of it up to the caller, and imapflow's two. */
export async function readingCases({ group, stream, count, chunkBytes, items }: Reading): Promise<BenchCase[]> {
  const chunks = cut(stream(count), chunkBytes);
  const bytes = totalBytes(chunks);
  const copies = Buffer.allocUnsafeSlow(bytes);
  const client = await openReplay(chunks);
  const peerCount = Math.max(1, Math.round(count / peerShare));
  const peerChunks = cut(stream(peerCount), chunkBytes);
  const ours = { group, bytes, units: count };
  return [
    { ...ours, name: 'copy', run: () => copyAll(chunks, copies) },
    { ...ours, name: 'framer', run: () => frameAll(chunks, count) },
    { ...ours, name: 'framer + parser', run: () => parseAll(chunks, count, false) },
    { ...ours, name: 'framer + scan', run: () => parseAll(chunks, count, true) },
    {
      ...ours,
      name: 'fetchEach',
      run: async () => {
        const counter = new Counter();
        await client.fetchEach('1:*', items, counter.count);
        check(counter.messages, count);
      },
    },
    {
      group,
      name: 'imapflow',
      bytes: totalBytes(peerChunks),
      units: peerCount,
      run: () => parseAllWithImapflow(peerChunks, peerCount, false),
    },
    {
      group,
      name: 'imapflow, parsed',
      bytes: totalBytes(peerChunks),
      units: peerCount,
      run: () => parseAllWithImapflow(peerChunks, peerCount, true),
    },
  ];
}

/** What any receiver does at least: it looks at the data. */
class Counter {
  messages = 0;
  readonly count = (data: FetchData): void => {
    if (data.uid !== undefined && data.body !== null) this.messages++;
  };
}

function totalBytes(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function copyAll(chunks: readonly Buffer[], target: Buffer): void {
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(target, at);
}

function frameAll(chunks: readonly Buffer[], expected: number): void {
  let frames = 0;
  const framer = new Framer(() => {
    frames++;
  });
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  check(frames, expected);
}

function parseAll(chunks: readonly Buffer[], expected: number, scans: boolean): void {
  const counter = new Counter();
  const framer = new Framer(
    (frame) => {
      const response = parseResponse(frame);
      if (response.kind !== 'data' || response.name !== 'FETCH') throw new Error('not a FETCH');
      counter.count(parseFetch(response.number ?? 0, response.lexer));
    },
    { onFetch: scans ? counter.count : undefined },
  );
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  check(counter.messages, expected);
}

/** The peer's read loop without its logging: up to its tokens, or on to what its own `fetch` hands out. */
async function parseAllWithImapflow(chunks: readonly Buffer[], expected: number, whole: boolean): Promise<void> {
  const stream = new ImapStream({ logger: silentLogger });
  let messages = 0;
  const done = new Promise<void>((resolve, reject) => {
    let reading = false;
    const read = async (): Promise<void> => {
      if (reading) return;
      reading = true;
      for (let item = stream.read(); item !== null; item = stream.read()) {
        const parsed = await parseImapflow(item.payload, { literals: item.literals });
        const message = whole ? await formatMessageResponse(parsed, mailbox) : parsed.attributes;
        if (message !== undefined) messages++;
        item.next();
      }
      reading = false;
      if (messages === expected) resolve();
    };
    stream.on('readable', () => {
      read().catch(reject);
    });
    stream.on('error', reject);
  });
  for (const chunk of chunks) {
    if (!stream.write(chunk)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  }
  await done;
  stream.destroy();
}

const mailbox = { path: 'INBOX', delimiter: '/', flags: new Set<string>(), uidValidity: 1n, uidNext: 2, exists: 1 };

const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function check(got: number, expected: number): void {
  if (got !== expected) throw new Error(`read ${got} responses instead of ${expected}`);
}
