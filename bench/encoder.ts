import compileForImapflow from 'imapflow/lib/handler/imap-compiler.js';
import { Encoder } from '../src/protocol/encoder.ts';
import { type BenchCase, runBench } from './support/harness.ts';
import { chunkSizes, cut, dateOf, flagsOf, messageSizes, type Named, textOf } from './support/wire.ts';

/**
 * MULTIAPPEND commands from the slices of messages to buffers for the socket: against joining the same bytes, and against
 * imapflow, which takes a message in one piece and sends one APPEND for each.
 */

/** Messages of one command; fewer where they are large. */
const messagesPerCommand = 100;
const commandBytes = 4 * 1024 * 1024;

interface Message {
  readonly flags: readonly string[];
  readonly internalDate: string;
  readonly body: { readonly size: number; readonly chunks: readonly Buffer[] };
}

async function main(): Promise<void> {
  const cases: BenchCase[] = [];
  for (const size of messageSizes) {
    for (const slices of chunkSizes) {
      // A message in one slice is the same whatever the slices' size.
      if (slices.bytes > size.bytes && slices !== chunkSizes[0]) continue;
      cases.push(...casesFor(size, slices));
    }
  }
  await runBench(cases, {
    title: 'encoder: MULTIAPPEND',
    unit: 'messages',
    compareWith: ['join', 'imapflow'],
    time: 'processor',
  });
}

function casesFor(size: Named, slices: Named): BenchCase[] {
  const count = Math.max(2, Math.min(messagesPerCommand, Math.round(commandBytes / size.bytes)));
  const messages = Array.from({ length: count }, (_, seq) => ({
    flags: flagsOf(seq).split(' '),
    internalDate: dateOf(seq),
    body: { size: size.bytes, chunks: cut(textOf(size.bytes), slices.bytes) },
  }));
  checkZeroCopy(messages);
  const parts = messages[0]?.body.chunks.length === 1 ? 'one slice each' : `slices of ${slices.name}`;
  const ours = {
    group: `${count} messages of ${size.name}, ${parts}`,
    bytes: size.bytes * count,
    units: count,
  };
  return [
    { ...ours, name: 'join', run: () => join(messages) },
    { ...ours, name: 'encoder', run: () => void encode(messages) },
    { ...ours, name: 'imapflow', run: () => compileWithImapflow(messages) },
  ];
}

function encode(messages: readonly Message[]): readonly Buffer[] {
  const out = new Encoder({ nonSyncLiterals: 'all' }).raw('APPEND ').mailbox('Archive/2024');
  for (const { flags, internalDate, body } of messages) {
    out.sp().flags(flags).sp().dateTime(internalDate).sp().literal(body);
  }
  const [group, ...others] = out.finish('A17').groups;
  if (group === undefined || others.length > 0) throw new Error('one group was expected');
  return group as readonly Buffer[];
}

/** Every slice is in the command as the very buffer it was, and there is one more buffer for each message at most. */
function checkZeroCopy(messages: readonly Message[]): void {
  const parts = new Set(encode(messages));
  const slices = messages.flatMap(({ body }) => body.chunks);
  if (!slices.every((slice) => parts.has(slice))) throw new Error('a slice was copied');
  if (parts.size > slices.length + messages.length + 1) throw new Error('a command of fewer parts was expected');
}

/** What a client does that hands the socket one buffer. */
function join(messages: readonly Message[]): void {
  const parts: Buffer[] = [];
  for (const { flags, internalDate, body } of messages) {
    parts.push(Buffer.from(` (${flags.join(' ')}) "${internalDate}" {${body.size}+}\r\n`), ...body.chunks);
  }
  if (Buffer.concat(parts).length === 0) throw new Error('bytes were expected');
}

async function compileWithImapflow(messages: readonly Message[]): Promise<void> {
  for (const { flags, internalDate, body } of messages) {
    const attributes = [
      { type: 'ATOM', value: 'Archive/2024' },
      flags.map((flag) => ({ type: 'ATOM', value: flag })),
      { type: 'STRING', value: internalDate },
      { type: 'LITERAL', value: Buffer.concat(body.chunks) },
    ];
    const command = { tag: 'A17', command: 'APPEND', attributes };
    const parts = await compileForImapflow(command, { asArray: true, literalPlus: true });
    if (parts.length === 0) throw new Error('bytes were expected');
  }
}

await main();
