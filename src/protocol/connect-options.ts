import type { Duplex } from 'node:stream';
import { systemClock } from './clock.ts';
import { type Limits, resolveLimits } from './limits.ts';
import type { TraceLine } from './trace.ts';
import type { Pace, TlsMode, TlsOptions } from './transport.ts';
import type { Clock, Transport } from './types.ts';

export interface ConnectOptions {
  /** Name or address to dial; also what the certificate has to name. */
  readonly host: string;
  /** 993 with implicit TLS, else 143. */
  readonly port?: number | undefined;
  /** `implicit` when a host is dialled; `none` when `command`, `socket` or `transport` is given. */
  readonly tls?: TlsMode | undefined;
  readonly tlsOptions?: TlsOptions | undefined;
  /** Talk to `sh -c command`'s standard input and output instead of dialling. */
  readonly command?: string | undefined;
  /** Talk over this stream instead, which is connected already: a socket through a proxy, the pipes of a process. */
  readonly socket?: Duplex | undefined;
  /** Talk over this instead; the client starts and closes it. */
  readonly transport?: Transport | undefined;
  readonly timeouts?:
    | {
        /** From dialling to a session that can be used, greeting and STARTTLS included; 30 000. */
        readonly connectMs?: number | undefined;
        /** Longest silence while an answer is owed, progress of an upload counting as life; 60 000. */
        readonly idleMs?: number | undefined;
      }
    | undefined;
  /** False: messages are named by sequence number unless a call says otherwise. */
  readonly useUid?: boolean | undefined;
  /** False: folder names go out and come in as they are on the wire, one character per byte. */
  readonly folderEncode?: boolean | undefined;
  /** How fast bytes may come and go; default: as fast as they can. */
  readonly pace?: Pace | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** The wire, line by line, without secrets. */
  readonly trace?: ((line: TraceLine) => void) | undefined;
  /** Refuse to say anything secret, or to be PREAUTHenticated, in clear text. Default: unless `tls` is `none`. */
  readonly requireTls?: boolean | undefined;
  /** Gives up connecting when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** The options with every default filled in. */
export interface Settings {
  readonly options: ConnectOptions;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly tlsOptions: TlsOptions;
  readonly requireTls: boolean;
  readonly command: string | null;
  readonly socket: Duplex | null;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly limits: Limits;
  /** For messages to people. */
  readonly address: string;
}

export function toSettings(options: ConnectOptions): Settings {
  const dials = [options.command, options.socket, options.transport].every((other) => other === undefined);
  const tls = options.tls ?? (dials ? 'implicit' : 'none');
  const port = options.port ?? (tls === 'implicit' ? 993 : 143);
  return {
    options,
    host: options.host,
    port,
    tls,
    tlsOptions: options.tlsOptions ?? {},
    requireTls: options.requireTls ?? tls !== 'none',
    command: options.command ?? null,
    socket: options.socket ?? null,
    connectMs: options.timeouts?.connectMs ?? 30_000,
    idleMs: options.timeouts?.idleMs ?? 60_000,
    clock: options.clock ?? systemClock,
    limits: resolveLimits(options.limits),
    address: options.transport?.description ?? addressOf(options, port),
  };
}

function addressOf({ command, socket, host }: ConnectOptions, port: number): string {
  if (command !== undefined) return 'the command';
  return socket === undefined ? `${host}:${port}` : `the socket to ${host}`;
}
