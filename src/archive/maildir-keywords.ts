/**
 * Which keyword a letter stands for, as Dovecot keeps it: a file `dovecot-keywords` in the folder, with a line `0 name` for
 * `a`, `1 name` for `b` and so on. There are 26; keywords beyond have no letter.
 */
import { closeSync, fsyncSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createFile, readWhole, removeFile, syncDirectory, writeAll } from './files.ts';
import { TreeError, writeError } from './tree-error.ts';

const fileName = 'dovecot-keywords';
const maxKeywords = 26;
const maxBytes = 64 * 1024;

// What IMAP takes for a keyword (RFC 9051 section 9, flag-keyword): anything else could be a line of its own.
const keyword = /^[\x21-\x7e]{1,200}$/;
const noKeyword = /^\\|[(){%*"\]]/;

export class MaildirKeywords {
  readonly #directory: string;
  /** By index; a number that was never given has no name. */
  #names: (string | undefined)[] = [];
  #letters = new Map<string, string>();

  /** `directory`: of the folder, absolute. Nothing is read yet. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads what other programs may have changed. @throws TreeError where the file cannot be read */
  reload(): void {
    this.#names = [];
    this.#letters = new Map();
    for (const [, number, name = ''] of this.#readFile().matchAll(/^(\d{1,3}) (\S+)\r?$/gm))
      this.#set(Number(number), name);
  }

  /**
   * Sees to it that these flags have letters, as far as there are any left.
   * `temporary`: where the new file is written before it takes the place of the old one.
   * @throws TreeError
   */
  add(flags: Iterable<string>, temporary: string, options: { readonly fsync: boolean }): void {
    const isNew = (flag: string) => isKeyword(flag) && this.letterOf(flag) === null;
    const wanted = [...flags].filter(isNew);
    if (wanted.length === 0 || this.#free() === -1) return;
    this.reload();
    const before = this.#letters.size;
    for (const flag of wanted.filter(isNew)) {
      const free = this.#free();
      if (free !== -1) this.#set(free, flag);
    }
    if (this.#letters.size > before) this.#writeFile(temporary, options);
  }

  letterOf(flag: string): string | null {
    return this.#letters.get(flag.toLowerCase()) ?? null;
  }

  nameOf(letter: string): string | null {
    const name = this.#names[letter.charCodeAt(0) - 97];
    return name !== undefined && this.letterOf(name) === letter ? name : null;
  }

  #set(index: number, name: string): void {
    if (index >= maxKeywords || this.#names[index] !== undefined) return;
    // A name that makes no sense still has its number: messages may have its letter.
    this.#names[index] = name;
    // Keywords are the same whatever their case.
    if (isKeyword(name) && !this.#letters.has(name.toLowerCase()))
      this.#letters.set(name.toLowerCase(), String.fromCharCode(97 + index));
  }

  #free(): number {
    for (let index = 0; index < maxKeywords; index++) if (this.#names[index] === undefined) return index;
    return -1;
  }

  #readFile(): string {
    try {
      return readWhole(join(this.#directory, fileName), { maxBytes }).toString('latin1');
    } catch (error) {
      if (error instanceof TreeError && error.code === 'GONE') return '';
      throw error;
    }
  }

  #writeFile(temporary: string, options: { readonly fsync: boolean }): void {
    const lines = this.#names.flatMap((name, index) => (name === undefined ? [] : [`${index} ${name}\n`]));
    const file = join(this.#directory, fileName);
    const handle = createFile(temporary);
    try {
      try {
        writeAll(handle, [Buffer.from(lines.join(''), 'latin1')]);
        if (options.fsync) fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(temporary, file);
      if (options.fsync) syncDirectory(this.#directory);
    } catch (error) {
      removeFile(temporary);
      throw writeError(file, error);
    }
  }
}

function isKeyword(flag: string): boolean {
  return keyword.test(flag) && !noKeyword.test(flag);
}
