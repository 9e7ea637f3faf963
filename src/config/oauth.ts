/**
 * OAuth 2.0: a refresh token from the account's file becomes an access token to log in with (RFC 6749 6). The tokens
 * never appear in an error, nor in what is attached to it.
 */
import type { Clock } from '../clock.ts';
import { ConfigError, exitCodes, MigrateError } from '../errors.ts';

export interface RefreshRequest {
  /** `src.ini`: begins every message. */
  readonly where: string;
  readonly tokenUrl: URL;
  readonly clientId: string;
  /** `null` for a public client. */
  readonly clientSecret: string | null;
  readonly refreshToken: string;
  readonly clock: Clock;
  readonly signal: AbortSignal | null;
}

const google = 'https://oauth2.googleapis.com/token';
const yahoo = 'https://api.login.yahoo.com/oauth2/get_token';
const microsoft = 'https://login.microsoftonline.com/common/oauth2/v2.0/token';

/** Where each provider's IMAP hosts have their tokens renewed. */
const tokenUrls: ReadonlyMap<string, string> = new Map([
  ['imap.gmail.com', google],
  ['imap.googlemail.com', google],
  ['imap.mail.yahoo.com', yahoo],
  ['export.imap.mail.yahoo.com', yahoo],
  ['outlook.office365.com', microsoft],
  ['imap-mail.outlook.com', microsoft],
]);

const timeoutMs = 30_000;
/** Access tokens are a few KiB at most. */
const maxAnswerBytes = 256 * 1024;

/** What to do about the error codes of RFC 6749 5.2. */
const advice: Readonly<Record<string, string>> = {
  invalid_grant:
    'the refresh token has expired or was revoked; let the user consent again and put the new one into the file',
  invalid_client: 'check oauth2_client_id and oauth2_client_secret',
  unauthorized_client: 'the client may not use refresh tokens; check its registration with the provider',
  invalid_scope: 'the refresh token was not issued for IMAP; let the user consent to IMAP access',
};

/**
 * Where tokens for `host` are renewed: the `oauth2_token_url` of the file, or the provider's own.
 * @throws ConfigError for an unknown host without a URL, and for a URL that is not https (http is taken on loopback).
 */
export function tokenUrlOf(host: string, configured: string | null, where: string): URL {
  if (configured === null) {
    const known = tokenUrls.get(host.toLowerCase().replace(/\.$/, ''));
    if (known !== undefined) return new URL(known);
    throw new ConfigError(`${where}: oauth2_token_url is missing: where ${host} has tokens renewed is not known here`);
  }
  const url = URL.canParse(configured) ? new URL(configured) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new ConfigError(`${where} is not the URL of a token endpoint, such as https://login.example.org/token`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new ConfigError(`${where} must begin with https://, because the refresh token is sent there`);
  }
  return url;
}

/**
 * Redeems a refresh token and returns the access token. Follows no redirect; gives up after 30 seconds.
 * @throws MigrateError `LOGIN` (exit 5) where the provider refuses, with its error code; `CONNECT` (exit 4) where it
 * cannot be reached or is out of order. Throws the signal's reason when that aborts.
 */
export async function redeemRefreshToken(request: RefreshRequest): Promise<string> {
  const { where, tokenUrl, clientId, clientSecret, refreshToken, clock, signal } = request;
  signal?.throwIfAborted();
  // Loaded here: few accounts need it.
  const oauth = await import('openid-client');
  const authentication = clientSecret === null ? oauth.None() : oauth.ClientSecretPost(clientSecret);
  const configuration = new oauth.Configuration(
    { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href },
    clientId,
    undefined,
    authentication,
  );
  if (tokenUrl.protocol === 'http:') oauth.allowInsecureRequests(configuration);
  configuration.timeout = 0;

  const deadline = new AbortController();
  const cancelDeadline = clock.after(timeoutMs, () => deadline.abort());
  let status: number | null = null;
  let unreachable: string | null = null;
  configuration[oauth.customFetch] = async (url, init) => {
    const stops = signal === null ? [deadline.signal] : [deadline.signal, signal];
    try {
      const response = await fetch(url, { ...init, body: init.body ?? null, signal: AbortSignal.any(stops) });
      const fields = await readFields(response);
      status = response.status;
      return toResponse(status, fields);
    } catch (error) {
      unreachable = deadline.signal.aborted ? `no answer within ${timeoutMs / 1000} seconds` : networkReason(error);
      throw error;
    }
  };
  try {
    const { access_token: accessToken } = await oauth.refreshTokenGrant(configuration, refreshToken);
    if (!/^[!-~]+$/.test(accessToken)) throw new oauth.ClientError('not a token');
    return accessToken;
  } catch (error) {
    signal?.throwIfAborted();
    const from = `${where}: ${tokenUrl.host}`;
    // No cause below: the library's errors carry the provider's answer, tokens included.
    if (unreachable !== null) {
      throw new MigrateError(
        'CONNECT',
        exitCodes.connect,
        `${from} could not be asked for an access token: ${unreachable}`,
      );
    }
    if (status !== null && (status >= 500 || status === 429)) {
      throw new MigrateError('CONNECT', exitCodes.connect, `${from} is out of order (HTTP ${status}): try again later`);
    }
    const code = error instanceof oauth.ResponseBodyError ? toErrorCode(error.error, request) : null;
    if (code === null) {
      const text = `${from} gave no access token for the refresh token (HTTP ${status}): check oauth2_token_url`;
      throw new MigrateError('LOGIN', exitCodes.login, text);
    }
    const help = advice[code] ?? "look the code up in the provider's documentation";
    throw new MigrateError('LOGIN', exitCodes.login, `${from} refused the refresh token (${code}): ${help}`);
  } finally {
    cancelDeadline();
  }
}

/** The members of the answer that matter here. An ID token is left out: there is nobody to identify, and its checks would need the provider's keys. */
async function readFields(response: Response): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxAnswerBytes) return {};
    chunks.push(chunk);
  }
  try {
    const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof answer !== 'object' || answer === null) return {};
    const wanted = ['access_token', 'token_type', 'expires_in', 'error'];
    return Object.fromEntries(Object.entries(answer).filter(([name]) => wanted.includes(name)));
  } catch {
    // Not JSON: the status says what there is to say.
    return {};
  }
}

function toResponse(status: number, fields: Record<string, unknown>): Response {
  const bodyless = status === 204 || status === 205 || status === 304;
  const body = bodyless ? null : JSON.stringify(fields);
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}

/** A code as RFC 6749 5.2 allows it, and not one of our secrets in its place. */
function toErrorCode(code: string, request: RefreshRequest): string | null {
  if (!/^[A-Za-z0-9_.:-]{1,64}$/.test(code)) return null;
  const secrets = [request.refreshToken, request.clientSecret ?? ''].filter((secret) => secret !== '');
  return secrets.some((secret) => code.includes(secret) || secret.includes(code)) ? null : code;
}

function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.name;
  return error instanceof Error ? error.name : 'unknown reason';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
