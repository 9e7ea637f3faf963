import { systemClock } from '../clock.ts';
import type { Clock } from '../protocol/types.ts';
import { ByteGates } from './byte-gates.ts';
import type { ArmedFault, FaultAction, SandboxFaults } from './faults.ts';
import { InputBuffer } from './input.ts';
import { OutputBuffer } from './output.ts';

/** What a session needs from the wire it hangs on. */
export interface SessionHost {
  /** Takes output in order; the buffers never change afterwards. `false`: wait for `session.drained()` before making more. */
  send(parts: readonly Buffer[]): boolean | undefined;
  /** The server ends the connection; `reset`: as if it had died. */
  end(reset: boolean): void;
  /** Starts TLS on the wire, then calls `session.tlsStarted()`. Absent: STARTTLS is not offered. */
  startTls?(): void;
  /** The session reads again after `receive` returned false. */
  resume?(): void;
}

/** What a channel tells its session. */
export interface ChannelOwner {
  /** There may be work: input, room for output, or a hold that ended. */
  work(): void;
  /** The connection is over, whoever ended it. Called once. */
  over(): void;
}

/** Input kept while nothing may be read; beyond it `receive` asks the wire to wait. */
const heldInputBytes = 1 << 20;

/** The byte side of a session: buffers in both directions, back-pressure, and the faults that strike at a byte. */
export class Channel {
  readonly input = new InputBuffer();
  readonly gates: ByteGates;
  readonly #output = new OutputBuffer();
  readonly #host: SessionHost;
  readonly #owner: ChannelOwner;
  readonly #faults: SandboxFaults;
  readonly #number: number;
  readonly #clock: Clock;
  #writable = true;
  #holds = 0;
  #hostWaits = false;
  #flushing = false;
  #closing = false;
  #ended = false;
  /** The wire is gone, and what arrived before is still to be done when a hold ends. */
  #orphaned = false;
  #startingTls = false;

  constructor(
    host: SessionHost,
    owner: ChannelOwner,
    faults: SandboxFaults,
    number: number,
    clock: Clock = systemClock,
  ) {
    this.#host = host;
    this.#owner = owner;
    this.#faults = faults;
    this.#number = number;
    this.#clock = clock;
    this.gates = new ByteGates(faults, number);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** No command may be read or run now. */
  get blocked(): boolean {
    return this.#ended || this.#closing || this.#holds > 0;
  }

  /** The connection ends, or will when the output has left. */
  get closing(): boolean {
    return this.#ended || this.#closing;
  }

  /** The wire takes more output. */
  get writable(): boolean {
    return this.#writable;
  }

  get queuedOutput(): number {
    return this.#output.length;
  }

  get canStartTls(): boolean {
    return this.#host.startTls !== undefined;
  }

  /** Takes bytes from the wire; false: enough, wait for `host.resume`. Nothing is lost when it does not wait. */
  receive(bytes: Buffer): boolean {
    let rest = bytes;
    while (!this.#ended) {
      const gate = this.gates.next('in', rest.length);
      if (gate === null) break;
      this.input.push(rest.subarray(0, gate.bytes));
      rest = rest.subarray(gate.bytes);
      this.#owner.work();
      this.flush();
      this.strike(gate.fault, null);
    }
    if (this.#ended) return true;
    this.gates.count('in', rest.length);
    this.input.push(rest);
    this.#owner.work();
    this.#hostWaits = !this.#ended && this.input.length >= heldInputBytes;
    return !this.#hostWaits;
  }

  drained(): void {
    this.#writable = true;
    this.#work();
  }

  /**
   * The wire is gone. A session that a fault holds does not notice: once released it does what it had received, as a slow
   * server stores mail whose sender has long hung up.
   */
  closed(): void {
    if (this.#ended) return;
    this.#orphaned = true;
    this.#writable = true;
    if (this.#holds > 0 && !this.#startingTls) return;
    this.#ended = true;
    this.#owner.over();
  }

  /** Adds text to the output, one latin1 character per byte. */
  text(text: string): void {
    if (!this.closing) this.#output.text(text);
  }

  octets(octets: Buffer): void {
    if (!this.closing) this.#output.octets(octets);
  }

  /** Says BYE; the connection ends when the output has left. What is written later is not sent. */
  bye(text: string): void {
    if (this.closing) return;
    this.text(`* BYE ${text}\r\n`);
    this.#closing = true;
  }

  /** Ends the connection when the output has left. */
  closeAfterOutput(): void {
    this.#closing = true;
  }

  /** Nothing is read or sent until the returned function is called. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      this.#work();
    };
  }

  /** Throws unread input away and hands the wire to TLS. `tlsStarted` must follow. */
  startTls(whenStarted: (release: () => void) => void): void {
    this.flush();
    this.input.clear();
    this.#startingTls = true;
    const release = this.hold();
    whenStarted(() => {
      this.#startingTls = false;
      release();
    });
    this.#host.startTls?.();
  }

  /** Hands output to the wire, up to the byte at which a fault strikes. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (!this.#ended && this.#holds === 0) {
        const gate = this.gates.next('out', this.#output.length);
        if (gate === null) break;
        this.#send(this.#output.take(gate.bytes));
        this.strike(gate.fault, null);
      }
      if (this.#ended || this.#holds > 0) return;
      this.gates.count('out', this.#output.length);
      this.#send(this.#output.take(this.#output.length));
    } finally {
      this.#flushing = false;
    }
    if (this.#closing) this.#end(false);
  }

  /** Lets a fault that concerns the connection happen, and records it. */
  strike(fault: ArmedFault, command: string | null): void {
    this.#faults.record(fault, this.#number, command);
    const action: FaultAction = fault.action;
    if (action.kind === 'cut') {
      this.#end(action.reset !== false);
    } else if (action.kind === 'stall') {
      fault.whenReleased(this.hold());
    } else if (action.kind === 'delay') {
      this.#clock.after(action.delayMs, this.hold());
    } else if (action.kind === 'bye') {
      // After a byte fault the rest of the answer is lost: the BYE comes in the middle of it.
      this.#output.clear();
      this.bye(action.text);
    } else if (action.kind === 'run') {
      action.run();
    }
  }

  #work(): void {
    if (this.#ended) return;
    this.#owner.work();
    if (this.#orphaned) this.closed();
    if (this.#hostWaits && !this.#orphaned && this.input.length < heldInputBytes) {
      this.#hostWaits = false;
      this.#host.resume?.();
    }
  }

  #send(parts: readonly Buffer[]): void {
    if (parts.length > 0 && !this.#orphaned && this.#host.send(parts) === false) this.#writable = false;
  }

  #end(reset: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.over();
    if (!this.#orphaned) this.#host.end(reset);
  }
}
