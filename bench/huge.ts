/**
 * One folder with very many small messages: how soon the first one is copied, whether the last tenth goes as fast as the
 * first, and how much memory it takes; then a run with nothing to do, and one with ten new messages.
 *
 * Options: `--messages N` (default 100,000), `--server dovecot|sandbox` (default dovecot; a million fits the sandbox).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listenSandbox, SandboxServer } from '../src/sandbox/index.ts';
import { RawImap } from '../test/support/imap-raw.ts';
import { type AccountAccess, accessTo, startDovecot } from '../test/support/servers/index.ts';
import { compileCPrograms } from './support/c-programs.ts';
import { ours } from './support/contender.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    messages: { type: 'string', default: '100000' },
    server: { type: 'string', default: 'dovecot' },
  },
});
const messages = Number(options.messages);
const internalDate = '01-Feb-2020 10:00:00 +0000';
const date = 'Sat, 01 Feb 2020 10:00:00 +0000';
const user = 'alice';
const password = 'sandbox';

const bodyOf = (n: number) =>
  Buffer.from(
    `Message-ID: <${n}@huge.example>\r\nDate: ${date}\r\nFrom: list@huge.example\r\nSubject: number ${n}\r\n\r\n${'text '.repeat(40)}${n}\r\n`,
  );

interface Servers extends AsyncDisposable {
  readonly source: AccountAccess;
  readonly target: AccountAccess;
  /** Puts so many more messages into the source. */
  add(from: number, count: number): Promise<void>;
}

async function dovecots(): Promise<Servers> {
  const [first, second] = [await startDovecot(), await startDovecot()];
  const source = accessTo(first);
  return {
    source,
    target: accessTo(second),
    async add(from, count) {
      await using client = await RawImap.open(source);
      for (let at = from; at < from + count; at += 500) {
        const size = Math.min(500, from + count - at);
        await client.append(
          'INBOX',
          Array.from({ length: size }, (_, index) => ({ body: bodyOf(at + index), flags: [], internalDate })),
        );
      }
    },
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}

/** Two sandboxes in a process of their own: their memory and their work are nobody else's. */
async function sandboxes(): Promise<Servers> {
  const child = spawn(process.execPath, ['--max-old-space-size=8192', fileURLToPath(import.meta.url), 'serve'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const say = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`);
    return (await lines.next()).value ?? '';
  };
  const [source = 0, target = 0] = (await say('ports')).split(' ').map(Number);
  const access = (port: number): AccountAccess => ({ host: '127.0.0.1', port, user, password });
  return {
    source: access(source),
    target: access(target),
    add: async (from, count) => void (await say(`add ${from} ${count}`)),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

async function serve(): Promise<void> {
  const servers = [new SandboxServer(), new SandboxServer()];
  const [account] = servers.map((server) => server.addAccount({ user, password }));
  const listeners = await Promise.all(servers.map((server) => listenSandbox(server)));
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, from = 0, count = 0] = line.split(' ').map((word, index) => (index === 0 ? word : Number(word)));
    if (command === 'add') {
      for (let n = Number(from); n < Number(from) + Number(count); n++)
        account?.inbox.append({ body: bodyOf(n), internalDate });
    }
    console.log(listeners.map(({ port }) => port).join(' '));
  }
  for (const listener of listeners) await listener.close();
}

interface Reading {
  readonly seconds: number;
  readonly done: number;
}

/** Runs the command, and notes when it was connected and how far it was when. */
async function copy(servers: Servers, dir: string, usage: string | null): Promise<string[]> {
  const [program, ...args] = ours.command({ ...servers, caFile: null, dir });
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const command = [...(usage === null ? [] : [usage]), program, ...args, '--json'];
  const child = spawn(command[0] ?? program, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const rest = Promise.all([child.stdio[2], child.stdio[3]].map((pipe) => text(pipe as Readable)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let connected = 0;
  const readings: Reading[] = [];
  for await (const line of createInterface({ input: child.stdio[1] as Readable })) {
    const event = JSON.parse(line);
    if (event.event === 'connected') connected = seconds();
    if (event.event === 'progress') readings.push({ seconds: seconds(), done: event.progress.messages.done });
  }
  const wall = seconds();
  const [stderr = '', report = ''] = await rest;
  const exitCode = await ended;
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr.slice(-2000)}`);
  const [, user = 0, system = 0, kilobytes = 0] = report.split(' ').map(Number);
  const total = readings.at(-1)?.done ?? 0;
  const timeOf = (done: number) => readings.find((reading) => reading.done >= done)?.seconds ?? wall;
  const first = readings.find(({ done }) => done > 0)?.seconds ?? wall;
  const tenth = total / 10;
  const firstTenth = timeOf(tenth) - first;
  const lastTenth = timeOf(total) - timeOf(total - tenth);
  return [
    `${wall.toFixed(2)} s`,
    usage === null ? '' : `${(user + system).toFixed(2)} CPU s`,
    usage === null ? '' : `peak ${(kilobytes / 1024).toFixed(0)} MB`,
    `first message ${(first - connected).toFixed(2)} s after login`,
    `${(total / wall).toFixed(0)} messages/s${lastTenth > 0 ? `, the last tenth at ${((100 * firstTenth) / lastTenth).toFixed(0)} % of the first` : ''}`,
  ].filter((part) => part !== '');
}

async function main(): Promise<void> {
  const dir = mkdtempSync(join('.tmp', 'huge-'));
  try {
    const programs = compileCPrograms(dir);
    await using servers = await (options.server === 'sandbox' ? sandboxes() : dovecots());
    await servers.add(1, messages);
    console.log(`\nhuge: one folder of ${messages.toLocaleString('en')} messages, ${options.server}`);
    const usage = programs?.usage ?? null;
    console.log(`  first run      ${(await copy(servers, dir, usage)).join(', ')}`);
    console.log(`  nothing to do  ${(await copy(servers, dir, usage)).slice(0, 3).join(', ')}`);
    await servers.add(messages + 1, 10);
    console.log(`  ten came       ${(await copy(servers, dir, usage)).slice(0, 3).join(', ')}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

await (positionals[0] === 'serve' ? serve() : main());
