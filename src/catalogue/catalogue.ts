/**
 * What is in a tree, message by message, as people look for it. Built once, and then only for what is new.
 */
import { join } from 'node:path';
import type { StoreFolder, TreeFolder, TreeMessage, TreePath, TreeStore } from '../archive/store.ts';
import { TreeError } from '../archive/tree-error.ts';
import type { Clock } from '../clock.ts';
import { CatalogueFile, type KeptDetails } from './catalogue-file.ts';
import { Decoder } from './decoder.ts';
import { unreadableDetails } from './mail-details.ts';
import { type MessageOutline, readOutline } from './outline.ts';

export interface CatalogueEntry extends KeptDetails {
  readonly message: TreeMessage;
  /** The Date field, else the date the tree has; NaN: neither. Epoch milliseconds. */
  readonly shownMs: number;
}

export interface CatalogueFolder {
  readonly path: TreePath;
  readonly entries: readonly CatalogueEntry[];
}

export interface CatalogueOptions {
  readonly store: TreeStore;
  /** Where the catalogue is kept between runs; `null`: nowhere. */
  readonly stateDirectory: string | null;
  /** Stops between messages; what was read is kept. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Hears how many messages have been read that were not known. */
  onProgress?(read: number): void;
  readonly decoder?: Decoder;
}

/** Messages whose headers are decoded at a time. */
const batchMessages = 64;
/** Messages after which what was read is kept. */
const keepAfter = 2_048;

/** Reads folder after folder. To be disposed of. */
export class Catalogue implements AsyncDisposable {
  readonly #options: CatalogueOptions;
  readonly #file: CatalogueFile | null;
  readonly #decoder: Decoder;
  #read = 0;

  constructor(options: CatalogueOptions) {
    this.#options = options;
    const { stateDirectory, decoder, clock } = options;
    this.#file = stateDirectory === null ? null : new CatalogueFile(join(stateDirectory, 'catalogue.db'));
    this.#decoder = decoder ?? new Decoder(clock === undefined ? {} : { clock });
  }

  /** The folders that can hold messages; forgets what it knows of others. @throws TreeError */
  async listFolders(): Promise<TreeFolder[]> {
    const folders = (await this.#options.store.listFolders()).filter(({ holdsMessages }) => holdsMessages);
    this.#file?.keepOnly(folders.map(({ path }) => path));
    return folders;
  }

  /**
   * What is in a folder now, in the order of the store. A message that cannot be read is there without details.
   * @throws TreeError where the folder cannot be read, and the signal's reason
   */
  async readFolder(path: TreePath): Promise<CatalogueFolder> {
    const folder = await this.#options.store.openFolder(path, { forWriting: false });
    try {
      const messages = await folder.list();
      const kept = this.#file?.load(path) ?? new Map<string, KeptDetails>();
      await this.#readNew(path, folder, messages, kept);
      const entries = messages.map((message) => toEntry(message, kept.get(keyOf(message))));
      return { path, entries };
    } finally {
      await folder.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.[Symbol.dispose]();
    await this.#decoder[Symbol.asyncDispose]();
  }

  /** Brings `kept` to what the messages are. */
  async #readNew(
    path: TreePath,
    folder: StoreFolder,
    messages: readonly TreeMessage[],
    kept: Map<string, KeptDetails>,
  ): Promise<void> {
    const present = new Set(messages.map(keyOf));
    const gone = [...kept.keys()].filter((key) => !present.has(key));
    if (gone.length > 0) this.#file?.remove(path, gone);
    const missing = messages.filter((message) => !kept.has(keyOf(message)));
    let fresh = new Map<string, KeptDetails>();
    // While a batch is decoded on its thread, the next one is read.
    let decoding: Promise<void> = Promise.resolve();
    const keep = () => {
      if (fresh.size > 0) this.#file?.save(path, fresh);
      fresh = new Map();
    };
    try {
      for (let at = 0; at < missing.length; at += batchMessages) {
        const outlines = await this.#readOutlines(folder, missing.slice(at, at + batchMessages));
        await decoding;
        decoding = this.#decode(outlines, (key, details) => {
          kept.set(key, details);
          fresh.set(key, details);
        });
        // It is awaited when the next batch is read: until then nobody else hears of its failure.
        decoding.catch(() => {});
        if (fresh.size >= keepAfter) keep();
      }
    } finally {
      // Its outcome is kept, whatever ended the reading; and nothing may outlive it.
      await decoding;
      keep();
    }
  }

  async #readOutlines(folder: StoreFolder, messages: readonly TreeMessage[]): Promise<ReadMessage[]> {
    const read: ReadMessage[] = [];
    for (const message of messages) {
      this.#options.signal?.throwIfAborted();
      try {
        const opened = await folder.open(message);
        read.push({ key: keyOf(message), size: opened.size, outline: await readOutline(opened) });
      } catch (error) {
        if (!(error instanceof TreeError)) throw error;
        // It stays unknown: another run may be able to read it.
      }
    }
    return read;
  }

  async #decode(messages: readonly ReadMessage[], take: (key: string, details: KeptDetails) => void): Promise<void> {
    const details = await this.#decoder.details(messages.map(({ outline }) => outline));
    for (const [index, { key, size }] of messages.entries()) {
      const found = details[index];
      if (found !== undefined) take(key, { ...found, size });
    }
    this.#read += messages.length;
    this.#options.onProgress?.(this.#read);
  }
}

interface ReadMessage {
  readonly key: string;
  readonly size: number;
  readonly outline: MessageOutline;
}

function toEntry(message: TreeMessage, details: KeptDetails | undefined): CatalogueEntry {
  const known = details ?? { ...unreadableDetails, size: message.size ?? message.length };
  return { ...known, message, shownMs: Number.isNaN(known.dateMs) ? message.dateMs : known.dateMs };
}

/** The same as long as the message is: Maildir names change with the flags, and with them the directory. */
function keyOf({ uid, file, offset, length, dateMs }: TreeMessage): string {
  const name = file.slice(file.lastIndexOf('/') + 1).replace(/[:!;]2,[A-Za-z]*$/, '');
  return [uid ?? '', name, offset, length, Number.isNaN(dateMs) ? '' : Math.floor(dateMs)].join('\t');
}
