/** docs/client.md: its tables name everything there is, its recipes run. */
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import * as protocol from 'imap-migrate/protocol';
import { type ConnectOptions, ImapClient, specialUses, systemFlags } from 'imap-migrate/protocol';
import { connectSandbox, listenSandbox, type SandboxAccount, SandboxServer } from 'imap-migrate/testing';
import { type ParsedMail, simpleParser } from 'mailparser';
import { afterEach, describe, expect, it, test } from 'vitest';
import { codeBlocks } from '../support/code-blocks.ts';

const page = new URL('../../docs/client.md', import.meta.url);

test('every example of the page stands here', () => {
  const here = readFileSync(new URL(import.meta.url), 'utf8');
  const examples = codeBlocks(page, 'ts').filter((code) => !code.startsWith('import '));
  expect(examples).toHaveLength(11);
  expect(examples.filter((code) => !here.includes(code))).toEqual([]);
});

// -- Tables -----------------------------------------------------------------------------------------------------------

interface Row {
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

function rowsOf(heading: string): Row[] {
  const [, section = ''] = readFileSync(page, 'utf8').split(`## ${heading}\n`);
  const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return section
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|'))
    .map(([, theirs, ours]) => ({ theirs: names(theirs), ours: names(ours) })) as Row[];
}

const imaplib = rowsOf('From imaplib');
const imapClient = rowsOf('From IMAPClient 3.0.1');
const beyond = [...(/^Beyond both:(.*?)\.\n\n/ms.exec(readFileSync(page, 'utf8'))?.[1] ?? '').matchAll(/`([^`]+)`/g)];
const ours = [...imaplib, ...imapClient].flatMap((row) => row.ours).concat(beyond.map(([, name = '']) => name));

/** Public names of IMAPClient 3.0.1: the class, then what its modules have. */
const imapClientNames = `
  IMAPClient host port ssl ssl_context stream timeout use_uid folder_encode normalise_times welcome Error AbortError
  ReadOnlyError socket starttls login plain_login oauth2_login oauthbearer_login sasl_login logout shutdown enable id_
  capabilities has_capability namespace list_folders list_sub_folders xlist_folders find_special_folder select_folder
  unselect_folder close_folder noop idle idle_check idle_done folder_status folder_exists create_folder rename_folder
  delete_folder subscribe_folder unsubscribe_folder search gmail_search sort thread get_flags add_flags remove_flags
  set_flags get_gmail_labels add_gmail_labels remove_gmail_labels set_gmail_labels delete_messages fetch append
  multiappend copy move expunge uid_expunge getacl setacl get_quota get_quota_root set_quota
  Namespace Quota MailboxQuotaRoots SocketTimeout DELETED SEEN ANSWERED FLAGGED DRAFT RECENT
  ALL ARCHIVE DRAFTS JUNK SENT TRASH
  exceptions.IMAPClientError exceptions.IMAPClientAbortError exceptions.IMAPClientReadOnlyError
  exceptions.CapabilityError exceptions.LoginError exceptions.IllegalStateError exceptions.InvalidCriteriaError
  exceptions.ProtocolError response_types.Envelope response_types.Address response_types.BodyData
  response_types.SearchIds response_parser.parse_response response_parser.parse_message_list
  response_parser.parse_fetch_response imap_utf7.encode imap_utf7.decode datetime_util.parse_to_datetime
  datetime_util.datetime_to_native datetime_util.datetime_to_INTERNALDATE datetime_util.format_criteria_date
  fixed_offset.FixedOffset tls.create_default_context config.parse_config_file config.create_client_from_config
`
  .trim()
  .split(/\s+/);

/** Public names of imaplib's classes and module, as Python 3.11 has them; asked anew where there is a Python. */
const imaplibNames = `
  abort append authenticate capability check close copy create delete deleteacl enable error expunge fetch getacl
  getannotation getquota getquotaroot list login login_cram_md5 logout lsub myrights namespace noop open partial
  print_log proxyauth read readline readonly recent rename response search select send setacl setannotation setquota
  shutdown socket sort starttls status store subscribe thread uid unselect unsubscribe xatom
  imaplib.IMAP4 imaplib.IMAP4_SSL imaplib.IMAP4_stream imaplib.Internaldate2tuple imaplib.Int2AP imaplib.ParseFlags
  imaplib.Time2Internaldate imaplib.Commands imaplib.Debug imaplib.AllowedVersions imaplib.IMAP4_PORT
  imaplib.IMAP4_SSL_PORT
`
  .trim()
  .split(/\s+/);

/** What Python itself says; null where there is none. */
function askPython(): string[] | null {
  const program = `
import imaplib
for name in dir(imaplib.IMAP4) + dir(imaplib.IMAP4_SSL) + dir(imaplib.IMAP4_stream):
    if not name.startswith('_'): print(name)
for name in imaplib.__all__: print('imaplib.' + name)
`;
  try {
    return execFileSync('python3', ['-c', program], { encoding: 'utf8', stdio: 'pipe' }).trim().split('\n');
  } catch {
    return null;
  }
}

describe('the tables', () => {
  const covers = (rows: readonly Row[], names: readonly string[]) => {
    const listed = new Set(rows.flatMap(({ theirs }) => theirs));
    return names.filter((name) => !listed.has(name));
  };

  it('name everything that imaplib has', () => {
    // The same name as a member of the class and as a socket of ours: one row does for both.
    const names = [...imaplibNames, ...(askPython() ?? [])].map((name) => (name === 'socket' ? 'sock' : name));
    expect(covers(imaplib, names)).toEqual([]);
  });

  it('name everything that IMAPClient has', () => {
    expect(covers(imapClient, imapClientNames)).toEqual([]);
  });

  it('have something of ours in each row', () => {
    expect([...imaplib, ...imapClient].filter((row) => row.ours.length === 0 || row.theirs.length === 0)).toEqual([]);
    expect(imaplib.length + imapClient.length).toBeGreaterThan(100);
  });

  const root = fileURLToPath(new URL('../', import.meta.url));
  const tests = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('docs/client.test.ts'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const options = readFileSync(new URL('../../src/protocol/connect-options.ts', import.meta.url), 'utf8');
  const fields = new Set(['useUid', 'folderEncode', 'onUnsolicited']);

  it.each([...new Set(ours)])('%s exists and has a test', (name) => {
    const [, member] = /^client\.(\w+)$/.exec(name) ?? [];
    const [, option] = /^connect: (\w+)$/.exec(name) ?? [];
    if (member !== undefined) {
      expect(member in ImapClient.prototype || fields.has(member)).toBe(true);
      expect(new RegExp(`\\.${member}\\b`).test(tests)).toBe(true);
    } else if (option !== undefined) {
      expect(options).toMatch(new RegExp(`readonly ${option}\\??:`));
      expect(new RegExp(`\\b${option}\\b`).test(tests)).toBe(true);
    } else {
      const [first = '', second] = name.split('.');
      const found: unknown = Reflect.get(protocol, first);
      expect(found).toBeDefined();
      if (second !== undefined) expect(found).toHaveProperty(second);
      expect(new RegExp(`\\b${first}\\b`).test(tests)).toBe(true);
    }
  });

  it('leave no member of the client out', () => {
    const members = Object.getOwnPropertyNames(ImapClient.prototype).filter((name) => name !== 'constructor');
    const named = new Set(ours.map((name) => name.replace('client.', '')));
    expect(members.filter((member) => !named.has(member))).toEqual([]);
  });

  it('leave no function or constant of the module out', () => {
    const named = new Set(ours.map((name) => name.split('.')[0]));
    const errors = new Set(Object.keys(protocol).filter((name) => name.endsWith('Error')));
    const missing = Object.keys(protocol).filter((name) => !named.has(name) && !errors.has(name));
    expect(missing.filter((name) => !['BodyStream', 'FetchedMessages', 'systemClock'].includes(name))).toEqual([]);
  });
});

// -- Recipes ----------------------------------------------------------------------------------------------------------

/** Subjects of the newest messages of the INBOX, the latest first. */
async function newestSubjects(options: ConnectOptions, user: string, password: string): Promise<(string | null)[]> {
  await using client = await ImapClient.connect(options);
  await client.login(user, password);
  const { exists } = await client.selectFolder('INBOX', { readOnly: true });
  if (exists === 0) return [];
  const newest = await client.fetch(`${Math.max(1, exists - 9)}:*`, 'ENVELOPE', { useUid: false });
  return [...newest.values()].map(({ envelope }) => envelope?.subject ?? null).reverse();
}

async function unreadMessages(client: ImapClient): Promise<ParsedMail[]> {
  await client.selectFolder('INBOX', { readOnly: true });
  const uids = await client.search('UNSEEN');
  const messages = await client.fetch(uids, 'BODY.PEEK[]');
  return await Promise.all([...messages.values()].map(({ body }) => simpleParser(body ?? '')));
}

function connectPrivately(host: string, port: number, caFile: string): Promise<ImapClient> {
  return ImapClient.connect({ host, port, tlsOptions: { caFile } });
}

/** Calls `onMail` for each new message until it answers false. */
async function watchInbox(client: ImapClient, onMail: (subject: string | null) => boolean): Promise<void> {
  let { exists } = await client.selectFolder('INBOX');
  for await (const news of client.idle()) {
    if (news.kind === 'expunge') exists--;
    if (news.kind !== 'exists' || news.count <= exists) continue;
    const added = await client.fetch(`${exists + 1}:${news.count}`, 'ENVELOPE', { useUid: false });
    exists = news.count;
    for (const { envelope } of added.values()) if (!onMail(envelope?.subject ?? null)) return;
  }
}

async function loginWithToken(client: ImapClient, user: string, accessToken: string): Promise<void> {
  if (client.hasCapability('AUTH=OAUTHBEARER')) await client.oauthbearerLogin(user, accessToken);
  else await client.oauth2Login(user, accessToken);
}

async function storeAll(client: ImapClient, folder: string, file: string): Promise<number[] | null> {
  const { size } = await stat(file);
  const { uids } = await client.multiappend(folder, [
    'Subject: a string\n\nIts line ends are made CRLF.\n',
    { body: Buffer.from('Subject: bytes\r\n\r\n'), flags: [systemFlags.seen], internalDate: new Date(0) },
    { body: { size, stream: createReadStream(file) }, flags: [systemFlags.flagged, '$Imported'] },
  ]);
  return uids;
}

async function archiveReadMail(client: ImapClient): Promise<number> {
  const archive = await client.findSpecialFolder(specialUses.archive);
  if (archive === null) return 0;
  await client.selectFolder('INBOX');
  const read = await client.search(['SEEN', 'UNFLAGGED']);
  await client.move(read, archive.name);
  return read.length;
}

/** Used kilobytes as a fraction of what is allowed; null where there is no limit. */
async function fullness(client: ImapClient): Promise<number | null> {
  const { quotas } = await client.getQuotaRoot('INBOX');
  const storage = quotas.find(({ resource }) => resource === 'STORAGE');
  return storage === undefined ? null : storage.usage / storage.limit;
}

async function saveFolder(client: ImapClient, folder: string, directory: string): Promise<void> {
  await client.selectFolder(folder, { readOnly: true });
  for await (const { uid, body } of client.fetchStream('1:*', ['UID', 'BODY.PEEK[]'])) {
    if (body) await pipeline(body, createWriteStream(join(directory, `${uid}.eml`)));
  }
}

async function firstAttachment(client: ImapClient, uid: number): Promise<Buffer | null> {
  const structure = (await client.fetch(uid, 'BODYSTRUCTURE')).get(uid)?.bodyStructure;
  const parts = structure?.isMultipart === true ? structure.parts : [];
  const part = parts.find(({ disposition }) => disposition?.type === 'attachment');
  if (part === undefined || part.isMultipart) return null;
  const { sections } = (await client.fetch(uid, `BODY.PEEK[${part.section}]`)).get(uid) ?? {};
  const content = sections?.get(`BODY[${part.section}]`);
  return content && part.encoding === 'base64' ? Buffer.from(content.toString('latin1'), 'base64') : (content ?? null);
}

/** UIDs of messages that are new or have other flags since `modSeq`; start with the folder's `highestModSeq`. */
async function changedSince(client: ImapClient, folder: string, modSeq: bigint): Promise<number[]> {
  await client.selectFolder(folder, { readOnly: true, condStore: true });
  const changed = await client.fetch('1:*', ['UID', 'FLAGS'], { changedSince: modSeq });
  return [...changed.keys()];
}

describe('the recipes', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });

  const mail = (subject: string, text = 'text') =>
    `Subject: ${subject}\r\nFrom: Ann <ann@example.com>\r\n\r\n${text}\r\n`;

  function newAccount(): { server: SandboxServer; account: SandboxAccount; options: ConnectOptions } {
    const server = new SandboxServer();
    const quota = { storageBytes: 1024 * 1024, messages: null };
    const account = server.addAccount({ user: 'alice', password: 'secret', accessToken: 'ya29.token', quota });
    return { server, account, options: { host: 'sandbox', tls: 'none', transport: connectSandbox(server) } };
  }

  async function logIn(): Promise<{ client: ImapClient; account: SandboxAccount }> {
    const { account, options } = newAccount();
    const client = await ImapClient.connect(options);
    await client.login('alice', 'secret');
    cleanups.push(() => client.close());
    return { client, account };
  }

  function newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'client-recipes-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    return directory;
  }

  it('0: the newest subjects', async () => {
    const { account, options } = newAccount();
    for (let at = 1; at <= 12; at++) account.inbox.append({ body: mail(`=?utf-8?q?n=C2=BA?= ${at}`) });
    const subjects = await newestSubjects(options, 'alice', 'secret');
    expect([subjects.length, subjects[0], subjects.at(-1)]).toEqual([10, 'nº 12', 'nº 3']);
  });

  it('1: unread messages', async () => {
    const { client, account } = await logIn();
    account.inbox.append({ body: mail('read'), flags: ['\\Seen'] });
    account.inbox.append({ body: mail('unread', 'hello') });
    const [message, ...others] = await unreadMessages(client);
    expect([message?.subject, message?.text, others]).toEqual(['unread', 'hello\n', []]);
    expect(account.inbox.messages.map(({ flags }) => flags.has('\\Seen'))).toEqual([true, false]);
  });

  it('2: an authority of your own', async () => {
    const certificate = (name: string) => fileURLToPath(new URL(`../support/certs/rsa-${name}.pem`, import.meta.url));
    const [cert, key] = [readFileSync(certificate('cert'), 'utf8'), readFileSync(certificate('key'), 'utf8')];
    await using listener = await listenSandbox(newAccount().server, { tls: { cert, key, mode: 'implicit' } });
    const client = await connectPrivately('127.0.0.1', listener.port, certificate('cert'));
    expect(client.secure).toBe(true);
    await client.logout();
  });

  it('3: new mail', async () => {
    const { client, account } = await logIn();
    account.inbox.append({ body: mail('old') });
    const seen: (string | null)[] = [];
    const watching = watchInbox(client, (subject) => seen.push(subject) < 2);
    while (client.selected === null) await new Promise(setImmediate);
    account.inbox.append({ body: mail('one') });
    while (seen.length === 0) await new Promise(setImmediate);
    account.inbox.append({ body: mail('two') });
    await watching;
    expect(seen).toEqual(['one', 'two']);
  });

  it('4: OAuth 2', async () => {
    const { options } = newAccount();
    const client = await ImapClient.connect(options);
    cleanups.push(() => client.close());
    await loginWithToken(client, 'alice', 'ya29.token');
    expect((await client.selectFolder('INBOX')).exists).toBe(0);
  });

  it('5: many messages at once', async () => {
    const { client, account } = await logIn();
    const file = join(newDirectory(), 'message.eml');
    writeFileSync(file, mail('from a file', 'x'.repeat(200_000)));
    expect(await storeAll(client, 'INBOX', file)).toHaveLength(3);
    expect(account.inbox.messages.map(({ body, flags }) => [body.length, [...flags].sort()])).toEqual([
      [51, []],
      [18, ['\\Seen']],
      [200_055, ['$Imported', '\\Flagged']],
    ]);
  });

  it('6: an archive', async () => {
    const { client, account } = await logIn();
    const archive = account.createMailbox('Archive', { specialUse: ['\\Archive'] });
    account.inbox.append({ body: mail('read'), flags: ['\\Seen'] });
    account.inbox.append({ body: mail('unread') });
    account.inbox.append({ body: mail('flagged'), flags: ['\\Seen', '\\Flagged'] });
    expect(await archiveReadMail(client)).toBe(1);
    expect([archive.messages.length, account.inbox.messages.length]).toEqual([1, 2]);
  });

  it('7: a quota', async () => {
    const { client, account } = await logIn();
    account.inbox.append({ body: mail('big', 'x'.repeat(512 * 1024 - 100)) });
    expect(await fullness(client)).toBeCloseTo(0.5, 2);
  });

  it('8: a folder as files', async () => {
    const { client, account } = await logIn();
    for (let at = 0; at < 3; at++) account.inbox.append({ body: mail(`${at}`, 'y'.repeat(3_000_000)) });
    const directory = newDirectory();
    await saveFolder(client, 'INBOX', directory);
    const saved = readdirSync(directory)
      .sort()
      .map((name) => readFileSync(join(directory, name)));
    expect(saved.map((bytes, at) => bytes.equals(account.inbox.messages[at]?.body ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('9: an attachment', async () => {
    const { client, account } = await logIn();
    const body = [
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'see there',
      '--b',
      'Content-Type: application/pdf; name=a.pdf',
      'Content-Disposition: attachment; filename=a.pdf',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('%PDF-1.7').toString('base64'),
      '--b--',
      '',
    ].join('\r\n');
    account.inbox.append({ body });
    await client.selectFolder('INBOX');
    expect((await firstAttachment(client, 1))?.toString()).toBe('%PDF-1.7');
  });

  it('10: changes', async () => {
    const { client, account } = await logIn();
    account.inbox.append({ body: mail('one') });
    account.inbox.append({ body: mail('two') });
    const { highestModSeq } = await client.selectFolder('INBOX', { condStore: true });
    await client.addFlags(2, [systemFlags.flagged]);
    expect(await changedSince(client, 'INBOX', highestModSeq ?? 0n)).toEqual([2]);
  });
});
