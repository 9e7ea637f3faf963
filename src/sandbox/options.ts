import type { Clock } from '../protocol/types.ts';
import type { Answer } from './answer.ts';

/** A message on its way in, as the hooks see it. */
export interface IncomingMessage {
  /** The target mailbox's name, Unicode. */
  readonly mailbox: string;
  readonly body: Buffer;
  readonly flags: readonly string[];
  /** As the client sent it; `null`: it sent none. */
  readonly internalDate: string | null;
}

/** How one sandbox server behaves. Every field may be left out; the default is a friendly, complete server. */
export interface SandboxOptions {
  /** Features to switch off, see `features.ts`. */
  disable?: readonly string[];
  /** Features to switch on that are off by default: `LITERAL-`, `AUTH=EXTERNAL`. */
  enable?: readonly string[];

  /** Hierarchy separator, one character, or `null` for a flat server. Default `/`. */
  delimiter?: string | null;
  /** Personal namespace: `''` or such as `INBOX.`, outside of which nothing can be created. Default `''`. */
  personalPrefix?: string;
  /** Only INBOX exists and nothing can be created. */
  inboxOnly?: boolean;
  /** Words of refusal for CREATE of this name (Unicode), or `null` to allow it. */
  forbidCreate?(name: string): string | null;

  /** Greeting of every connection. Default: OK. `preauthUser` makes it PREAUTH as that user. */
  preauthUser?: string;
  greetingText?: string;
  /** Refuse every new connection with this BYE. */
  greetingBye?: string;
  /** Whether the greeting and the login's OK carry the capabilities. Default true. */
  announceCapabilities?: boolean;
  /** The advertised words before and after login, instead of the true ones. What is accepted stays as the features say. */
  capabilitiesBeforeLogin?: readonly string[];
  capabilitiesAfterLogin?: readonly string[];
  /** Offers no password login on a connection without TLS. Default false. */
  requireTls?: boolean;

  /** Connections one user may have logged in at once. Default: no limit. */
  maxConnections?: number;
  /** How a login above that limit ends. Default: Dovecot's `NO [UNAVAILABLE]`. */
  connectionLimitAnswer?: { readonly status: 'NO' | 'BYE'; readonly code: string; readonly text: string };
  /** Failed logins on one connection before it is closed with BYE. Default: no limit. */
  maxLoginFailures?: number;

  /** How unknown and switched-off commands are refused. Default `BAD`; Courier says `NO`. */
  unknownCommandAnswer?: 'BAD' | 'NO';
  /** Largest message in bytes. Announced as APPENDLIMIT unless that feature is off; larger ones are refused with TOOBIG. */
  appendLimit?: number | null;
  /** Longest command line in bytes, literals not counted. Default 65,536. */
  maxLineBytes?: number;
  /** False: no `\*` in PERMANENTFLAGS; keywords beyond `permanentKeywords` are treated as `unknownFlags` says. Default true. */
  keepKeywords?: boolean;
  permanentKeywords?: readonly string[];
  /** What happens to a keyword that is not kept: dropped silently, or the command is refused with BAD. Default `drop`. */
  unknownFlags?: 'drop' | 'refuse';
  /** False: every appended message gets the server's own time. Default true. */
  keepDates?: boolean;
  /** `utc`: dates are given back as the same instant in UTC, as Dovecot does. Default `keep`. */
  dateZone?: 'keep' | 'utc';
  /** A server that alters messages: what it stores instead of what it got. */
  rewrite?(body: Buffer): Buffer;
  /** Refuses single messages. Refusing one refuses the whole MULTIAPPEND. The answer may carry a code. */
  refuse?(message: IncomingMessage): Answer | null;
  /**
   * Stores a message when its last octet has arrived instead of after the command's last line, as Courier does. With MULTIAPPEND
   * left on, such a server is not atomic.
   */
  commitAtLastOctet?: boolean;
  /**
   * STATUS of the mailbox that a session has selected tells what the session was last told, and brings no news itself, as
   * Dovecot (RFC 9051 6.3.11 warns of it).
   */
  staleStatus?: boolean;
  /** False: SELECT and EXAMINE tell no UIDNEXT, as Courier. Default true. */
  selectTellsUidNext?: boolean;
  /** Takes no message into the mailbox that the session has opened with EXAMINE, as Courier. */
  refuseAppendToExamined?: boolean;
  /** UIDVALIDITY of each account's first mailbox; the others count on from it. Default 1,600,000,001. */
  firstUidValidity?: number;
  /** UIDs and UIDVALIDITY change each time a mailbox is selected that no other session has selected. */
  uidNotSticky?: boolean;
  /** Header names in FETCH answers: as asked, or quoted as Courier does. Default `as-asked`. */
  headerFieldNames?: 'as-asked' | 'quoted';

  /** Epoch milliseconds for messages without a date. Default: a counter that starts in 2026 and steps by a second. */
  now?(): number;
  /** For delay faults. Default: the system's monotonic clock. */
  clock?: Clock;
}
