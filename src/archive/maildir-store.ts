import { MaildirFolder } from './maildir-folder.ts';
import { MaildirFolders } from './maildir-folders.ts';
import { UniqueNames } from './maildir-name.ts';
import type { StoreFolder, StoreOptions, TreeFolder, TreePath, TreeStore } from './store.ts';
import { TreeError } from './tree-error.ts';

/**
 * A tree of Maildir folders. Where there are folders, new ones are made in their layout; `options.layout` is for others. Sees
 * what Dovecot, Courier, mutt or mbsync have made, and they see what is made here.
 */
export function openMaildirStore(options: StoreOptions): TreeStore {
  return new MaildirStore(options);
}

class MaildirStore implements TreeStore {
  readonly format = 'maildir';
  readonly #root: string;
  readonly #fsync: boolean;
  readonly #folders: MaildirFolders;
  readonly #names = new UniqueNames();

  constructor(options: StoreOptions) {
    this.#root = options.root;
    this.#fsync = options.fsync === 'batch';
    this.#folders = new MaildirFolders(options);
  }

  async listFolders(): Promise<readonly TreeFolder[]> {
    const folders = new Map<string, TreeFolder>();
    for (const { path } of this.#folders.list()) {
      folders.set(JSON.stringify(path), { path, holdsMessages: true });
      for (let length = 1; length < path.length; length++) {
        const outer = path.slice(0, length);
        const key = JSON.stringify(outer);
        if (!folders.has(key)) folders.set(key, { path: outer, holdsMessages: false });
      }
    }
    return [...folders.values()].sort((a, b) => comparePaths(a.path, b.path));
  }

  async createFolder(path: TreePath): Promise<boolean> {
    return this.#folders.create(path);
  }

  async openFolder(path: TreePath, { forWriting }: { readonly forWriting: boolean }): Promise<StoreFolder> {
    const place = this.#folders.find(path);
    if (place === null) throw new TreeError('NO_FOLDER', `there is no folder ${path.join('/')} in ${this.#root}`);
    const { directory } = place;
    return new MaildirFolder({ root: this.#root, directory, fsync: this.#fsync, forWriting, names: this.#names });
  }
}

/** A folder comes before those in it; the inbox before all. */
function comparePaths(a: TreePath, b: TreePath): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left = '', right = ''] = [a[index], b[index]];
    if (left !== right)
      return index === 0 && left === 'INBOX' ? -1 : index === 0 && right === 'INBOX' ? 1 : left < right ? -1 : 1;
  }
  return a.length - b.length;
}
