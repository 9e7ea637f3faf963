import { closeSync, futimesSync, lstatSync, renameSync } from 'node:fs';
import { createFile, removeFile, writeAll } from './files.ts';
import { TreeError, writeError } from './tree-error.ts';

/** A message that is being written: nobody takes it for one before it has its place. */
export class MaildirDraft {
  /** Open until `place` or `drop`. */
  readonly handle: number;
  readonly #temporary: string;
  readonly #place: string;
  #isOpen = true;
  #isTemporary = true;

  /** Both absolute. @throws TreeError */
  constructor(temporary: string, place: string) {
    this.handle = createFile(temporary);
    this.#temporary = temporary;
    this.#place = place;
  }

  write(slices: readonly Buffer[]): void {
    try {
      writeAll(this.handle, slices);
    } catch (error) {
      throw writeError(this.#place, error);
    }
  }

  /** `dateMs` as epoch milliseconds. */
  setDate(dateMs: number): void {
    if (Number.isNaN(dateMs)) return;
    // As numbers, dates before 1970 would mean now.
    const date = new Date(dateMs);
    try {
      futimesSync(this.handle, date, date);
    } catch (error) {
      throw writeError(this.#place, error);
    }
  }

  /** Gives it its name; what is there is not written over. */
  place(): void {
    try {
      this.#close();
      if (lstatSync(this.#place, { throwIfNoEntry: false }) !== undefined) {
        throw new TreeError('TREE', `${this.#place} is there already`);
      }
      renameSync(this.#temporary, this.#place);
      this.#isTemporary = false;
    } catch (error) {
      throw writeError(this.#place, error);
    }
  }

  /** Forgets what has not been given its place. */
  drop(): void {
    try {
      this.#close();
    } catch {
      // Why it is dropped is more than this.
    }
    if (this.#isTemporary) removeFile(this.#temporary);
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.handle);
  }
}
