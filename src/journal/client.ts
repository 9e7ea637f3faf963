/**
 * The journal as the main thread holds it: calls become commits, and the folders are known without asking.
 */

import { type Entry, rowsOf } from './entry.ts';
import type { JournalHost } from './host.ts';
import { checkEntry } from './record-check.ts';
import type { OpenedJournal } from './service.ts';
import { toStoredText } from './stored-text.ts';
import type { Intent, Journal, JournalFolder, JournalMessages, JournalRecord, OpenedFolder } from './types.ts';

/** A commit ends with the call that passes this many rows: what waits for it should not wait for seconds. */
const maxRowsPerCommit = 20_000;

interface Waiting {
  readonly entries: readonly Entry[];
  resolve(opened: readonly number[]): void;
  reject(error: unknown): void;
}

export class JournalClient implements Journal {
  readonly file: string;
  readonly state: Journal['state'];
  readonly #host: JournalHost;
  readonly #folders = new Map<number, JournalFolder>();
  readonly #idOfName = new Map<string, number>();
  readonly #stats = { commits: 0, records: 0, commitMs: 0 };
  readonly #isReadOnly: boolean;
  #queue: Waiting[] = [];
  #isWriting = false;
  /** Ends with the last call so far, and so with all before it; never rejects. */
  #latest: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;
  #closing: Promise<void> | null = null;

  constructor(host: JournalHost, file: string, opened: OpenedJournal, options: { readonly readOnly: boolean }) {
    this.#host = host;
    this.file = file;
    this.state = opened.state;
    this.#isReadOnly = options.readOnly;
    for (const folder of opened.folders) this.#keep(folder);
  }

  folders(): readonly JournalFolder[] {
    return [...this.#folders.values()];
  }

  folder(sourceRawName: string, targetName: string): JournalFolder | null {
    const id = this.#idOfName.get(nameKey(toStoredText(sourceRawName), toStoredText(targetName)));
    return (id === undefined ? undefined : this.#folders.get(id)) ?? null;
  }

  async openFolder(folder: OpenedFolder): Promise<JournalFolder> {
    const [id] = await this.#enqueue([{ kind: 'open', folder }]);
    const opened = id === undefined ? undefined : this.#folders.get(id);
    if (opened === undefined) throw new Error(`the journal lost the folder ${folder.sourceRawName} it was just given`);
    return opened;
  }

  async write(...records: readonly JournalRecord[]): Promise<void> {
    if (records.length > 0) await this.#enqueue(records);
  }

  async messages(folderId: number): Promise<JournalMessages> {
    await this.#readable();
    return this.#host.call('messages', folderId);
  }

  async intents(folderId: number): Promise<readonly Intent[]> {
    await this.#readable();
    return this.#host.call('intents', folderId);
  }

  stats(): { readonly commits: number; readonly records: number; readonly commitMs: number } {
    return { ...this.#stats };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#latest;
      await this.#host.call('close', null);
    } catch (error) {
      // What a write has reported is not reported again.
      if (this.#failure === null) throw error;
    } finally {
      await this.#host.end();
    }
  }

  /** Resolves with the ids of the folders that were to be opened. */
  async #enqueue(entries: readonly Entry[]): Promise<readonly number[]> {
    if (this.#isReadOnly) throw new Error('this journal is open for reading only');
    this.#checkUsable();
    for (const entry of entries) checkEntry(entry, (id) => this.#folders.has(id));
    const done = new Promise<readonly number[]>((resolve, reject) => this.#queue.push({ entries, resolve, reject }));
    this.#latest = done.catch(() => undefined);
    if (!this.#isWriting) void this.#drain();
    return done;
  }

  #checkUsable(): void {
    if (this.#closing !== null) throw new Error('the journal is closed');
    if (this.#failure !== null) throw this.#failure;
  }

  async #readable(): Promise<void> {
    this.#checkUsable();
    await this.#latest;
    this.#checkUsable();
  }

  /** One commit after the other, each with all that came while the one before it ran. */
  async #drain(): Promise<void> {
    this.#isWriting = true;
    // Calls of the same turn share the first commit.
    await null;
    while (this.#queue.length > 0) await this.#commit(this.#takeGroup());
    this.#isWriting = false;
  }

  #takeGroup(): Waiting[] {
    let rows = 0;
    const past = this.#queue.findIndex(({ entries }) => {
      rows += entries.reduce((sum, entry) => sum + rowsOf(entry), 0);
      return rows >= maxRowsPerCommit;
    });
    return this.#queue.splice(0, past === -1 ? this.#queue.length : past + 1);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const { folders, opened, records, ms } = await this.#host.call(
        'commit',
        group.flatMap(({ entries }) => entries),
      );
      this.#stats.commits++;
      this.#stats.records += records;
      this.#stats.commitMs += ms;
      for (const folder of folders) this.#keep(folder);
      let at = 0;
      for (const { entries, resolve } of group) {
        const count = entries.filter(({ kind }) => kind === 'open').length;
        resolve(opened.slice(at, at + count));
        at += count;
      }
    } catch (error) {
      this.#failure = error;
      for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(error);
    }
  }

  #keep(folder: JournalFolder): void {
    this.#folders.set(folder.id, folder);
    this.#idOfName.set(nameKey(folder.sourceRawName, folder.targetName), folder.id);
  }
}

function nameKey(sourceRawName: string, targetName: string): string {
  return `${sourceRawName}\0${targetName}`;
}
