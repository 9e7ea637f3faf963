import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { SandboxAccount } from './account.ts';
import type { Feature } from './features.ts';
import type { SandboxServer } from './server.ts';

/** What a mechanism found out; `null` for wrong credentials. */
export type SaslOutcome = { readonly account: SandboxAccount } | null;

/** A mechanism: yields challenges, receives responses (decoded), returns the outcome. */
export type SaslExchange = Generator<Buffer, SaslOutcome, Buffer>;

/** What a mechanism is given. */
export interface SaslContext {
  readonly server: SandboxServer;
  /** The initial response, or `null` where the client sent none: then the first challenge is empty. */
  readonly initial: Buffer | null;
  /** Differs for every exchange; makes challenges unique without chance. */
  readonly nonce: string;
}

export type SaslMechanism = (context: SaslContext) => SaslExchange;

export const saslMechanisms: ReadonlyMap<string, { readonly feature: Feature; readonly start: SaslMechanism }> =
  new Map([
    ['PLAIN', { feature: 'AUTH=PLAIN', start: plain }],
    ['LOGIN', { feature: 'AUTH=LOGIN', start: login }],
    ['CRAM-MD5', { feature: 'AUTH=CRAM-MD5', start: cramMd5 }],
    ['SCRAM-SHA-1', { feature: 'AUTH=SCRAM-SHA-1', start: (context) => scram(context, 'sha1', 20) }],
    ['SCRAM-SHA-256', { feature: 'AUTH=SCRAM-SHA-256', start: (context) => scram(context, 'sha256', 32) }],
    ['XOAUTH2', { feature: 'AUTH=XOAUTH2', start: xoauth2 }],
    ['OAUTHBEARER', { feature: 'AUTH=OAUTHBEARER', start: oauthbearer }],
    ['EXTERNAL', { feature: 'AUTH=EXTERNAL', start: external }],
  ] as const);

/** The account a password opens: its own, or that of `actAs` where an administrator asks for it. */
export function checkPassword(server: SandboxServer, user: string, password: string, actAs = ''): SaslOutcome {
  const account = server.accounts.get(user);
  if (account === undefined) return null;
  if (account.password !== password) return failed(account);
  return authorize(server, account, actAs);
}

function authorize(server: SandboxServer, account: SandboxAccount, actAs: string): SaslOutcome {
  if (actAs === '' || actAs === account.user) return { account };
  const other = server.accounts.get(actAs);
  return account.admin && other !== undefined ? { account: other } : failed(account);
}

function failed(account: SandboxAccount): null {
  account.failedLogins += 1;
  return null;
}

/** RFC 4616. */
function* plain(context: SaslContext): SaslExchange {
  const response = context.initial ?? (yield Buffer.alloc(0));
  const [actAs, user, password, ...rest] = response.toString().split('\0');
  if (user === undefined || password === undefined || rest.length > 0) return null;
  return checkPassword(context.server, user, password, actAs);
}

function* login(context: SaslContext): SaslExchange {
  const user = context.initial ?? (yield Buffer.from('Username:'));
  const password = yield Buffer.from('Password:');
  return checkPassword(context.server, user.toString(), password.toString());
}

/** RFC 2195. */
function* cramMd5(context: SaslContext): SaslExchange {
  const challenge = Buffer.from(`<${context.nonce}@sandbox.invalid>`);
  const response = (yield challenge).toString();
  const user = response.slice(0, response.lastIndexOf(' '));
  const account = context.server.accounts.get(user);
  if (account === undefined) return null;
  const expected = createHmac('md5', account.password).update(challenge).digest('hex');
  return response.slice(response.lastIndexOf(' ') + 1) === expected ? { account } : failed(account);
}

/** RFC 5802, without channel binding. */
function* scram(context: SaslContext, hash: string, length: number): SaslExchange {
  const clientFirst = (context.initial ?? (yield Buffer.alloc(0))).toString();
  const match = /^(n|y),(?:a=([^,]*))?,(n=([^,]*),r=([^,]+).*)$/.exec(clientFirst);
  if (match === null) return null;
  const account = context.server.accounts.get(unescapeSaslName(match[4] ?? ''));
  const salt = createHash('sha256').update(`salt of ${account?.user}`).digest().subarray(0, 16);
  const iterations = 4096;
  const serverFirst = `r=${match[5]}${context.nonce},s=${salt.toString('base64')},i=${iterations}`;
  const clientFinal = (yield Buffer.from(serverFirst)).toString();
  const proofAt = clientFinal.lastIndexOf(',p=');
  const binding = Buffer.from(`${match[1]},${match[2] === undefined ? '' : `a=${match[2]}`},`).toString('base64');
  if (
    account === undefined ||
    clientFinal.slice(0, Math.max(0, proofAt)) !== `c=${binding},r=${match[5]}${context.nonce}`
  )
    return null;
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  const salted = pbkdf2Sync(account.password.normalize('NFKC'), salt, iterations, length, hash);
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash(hash).update(clientKey).digest();
  const exchange = `${match[3]},${serverFirst},${clientFinal.slice(0, proofAt)}`;
  const signature = hmac(storedKey, exchange);
  const proof = Buffer.from(clientFinal.slice(proofAt + 3), 'base64');
  if (!proof.equals(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)))) return failed(account);
  const outcome = authorize(context.server, account, unescapeSaslName(match[2] ?? ''));
  if (outcome !== null) yield Buffer.from(`v=${hmac(hmac(salted, 'Server Key'), exchange).toString('base64')}`);
  return outcome;
}

function unescapeSaslName(name: string): string {
  return name.replace(/=2C/g, ',').replace(/=3D/g, '=');
}

function* xoauth2(context: SaslContext): SaslExchange {
  const fields = (context.initial ?? (yield Buffer.alloc(0))).toString().split('\x01');
  const user = fields.find((field) => field.startsWith('user='))?.slice('user='.length) ?? '';
  const account = context.server.accounts.get(user);
  if (account !== undefined && isToken(account, bearerToken(fields))) return { account };
  yield Buffer.from('{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}');
  return account === undefined ? null : failed(account);
}

/** RFC 7628. */
function* oauthbearer(context: SaslContext): SaslExchange {
  const [gs2Header = '', ...fields] = (context.initial ?? (yield Buffer.alloc(0))).toString().split('\x01');
  const user = unescapeSaslName(/^n,a=([^,]*),$/.exec(gs2Header)?.[1] ?? '');
  const token = bearerToken(fields);
  const named = context.server.accounts.get(user);
  const candidates = user === '' ? [...context.server.accounts.values()] : named === undefined ? [] : [named];
  const account = candidates.find((each) => isToken(each, token));
  if (account !== undefined) return { account };
  yield Buffer.from('{"status":"invalid_token"}');
  return named === undefined ? null : failed(named);
}

function bearerToken(fields: readonly string[]): string | null {
  const field = fields.find((each) => /^auth=bearer /i.test(each));
  return field === undefined ? null : field.slice('auth=bearer '.length);
}

function isToken(account: SandboxAccount, token: string | null): boolean {
  return token !== null && account.accessToken === token;
}

/** RFC 4422 appendix A. Whoever names an account gets it: the client certificate is taken as proved. */
function* external(context: SaslContext): SaslExchange {
  const user = (context.initial ?? (yield Buffer.alloc(0))).toString();
  const account = user === '' ? context.server.accounts.values().next().value : context.server.accounts.get(user);
  return account === undefined ? null : { account };
}
