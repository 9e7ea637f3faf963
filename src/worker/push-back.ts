/**
 * What a server means that does not simply do what it is asked: one table of the words servers say, and what follows from
 * each. Pure: no clock, no connection.
 */

/** When something was said. `lost`: the server ended the session with it. */
export type Moment = 'login' | 'fetch' | 'append' | 'other';

/** What a server said: a tagged answer, or the BYE or greeting a session ended with. */
export interface Said {
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE';
  /** Response code in upper case, without brackets. */
  readonly code: string | null;
  /** The server's words, raw. */
  readonly text: string;
  readonly during: Moment;
}

/** The server wants something to be done later, more slowly, or in another session; the mail itself is not the matter. */
export type PushBack =
  /**
   * The same once more after a while: as long as the server said, else (`null`) as back-off goes. `slower`: and less at a
   * time. `about`: what is put off; where that may be one message or folder, a few tries are enough to believe it.
   */
  | {
      readonly kind: 'wait';
      readonly why: string;
      readonly waitMs: number | null;
      readonly slower: boolean;
      readonly about: 'account' | 'folder' | 'message';
    }
  /** A limit that lasts: no more of this account for such a time. */
  | { readonly kind: 'park'; readonly why: string; readonly waitMs: number }
  /** No more connections than there are; `limit`: than so many, as the server says. */
  | { readonly kind: 'connections'; readonly why: string; readonly limit: number | null }
  /** This session is of no more use, another one will be. */
  | { readonly kind: 'reconnect'; readonly why: string }
  /** The token has expired: a new one is needed before the next login. */
  | { readonly kind: 'token'; readonly why: string };

/** What follows from what a server said. */
export type Verdict =
  | PushBack
  /** Done, but the server asks for less at a time. */
  | { readonly kind: 'slower'; readonly why: string }
  /** The account takes no more, whatever the message: somebody has to make room. */
  | { readonly kind: 'full' }
  /** The folder takes no message. */
  | { readonly kind: 'folder' }
  /** Name, password or permission are wrong: not to be tried again. */
  | { readonly kind: 'login' }
  /** This one thing is refused, and nothing else. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'fine' };

/** One line of the table: all that it names must be so. */
interface Rule {
  /** Seen at, or written in. */
  readonly from: string;
  readonly status?: readonly Said['status'][];
  readonly during?: readonly Moment[];
  readonly codes?: readonly string[];
  readonly words?: RegExp;
  verdict(match: RegExpExecArray | null): Verdict;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const refusals = ['NO', 'BAD', 'BYE'] as const;

/** How often something is tried again before a refusal counts as one. */
const tries = { folder: 5, message: 2 } as const;

/** Longer texts say nothing more, and expressions are to stay cheap on them. */
const maxWords = 500;

function wait(
  why: string,
  options: Partial<Pick<Extract<PushBack, { kind: 'wait' }>, 'waitMs' | 'slower' | 'about'>> = {},
): Verdict {
  const { waitMs = null, slower = false, about = 'account' } = options;
  return { kind: 'wait', why, waitMs, slower, about };
}

/** The first that fits counts. */
const rules: readonly Rule[] = [
  {
    from: 'Gmail: "OK Success [THROTTLED]", in its words and not as a code',
    status: ['OK'],
    words: /\[THROTTLED\]/i,
    verdict: () => ({ kind: 'slower', why: 'it throttles this account' }),
  },
  {
    from: 'the same as a code',
    status: ['OK'],
    codes: ['THROTTLED'],
    verdict: () => ({ kind: 'slower', why: 'it throttles this account' }),
  },
  { from: 'everybody', status: ['OK'], verdict: () => ({ kind: 'fine' }) },
  {
    from: 'Microsoft 365: "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds"',
    status: refusals,
    words: /backoff time:? ?(\d{1,12}) ?milliseconds/i,
    verdict: (match) => wait('it throttles this account', { waitMs: Number(match?.[1]), slower: true }),
  },
  {
    from: 'Gmail: "[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", for 1 to 24 hours; says nothing of space',
    status: refusals,
    words: /exceeded (?:command|bandwidth)/i,
    verdict: () => ({ kind: 'park', why: 'the limit of commands or bytes of this account is reached', waitMs: hourMs }),
  },
  {
    from: 'Dovecot: "[UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)"',
    status: refusals,
    words: /maximum number of connections.{0,60}exceeded(?:.{0,20}mail_max_userip_connections=(\d{1,6}))?/i,
    verdict: (match) => ({
      kind: 'connections',
      why: 'it takes no more connections',
      limit: match?.[1] === undefined ? null : Number(match[1]),
    }),
  },
  {
    from: 'Gmail, iCloud: "[ALERT] Too many simultaneous connections. (Failure)"; Stalwart, Amazon WorkMail and others in such words',
    status: refusals,
    words:
      /too many (?:\w+ ){0,3}(?:connections|sessions)|(?:connection|session) limit (?:\w+ ){0,2}(?:reached|exceeded)/i,
    verdict: () => ({ kind: 'connections', why: 'it takes no more connections', limit: null }),
  },
  {
    from: 'Microsoft 365: "BYE Session invalidated - AccessTokenExpired"; Gmail: "BYE Session expired, please login again."',
    status: refusals,
    words: /AccessTokenExpired|(?:token|session)(?: has| is)? expired/i,
    verdict: () => ({ kind: 'token', why: 'the login has expired' }),
  },
  {
    from: 'RFC 5530 3: the password or token is good no more',
    codes: ['EXPIRED'],
    verdict: () => ({ kind: 'token', why: 'the login has expired' }),
  },
  {
    from: 'RFC 5530 3: what only a person can mend',
    during: ['login'],
    codes: ['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'PRIVACYREQUIRED', 'CONTACTADMIN', 'NOPERM'],
    verdict: () => ({ kind: 'login' }),
  },
  {
    from: 'Microsoft 365: "BAD User is authenticated but not connected."',
    status: refusals,
    words: /authenticated but not connected/i,
    verdict: () => ({ kind: 'reconnect', why: 'its session is not connected to the account any more' }),
  },
  {
    from: 'Yahoo: "NO [LIMIT] UID FETCH Rate limit hit."; Stalwart: "Too many requests"',
    status: refusals,
    words: /rate limit|too many (?:\w+ ){0,2}(?:requests|commands)|throttl/i,
    verdict: () => wait('it limits the rate of commands', { slower: true }),
  },
  {
    from: 'the same as a code',
    status: refusals,
    codes: ['THROTTLED'],
    verdict: () => wait('it limits the rate of commands', { slower: true }),
  },
  {
    from: 'RFC 9208, RFC 5530 3: over quota. Of what is being read that says nothing',
    during: ['append', 'other'],
    codes: ['OVERQUOTA'],
    verdict: () => ({ kind: 'full' }),
  },
  {
    from: 'Yahoo: "NO [UNAVAILABLE] UID FETCH Server error - Please try again later", for single messages for ever',
    status: ['NO'],
    during: ['fetch'],
    codes: ['UNAVAILABLE', 'SERVERBUG', 'INUSE'],
    verdict: () => wait('it cannot give out messages now', { about: 'message' }),
  },
  {
    from: 'RFC 5530 3: a folder that cannot be had now, and perhaps never',
    status: ['NO'],
    during: ['append', 'other'],
    codes: ['UNAVAILABLE'],
    verdict: () => wait('it is not available now', { about: 'folder' }),
  },
  {
    from: 'RFC 5530 3: "temporary failure because a subsystem is down"; Gmail: "BYE [UNAVAILABLE] Temporary System Error"',
    status: refusals,
    codes: ['UNAVAILABLE'],
    verdict: () => wait('it is not available now'),
  },
  {
    from: 'RFC 5530 3, Dovecot: "[INUSE] Timeout while waiting for lock"',
    status: ['NO'],
    during: ['append', 'other'],
    codes: ['INUSE'],
    verdict: () => wait('somebody else is at work there', { about: 'folder' }),
  },
  {
    from: 'RFC 5530 3: nobody is let in while somebody else is',
    status: refusals,
    codes: ['INUSE'],
    verdict: () => wait('somebody else is at work there'),
  },
  {
    from: 'Zimbra: "BYE Zimbra IMAP4rev1 server closing connection; service busy"; Microsoft 365: "NO Server Unavailable. 15"',
    status: refusals,
    words: /service busy|server unavailable|server (?:is )?(?:too )?busy|temporar(?:y|ily)|try again later/i,
    verdict: () => wait('it is too busy now'),
  },
  {
    from: 'Microsoft 365: "BYE Connection closed. 14"',
    status: ['BYE'],
    words: /connection closed\. ?\d/i,
    verdict: () => wait('it closed the connection'),
  },
  {
    from: 'Dovecot: "[SERVERBUG] Internal error occurred."; iCloud: "NO Unexpected exception"',
    status: ['NO'],
    during: ['append', 'other'],
    codes: ['SERVERBUG'],
    verdict: () => wait('it has an error of its own', { about: 'message' }),
  },
  {
    from: 'iCloud: "NO Unexpected exception"; Gmail: "NO System Error (Failure)"; Yandex: "Backend error"',
    status: ['NO'],
    during: ['append', 'fetch', 'other'],
    words: /unexpected exception|(?:system|backend|internal(?: server)?) error/i,
    verdict: () => wait('it has an error of its own', { about: 'message' }),
  },
  {
    from: 'RFC 5530 3, RFC 3501 7.1: the folder takes no message, or is no folder',
    during: ['append'],
    codes: ['NOPERM', 'READ-ONLY', 'NONEXISTENT', 'CONTACTADMIN'],
    verdict: () => ({ kind: 'folder' }),
  },
  { from: 'everybody', during: ['login'], status: ['NO', 'BAD'], verdict: () => ({ kind: 'login' }) },
];

/** What follows from what a server said; `refused` where the table knows nothing better. */
export function judge(said: Said): Verdict {
  const text = said.text.slice(0, maxWords);
  for (const { status, during, codes, words, verdict } of rules) {
    if (status !== undefined && !status.includes(said.status)) continue;
    if (during !== undefined && !during.includes(said.during)) continue;
    if (codes !== undefined && (said.code === null || !codes.includes(said.code))) continue;
    const match = words === undefined ? null : words.exec(text);
    if (words === undefined || match !== null) return verdict(match);
  }
  return { kind: 'refused' };
}

/** False: after having been pushed back so many times it is to be taken for a refusal. */
export function isWorthRepeating(what: PushBack, triesBefore: number): boolean {
  return what.kind !== 'wait' || what.about === 'account' || triesBefore < tries[what.about];
}

/** The push-back in a verdict; `null`: it is none. */
export function pushBackIn(verdict: Verdict): PushBack | null {
  switch (verdict.kind) {
    case 'wait':
    case 'park':
    case 'connections':
    case 'reconnect':
    case 'token':
      return verdict;
    default:
      return null;
  }
}
