import type { ResponseCode } from './types.ts';

/** What every error of this layer can be given besides its message. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** True when the command may have been executed although no answer arrived. */
  readonly outcomeUnknown?: boolean;
}

/**
 * The family of errors this layer throws. `code` is stable: branch on it, never on the message.
 * Messages hold no secrets and no control characters.
 */
export class ImapError extends Error {
  override readonly name: string = 'ImapError';
  readonly code: string;
  /** True when the command may have been executed: repeating it blindly could do its work twice. */
  readonly outcomeUnknown: boolean;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcomeUnknown = details.outcomeUnknown ?? false;
  }
}

/** `PROTOCOL`: the server sent bytes that are no IMAP. There is no resynchronising: the connection is closed. */
export class ProtocolError extends ImapError {
  override readonly name = 'ProtocolError';
  constructor(message: string, details?: ErrorDetails) {
    super('PROTOCOL', message, details);
  }
}

/** `LIMIT`: a cap of `Limits` was reached. The connection is closed. */
export class LimitError extends ImapError {
  override readonly name = 'LimitError';
  constructor(message: string, details?: ErrorDetails) {
    super('LIMIT', message, details);
  }
}

/** The tagged answer that made a `CommandError`. */
export interface Refusal {
  readonly status: 'NO' | 'BAD';
  readonly code: ResponseCode | null;
  /** The server's words, as sent. */
  readonly text: string;
}

/** `NO` or `BAD`: the server answered a command with a refusal (RFC 9051 7.1.2, 7.1.3). */
export class CommandError extends ImapError {
  override readonly name = 'CommandError';
  /** The command's name: `APPEND`, `SELECT`, … */
  readonly command: string;
  readonly status: 'NO' | 'BAD';
  /** Upper case, without brackets: `OVERQUOTA`, `TRYCREATE`, …; null when the server sent none. */
  readonly responseCode: string | null;
  /** What followed the response code's name inside the brackets, `''` when nothing did. */
  readonly responseCodeText: string;
  /** The server's words, as sent: not fit for a terminal. */
  readonly text: string;

  constructor(command: string, refusal: Refusal, details?: ErrorDetails) {
    const code = refusal.code === null ? '' : ` [${toPrintable(refusal.code.name, 40)}]`;
    super(refusal.status, `${command}: ${refusal.status}${code} ${toPrintable(refusal.text, 200)}`.trimEnd(), details);
    this.command = command;
    this.status = refusal.status;
    this.responseCode = refusal.code?.name ?? null;
    this.responseCodeText = refusal.code?.text ?? '';
    this.text = refusal.text;
  }
}

/** `BYE`: the server ended the session (RFC 9051 7.1.5). */
export class ByeError extends ImapError {
  override readonly name = 'ByeError';
  readonly responseCode: string | null;
  /** The server's words, as sent: not fit for a terminal. */
  readonly text: string;

  constructor(bye: { readonly code: ResponseCode | null; readonly text: string }, details?: ErrorDetails) {
    const code = bye.code === null ? '' : `[${toPrintable(bye.code.name, 40)}] `;
    super('BYE', `server ended the session: ${code}${toPrintable(bye.text, 200)}`.trimEnd(), details);
    this.responseCode = bye.code?.name ?? null;
    this.text = bye.text;
  }
}

/** `CLOSED`: the connection ended, or was ended, before the answer. */
export class ConnectionClosedError extends ImapError {
  override readonly name = 'ConnectionClosedError';
  constructor(message: string, details?: ErrorDetails) {
    super('CLOSED', message, details);
  }
}

/** `TIMEOUT`: nothing was heard within the time allowed. */
export class TimeoutError extends ImapError {
  override readonly name = 'TimeoutError';
  constructor(message: string, details?: ErrorDetails) {
    super('TIMEOUT', message, details);
  }
}

/** `CONNECT`: no session came about: unknown host, refused, unreachable, or no IMAP server there. */
export class ConnectError extends ImapError {
  override readonly name = 'ConnectError';
  constructor(message: string, details?: ErrorDetails) {
    super('CONNECT', message, details);
  }
}

/** `TLS`: certificate, host name or handshake failed, or STARTTLS was refused or tampered with. */
export class TlsError extends ImapError {
  override readonly name = 'TlsError';
  constructor(message: string, details?: ErrorDetails) {
    super('TLS', message, details);
  }
}

/** `AUTH`: the server refused the credentials, or offers no mechanism that can be used. */
export class AuthenticationError extends ImapError {
  override readonly name = 'AuthenticationError';
  /** `AUTHENTICATIONFAILED`, `EXPIRED`, `UNAVAILABLE`, …; null when the server sent none. */
  readonly responseCode: string | null;
  constructor(message: string, details: ErrorDetails & { readonly responseCode?: string | null } = {}) {
    super('AUTH', message, details);
    this.responseCode = details.responseCode ?? null;
  }
}

/** `CAPABILITY`: the server does not offer what the call needs. */
export class CapabilityError extends ImapError {
  override readonly name = 'CapabilityError';
  constructor(message: string, details?: ErrorDetails) {
    super('CAPABILITY', message, details);
  }
}

/** `STATE`: the call does not fit the session's state, such as a FETCH with nothing selected. */
export class StateError extends ImapError {
  override readonly name = 'StateError';
  constructor(message: string, details?: ErrorDetails) {
    super('STATE', message, details);
  }
}

/** `READONLY`: the folder was selected read-only, and the call would change it. Nothing was sent. */
export class ReadOnlyError extends ImapError {
  override readonly name = 'ReadOnlyError';
  constructor(message: string, details?: ErrorDetails) {
    super('READONLY', message, details);
  }
}

/** `USAGE`: an argument cannot be expressed on the wire. Nothing was sent. */
export class UsageError extends ImapError {
  override readonly name = 'UsageError';
  constructor(message: string, details?: ErrorDetails) {
    super('USAGE', message, details);
  }
}

/**
 * Text of a stranger made fit for one line of a message: everything outside printable ASCII and
 * printable Unicode letters becomes a visible escape, and what exceeds `maxChars` is cut with `…`.
 */
export function toPrintable(text: string, maxChars: number): string {
  let printable = '';
  for (const char of text) {
    const piece = isPlain(char) ? char : escapeChar(char);
    if (printable.length + piece.length > maxChars) return `${printable}…`;
    printable += piece;
  }
  return printable;
}

const plain = /^[\p{L}\p{N}\p{P}\p{S}\p{M} ]$/u;

function isPlain(char: string): boolean {
  return plain.test(char);
}

function escapeChar(char: string): string {
  if (char === '\r') return '\\r';
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  const value = char.codePointAt(0) ?? 0;
  return value < 0x100 ? `\\x${value.toString(16).padStart(2, '0')}` : `\\u{${value.toString(16)}}`;
}
