import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { foldName, fromFileNames, isContinued, toFileNames } from './file-name.ts';
import { listDirectory, makeDirectory } from './files.ts';

/** A file or directory that stands for a segment of a folder's name. */
export interface NamedFile {
  readonly segment: string;
  /** Absolute. */
  readonly path: string;
}

/** How many letters may be escaped to tell names apart. */
const maxEscaped = 16;

/**
 * What of a directory's entries stands for folders, found by the names of the folders: several file names may stand for one
 * segment, so that it is looked for, not computed.
 */
export class NamedFiles {
  readonly #nameOf: (entry: Dirent) => string | null;
  readonly #suffix: string;

  /** `suffix`: what the format puts behind a name. `nameOf`: an entry's name without it; `null`: it is something else. */
  constructor(suffix: string, nameOf: (entry: Dirent) => string | null) {
    this.#suffix = suffix;
    this.#nameOf = nameOf;
  }

  /** All of them in `directory`, long names put together, sorted by file name. */
  list(directory: string): NamedFile[] {
    return this.#below(directory, []);
  }

  #below(directory: string, outer: readonly string[]): NamedFile[] {
    return (listDirectory(directory) ?? []).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && isContinued(entry.name)) return this.#below(path, [...outer, entry.name]);
      const name = this.#nameOf(entry);
      return name === null ? [] : [{ segment: fromFileNames([...outer, name]), path }];
    });
  }

  /** The path of what stands for `segment`; `null`: there is none. */
  find(directory: string, segment: string): string | null {
    return this.list(directory).find((file) => file.segment === segment)?.path ?? null;
  }

  /**
   * A path for a new one, that no file system takes for what is there. Makes the directories that a long name needs; the
   * file itself is made by the caller.
   */
  reserve(directory: string, segment: string): string {
    for (let escaped = 0; ; escaped++) {
      const names = toFileNames(segment, { escaped });
      if (escaped < maxEscaped && this.#isTaken(directory, names)) continue;
      let path = directory;
      for (const outer of names.slice(0, -1)) {
        path = join(path, outer);
        makeDirectory(path);
      }
      return join(path, `${names.at(-1)}${this.#suffix}`);
    }
  }

  /** True where an entry beside it has another name that could be taken for this one. */
  #isTaken(directory: string, names: readonly string[]): boolean {
    let path = directory;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      const fileName = isLast ? `${name}${this.#suffix}` : name;
      const folded = foldName(fileName);
      const similar = (listDirectory(path) ?? []).filter((entry) => foldName(entry.name) === folded);
      if (similar.some((entry) => isLast || entry.name !== fileName)) return true;
      path = join(path, fileName);
    }
    return false;
  }
}
