import { quoteBody } from '../src/archive/mbox-quoting.ts';
import { type BenchCase, runBench } from './support/harness.ts';
import { chunkSizes, cut, messageSizes, type Named, textOf } from './support/wire.ts';

/**
 * mboxrd quoting of messages in slices, as it is done to each that is stored in an mbox: of text, of base64, and of text in
 * which every other line wants a `>`. Against joining the message and replacing in a string.
 */

const bodies: readonly { readonly name: string; readonly make: (bytes: number) => Buffer }[] = [
  { name: 'text', make: textOf },
  { name: 'base64', make: base64Of },
  {
    name: 'From lines',
    make: (bytes) => Buffer.alloc(bytes, 'From somebody else, a line\r\nand another one without\r\n'),
  },
];

function base64Of(bytes: number): Buffer {
  // The same on every run, and like what is in an attachment.
  const noise = Buffer.alloc(30_000);
  for (let at = 0, state = 1; at < noise.length; at++) {
    state = (state * 48_271) % 2_147_483_647;
    noise[at] = state & 0xff;
  }
  return Buffer.alloc(bytes, noise.toString('base64').replace(/.{76}/g, '$&\r\n'));
}

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const size of messageSizes) {
    for (const slices of chunkSizes) {
      if (slices.bytes > size.bytes && slices !== chunkSizes[0]) continue;
      for (const body of bodies) cases.push(...casesFor(size, slices, body));
    }
  }
  await runBench(cases, { title: 'mbox: quoting', unit: 'messages', compareWith: ['join'], time: 'processor' });
}

function casesFor(size: Named, slices: Named, body: (typeof bodies)[number]): BenchCase[] {
  const chunks = cut(body.make(size.bytes), slices.bytes);
  const times = Math.max(1, Math.round((1024 * 1024) / size.bytes));
  const parts = chunks.length === 1 ? 'one slice' : `slices of ${slices.name}`;
  const ours = { group: `${size.name} of ${body.name}, ${parts}`, bytes: size.bytes * times, units: times };
  if (!Buffer.concat(quoteBody(chunks).slices).equals(join(chunks))) throw new Error('the same bytes were expected');
  return [
    { ...ours, name: 'join', run: () => repeat(times, () => join(chunks).length) },
    { ...ours, name: 'slices', run: () => repeat(times, () => quoteBody(chunks).bytes) },
  ];
}

function join(chunks: readonly Buffer[]): Buffer {
  const text = Buffer.concat(chunks).toString('latin1');
  return Buffer.from(text.replace(/^(?=>*From )/gm, '>'), 'latin1');
}

function repeat(times: number, work: () => number): void {
  for (let time = 0; time < times; time++) if (work() === 0) throw new Error('bytes were expected');
}

await main();
