import type { CommandPart } from './encoder.ts';
import { toPrintable } from './errors.ts';
import type { Frame } from './frame.ts';
import type { Redactor } from './redaction.ts';
import type { Clock } from './types.ts';

/** One line of a wire trace. */
export interface TraceLine {
  readonly direction: 'sent' | 'received' | 'note';
  /** Milliseconds on the connection's clock. */
  readonly timeMs: number;
  /**
   * The line without its CRLF, bytes as latin1, secrets as `***`. A literal stands as its size: `{310}` or `{310+}`.
   * The server's words are raw: not fit for a terminal.
   */
  readonly text: string;
}

/**
 * A trace line for people: time on the connection's clock, `>` for what was sent, `<` for what was received, `-` for a
 * note, then the text with control characters made visible. Without a line end.
 */
export function formatTraceLine({ direction, timeMs, text }: TraceLine): string {
  const minutes = String(Math.floor(timeMs / 60_000) % 60).padStart(2, '0');
  const seconds = ((timeMs % 60_000) / 1000).toFixed(3).padStart(6, '0');
  return `${minutes}:${seconds} ${marks[direction]} ${toPrintable(text, 2 * maxChars)}`;
}

const marks = { sent: '>', received: '<', note: '-' } as const;

/** A SEARCH answer may be megabytes long; what it says fits here. */
const maxChars = 4096;

/** Writes a connection's trace. Made only where somebody listens: tracing costs a string per line. */
export class Tracer {
  readonly #sink: (line: TraceLine) => void;
  readonly #clock: Clock;
  readonly #redactor: Redactor;

  constructor(sink: (line: TraceLine) => void, clock: Clock, redactor: Redactor) {
    this.#sink = sink;
    this.#clock = clock;
    this.#redactor = redactor;
  }

  /** A group of a command, or an answer to a continuation, as it is handed over. */
  sent(text: string): void {
    this.#line('sent', text);
  }

  /** A response. `secret`: it belongs to an exchange nobody may see. */
  received(frame: Frame, secret: boolean): void {
    const text = frame.text();
    this.#line('received', secret && text.startsWith('+') ? '+ ***' : text);
  }

  /** What happened to the connection itself. */
  note(text: string): void {
    this.#line('note', text);
  }

  #line(direction: TraceLine['direction'], text: string): void {
    const redacted = this.#redactor.redact(text);
    const cut = redacted.length > maxChars ? `${redacted.slice(0, maxChars)}…` : redacted;
    this.#sink({ direction, timeMs: this.#clock.now(), text: cut });
  }
}

/**
 * Group `index` of a command as a trace line: text as it is, literals as their sizes. Literals are told from text by the
 * announcements in front of them, so that nothing has to be kept for a trace that is mostly off.
 */
export function describeGroup(groups: readonly (readonly CommandPart[])[], index: number): string {
  let literalLeft = announcedIn(groups[index - 1]?.at(-1));
  let line = '';
  for (const part of groups[index] ?? []) {
    if (literalLeft > 0 || !Buffer.isBuffer(part)) {
      literalLeft -= part.length;
      continue;
    }
    line += part.toString('latin1').replace(/\r\n$/, '');
    literalLeft = announcedIn(part);
  }
  return line;
}

/** The size of the literal that `part` announces at its end, 0 for none. */
function announcedIn(part: CommandPart | undefined): number {
  const end = Buffer.isBuffer(part) ? part.toString('latin1', Math.max(0, part.length - 32)) : '';
  return Number(/\{(\d+)\+?\}\r\n$/.exec(end)?.[1] ?? 0);
}
