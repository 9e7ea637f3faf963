/** The system flags (RFC 9051 2.3.2). */
export const systemFlags = {
  answered: '\\Answered',
  deleted: '\\Deleted',
  draft: '\\Draft',
  flagged: '\\Flagged',
  /** Set by the server alone; gone from IMAP4rev2. */
  recent: '\\Recent',
  seen: '\\Seen',
} as const;

/** Keywords that mean the same everywhere (RFC 9051 2.3.2, RFC 5550, RFC 8621). */
export const keywords = {
  forwarded: '$Forwarded',
  junk: '$Junk',
  mdnSent: '$MDNSent',
  notJunk: '$NotJunk',
  phishing: '$Phishing',
} as const;
