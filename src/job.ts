/**
 * What a job is told and what it tells: the types of the library's front door. Types only.
 */
import type { EndpointSettings } from './account.ts';
import type {
  FlagPolicy,
  FolderStatus,
  JobPlan,
  MappingOptions,
  OrderPolicy,
  SpecialUse,
  Traits,
} from './plan/types.ts';

export type { FlagPolicy, JobPlan, PlannedFolder } from './plan/types.ts';

/**
 * COMPRESS=DEFLATE: wherever it is offered, nowhere, or (`auto`) where the line has turned out to be slower than
 * compressing.
 */
export type CompressPolicy = 'auto' | 'on' | 'off';

/** How much one run may delete: a share of the messages there are, from 0 to 1, or so many. */
export type DeleteLimit = { readonly share: number } | { readonly messages: number };

export interface JobSettings {
  readonly source: EndpointSettings;
  readonly target: EndpointSettings;
  readonly mapping: MappingOptions;
  readonly order: OrderPolicy;
  readonly flags: FlagPolicy;
  /** Lanes: pairs of one source and one target connection. `auto`: as many as make it faster. */
  readonly connections: number | 'auto';
  /** Bytes per second in each direction, all lanes together. Absent: as many as there can be. */
  readonly bytesPerSecond?: number | undefined;
  /** Messages per second, all lanes together. Absent: as many as there can be. */
  readonly messagesPerSecond?: number | undefined;
  /** Absent: `off`. */
  readonly compress?: CompressPolicy | undefined;
  /** Worker threads the lanes are spread over, at most. */
  readonly threads: number;
  /** `copy`: subscribe at the target what is subscribed at the source. `all`: every folder. `none`: leave alone. */
  readonly subscriptions: 'copy' | 'all' | 'none';
  /** Directory of the journals. */
  readonly stateDir: string;
  /** Puts the journal of an earlier run aside; what the target holds is found out by comparing. */
  readonly rebuild: boolean;
  /**
   * Deletes from the target, which is a tree, what the source has no more, as long as it is no more than this. Absent:
   * nothing is deleted.
   */
  readonly mirror?: DeleteLimit | undefined;
  /** Plan only: nothing is written on either side. */
  readonly dryRun: boolean;
  /** Where a server wants to be left alone for long, wait and go on; else the job ends as parked. */
  readonly wait: boolean;
}

export interface VerifySettings extends JobSettings {
  /** Re-read every body on both sides and compare SHA-256 digests. */
  readonly digest: boolean;
}

/** Everything a running job says, in order. `docs/EVENTS.md` describes the JSON form. */
export type JobEvent =
  | {
      readonly kind: 'connected';
      readonly side: Side;
      readonly account: string;
      readonly server: string;
      readonly traits: Traits;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'planned'; readonly plan: JobPlan }
  | {
      readonly kind: 'folder-started';
      readonly folder: string;
      readonly target: string;
      readonly messages: number;
      readonly bytes: number | null;
    }
  /** So many connections to each side are used from now on, and why: a sentence without a full stop. */
  | { readonly kind: 'connections'; readonly connections: number; readonly reason: string }
  /** A server pushed back, and is waited for. */
  | { readonly kind: 'waiting'; readonly waiting: Waiting }
  /** Nothing is waited for any more. */
  | { readonly kind: 'resumed' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'warning'; readonly folder: string | null; readonly message: string }
  | { readonly kind: 'folder-finished'; readonly report: FolderReport }
  | { readonly kind: 'finished'; readonly report: JobReport };

export type Side = 'source' | 'target';

/** Live counters; totals may still grow while folders are being listed. */
export interface Progress {
  readonly elapsedMs: number;
  readonly messages: { readonly done: number; readonly total: number };
  readonly bytes: { readonly done: number; readonly total: number };
  /** Over the last seconds. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** `null`: not known yet. */
  readonly etaMs: number | null;
  readonly refused: number;
  readonly activeFolders: readonly { readonly name: string; readonly done: number; readonly total: number }[];
  /** The server that is being waited for; `null`: none. */
  readonly waiting: Waiting | null;
}

/** A server that pushed back. */
export interface Waiting {
  readonly side: Side;
  readonly account: string;
  /** Our words, the server being "it". */
  readonly why: string;
  /** The server's; `''`: it said none. Raw: escape before printing. */
  readonly words: string;
  /** ISO 8601, UTC. */
  readonly until: string;
  /** It takes so long that the connections are closed meanwhile. */
  readonly parked: boolean;
}

/** What was waited for in the whole job. */
export interface PauseReport {
  readonly side: Side;
  readonly account: string;
  readonly why: string;
  /** The server's, the last time. Raw: escape before printing. */
  readonly words: string;
  readonly times: number;
  /** Waits at the same time for several folders add up. */
  readonly seconds: number;
}

/** A message or folder that was not copied, and the server's words. */
export interface Refusal {
  readonly folder: string;
  /** Source UID; `null`: the whole folder. */
  readonly uid: number | null;
  readonly bytes: number | null;
  /** Stable word: `NO`, `BAD`, `TOO_BIG`, `UNREADABLE`, `GONE`, `CREATE`, `OPEN`, `CONNECTION`… */
  readonly code: string;
  /** The message's subject, so that a person can find it; `null`: unknown, or the whole folder. Raw: escape before printing. */
  readonly subject: string | null;
  /** The server's own text, or ours where no server spoke. Raw: escape before printing. */
  readonly message: string;
}

export interface FolderReport {
  readonly source: string;
  readonly target: string;
  readonly copied: number;
  readonly alreadyThere: number;
  /** Messages expunged at the source while the job ran. */
  readonly gone: number;
  /** Messages copied before whose flags were changed at the target, as they had changed at the source. */
  readonly flagsChanged: number;
  /** Deleted at the target with `mirror`, since the source has them no more. */
  readonly deleted: number;
  readonly refused: readonly Refusal[];
  readonly bytes: number;
  readonly seconds: number;
  /** Messages sent again after a refused batch: they land after their neighbours. */
  readonly resent: number;
  /** Keywords and flags the target does not keep -> how many messages lost them. */
  readonly lostFlags: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

export type Verdict = 'complete' | 'partial' | 'stopped' | 'parked' | 'failed';

export interface JobReport {
  readonly verdict: Verdict;
  readonly exitCode: number;
  readonly source: string;
  readonly target: string;
  readonly folders: readonly FolderReport[];
  readonly copied: number;
  readonly alreadyThere: number;
  readonly gone: number;
  readonly flagsChanged: number;
  /** Deleted at the target with `mirror`, since the source has them no more. */
  readonly deleted: number;
  readonly refused: number;
  readonly resent: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly keptOrder: boolean;
  /** Connections to each side that were used at once, at most, and why not more. Raw: escape before printing. */
  readonly connections: { readonly most: number; readonly reason: string };
  readonly warnings: readonly string[];
  /** What servers were waited for. */
  readonly pauses: readonly PauseReport[];
  /** ISO 8601, UTC: when a parked job can go on; `null`: it is not parked. */
  readonly parkedUntil: string | null;
  /** What ended the job early; `null` where nothing did. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** What `check` finds out about one account. */
export interface AccountReport {
  readonly account: string;
  readonly server: string;
  readonly tls: boolean;
  readonly auth: string;
  readonly capabilities: readonly string[];
  readonly serverId: Readonly<Record<string, string>> | null;
  readonly namespaces: {
    readonly personal: readonly NamespaceEntry[];
    readonly other: readonly NamespaceEntry[];
    readonly shared: readonly NamespaceEntry[];
  } | null;
  /** `usage` and `limit` in the resource's unit: KiB for STORAGE, messages for MESSAGE (RFC 9208). */
  readonly quotas: readonly {
    readonly root: string;
    readonly resource: string;
    readonly usage: number;
    readonly limit: number;
  }[];
  readonly folders: readonly {
    readonly name: string;
    readonly specialUse: SpecialUse | null;
    readonly selectable: boolean;
    readonly subscribed: boolean;
    readonly status: FolderStatus | null;
  }[];
  readonly warnings: readonly string[];
}

export interface NamespaceEntry {
  readonly prefix: string;
  readonly delimiter: string | null;
}

/** One difference that `verify` found. */
export interface Difference {
  readonly kind: 'missing' | 'extra' | 'content' | 'flags' | 'date' | 'folder-missing' | 'unreadable';
  readonly folder: string;
  readonly sourceUid: number | null;
  readonly targetUid: number | null;
  readonly message: string;
}

/** A message of a backup that is not what was stored. */
export interface TreeDamage {
  /** `damaged`: its file is another, or cannot be read. `missing`: there is none. */
  readonly kind: 'damaged' | 'missing';
  readonly folder: string;
  /** In the tree. */
  readonly uid: number | null;
  /** Relative to the tree; `null`: there is none. */
  readonly file: string | null;
  readonly message: string;
}

/** What a backup's files are, compared with its manifest. */
export interface TreeVerifyReport {
  readonly verdict: 'intact' | 'damaged' | 'stopped';
  readonly exitCode: number;
  readonly tree: string;
  /** Whose backup it is. */
  readonly source: string;
  readonly folders: readonly {
    readonly folder: string;
    /** Files that are there. */
    readonly messages: number;
    /** Their bytes have the digest they were stored with. */
    readonly intact: number;
    /** The manifest has no digest of theirs: they were found there, and known by their headers. */
    readonly unproved: number;
    /** The manifest does not know them: they came there by other means. */
    readonly foreign: number;
    readonly damages: number;
  }[];
  readonly damages: readonly TreeDamage[];
  readonly seconds: number;
}

export interface VerifyReport {
  readonly verdict: 'identical' | 'different' | 'failed';
  readonly exitCode: number;
  readonly folders: readonly {
    readonly source: string;
    readonly target: string;
    readonly sourceMessages: number;
    readonly targetMessages: number;
    /** Messages at the target that have nothing to do with the source folder: no difference. */
    readonly foreign: number;
    readonly differences: number;
  }[];
  readonly differences: readonly Difference[];
  readonly compared: number;
  /** True: bodies were re-read and their digests compared. */
  readonly digest: boolean;
  readonly seconds: number;
  readonly failure: { readonly code: string; readonly message: string } | null;
}
