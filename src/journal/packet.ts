/**
 * Records on their way to the writer's thread. The rows of big records travel as columns that are handed over, not cloned:
 * an object costs microseconds per thread, and a digest that is a view would drag its whole buffer along.
 */

import { type Intent, type JournalRecord, type OpenedFolder, type Verdict, verdictKinds } from './types.ts';

/** What one commit does: records, and folders to be opened. */
export type Entry = JournalRecord | { readonly kind: 'open'; readonly folder: OpenedFolder };

type RowKind = 'intents' | 'verdicts' | 'dropped' | 'flags';
type RowEntry = Extract<Entry, { kind: RowKind }>;
type PlainEntry = Exclude<Entry, { kind: RowKind }>;

/** An entry whose `count` rows stand in the packet's columns. */
interface PackedEntry {
  readonly kind: RowKind;
  readonly folderId: number;
  readonly count: number;
  readonly fence?: number;
  readonly modSeq?: string | null;
}

export interface Packet {
  readonly entries: readonly (PlainEntry | PackedEntry)[];
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly strings: readonly string[];
}

export const digestBytes = 32;

/** Numbers per row. */
const widths = { intents: 8, verdicts: 6, dropped: 1, flags: 2 } as const;

/** How many rows an entry stands for. */
export function rowsOf(entry: Entry): number {
  switch (entry.kind) {
    case 'intents':
      return entry.intents.length;
    case 'verdicts':
      return entry.verdicts.length;
    case 'dropped':
      return entry.uids.length;
    case 'flags':
      return entry.flags.length;
    default:
      return 0;
  }
}

function isRowEntry(entry: Entry): entry is RowEntry {
  return entry.kind in widths;
}

/** Packs entries; what they hold may change afterwards. */
export function packEntries(entries: readonly Entry[]): Packet {
  let numbers = 0;
  let digests = 0;
  for (const entry of entries) {
    if (!isRowEntry(entry)) continue;
    numbers += rowsOf(entry) * widths[entry.kind];
    if (entry.kind === 'intents') digests += countDigests(entry.intents);
    if (entry.kind === 'verdicts') digests += countDigests(entry.verdicts);
  }
  const packer = new Packer(numbers, digests);
  const packed = entries.map((entry) => (isRowEntry(entry) ? packer.pack(entry) : entry));
  return { entries: packed, numbers: packer.numbers, digests: packer.digests, strings: packer.strings };
}

/** The buffers of a packet, to be handed over to another thread. */
export function buffersOf(packet: Packet): ArrayBuffer[] {
  return [packet.numbers.buffer, packet.digests.buffer];
}

/** The entries of a packet; digests are views of it. */
export function unpackEntries(packet: Packet): Entry[] {
  const unpacker = new Unpacker(packet);
  return packet.entries.map((entry) => ('count' in entry ? unpacker.unpack(entry) : entry));
}

function countDigests(rows: readonly { readonly digest: Uint8Array | null }[]): number {
  return rows.reduce((count, { digest }) => (digest === null ? count : count + 1), 0);
}

const none = -1;

class Packer {
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly strings: string[] = [];
  readonly #indexOf = new Map<string, number>();
  #at = 0;
  #digestAt = 0;

  constructor(numbers: number, digests: number) {
    this.numbers = new Float64Array(numbers);
    this.digests = new Uint8Array(digests * digestBytes);
  }

  pack(entry: RowEntry): PackedEntry {
    const head = { kind: entry.kind, folderId: entry.folderId, count: rowsOf(entry) };
    switch (entry.kind) {
      case 'intents':
        for (const intent of entry.intents) {
          this.#put(intent.uid, intent.batch, intent.fence ?? none, intent.targetUidValidity ?? none, intent.size);
          this.#put(this.#digest(intent.digest), this.#string(intent.internalDate), this.#string(intent.flags));
        }
        return head;
      case 'verdicts':
        for (const verdict of entry.verdicts) {
          this.#put(verdict.uid, verdictKinds.indexOf(verdict.kind), verdict.targetUid ?? none, verdict.size ?? none);
          this.#put(this.#digest(verdict.digest), this.#string(verdict.flags));
        }
        return entry.fence === undefined ? head : { ...head, fence: entry.fence };
      case 'dropped':
        for (const uid of entry.uids) this.#put(uid);
        return head;
      case 'flags':
        for (const { uid, flags } of entry.flags) this.#put(uid, this.#string(flags));
        return { ...head, modSeq: entry.modSeq };
      default:
        return entry satisfies never;
    }
  }

  #put(...values: readonly number[]): void {
    for (const value of values) this.numbers[this.#at++] = value;
  }

  #digest(digest: Uint8Array | null): number {
    if (digest === null) return none;
    this.digests.set(digest, this.#digestAt * digestBytes);
    return this.#digestAt++;
  }

  #string(text: string | null): number {
    if (text === null) return none;
    let index = this.#indexOf.get(text);
    if (index === undefined) {
      index = this.strings.push(text) - 1;
      this.#indexOf.set(text, index);
    }
    return index;
  }
}

class Unpacker {
  readonly #packet: Packet;
  #at = 0;

  constructor(packet: Packet) {
    this.#packet = packet;
  }

  unpack(entry: PackedEntry): RowEntry {
    const { kind, folderId, count, fence } = entry;
    const rows = { length: count };
    switch (kind) {
      case 'intents':
        return { kind, folderId, intents: Array.from(rows, () => this.#intent()) };
      case 'verdicts': {
        const verdicts = Array.from(rows, () => this.#verdict());
        return fence === undefined ? { kind, folderId, verdicts } : { kind, folderId, verdicts, fence };
      }
      case 'dropped':
        return { kind, folderId, uids: Array.from(rows, () => this.#next()) };
      case 'flags': {
        const flags = Array.from(rows, () => ({ uid: this.#next(), flags: this.#string() ?? '' }));
        return { kind, folderId, flags, modSeq: entry.modSeq ?? null };
      }
      default:
        return kind satisfies never;
    }
  }

  // The order of the properties is the order of the columns.
  #intent(): Intent {
    return {
      uid: this.#next(),
      batch: this.#next(),
      fence: this.#optional(),
      targetUidValidity: this.#optional(),
      size: this.#next(),
      digest: this.#digest(),
      internalDate: this.#string(),
      flags: this.#string() ?? '',
    };
  }

  #verdict(): Verdict {
    return {
      uid: this.#next(),
      kind: verdictKinds[this.#next()] ?? 'gone',
      targetUid: this.#optional(),
      size: this.#optional(),
      digest: this.#digest(),
      flags: this.#string() ?? '',
    };
  }

  #next(): number {
    return this.#packet.numbers[this.#at++] ?? 0;
  }

  #optional(): number | null {
    const value = this.#next();
    return value === none ? null : value;
  }

  #digest(): Uint8Array | null {
    const index = this.#next();
    return index === none ? null : this.#packet.digests.subarray(index * digestBytes, (index + 1) * digestBytes);
  }

  #string(): string | null {
    const index = this.#next();
    return index === none ? null : (this.#packet.strings[index] ?? null);
  }
}
