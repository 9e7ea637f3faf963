/**
 * What planning works on. Pure data: no I/O, no clock, safe to clone between threads.
 */

export type SpecialUse =
  | '\\All'
  | '\\Archive'
  | '\\Drafts'
  | '\\Flagged'
  | '\\Important'
  | '\\Junk'
  | '\\Sent'
  | '\\Trash';

/** STATUS of a folder (RFC 3501 6.3.10, RFC 7162, RFC 8438). `null`: the server does not tell. */
export interface FolderStatus {
  readonly messages: number;
  readonly uidNext: number | null;
  readonly uidValidity: number | null;
  /** Decimal digits: 63 bits do not fit a number (RFC 7162). `null` without CONDSTORE, or when the server said NOMODSEQ. */
  readonly highestModSeq: string | null;
  /** Sum of RFC822.SIZE in bytes (RFC 8438). */
  readonly size: number | null;
}

/** One folder as an endpoint lists it. */
export interface FolderInfo {
  /** The name exactly as listed, one character per byte (latin1). Identity; what commands use. */
  readonly rawName: string;
  /** The name in Unicode with the endpoint's own delimiter; equals `rawName` where it does not decode. */
  readonly name: string;
  /** `null`: a flat name (RFC 3501 7.2.2). */
  readonly delimiter: string | null;
  readonly specialUse: SpecialUse | null;
  /** False for \Noselect and \NonExistent. */
  readonly selectable: boolean;
  readonly subscribed: boolean;
  /** `null`: not selectable, or not asked yet. */
  readonly status: FolderStatus | null;
}

/** How an endpoint names folders. */
export interface Naming {
  /** Hierarchy delimiter of the personal namespace; `null` where names are flat. */
  readonly delimiter: string | null;
  /** Prefix of the personal namespace with its delimiter: `''` or `'INBOX.'`. */
  readonly prefix: string;
  /**
   * True: a delimiter inside a name is written `%2F`, and `%` is `%25`, so that every name can be had; and names are
   * different where any character is. Absent: a server's rules.
   */
  readonly escaped?: boolean;
}

/** One side of a mapping: its folders in the order of LIST, and how it names them. */
export interface MappingSide {
  readonly folders: readonly FolderInfo[];
  readonly naming: Naming;
  /** True where names that differ only by case are one folder (Exchange). INBOX always is (RFC 3501 5.1). */
  readonly ignoresCase?: boolean;
}

export interface MappingOptions {
  /** `--map "A=B"`: source name -> target name, both as the user sees them on that side; children follow. */
  readonly map: readonly { readonly from: string; readonly to: string }[];
  /** Globs over source names (`*` stops at the delimiter, `**` does not); `\Trash` names a special use. Empty: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly mapSpecialUse: boolean;
}

/** One source folder and where it goes. */
export interface FolderPair {
  readonly source: FolderInfo;
  /** Unicode name at the target, with the target's delimiter and prefix. */
  readonly targetName: string;
  /** The target's own folder of that name; `null`: it has to be created. */
  readonly target: FolderInfo | null;
  /** Why it goes there. */
  readonly reason: 'inbox' | 'special-use' | 'map' | 'name';
  /** USE attribute to ask for on CREATE (RFC 6154), where the source folder has one and the target has no such folder. */
  readonly createUse: SpecialUse | null;
  /** True for a \Noselect parent: the name is created (as children need it), nothing is copied. */
  readonly nameOnly: boolean;
}

/**
 * Something the plan cannot or will not do. `error` stops the run before the first write, `note` does not.
 *
 * `COLLISION` two source folders for one target folder · `BAD_NAME` a name the target cannot or may not take ·
 * `RENAMED` a name that had to change on the way · `EXCLUDED` left out, and why · `VIRTUAL` a view that shows other
 * folders' messages again · `MAP_UNUSED` a `--map` that applies to nothing · `UNKNOWN_INCLUDE` a pattern that matches
 * nothing · `BAD_PATTERN` a pattern that cannot be read · `TOO_BIG`, `QUOTA` what the target announces it will refuse ·
 * `ORDER` the source's order inside a folder is not kept.
 */
export interface PlanProblem {
  readonly severity: 'error' | 'note';
  readonly code:
    | 'COLLISION'
    | 'BAD_NAME'
    | 'EXCLUDED'
    | 'MAP_UNUSED'
    | 'TOO_BIG'
    | 'QUOTA'
    | 'UNKNOWN_INCLUDE'
    | 'BAD_PATTERN'
    | 'RENAMED'
    | 'VIRTUAL'
    | 'ORDER';
  /** Source folder it is about, in Unicode; `null`: the whole account. */
  readonly folder: string | null;
  /** One sentence: what, and what to do. */
  readonly message: string;
}

export interface FolderMap {
  /** In copy order is not implied; source order of LIST is kept. */
  readonly pairs: readonly FolderPair[];
  readonly problems: readonly PlanProblem[];
}

/** What an endpoint can do. Policy reads these, never the endpoint's kind. */
export interface Traits extends Naming {
  /** APPENDLIMIT (RFC 7889) in bytes; `null`: not announced. */
  readonly maxMessageBytes: number | null;
  /** MULTIAPPEND (RFC 3502). */
  readonly multiAppend: boolean;
  /** LITERAL+ (RFC 7888): a message costs no round trip of its own. `small`: LITERAL-, up to 4096 bytes. */
  readonly nonSyncLiterals: 'all' | 'small' | 'none';
  /** UIDPLUS (RFC 4315): APPEND answers with the new UIDs. */
  readonly reportsUids: boolean;
  /** A folder is filled by one lane, whatever order is asked for: who appends gives out the UIDs. Absent: false. */
  readonly oneWriter?: boolean;
  /** LIST … RETURN (STATUS …) (RFC 5819). */
  readonly listStatus: boolean;
  readonly specialUse: boolean;
  readonly createSpecialUse: boolean;
  readonly condStore: boolean;
}

export type OrderPolicy = 'auto' | 'source' | 'any';

/** A slice of one folder: the messages at `uids` (ascending) with their RFC822.SIZE. */
export interface Shard {
  readonly folderId: number;
  readonly uids: Uint32Array;
  /** Bytes per message, as the source announces them. An estimate: the received literal rules. */
  readonly sizes: Uint32Array;
  readonly totalBytes: number;
}

/** Half-open range of rows: `[start, end)`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface BatchLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** One resource of one quota root (RFC 9208): STORAGE counts KiB, MESSAGE counts messages. */
export interface Quota {
  readonly root: string;
  /** Upper case: `STORAGE`, `MESSAGE`. */
  readonly resource: string;
  readonly usage: number;
  readonly limit: number;
}

/** What the journal holds about one source folder. */
export interface KnownFolder {
  /** Messages with a final verdict: they are not copied again. */
  readonly messages: number;
  /** What happened since the folder was last finished. `none`: not one command is needed for it. */
  readonly change: FolderChange;
}

export type FolderChange = 'none' | 'flags' | 'messages';

/**
 * Flags on later runs. `mirror`: what was set and removed at the source since they were last applied is set and removed at
 * the target, and nothing else is touched. `merge`: only what was set. `once`: a message's flags go with it, and never after.
 */
export type FlagPolicy = 'mirror' | 'merge' | 'once';

export interface PlannedFolder {
  readonly source: string;
  readonly target: string;
  /** What will be done with the target folder. */
  readonly action: 'copy' | 'create' | 'name-only' | 'flags' | 'unchanged';
  readonly reason: FolderPair['reason'];
  readonly messages: number | null;
  readonly bytes: number | null;
  /** Messages the journal already holds for this folder. */
  readonly alreadyThere: number;
  readonly specialUse: SpecialUse | null;
}

export interface JobPlan {
  readonly source: string;
  readonly target: string;
  readonly folders: readonly PlannedFolder[];
  readonly problems: readonly PlanProblem[];
  /** True where the source's order inside a folder is kept. */
  readonly keepsOrder: boolean;
}
