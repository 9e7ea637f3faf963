/** Folders open on a lane at once, at most: more would only be begun earlier, not done earlier. */
const maxFolders = 32;

/**
 * What a lane has taken on and not asked the source for yet. It can take another folder as long as that is little: so the next
 * one is opened and listed while this one is on its way.
 */
export class Backlog {
  readonly #limitBytes: () => number;
  readonly #onRoom: (folderId: number) => void;
  /** Bytes not asked for, by folder. */
  readonly #left = new Map<number, number>();
  /** Folders whose room has not been offered to another one. */
  readonly #owed: number[] = [];

  /** `onRoom` is called once for each folder taken, at the latest when it is done. */
  constructor(limitBytes: () => number, onRoom: (folderId: number) => void) {
    this.#limitBytes = limitBytes;
    this.#onRoom = onRoom;
  }

  /** A folder with so many bytes to copy, as far as is known. Infinity: nothing else is to be begun before it is done. */
  take(folderId: number, bytes: number): void {
    this.#left.set(folderId, bytes);
    this.#owed.push(folderId);
    this.#offer();
  }

  /** It is known by now how much there is to copy. */
  expect(folderId: number, bytes: number): void {
    if (this.#left.has(folderId)) this.#left.set(folderId, bytes);
    this.#offer();
  }

  /** So many bytes have been asked for. */
  asked(folderId: number, bytes: number): void {
    this.expect(folderId, Math.max(0, (this.#left.get(folderId) ?? 0) - bytes));
  }

  /** The folder needs the source no more. */
  done(folderId: number): void {
    this.#left.delete(folderId);
    this.#offer();
  }

  #offer(): void {
    while (this.#owed.length > 0 && this.#hasRoom()) this.#onRoom(this.#owed.shift() ?? 0);
  }

  #hasRoom(): boolean {
    let bytes = 0;
    for (const left of this.#left.values()) bytes += left;
    return this.#left.size < maxFolders && bytes < this.#limitBytes();
  }
}
