import parseImapflow from 'imapflow/lib/handler/imap-parser.js';
import { ImapStream } from 'imapflow/lib/handler/imap-stream.js';
import { parseFetch } from '../src/protocol/fetch-data.ts';
import { Framer } from '../src/protocol/framer.ts';
import { parseResponse } from '../src/protocol/response.ts';
import { type BenchCase, runBench } from './support/harness.ts';

/**
 * Chunks to frames to FETCH data over message sizes and chunk sizes, against a plain copy of the same bytes and against
 * imapflow's stream and parser on the same chunks.
 */

const sizes = [
  { name: '100 B', bytes: 100 },
  { name: '1.5 KB', bytes: 1500 },
  { name: '8 KB', bytes: 8 * 1024 },
  { name: '64 KB', bytes: 64 * 1024 },
  { name: '1 MB', bytes: 1024 * 1024 },
] as const;

const chunkSizes = [
  { name: '1.4 KB', bytes: 1448 },
  { name: '16 KB', bytes: 16 * 1024 },
  { name: '64 KB', bytes: 64 * 1024 },
] as const;

/** Bytes of one run, about. */
const streamBytes = 2 * 1024 * 1024;
/** The peer is so much slower that a part of the stream has to do. */
const peerShare = 16;

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const size of sizes) {
    for (const chunkSize of chunkSizes) cases.push(...casesFor(size, chunkSize));
  }
  await runBench(cases, { title: 'framer: FETCH responses', unit: 'responses', compareWith: ['copy', 'imapflow'] });
}

type Named = { readonly name: string; readonly bytes: number };

function casesFor(size: Named, chunkSize: Named): BenchCase[] {
  const group = `${size.name} messages in ${chunkSize.name} chunks`;
  const count = Math.max(2, Math.round(streamBytes / (size.bytes + 130)));
  const chunks = cut(responses(count, size.bytes), chunkSize.bytes);
  const bytes = totalBytes(chunks);
  const peerCount = Math.max(1, Math.round(count / peerShare));
  const peerChunks = cut(responses(peerCount, size.bytes), chunkSize.bytes);
  const copies = Buffer.allocUnsafeSlow(bytes);
  return [
    { group, name: 'copy', bytes, units: count, run: () => copyAll(chunks, copies) },
    { group, name: 'framer', bytes, units: count, run: () => frameAll(chunks, count) },
    { group, name: 'framer + parser', bytes, units: count, run: () => parseAll(chunks, count) },
    {
      group,
      name: 'imapflow',
      bytes: totalBytes(peerChunks),
      units: peerCount,
      run: () => parseAllWithImapflow(peerChunks, peerCount),
    },
  ];
}

/** `count` FETCH answers as a migration's source sends them. */
function responses(count: number, size: number): Buffer {
  const body = Buffer.alloc(size, 'Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy\r\n');
  const parts: Buffer[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const flags = seq % 3 === 0 ? '\\Answered \\Seen' : seq % 7 === 0 ? '\\Seen $Forwarded' : '\\Seen';
    const date = `${String((seq % 28) + 1).padStart(2, '0')}-Jul-2024 12:34:56 +0200`;
    parts.push(
      Buffer.from(`* ${seq} FETCH (UID ${seq + 1000} FLAGS (${flags}) INTERNALDATE "${date}" BODY[] {${size}}\r\n`),
      body,
      Buffer.from(')\r\n'),
    );
  }
  return Buffer.concat(parts);
}

/** Chunks as a socket delivers them: each in memory of its own. */
function cut(stream: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const part = stream.subarray(at, at + chunkBytes);
    const chunk = Buffer.allocUnsafeSlow(part.length);
    part.copy(chunk);
    chunks.push(chunk);
  }
  return chunks;
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

function parseAll(chunks: readonly Buffer[], expected: number): void {
  let messages = 0;
  const framer = new Framer((frame) => {
    const response = parseResponse(frame);
    if (response.kind !== 'data' || response.name !== 'FETCH') throw new Error('not a FETCH');
    const data = parseFetch(response.number ?? 0, response.lexer);
    if (data.body && data.uid && data.flags && data.internalDate) messages++;
  });
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  check(messages, expected);
}

/** The peer's read loop without its logging. */
async function parseAllWithImapflow(chunks: readonly Buffer[], expected: number): Promise<void> {
  const stream = new ImapStream({ logger: silentLogger });
  let messages = 0;
  const done = new Promise<void>((resolve, reject) => {
    let reading = false;
    const read = async (): Promise<void> => {
      if (reading) return;
      reading = true;
      for (let item = stream.read(); item !== null; item = stream.read()) {
        const parsed = await parseImapflow(item.payload, { literals: item.literals });
        if (parsed.attributes !== undefined) messages++;
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

const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function check(got: number, expected: number): void {
  if (got !== expected) throw new Error(`read ${got} responses instead of ${expected}`);
}

await main();
