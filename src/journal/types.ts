/**
 * What the rest of the program sees of a journal. Plain data, safe to clone between threads.
 */

import type { FlagColumns } from '../plan/flag-changes.ts';
import type { IntendedMessages, StoredMessages } from '../plan/message-facts.ts';
import type { FolderStatus, SpecialUse } from '../plan/types.ts';

/**
 * The final words there are on a source message; `JournalMessages.verdicts` holds indexes into this list.
 *
 * `copied`: appended by this program (told by APPENDUID, or found by matching) · `adopted`: was at the target already ·
 * `gone`: expunged at the source, before it was copied or after (then with the target UID it has).
 */
export const verdictKinds = ['copied', 'adopted', 'gone'] as const;

export type VerdictKind = (typeof verdictKinds)[number];

/**
 * Where a journal is. `state`: in a directory of journals, named by its accounts · `tree`: in a directory of the tree of
 * files that is the target, as that tree's one manifest; the target's label is no part of its identity.
 */
export interface JournalPlace {
  readonly kind: 'state' | 'tree';
  readonly directory: string;
}

/** What a source folder is besides its messages. */
export interface FolderAttributes {
  readonly specialUse: SpecialUse | null;
  /** `null`: not known. */
  readonly subscribed: boolean | null;
  /** `null`: a flat name, or not known. */
  readonly sourceDelimiter: string | null;
}

/** One source folder and the target folder it goes to: (`sourceRawName`, `targetName`) is its identity. */
export interface JournalFolder {
  readonly id: number;
  /** As listed, one character per byte (latin1). */
  readonly sourceRawName: string;
  /** Unicode, with the target's own delimiter. */
  readonly targetName: string;
  readonly sourceUidValidity: number | null;
  readonly targetUidValidity: number | null;
  /** STATUS of the source when the folder was last brought to its end; `null`: it never was, or something was refused. */
  readonly finishedAt: FolderStatus | null;
  /** HIGHESTMODSEQ of the source up to which flags are applied, decimal digits (RFC 7162). */
  readonly flagsModSeq: string | null;
  /** As of the last time it was opened with them. */
  readonly attributes: FolderAttributes;
  /**
   * Whatever this program may have stored at the target without the journal knowing has a UID from here on: UIDNEXT of
   * the target when the folder was first opened, raised as outcomes become known. Open intents have fences of their own.
   */
  readonly fence: number | null;
  /** Messages with a verdict. */
  readonly messages: number;
  /** Open intents. */
  readonly intents: number;
  /**
   * The target may hold messages of this folder at or above `fence` (`null`: anywhere) that the journal does not know:
   * match them by content before anything is appended. True after a run that ended in the middle, after `forget`, and
   * where `openFolder` said so; false from a record `settled` or `finished` on. Survives an orderly end.
   */
  readonly inDoubt: boolean;
}

/** The messages of a folder that have a verdict, in columns, ascending by source UID. */
export interface JournalMessages {
  readonly uids: Uint32Array;
  /** 0: the server told none. */
  readonly targetUids: Uint32Array;
  /** Indexes into `verdictKinds`. */
  readonly verdicts: Uint8Array;
  /** Indexes into `flagSets`: the source's flags as last applied at the target. */
  readonly flags: Uint32Array;
  /** Flags joined by blanks, as the source wrote them. */
  readonly flagSets: readonly string[];
}

/** An open intent: from here to its verdict the message may or may not be at the target. */
export interface Intent {
  /** At the source. */
  readonly uid: number;
  /** One APPEND command: its messages are stored all or none, where the server keeps RFC 3502. */
  readonly batch: number;
  /** Target UIDNEXT, or a lower bound of it, before the APPEND. */
  readonly fence: number | null;
  readonly targetUidValidity: number | null;
  /** Bytes, as the source announces or served them. */
  readonly size: number;
  /** SHA-256 in canonical line ends; `null`: not known before the message is sent. */
  readonly digest: Uint8Array | null;
  /** INTERNALDATE as the source wrote it. */
  readonly internalDate: string | null;
  /** Flags joined by blanks. */
  readonly flags: string;
}

/** The messages of one APPEND command, before it is sent. */
export type IntentColumns = IntendedMessages;

/**
 * Messages that got the same verdict. `sizes: null`: not known. `digests: null`: nobody compared the content (adopted by
 * its headers alone). `internalDates: null`: this journal keeps none. Flags are those the target was given.
 */
export type VerdictColumns = Omit<StoredMessages, 'sizes' | 'digests'> & {
  readonly sizes: Float64Array | null;
  readonly digests: Uint8Array | null;
};

/** A folder as it is found when it is opened. */
export interface OpenedFolder {
  readonly sourceRawName: string;
  readonly targetName: string;
  readonly sourceUidValidity: number | null;
  readonly targetUidValidity: number | null;
  /** UIDNEXT of the target, or a lower bound. Taken only where the journal has none yet: it knows better otherwise. */
  readonly fence: number | null;
  /** Absent: those that are known stay. */
  readonly attributes?: FolderAttributes;
  /**
   * The target folder may hold source messages that no journal tells of (an earlier run's, another program's); then
   * `fence` is where they begin, and is taken if it is lower than the known one. Default: false.
   */
  readonly inDoubt?: boolean;
}

/**
 * One thing to remember. UIDs are source UIDs, strictly ascending in every record. Columns must stay as they are until the
 * write that they were given to has resolved.
 */
export type JournalRecord =
  /**
   * The folder was opened again; `finishedAt` is void. A fence the journal has stays. Where one of the UIDVALIDITYs is
   * another than before, every UID of the folder means nothing any more: it implies `forget`, so write it before verdicts.
   */
  | {
      readonly kind: 'folder';
      readonly folderId: number;
      readonly sourceUidValidity: number | null;
      readonly targetUidValidity: number | null;
      readonly fence: number | null;
      readonly attributes?: FolderAttributes;
    }
  /** Every verdict and intent is void, and so are `finishedAt` and `flagsModSeq`; the whole folder is in doubt, from UID 1. */
  | { readonly kind: 'forget'; readonly folderId: number }
  /** About to be appended, in one command. An intent that is open for the same UID is replaced. */
  | {
      readonly kind: 'intents';
      readonly folderId: number;
      /** Target UIDNEXT, or a lower bound of it. */
      readonly fence: number | null;
      readonly targetUidValidity: number | null;
      readonly messages: IntentColumns;
    }
  /**
   * Closes the intents of these UIDs; replaces earlier verdicts on them, but for what is known of a message that is now
   * gone: that stays. `fence` raises the folder's, never lowers it.
   */
  | {
      readonly kind: 'verdicts';
      readonly folderId: number;
      readonly verdict: VerdictKind;
      readonly messages: VerdictColumns;
      readonly fence?: number;
    }
  /** Closes intents without a verdict: refused, or found absent. */
  | { readonly kind: 'dropped'; readonly folderId: number; readonly uids: Uint32Array }
  /** The copies of these messages are deleted at the target: their target UIDs are void. Only what is `gone` is touched. */
  | { readonly kind: 'removed'; readonly folderId: number; readonly uids: Uint32Array }
  /** Flags as now applied; UIDs without a verdict are ignored. `modSeq: null` leaves `flagsModSeq` as it is. */
  | {
      readonly kind: 'flags';
      readonly folderId: number;
      readonly messages: FlagColumns;
      readonly modSeq: string | null;
    }
  /** No longer in doubt: what the target holds at or above the fence is accounted for. `fence` raises the folder's. */
  | { readonly kind: 'settled'; readonly folderId: number; readonly fence?: number }
  /** Everything up to `status` is done; implies `settled`. */
  | { readonly kind: 'finished'; readonly folderId: number; readonly status: FolderStatus };

/** The one writer of a job's state. */
export interface Journal extends AsyncDisposable {
  /** Path of the SQLite file. */
  readonly file: string;
  /**
   * How it was found. `clean`: the last run closed it · `crash`: it ended in the middle, so every folder is in doubt, or
   * some folder still is from earlier on · `new`: nothing was ever written.
   */
  readonly state: 'new' | 'clean' | 'crash';
  /** Every folder, as of the last commit, in the order of their ids. */
  folders(): readonly JournalFolder[];
  folder(sourceRawName: string, targetName: string): JournalFolder | null;
  /** Makes the folder known, or records that it was opened again (see the record `folder`). Durable when it resolves. */
  openFolder(folder: OpenedFolder): Promise<JournalFolder>;
  /** Includes every record written before the call. */
  messages(folderId: number): Promise<JournalMessages>;
  /** Open intents in the order of batch and UID; includes every record written before the call. */
  intents(folderId: number): Promise<readonly Intent[]>;
  /**
   * Resolves when the records are durable. The records of one call stand in one commit; calls made while a commit runs
   * share the next one; the order is kept.
   * @throws MigrateError (exit 10) when the disk refuses: that write and every later call; nothing of them is kept.
   * @throws RangeError for a record that cannot be: an unknown folder, a UID of 0, columns of different lengths; nothing else
   * is harmed.
   */
  write(...records: readonly JournalRecord[]): Promise<void>;
  /** Counters for the log and the bench: commits, records in them, and the time they took on the disk in ms. */
  stats(): { readonly commits: number; readonly records: number; readonly commitMs: number };
  /** Waits for what is being written, marks the journal clean, closes it and lets go of the lock. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a journal is opened; tests choose, the program uses the defaults but for `rebuild`. */
export interface OpenOptions {
  /** Runs the writer on the calling thread. Default: only where the sources run as TypeScript. */
  readonly inline?: boolean;
  /** Puts an existing journal aside, whatever is in it, and starts a new one. Default: false. */
  readonly rebuild?: boolean;
  /** What kind of file system a directory is on; default: what the system says. */
  readonly fileSystemOf?: (directory: string) => FileSystem;
}

/** A file system, as far as a journal cares. */
export interface FileSystem {
  /** The magic number of statfs(2); 0 where the system has none. */
  readonly type: number;
  /** Name of the type in the mount table (`fuse.sshfs`); `null`: unknown. */
  readonly name: string | null;
}
