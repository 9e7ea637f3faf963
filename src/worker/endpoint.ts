import type { AccountReport } from '../job.ts';
import type { FolderInfo, Naming, Traits } from '../plan/types.ts';
import type { Literal } from '../protocol/index.ts';
import type {
  EndpointFacts,
  FlagTable,
  FolderContents,
  FolderFacts,
  FolderTask,
  InspectTask,
  ListedBefore,
  PrepareResult,
  PrepareTask,
  QuotaFacts,
  RemoveTask,
  SelectedFacts,
  StoredFlags,
  StoreFlagsTask,
} from './contract.ts';

/** One message on its way. The body's slices are the ones the socket delivered; they are handed on, never joined. */
export interface Message {
  readonly uid: number;
  readonly flags: readonly string[];
  /** Exactly as the source wrote it; `null` where it gave none. */
  readonly internalDate: string | null;
  readonly body: Literal;
}

/** What became of one message handed to `append`. */
export type Stored =
  | { readonly kind: 'stored'; readonly uid: number | null }
  | RefusedWords
  /** The connection was lost: the server may have stored it or not. */
  | { readonly kind: 'unknown'; readonly error: unknown }
  /** Not sent, because `shouldStop` said so. */
  | { readonly kind: 'unsent' };

export interface AppendOptions {
  /** One command a message, even where batches are taken. */
  readonly singly: boolean;
  /** Asked before each command but the first. */
  shouldStop(): boolean;
}

export interface RefusedWords {
  readonly kind: 'refused';
  readonly code: 'NO' | 'BAD';
  readonly responseCode: string | null;
  /** The server's words, raw. */
  readonly text: string;
}

/** What became of a message asked for by UID. */
export type Fetched =
  | { readonly kind: 'message'; readonly message: Message }
  | NoMessage
  /** Much bigger than the source had announced: its body was dropped, and has to be asked for by itself. */
  | { readonly kind: 'oversize'; readonly uid: number; readonly size: number };

/** Why a message that was asked for did not come. */
export type NoMessage =
  /** Expunged meanwhile: the server, asked again, has no such UID any more. */
  | { readonly kind: 'gone'; readonly uid: number }
  /** There, but the server would not give its body. */
  | { readonly kind: 'unreadable'; readonly uid: number; readonly text: string };

/** A body that comes no faster than it is read. */
export interface OpenBody {
  readonly kind: 'body';
  /** Bytes in all: what the literal announces, not what RFC822.SIZE claims. */
  readonly size: number;
  /** To be read once. Fails when the rest will never come. */
  readonly slices: AsyncIterable<Buffer>;
  /** Nobody reads the rest: it is dropped as it comes. */
  drop(): void;
}

/** A window of listed messages, ascending by UID. */
export interface ListedMessages {
  readonly uids: Uint32Array;
  readonly sizes: Uint32Array;
}

/**
 * An account or a tree of folders that messages are read from or written to. Policy reads `abilities`, never the kind.
 * Methods throw `CommandError` when the server refuses, and the other `ImapError`s when the connection is lost.
 */
export interface Endpoint extends AsyncDisposable {
  readonly abilities: Omit<Traits, keyof Naming>;
  /** Rejects when the connection is lost before it is known. */
  readonly facts: Promise<EndpointFacts>;
  /** Time that a command and its answer spend on the way; 0: there is none. */
  readonly roundTripMs: number;
  /** Told when the server asks for less at a time: why, and its words. */
  onSlowDown: ((why: string, words: string) => void) | null;

  /** All folders with their STATUS, in the server's order. */
  listFolders(): Promise<FolderInfo[]>;
  quotas(): Promise<QuotaFacts[]>;
  /** Everything `check` tells of it. */
  report(): Promise<AccountReport>;
  /** Has all further bytes compressed, where that is offered and taken. Never throws: a lost connection shows. */
  compress(): Promise<boolean>;
  /** Creates and subscribes folders, in order; one refusal does not stop the others. */
  prepare(tasks: readonly PrepareTask[]): Promise<PrepareResult[]>;
  /**
   * Opens a folder to read from; nothing the reader does changes it. Several may be open: what was opened before is read on,
   * too, but with `listFrom` (the first UID its `scan` will list, which is then asked for along with the folder) and without
   * anything between, opening and listing take one round trip.
   */
  openForReading(name: FolderTask['targetName'], listFrom: number | null): Promise<ReadableFolder>;
  /** Flags of all messages of a folder, or of those that changed since a mod-sequence (RFC 7162 CHANGEDSINCE). */
  readFlags(name: FolderTask['targetName'], since: string | null): Promise<FlagTable>;
  /** Opens a folder to append to. Writers opened before stay usable for `append`. */
  openForWriting(name: FolderTask['targetName']): Promise<WritableFolder>;
  /** Sets and removes flags of messages in a folder. */
  storeFlags(task: StoreFlagsTask): Promise<StoredFlags>;
  /** Deletes messages for good, and answers how many; `null`: not here. */
  readonly remove: ((task: RemoveTask) => Promise<number>) | null;
  /** STATUS of a folder that is not selected; `null`: there is none. */
  statusOf(name: FolderTask['targetName']): Promise<FolderFacts | null>;
  /** Ends the session in an orderly way; never throws. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ReadableFolder {
  readonly facts: SelectedFacts;
  /** Whoever leaves the folder and opens it again finds the same UIDs. */
  readonly keepsUids: boolean;
  /**
   * Lists the folder in windows, so that copying starts before a big folder is listed to its end; only what came since the
   * list before, where nothing has gone.
   */
  scan(before?: ListedBefore | null): AsyncIterable<ListedMessages>;
  /** Messages of the list before that `scan` has not listed again, since all of them are there. */
  readonly unchanged: number;
  /** Messages the server counts but has not listed, known once `scan` has come to its end: the listing is not the whole folder. */
  unlisted(): number;
  /**
   * Fetches messages by UID, ascending; answers one `Fetched` per UID, in that order. Rejects with the CommandError where the
   * server pushes back; `tries` is how often it has done so before: what may be the messages' fault is in the end taken for it.
   */
  fetch(uids: Uint32Array, tries?: number): Promise<Fetched[]>;
  /** The same for everything but the bodies, which have no slices here and the size the source announces. */
  describe(uids: Uint32Array, tries?: number): Promise<Fetched[]>;
  /**
   * Asks for one body, and resolves when it begins. Until it is read or dropped, nothing that is asked for behind it
   * arrives.
   */
  openBody(uid: number): Promise<OpenBody | NoMessage>;
  /**
   * Reads the whole folder for verification; bodies are hashed as they arrive and dropped. `shouldStop` is asked between
   * commands; once it says true the contents are what was read so far, and not `complete`.
   */
  inspect(part: Pick<InspectTask, 'bodies' | 'uids' | 'fromUid'>, shouldStop?: () => boolean): Promise<FolderContents>;
}

export interface WritableFolder {
  readonly facts: SelectedFacts;
  /** Appends in order and answers one `Stored` per message. Never throws for anything the server or the line does. */
  append(messages: readonly Message[], options: AppendOptions): Promise<Stored[]>;
  /**
   * Appends one message whose body comes while it is being sent, `size` bytes of it. Where `slices` fails, the connection
   * is ended before the message is whole.
   */
  appendStream(
    message: Message,
    body: { readonly size: number; readonly slices: AsyncIterable<Buffer> },
  ): Promise<Stored>;
  /** True: several messages go in one command that is refused as a whole, so that a refusal names no culprit (RFC 3502). */
  readonly atomic: boolean;
  /** True: several calls of `append` may be under way at once. False: the next waits for the last one's answer. */
  readonly pipelines: boolean;
  /** From now on messages go one by one: the server refuses batches whose every message it takes alone. */
  distrustBatches(): void;
  /** Splits a message's flags into what the folder keeps and what it loses. */
  splitFlags(flags: readonly string[]): { readonly kept: readonly string[]; readonly lost: readonly string[] };
  /** INTERNALDATE of one stored message (`null`: the last one) as the server now tells it; `null`: not to be had. */
  internalDateOf(uid: number | null): Promise<string | null>;
  /** Messages the folder now holds; `null`: the server cannot be asked. */
  count(): Promise<number | null>;
}
