import { closeSync, fstatSync, ftruncateSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DotLock } from './dot-lock.ts';
import { createFile, openFile, readAt, syncDirectory, syncFiles, writeAll } from './files.ts';
import { encodeFrom } from './mbox-from.ts';
import { FromQuoting, quoteBody } from './mbox-quoting.ts';
import type { Range } from './mbox-reader.ts';
import { repairTail } from './mbox-tail.ts';
import type { NewBody, NewMessage, OpenedMessage } from './store.ts';
import { TreeError, writeError } from './tree-error.ts';

const lf = 0x0a;
const lineEnd = Buffer.from('\n');
const copyBytes = 1024 * 1024;

/** An mbox that is written to: appended to, under the lock that other programs respect. */
export class MboxWriter {
  readonly #path: string;
  readonly #sync: boolean;
  #handle: number;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();
  /** Where the file ends as we left it; `null`: not looked yet. */
  #end: number | null = null;

  /** @throws TreeError where the file is not there or cannot be opened */
  constructor(path: string, options: { readonly sync: boolean }) {
    this.#path = path;
    this.#sync = options.sync;
    this.#handle = openFile(path, { forWriting: true });
  }

  /** Cuts off what a crash left half done. @throws TreeError `UNREADABLE`: the file is another program's */
  async repair(): Promise<void> {
    rmSync(this.#newPath, { force: true });
    DotLock.tidy(this.#path);
    await this.#locked(async (end) => end);
  }

  async append(messages: readonly NewBody[]): Promise<void> {
    await this.#locked(async (end) => {
      const slices = messages.flatMap(encodeMessage);
      this.#write(slices, end);
      await this.#syncFile();
      return end + slices.reduce((sum, slice) => sum + slice.length, 0);
    });
  }

  /** The length stands before the bytes, and is known behind them: it is put in when they are on the disk. */
  async appendStream({ uid, dateMs }: NewMessage, { size, slices }: OpenedMessage): Promise<void> {
    await this.#locked(async (end, lock) => {
      const from = encodeFrom({ uid, size, dateMs, storedBytes: null });
      this.#write([from], end);
      const bodyAt = end + from.length;
      const quoting = new FromQuoting('quote');
      let at = bodyAt;
      let last: number | undefined;
      let received = 0;
      const put = (out: Buffer[]) => {
        this.#write(out, at);
        for (const piece of out) at += piece.length;
        last = out.at(-1)?.at(-1) ?? last;
      };
      for await (const slice of slices) {
        const out: Buffer[] = [];
        quoting.push(slice, out);
        put(out);
        received += slice.length;
        lock.touch();
      }
      const out: Buffer[] = [];
      quoting.end(out);
      put(out);
      if (received !== size) throw new TreeError('UNREADABLE', `a message of ${size} bytes came with ${received}`);
      const storedBytes = at - bodyAt;
      put(paddingBehind(last));
      await this.#syncFile();
      this.#write([encodeFrom({ uid, size, dateMs, storedBytes, late: true })], end);
      await this.#syncFile();
      return at;
    });
  }

  /** Puts a new file in the place of this one. `keep`: tells what stays of it, once nobody else writes to it. */
  async rewrite(keep: (end: number) => Promise<readonly Range[]>): Promise<void> {
    await this.#locked(async (end, lock) => {
      const kept = await keep(end);
      rmSync(this.#newPath, { force: true });
      const handle = createFile(this.#newPath);
      try {
        for (const range of kept) {
          for (let at = range.start; at < range.end; at += copyBytes) {
            writeAll(handle, [readAt(this.#handle, at, Math.min(copyBytes, range.end - at))]);
            lock.touch();
          }
        }
        if (this.#sync) await syncFiles([handle]);
        renameSync(this.#newPath, this.#path);
      } catch (error) {
        rmSync(this.#newPath, { force: true });
        throw writeError(this.#path, error);
      } finally {
        closeSync(handle);
      }
      if (this.#sync) syncDirectory(dirname(this.#path));
      this.#reopen();
      return fstatSync(this.#handle).size;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#handle);
  }

  /** Where `rewrite` writes: a name that no folder has. */
  get #newPath(): string {
    return join(dirname(this.#path), `.imap-migrate-new-${basename(this.#path).slice(0, 200)}`);
  }

  /** Runs `work` at the end of the file as it is now, one after the other. Where it fails, the file is what it was. */
  async #locked(work: (end: number, lock: DotLock) => Promise<number>): Promise<void> {
    const turn = this.#last.then(() => this.#atEnd(work));
    this.#last = turn.catch(() => {});
    await turn;
  }

  async #atEnd(work: (end: number, lock: DotLock) => Promise<number>): Promise<void> {
    if (this.#isClosed) throw new TreeError('TREE', `${this.#path} was closed before it was written to`);
    const lock = await DotLock.take(this.#path);
    try {
      const end = this.#freshEnd();
      try {
        this.#end = await work(end, lock);
      } catch (error) {
        this.#end = null;
        if (fstatSync(this.#handle).size > end) ftruncateSync(this.#handle, end);
        throw error;
      }
    } finally {
      lock.release();
    }
  }

  /** The end of the file, repaired if somebody else has written to it. */
  #freshEnd(): number {
    try {
      const stat = lstatSync(this.#path);
      const own = fstatSync(this.#handle);
      if (stat.ino !== own.ino || stat.dev !== own.dev) this.#reopen();
      else if (this.#end === own.size) return own.size;
      return repairTail(this.#path, this.#handle, fstatSync(this.#handle).size);
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  #reopen(): void {
    const handle = openFile(this.#path, { forWriting: true });
    closeSync(this.#handle);
    this.#handle = handle;
    this.#end = null;
  }

  #write(slices: readonly Buffer[], at: number): void {
    try {
      writeAll(this.#handle, slices, at);
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  async #syncFile(): Promise<void> {
    try {
      if (this.#sync) await syncFiles([this.#handle]);
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }
}

function encodeMessage({ uid, dateMs, body }: NewBody): Buffer[] {
  const { slices, bytes } = quoteBody(body.chunks);
  const from = encodeFrom({ uid, dateMs, size: body.size, storedBytes: bytes });
  return [from, ...slices, ...paddingBehind(slices.at(-1)?.at(-1))];
}

/** What follows a message whose last byte is this: its line is ended, and an empty one follows. */
function paddingBehind(last: number | undefined): Buffer[] {
  return last === undefined || last === lf ? [lineEnd] : [lineEnd, lineEnd];
}
