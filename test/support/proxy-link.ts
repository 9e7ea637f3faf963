/** The outgoing end of one direction of a proxied connection: a socket with faults in front of it. */
import type { Socket } from 'node:net';
import type { ByteFault } from './proxy-faults.ts';

export interface LinkFaults {
  /** Every byte is held back this long. */
  readonly delayMs?: number;
  /** After exactly this many bytes, counted from `count` on, the connection is cut; the bytes before still arrive. */
  readonly cutAfterBytes?: number;
  /** Called when the cut is due, once these bytes have left. */
  readonly onCut?: () => void;
  /** Told of bytes that are about to pass; answers how many do before something happens, and what that is. */
  readonly pass: (bytes: number) => { readonly ahead: number; readonly fault: ByteFault | null };
  /** Nothing is to pass in either direction, for so long or for ever. */
  readonly onStall: (delayMs: number | undefined) => void;
  /** Both sides are to be hung up on. */
  readonly onHangUp: () => void;
}

/** Slow bytes arrive in so many pieces a second. */
const piecesPerSecond = 20;

export class Link {
  readonly #socket: Socket;
  readonly #faults: LinkFaults;
  #counting = false;
  #sent = 0;
  /** Nothing is written any more. */
  #cut = false;
  /** What waits for `release`; `null`: nothing has to. */
  #held: (() => void)[] | null = null;
  /** Bytes that are still to be slow. */
  #slow = { bytes: 0, bytesPerSecond: 0 };
  /** Slow bytes, and what waits behind them. */
  readonly #paced: { readonly act: () => void; readonly isSlow: boolean }[] = [];

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
    const { ahead, fault } = this.#faults.pass(chunk.length);
    if (fault === null) return this.#pass(chunk);
    this.#pass(chunk.subarray(0, ahead));
    return this.write(this.#strike(fault, chunk.subarray(ahead)));
  }

  /** Calls back as soon as more may be written, or nobody is there any more to read it. */
  onDrain(resume: () => void): void {
    this.#socket.once('drain', resume).once('close', resume);
  }

  /** Closes after what was written has arrived. */
  end(): void {
    if (this.#held !== null) {
      this.#held.push(() => this.end());
      return;
    }
    this.#afterDelay(() => this.#socket.end());
    this.#cut = true;
  }

  /** Answers what is left to be written. */
  #strike({ action }: ByteFault, rest: Buffer): Buffer {
    switch (action.kind) {
      case 'cut':
        this.#cut = true;
        this.#inTurn(() => this.#socket.write('', () => this.#faults.onHangUp()));
        return rest;
      case 'stall':
        this.#faults.onStall(action.delayMs);
        return rest;
      case 'throttle':
        this.#slow = { ...action };
        return rest;
      case 'corrupt': {
        const changed = Buffer.from(rest);
        changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
        return changed;
      }
      default:
        return action satisfies never;
    }
  }

  #pass(chunk: Buffer): boolean {
    if (!this.#counting) return this.#deliver(chunk);
    const allowed = (this.#faults.cutAfterBytes ?? Number.POSITIVE_INFINITY) - this.#sent;
    const passed = chunk.length < allowed ? chunk : chunk.subarray(0, allowed);
    this.#sent += passed.length;
    this.#cut ||= chunk.length >= allowed;
    return this.#deliver(passed);
  }

  #deliver(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    const finished = this.#cut ? () => this.#faults.onCut?.() : undefined;
    const slow = bytes.subarray(0, this.#slow.bytes);
    const pieceBytes = Math.ceil(this.#slow.bytesPerSecond / piecesPerSecond);
    this.#slow.bytes -= slow.length;
    for (let at = 0; at < slow.length; at += pieceBytes) {
      this.#pace(() => this.#socket.write(slow.subarray(at, at + pieceBytes)));
    }
    const fast = bytes.subarray(slow.length);
    if (this.#paced.length === 0 && this.#faults.delayMs === undefined) return this.#socket.write(fast, finished);
    this.#afterDelay(() => this.#socket.write(fast, finished));
    return true;
  }

  /** Equal delays keep the order. */
  #afterDelay(action: () => void): void {
    if (this.#faults.delayMs === undefined) this.#inTurn(action);
    else setTimeout(() => this.#inTurn(action), this.#faults.delayMs);
  }

  /** Behind what is slow. */
  #inTurn(act: () => void): void {
    if (this.#paced.length > 0) this.#paced.push({ act, isSlow: false });
    else if (!this.#socket.destroyed) act();
  }

  #pace(act: () => void): void {
    this.#paced.push({ act, isSlow: true });
    if (this.#paced.length === 1) this.#keepPace();
  }

  #keepPace(): void {
    setTimeout(() => {
      if (this.#socket.destroyed) this.#paced.length = 0;
      do this.#paced.shift()?.act();
      while (this.#paced[0]?.isSlow === false);
      if (this.#paced.length > 0) this.#keepPace();
    }, 1000 / piecesPerSecond);
  }
}
