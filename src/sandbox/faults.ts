import type { Answer } from './answer.ts';

/** Where in a command a fault strikes: before any of its work, after the work and before the tagged line, or inside. */
export type FaultPoint =
  | 'before'
  | 'after'
  /** Once so many octets of the command's answer have left. */
  | { readonly answerOctets: number }
  /** Once so many octets of the command's k-th literal (from 1) have arrived; `Infinity`: the whole literal. */
  | { readonly literal: number; readonly octets: number };

/** What goes wrong. */
export type FaultAction =
  /** The connection ends. `reset` (default): with an error, which on TCP may overtake the last bytes; else in an orderly way. */
  | { readonly kind: 'cut'; readonly at?: FaultPoint; readonly reset?: boolean }
  /** Nothing more is read or answered on this connection until the fault is released. */
  | { readonly kind: 'stall'; readonly at?: FaultPoint }
  /** The same, released by the clock. */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly at?: 'before' | 'after' }
  /** `* BYE text`, then the end. */
  | { readonly kind: 'bye'; readonly text: string; readonly at?: FaultPoint }
  /** This answer instead of the true one; `after`: although the work is done. */
  | { readonly kind: 'answer'; readonly answer: Answer; readonly at?: 'before' | 'after' }
  /** The work is done and never acknowledged; the connection lives on. */
  | { readonly kind: 'drop-tagged' }
  /** Raw lines (without CRLF) put into the answer: before its first line, before or after its tagged line. */
  | { readonly kind: 'inject'; readonly lines: readonly string[]; readonly at?: 'before' | 'after' | 'after-tagged' }
  /** Whatever a test wants to happen at this very moment: expunge, deliver, change UIDVALIDITY. */
  | { readonly kind: 'run'; run(): void; readonly at?: FaultPoint };

/** The k-th command of a kind. Counted from the moment the fault is armed, over all connections unless one is named. */
export interface CommandTrigger {
  /** Upper case, with its UID prefix: `APPEND`, `UID FETCH`; `*` for any. */
  readonly command: string;
  /** 1 is the next one. Default 1. */
  readonly nth?: number;
  /** How many in a row it strikes. Default 1; `Infinity` for ever. */
  readonly times?: number;
  /** Counts only commands whose first line (without tag, literals not included) this accepts. */
  matches?(line: string): boolean;
  /** Number of the connection, from 1. */
  readonly connection?: number;
}

/** So many bytes of a connection, counted from its start. Strikes once, on the first connection that gets there. */
export interface ByteTrigger {
  readonly direction: 'in' | 'out';
  readonly bytes: number;
  readonly connection?: number;
}

export type FaultTrigger = CommandTrigger | ByteTrigger;

/** The proof that a fault struck. */
export interface FaultRecord {
  readonly fault: ArmedFault;
  readonly connection: number;
  /** The command it struck in; `null` for bytes outside of one. */
  readonly command: string | null;
}

/** One fault, waiting or struck. */
export class ArmedFault {
  readonly trigger: FaultTrigger;
  readonly action: FaultAction;
  /** How often it struck. */
  fired = 0;
  #seen = 0;
  #disarmed = false;
  #waiting: (() => void)[] = [];

  constructor(trigger: FaultTrigger, action: FaultAction) {
    this.trigger = trigger;
    this.action = action;
  }

  /** Lets every connection that this fault stalled go on. */
  release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** No further strikes; what is stalled stays so until released. */
  disarm(): void {
    this.#disarmed = true;
  }

  /** Connections this fault holds at this moment. */
  get stalled(): number {
    return this.#waiting.length;
  }

  /** @internal Registers what `release` calls. */
  whenReleased(resume: () => void): void {
    this.#waiting.push(resume);
  }

  /** @internal Counts this command and says whether it is struck. */
  strikes(command: string, line: string, connection: number): boolean {
    const { trigger } = this;
    if (this.#disarmed || !('command' in trigger)) return false;
    if (trigger.command !== '*' && trigger.command !== command) return false;
    if (trigger.connection !== undefined && trigger.connection !== connection) return false;
    if (trigger.matches !== undefined && !trigger.matches(line)) return false;
    this.#seen += 1;
    const nth = trigger.nth ?? 1;
    return this.#seen >= nth && this.#seen < nth + (trigger.times ?? 1);
  }

  /** @internal The byte offset this fault waits for on a connection, or `null`. */
  byteOffset(direction: 'in' | 'out', connection: number): number | null {
    const { trigger } = this;
    if (this.#disarmed || this.fired > 0 || 'command' in trigger || trigger.direction !== direction) return null;
    if (trigger.connection !== undefined && trigger.connection !== connection) return null;
    return trigger.bytes;
  }
}

/** The faults of one server, and the log of those that struck. */
export class SandboxFaults {
  readonly log: FaultRecord[] = [];
  readonly #armed: ArmedFault[] = [];

  /**
   * Arms a fault.
   *
   * @throws RangeError when a byte trigger is given an action that belongs to commands.
   */
  add(trigger: FaultTrigger, action: FaultAction): ArmedFault {
    if (!('command' in trigger) && !['cut', 'stall', 'bye', 'run'].includes(action.kind)) {
      throw new RangeError(`a byte trigger cannot ${action.kind}`);
    }
    const armed = new ArmedFault(trigger, action);
    this.#armed.push(armed);
    return armed;
  }

  /** Disarms and releases everything. */
  clear(): void {
    for (const armed of this.#armed.splice(0)) {
      armed.disarm();
      armed.release();
    }
  }

  /** @internal The faults that strike the command that begins now. */
  onCommand(command: string, line: string, connection: number): ArmedFault[] {
    return this.#armed.filter((armed) => armed.strikes(command, line, connection));
  }

  /** @internal The next byte fault on a connection that has moved `count` bytes in this direction. */
  nextByteFault(
    direction: 'in' | 'out',
    connection: number,
    count: number,
  ): { offset: number; fault: ArmedFault } | null {
    let next: { offset: number; fault: ArmedFault } | null = null;
    for (const fault of this.#armed) {
      const offset = fault.byteOffset(direction, connection);
      if (offset === null || offset < count) continue;
      if (next === null || offset < next.offset) next = { offset, fault };
    }
    return next;
  }

  /** @internal */
  record(fault: ArmedFault, connection: number, command: string | null): void {
    fault.fired += 1;
    this.log.push({ fault, connection, command });
  }
}
