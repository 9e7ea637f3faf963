import { connect, isIPv6, type Socket } from 'node:net';
import { ConnectError } from './errors.ts';
import { StreamTransport } from './transport-stream.ts';
import type { TlsOptions } from './transport-tls.ts';
import type { Transport } from './types.ts';

/**
 * How long one address of a host may take before the next one is tried. Node's 250 ms gives up on honest servers
 * behind a satellite or a busy modem line.
 */
const addressAttemptMs = 3_000;

/** Idle sockets are probed from this silence on, so that a vanished peer is noticed between commands, too. */
const keepAliveAfterMs = 60_000;

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** True: TLS from the first byte. */
  readonly implicitTls: boolean;
  readonly tls: TlsOptions;
  /** Gives up when it aborts; the reason it carries is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Dials a TCP connection, with TLS from the first byte where asked.
 * @throws ConnectError naming host and port when there is no connection, TlsError when TLS fails.
 */
export async function openSocketTransport(options: SocketOptions): Promise<Transport> {
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  const address = `${isIPv6(host) ? `[${host}]` : host}:${options.port}`;
  const socket = await dial(host, options.port, address, options.signal);
  const description = `${options.implicitTls ? 'imaps' : 'imap'}://${address}`;
  const transport = new StreamTransport(socket, { description, host, tls: options.tls });
  if (!options.implicitTls) return transport;
  return await upgradeOrAbort(transport, options.signal);
}

/** TLS from the first byte over an open transport; an abort ends both. */
export async function upgradeOrAbort(transport: Transport, signal: AbortSignal): Promise<Transport> {
  const abort = () => transport.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await transport.upgrade();
    signal.throwIfAborted();
    return transport;
  } catch (error) {
    transport.close();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function dial(host: string, port: number, address: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveAfterMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
    });
    const settle = () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
    };
    const onAbort = () => {
      settle();
      socket.destroy();
      reject(signal.reason);
    };
    const onConnect = () => {
      settle();
      socket.off('error', onError);
      resolve(socket);
    };
    // Stays on after a failure: a socket may have more than one error to tell, and an unheard one ends the process.
    const onError = (error: Error) => {
      settle();
      reject(toConnectError(error, host, address));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', onConnect);
    socket.on('error', onError);
  });
}

function toConnectError(error: Error, host: string, address: string): ConnectError {
  const code = errorCode(error);
  const reason = dialReasons[code] ?? `cannot be connected to (${code === '' ? error.name : code}).`;
  const subject = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? host : address;
  return new ConnectError(`${subject} ${reason}`, { cause: error });
}

const dialReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not a known host name: check the host.',
  EAI_AGAIN: 'cannot be looked up now: the name service does not answer; check the network.',
  ECONNREFUSED: 'refused the connection: check the port, and that the server runs.',
  ECONNRESET: 'closed the connection at once: check the port.',
  EHOSTUNREACH: 'cannot be reached: check the network, the route and the firewall.',
  ENETUNREACH: 'cannot be reached: check the network and the route.',
  ETIMEDOUT: 'did not answer: check the port and the firewall.',
  EACCES: 'may not be connected to from here: check the firewall.',
  EPERM: 'may not be connected to from here: check the firewall.',
};

/** A host with several addresses fails with all their errors; the first one with a code speaks for them. */
function errorCode(error: Error): string {
  const own = (error as NodeJS.ErrnoException).code;
  if (own !== undefined) return own;
  const parts: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  for (const part of parts) {
    const code = (part as NodeJS.ErrnoException).code;
    if (code !== undefined) return code;
  }
  return '';
}
