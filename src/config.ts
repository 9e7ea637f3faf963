/**
 * An account's INI file -> settings that are ready to use. Every key works or is refused by name; every error is one
 * line with file and line number; no error holds a secret.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { domainToASCII } from 'node:url';
import type { z } from 'zod';
import type { AccountSettings, TlsSettings } from './account.ts';
import { type Clock, systemClock } from './clock.ts';
import {
  type AccountKey,
  accountKeys,
  accountSchema,
  inlineSecretKeys,
  passwordKeys,
  tlsMode,
  withoutBrackets,
} from './config/account-schema.ts';
import { defaultSection, type IniEntry, type IniSection, parseIni } from './config/ini.ts';
import { redeemRefreshToken, tokenUrlOf } from './config/oauth.ts';
import { chmodAdvice, readPrivateFile, resolvePath } from './config/private-file.ts';
import { readFromCommand, readFromEnvironment, readFromFile, type SecretContext } from './config/secret.ts';
import { ConfigError } from './errors.ts';
import { nearNames } from './plan/near-name.ts';

export interface LoadOptions {
  /** Default: the process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Accept files with secrets that others can read. Default: they are refused. */
  readonly allowReadableSecrets?: boolean;
  /** Ends what is waited for: the password command, the token provider. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Longest silence on a connection where the file does not say. */
const defaultTimeoutMs = 60_000;

/** Keys that other programs put into such files, and what to do about them. */
const foreignKeys: Readonly<Record<string, string>> = {
  expect_failure: 'belongs to the test suite of IMAPClient and means nothing here: remove the line',
};

/**
 * Reads an account from `file`, or from a section of it: `accounts.ini#work` takes the keys of `[work]` and, where it
 * has none, those of `[DEFAULT]`. Fetches the password from where the file says, and with `oauth2 = yes` redeems the
 * refresh token.
 * @throws ConfigError (exit 2) for whatever is wrong with the file, MigrateError `LOGIN` or `CONNECT` where a token is
 * refused or cannot be had.
 */
export async function loadAccount(file: string, options: LoadOptions = {}): Promise<AccountSettings> {
  const { path, section } = splitReference(file);
  const { bytes, exposed } = await readPrivateFile(path, path);
  const sections = parseIni(bytes, path);
  const entries = selectEntries(sections, section, path);
  if (exposed && options.allowReadableSecrets !== true) refuseExposedSecret(sections, path);

  const values = parseValues(entries, path);
  const env = options.env ?? process.env;
  const waits = { clock: options.clock ?? systemClock, signal: options.signal ?? null };
  const context = (key: AccountKey): SecretContext => ({
    where: `${path}:${lineOf(entries, key)}: ${key}`,
    env,
    ...waits,
  });

  const stream = values.stream === true;
  const mode = tlsMode(values);
  const tls: TlsSettings = {
    mode,
    verify: values.ssl_verify_cert ?? true,
    checkHostname: (values.ssl_check_hostname ?? true) && (values.ssl_verify_cert ?? true),
    ca: isText(values.ssl_ca_file) ? await readAuthorities(values.ssl_ca_file, path, context('ssl_ca_file')) : null,
  };
  // A command without a host talks to this machine as far as anybody can tell.
  const host = stream || !isText(values.host) ? 'localhost' : toAsciiHost(values.host);
  const account = {
    file,
    host,
    port: values.port ?? (mode === 'implicit' ? 993 : 143),
    tls,
    command: (stream ? values.host : values.command) ?? null,
    username: values.username ?? '',
    auth: values.auth ?? 'auto',
    authorizationId: values.authorization_id ?? null,
    timeoutMs: values.timeout ?? defaultTimeoutMs,
    prefix: values.prefix ?? null,
    delimiter: values.delimiter ?? null,
  } as const;

  if (values.oauth2 === true) {
    const url = values.oauth2_token_url ?? null;
    const where = url === null ? path : context('oauth2_token_url').where;
    const secret = await redeemRefreshToken({
      where: path,
      tokenUrl: tokenUrlOf(host, url, where),
      clientId: values.oauth2_client_id ?? '',
      clientSecret: values.oauth2_client_secret ?? null,
      refreshToken: values.oauth2_refresh_token ?? '',
      ...waits,
    });
    return { ...account, secret, auth: account.auth === 'oauthbearer' ? 'oauthbearer' : 'xoauth2', renewable: true };
  }
  // A command that prints a token prints a new one when asked again.
  const isToken = account.auth === 'oauthbearer' || account.auth === 'xoauth2';
  const renews = isToken && isText(values.password_command) ? { renewable: true } : {};
  return {
    ...account,
    ...renews,
    secret: await readPassword(values, path, context, env, options.allowReadableSecrets === true),
  };
}

type Values = z.output<typeof accountSchema>;

/** `accounts.ini#work` -> the file and the section, unless there is a file of that whole name. */
function splitReference(reference: string): { readonly path: string; readonly section: string | null } {
  const mark = reference.lastIndexOf('#');
  if (mark < 1 || existsSync(reference)) return { path: reference, section: null };
  return { path: reference.slice(0, mark), section: reference.slice(mark + 1) };
}

/** The keys that count: those of the section over those of `[DEFAULT]`. Unknown keys among them are refused. */
function selectEntries(
  sections: ReadonlyMap<string, IniSection>,
  wanted: string | null,
  path: string,
): ReadonlyMap<string, IniEntry> {
  const others = [...sections.values()].filter(({ name }) => name !== defaultSection);
  const [other] = others;
  if (wanted === null && other !== undefined) {
    const what = `section [${other.name}] is not asked for: name it as "${path}#${other.name}"`;
    throw new ConfigError(
      `${path}:${other.line}: ${what}, or the account outside of it as "${path}#${defaultSection}"`,
    );
  }
  const section =
    wanted === null ? undefined : sections.get(wanted.toUpperCase() === defaultSection ? defaultSection : wanted);
  if (wanted !== null && section === undefined) {
    const [near] = nearNames(wanted, sections.keys());
    throw new ConfigError(
      `${path}: there is no section [${wanted}]${near === undefined ? '' : `: did you mean [${near}]?`}`,
    );
  }
  const entries = new Map([...(sections.get(defaultSection)?.entries ?? []), ...(section?.entries ?? [])]);
  for (const { key, line } of entries.values()) {
    if ((accountKeys as readonly string[]).includes(key)) continue;
    const foreign = foreignKeys[key];
    if (foreign !== undefined) throw new ConfigError(`${path}:${line}: ${key} ${foreign}`);
    const [near] = nearNames(key, accountKeys);
    const hint = near === undefined ? `the keys are ${accountKeys.join(', ')}` : `did you mean ${near}?`;
    // What does not look like a key may be a piece of a secret that went astray.
    const shown = /^[a-z][a-z0-9_. -]{0,39}$/.test(key) ? ` ${key}` : '';
    throw new ConfigError(`${path}:${line}: unknown key${shown}: ${hint}`);
  }
  return entries;
}

function refuseExposedSecret(sections: ReadonlyMap<string, IniSection>, path: string): void {
  for (const { entries } of sections.values()) {
    for (const key of inlineSecretKeys) {
      const entry = entries.get(key);
      if (entry === undefined || entry.value === '') continue;
      const message = `${path}:${entry.line}: others can read or change this file, and ${key} is in it: ${chmodAdvice(path)}`;
      throw new ConfigError(message);
    }
  }
}

function parseValues(entries: ReadonlyMap<string, IniEntry>, path: string): Values {
  const input = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
  const result = accountSchema.safeParse(input);
  if (result.success) return result.data;
  // One error at a time, the first in the file; what is missing from the file comes last.
  const issues = result.error.issues.map(({ path: [key], message }) => {
    const line = typeof key === 'string' ? lineOf(entries, key) : Number.POSITIVE_INFINITY;
    return { line, text: typeof key === 'string' ? `:${line}: ${key} ${message}` : `: ${message}` };
  });
  const [first] = issues.sort((a, b) => a.line - b.line);
  throw new ConfigError(`${path}${first?.text}`);
}

async function readPassword(
  values: Values,
  path: string,
  context: (key: AccountKey) => SecretContext,
  env: NodeJS.ProcessEnv,
  allowReadableSecrets: boolean,
): Promise<string> {
  for (const key of passwordKeys) {
    const value = values[key];
    if (!isText(value)) continue;
    switch (key) {
      case 'password':
        return value;
      case 'password_command':
        return await readFromCommand(value, context(key));
      case 'password_file':
        return await readFromFile(resolvePath(value, path, env), { ...context(key), allowReadableSecrets });
      case 'password_env':
        return readFromEnvironment(value, context(key));
      default:
        key satisfies never;
    }
  }
  // auth = external, or a command that logs in by itself.
  return '';
}

/** PEM text of at least one certificate, each of which is one. */
async function readAuthorities(file: string, path: string, context: SecretContext): Promise<string> {
  const resolved = resolvePath(file, path, context.env);
  const what = `${context.where} (${resolved})`;
  const { bytes } = await readPrivateFile(resolved, what);
  const pem = bytes.toString('latin1');
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (blocks === null) {
    throw new ConfigError(`${what}: holds no certificate: it needs PEM text with "-----BEGIN CERTIFICATE-----"`);
  }
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new ConfigError(`${what}: certificate number ${index + 1} is damaged: copy the file again`, {
        cause: error,
      });
    }
  }
  return pem;
}

/** What a certificate and DNS call a name with accents; a name that has no such form is left to the resolver. */
function toAsciiHost(written: string): string {
  const host = withoutBrackets(written);
  const ascii = /^\p{ASCII}*$/u.test(host) ? host : domainToASCII(host);
  return ascii === '' ? host : ascii;
}

function lineOf(entries: ReadonlyMap<string, IniEntry>, key: string): number {
  return entries.get(key)?.line ?? 1;
}

function isText(value: string | null | undefined): value is string {
  return value !== null && value !== undefined;
}
