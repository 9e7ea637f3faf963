import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { TreeStore } from '../../src/archive/store.ts';
import { findTree, openTree, type TreePlace } from '../../src/archive/tree.ts';

/** A tree of files that tests plant. */
export interface PlantedTree {
  readonly root: string;
  readonly place: TreePlace;
  readonly store: TreeStore;
  /** Messages that were opened, by file, since it was asked last. */
  takeOpened(): string[];
  plant(files: Readonly<Record<string, string | Buffer>>): void;
}

/** A new tree for each test, filled with `files`. */
export function useTree(files: Readonly<Record<string, string | Buffer>>): () => Promise<PlantedTree> {
  let root = '';
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'catalogue-')));
    plantFiles(root, files);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  return async () => {
    const place = findTree({ format: null, path: root }, { create: false });
    const opened: string[] = [];
    const store = countOpened(await openTree(place), opened);
    return { root, place, store, takeOpened: () => opened.splice(0), plant: (more) => plantFiles(root, more) };
  };
}

export function plantFiles(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [file, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), contents);
  }
}

/** A small message: fields, and a body. */
export function mail(fields: Readonly<Record<string, string>>, body = 'text'): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [...lines, '', body, ''].join('\r\n');
}

function countOpened(store: TreeStore, opened: string[]): TreeStore {
  return {
    format: store.format,
    listFolders: () => store.listFolders(),
    createFolder: (path) => store.createFolder(path),
    openFolder: async (path, options) => {
      const folder = await store.openFolder(path, options);
      const open = folder.open.bind(folder);
      folder.open = (message) => {
        opened.push(message.file);
        return open(message);
      };
      return folder;
    },
  };
}
