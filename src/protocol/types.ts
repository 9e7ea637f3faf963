import type { Duplex } from 'node:stream';

/**
 * The nouns the protocol layer shares. Types only: nothing here runs.
 */

/** A literal as it arrived: the slices of the socket's chunks, in order, never joined. */
export interface Literal {
  /** Bytes announced by the server; equals the sum of the slices. */
  readonly size: number;
  readonly chunks: readonly Buffer[];
}

/**
 * A mailbox name for a command. A string is Unicode and is sent in modified UTF-7 (RFC 3501 5.1.3);
 * a Buffer is the raw name exactly as a LIST response gave it.
 */
export type FolderName = string | Buffer;

export type StatusWord = 'OK' | 'NO' | 'BAD';

/** A bracketed response code: `[APPENDUID 1 2:4]` is `{ name: 'APPENDUID', text: '1 2:4' }`. */
export interface ResponseCode {
  /** Upper case. */
  readonly name: string;
  /** What follows the name, as sent (bytes as latin1), `''` when nothing follows. */
  readonly text: string;
}

/** How a command may share the line with others (RFC 3501 5.5). */
export type Pipelining =
  /** May be sent at any time after login, whatever else is unanswered. */
  | 'free'
  /** Belongs to the selected mailbox and names messages by UID: may follow other commands for the same mailbox. */
  | 'selected'
  /** The same, and changes nothing: it may follow a SELECT that is not answered yet, and counts only if that succeeds. */
  | 'reads'
  /** As `selected`, but names messages by sequence number: an EXPUNGE that another command lets through would change them. */
  | 'sequence'
  /** Chooses or leaves the selected mailbox: follows commands that belong to the one before, and has them wait for it. */
  | 'selects'
  /** Changes the session: waits until the line is empty, and everything later waits for it. */
  | 'barrier';

/** Undoes a scheduled callback. Calling it twice is harmless. */
export type Cancel = () => void;

/** Monotonic time. Everything that waits is given one, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `callback` once after `delayMs`. Keeps the process alive until then: cancel what is no longer needed. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** What a transport tells its connection. */
export interface TransportHandlers {
  /** A chunk that the receiver may keep: its memory is never reused. */
  onData(chunk: Buffer): void;
  /** The write buffer fell below its high-water mark again. */
  onDrain(): void;
  /** True: it moves nothing for the sake of its pace, and a silence of the server is our doing. */
  onRest?(rests: boolean): void;
  /** The last event. `error` is null when the peer ended the stream in an orderly way. */
  onClose(error: Error | null): void;
}

/** A byte stream to a server: TCP, TLS, a child process, or a pair in memory. */
export interface Transport {
  /** True once the bytes travel inside verified (or knowingly unverified) TLS. */
  readonly secure: boolean;
  /** For messages to people: `imaps://host:993`, `command: …`. Never holds a secret. */
  readonly description: string;
  /** The stream below, for who polls it or asks for its addresses; none in memory. */
  readonly stream?: Duplex | null;
  /** Starts delivering events. Called once. */
  start(handlers: TransportHandlers): void;
  /** Hands buffers over in order; false means: wait for `onDrain` before writing more. The buffers must not change afterwards. */
  write(parts: readonly Buffer[]): boolean;
  pause(): void;
  resume(): void;
  /** STARTTLS: wraps the running stream in TLS and resolves when the handshake, certificate checks included, is done. */
  upgrade(): Promise<void>;
  /** Ends the stream at once. `onClose` follows. */
  close(): void;
  /** Ends the stream as soon as what was written has left. `onClose` follows. */
  end(): void;
}
