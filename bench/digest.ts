import { createHash } from 'node:crypto';
import { canonicalDigestOf, writeDigest } from '../src/worker/digest.ts';
import { type BenchCase, runBench } from './support/harness.ts';
import { chunkSizes, cut, messageSizes, type Named, textOf } from './support/wire.ts';

/** The digests of a message, exact and canonical, over sizes and slices: against a hash object for each. */

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const size of messageSizes) {
    for (const slices of chunkSizes) {
      if (slices.bytes >= size.bytes) {
        cases.push(...casesFor(size, { name: 'one slice', bytes: size.bytes }));
        break;
      }
      cases.push(...casesFor(size, { name: `slices of ${slices.name}`, bytes: slices.bytes }));
    }
  }
  await runBench(cases, { title: 'digest', unit: 'messages', compareWith: ['hash object'], time: 'processor' });
}

function casesFor(size: Named, slices: Named): BenchCase[] {
  const body = { size: size.bytes, chunks: cut(textOf(size.bytes), slices.bytes) };
  const times = Math.max(1, Math.round((1024 * 1024) / size.bytes));
  const ours = { group: `${size.name}, ${slices.name}`, bytes: size.bytes * times, units: times };
  return [
    { ...ours, name: 'hash object', run: () => repeat(times, () => hashWithObject(body.chunks)) },
    { ...ours, name: 'exact', run: () => repeat(times, () => exactDigest(body)) },
    { ...ours, name: 'canonical', run: () => repeat(times, () => canonicalDigestOf(body)) },
  ];
}

function hashWithObject(chunks: readonly Buffer[]): Buffer {
  const sha = createHash('sha256');
  for (const chunk of chunks) sha.update(chunk);
  return sha.digest();
}

const column = Buffer.alloc(32);

function exactDigest(body: { readonly size: number; readonly chunks: readonly Buffer[] }): Buffer {
  writeDigest(body, column, 0);
  return column;
}

function repeat(times: number, digest: () => Buffer): void {
  for (let time = 0; time < times; time++) {
    if (digest().length !== 32) throw new Error('a digest was expected');
  }
}

await main();
