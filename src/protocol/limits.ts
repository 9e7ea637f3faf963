/**
 * Every cap on what a server may make this client hold or do, each with its reason. A breach is a `LimitError`.
 * Sizes announced by the server are compared before anything is allocated for them.
 */
export interface Limits {
  /**
   * Text of one response outside its literals, in bytes, all lines together.
   * The longest honest one is a SEARCH answer: nine bytes a UID, so 16 MiB carry 1.8 million of them.
   */
  readonly maxTextBytes: number;
  /**
   * One literal that is collected in memory, in bytes. No provider stores messages above 150 MB;
   * the slices are held as they arrive, so the announcement alone costs nothing.
   */
  readonly maxLiteralBytes: number;
  /** One literal that goes to a sink, in bytes: what a 32-bit `number` of RFC 3501 can announce. Nothing of it is held here. */
  readonly maxStreamedLiteralBytes: number;
  /** From this size on a literal is offered to the sink, where there is one: above any ordinary message, below what hurts. */
  readonly streamLiteralBytes: number;
  /** Literals in one response. An ENVELOPE of a mail to some thousand people has several for each; each one costs bookkeeping. */
  readonly maxLiterals: number;
  /** One response with its collected literals, in bytes: one message at the cap plus sections of it. */
  readonly maxResponseBytes: number;
  /** Depth of parentheses. BODYSTRUCTURE nests two levels per MIME level, and no sane mail nests thirty. */
  readonly maxDepth: number;
  /** Atoms, strings, numbers and lists in one generic value: 200,000 recipients. Two bytes of `()` cost far more than two bytes here. */
  readonly maxValues: number;
  /** Addresses in one ENVELOPE: ten times what any mail system lets a message have; each costs an object. */
  readonly maxAddresses: number;
  /** Parts in one BODYSTRUCTURE: a digest of a list's busiest month has some thousand. */
  readonly maxBodyParts: number;
  /** One literal that is joined for a generic value or a name, in bytes. Bodies are never joined; names and envelopes are small. */
  readonly maxJoinedBytes: number;
  /**
   * COMPRESS=DEFLATE: how many times larger than what arrived all that is inflated may be, beyond `inflateSlackBytes`.
   * Deflate can do 1032; mail, its odd empty disk image included, stays far below over a session.
   */
  readonly maxInflateRatio: number;
  /** What may be inflated whatever the ratio: one message of zeros at the cap of a literal, in bytes. */
  readonly inflateSlackBytes: number;
  /** Untagged responses one command may collect, FETCH aside, which is handed on: no account has so many folders. */
  readonly maxResponses: number;
  /** Hits of one search. */
  readonly maxSearchHits: number;
  /** Branches of branches in a THREAD answer: below what a recursive reader of the result can follow. */
  readonly maxThreadDepth: number;
  /** Rounds of hashing a SCRAM server may ask for: ten times what careful ones do, about half a second. */
  readonly maxScramIterations: number;
}

/** The caps in force unless `Partial<Limits>` says otherwise. */
export const defaultLimits: Limits = {
  maxTextBytes: 16 * 1024 * 1024,
  maxLiteralBytes: 512 * 1024 * 1024,
  maxStreamedLiteralBytes: 0xffff_ffff,
  streamLiteralBytes: 16 * 1024 * 1024,
  maxLiterals: 65_536,
  maxResponseBytes: 640 * 1024 * 1024,
  maxDepth: 64,
  maxValues: 1_000_000,
  maxAddresses: 100_000,
  maxBodyParts: 20_000,
  maxJoinedBytes: 1024 * 1024,
  maxInflateRatio: 100,
  inflateSlackBytes: 512 * 1024 * 1024,
  maxResponses: 250_000,
  maxSearchHits: 10_000_000,
  maxThreadDepth: 1_000,
  maxScramIterations: 600_000,
};

/** `overrides` on top of the defaults. */
export function resolveLimits(overrides: Partial<Limits> = {}): Limits {
  return { ...defaultLimits, ...overrides };
}
