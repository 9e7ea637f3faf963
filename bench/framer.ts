import { type BenchCase, runBench } from './support/harness.ts';
import { readingCases } from './support/readers.ts';
import { chunkSizes, fetchResponses, messageItems, messageSizes } from './support/wire.ts';

/** Chunks to FETCH data over message sizes and chunk sizes: what a migration's source sends. */

/** Bytes of one run, about. */
const streamBytes = 2 * 1024 * 1024;

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const size of messageSizes) {
    const items = messageItems(size.bytes);
    for (const chunkSize of chunkSizes) {
      const reading = {
        group: `${size.name} messages in ${chunkSize.name} chunks`,
        stream: (count: number) => fetchResponses(count, items),
        count: Math.max(2, Math.round(streamBytes / (size.bytes + 130))),
        chunkBytes: chunkSize.bytes,
        items: ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]'],
      };
      cases.push(...(await readingCases(reading)));
    }
  }
  await runBench(cases, {
    title: 'framer: FETCH responses',
    unit: 'responses',
    compareWith: ['copy', 'imapflow'],
    time: 'processor',
    // Until the compiler has seen all of it.
    warmUpMs: 300,
  });
}

await main();
