/**
 * The log file: JSON lines for a later look, and the redaction that every text from outside passes.
 * The logging package is loaded only when a log is asked for.
 */
import { closeSync, openSync } from 'node:fs';
import type { AccountSettings } from './account.ts';
import { ConfigError } from './errors.ts';
import { formsOf } from './protocol/redaction.ts';

/** Takes the secrets it knows out of a text. */
export type Redact = (text: string) => string;

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Everything is in the file when it returns. No call may follow. */
  close(): void;
}

export interface LogOptions {
  readonly redact: Redact;
  /** Also what is only of use when hunting a fault. */
  readonly debug: boolean;
  /** Told once when the file stops taking lines; the job goes on without it. */
  onFailure(error: Error): void;
}

const mask = '[secret]';

/** Below this length a secret is looked for as a whole word only: `a` in every sentence is not the password. */
const anywhereFrom = 6;

/**
 * A function that replaces the accounts' secrets by `[secret]`: plain, as a quoted string, inside JSON, and in the base64
 * that logins put on the wire. A secret that is also the user name hides nothing and is left alone.
 */
export function createRedact(accounts: readonly AccountSettings[]): Redact {
  const anywhere = new Set<string>();
  const words = new Set<string>();
  for (const account of accounts) {
    const { secret, username } = account;
    if (secret === '' || secret === username || secret === username.split('@')[0]) continue;
    const plain = secret.length < anywhereFrom ? words : anywhere;
    plain.add(secret);
    plain.add(secret.replace(/["\\]/g, '\\$&'));
    if (plain === anywhere) for (const form of formsOf(secret)) anywhere.add(form);
    plain.add(JSON.stringify(secret).slice(1, -1));
    for (const identity of new Set(['', username, account.authorizationId ?? ''])) {
      anywhere.add(toBase64(`${identity}\0${username}\0${secret}`));
    }
    anywhere.add(toBase64(`user=${username}\u0001auth=Bearer ${secret}\u0001\u0001`));
    (plain === words ? words : anywhere).add(toBase64(secret));
  }
  const patterns = [...anywhere].map(escapePattern);
  for (const word of words) patterns.push(`(?<![\\p{L}\\p{N}])${escapePattern(word)}(?![\\p{L}\\p{N}])`);
  if (patterns.length === 0) return (text) => text;
  // Longest first: of two secrets that begin alike the longer one must not leave its tail.
  const pattern = new RegExp(patterns.sort((a, b) => b.length - a.length).join('|'), 'gu');
  return (text) => text.replace(pattern, mask);
}

/** Keys of our own data whose strings hold words of a server or of an error. Names of folders are not among them. */
const spokenKeys: ReadonlySet<string> = new Set(['message', 'warnings', 'notes', 'server', 'serverId']);

/**
 * A copy of plain data in which every string that holds a server's words (`message`, `warnings`, `notes`, `server`) went
 * through `redact`. Typed arrays and other objects with a class are handed on as they are.
 */
export function redactData<Data>(data: Data, redact: Redact): Data {
  return redactValue(data, redact, false) as Data;
}

function redactValue(value: unknown, redact: Redact, spoken: boolean): unknown {
  if (typeof value === 'string') return spoken ? redact(value) : value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact, spoken));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = redactValue(item, redact, spoken || spokenKeys.has(key));
  return copy;
}

/** A log that keeps nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, close() {} };

/**
 * Opens `file` for appending (mode 0600 where it is created) and logs into it, one JSON object per line. Lines are written
 * at once, so a killed process loses none. Throws ConfigError where the file cannot be opened.
 */
export async function openLog(file: string, options: LogOptions): Promise<Log> {
  const { pino } = await import('pino');
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a', 0o600);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConfigError(`cannot write the log file ${file} (${reason}): choose another one with --log`, { cause });
  }
  const destination = pino.destination({ dest: descriptor, sync: true });
  let failed = false;
  destination.on('error', (error: Error) => {
    if (failed) return;
    failed = true;
    options.onFailure(error);
  });
  const logger = pino(
    {
      level: options.debug ? 'debug' : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['secret', 'password', '*.secret', '*.password'], censor: mask },
      hooks: { streamWrite: options.redact },
    },
    destination,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    close() {
      if (!failed) destination.flushSync();
      closeSync(descriptor);
    },
  };
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
