import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/** One way to cut a stream. Every chunk lies in memory of its own, as from a socket, so reading past it cannot go unseen. */
export interface Chunking {
  readonly name: string;
  readonly chunks: readonly Buffer[];
}

/** Lines as they stand on the wire: latin1, CRLF behind each. */
export function wire(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/** Whole, byte by byte, and at every place in two. */
export function* chunkings(bytes: Buffer): Generator<Chunking> {
  yield { name: 'whole', chunks: [own(bytes)] };
  yield { name: 'byte by byte', chunks: cutEvery(bytes, 1) };
  for (let at = 1; at < bytes.length; at++) {
    yield { name: `cut at ${at}`, chunks: [own(bytes.subarray(0, at)), own(bytes.subarray(at))] };
  }
}

/** Chunks of `size` bytes, the last one shorter. */
export function cutEvery(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(own(bytes.subarray(at, at + size)));
  return chunks;
}

/** Chunks that end at the given offsets, whatever their order. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const cuts = [...offsets].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    chunks.push(own(bytes.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  return chunks;
}

/** What `read` makes of the bytes, after checking that it makes the same of them at every chunking. */
export function readAtEveryChunking<Result>(bytes: Buffer, read: (chunks: readonly Buffer[]) => Result): Result {
  const whole = read([own(bytes)]);
  for (const { name, chunks } of chunkings(bytes)) {
    const result = read(chunks);
    if (!isDeepStrictEqual(result, whole)) expect(result, name).toStrictEqual(whole);
  }
  return whole;
}

function own(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
