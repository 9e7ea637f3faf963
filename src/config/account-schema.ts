/**
 * Which keys an account's file may hold, what each value may be, and which go together.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { AuthMethod } from '../account.ts';

const authMethods = [
  'auto',
  'login',
  'plain',
  'cram-md5',
  'scram-sha-1',
  'scram-sha-256',
  'xoauth2',
  'oauthbearer',
  'external',
  'proxyauth',
] as const satisfies readonly AuthMethod[];

/** A day: longer silences than that are not waited for, and timers cannot count much further. */
const maxTimeoutSeconds = 86_400;

const yesNo = z
  .stringbool({ truthy: ['1', 'yes', 'true', 'on'], falsy: ['0', 'no', 'false', 'off'], error: 'must be yes or no' })
  .optional();

/** Empty means "not set", as in IMAPClient. */
const text = z.string().transform(nullIfEmpty).optional();

const port = z
  .string()
  .refine((value) => value === '' || (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535), {
    error: 'must be a whole number from 1 to 65535',
  })
  .transform((value) => (value === '' ? null : Number(value)))
  .optional();

const timeoutMs = z
  .string()
  .refine((value) => value === '' || isTimeout(value), {
    error: `must be a number of seconds, more than 0 and at most ${maxTimeoutSeconds}`,
  })
  .transform((value) => (value === '' ? null : Math.ceil(Number(value) * 1000)))
  .optional();

const auth = z
  .string()
  .toLowerCase()
  .pipe(z.enum(authMethods, { error: `must be one of ${authMethods.join(', ')}` }))
  .optional();

const delimiter = z
  .string()
  .refine((value) => /^[!-~]$/.test(value), { error: 'must be one character, such as / or .' })
  .optional();

const keys = {
  host: text,
  port,
  username: text,
  password: text,
  password_command: text,
  password_file: text,
  password_env: text,
  ssl: yesNo,
  starttls: yesNo,
  ssl_check_hostname: yesNo,
  ssl_verify_cert: yesNo,
  ssl_ca_file: text,
  timeout: timeoutMs,
  auth,
  authorization_id: text,
  oauth2: yesNo,
  oauth2_client_id: text,
  oauth2_client_secret: text,
  oauth2_refresh_token: text,
  oauth2_token_url: text,
  prefix: z.string().optional(),
  delimiter,
  command: text,
  stream: yesNo,
};

export type AccountKey = keyof typeof keys;

/** Every key there is, in the order documentation lists them. */
export const accountKeys = Object.keys(keys) as readonly AccountKey[];

/** The keys whose values are secrets when written into the file. */
export const inlineSecretKeys: readonly AccountKey[] = ['password', 'oauth2_client_secret', 'oauth2_refresh_token'];

/** Where a password may come from; exactly one of them. */
export const passwordKeys = ['password', 'password_command', 'password_file', 'password_env'] as const;

const oauthKeys = ['oauth2_client_id', 'oauth2_client_secret', 'oauth2_refresh_token', 'oauth2_token_url'] as const;

type Values = z.output<z.ZodObject<typeof keys>>;

/**
 * The values of one account, each checked by itself and against the others. Issues carry the key in `path`, or none
 * where a key is missing, and a message that follows the key in a sentence and never quotes a value.
 */
export const accountSchema = z.object(keys).superRefine((values, context) => {
  const report = (key: AccountKey | null, message: string) =>
    context.addIssue({ code: 'custom', path: key === null ? [] : [key], message });
  checkLine(values, report);
  checkCertificates(values, report);
  checkLogin(values, report);
});

type Report = (key: AccountKey | null, message: string) => void;

/** host, port, ssl, starttls, command, stream: how the bytes travel. */
function checkLine(values: Values, report: Report): void {
  const { stream, command } = values;
  if (stream === true) {
    if (!isSet(values.host)) report(null, 'host is missing: with stream = yes it holds the command to run');
    for (const key of ['command', 'port'] as const) {
      if (isSet(values[key])) report(key, 'cannot be used with stream = yes: the command of host makes the connection');
    }
    for (const key of ['ssl', 'starttls'] as const) {
      if (values[key] === true) report(key, 'cannot be yes with stream = yes: use "command" for TLS through a command');
    }
    return;
  }
  if (!isSet(values.host)) {
    if (!isSet(command)) report(null, 'host is missing: add a line such as "host = imap.example.org"');
  } else if (values.host !== null && values.host !== undefined) {
    const problem = hostProblem(values.host);
    if (problem !== null) report('host', problem);
  }
  if (values.ssl === true && values.starttls === true) {
    report(
      'starttls',
      'and ssl cannot both be yes: ssl is TLS from the first byte, starttls begins it later; keep one',
    );
  }
}

function checkCertificates(values: Values, report: Report): void {
  if (isSet(values.ssl_ca_file)) {
    if (tlsMode(values) === 'none') report('ssl_ca_file', 'has no effect without TLS: use ssl = yes or starttls = yes');
    else if (values.ssl_verify_cert === false) {
      report('ssl_ca_file', 'has no effect with ssl_verify_cert = no: remove one of the two');
    }
  }
  if (values.ssl_verify_cert === false && values.ssl_check_hostname === true) {
    report('ssl_check_hostname', 'cannot be yes with ssl_verify_cert = no: an unverified certificate proves no name');
  }
}

/** Who logs in, how, and with what. */
function checkLogin(values: Values, report: Report): void {
  const { auth: method = 'auto', oauth2 } = values;
  if (!isSet(values.username) && !usesCommand(values)) {
    report(null, 'username is missing: add a line such as "username = alice"');
  }
  const sources = passwordKeys.filter((key) => isSet(values[key]));
  const [first, second] = sources;
  if (second !== undefined) report(second, `and ${first} are both set: keep one`);

  if (oauth2 === true) {
    if (first !== undefined) report(first, 'cannot be used with oauth2 = yes: the refresh token takes its place');
    if (!['auto', 'xoauth2', 'oauthbearer'].includes(method)) {
      report('auth', 'must be xoauth2 or oauthbearer with oauth2 = yes');
    }
    for (const key of ['oauth2_client_id', 'oauth2_refresh_token'] as const) {
      if (!isSet(values[key])) report(null, `${key} is missing: oauth2 = yes needs it`);
    }
  } else {
    // Written out, oauth2 = no is a switch turned off; left out, the keys would be lost in silence.
    const orphan = oauthKeys.find((key) => isSet(values[key]));
    if (oauth2 === undefined && orphan !== undefined) report(orphan, 'has no effect without oauth2 = yes');
    if (method === 'external') {
      if (first !== undefined) report(first, 'has no effect with auth = external: remove it');
    } else if (first === undefined && !usesCommand(values)) {
      report(null, `no password is given: add one of ${passwordKeys.join(', ')}`);
    }
  }
  checkAuthorization(values, method, report);
}

function checkAuthorization(values: Values, method: AuthMethod, report: Report): void {
  if (!isSet(values.authorization_id)) {
    if (method === 'proxyauth') report(null, 'authorization_id is missing: auth = proxyauth needs the user to act as');
    return;
  }
  if (method === 'login' || method === 'cram-md5') {
    report('authorization_id', `cannot be sent with auth = ${method}: use plain, a scram method or proxyauth`);
  }
  if (method === 'xoauth2' || method === 'oauthbearer' || values.oauth2 === true) {
    report('authorization_id', 'cannot be sent with OAuth: put the mailbox to open into username');
  }
}

/** How TLS is used, `ssl = yes` being the default where a connection is dialled. */
export function tlsMode(
  values: Pick<Values, 'ssl' | 'starttls' | 'stream' | 'command'>,
): 'implicit' | 'starttls' | 'none' {
  if (values.starttls === true) return 'starttls';
  return (values.ssl ?? !usesCommand(values)) ? 'implicit' : 'none';
}

/** True where a command makes the connection, which may log in by itself (PREAUTH). */
function usesCommand(values: Pick<Values, 'stream' | 'command'>): boolean {
  return values.stream === true || isSet(values.command);
}

function isSet(value: string | number | null | undefined): boolean {
  return value !== null && value !== undefined;
}

function hostProblem(value: string): string | null {
  if (value.includes('://'))
    return 'must be a bare name such as imap.example.org: port and ssl have lines of their own';
  if (isIP(withoutBrackets(value)) !== 0) return null;
  if (value.includes(':')) return 'must be a name without a port: "port" has a line of its own';
  if (!/^[\p{L}\p{N}\p{M}._-]+$/u.test(value)) return 'is not a host name such as imap.example.org';
  return null;
}

/** `[::1]`, as an address is written in URLs, is `::1`. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function isTimeout(value: string): boolean {
  return /^\d+(\.\d+)?$/.test(value) && Number(value) > 0 && Number(value) <= maxTimeoutSeconds;
}

function nullIfEmpty(value: string): string | null {
  return value === '' ? null : value;
}
