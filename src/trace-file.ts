/**
 * Wire traces in a file: who says what, when, on which connection. Readable like imaplib's debug output.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import { toDisplay } from './display.ts';
import { ConfigError } from './errors.ts';
import type { TraceLine } from './protocol/index.ts';

/** Takes the lines of one connection. Never throws. */
export type TraceSink = (line: TraceLine) => void;

export interface TraceOptions {
  /** Whom the connection is for. */
  readonly account: string;
  /** The connection's clock. */
  readonly clock: Clock;
  /** Milliseconds since 1970, for times that people read. */
  readonly wallClockMs: () => number;
}

const marks = { sent: '>', received: '<', note: '--' } as const;

/** One for each file this thread has written to, until the thread ends. */
const descriptors = new Map<string, number>();
let connections = 0;

/**
 * Makes sure that `file` can be appended to; where it is created, only its owner may read it.
 * @throws ConfigError where it cannot.
 */
export function checkTraceFile(file: string): void {
  try {
    closeSync(openTraceFile(file));
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConfigError(`cannot write the trace file ${file} (${reason}): choose another one with --trace-imap`, {
      cause,
    });
  }
}

/**
 * A sink that appends the lines of a new connection to `file`, at once, so that a killed process loses none:
 *
 *     21:14:03.123 2.1 > BKQZA1 LOGIN "alice" "***"
 *
 * is time (UTC), thread and connection, direction and text. Threads may share the file: every line is one write.
 */
export function openTrace(file: string, { account, clock, wallClockMs }: TraceOptions): TraceSink {
  const startedMs = wallClockMs();
  const offsetMs = startedMs - clock.now();
  const name = `${threadId}.${++connections}`;
  let failed = false;
  const write: TraceSink = (line) => {
    if (failed) return;
    try {
      const time = new Date(line.timeMs + offsetMs).toISOString().slice(11, -1);
      writeSync(descriptorOf(file), `${time} ${name} ${marks[line.direction]} ${traceText(line)}\n`);
    } catch (error) {
      // The connection is worth more than its trace.
      failed = true;
      process.emitWarning(
        `the trace file ${file} takes no more lines: ${error instanceof Error ? error.message : error}`,
      );
    }
  };
  write({ direction: 'note', timeMs: clock.now(), text: `${account}, ${new Date(startedMs).toISOString()}` });
  return write;
}

function descriptorOf(file: string): number {
  const known = descriptors.get(file);
  if (known !== undefined) return known;
  const descriptor = openTraceFile(file);
  descriptors.set(file, descriptor);
  return descriptor;
}

function openTraceFile(file: string): number {
  return openSync(file, 'a', 0o600);
}

/** The bytes of a line as UTF-8 where they are that, and nothing a terminal would act on. */
function traceText({ direction, text }: TraceLine): string {
  if (direction === 'sent' && text === '') return '(what was announced)';
  if (direction === 'note') return toDisplay(text);
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return toDisplay(decoded.includes('\ufffd') ? text : decoded);
}
