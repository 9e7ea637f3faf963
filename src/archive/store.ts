/**
 * What every kind of tree offers: folders of messages in files of its own. A store knows its format and nothing of jobs;
 * UIDs, flags and dates that the format cannot hold are its user's business (see `journal/manifest.ts`).
 */
import type { Literal } from '../protocol/index.ts';

export const treeFormats = ['maildir', 'mbox', 'eml'] as const;

export type TreeFormat = (typeof treeFormats)[number];

/** A folder's name from the top, a segment each, in Unicode and as the source has it; the inbox is `['INBOX']`. */
export type TreePath = readonly string[];

export interface TreeFolder {
  readonly path: TreePath;
  /** False: it is there because of the folders below it. */
  readonly holdsMessages: boolean;
}

/** A message as its file tells of it, without reading the message itself. */
export interface TreeMessage {
  /** Given by `append`, and kept in the message's name; `null`: it came here by other means. */
  readonly uid: number | null;
  /** The file it is in, relative to the root of the tree, with `/`. */
  readonly file: string;
  /** Where in the file it begins, in bytes, with whatever the format puts before it. */
  readonly offset: number;
  /** Bytes in the file, as they are stored. */
  readonly length: number;
  /** Bytes of the message itself; `null`: they are known when it has been read. */
  readonly size: number | null;
  /** INTERNALDATE as the format keeps it, epoch milliseconds; NaN: it does not. */
  readonly dateMs: number;
  /** As the format keeps them; `null`: it has no place for flags. */
  readonly flags: readonly string[] | null;
}

/** A message to store. */
export interface NewMessage {
  /** Greater than that of any message the folder has or had. */
  readonly uid: number;
  readonly flags: readonly string[];
  /** INTERNALDATE, epoch milliseconds; NaN: none was given. */
  readonly dateMs: number;
}

/** A message with its bytes: they are stored as they are, line ends and all. */
export interface NewBody extends NewMessage {
  readonly body: Literal;
}

export interface FlagChange {
  readonly message: TreeMessage;
  /** All flags it has from now on. */
  readonly flags: readonly string[];
}

/** A body that is read piece by piece. */
export interface OpenedMessage {
  readonly size: number;
  /** To be read once; the file is closed at its end, or when the reader stops. */
  readonly slices: AsyncIterable<Buffer>;
}

/**
 * One folder. Methods throw `TreeError`.
 */
export interface StoreFolder {
  /** What is in the folder now, in the order in which it came: by UID, then by date and name. */
  list(): Promise<readonly TreeMessage[]>;
  /** UIDs of what `append` has put here, ascending: what names tell, where those tell enough. */
  uids(): Promise<Uint32Array>;
  /** The message of that UID; `null`: there is none. */
  find(uid: number): Promise<TreeMessage | null>;
  /** The bytes of a message, as they were given to `append`. Throws `GONE` where its file is not there any more. */
  read(message: TreeMessage): Promise<readonly Buffer[]>;
  /** The same for a message that may be bigger than what should be in memory. */
  open(message: TreeMessage): Promise<OpenedMessage>;
  /**
   * Stores messages in order, ascending by UID. On the disk when it resolves; where it fails, some may be there. May be called
   * again, with higher UIDs, before that.
   */
  append(messages: readonly NewBody[]): Promise<void>;
  /** Stores one message whose bytes come while it is being written. Where they fail, nothing is stored. */
  appendStream(message: NewMessage, body: OpenedMessage): Promise<void>;
  /** Sets flags where the format has a place for them; elsewhere nothing is to be done. */
  setFlags(changes: readonly FlagChange[]): Promise<void>;
  /** Deletes messages. What is left keeps its UIDs. */
  remove(messages: readonly TreeMessage[]): Promise<void>;
  /** Lets go of the files. */
  close(): Promise<void>;
}

/** A tree on the disk. Methods throw `TreeError`. */
export interface TreeStore {
  readonly format: TreeFormat;
  /** Every folder; parents before their children. */
  listFolders(): Promise<readonly TreeFolder[]>;
  /** Makes a folder that can hold messages, with its parents; false: it was there. */
  createFolder(path: TreePath): Promise<boolean>;
  /** Throws `NO_FOLDER` where there is none. For writing: repairs what a crash left half done. */
  openFolder(path: TreePath, options: { readonly forWriting: boolean }): Promise<StoreFolder>;
}

/** How a store is opened. */
export interface StoreOptions {
  /** Absolute path of a directory that is there (see `openRoot`). */
  readonly root: string;
  /** `batch`: what `append` stored is on the disk when it resolves. `never`: when the system likes. */
  readonly fsync: 'batch' | 'never';
  /** Of eml trees: how new messages are compressed. */
  readonly compress: 'none' | 'gzip' | 'zstd';
  /** Of new Maildir trees: `.A.B` (Maildir++, the default of most programs) or `A/B`. */
  readonly layout: 'maildir++' | 'fs';
}
