import {
  ByeError,
  ConnectError,
  ConnectionClosedError,
  ImapError,
  LimitError,
  ProtocolError,
  TimeoutError,
  TlsError,
} from './errors.ts';
import type { Redactor } from './redaction.ts';

/** Why a connection ended: makes the error for each command that waited, who differ in whether they may have worked. */
export type Failure = (outcomeUnknown: boolean) => Error;

/** One end for all: before any command is sent there is nothing to be unsure of. */
export function sameFailure(error: Error): Failure {
  return () => error;
}

/** Words the ends of one connection. Nothing it says holds a secret. */
export class FailureReport {
  readonly #peer: string;
  readonly #redactor: Redactor;

  constructor(peer: string, redactor: Redactor) {
    this.#peer = peer;
    this.#redactor = redactor;
  }

  /** We ended it. */
  closedHere(cause?: Error): Failure {
    return this.#closed('the connection was closed here', cause);
  }

  /** The transport ended. `greeted`: there was a session before. */
  lost(error: Error | null, greeted: boolean): Failure {
    const how =
      error === null ? 'the server closed the connection' : `the connection was lost: ${this.describe(error)}`;
    if (greeted) return this.#closed(how, error ?? undefined);
    const words = error instanceof ConnectError ? this.describe(error) : `${this.#peer}: ${how}, before any greeting.`;
    return sameFailure(new ConnectError(words, { cause: error ?? undefined }));
  }

  /**
   * Reading what arrived failed. `greeted`: there was a session before; `secret`: a password was being said, and an error
   * that quotes the answer might quote its echo.
   */
  unreadable(error: unknown, { greeted, secret }: { readonly greeted: boolean; readonly secret: boolean }): Failure {
    const words = secret && error instanceof ProtocolError ? 'malformed answer to a login' : this.describe(error);
    if (error instanceof ByeError || error instanceof ConnectError || error instanceof TlsError)
      return sameFailure(error);
    if (!greeted) return sameFailure(new ConnectError(`${this.#peer} does not speak IMAP: ${words}`));
    // No cause: the parser's own message may quote a line that echoes a secret.
    if (error instanceof LimitError) return (outcomeUnknown) => new LimitError(words, { outcomeUnknown });
    if (error instanceof ProtocolError) return (outcomeUnknown) => new ProtocolError(words, { outcomeUnknown });
    return this.#closed(`an answer could not be dealt with: ${words}`, error);
  }

  silence(idleMs: number, commands: readonly string[]): Failure {
    const words = `${this.#peer}: no sign of life for ${idleMs / 1000} s while waiting for ${commands.join(', ')}`;
    return (outcomeUnknown) => new TimeoutError(words, { outcomeUnknown });
  }

  /** Bytes where only TLS may follow (RFC 9051 11.1). */
  injection(): Failure {
    const words = `${this.#peer}: bytes arrived in clear text between STARTTLS and TLS: someone may be meddling.`;
    return sameFailure(new TlsError(words));
  }

  /** A failure's message, without secrets. */
  describe(error: unknown): string {
    if (!(error instanceof Error)) return 'unknown reason';
    const code = error instanceof ImapError ? undefined : (error as NodeJS.ErrnoException).code;
    return code ?? this.#redactor.redact(error.message);
  }

  #closed(how: string, cause: unknown): Failure {
    return (outcomeUnknown) => new ConnectionClosedError(`${this.#peer}: ${how}`, { cause, outcomeUnknown });
  }
}
