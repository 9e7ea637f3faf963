import { closeSync, fstatSync } from 'node:fs';
import { openFile, readAt } from './files.ts';
import type { OpenedMessage } from './store.ts';
import { readError, TreeError } from './tree-error.ts';

const sliceBytes = 256 * 1024;

/** Files that are being read piece by piece. */
export class FileSlices {
  readonly #handles = new Set<number>();

  /** A whole file. @throws TreeError */
  open(path: string): OpenedMessage {
    const handle = openFile(path);
    this.#handles.add(handle);
    const { size } = fstatSync(handle);
    return { size, slices: this.#read(handle, path, size) };
  }

  async *#read(handle: number, path: string, size: number): AsyncGenerator<Buffer> {
    try {
      for (let at = 0; at < size; ) {
        if (!this.#handles.has(handle)) throw new TreeError('UNREADABLE', `${path} was closed while it was read`);
        const slice = readAt(handle, at, Math.min(sliceBytes, size - at));
        if (slice.length === 0) throw new TreeError('UNREADABLE', `${path} became shorter while it was read`);
        at += slice.length;
        yield slice;
      }
    } catch (error) {
      throw readError(path, error);
    } finally {
      this.#close(handle);
    }
  }

  /** Closes what nobody has read to its end. */
  close(): void {
    for (const handle of this.#handles) this.#close(handle);
  }

  #close(handle: number): void {
    if (this.#handles.delete(handle)) closeSync(handle);
  }
}
