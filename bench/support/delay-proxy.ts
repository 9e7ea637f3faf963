/**
 * A line of a given length in front of a server: every byte arrives half a round trip later, in both directions, at any
 * rate. TCP's own handshake is not delayed. Prints its port; ends with its standard input.
 *
 *     node delay-proxy.js SETTINGS.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { LineLog } from './line-log.ts';

export interface DelayProxySettings {
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly rttMs: number;
  /** Bytes of one direction that may be under way, until the far end has acknowledged them; `null`: any number. */
  readonly windowBytes: number | null;
  /** Where to write down who sent what when, as a client sees it. */
  readonly logFile: string | null;
}

/** Timers are exact to a millisecond: what is due within half of one is delivered now. */
const slackMs = 0.5;

/** One direction of a connection. */
class DelayedDirection {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #delayMs: number;
  readonly #windowBytes: number;
  readonly #onArrival: (chunk: Buffer) => void;
  readonly #queue: { readonly dueMs: number; readonly action: () => void }[] = [];
  #timer: NodeJS.Timeout | null = null;
  #underWay = 0;

  constructor(from: Socket, to: Socket, settings: DelayProxySettings, onArrival: (chunk: Buffer) => void) {
    this.#from = from;
    this.#to = to;
    this.#delayMs = settings.rttMs / 2;
    this.#windowBytes = settings.windowBytes ?? Number.POSITIVE_INFINITY;
    this.#onArrival = onArrival;
    from.on('data', (chunk: Buffer) => this.#send(chunk));
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => this.#steer());
  }

  #send(chunk: Buffer): void {
    this.#underWay += chunk.length;
    this.#later(() => {
      this.#onArrival(chunk);
      this.#to.write(chunk);
      // The acknowledgement takes the way back.
      if (this.#windowBytes === Number.POSITIVE_INFINITY) this.#underWay -= chunk.length;
      else {
        this.#later(() => {
          this.#underWay -= chunk.length;
          this.#steer();
        });
      }
    });
    this.#steer();
  }

  /** A far end that does not read stops the near end from sending, as it does on any line. */
  #steer(): void {
    if (this.#to.writableNeedDrain || this.#underWay >= this.#windowBytes) this.#from.pause();
    else this.#from.resume();
  }

  /** Equal delays: what is added last is due last. */
  #later(action: () => void): void {
    if (this.#delayMs === 0) {
      action();
      return;
    }
    this.#queue.push({ dueMs: performance.now() + this.#delayMs, action });
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#queue[0];
    if (this.#timer !== null || next === undefined) return;
    this.#timer = setTimeout(() => this.#deliver(), Math.max(1, Math.round(next.dueMs - performance.now())));
  }

  #deliver(): void {
    this.#timer = null;
    this.#to.cork();
    const now = performance.now() + slackMs;
    let due = 0;
    for (let next = this.#queue[due]; next !== undefined && next.dueMs <= now; next = this.#queue[due]) {
      next.action();
      due++;
    }
    this.#queue.splice(0, due);
    this.#to.uncork();
    this.#steer();
    this.#schedule();
  }
}

function main(): void {
  const settings: DelayProxySettings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
  const { logFile } = settings;
  const lines: string[] = [];
  let connections = 0;
  // An end is delayed as well: neither side may be closed because the other one is.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: settings.port, host: '127.0.0.1', allowHalfOpen: true });
    const log = logFile === null ? null : new LineLog(++connections, lines);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    if (log !== null) client.on('data', (chunk: Buffer) => log.sent(chunk));
    new DelayedDirection(client, upstream, settings, () => {});
    new DelayedDirection(upstream, client, settings, (chunk) => log?.received(chunk));
  });
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
  process.stdin.on('end', () => process.exit()).resume();
  if (logFile !== null) process.on('exit', () => writeFileSync(logFile, lines.join('')));
}

main();
