/**
 * An IMAP-aware proxy on loopback: stands in front of a real server, takes extensions away from it, refuses messages or commands,
 * lets connections suffer whatever befalls connections, and writes down every command and every fault.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ExtensionName, MissingExtensions } from './proxy-extensions.ts';
import { type Direction, type ProxyFault, ProxyFaults, type StruckFault, type Withheld } from './proxy-faults.ts';
import { Link } from './proxy-link.ts';
import { type AppendedMessage, type Fate, type ProxyCommand, ProxySession } from './proxy-session.ts';

export type { ExtensionName } from './proxy-extensions.ts';
export type { Direction, ProxyFault, StruckFault, Withheld } from './proxy-faults.ts';
export type { AppendedMessage, ProxyCommand } from './proxy-session.ts';

export interface ProxyOptions {
  /** Extensions the server shall not have. */
  readonly without?: readonly ExtensionName[];
  /** Answers an APPEND that contains such a message with this text (`NO [LIMIT] too big`); the server never sees it. */
  readonly refuseMessage?: (message: AppendedMessage) => string | null;
  /** The same for any command. */
  readonly refuseCommand?: (command: ProxyCommand) => string | null;
  /**
   * Hangs up on both sides after so many bytes of one direction of a connection, counted from the first command named
   * `since` (default: from the start), as often as `times` says (once).
   */
  readonly cut?: {
    readonly direction: Direction;
    readonly afterBytes: number;
    readonly since?: string;
    readonly times?: number;
  };
  /** The n-th command of that name, over all connections, or its answer is withheld. */
  readonly withhold?: { readonly command: string; readonly nth: number; readonly what: Withheld };
  /** What happens once each, see `proxy-faults.ts`. */
  readonly faults?: readonly ProxyFault[];
  /** Passes on bytes without reading them, as TLS needs it: commands are unknown, and so is what goes by them. */
  readonly opaque?: boolean;
  /** Called when a command begins, before any of it is passed on. */
  readonly onCommand?: (command: ProxyCommand, proxy: FilterProxy) => void;
  /** Holds every byte back, in both directions. */
  readonly delayMs?: number;
}

export class FilterProxy implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly #server: Server;
  readonly #upstream: { readonly host: string; readonly port: number };
  readonly #options: ProxyOptions;
  readonly #sockets = new Set<Socket>();
  readonly #links: Record<Direction, Set<Link>> = { 'to-server': new Set(), 'to-client': new Set() };
  readonly #faults: ProxyFaults;
  #commands: ProxyCommand[] = [];
  #connections = 0;
  #outOfStep = 0;
  #cuts = 0;
  #seen = 0;
  #withheld = 0;

  private constructor(upstream: { readonly host: string; readonly port: number }, options: ProxyOptions) {
    this.#upstream = upstream;
    this.#options = options;
    this.#faults = new ProxyFaults(options.faults ?? []);
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens in front of `upstream`'s clear-text port. */
  static async start(
    upstream: { readonly host: string; readonly port: number },
    options: ProxyOptions = {},
  ): Promise<FilterProxy> {
    const proxy = new FilterProxy(upstream, options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, proxy.host, resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Sockets open on either side: none when every server has finished with what it was sent. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Times a client sent `{n+}` that it must not send. */
  get outOfStep(): number {
    return this.#outOfStep;
  }

  /** Connections cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** The faults that happened, in that order. */
  get struck(): readonly StruckFault[] {
    return this.#faults.struck;
  }

  /** True: what `withhold` asked for has happened. */
  get withheld(): boolean {
    return this.#withheld > 0;
  }

  /** Bytes of that direction, over all connections, counted as for `cut`. */
  traffic(direction: Direction): number {
    let bytes = 0;
    for (const link of this.#links[direction]) bytes += link.sent;
    return bytes;
  }

  /** Passes on what was withheld. */
  release(): void {
    for (const links of Object.values(this.#links)) for (const link of links) link.release();
  }

  /** Commands since the last `forget`, in order of arrival; those named `name` where given. */
  commands(name?: string | RegExp): readonly ProxyCommand[] {
    if (name === undefined) return this.#commands;
    return this.#commands.filter((command) =>
      typeof name === 'string' ? command.name === name : name.test(command.name),
    );
  }

  /** How often each command came since the last `forget`. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { name } of this.#commands) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  /** Starts a new record of commands. */
  forget(): void {
    this.#commands = [];
    this.#outOfStep = 0;
  }

  /** Stops listening and hangs up on everybody. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accept(client: Socket): void {
    const server = connect(this.#upstream.port, this.#upstream.host);
    const hangUp = () => {
      client.destroy();
      // The server is not to know before it has had what is withheld.
      if (toServer.held) toServer.end();
      else server.destroy();
    };
    const connection = ++this.#connections;
    const stall = (delayMs: number | undefined) => {
      for (const link of [toServer, toClient]) link.hold();
      if (delayMs === undefined) return;
      setTimeout(() => {
        for (const link of [toServer, toClient]) link.release();
      }, delayMs);
    };
    const line = { connection, hangUp, stall };
    const toServer = this.#link(server, 'to-server', line);
    const toClient = this.#link(client, 'to-client', line);
    const session = new ProxySession(
      connection,
      {
        missing: new MissingExtensions(this.#options.without ?? []),
        refuseMessage: this.#options.refuseMessage ?? null,
        refuseCommand: this.#options.refuseCommand ?? null,
        onCommand: (command) => {
          this.#commands.push(command);
          this.#options.onCommand?.(command, this);
          if (command.name === this.#options.cut?.since) for (const link of [toServer, toClient]) link.count();
          return this.#fateOf(command, line);
        },
        onOutOfStep: () => {
          this.#outOfStep++;
        },
      },
      toServer,
      toClient,
    );
    const isOpaque = this.#options.opaque === true;
    forward(client, toServer, (chunk) => (isOpaque ? toServer.write(chunk) : session.clientData(chunk)));
    forward(server, toClient, (chunk) => (isOpaque ? toClient.write(chunk) : session.serverData(chunk)));
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', hangUp);
      socket.on('close', () => this.#sockets.delete(socket));
    }
  }

  #fateOf(command: ProxyCommand, line: Line): Fate | null {
    const { withhold } = this.#options;
    if (withhold !== undefined && command.name === withhold.command && ++this.#seen === withhold.nth) {
      this.#withheld++;
      return { kind: 'withhold', what: withhold.what };
    }
    const action = this.#faults.command(command);
    if (action?.kind === 'cut') line.hangUp();
    else if (action?.kind === 'stall') line.stall(action.delayMs);
    else return action;
    return null;
  }

  #link(socket: Socket, direction: Direction, { connection, hangUp, stall }: Line): Link {
    const { cut, delayMs } = this.#options;
    const link = new Link(socket, {
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(cut?.direction === direction && this.#cuts < (cut.times ?? 1) ? { cutAfterBytes: cut.afterBytes } : {}),
      onCut: () => {
        this.#cuts++;
        hangUp();
      },
      pass: (bytes) => this.#faults.pass(direction, bytes, connection),
      onStall: stall,
      onHangUp: hangUp,
    });
    this.#links[direction].add(link);
    if (cut?.since === undefined) link.count();
    return link;
  }
}

/** One connection through the proxy, and what can befall it as a whole. */
interface Line {
  readonly connection: number;
  hangUp(): void;
  stall(delayMs: number | undefined): void;
}

/** Reads from `source` only as fast as `target` takes it; passes the end on. */
function forward(source: Socket, target: Link, pass: (chunk: Buffer) => boolean): void {
  source.on('data', (chunk: Buffer) => {
    if (pass(chunk)) return;
    source.pause();
    target.onDrain(() => source.resume());
  });
  source.on('end', () => target.end());
}
