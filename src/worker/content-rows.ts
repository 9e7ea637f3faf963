import { type FetchData, internalDateToEpochMs, type Literal } from '../protocol/index.ts';
import type { FolderContents } from './contract.ts';
import { canonicalDigestOf, headerKeyOf } from './digest.ts';
import { headerBlockOf } from './header-block.ts';

/** Longest header block a key is computed from: real ones are a few KiB. */
const maxHeaderBytes = 1024 * 1024;
/** What a size column can hold: RFC822.SIZE is a claim and may be any number. */
const maxSize = 0xffff_ffff;

/** Collects FETCH responses of a verification into columns. Bodies are hashed and dropped at once. */
export class ContentRows {
  readonly #bodies: boolean;
  readonly #uids: number[] = [];
  readonly #sizes: number[] = [];
  readonly #dates: number[] = [];
  readonly #flags: number[] = [];
  readonly #flagSets = new Map<string, number>();
  readonly #headerKeys: Buffer[] = [];
  readonly #digests: Buffer[] = [];
  readonly #unreadable: number[] = [];
  readonly #seen = new Set<number>();

  constructor(bodies: boolean) {
    this.#bodies = bodies;
  }

  has(uid: number): boolean {
    return this.#seen.has(uid);
  }

  /** Takes one FETCH response; one without the section asked for (a flag update) is passed over. */
  add(data: FetchData): void {
    const { uid } = data;
    const section = this.#bodies ? data.body : firstSection(data);
    if (uid === undefined || section === undefined || this.#seen.has(uid)) return;
    if (section === null) {
      this.addUnreadable(uid);
      return;
    }
    this.#seen.add(uid);
    this.#uids.push(uid);
    this.#sizes.push(Math.min(data.size ?? section.size, maxSize));
    this.#dates.push(
      data.internalDate === undefined ? Number.NaN : (internalDateToEpochMs(data.internalDate) ?? Number.NaN),
    );
    this.#flags.push(this.#flagSet(data.flags ?? []));
    this.#headerKeys.push(headerKeyOf(headerBlockOf(section, maxHeaderBytes)));
    if (this.#bodies) this.#digests.push(canonicalDigestOf(section));
  }

  /** A message whose content is not to be had. */
  addUnreadable(uid: number): void {
    if (this.#seen.has(uid)) return;
    this.#seen.add(uid);
    this.#unreadable.push(uid);
  }

  #flagSet(flags: readonly string[]): number {
    const folded = new Set(flags.map((flag) => flag.toLowerCase()));
    folded.delete('\\recent');
    const key = [...folded].sort().join(' ');
    const known = this.#flagSets.get(key);
    if (known !== undefined) return known;
    this.#flagSets.set(key, this.#flagSets.size);
    return this.#flagSets.size - 1;
  }

  /** The columns, with what the rows themselves cannot tell. */
  contents(reading: Pick<FolderContents, 'complete' | 'unlisted'>): FolderContents {
    return {
      uids: Uint32Array.from(this.#uids),
      sizes: Uint32Array.from(this.#sizes),
      dates: Float64Array.from(this.#dates),
      flags: Uint32Array.from(this.#flags),
      flagSets: [...this.#flagSets.keys()],
      headerKeys: new Uint8Array(Buffer.concat(this.#headerKeys)),
      digests: this.#bodies ? new Uint8Array(Buffer.concat(this.#digests)) : null,
      unreadable: Uint32Array.from(this.#unreadable),
      ...reading,
    };
  }
}

function firstSection(data: FetchData): Literal | null | undefined {
  return data.sections?.values().next().value;
}
