/**
 * The front door to what is in a tree: everything the archive commands ask for.
 */
import type { TreeFormat, TreePath, TreeStore } from '../archive/store.ts';
import { findTree, openTree, type TreePlace, type TreeReference } from '../archive/tree.ts';
import { TreeError } from '../archive/tree-error.ts';
import type { CatalogueFolder, CatalogueOptions } from './catalogue.ts';
import { type WrittenIndex, writeIndex } from './index-file.ts';
import { parseQuery, type Query } from './query.ts';
import { searchTree } from './search.ts';

export type { CatalogueEntry, CatalogueFolder } from './catalogue.ts';
export type { WrittenIndex } from './index-file.ts';
export { parseQuery, type Query } from './query.ts';
export { type FolderSelection, searchTree, toSelection } from './search.ts';

/** An ear for how far it is, and the signal to stop. */
export type TreeHooks = Pick<CatalogueOptions, 'onProgress' | 'signal'>;

export interface TreeSummary {
  readonly format: TreeFormat;
  /** Absolute. */
  readonly root: string;
  readonly folders: readonly FolderSummary[];
}

export interface FolderSummary {
  readonly path: TreePath;
  readonly messages: number;
  /** As they are stored. */
  readonly bytes: number;
}

interface OpenedTree {
  readonly place: TreePlace;
  readonly store: TreeStore;
}

async function open(reference: TreeReference): Promise<OpenedTree> {
  const place = findTree(reference, { create: false });
  return { place, store: await openTree(place) };
}

/** Counts what is in a tree, without reading a message. @throws TreeError */
export async function summarizeTree(reference: TreeReference): Promise<TreeSummary> {
  const { place, store } = await open(reference);
  const folders: FolderSummary[] = [];
  for (const { path, holdsMessages } of await store.listFolders()) {
    if (!holdsMessages) continue;
    const folder = await store.openFolder(path, { forWriting: false });
    try {
      const messages = await folder.list();
      folders.push({ path, messages: messages.length, bytes: messages.reduce((sum, { length }) => sum + length, 0) });
    } finally {
      await folder.close();
    }
  }
  return { format: place.format, root: place.root, folders };
}

/**
 * What a query fits in a tree, or in one folder of it, which is named with slashes. `query: null`: everything.
 * @throws TreeError, also where there is no such folder, and the signal's reason
 */
export async function* findMessages(
  reference: TreeReference,
  what: { readonly query: Query | null; readonly folder: string | null },
  hooks: TreeHooks = {},
): AsyncGenerator<CatalogueFolder> {
  const { place, store } = await open(reference);
  const folder = what.folder === null ? null : await pathOf(store, what.folder);
  const query = what.query ?? parseQuery([]);
  yield* searchTree({ ...hooks, store, stateDirectory: place.stateDirectory, query, folder });
}

/** Brings the `index.html` of a tree up to date. @throws TreeError, and the signal's reason */
export async function indexTree(
  reference: TreeReference,
  options: { readonly expand: boolean; readonly now: Date },
  hooks: TreeHooks = {},
): Promise<WrittenIndex> {
  return writeIndex({ ...hooks, ...options, place: findTree(reference, { create: false }) });
}

async function pathOf(store: TreeStore, name: string): Promise<TreePath> {
  const folders = await store.listFolders();
  const isIt = (path: TreePath) =>
    path.join('/') === name || (path.length === 1 && path[0] === 'INBOX' && /^inbox$/i.test(name));
  const found = folders.find(({ path, holdsMessages }) => holdsMessages && isIt(path));
  if (found === undefined)
    throw new TreeError('NO_FOLDER', `there is no folder ${name} with messages in it (list names them)`);
  return found.path;
}
