import { describe, expect, it } from 'vitest';
import { isWorthRepeating, judge, type Said, type Verdict } from '../../src/worker/push-back.ts';

const said = (during: Said['during'], status: Said['status'], line: string): Said => {
  const match = /^\[([A-Z-]+)\] ?(.*)$/.exec(line);
  return { during, status, code: match?.[1] ?? null, text: match?.[2] ?? line };
};

/** What is said where, and what follows. */
const table: [during: Said['during'], status: Said['status'], line: string, verdict: Partial<Verdict>][] = [
  ['other', 'OK', 'Success [THROTTLED]', { kind: 'slower' }],
  ['other', 'OK', '[THROTTLED] done', { kind: 'slower' }],
  ['login', 'OK', 'Rate limit: 5 MB', { kind: 'fine' }],
  [
    'fetch',
    'BAD',
    'Request is throttled. Suggested Backoff Time: 299961 milliseconds',
    { kind: 'wait', waitMs: 299_961 },
  ],
  [
    'append',
    'BAD',
    'Request is throttled. Suggested Backoff Time: 999999999999 milliseconds',
    { waitMs: 999_999_999_999 },
  ],
  ['other', 'BYE', 'Request is throttled. Suggested Backoff Time: 178755 milliseconds', { waitMs: 178_755 }],
  ['append', 'NO', '[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)', { kind: 'park' }],
  ['append', 'NO', '[OVERQUOTA] Quota exceeded (mailbox for user is full)', { kind: 'full' }],
  ['other', 'NO', '[OVERQUOTA] Quota exceeded', { kind: 'full' }],
  ['fetch', 'NO', '[OVERQUOTA] Quota exceeded', { kind: 'refused' }],
  [
    'login',
    'NO',
    '[UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)',
    { kind: 'connections', limit: 10 },
  ],
  ['login', 'NO', '[ALERT] Too many simultaneous connections. (Failure)', { kind: 'connections', limit: null }],
  ['other', 'BYE', 'Too many connections for this user', { kind: 'connections' }],
  ['other', 'NO', 'Connection limit reached', { kind: 'connections' }],
  ['login', 'NO', 'Too many failed login attempts', { kind: 'login' }],
  ['other', 'BYE', 'Session invalidated - AccessTokenExpired', { kind: 'token' }],
  ['other', 'BYE', 'Session expired, please login again.', { kind: 'token' }],
  ['login', 'NO', '[EXPIRED] The password is too old', { kind: 'token' }],
  ['login', 'NO', '[AUTHENTICATIONFAILED] Invalid credentials (Failure)', { kind: 'login' }],
  ['login', 'NO', '[AUTHENTICATIONFAILED] Temporarily rejected', { kind: 'login' }],
  ['login', 'NO', 'LOGIN failed.', { kind: 'login' }],
  ['login', 'NO', '[UNAVAILABLE] Temporary authentication failure.', { kind: 'wait', about: 'account' }],
  ['login', 'NO', '[INUSE] Another session is open', { kind: 'wait', about: 'account' }],
  ['append', 'BAD', 'User is authenticated but not connected.', { kind: 'reconnect' }],
  ['fetch', 'NO', '[LIMIT] UID FETCH Rate limit hit.', { kind: 'wait', about: 'account', slower: true }],
  ['other', 'NO', '[LIMIT] Too many requests', { kind: 'wait', about: 'account' }],
  ['append', 'NO', '[LIMIT] Too many identical emails', { kind: 'refused' }],
  ['fetch', 'NO', '[UNAVAILABLE] UID FETCH Server error - Please try again later', { kind: 'wait', about: 'message' }],
  ['other', 'NO', '[UNAVAILABLE] Failed to open mailbox', { kind: 'wait', about: 'folder' }],
  ['other', 'BYE', '[UNAVAILABLE] Temporary System Error', { kind: 'wait', about: 'account' }],
  ['append', 'NO', '[INUSE] Timeout while waiting for lock', { kind: 'wait', about: 'folder' }],
  ['other', 'BYE', 'Zimbra IMAP4rev1 server closing connection; service busy', { kind: 'wait', about: 'account' }],
  ['other', 'NO', 'Server Unavailable. 15', { kind: 'wait', about: 'account' }],
  ['other', 'BYE', 'Connection closed. 14', { kind: 'wait', about: 'account' }],
  ['append', 'NO', 'Unexpected exception', { kind: 'wait', about: 'message' }],
  ['append', 'NO', '[SERVERBUG] Internal error occurred.', { kind: 'wait', about: 'message' }],
  ['append', 'NO', '[NOPERM] Permission denied', { kind: 'folder' }],
  ['append', 'NO', '[TRYCREATE] No such mailbox', { kind: 'refused' }],
  ['append', 'NO', '[TOOBIG] message too big', { kind: 'refused' }],
  ['append', 'NO', 'APPEND failed', { kind: 'refused' }],
  ['append', 'BAD', 'Command Argument Error. 11', { kind: 'refused' }],
  ['other', 'BYE', 'Server shutting down.', { kind: 'refused' }],
  ['fetch', 'NO', 'Some messages could not be FETCHed (Failure)', { kind: 'refused' }],
];

describe('what a server says', () => {
  it.each(table)('%s %s %s', (during, status, line, verdict) => {
    expect(judge(said(during, status, line))).toMatchObject(verdict);
  });

  it('is not read to its end where it has none', () => {
    const text = `${'too many '.repeat(100_000)}connections`;
    expect(judge({ during: 'other', status: 'NO', code: null, text })).toEqual({ kind: 'refused' });
  });
});

describe('a push-back', () => {
  const waiting = (about: 'account' | 'folder' | 'message') =>
    ({ kind: 'wait', why: 'it is busy', waitMs: null, slower: false, about }) as const;
  it('is believed after a few tries where it may be about one message or folder', () => {
    const tries = (about: 'account' | 'folder' | 'message') =>
      Array.from({ length: 20 }, (_, before) => isWorthRepeating(waiting(about), before)).filter(Boolean).length;
    expect([tries('message'), tries('folder'), tries('account')]).toEqual([2, 5, 20]);
    expect(isWorthRepeating(waiting('account'), Number.POSITIVE_INFINITY)).toBe(true);
  });
});
