import type { StoreFolder, TreeMessage } from '../archive/store.ts';
import { TreeError } from '../archive/tree-error.ts';
import { dateToInternalDate, type Literal } from '../protocol/index.ts';
import { ContentRows } from './content-rows.ts';
import type { FlagTable, FolderContents, InspectTask, SelectedFacts } from './contract.ts';
import type { Fetched, ListedMessages, Message, NoMessage, OpenBody, ReadableFolder } from './endpoint.ts';
import { FlagRows } from './flag-rows.ts';
import { headerBlockOf } from './header-block.ts';
import type { TreeListing } from './tree-listing.ts';
import type { FolderRecords } from './tree-records.ts';

/** Messages in one window of a listing. */
const scanWindow = 5_000;
/** A message that turns out to be bigger is asked for again by itself. */
const maxHeldBytes = 32 * 1024 * 1024;
const maxHeaderBytes = 1024 * 1024;
/** Between so many files others have their turn. */
const filesAtOnce = 64;

/** A folder of a tree, to be read. */
export class TreeReader implements ReadableFolder {
  readonly keepsUids = true;
  readonly unchanged = 0;
  readonly #folder: StoreFolder;
  readonly #listing: TreeListing;
  readonly #records: FolderRecords;

  constructor(folder: StoreFolder, listing: TreeListing, records: FolderRecords) {
    this.#folder = folder;
    this.#listing = listing;
    this.#records = records;
  }

  get facts(): SelectedFacts {
    return factsOf(this.#listing);
  }

  async *scan(): AsyncIterable<ListedMessages> {
    const { uids } = this.#listing;
    for (let start = 0; start < uids.length; start += scanWindow) {
      const window = uids.slice(start, start + scanWindow);
      yield { uids: window, sizes: window.map((uid) => this.#listing.sizeOf(uid)) };
    }
  }

  unlisted(): number {
    return 0;
  }

  async fetch(uids: Uint32Array): Promise<Fetched[]> {
    return await this.#collect(uids, async (uid, message) => {
      if (message.length > maxHeldBytes) return { kind: 'oversize', uid, size: message.size ?? message.length };
      return this.#toMessage(message, uid, literalOf(await this.#folder.read(message)));
    });
  }

  async describe(uids: Uint32Array): Promise<Fetched[]> {
    return await this.#collect(uids, async (uid, message) => {
      return this.#toMessage(message, uid, { size: this.#listing.sizeOf(uid), chunks: [] });
    });
  }

  async #collect(uids: Uint32Array, read: (uid: number, message: TreeMessage) => Promise<Fetched>): Promise<Fetched[]> {
    const found: Fetched[] = [];
    for (const uid of uids) {
      const message = this.#listing.find(uid);
      found.push(
        message === null ? { kind: 'gone', uid } : await read(uid, message).catch((error) => missing(uid, error)),
      );
    }
    return found;
  }

  #toMessage(message: TreeMessage, uid: number, body: Literal): Fetched {
    const internalDate = this.#internalDateOf(message, uid);
    const fetched: Message = { uid, flags: this.#flagsOf(message, uid), internalDate, body };
    return { kind: 'message', message: fetched };
  }

  /** What other programs have changed in the tree counts, as far as its format can tell; the rest is in the manifest. */
  #flagsOf(message: TreeMessage, uid: number): readonly string[] {
    return mergeFlags(message.flags, this.#records.find(uid)?.flags ?? []);
  }

  #internalDateOf({ dateMs }: TreeMessage, uid: number): string | null {
    const known = this.#records.find(uid)?.internalDate ?? null;
    if (known !== null) return known;
    return Number.isNaN(dateMs) ? null : dateToInternalDate(new Date(dateMs));
  }

  async openBody(uid: number): Promise<OpenBody | NoMessage> {
    const message = this.#listing.find(uid);
    if (message === null) return { kind: 'gone', uid };
    try {
      const { size, slices } = await this.#folder.open(message);
      return { kind: 'body', size, slices, drop: () => {} };
    } catch (error) {
      return missing(uid, error);
    }
  }

  /** The flags of all its messages. */
  flags(): FlagTable {
    const rows = new FlagRows();
    for (const uid of this.#listing.uids) {
      const message = this.#listing.find(uid);
      if (message !== null) rows.add({ uid, flags: this.#flagsOf(message, uid) });
    }
    return { uidValidity: this.#listing.uidValidity, highestModSeq: null, ...rows.columns() };
  }

  async inspect(
    { bodies, uids, fromUid }: Pick<InspectTask, 'bodies' | 'uids' | 'fromUid'>,
    shouldStop: () => boolean = () => false,
  ): Promise<FolderContents> {
    const rows = new ContentRows(bodies);
    const wanted = uids ?? this.#listing.uids.filter((uid) => uid >= fromUid);
    let complete = true;
    for (const [index, uid] of wanted.entries()) {
      if (index % filesAtOnce === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (shouldStop()) {
        complete = false;
        break;
      }
      const message = this.#listing.find(uid);
      if (message === null) continue;
      await this.#inspectOne(rows, bodies, message, uid).catch((error: unknown) => {
        if (missing(uid, error).kind === 'unreadable') rows.addUnreadable(uid);
      });
    }
    return rows.contents({ complete, unlisted: 0 });
  }

  async #inspectOne(rows: ContentRows, bodies: boolean, message: TreeMessage, uid: number): Promise<void> {
    const internalDate = this.#internalDateOf(message, uid) ?? undefined;
    const facts = { seq: 0, uid, flags: this.#flagsOf(message, uid), internalDate };
    if (message.length <= maxHeldBytes) {
      const body = literalOf(await this.#folder.read(message));
      if (bodies) rows.add({ ...facts, size: body.size, body });
      else rows.add({ ...facts, size: body.size, sections: new Map([['HEADER', headerOf(body)]]) });
      return;
    }
    const { size, slices } = await this.#folder.open(message);
    const receiver = rows.receive(facts);
    const front: Buffer[] = [];
    let bytes = 0;
    for await (const slice of slices) {
      receiver?.write(slice);
      if (bytes < maxHeaderBytes) front.push(slice);
      bytes += slice.length;
      if (receiver === null && bytes >= maxHeaderBytes) break;
    }
    receiver?.end();
    const body = literalOf(front);
    if (bodies) rows.add({ ...facts, size, body });
    else rows.add({ ...facts, size, sections: new Map([['HEADER', headerOf(body)]]) });
  }

  async close(): Promise<void> {
    await this.#folder.close();
  }
}

export function factsOf(listing: TreeListing): SelectedFacts {
  const { uidValidity, uidNext, length } = listing;
  return { uidValidity, uidNext, exists: length, highestModSeq: null };
}

/** Flags that the format keeps: for all others the manifest knows better. */
const keptByFiles = /^\\(?:seen|answered|flagged|deleted|draft)$/i;

/** `inFile: null`: the format keeps none. */
function mergeFlags(inFile: readonly string[] | null, known: readonly string[]): readonly string[] {
  if (inFile === null) return known;
  const folded = new Set(inFile.map((flag) => flag.toLowerCase()));
  return [...inFile, ...known.filter((flag) => !keptByFiles.test(flag) && !folded.has(flag.toLowerCase()))];
}

function literalOf(chunks: readonly Buffer[]): Literal {
  return { size: chunks.reduce((sum, chunk) => sum + chunk.length, 0), chunks };
}

function headerOf(body: Literal): Literal {
  const header = headerBlockOf(body, maxHeaderBytes);
  return { size: header.length, chunks: [header] };
}

/** Why a message cannot be had. @throws whatever is wrong with more than this message */
function missing(uid: number, error: unknown): NoMessage {
  if (!(error instanceof TreeError)) throw error;
  if (error.code === 'GONE') return { kind: 'gone', uid };
  if (error.code !== 'UNREADABLE') throw error;
  return { kind: 'unreadable', uid, text: error.message };
}
