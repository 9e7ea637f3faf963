/** What a proxy can do to connections, when it does it, and the proof that it did. */
import type { ProxyCommand } from './proxy-session.ts';

export type Direction = 'to-server' | 'to-client';

/** What a command or its answer has to wait for. */
export type Withheld =
  /** Its tagged answer never comes; the connection goes on. */
  | 'answer'
  /** From its tagged answer on the client hears nothing. */
  | 'all answers'
  /** After its first line the server hears nothing before the proxy releases it, although the client may have gone. */
  | 'command';

/** To a connection, at a byte of it or before a command. */
export type LineAction =
  /** Both sides are hung up on; what came before still arrives. */
  | { readonly kind: 'cut' }
  /** Nothing arrives any more on either side, and nobody hangs up; with `delayMs` for so long. */
  | { readonly kind: 'stall'; readonly delayMs?: number };

export type ByteAction =
  | LineAction
  /** So many bytes pass at this speed. */
  | { readonly kind: 'throttle'; readonly bytes: number; readonly bytesPerSecond: number }
  /** One bit of this byte is another. */
  | { readonly kind: 'corrupt' };

export type CommandAction =
  | LineAction
  | { readonly kind: 'withhold'; readonly what: Withheld }
  /** The rest of a tagged answer (`NO [LIMIT] too big`); the server never sees the command. */
  | { readonly kind: 'answer'; readonly text: string }
  /** `* BYE text` and the end: before the server sees the command, or in place of its tagged answer. */
  | { readonly kind: 'bye'; readonly text: string; readonly at: 'before' | 'after' }
  /** Lines (without CRLF) ahead of the tagged answer. */
  | { readonly kind: 'inject'; readonly lines: readonly string[] };

/** Happens once: at a byte of one direction, or with the n-th command of a name, counted over all connections. */
export type ProxyFault =
  | { readonly direction: Direction; readonly byte: number; readonly action: ByteAction }
  | { readonly command: string; readonly nth: number; readonly action: CommandAction };

export type ByteFault = Extract<ProxyFault, { byte: number }>;
type CommandFault = Extract<ProxyFault, { command: string }>;

/** One that happened, and where. */
export interface StruckFault {
  readonly fault: ProxyFault;
  readonly connection: number;
}

/** The faults of one proxy that are still to come, and those that came. */
export class ProxyFaults {
  readonly struck: StruckFault[] = [];
  readonly #bytes: Record<Direction, { passed: number; readonly armed: ByteFault[] }>;
  #commands: { readonly fault: CommandFault; seen: number }[];

  constructor(faults: readonly ProxyFault[]) {
    const armed = (direction: Direction) =>
      faults
        .filter((fault): fault is ByteFault => 'byte' in fault && fault.direction === direction)
        .sort((a, b) => a.byte - b.byte);
    this.#bytes = {
      'to-server': { passed: 0, armed: armed('to-server') },
      'to-client': { passed: 0, armed: armed('to-client') },
    };
    this.#commands = faults.flatMap((fault) => ('command' in fault ? [{ fault, seen: 0 }] : []));
  }

  /** Takes note of bytes that are about to pass: all of them, or those ahead of the one at which a fault is due. */
  pass(direction: Direction, bytes: number, connection: number): { readonly ahead: number; fault: ByteFault | null } {
    const meter = this.#bytes[direction];
    const [next] = meter.armed;
    const ahead = next === undefined ? bytes : Math.max(0, next.byte - meter.passed);
    if (next === undefined || ahead >= bytes) {
      meter.passed += bytes;
      return { ahead: bytes, fault: null };
    }
    meter.passed += ahead;
    meter.armed.shift();
    this.struck.push({ fault: next, connection });
    return { ahead, fault: next };
  }

  /** What happens to a command that begins. */
  command({ name, connection }: ProxyCommand): CommandAction | null {
    for (const waiting of this.#commands) {
      const { fault } = waiting;
      if (fault.command !== name || ++waiting.seen !== fault.nth) continue;
      this.#commands = this.#commands.filter((it) => it !== waiting);
      this.struck.push({ fault, connection });
      return fault.action;
    }
    return null;
  }
}
