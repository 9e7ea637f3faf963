import type { Duplex } from 'node:stream';
import { ConnectError } from './errors.ts';
import { openCommandTransport } from './transport-command.ts';
import { openSocketTransport, upgradeOrAbort } from './transport-socket.ts';
import { StreamTransport } from './transport-stream.ts';
import type { TlsOptions } from './transport-tls.ts';
import type { Clock, Transport } from './types.ts';

export { createMemoryPair, type MemoryPairOptions, type MemoryTransport } from './transport-memory.ts';
export { type Pace, PacedTransport } from './transport-paced.ts';
export type { TlsOptions } from './transport-tls.ts';

/**
 * `implicit`: TLS from the first byte. `starttls`: clear text first, upgraded before anything secret is said, never
 * without. `none`: clear text.
 */
export type TlsMode = 'implicit' | 'starttls' | 'none';

export interface OpenTransportOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly tlsOptions: TlsOptions;
  /** Talk to `sh -c command` instead of dialling; `host` then only names the certificate. */
  readonly command: string | null;
  /** Talk over this stream, which is connected; `host` then only names the certificate. */
  readonly socket: Duplex | null;
  readonly clock: Clock;
  /** Gives up when it aborts; the reason it carries is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Dials a server, starts a command, or takes a stream that is there; with `implicit`, TLS is up when this resolves.
 * @throws ConnectError when there is no connection, TlsError when TLS fails.
 */
export async function openTransport(options: OpenTransportOptions): Promise<Transport> {
  const implicitTls = options.tls === 'implicit';
  if (options.socket !== null) {
    const description = `socket: ${options.host}`;
    const transport = new StreamTransport(options.socket, { description, host: options.host, tls: options.tlsOptions });
    return implicitTls ? await upgradeOrAbort(transport, options.signal) : transport;
  }
  if (options.command === null) {
    if (options.host === '') throw new ConnectError('No host is given: name the server to connect to.');
    return await openSocketTransport({ ...options, implicitTls, tls: options.tlsOptions });
  }
  const transport = openCommandTransport({
    command: options.command,
    host: options.host,
    tls: options.tlsOptions,
    clock: options.clock,
  });
  return implicitTls ? await upgradeOrAbort(transport, options.signal) : transport;
}
