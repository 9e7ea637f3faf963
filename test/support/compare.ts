/** Reads accounts back and says how they differ. Never uses the product's own client. */
import { createHash } from 'node:crypto';
import { ImapFlow } from 'imapflow';
import { decodeUtf7, quote, RawImap } from './imap-raw.ts';
import type { AccountAccess } from './servers/instance.ts';

export interface DumpedMessage {
  readonly uid: number;
  /** SHA-256 of the body (canonical form where asked for). */
  readonly digest: string;
  readonly bytes: number;
  /** System flags, lower case, sorted, without `\recent`. */
  readonly flags: readonly string[];
  /** Keywords, sorted, case as served. */
  readonly keywords: readonly string[];
  /** INTERNALDATE as an instant, ms since 1970. */
  readonly time: number;
  /** First `Subject` line, for messages to people. */
  readonly subject: string;
}

/** Folder -> its messages in UID order. Folders are named by their path with `/`, without the account's prefix. */
export type AccountDump = ReadonlyMap<string, readonly DumpedMessage[]>;

export interface DumpOptions {
  /** Compare line ends and a missing final newline as equal: every line end becomes CRLF, the last line ends. */
  readonly canonical?: boolean;
  /** A header line that counts for nothing, wherever it stands: some tools leave a mark of their own. */
  readonly withoutHeader?: string;
}

/** The whole account through the raw client. */
export async function dumpAccount(access: AccountAccess, options: DumpOptions = {}): Promise<AccountDump> {
  await using client = await RawImap.open(access);
  const { prefix, separator } = await client.namespace();
  const dump = new Map<string, DumpedMessage[]>();
  for (const folder of await client.list()) {
    if (folder.attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute))) continue;
    const messages: DumpedMessage[] = [];
    if ((await client.examine(folder.rawName)).exists > 0) {
      await client.fetchEach((message) => messages.push(describe(message, options)));
    }
    dump.set(folderKey(folder.name, decodeUtf7(prefix), folder.separator ?? separator), messages);
  }
  return dump;
}

/** The whole account through imapflow: a second opinion by a client that many people use. */
export async function dumpWithImapflow(access: AccountAccess, options: DumpOptions = {}): Promise<AccountDump> {
  const client = new ImapFlow({
    host: access.host,
    port: access.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: access.user, pass: access.password },
    logger: false,
  });
  await client.connect();
  const dump = new Map<string, DumpedMessage[]>();
  try {
    const prefix = client.namespace ? client.namespace.prefix : '';
    for (const folder of await client.list()) {
      if (folder.flags.has('\\Noselect') || folder.flags.has('\\NonExistent')) continue;
      const messages: DumpedMessage[] = [];
      const opened = await client.mailboxOpen(folder.path, { readOnly: true });
      if (opened.exists > 0) {
        const query = { uid: true, flags: true, internalDate: true, source: true };
        for await (const { uid, flags, internalDate, source } of client.fetch('1:*', query)) {
          if (flags === undefined || internalDate === undefined || source === undefined) {
            throw new Error(`imapflow left items out of message ${uid} in ${folder.path}`);
          }
          messages.push(
            describe({ uid, flags: [...flags], internalDate: String(internalDate), body: source }, options),
          );
        }
      }
      dump.set(folderKey(folder.path, prefix, folder.delimiter), messages);
    }
  } finally {
    await client.logout();
  }
  return dump;
}

/** Names of the subscribed folders, in the form of a dump. */
export async function dumpSubscriptions(access: AccountAccess): Promise<string[]> {
  await using client = await RawImap.open(access);
  const { prefix, separator } = await client.namespace();
  const { untagged } = await client.command('LSUB "" "*"');
  return untagged
    .filter(({ values }) => values[0] === 'LSUB' && !(Array.isArray(values[1]) && values[1].includes('\\Noselect')))
    .map(({ values }) => folderKey(decodeUtf7(String(values[3])), decodeUtf7(prefix), separator))
    .sort();
}

export interface CompareOptions {
  /** False: each folder is compared as a multiset. */
  readonly order?: boolean;
  /** Where a left folder is expected on the right. */
  readonly rename?: (folder: string) => string;
  /** False: what the other side does not keep is not compared. */
  readonly keywords?: boolean;
  readonly bodies?: boolean;
  readonly dates?: boolean;
  readonly flags?: boolean;
}

/** Differences that are spelled out; of the rest only the number is told. */
const maxShown = 30;

/** Every difference, one line each; empty where the accounts are equal. */
export function compareDumps(left: AccountDump, right: AccountDump, options: CompareOptions = {}): string[] {
  const differences: string[] = [];
  const expected = new Map([...left].map(([folder, messages]) => [options.rename?.(folder) ?? folder, messages]));
  for (const folder of right.keys()) {
    if (!expected.has(folder)) differences.push(`${folder}: only on the right`);
  }
  for (const [folder, messages] of expected) {
    const others = right.get(folder);
    if (others === undefined) differences.push(`${folder}: not on the right`);
    else differences.push(...compareFolder(folder, messages, others, options));
  }
  if (differences.length <= maxShown) return differences;
  return [...differences.slice(0, maxShown), `… and ${differences.length - maxShown} more`];
}

function compareFolder(
  folder: string,
  left: readonly DumpedMessage[],
  right: readonly DumpedMessage[],
  options: CompareOptions,
): string[] {
  const differences: string[] = [];
  if (left.length !== right.length) differences.push(`${folder}: ${left.length} messages left, ${right.length} right`);
  const key = (message: DumpedMessage) => comparisonKey(message, options);
  const remaining = new Map<string, number>();
  for (const message of right) remaining.set(key(message), (remaining.get(key(message)) ?? 0) + 1);
  for (const message of left) {
    const count = remaining.get(key(message)) ?? 0;
    if (count === 0) differences.push(`${folder}: not on the right: ${show(message)}`);
    else remaining.set(key(message), count - 1);
  }
  for (const message of right) {
    const count = remaining.get(key(message)) ?? 0;
    if (count > 0) {
      differences.push(`${folder}: only on the right: ${show(message)}`);
      remaining.set(key(message), count - 1);
    }
  }
  if (differences.length === 0 && options.order !== false) {
    const at = left.findIndex((message, index) => key(message) !== comparisonKey(right[index] ?? message, options));
    if (at !== -1) differences.push(`${folder}: order differs from message ${at + 1} on`);
  }
  return differences;
}

function comparisonKey(message: DumpedMessage, options: CompareOptions): string {
  return JSON.stringify([
    options.bodies === false ? message.subject : message.digest,
    options.dates === false ? 0 : message.time,
    options.flags === false ? [] : message.flags,
    options.keywords === false ? [] : message.keywords,
  ]);
}

function show(message: DumpedMessage): string {
  const date = Number.isNaN(message.time) ? 'no date' : new Date(message.time).toISOString();
  const flags = [...message.flags, ...message.keywords].join(' ');
  return `UID ${message.uid} "${message.subject}" ${message.bytes} bytes ${date} (${flags}) ${message.digest.slice(0, 12)}`;
}

function describe(
  message: { uid: number; flags: readonly string[]; internalDate: string; body: Buffer },
  options: DumpOptions,
): DumpedMessage {
  const isSystem = (flag: string) => flag.startsWith('\\');
  return {
    uid: message.uid,
    digest: digestOf(message.body, options),
    bytes: message.body.length,
    flags: message.flags
      .filter(isSystem)
      .map((flag) => flag.toLowerCase())
      .filter((flag) => flag !== '\\recent')
      .sort(),
    keywords: message.flags.filter((flag) => !isSystem(flag)).sort(),
    time: Date.parse(message.internalDate.trim().replace(/^(\d+)-(\w+)-/, '$1 $2 ')),
    subject: /^Subject: *(.*)$/im.exec(message.body.toString('latin1', 0, 4096))?.[1]?.trim() ?? '',
  };
}

/** What bodies are compared by. */
export function digestOf(whole: Buffer, options: DumpOptions): string {
  const lines = options.canonical === true ? toCanonical(whole) : whole;
  const body = options.withoutHeader === undefined ? lines : withoutHeader(lines, options.withoutHeader);
  return createHash('sha256').update(body).digest('hex');
}

/** CR, LF and CRLF become CRLF; a missing last line end is added. */
function toCanonical(body: Buffer): Buffer {
  const text = body.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

/** `body` without its first line `name: …`, if that is one of the header. */
function withoutHeader(body: Buffer, name: string): Buffer {
  const head = Math.max(0, body.indexOf('\r\n\r\n'));
  const from = body.subarray(0, head + 2).indexOf(`${name}: `);
  if (from === -1 || (from > 0 && body[from - 1] !== 0x0a)) return body;
  return Buffer.concat([body.subarray(0, from), body.subarray(body.indexOf('\r\n', from) + 2)]);
}

function folderKey(name: string, prefix: string, separator: string): string {
  const local = prefix !== '' && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  if (local.toUpperCase() === 'INBOX') return 'INBOX';
  return local
    .split(separator)
    .map((part) => part.replaceAll('/', '%2F'))
    .join('/');
}

/** One message's place, for tests that alter it. */
export function findMessage(dump: AccountDump, folder: string, subject: string): DumpedMessage {
  const found = dump.get(folder)?.find((message) => message.subject === subject);
  if (found === undefined) throw new Error(`no message "${subject}" in ${folder}`);
  return found;
}

/** `STORE` on one message, behind the product's back. */
export async function alterFlags(access: AccountAccess, rawName: string, uid: number, flags: string): Promise<void> {
  await using client = await RawImap.open(access);
  await client.command(`SELECT ${quote(rawName)}`);
  await client.command(`UID STORE ${uid} FLAGS (${flags})`);
}
