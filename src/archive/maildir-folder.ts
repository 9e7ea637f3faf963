/**
 * One folder of a Maildir tree. A message is written in `tmp` and takes its place in `cur` as a whole, once it is on the disk.
 * Other programs may rename its file at any time (flags are in the name): it is known by its base.
 *
 * Messages go to `cur`, seen or not: `new` is for mail that has just been delivered. Programs take what is there for recent
 * (mutt shows N instead of O, Dovecot `\Recent`), and would rename every file when the tree is first looked at.
 */
import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { FileSlices } from './file-slices.ts';
import { listDirectory, makeDirectory, readWhole, removeFile, syncDirectory, syncFiles } from './files.ts';
import { MaildirDraft } from './maildir-draft.ts';
import { fromLetters, toLetters } from './maildir-flags.ts';
import { MaildirKeywords } from './maildir-keywords.ts';
import { encodeMaildirName, messageBase, parseMaildirName, type UniqueNames } from './maildir-name.ts';
import type { FlagChange, NewBody, NewMessage, OpenedMessage, StoreFolder, TreeMessage } from './store.ts';
import { readError, systemCode, TreeError, writeError } from './tree-error.ts';

/** Files that are open at a time while a batch is written: the system allows a process no more than some hundred. */
const maxOpenFiles = 128;
/** Looks at a directory that changes meanwhile: a file that is renamed may be seen twice, or not at all. */
const maxLooks = 4;
// A backslash is a character like any other where it separates nothing (the format has `\\057` for a slash in a host's name).
const messageFile = sep === '/' ? /^(?:cur|new)\/[^./\0][^/\0]*$/ : /^(?:cur|new)\/[^./\\:\0][^/\\:\0]*$/;

export interface MaildirFolderOptions {
  readonly root: string;
  /** Relative to the root; empty for the root itself. */
  readonly directory: string;
  readonly fsync: boolean;
  readonly forWriting: boolean;
  readonly names: UniqueNames;
}

/** A message's file as its name tells of it. */
interface NamedMessage {
  /** Relative to the root. */
  readonly file: string;
  readonly uid: number | null;
  readonly letters: string;
}

export class MaildirFolder implements StoreFolder {
  readonly #root: string;
  /** Where message files are, relative to the root, with `/` at the end. */
  readonly #prefix: string;
  readonly #cur: string;
  readonly #new: string;
  readonly #tmp: string;
  readonly #fsync: boolean;
  readonly #names: UniqueNames;
  readonly #keywords: MaildirKeywords;
  readonly #slices = new FileSlices();
  /** Files by their base, relative to the root, as they were called when that was last looked for. */
  #moved = new Map<string, string>();

  constructor({ root, directory, fsync, forWriting, names }: MaildirFolderOptions) {
    const absolute = join(root, directory);
    this.#root = root;
    this.#prefix = directory === '' ? '' : `${directory}/`;
    this.#cur = join(absolute, 'cur');
    this.#new = join(absolute, 'new');
    this.#tmp = join(absolute, 'tmp');
    this.#fsync = fsync;
    this.#names = names;
    this.#keywords = new MaildirKeywords(absolute);
    this.#keywords.reload();
    if (forWriting) this.#repair();
  }

  #repair(): void {
    for (const directory of [this.#tmp, this.#new, this.#cur]) makeDirectory(directory);
    for (const { name } of listDirectory(this.#tmp) ?? []) {
      if (this.#names.isLeftover(name)) removeFile(join(this.#tmp, name));
    }
  }

  async list(): Promise<readonly TreeMessage[]> {
    this.#keywords.reload();
    this.#moved.clear();
    const own: (TreeMessage & { readonly uid: number })[] = [];
    const foreign: TreeMessage[] = [];
    for (const { file, uid, letters } of this.#named()) {
      const message = this.#toMessage(file, letters);
      if (message === null) continue;
      if (uid === null) foreign.push(message);
      else own.push({ ...message, uid });
    }
    own.sort((a, b) => a.uid - b.uid);
    foreign.sort((a, b) => a.dateMs - b.dateMs || (a.file < b.file ? -1 : 1));
    return [...own, ...foreign];
  }

  async uids(): Promise<Uint32Array> {
    return Uint32Array.from(this.#named().flatMap(({ uid }) => uid ?? [])).sort();
  }

  async find(uid: number): Promise<TreeMessage | null> {
    const named = this.#named().find((other) => other.uid === uid);
    const message = named === undefined ? null : this.#toMessage(named.file, named.letters);
    return message === null ? null : { ...message, uid };
  }

  #named(): NamedMessage[] {
    const uids = new Set<number>();
    return this.#files().map((file) => {
      const { uid, letters } = parseMaildirName(nameOf(file));
      // A copy that somebody made by hand has the same UID, and is a message of its own.
      if (uid === null || uids.has(uid)) return { file, uid: null, letters };
      uids.add(uid);
      return { file, uid, letters };
    });
  }

  /** `null`: it is gone meanwhile. */
  #toMessage(file: string, letters: string): TreeMessage | null {
    const stat = lstatSync(join(this.#root, file), { throwIfNoEntry: false });
    if (stat === undefined) return null;
    const flags = this.#isNew(file) ? [] : fromLetters(letters, this.#keywords);
    // Times come back some nanoseconds short of the millisecond.
    const dateMs = Math.round(stat.mtimeMs);
    return { uid: null, file, offset: 0, length: stat.size, size: stat.size, dateMs, flags };
  }

  async read(message: TreeMessage): Promise<readonly Buffer[]> {
    return [this.#atFile(message, (file) => readWhole(join(this.#root, file)))];
  }

  async open(message: TreeMessage): Promise<OpenedMessage> {
    return this.#atFile(message, (file) => this.#slices.open(join(this.#root, file)));
  }

  async append(messages: readonly NewBody[]): Promise<void> {
    this.#addKeywords(messages);
    for (let at = 0; at < messages.length; at += maxOpenFiles) {
      const drafts: MaildirDraft[] = [];
      try {
        for (const message of messages.slice(at, at + maxOpenFiles)) {
          const draft = this.#createDraft(message, message.body.size);
          drafts.push(draft);
          draft.write(message.body.chunks);
          draft.setDate(message.dateMs);
        }
        await this.#place(drafts);
      } finally {
        for (const draft of drafts) draft.drop();
      }
    }
  }

  async appendStream(message: NewMessage, body: OpenedMessage): Promise<void> {
    this.#addKeywords([message]);
    const draft = this.#createDraft(message, body.size);
    try {
      let written = 0;
      for await (const slice of body.slices) {
        draft.write([slice]);
        written += slice.length;
      }
      if (written !== body.size) {
        throw new TreeError('UNREADABLE', `a message of ${body.size} bytes came with ${written}: it is not stored`);
      }
      draft.setDate(message.dateMs);
      await this.#place([draft]);
    } finally {
      draft.drop();
    }
  }

  async setFlags(changes: readonly FlagChange[]): Promise<void> {
    this.#addKeywords(changes);
    for (const { message, flags } of changes) {
      this.#atFile(message, (file) => {
        const { base, letters } = parseMaildirName(nameOf(file));
        const renamed = `${this.#prefix}cur/${encodeMaildirName(base, toLetters(flags, this.#keywords, letters))}`;
        this.#rename(file, renamed);
        this.#moved.set(base, renamed);
      });
    }
    this.#syncNames();
  }

  async remove(messages: readonly TreeMessage[]): Promise<void> {
    for (const message of messages) {
      try {
        this.#atFile(message, (file) => unlink(join(this.#root, file)));
      } catch (error) {
        if (!(error instanceof TreeError && error.code === 'GONE')) throw error;
      }
    }
    this.#syncNames();
  }

  async close(): Promise<void> {
    this.#slices.close();
  }

  #addKeywords(messages: Iterable<{ readonly flags: readonly string[] }>): void {
    const flags = new Set<string>();
    for (const message of messages) for (const flag of message.flags) if (!flag.startsWith('\\')) flags.add(flag);
    if (flags.size > 0) this.#keywords.add(flags, join(this.#tmp, this.#names.next()), { fsync: this.#fsync });
  }

  #createDraft({ uid, flags }: NewMessage, bytes: number): MaildirDraft {
    const unique = this.#names.next();
    const name = encodeMaildirName(messageBase(unique, uid, bytes), toLetters(flags, this.#keywords));
    return new MaildirDraft(join(this.#tmp, unique), join(this.#cur, name));
  }

  /** Gives the drafts their names, once they are on the disk. */
  async #place(drafts: readonly MaildirDraft[]): Promise<void> {
    if (this.#fsync) {
      try {
        await syncFiles(drafts.map((draft) => draft.handle));
      } catch (error) {
        throw writeError(this.#cur, error);
      }
    }
    for (const draft of drafts) draft.place();
    if (this.#fsync) syncDirectory(this.#cur);
  }

  #rename(from: string, to: string): void {
    const [source, target] = [join(this.#root, from), join(this.#root, to)];
    if (lstatSync(source, { throwIfNoEntry: false }) === undefined) {
      throw new TreeError('GONE', `${source} is not there any more`);
    }
    if (from === to) return;
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
      throw new TreeError('TREE', `${target} is there already: two files are called the same but for their flags`);
    }
    try {
      renameSync(source, target);
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? readError(source, error) : writeError(target, error);
    }
  }

  #syncNames(): void {
    if (!this.#fsync) return;
    syncDirectory(this.#cur);
    syncDirectory(this.#new);
  }

  /** Does something with a message's file; where it is not there, others may have renamed it. */
  #atFile<Result>(message: TreeMessage, use: (file: string) => Result): Result {
    const { base } = parseMaildirName(nameOf(message.file));
    const known = this.#moved.get(base) ?? this.#checked(message.file);
    try {
      return use(known);
    } catch (error) {
      if (!(error instanceof TreeError && error.code === 'GONE')) throw error;
      this.#moved = new Map(this.#files().map((file) => [parseMaildirName(nameOf(file)).base, file]));
      const found = this.#moved.get(base);
      if (found === undefined || found === known) throw error;
      return use(found);
    }
  }

  /** A name from elsewhere leads to files of this folder only. */
  #checked(file: string): string {
    const isOurs = file.startsWith(this.#prefix) && messageFile.test(file.slice(this.#prefix.length));
    if (!isOurs) throw new TreeError('TREE', `${file} is no message of ${this.#cur}`);
    return file;
  }

  /** Files of messages, relative to the root, sorted by name. */
  #files(): string[] {
    for (let look = 1; ; look++) {
      const before = this.#lastChange();
      const files = [this.#cur, this.#new].flatMap((directory, index) => {
        const names = (listDirectory(directory) ?? []).filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
        return names.map((entry) => `${this.#prefix}${index === 0 ? 'cur' : 'new'}/${entry.name}`);
      });
      if (look === maxLooks || this.#lastChange() === before) return files;
    }
  }

  #lastChange(): string {
    const directories = [this.#cur, this.#new];
    return directories.map((path) => lstatSync(path, { throwIfNoEntry: false, bigint: true })?.mtimeNs).join();
  }

  #isNew(file: string): boolean {
    return file.startsWith('new/', this.#prefix.length);
  }
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

/** @throws TreeError: `GONE` where it is not there */
function unlink(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? readError(file, error) : writeError(file, error);
  }
}
