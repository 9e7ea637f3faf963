/** The outgoing end of one direction of a proxied connection: a socket with faults in front of it. */
import type { Socket } from 'node:net';

export interface LinkFaults {
  /** Every byte is held back this long. */
  readonly delayMs?: number;
  /** After exactly this many bytes, counted from `count` on, the connection is cut; the bytes before still arrive. */
  readonly cutAfterBytes?: number;
  /** Called when the cut is due, once these bytes have left. */
  readonly onCut?: () => void;
}

export class Link {
  readonly #socket: Socket;
  readonly #faults: LinkFaults;
  #counting = false;
  #sent = 0;
  #cut = false;
  /** What waits for `release`; `null`: nothing has to. */
  #held: (() => void)[] | null = null;

  constructor(socket: Socket, faults: LinkFaults) {
    this.#socket = socket;
    this.#faults = faults;
  }

  /** Bytes passed on since `count`. */
  get sent(): number {
    return this.#sent;
  }

  /** From here on bytes count. */
  count(): void {
    this.#counting = true;
  }

  /** From here on nothing is passed on, the end included, before `release`. */
  hold(): void {
    this.#held ??= [];
  }

  get held(): boolean {
    return this.#held !== null;
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const act of held) act();
  }

  /** False: the receiver is slow, stop reading from the other side until `onDrain`. */
  write(bytes: Buffer | string): boolean {
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    if (this.#cut || this.#socket.destroyed || chunk.length === 0) return true;
    if (this.#held !== null) {
      this.#held.push(() => this.write(chunk));
      return true;
    }
    if (!this.#counting) return this.#deliver(chunk);
    const allowed = (this.#faults.cutAfterBytes ?? Number.POSITIVE_INFINITY) - this.#sent;
    const passed = chunk.length < allowed ? chunk : chunk.subarray(0, allowed);
    this.#sent += passed.length;
    this.#cut = chunk.length >= allowed;
    return this.#deliver(passed);
  }

  /** Calls back as soon as more may be written, or nobody is there any more to read it. */
  onDrain(resume: () => void): void {
    this.#socket.once('drain', resume).once('close', resume);
  }

  /** Closes after what was written has arrived. */
  end(): void {
    if (this.#held !== null) this.#held.push(() => this.end());
    else this.#afterDelay(() => this.#socket.end());
  }

  #deliver(bytes: Buffer): boolean {
    const finished = this.#cut ? () => this.#faults.onCut?.() : undefined;
    if (this.#faults.delayMs === undefined) return this.#socket.write(bytes, finished);
    this.#afterDelay(() => this.#socket.write(bytes, finished));
    return true;
  }

  /** Equal delays keep the order. */
  #afterDelay(action: () => void): void {
    if (this.#faults.delayMs === undefined) action();
    else {
      setTimeout(() => {
        if (!this.#socket.destroyed) action();
      }, this.#faults.delayMs);
    }
  }
}
