import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type {
  OpenedMessage,
  StoreFolder,
  TreeFolder,
  TreeMessage,
  TreePath,
  TreeStore,
} from '../../src/archive/store.ts';
import { TreeError } from '../../src/archive/tree-error.ts';

const ours = /^(?:\.?imap-migrate|index\.html)$/;

/** A tree to read: every directory is a folder, every file a message, whatever it is called. `7.eml` has the UID 7. */
export class PlainTree implements TreeStore {
  readonly root: string;
  readonly format: TreeStore['format'];
  /** Messages that were opened, by file. */
  readonly opened: string[] = [];

  constructor(root: string, format: TreeStore['format'] = 'eml') {
    this.root = root;
    this.format = format;
  }

  /** Writes a message's file. */
  plant(file: string, message: Buffer | string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), message);
  }

  async listFolders(): Promise<TreeFolder[]> {
    const paths = readdirSync(this.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => relative(this.root, join(entry.parentPath, entry.name)).split('/'))
      .filter(([top = '']) => !ours.test(top));
    return paths.map((path) => ({ path, holdsMessages: this.#files(path).length > 0 }));
  }

  async openFolder(path: TreePath): Promise<StoreFolder> {
    const read = async (message: TreeMessage) => {
      this.opened.push(message.file);
      return this.#read(message);
    };
    const writing = async () => {
      throw new Error('this tree is read only');
    };
    return {
      list: async () => this.#files(path).map((file) => this.#message(file)),
      read: async (message) => [await read(message)],
      open: async (message): Promise<OpenedMessage> => {
        const bytes = await read(message);
        const slices = Array.from({ length: Math.ceil(bytes.length / 64_000) }, (_, index) =>
          bytes.subarray(index * 64_000, (index + 1) * 64_000),
        );
        return {
          size: bytes.length,
          slices: (async function* () {
            yield* slices;
          })(),
        };
      },
      append: writing,
      appendStream: writing,
      setFlags: writing,
      remove: writing,
      close: async () => {},
    };
  }

  createFolder(): Promise<boolean> {
    return Promise.reject(new Error('this tree is read only'));
  }

  #files(path: TreePath): string[] {
    return readdirSync(join(this.root, ...path), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [...path, entry.name].join('/'))
      .sort();
  }

  #message(file: string): TreeMessage {
    const stat = statSync(join(this.root, file));
    const [, uid] = /(?:^|\D)(\d{1,9})\.eml(?:\.gz)?$/.exec(file) ?? [];
    return {
      uid: uid === undefined ? null : Number(uid),
      file,
      offset: 0,
      length: stat.size,
      size: file.endsWith('.gz') ? null : stat.size,
      dateMs: Math.floor(stat.mtimeMs),
      flags: null,
    };
  }

  #read({ file }: TreeMessage): Buffer {
    try {
      const bytes = readFileSync(join(this.root, file));
      return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    } catch (error) {
      throw new TreeError('UNREADABLE', `cannot read ${file}`, { cause: error });
    }
  }
}
