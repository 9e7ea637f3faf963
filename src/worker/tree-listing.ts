import { createHash } from 'node:crypto';
import type { StoreFolder, TreeMessage } from '../archive/store.ts';

/** The messages of a tree's folder under the UIDs they have there. */
export class TreeListing {
  /** Ascending by UID. */
  readonly uids: Uint32Array;
  readonly uidValidity: number;
  readonly #messages: readonly TreeMessage[];
  readonly #rowOf: ReadonlyMap<number, number>;

  private constructor(uids: Uint32Array, uidValidity: number, messages: readonly TreeMessage[]) {
    this.uids = uids;
    this.uidValidity = uidValidity;
    this.#messages = messages;
    this.#rowOf = new Map(Array.from(uids, (uid, row) => [uid, row]));
  }

  /**
   * All messages of a folder, to be read. `uidValidity`: of a tree that gives UIDs itself; `null`: it is another program's.
   * Messages that came by other means have no UID that would stay: then all of the folder are counted through, and a
   * UIDVALIDITY that changes with whatever is in it says that the numbers hold for this folder as it is.
   */
  static async forReading(folder: StoreFolder, uidValidity: number | null): Promise<TreeListing> {
    const messages = await folder.list();
    if (uidValidity !== null && messages.every(({ uid }) => uid !== null)) return ownListing(messages, uidValidity);
    const uids = Uint32Array.from(messages.keys(), (row) => row + 1);
    return new TreeListing(uids, fingerprint(messages), messages);
  }

  /** The messages that this program has put there: all that a target may know of. */
  static async forWriting(folder: StoreFolder, uidValidity: number): Promise<TreeListing> {
    const messages = await folder.list();
    return ownListing(
      messages.filter(({ uid }) => uid !== null),
      uidValidity,
    );
  }

  /** @internal */
  static of(uids: Uint32Array, uidValidity: number, messages: readonly TreeMessage[]): TreeListing {
    return new TreeListing(uids, uidValidity, messages);
  }

  /** Those of its messages that `keeps` says. */
  filter(keeps: (message: TreeMessage, uid: number) => boolean): TreeListing {
    const rows = [...this.#messages.keys()].filter((row) => {
      const message = this.#messages[row];
      return message !== undefined && keeps(message, this.uids[row] ?? 0);
    });
    if (rows.length === this.length) return this;
    const uids = Uint32Array.from(rows, (row) => this.uids[row] ?? 0);
    return new TreeListing(
      uids,
      this.uidValidity,
      rows.flatMap((row) => this.#messages[row] ?? []),
    );
  }

  get length(): number {
    return this.uids.length;
  }

  /** The UID that the next message gets. */
  get uidNext(): number {
    return (this.uids.at(-1) ?? 0) + 1;
  }

  find(uid: number): TreeMessage | null {
    const row = this.#rowOf.get(uid);
    return row === undefined ? null : (this.#messages[row] ?? null);
  }

  /** Bytes of a message, as far as can be told without reading it. */
  sizeOf(uid: number): number {
    const message = this.find(uid);
    if (message === null) return 0;
    // Mail packs to a third, about.
    return message.size ?? (/\.(?:gz|zst)$/i.test(message.file) ? 3 : 1) * message.length;
  }

  get totalBytes(): number {
    return this.uids.reduce((sum, uid) => sum + this.sizeOf(uid), 0);
  }
}

function ownListing(messages: readonly TreeMessage[], uidValidity: number): TreeListing {
  const sorted = [...messages].sort((a, b) => (a.uid ?? 0) - (b.uid ?? 0));
  return TreeListing.of(
    Uint32Array.from(sorted, ({ uid }) => uid ?? 0),
    uidValidity,
    sorted,
  );
}

/** A UIDVALIDITY (RFC 9051 2.3.1.1) for a folder as it is: 32 bits of what its messages are called and how long they are. */
function fingerprint(messages: readonly TreeMessage[]): number {
  const hash = createHash('sha256');
  // Maildir writes flags behind the name.
  for (const { file, offset, length } of messages)
    hash.update(`${file.replace(/:2,[^/]*$/, '')}\0${offset}\0${length}\n`);
  return (hash.digest().readUInt32BE(0) || 1) >>> 0;
}
