import type { StoreFolder, TreePath } from '../archive/store.ts';
import { TreeError } from '../archive/tree-error.ts';
import { Catalogue, type CatalogueEntry, type CatalogueFolder, type CatalogueOptions } from './catalogue.ts';
import { Decoder } from './decoder.ts';
import { fold } from './fold.ts';
import { matchesHeader, type Query } from './query.ts';

/** Bytes of a message in which its body is looked for. */
const maxBodyBytes = 32 * 1024 * 1024;

export interface SearchOptions extends CatalogueOptions {
  readonly query: Query;
  /** `null`: all folders. */
  readonly folder: TreePath | null;
}

/** What a search found of a folder, as a job takes it. */
export interface FolderSelection {
  readonly path: TreePath;
  /** Ascending. */
  readonly uids: readonly number[];
  /** Files of messages that have no UID yet. */
  readonly files: readonly string[];
}

/**
 * What the query fits, folder by folder; folders with nothing are left out. Bodies are read only where all else fits.
 * @throws TreeError, and the signal's reason
 */
export async function* searchTree(options: SearchOptions): AsyncGenerator<CatalogueFolder> {
  const { query, store, clock, folder: only } = options;
  await using decoder = options.decoder ?? new Decoder(clock === undefined ? {} : { clock });
  await using catalogue = new Catalogue({ ...options, decoder });
  for (const { path } of await catalogue.listFolders()) {
    if (only !== null && JSON.stringify(path) !== JSON.stringify(only)) continue;
    const { entries } = await catalogue.readFolder(path);
    let found: readonly CatalogueEntry[] = entries.filter((entry) => matchesHeader(query, entry));
    if (query.text.length > 0 && found.length > 0) {
      const folder = await store.openFolder(path, { forWriting: false });
      try {
        found = await withText(found, folder, { decoder, query, signal: options.signal });
      } finally {
        await folder.close();
      }
    }
    if (found.length > 0) yield { path, entries: found };
  }
}

/** A search's result, as something to copy. */
export function toSelection({ path, entries }: CatalogueFolder): FolderSelection {
  const uids = entries.flatMap(({ message }) => message.uid ?? []);
  const files = entries.flatMap(({ message }) => (message.uid === null ? [message.file] : []));
  return { path, uids: uids.sort((a, b) => a - b), files };
}

interface TextSearch {
  readonly decoder: Decoder;
  readonly query: Query;
  readonly signal: AbortSignal | undefined;
}

async function withText(
  entries: readonly CatalogueEntry[],
  folder: StoreFolder,
  { decoder, query, signal }: TextSearch,
): Promise<CatalogueEntry[]> {
  const found: CatalogueEntry[] = [];
  for (const entry of entries) {
    signal?.throwIfAborted();
    const body = await readBody(folder, entry);
    if (body === null) continue;
    // Where the parser could not cope, the message is taken as it stands.
    const fits = (await decoder.find(body, query.text)) ?? containsRaw(body, query.text);
    if (fits) found.push(entry);
  }
  return found;
}

/** The beginning of a message, as a rule all of it; `null`: it cannot be read. */
async function readBody(folder: StoreFolder, { message }: CatalogueEntry): Promise<Buffer | null> {
  try {
    const slices: Buffer[] = [];
    let bytes = 0;
    for await (const slice of (await folder.open(message)).slices) {
      slices.push(slice);
      bytes += slice.length;
      if (bytes >= maxBodyBytes) break;
    }
    return Buffer.concat(slices, Math.min(bytes, maxBodyBytes));
  } catch (error) {
    if (error instanceof TreeError && (error.code === 'GONE' || error.code === 'UNREADABLE')) return null;
    throw error;
  }
}

function containsRaw(body: Buffer, words: readonly string[]): boolean {
  const text = fold(body.toString('utf8'));
  return words.every((word) => text.includes(word));
}
