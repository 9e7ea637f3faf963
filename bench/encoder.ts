import { Encoder } from '../src/protocol/encoder.ts';
import { type BenchCase, runBench } from './support/harness.ts';

/** MULTIAPPEND commands from message slices to buffers for the socket, against joining the same bytes. */

const messagesPerCommand = 100;
const sizes = [1500, 8 * 1024, 64 * 1024];

async function main(): Promise<void> {
  const cases: BenchCase[] = sizes.flatMap((size) => {
    const chunks = [Buffer.alloc(size >> 1, 'a'), Buffer.alloc(size - (size >> 1), 'b')];
    const messages = Array.from({ length: messagesPerCommand }, () => ({ size, chunks }));
    const group = `${messagesPerCommand} messages of ${size} bytes in one MULTIAPPEND`;
    const bytes = size * messagesPerCommand;
    return [
      { group, name: 'join', bytes, units: messagesPerCommand, run: () => join(messages) },
      { group, name: 'encoder', bytes, units: messagesPerCommand, run: () => encode(messages) },
    ];
  });
  await runBench(cases, { title: 'encoder: MULTIAPPEND', unit: 'messages', compareWith: ['join'], time: 'processor' });
}

interface Message {
  readonly size: number;
  readonly chunks: readonly Buffer[];
}

const flags = ['\\Seen', '$Forwarded'];
const date = '17-Jul-2024 12:34:56 +0200';

function encode(messages: readonly Message[]): void {
  const out = new Encoder({ nonSyncLiterals: 'all' }).raw('APPEND ').mailbox('Archive/2024');
  for (const message of messages) out.sp().flags(flags).sp().dateTime(date).sp().literal(message);
  const command = out.finish('A17');
  if (command.groups.length !== 1) throw new Error('one group was expected');
}

/** What a client does that hands the socket one buffer. */
function join(messages: readonly Message[]): void {
  const parts: Buffer[] = [];
  for (const { size, chunks } of messages) {
    parts.push(Buffer.from(` (${flags.join(' ')}) "${date}" {${size}+}\r\n`), ...chunks);
  }
  if (Buffer.concat(parts).length === 0) throw new Error('bytes were expected');
}

await main();
