/**
 * Every type that crosses between the main thread and a lane. Plain data only:
 * structured clone loses classes, and message bodies never travel here.
 */
import type { EndpointSettings } from '../account.ts';
import type { WireError } from '../errors.ts';
import type { AccountReport, CompressPolicy, Side } from '../job.ts';
import type { IntendedMessages, StoredMessages } from '../plan/message-facts.ts';
import type { FolderInfo, Shard, SpecialUse, Traits } from '../plan/types.ts';
import type { PushBack } from './push-back.ts';

export type { PushBack } from './push-back.ts';

/** Carries messages both ways in order: a MessagePort on a thread, a pair in memory inline. */
export interface Channel<Out, In> {
  /** `handedOver`: buffers of typed arrays in the message that go to the other side, instead of a copy of them. */
  post(message: Out, handedOver?: readonly ArrayBuffer[]): void;
  /** Registers the one receiver; messages that came earlier are delivered to it. */
  onMessage(handler: (message: In) => void): void;
  close(): void;
}

/** How fast a job may be, all lanes together; `null`: as fast as it can. */
export interface JobPace {
  /** In each direction: from the source, and to the target. */
  readonly bytesPerSecond: number | null;
  readonly messagesPerSecond: number | null;
  /** What all lanes have used: see `Allowance`. */
  readonly shared: SharedArrayBuffer;
}

/** What a lane is started with. */
export interface LaneOptions {
  readonly laneId: number;
  /** There is no other lane: it looks at what one look in a job is enough for. */
  readonly isFirst: boolean;
  readonly source: EndpointSettings;
  /** `null`: the job looks at one account only. */
  readonly target: EndpointSettings | null;
  /** Absent: as fast as it can. */
  readonly pace?: JobPace | undefined;
  /** Absent: `off`. */
  readonly compress?: CompressPolicy | undefined;
  /** Nothing is written on either side. Absent: false. */
  readonly readOnly?: boolean | undefined;
  /** The job's journal is its target's manifest: it keeps INTERNALDATEs. Absent: false. */
  readonly keepsManifest?: boolean | undefined;
}

/** A folder of the target to create or subscribe, parents first. */
export interface PrepareTask {
  readonly folderId: number;
  readonly targetName: string;
  readonly create: boolean;
  readonly specialUse: SpecialUse | null;
  readonly subscribe: boolean;
}

export interface PrepareResult {
  readonly folderId: number;
  /** It was made just now. */
  readonly created: boolean;
  /** Why the folder cannot be used; `null`: it is there. */
  readonly failure: WireError | null;
  /** It was not refused for good: to be tried again. */
  readonly pushedBack: PushedBack | null;
  /** Things that did not work and cost no mail, such as a refused SUBSCRIBE. */
  readonly notes: readonly string[];
}

/** A folder as it was when it was last listed to its end. */
export interface ListedBefore {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly messages: number;
}

/** A folder to copy on this lane. */
export interface FolderTask {
  readonly folderId: number;
  /** Raw name (latin1) of the source folder. */
  readonly sourceRawName: string;
  /** The target folder, raw where it was listed, else Unicode. */
  readonly targetName: { readonly raw: string } | { readonly unicode: string };
  /** List the folder's messages; false for a lane that joins a folder another lane lists. */
  readonly scan: boolean;
  /** With `scan`: as long as nothing has gone since, only what came has to be listed. */
  readonly listedBefore: ListedBefore | null;
  /** What there is to copy, as far as STATUS and the journal tell; `null`: they do not. */
  readonly expected: { readonly messages: number; readonly bytes: number } | null;
  /** Other lanes may take a part of it. */
  readonly shared: boolean;
  /** The source's folders can be left and found again with the same UIDs, as far as is known. */
  readonly keepsUids: boolean;
  /** Messages copied there before this run. */
  readonly copiedBefore: number;
  /** Messages go one by one: this target has stored a part of a batch. */
  readonly singly: boolean;
}

/** What a lane learnt when it selected a folder. */
export interface SelectedFacts {
  readonly uidValidity: number | null;
  readonly uidNext: number | null;
  readonly exists: number;
  /** Decimal digits. */
  readonly highestModSeq: string | null;
}

/** A message that the target does not take, or the source does not give. */
export interface RefusedMessage {
  readonly uid: number;
  readonly bytes: number;
  readonly code: string;
  readonly text: string;
  /** To find the message by; `null`: unknown. Raw: escape before printing. */
  readonly subject: string | null;
}

/** What STATUS tells of a target folder. */
export interface FolderFacts {
  readonly messages: number;
  readonly uidNext: number | null;
  readonly uidValidity: number | null;
}

/** One answered batch: the final word on each of its messages, but for those of which nobody knows. */
export interface BatchReport {
  readonly stored: StoredMessages;
  readonly refused: readonly RefusedMessage[];
  /** UIDs the source has no more, ascending. */
  readonly gone: Uint32Array;
  /** UIDs of messages certainly not stored, and not by their own fault, ascending: to be tried again. */
  readonly unsent: Uint32Array;
  /** Messages stored at a second or later attempt, after their batch was refused. */
  readonly resent: number;
  /** Flags the target does not keep -> messages that lost them. */
  readonly lostFlags: Readonly<Record<string, number>>;
}

/** A verification's view of one folder on one side, as columns. */
export interface FolderContents {
  /** Ascending. */
  readonly uids: Uint32Array;
  readonly sizes: Uint32Array;
  /** INTERNALDATE as epoch milliseconds; NaN where the server's text cannot be read. */
  readonly dates: Float64Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  /** Sorted flags in lower case without \recent, joined by blanks. */
  readonly flagSets: readonly string[];
  /** 16 bytes a message: what its identifying header fields hash to. */
  readonly headerKeys: Uint8Array;
  /** 32 bytes a message: SHA-256 of the canonical form; `null` when bodies were not read. */
  readonly digests: Uint8Array | null;
  /** UIDs whose body the server would not give, ascending. */
  readonly unreadable: Uint32Array;
  /** Messages the server counts but does not list: nothing is known of them, not even a UID. */
  readonly unlisted: number;
  /** False: the lane was told to stop, and the rest of the folder was not read. */
  readonly complete: boolean;
}

/** Flags of a folder's messages as columns, ascending by UID. */
export interface FlagTable {
  readonly uidValidity: number | null;
  /** Up to which the table is true; decimal digits. `null`: the server keeps no mod-sequences. */
  readonly highestModSeq: string | null;
  readonly uids: Uint32Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  /** Flags as the server wrote them, joined by blanks, without \\Recent. */
  readonly flagSets: readonly string[];
}

/** Flags to set and to remove at the target. */
export interface TargetFlagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** Of the target, ascending. */
  readonly uids: Uint32Array;
}

export interface StoreFlagsTask {
  readonly folder: FolderTask['targetName'];
  /** What the folder must have for the UIDs to mean anything; `null`: they were looked up just now. */
  readonly uidValidity: number | null;
  readonly changes: readonly TargetFlagChange[];
}

/** Messages to delete at the target, for good. */
export interface RemoveTask {
  readonly folder: FolderTask['targetName'];
  /** What the folder must have for the UIDs to mean anything. */
  readonly uidValidity: number | null;
  /** Ascending. Those that are not there are passed over. */
  readonly uids: Uint32Array;
}

export interface StoredFlags {
  /** The target's words where it refused any of it; `null`: all was done that it can keep. */
  readonly refusal: string | null;
  /** Messages that were changed. */
  readonly changed: number;
  /** Flags the folder does not keep. */
  readonly lost: readonly string[];
}

export interface EndpointFacts {
  readonly traits: Traits;
  /** Name and version as the server gave them. Raw: escape before printing. */
  readonly server: string;
  readonly warnings: readonly string[];
}

export interface QuotaFacts {
  readonly root: string;
  readonly resource: string;
  readonly usage: number;
  readonly limit: number;
}

export interface Listing {
  /** What the account told about itself. */
  readonly facts: EndpointFacts;
  readonly folders: readonly FolderInfo[];
  readonly quotas: readonly QuotaFacts[];
}

export type ToLane =
  | { readonly kind: 'list' }
  | { readonly kind: 'prepare'; readonly tasks: readonly PrepareTask[] }
  | { readonly kind: 'folder'; readonly task: FolderTask }
  /** The next slice to copy; `null`: this folder has nothing more for this lane. */
  | { readonly kind: 'shard'; readonly folderId: number; readonly shard: Shard | null }
  | { readonly kind: 'inspect'; readonly folderId: number; readonly task: InspectTask }
  | { readonly kind: 'status'; readonly folderId: number; readonly folder: FolderTask['targetName'] }
  /** Read the flags at the source: all, or of what changed since a mod-sequence (decimal digits). */
  | {
      readonly kind: 'read-flags';
      readonly folderId: number;
      readonly folder: FolderTask['targetName'];
      readonly since: string | null;
    }
  | { readonly kind: 'store-flags'; readonly folderId: number; readonly task: StoreFlagsTask }
  | { readonly kind: 'remove'; readonly folderId: number; readonly task: RemoveTask }
  | { readonly kind: 'report' }
  /** The intents posted under `token` are durable: the batch may be sent. */
  | { readonly kind: 'durable'; readonly token: number }
  /** What was pushed back under `token` may be tried again; false: it is given up. */
  | { readonly kind: 'go-on'; readonly token: number; readonly goOn: boolean }
  /** Until told otherwise no message is to be fetched from the source, or handed to the target. */
  | { readonly kind: 'hold'; readonly side: Side; readonly held: boolean }
  /** Finish what is in flight and end; what is left is another lane's. */
  | { readonly kind: 'leave'; readonly error: WireError }
  /** Finish what is in flight, take nothing new, log out. */
  | { readonly kind: 'drain' };

/** Read a folder, or some of it, to compare it. */
export interface InspectTask {
  readonly side: Side;
  readonly folder: FolderTask['targetName'];
  readonly bodies: boolean;
  /** Only these UIDs, ascending; `null`: all. */
  readonly uids: Uint32Array | null;
  /** Only UIDs from here on. */
  readonly fromUid: number;
}

export type FromLane =
  /** Logged in on both sides. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listed'; readonly source: Listing; readonly target: Listing | null }
  | { readonly kind: 'prepared'; readonly results: readonly PrepareResult[] }
  | {
      readonly kind: 'opened';
      readonly folderId: number;
      readonly source: SelectedFacts;
      readonly target: SelectedFacts;
      /** The source folder can be left and found again with the same UIDs. */
      readonly keepsUids: boolean;
    }
  /** Listed messages, ascending by UID; `last` closes the list. */
  | {
      readonly kind: 'table';
      readonly folderId: number;
      readonly uids: Uint32Array;
      readonly sizes: Uint32Array;
      readonly last: boolean;
      /** With `last`: messages the server counts and does not list. */
      readonly unlisted: number;
      /** With `last`: messages of an earlier list that were not listed again, since all of them are there. */
      readonly unchanged: number;
    }
  | { readonly kind: 'want'; readonly folderId: number }
  /** About to be appended; answered by `durable` with the same token. */
  | {
      readonly kind: 'intents';
      readonly folderId: number;
      readonly token: number;
      /** One for each APPEND command. */
      readonly batches: readonly IntendedMessages[];
    }
  | { readonly kind: 'batch'; readonly folderId: number; readonly report: BatchReport }
  /** `null`: the target has no such folder. */
  | { readonly kind: 'status'; readonly folderId: number; readonly facts: FolderFacts | null }
  | { readonly kind: 'status-failed'; readonly folderId: number; readonly failure: LaneFailure }
  /** The lane can take another folder; this one may still be under way. */
  | { readonly kind: 'room'; readonly folderId: number }
  | {
      readonly kind: 'folder-finished';
      readonly folderId: number;
      readonly failure: LaneFailure | null;
    }
  | { readonly kind: 'inspected'; readonly folderId: number; readonly side: Side; readonly contents: FolderContents }
  | { readonly kind: 'inspect-failed'; readonly folderId: number; readonly side: Side; readonly failure: LaneFailure }
  | { readonly kind: 'flags-read'; readonly folderId: number; readonly table: FlagTable }
  | { readonly kind: 'flags-stored'; readonly folderId: number; readonly result: StoredFlags }
  | { readonly kind: 'removed'; readonly folderId: number; readonly removed: number }
  | { readonly kind: 'remove-failed'; readonly folderId: number; readonly failure: LaneFailure }
  | { readonly kind: 'flags-failed'; readonly folderId: number; readonly failure: LaneFailure }
  | { readonly kind: 'reported'; readonly report: AccountReport }
  /** A server does not take a command now; answered by `go-on` with the same token. */
  | {
      readonly kind: 'pushed-back';
      readonly token: number;
      readonly side: Side;
      readonly pushedBack: PushedBack;
      /** How often this very command has been pushed back before. */
      readonly tries: number;
    }
  /** A server did what it was asked, and asks for less at a time. */
  | { readonly kind: 'slow-down'; readonly side: Side; readonly why: string; readonly words: string }
  | { readonly kind: 'warning'; readonly message: string };

/** A server pushed back. */
export interface PushedBack {
  readonly what: PushBack;
  /** The server's own. Raw: escape before printing. */
  readonly words: string;
}

export interface LaneFailure {
  /** Which connection it happened on; `null`: neither. */
  readonly side: Side | null;
  /** `folder`: the lane goes on with others. `lane`: its connections are gone. `job`: no lane can succeed. */
  readonly scope: 'folder' | 'lane' | 'job';
  /** True: messages were under way whose outcome nobody knows. */
  readonly inDoubt: boolean;
  readonly error: WireError;
  /** What the server wants for it to work; `null`: nothing that waiting, or another login, would bring. */
  readonly pushedBack: PushedBack | null;
}

/** What a lane's task resolves with: it never rejects for anything a server did. */
export interface LaneResult {
  readonly failure: LaneFailure | null;
}
