import { selectMissing } from '../plan/select.ts';
import { type FetchData, internalDateToEpochMs, type Literal, type LiteralReceiver } from '../protocol/index.ts';
import {
  type ContentColumns,
  digestBytes,
  growColumns,
  headerKeyBytes,
  makeColumns,
  settleColumns,
} from './content-columns.ts';
import type { FolderContents } from './contract.ts';
import { CanonicalLines, canonicalDigestOf, headerKeyOf } from './digest.ts';
import { headerBlockOf } from './header-block.ts';

/** Longest header block a key is computed from: real ones are a few KiB. */
const maxHeaderBytes = 1024 * 1024;
/** What a size column can hold: RFC822.SIZE is a claim and may be any number. */
const maxSize = 0xffff_ffff;
const initialRows = 256;

const noFlags: readonly string[] = [];

/** A big body, hashed while it comes; only what may be its header is kept. */
interface Arriving {
  readonly uid: number;
  readonly lines: CanonicalLines;
  readonly front: { size: number; readonly chunks: Buffer[] };
}

/** Collects FETCH responses of a verification into columns. Bodies are hashed and dropped at once. */
export class ContentRows {
  readonly #bodies: boolean;
  #columns: ContentColumns;
  #rows = 0;
  readonly #flagSets = new Map<string, number>();
  /** The flags of the row before, and their set. */
  #lastFlags: { readonly flags: readonly string[]; readonly index: number } | null = null;
  readonly #unreadable: number[] = [];
  #arriving: Arriving | null = null;

  constructor(bodies: boolean) {
    this.#bodies = bodies;
    this.#columns = makeColumns(initialRows, { digests: bodies });
  }

  /** Takes a big body as it comes; `add` follows with the rest of its message. */
  receive({ uid }: FetchData): LiteralReceiver | null {
    if (uid === undefined || !this.#bodies) return null;
    const front = { size: 0, chunks: [] as Buffer[] };
    const lines = new CanonicalLines();
    this.#arriving = { uid, lines, front };
    return {
      write(slice) {
        lines.add(slice);
        if (front.size >= maxHeaderBytes) return;
        front.size += slice.length;
        front.chunks.push(slice);
      },
      end: () => {},
    };
  }

  /** Takes one FETCH response. False: it lacks the section asked for (a flag update), and is passed over. */
  add(data: FetchData): boolean {
    const { uid } = data;
    const section = this.#bodies ? data.body : firstSection(data);
    if (uid === undefined || section === undefined) return false;
    if (section === null) {
      this.addUnreadable(uid);
      return true;
    }
    const arrived = this.#arriving?.uid === uid ? this.#arriving : null;
    this.#arriving = null;
    const row = this.#rows++;
    if (row === this.#columns.uids.length) this.#columns = growColumns(this.#columns, 2 * row);
    const { uids, sizes, dates, flags, headerKeys, digests } = this.#columns;
    uids[row] = uid;
    sizes[row] = Math.min(data.size ?? section.size, maxSize);
    dates[row] = (data.internalDate === undefined ? null : internalDateToEpochMs(data.internalDate)) ?? Number.NaN;
    flags[row] = this.#flagSet(data.flags ?? noFlags);
    const headerKey = headerKeyOf(headerBlockOf(arrived?.front ?? section, maxHeaderBytes));
    headerKeys.set(headerKey.subarray(0, headerKeyBytes), row * headerKeyBytes);
    digests?.set(arrived?.lines.digest() ?? canonicalDigestOf(section), row * digestBytes);
    return true;
  }

  /** A message whose content is not to be had. */
  addUnreadable(uid: number): void {
    this.#unreadable.push(uid);
  }

  #flagSet(flags: readonly string[]): number {
    // Neighbours mostly have the same flags, and then the parser gives out one and the same list.
    if (this.#lastFlags?.flags !== flags) this.#lastFlags = { flags, index: this.#indexOf(flags) };
    return this.#lastFlags.index;
  }

  #indexOf(flags: readonly string[]): number {
    const folded = new Set(flags.map((flag) => flag.toLowerCase()));
    folded.delete('\\recent');
    const key = [...folded].sort().join(' ');
    const known = this.#flagSets.get(key);
    if (known !== undefined) return known;
    this.#flagSets.set(key, this.#flagSets.size);
    return this.#flagSets.size - 1;
  }

  /** The columns, with what the rows themselves cannot tell. Each message once, ascending by UID: the first answer counts. */
  contents(reading: Pick<FolderContents, 'complete' | 'unlisted'>): FolderContents {
    const columns = settleColumns(this.#columns, this.#rows);
    const silent = Uint32Array.from(new Set(this.#unreadable)).sort();
    const unreadable = selectMissing(silent, columns.uids).map((row) => silent[row] ?? 0);
    return { ...columns, flagSets: [...this.#flagSets.keys()], unreadable, ...reading };
  }
}

function firstSection(data: FetchData): Literal | null | undefined {
  return data.sections?.values().next().value;
}

/** The memory of the columns, to be handed over to another thread. */
export function buffersOf(contents: FolderContents): ArrayBuffer[] {
  const { uids, sizes, dates, flags, headerKeys, digests, unreadable } = contents;
  const buffers = [uids, sizes, dates, flags, headerKeys, digests, unreadable].map((column) => column?.buffer);
  return buffers.filter((buffer) => buffer instanceof ArrayBuffer);
}
