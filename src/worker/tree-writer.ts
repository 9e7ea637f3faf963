import type { StoreFolder } from '../archive/store.ts';
import { dateToInternalDate, internalDateToEpochMs } from '../protocol/index.ts';
import type { SelectedFacts } from './contract.ts';
import type { AppendOptions, Message, Stored, WritableFolder } from './endpoint.ts';

/** A folder of a tree, to be written to. */
export class TreeWriter implements WritableFolder {
  readonly facts: SelectedFacts;
  readonly atomic = true;
  readonly pipelines = true;
  readonly #folder: StoreFolder;
  #uidNext: number;
  readonly #unfinished = new Set<Promise<void>>();

  /** `uids`: of what the folder holds, ascending. `uidFloor`: no message gets a lower UID, whatever has been deleted since. */
  constructor(folder: StoreFolder, uids: Uint32Array, uidValidity: number, uidFloor: number) {
    this.#folder = folder;
    this.#uidNext = Math.max((uids.at(-1) ?? 0) + 1, uidFloor);
    this.facts = { uidValidity, uidNext: this.#uidNext, exists: uids.length, highestModSeq: null };
  }

  async append(messages: readonly Message[], { shouldStop }: AppendOptions): Promise<Stored[]> {
    if (messages.length > 0 && shouldStop()) return messages.map((): Stored => ({ kind: 'unsent' }));
    // They get their UIDs in the order in which they came, and reach the disk while the next are written.
    const stored = messages.map((message) => ({ ...newMessage(message, this.#uidNext++), body: message.body }));
    try {
      await this.#watch(this.#folder.append(stored));
      return stored.map(({ uid }): Stored => ({ kind: 'stored', uid }));
    } catch (error) {
      return messages.map((): Stored => ({ kind: 'unknown', error }));
    }
  }

  async appendStream(
    message: Message,
    body: { readonly size: number; readonly slices: AsyncIterable<Buffer> },
  ): Promise<Stored> {
    const stored = newMessage(message, this.#uidNext++);
    try {
      await this.#watch(this.#folder.appendStream(stored, body));
      return { kind: 'stored', uid: stored.uid };
    } catch (error) {
      return { kind: 'unknown', error };
    }
  }

  async #watch(storing: Promise<void>): Promise<void> {
    this.#unfinished.add(storing);
    await storing.finally(() => this.#unfinished.delete(storing));
  }

  distrustBatches(): void {
    // They are stored one by one anyhow.
  }

  splitFlags(flags: readonly string[]): { readonly kept: readonly string[]; readonly lost: readonly string[] } {
    return { kept: flags.filter(isKept), lost: [] };
  }

  async internalDateOf(uid: number | null): Promise<string | null> {
    const message = await this.#folder.find(uid ?? this.#uidNext - 1);
    if (message === null || Number.isNaN(message.dateMs)) return null;
    return dateToInternalDate(new Date(message.dateMs));
  }

  async count(): Promise<number | null> {
    await Promise.allSettled(this.#unfinished);
    return (await this.#folder.uids()).length;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#unfinished);
    await this.#folder.close();
  }
}

function isKept(flag: string): boolean {
  return flag.toLowerCase() !== '\\recent';
}

function newMessage({ flags, internalDate }: Message, uid: number) {
  const dateMs = internalDate === null ? null : internalDateToEpochMs(internalDate);
  return { uid, flags: flags.filter(isKept), dateMs: dateMs ?? Number.NaN };
}
