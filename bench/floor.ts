/**
 * The least a copy can do in this language: FETCH answers handed to MULTIAPPEND while they come in. No journal, no
 * digests, no plan, and nothing to recover with. What the product needs beyond its time pays for those.
 *
 *     node floor.js SETTINGS.json
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { FloorAccount, FloorSettings } from './support/floor-settings.ts';

const batchMessages = 100;
const batchBytes = 4 * 1024 * 1024;

type Answer = 'OK' | 'NO' | 'BAD';

/** One connection: lines and literals as they come, commands as they are wanted. */
class Wire {
  readonly socket: Socket;
  onLine: (line: string) => void = () => {};
  onLiteral: (slice: Buffer) => void = () => {};
  #line = '';
  #literal = 0;
  #sent = 0;
  #ready = () => {};
  /** Resolves with the greeting. */
  readonly ready = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  constructor({ host, port }: FloorAccount, caFile: string | null) {
    this.socket =
      caFile === null ? connect(port, host) : connectTls({ host, port, ca: readFileSync(caFile, 'latin1') });
    this.socket.setNoDelay(true);
    this.socket.on('error', fail);
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** Sends a line and resolves when its answer is OK. */
  command(text: string): Promise<void> {
    return new Promise((resolve) =>
      this.send(`${text}\r\n`, (answer) => {
        must(answer, text);
        resolve();
      }),
    );
  }

  /** Sends a command, or the beginning of one; `onAnswer` is called before anything behind the answer is read. */
  send(text: string, onAnswer: (answer: Answer) => void): void {
    const tag = `a${++this.#sent}`;
    this.#waiting.set(tag, onAnswer);
    this.socket.write(Buffer.from(`${tag} ${text}`, 'latin1'));
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#literal > 0) {
        const slice = chunk.subarray(at, at + this.#literal);
        this.#literal -= slice.length;
        at += slice.length;
        this.onLiteral(slice);
        continue;
      }
      const end = chunk.indexOf(10, at);
      this.#line += chunk.toString('latin1', at, end === -1 ? chunk.length : end + 1);
      if (end === -1) return;
      at = end + 1;
      const line = this.#line;
      this.#line = '';
      if (line.endsWith('}\r\n')) this.#literal = Number(line.slice(line.lastIndexOf('{') + 1, -3));
      this.#take(line);
    }
  }

  #take(line: string): void {
    const [tag = '', status] = line.split(' ', 2);
    const onAnswer = this.#waiting.get(tag);
    if (onAnswer !== undefined) {
      this.#waiting.delete(tag);
      onAnswer(status as Answer);
    } else if (status === 'OK' && tag === '*' && this.#sent === 0) this.#ready();
    else this.onLine(line);
  }
}

async function open(account: FloorAccount, caFile: string | null): Promise<Wire> {
  const wire = new Wire(account, caFile);
  await wire.ready;
  await wire.command(`LOGIN "${account.user}" "${account.password}"`);
  return wire;
}

/** Copies every `pairs`-th folder, the biggest first, beginning with the `index`-th. */
async function copyShare(settings: FloorSettings, index: number): Promise<void> {
  const [source, target] = await Promise.all([
    open(settings.source, settings.caFile),
    open(settings.target, settings.caFile),
  ]);
  const folders = shareOf(await listFolders(source), index, settings.pairs);
  // A folder that is there already is as good as one made.
  for (const name of folders) if (name !== 'INBOX') target.send(`CREATE ${name}\r\n`, () => {});
  let current = 0;
  let messages = 0;
  let bytes = 0;
  let unanswered = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const steer = () => {
    if (current === folders.length && unanswered === 0) finish();
    if (unanswered >= settings.unanswered || target.socket.writableNeedDrain) source.socket.pause();
    else source.socket.resume();
  };
  const beginBatch = () => {
    unanswered++;
    target.send(`APPEND ${folders[current]}`, (answer) => {
      must(answer, 'APPEND');
      unanswered--;
      steer();
    });
  };
  const endBatch = () => {
    if (messages > 0) target.socket.write('\r\n');
    messages = 0;
    bytes = 0;
  };
  source.onLine = (line) => {
    const [, flags, date, size] = / FLAGS \((.*?)\) INTERNALDATE (".*?") BODY\[\] \{(\d+)\}\r\n$/.exec(line) ?? [];
    if (flags === undefined) return;
    if (messages === batchMessages || bytes + Number(size) > batchBytes) endBatch();
    if (messages === 0) beginBatch();
    messages++;
    bytes += Number(size);
    const kept = flags.replace(/\\Recent ?/, '').trim();
    target.socket.write(Buffer.from(` (${kept}) ${date} {${size}+}\r\n`, 'latin1'));
  };
  source.onLiteral = (slice) => target.socket.write(slice);
  source.socket.prependListener('data', () => target.socket.cork());
  source.socket.on('data', () => {
    target.socket.uncork();
    steer();
  });
  target.socket.on('drain', steer);
  // Everything is asked for at once; the answers come one folder after the other.
  for (const name of folders) {
    source.send(`EXAMINE ${name}\r\n`, (answer) => must(answer, 'EXAMINE'));
    source.send('UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n', (answer) => {
      must(answer, 'FETCH');
      endBatch();
      current++;
    });
  }
  await finished;
  // Everything is stored: nobody has to wait for the farewell.
  for (const { socket } of [source, target]) socket.end('z LOGOUT\r\n', () => socket.destroy());
}

interface Folder {
  /** As it stands on the wire, quotes included. */
  readonly name: string;
  readonly messages: number;
}

async function listFolders(source: Wire): Promise<Folder[]> {
  const names: string[] = [];
  const counts = new Map<string, number>();
  source.onLine = (line) => {
    const [, attributes, name] = /^\* LIST \((.*?)\) (?:"[^"]*"|NIL) (.+)\r\n$/.exec(line) ?? [];
    if (name !== undefined && !/\\no(select|nexistent)/i.test(attributes ?? '')) names.push(name);
    const [, counted, count] = /^\* STATUS (.+) \(MESSAGES (\d+)\)\r\n$/.exec(line) ?? [];
    if (counted !== undefined) counts.set(counted, Number(count));
  };
  await source.command('LIST "" "*" RETURN (STATUS (MESSAGES))');
  return names.map((name) => ({ name, messages: counts.get(name) ?? 0 }));
}

/** Every pair finds the same shares without asking another: each folder goes to the one with the fewest messages. */
function shareOf(folders: readonly Folder[], index: number, pairs: number): string[] {
  if (pairs === 1) return folders.map(({ name }) => name);
  const shares = Array.from({ length: pairs }, () => ({ names: [] as string[], messages: 0 }));
  for (const { name, messages } of [...folders].sort((a, b) => b.messages - a.messages)) {
    const least = shares.reduce((a, b) => (b.messages < a.messages ? b : a));
    least.names.push(name);
    least.messages += messages;
  }
  return shares[index]?.names ?? [];
}

function must(answer: Answer, command: string): void {
  if (answer !== 'OK') fail(new Error(`${command}: ${answer}`));
}

function fail(error: Error): never {
  console.error(error);
  process.exit(1);
}

const settings: FloorSettings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
await Promise.all(Array.from({ length: settings.pairs }, (_, index) => copyShare(settings, index)));
