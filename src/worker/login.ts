import { isIP } from 'node:net';
import { type AccountSettings, type AuthMethod, accountLabel } from '../account.ts';
import { AuthenticationError, CapabilityError, type Clock, ImapClient, type Pace } from '../protocol/index.ts';
import { openTrace } from '../trace-file.ts';

/** Opens a connection for an account: dialled, inside TLS where asked, not logged in. Tests pass one over memory. */
export type Connect = (account: AccountSettings, clock: Clock, pace?: Pace) => Promise<ImapClient>;

/** Literals from this size on can be had as they come: those of the smallest message that a lane streams. */
const streamLiteralBytes = 1024 * 1024;

/** Dials an account as its settings say. */
export const connectAccount: Connect = (account, clock, pace) =>
  ImapClient.connect({
    host: account.host,
    port: account.port,
    tls: account.tls.mode,
    tlsOptions: {
      verify: account.tls.verify,
      checkHostname: account.tls.checkHostname,
      ...(account.tls.ca === null ? {} : { ca: account.tls.ca }),
    },
    ...(account.command === null ? {} : { command: account.command }),
    timeouts: { connectMs: Math.min(account.timeoutMs, 30_000), idleMs: account.timeoutMs },
    limits: { streamLiteralBytes },
    clock,
    pace,
    ...(account.trace === undefined
      ? {}
      : { trace: openTrace(account.trace, { account: accountLabel(account), clock, wallClockMs: Date.now }) }),
  });

/** What to say aloud about a connection that is less safe than it could be. */
export function tlsWarnings(account: AccountSettings): string[] {
  if (account.tls.mode === 'none' || account.command !== null) return [];
  if (!account.tls.verify) return ['the certificate is not checked (ssl_verify_cert = no)'];
  if (!account.tls.checkHostname) return ["the certificate's host name is not checked (ssl_check_hostname = no)"];
  return [];
}

/**
 * Dials an account and logs in; what was dialled is closed where that fails.
 * @throws AuthenticationError when the server refuses, or offers no usable method, and what `connect` throws
 */
export async function openSession(
  account: AccountSettings,
  connect: Connect,
  clock: Clock,
): Promise<{ readonly client: ImapClient; readonly method: AuthMethod }> {
  const client = await connect(account, clock);
  try {
    return { client, method: await logIn(client, account) };
  } catch (error) {
    client.close();
    if (error instanceof CapabilityError) throw new AuthenticationError(error.message, { cause: error });
    throw error;
  }
}

/**
 * Logs in by the account's method and returns the method used.
 * @throws AuthenticationError when the server refuses, CapabilityError when it offers no usable method.
 */
export async function logIn(client: ImapClient, account: AccountSettings): Promise<AuthMethod> {
  await client.capabilities();
  if (client.preauthenticated) return 'external';
  const method = account.auth === 'auto' ? chooseMethod(client, account) : account.auth;
  const { username, secret, authorizationId } = account;
  switch (method) {
    case 'auto':
    case 'login':
      await client.login(username, secret);
      break;
    case 'plain':
      await client.plainLogin(username, secret, authorizationId ?? undefined);
      break;
    case 'cram-md5':
      await client.cramMd5Login(username, secret);
      break;
    case 'scram-sha-1':
      await client.scramLogin(username, secret, scramOptions('SCRAM-SHA-1', authorizationId));
      break;
    case 'scram-sha-256':
      await client.scramLogin(username, secret, scramOptions('SCRAM-SHA-256', authorizationId));
      break;
    case 'xoauth2':
      await client.oauth2Login(username, secret);
      break;
    case 'oauthbearer':
      await client.oauthbearerLogin(username, secret, { host: account.host, port: account.port });
      break;
    case 'external':
      await client.externalLogin(authorizationId ?? undefined);
      break;
    case 'proxyauth':
      await client.login(username, secret);
      if (authorizationId !== null) await client.proxyauth(authorizationId);
      break;
    default:
      method satisfies never;
  }
  return method;
}

function scramOptions<Mechanism extends string>(mechanism: Mechanism, authorizationId: string | null) {
  return authorizationId === null ? { mechanism } : { mechanism, authorizationId };
}

/**
 * The method `auth = auto` stands for. Inside TLS, or where nobody can listen, the password goes over in one round trip;
 * on a clear line a challenge-response method is preferred, so that the password itself never travels.
 */
export function chooseMethod(
  client: Pick<ImapClient, 'hasCapability' | 'secure'>,
  account: Pick<AccountSettings, 'host' | 'command' | 'authorizationId'>,
): AuthMethod {
  const isPrivate = client.secure || account.command !== null || isLoopback(account.host);
  const challenge: readonly AuthMethod[] = ['scram-sha-256', 'scram-sha-1', 'cram-md5'];
  // Without an initial response PLAIN takes a round trip more than LOGIN.
  const direct: readonly AuthMethod[] = client.hasCapability('SASL-IR') ? ['plain', 'login'] : ['login', 'plain'];
  for (const method of isPrivate ? [...direct, ...challenge] : [...challenge, ...direct]) {
    if (account.authorizationId !== null && (method === 'login' || method === 'cram-md5')) continue;
    const offered =
      method === 'login'
        ? !client.hasCapability('LOGINDISABLED')
        : client.hasCapability(`AUTH=${method.toUpperCase()}`);
    if (offered) return method;
  }
  throw new CapabilityError(
    'the server offers no login method that works with a user name and a password; it may want OAuth (auth = xoauth2) or TLS',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
