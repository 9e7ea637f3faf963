import { createHmac } from 'node:crypto';
import { UsageError } from './errors.ts';

export { type ScramOptions, scramResponder } from './sasl-scram.ts';

/**
 * The client's half of one SASL exchange (RFC 4422), in bytes: the connection does the base64 of RFC 3501 6.2.2.
 * A responder is used for one attempt only.
 */
export interface SaslResponder {
  /** Strings that may never appear in a trace, an error or a log, in any encoding. */
  readonly secrets: readonly string[];
  /** The client's first message, or `null` where the server speaks first. Called once. */
  start(): Buffer | null;
  /** Answers one challenge. Throws AuthenticationError to abandon the exchange; the server is then told `*`. */
  answer(challenge: Buffer): Buffer;
  /** Called when the server said OK. Throws AuthenticationError where it had to prove something and did not. */
  finish?(): void;
  /** What a challenge told about the refusal that follows it; `null` for nothing. Holds no secret. */
  refusalDetails?(): string | null;
}

/** Answers one challenge of any mechanism, in bytes without base64. Throws to abandon the exchange. */
export type SaslCallable = (challenge: Buffer) => Buffer | string;

const nothing = Buffer.alloc(0);

/** A mechanism as a function: the server speaks first, if only to say nothing. */
export function callableResponder(answer: SaslCallable): SaslResponder {
  return { secrets: [], start: () => null, answer: (challenge) => toBytes(answer(challenge)) };
}

function toBytes(message: Buffer | string): Buffer {
  return typeof message === 'string' ? Buffer.from(message, 'utf8') : message;
}

/**
 * PLAIN (RFC 4616).
 * @throws UsageError when a part holds a NUL, which separates the parts.
 */
export function plainResponder(user: string, password: string, authorizationId = ''): SaslResponder {
  refuseNul(user, 'user name');
  refuseNul(password, 'password');
  refuseNul(authorizationId, 'authorization identity');
  return {
    secrets: [password],
    start: () => Buffer.from(`${authorizationId}\0${user}\0${password}`),
    answer: () => nothing,
  };
}

/** LOGIN, the mechanism older than RFC 4616 that some servers offer alone: user name, then password. */
export function loginResponder(user: string, password: string): SaslResponder {
  const answers = [user, password];
  let asked = 0;
  return {
    secrets: [password],
    start: () => null,
    answer: () => Buffer.from(answers[asked++] ?? ''),
  };
}

/** CRAM-MD5 (RFC 2195). The password does not travel, but the server must be trusted with an MD5 of it. */
export function cramMd5Responder(user: string, password: string): SaslResponder {
  return {
    secrets: [password],
    start: () => null,
    answer: (challenge) => Buffer.from(`${user} ${createHmac('md5', password).update(challenge).digest('hex')}`),
  };
}

/** EXTERNAL (RFC 4422 appendix A): who we are follows from the connection, for example from a tunnel. */
export function externalResponder(authorizationId = ''): SaslResponder {
  refuseNul(authorizationId, 'authorization identity');
  return {
    secrets: [],
    start: () => Buffer.from(authorizationId),
    answer: () => nothing,
  };
}

/**
 * XOAUTH2, as Google and Microsoft ask for it. After a refusal the server first explains itself in a challenge,
 * which is answered with an empty line so that the tagged NO can follow.
 * @throws UsageError when a part holds a Ctrl-A, which separates the parts.
 */
export function oauth2Responder(user: string, accessToken: string, vendor?: string): SaslResponder {
  for (const part of [user, accessToken, vendor ?? '']) refuseSeparator(part);
  const vendorField = vendor === undefined ? '' : `vendor=${vendor}\x01`;
  return bearerResponder(accessToken, `user=${user}\x01auth=Bearer ${accessToken}\x01${vendorField}\x01`, nothing);
}

/**
 * OAUTHBEARER (RFC 7628); a refusal's challenge is answered with a lone Ctrl-A (3.2.3).
 * @throws UsageError when a part holds a Ctrl-A, which separates the parts.
 */
export function oauthBearerResponder(
  user: string,
  accessToken: string,
  options: { host?: string | undefined; port?: number | undefined } = {},
): SaslResponder {
  for (const part of [user, accessToken, options.host ?? '']) refuseSeparator(part);
  const name = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const host = options.host === undefined ? '' : `host=${options.host}\x01`;
  const port = options.port === undefined ? '' : `port=${options.port}\x01`;
  const message = `n,a=${name},\x01${host}${port}auth=Bearer ${accessToken}\x01\x01`;
  return bearerResponder(accessToken, message, Buffer.from('\x01'));
}

function bearerResponder(accessToken: string, message: string, answerToRefusal: Buffer): SaslResponder {
  let details: string | null = null;
  return {
    secrets: [accessToken],
    start: () => Buffer.from(message),
    answer(challenge) {
      details = describeBearerRefusal(challenge);
      return answerToRefusal;
    },
    refusalDetails: () => details,
  };
}

/** `{"status":"400","schemes":"Bearer","scope":"…"}` (RFC 7628 3.2.2): only the words of fixed form are kept. */
function describeBearerRefusal(challenge: Buffer): string | null {
  let fields: unknown;
  try {
    fields = JSON.parse(challenge.toString('utf8'));
  } catch {
    // The explanation is optional and so is understanding it: the tagged NO decides.
    return null;
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const { status, scope } = fields as { status?: unknown; scope?: unknown };
  const words = [shortWord('status', status), shortWord('scope', scope)].filter((word) => word !== null);
  return words.length === 0 ? null : words.join(', ');
}

function shortWord(name: string, value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value);
  return /^[\x20-\x7e]{1,200}$/.test(text) ? `${name} ${text}` : null;
}

function refuseNul(text: string, what: string): void {
  if (text.includes('\0')) throw new UsageError(`The ${what} holds a NUL character, which no SASL mechanism carries.`);
}

function refuseSeparator(text: string): void {
  if (text.includes('\0') || text.includes('\x01')) {
    throw new UsageError('The user name, token, host or vendor holds a control character that separates OAuth fields.');
  }
}
