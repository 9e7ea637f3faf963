import type { ArmedFault, SandboxFaults } from './faults.ts';

type Direction = 'in' | 'out';

/** Where a connection's bytes stop for a fault: offsets known beforehand, and those a running command sets for itself. */
export class ByteGates {
  readonly #faults: SandboxFaults;
  readonly #connection: number;
  readonly #counts = { in: 0, out: 0 };
  #own: { readonly direction: Direction; readonly offset: number; readonly fault: ArmedFault }[] = [];

  constructor(faults: SandboxFaults, connection: number) {
    this.#faults = faults;
    this.#connection = connection;
  }

  /** Sets a gate so many bytes from here. */
  set(direction: Direction, bytesFromHere: number, fault: ArmedFault): void {
    this.#own.push({ direction, offset: this.#counts[direction] + bytesFromHere, fault });
  }

  /** Takes back a fault's gate that was not reached. */
  unset(fault: ArmedFault): void {
    this.#own = this.#own.filter((gate) => gate.fault !== fault);
  }

  /** Counts bytes that met no gate. */
  count(direction: Direction, bytes: number): void {
    this.#counts[direction] += bytes;
  }

  /** The first gate within the next `available` bytes: how many bytes may pass before its fault strikes. They are counted. */
  next(direction: Direction, available: number): { bytes: number; fault: ArmedFault } | null {
    const count = this.#counts[direction];
    let nearest = this.#faults.nextByteFault(direction, this.#connection, count);
    for (const gate of this.#own) {
      if (gate.direction === direction && (nearest === null || gate.offset < nearest.offset)) nearest = gate;
    }
    if (nearest === null || nearest.offset > count + available) return null;
    const { offset, fault } = nearest;
    this.unset(fault);
    this.#counts[direction] = offset;
    return { bytes: offset - count, fault };
  }
}
