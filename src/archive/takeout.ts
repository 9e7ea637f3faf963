import { closeSync, fstatSync } from 'node:fs';
import { FileWindow } from './file-window.ts';
import { openFile } from './files.ts';
import { parseGmailLabels } from './gmail-labels.ts';
import { parseMboxHeader } from './mbox-header.ts';
import type { MboxReader } from './mbox-reader.ts';
import { headerAt, lineAt } from './mbox-scan.ts';
import type { TreeMessage, TreePath } from './store.ts';

/** A folder that is a label. */
export interface LabelFolder {
  readonly path: TreePath;
  readonly messages: readonly TreeMessage[];
}

/** True for an mbox of Google Takeout, by its first message. */
export function isTakeout(file: string): boolean {
  const handle = openFile(file);
  try {
    const window = new FileWindow(handle, fstatSync(handle).size, 64 * 1024);
    const line = lineAt(window, 0);
    if (line === null) return false;
    return /^From \d+@xxx /.test(line) || parseMboxHeader(headerAt(window, line.length)).has('x-gmail-labels');
  } finally {
    closeSync(handle);
  }
}

/** A file of Google Takeout as the folders its labels stand for. It is read through once, as long as it does not change. */
export class Takeout {
  readonly #reader: MboxReader;
  #stamp: string | null = null;
  #folders: ReadonlyMap<string, LabelFolder> = new Map();

  constructor(reader: MboxReader) {
    this.#reader = reader;
  }

  get reader(): MboxReader {
    return this.#reader;
  }

  /** Its folders by the key of their path. */
  async folders(): Promise<ReadonlyMap<string, LabelFolder>> {
    const stamp = this.#reader.stamp();
    if (stamp === this.#stamp) return this.#folders;
    const found = new Map<string, LabelFolder & { readonly messages: TreeMessage[] }>();
    const folderAt = (path: TreePath) => {
      const key = pathKey(path);
      const folder = found.get(key) ?? { path, messages: [] };
      found.set(key, folder);
      return folder;
    };
    await this.#reader.list((entry, message) => {
      const place = parseGmailLabels(entry.header.get('x-gmail-labels') ?? '');
      for (const path of place.folders) folderAt(path);
      folderAt(place.path).messages.push({ ...message, flags: place.flags });
    });
    this.#stamp = stamp;
    this.#folders = found;
    return found;
  }
}

/** Equal for equal paths only. */
export function pathKey(path: TreePath): string {
  return JSON.stringify(path);
}
