/**
 * Trees by what people call them: `maildir:PATH`, `mbox:PATH`, `eml:PATH`, or a directory of whatever kind it is.
 */
import { closeSync, type Dirent, existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { listDirectory, openFile, openRoot, readAt } from './files.ts';
import { type StoreOptions, type TreeFormat, type TreeStore, treeFormats } from './store.ts';
import { TreeError } from './tree-error.ts';
import { readTreeState } from './tree-state.ts';

/** A tree as the command line names it. */
export interface TreeReference {
  /** `null`: the kind that is found there. */
  readonly format: TreeFormat | null;
  readonly path: string;
}

/** Where a tree is, and what it is. */
export interface TreePlace {
  readonly format: TreeFormat;
  /** Absolute and without links. */
  readonly root: string;
  /** Absolute; what is known of the tree beside its messages is in here. It may not be there yet. */
  readonly stateDirectory: string;
}

/** Names of the directory a tree's state is in. In a Maildir++ root a dot would make it a folder. */
const stateNames = ['.imap-migrate', 'imap-migrate'] as const;

/** Directories and files that are looked at to find out what a tree is. */
const maxLooks = 5_000;
const maxDepth = 12;

/**
 * `maildir:PATH` and so on; a word that names a directory, or ends in a slash, is a tree of any kind; `null`: it is something
 * else. A `~/` behind the colon, which no shell expands, means the home directory.
 * @throws ConfigError where nothing stands behind the colon
 */
export function parseTreeReference(word: string): TreeReference | null {
  const [, name, rest = ''] = /^([a-z]+):(.*)$/s.exec(word) ?? [];
  const format = treeFormats.find((known) => known === name);
  if (format !== undefined) {
    if (rest === '') throw new ConfigError(`${word} lacks a path: ${format}:DIRECTORY`);
    return { format, path: rest.replace(/^~(?=\/|$)/, homedir) };
  }
  const isDirectory = /[/\\]$/.test(word) || statSync(word, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? { format: null, path: word } : null;
}

/**
 * Finds a tree, and which kind it is; a single mbox file is a tree of one folder, to be read. `create`: makes its root where there is none, and where nothing tells a kind, it is
 * `eml`. `mayBeMissing`: a tree that could be made is as good as one.
 * @throws TreeError where there is no directory, or none that can be told for a tree
 */
export function findTree(
  reference: TreeReference,
  options: { readonly create: boolean; readonly mayBeMissing?: boolean },
): TreePlace {
  const { create, mayBeMissing = false } = options;
  const path = resolve(reference.path);
  if (!create && mayBeMissing && !existsSync(path)) {
    const format = reference.format ?? 'eml';
    return { format, root: path, stateDirectory: join(path, stateNames[format === 'maildir' ? 1 : 0]) };
  }
  if (reference.format === 'mbox' && !create && statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    const file = realpathSync(path);
    return { format: 'mbox', root: file, stateDirectory: join(dirname(file), `.${basename(file)}.imap-migrate`) };
  }
  const root = openRoot(path, { create, forWriting: create });
  const kept = keptFormat(root);
  const format = reference.format ?? kept?.format ?? detectFormat(root) ?? (create || mayBeMissing ? 'eml' : null);
  if (format === null) {
    throw new TreeError(
      'TREE',
      `${reference.path} holds no mail that can be recognised: name the kind (maildir:PATH, mbox:PATH or eml:PATH)`,
    );
  }
  if (kept !== null && kept.format !== format) {
    throw new TreeError('TREE', `${reference.path} is a tree of the kind ${kept.format}, not ${format}`);
  }
  const stateDirectory = kept?.directory ?? join(root, stateNames[isMaildirPlusPlus(root, format) ? 1 : 0]);
  return { format, root, stateDirectory };
}

/** What the tree itself says it is. */
function keptFormat(root: string): { readonly format: TreeFormat; readonly directory: string } | null {
  for (const name of stateNames) {
    const directory = join(root, name);
    const state = readTreeState(directory);
    if (state !== null) return { format: state.format, directory };
  }
  return null;
}

/** True where folders are, or will be, dot directories in the root: a directory with another name is none then. */
function isMaildirPlusPlus(root: string, format: TreeFormat): boolean {
  if (format !== 'maildir') return false;
  const directories = (listDirectory(root) ?? []).filter((entry) => entry.isDirectory());
  return !directories.some(({ name }) => !name.startsWith('.') && isMaildir(listDirectory(join(root, name)) ?? []));
}

function isMaildir(entries: readonly Dirent[]): boolean {
  const names = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  return names.has('cur') && names.has('new');
}

/** The kind of the first thing that tells one, from the top down; `null`: there is none within reach. */
function detectFormat(root: string): TreeFormat | null {
  let level = [root];
  let looks = 0;
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const below: string[] = [];
    for (const directory of level) {
      const entries = listDirectory(directory) ?? [];
      if (isMaildir(entries)) return 'maildir';
      for (const entry of entries) {
        const path = join(directory, entry.name);
        const format = kindOf(entry, path);
        if (format !== null) return format;
        if (entry.isDirectory()) below.push(path);
        if (++looks >= maxLooks) return null;
      }
    }
    level = below;
  }
  return null;
}

function kindOf(entry: Dirent, path: string): TreeFormat | null {
  if (/\.(?:mbox|sbd)$/i.test(entry.name)) return 'mbox';
  if (!entry.isFile()) return null;
  if (/\.eml(?:\.gz|\.zst)?$/i.test(entry.name)) return 'eml';
  return beginsAsMbox(path) ? 'mbox' : null;
}

/** True where the first line is one that separates messages (RFC 4155). */
function beginsAsMbox(path: string): boolean {
  let handle: number;
  try {
    handle = openFile(path);
  } catch (error) {
    // A file that cannot be read tells nothing; another may.
    if (error instanceof TreeError) return false;
    throw error;
  }
  try {
    return readAt(handle, 0, 5).equals(Buffer.from('From '));
  } finally {
    closeSync(handle);
  }
}

type OpenStore = (options: StoreOptions) => Promise<TreeStore>;

/** Loaded when they are needed: no command needs them all. */
const stores: Readonly<Record<TreeFormat, OpenStore | null>> = {
  maildir: async (options) => (await import('./maildir-store.ts')).openMaildirStore(options),
  mbox: async (options) => (await import('./mbox-store.ts')).openMboxStore(options),
  eml: async (options) => (await import('./eml-store.ts')).openEmlStore(options),
};

/** How a tree is opened. What is written differently by choice is given for trees that are written to. */
export type OpenTreeOptions = Pick<TreePlace, 'format' | 'root'> & Partial<Omit<StoreOptions, 'root'>>;

/** Opens a tree that `findTree` has found. @throws TreeError */
export async function openTree(options: OpenTreeOptions): Promise<TreeStore> {
  const { format, root, fsync = 'batch', compress = 'none', layout = 'maildir++' } = options;
  const openStore = stores[format];
  if (openStore === null) throw new TreeError('TREE', `trees of the kind ${format} cannot be opened yet: ${root}`);
  return openStore({ root, fsync, compress, layout });
}
