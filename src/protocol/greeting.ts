import { ByeError, ConnectError, toPrintable } from './errors.ts';
import type { Response } from './response.ts';
import type { ResponseCode } from './types.ts';

/** The server's first words (RFC 9051 7.1). */
export interface Greeting {
  /** `PREAUTH`: the session is logged in already. */
  readonly status: 'OK' | 'PREAUTH';
  /** Raw: not fit for a terminal. */
  readonly text: string;
  readonly code: ResponseCode | null;
}

/**
 * Reads the first response of a session.
 * @throws ByeError when the server does not want us, ConnectError when it is no IMAP server.
 */
export function parseGreeting(response: Response, peer: string): Greeting {
  if (response.kind === 'status') {
    const { status, code, text } = response;
    if (status === 'BYE') throw new ByeError({ code, text });
    if (status === 'OK' || status === 'PREAUTH') return { status, code, text };
    throw new ConnectError(`${peer} turned us away: ${status} ${toPrintable(text, 200)}`);
  }
  throw noImap(peer);
}

/** What is said of a peer that begins with anything but a greeting. */
export function noImap(peer: string): ConnectError {
  return new ConnectError(`${peer} does not speak IMAP: check host and port.`);
}

/**
 * Looks at the first bytes of a session, because what is no IMAP server may never send a line.
 * @throws ConnectError saying what answers there, unless they can begin a greeting.
 */
export function checkFirstBytes(chunk: Buffer, peer: string): void {
  if (chunk[0] === star) return;
  if (chunk[0] === tlsAlert || chunk[0] === tlsHandshake) {
    throw new ConnectError(`${peer} expects TLS from the first byte: use implicit TLS there.`);
  }
  const start = chunk.toString('latin1', 0, 5);
  const other = otherServers.find(({ pattern }) => pattern.test(start));
  throw other === undefined ? noImap(peer) : new ConnectError(`${peer} ${other.reason}`);
}

const star = 0x2a;
/** RFC 8446 5.1 ContentType. */
const tlsAlert = 0x15;
const tlsHandshake = 0x16;

const otherServers: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /^SSH-/, reason: 'is an SSH server, not an IMAP server: check the port.' },
  { pattern: /^\+/, reason: 'is a POP3 server, not an IMAP server: check the port.' },
  { pattern: /^[1-5]\d\d[ -]/, reason: 'is a mail submission or file server, not an IMAP server: check the port.' },
  { pattern: /^(HTTP|<)/, reason: 'is a web server, not an IMAP server: check the port.' },
];
