import { appendLimitOf, offers } from './capability.ts';
import type { Command, Untagged } from './command.ts';
import { type Quota, type QuotaRoots, quotaCommand, quotaRootCommand } from './commands/admin.ts';
import { type AppendMessage, type AppendResult, appendCommand } from './commands/append.ts';
import {
  closeCommand,
  createCommand,
  type FolderStatusItems,
  folderCommand,
  type ListedFolder,
  type ListOptions,
  listCommand,
  lsubCommand,
  type Namespaces,
  namespaceCommand,
  renameCommand,
  type SelectedFolder,
  type SelectOptions,
  type StatusItem,
  selectCommand,
  statusCommand,
  unselectCommand,
} from './commands/folder.ts';
import { fetchCommand, type MessageSet, type StoredFlags, storeCommand } from './commands/message.ts';
import { type SearchArgument, searchCommand } from './commands/search.ts';
import {
  acceptCapabilities,
  authenticateCommand,
  type Capabilities,
  capabilitiesOf,
  capabilityCommand,
  enableCommand,
  type IdFields,
  idCommand,
  loginCommand,
  logoutCommand,
  noopCommand,
  proxyAuthCommand,
  startTlsCommand,
} from './commands/session.ts';
import { type ConnectOptions, type Settings, toSettings } from './connect-options.ts';
import { Connection } from './connection.ts';
import type { NonSyncLiterals } from './encoder.ts';
import { CapabilityError, CommandError, ConnectError, StateError, TlsError, UsageError } from './errors.ts';
import type { FetchData } from './fetch-data.ts';
import type { Greeting } from './greeting.ts';
import {
  cramMd5Responder,
  externalResponder,
  oauth2Responder,
  oauthBearerResponder,
  plainResponder,
  type SaslResponder,
  scramResponder,
} from './sasl.ts';
import { splitSequenceSet } from './sequence-set.ts';
import { openTransport } from './transport.ts';
import type { FolderName, Transport } from './types.ts';
import { parseUnsolicited, type Unsolicited } from './unsolicited.ts';

export interface FetchOptions {
  /** False: the set holds sequence numbers. */
  readonly useUid?: boolean | undefined;
  /** Only messages changed since this mod-sequence (CONDSTORE, RFC 7162). */
  readonly changedSince?: bigint | undefined;
}

export interface StoreOptions {
  readonly useUid?: boolean | undefined;
  /** Spare the answer: the result is empty. */
  readonly silent?: boolean | undefined;
  /** Leave messages alone that changed after this mod-sequence (CONDSTORE); they are the result's `modified`. */
  readonly unchangedSince?: bigint | undefined;
}

/** How long LOGOUT may take before the connection is simply closed. */
const logoutMs = 10_000;
/** Longest sequence set in one command: servers bound a line at 8 KiB (RFC 7162 4), and there are items beside it. */
const maxSetBytes = 7_000;

/**
 * An IMAP session. Calls may overlap: each one is sent as soon as the protocol allows, in the order of the calls, and
 * every promise settles exactly once. Besides what each method names, all of them reject with
 *
 * - UsageError when an argument cannot be said on the wire: nothing was sent and the session goes on;
 * - CommandError when the server answers NO or BAD: the session goes on;
 * - ByeError, TimeoutError, ProtocolError, LimitError or ConnectionClosedError when the session has ended. Then
 *   `outcomeUnknown` tells whether the server may have done what was asked.
 */
export class ImapClient implements AsyncDisposable {
  /** EXISTS, EXPUNGE, flag updates, ALERT … that answer no command. Must not throw: that ends the session. */
  onUnsolicited: ((data: Unsolicited) => void) | null = null;

  readonly #connection: Connection;
  readonly #settings: Settings;
  #greeting: Greeting = { status: 'OK', text: '', code: null };
  #capabilities: Capabilities | null = null;
  #selected: SelectedFolder | null = null;
  /** SELECTs under way: a command for the folder they choose may follow them. */
  #selecting = 0;

  private constructor(transport: Transport, settings: Settings) {
    this.#settings = settings;
    this.#connection = new Connection(transport, {
      clock: settings.clock,
      idleMs: settings.idleMs,
      limits: settings.limits,
      trace: settings.options.trace,
      nonSyncLiterals: () => this.#nonSyncLiterals(),
      onUnsolicited: (response) => this.#onUnsolicited(response),
      onUnsolicitedFetch: (data) => this.onUnsolicited?.({ kind: 'fetch', data }),
    });
  }

  /**
   * Dials, reads the greeting, starts TLS as asked and learns the capabilities. The session is not logged in, unless the
   * server said PREAUTH.
   * @throws ConnectError, TlsError or ByeError; nothing secret was said.
   */
  static async connect(options: ConnectOptions): Promise<ImapClient> {
    const settings = toSettings(options);
    const late = new AbortController();
    const seconds = settings.connectMs / 1000;
    const cancel = settings.clock.after(settings.connectMs, () => {
      late.abort(new ConnectError(`${settings.address} did not answer as an IMAP server within ${seconds} s.`));
    });
    const signal = options.signal === undefined ? late.signal : AbortSignal.any([late.signal, options.signal]);
    let client: ImapClient | null = null;
    const onAbort = () => client?.close(toError(signal.reason));
    try {
      signal.throwIfAborted();
      const transport = options.transport ?? (await openTransport({ ...settings, signal }));
      client = new ImapClient(transport, settings);
      signal.addEventListener('abort', onAbort);
      // It may have aborted while the transport opened.
      signal.throwIfAborted();
      await client.#begin();
      return client;
    } catch (error) {
      client?.close();
      options.transport?.close();
      throw signal.aborted ? signal.reason : error;
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  get greeting(): Greeting {
    return this.#greeting;
  }

  /** The server took us for logged in from the start, as a tunnel's server does. */
  get preauthenticated(): boolean {
    return this.#greeting.status === 'PREAUTH';
  }

  /** The bytes travel inside TLS. */
  get secure(): boolean {
    return this.#connection.secure;
  }

  /** The folder the session is in. A snapshot: a new one takes its place when the server reports a change. */
  get selected(): SelectedFolder | null {
    return this.#selected;
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  // -- Session --------------------------------------------------------------------------------------------------------

  /** What the server offers, in upper case; asked for only where it is not known. */
  async capabilities(): Promise<ReadonlySet<string>> {
    return this.#capabilities ?? (await this.#askCapabilities());
  }

  /** True when the server offers `name`, or something that includes it. Known from connecting and logging in. */
  hasCapability(name: string): boolean {
    return this.#capabilities !== null && offers(this.#capabilities, name);
  }

  /** APPENDLIMIT (RFC 7889): bytes; null: each folder has its own, see STATUS; undefined: the server does not say. */
  get appendLimit(): number | null | undefined {
    return this.#capabilities === null ? undefined : appendLimitOf(this.#capabilities);
  }

  /**
   * LOGIN.
   * @throws AuthenticationError when refused, CapabilityError when the server says LOGINDISABLED.
   */
  async login(user: string, password: string): Promise<void> {
    this.#refuseClearText();
    if (this.hasCapability('LOGINDISABLED')) {
      throw new CapabilityError('The server does not allow LOGIN here (LOGINDISABLED): use TLS or another mechanism.');
    }
    this.#connection.redactor.add(password);
    await this.#authenticate(loginCommand(user, password));
  }

  /** AUTHENTICATE PLAIN (RFC 4616). @throws AuthenticationError when refused. */
  async plainLogin(user: string, password: string, authorizationId?: string): Promise<void> {
    await this.saslLogin('PLAIN', plainResponder(user, password, authorizationId));
  }

  /** AUTHENTICATE CRAM-MD5 (RFC 2195). @throws AuthenticationError when refused. */
  async cramMd5Login(user: string, password: string): Promise<void> {
    await this.saslLogin('CRAM-MD5', cramMd5Responder(user, password));
  }

  /**
   * AUTHENTICATE SCRAM-SHA-1 or SCRAM-SHA-256 (RFC 5802, RFC 7677).
   * @throws AuthenticationError when refused, and when the server cannot prove that it knows the password.
   */
  async scramLogin(
    user: string,
    password: string,
    options: { readonly mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256'; readonly authorizationId?: string | undefined },
  ): Promise<void> {
    const { maxScramIterations: maxIterations } = this.#settings.limits;
    const responder = scramResponder({ ...options, user, password, maxIterations });
    await this.saslLogin(options.mechanism, responder);
  }

  /** AUTHENTICATE XOAUTH2. @throws AuthenticationError when refused, with the status the server explained it by. */
  async oauth2Login(
    user: string,
    accessToken: string,
    options: { readonly vendor?: string | undefined } = {},
  ): Promise<void> {
    await this.saslLogin('XOAUTH2', oauth2Responder(user, accessToken, options.vendor));
  }

  /** AUTHENTICATE OAUTHBEARER (RFC 7628). @throws AuthenticationError when refused. */
  async oauthbearerLogin(
    user: string,
    accessToken: string,
    options: { readonly host?: string | undefined; readonly port?: number | undefined } = {},
  ): Promise<void> {
    await this.saslLogin('OAUTHBEARER', oauthBearerResponder(user, accessToken, options));
  }

  /** AUTHENTICATE EXTERNAL (RFC 4422). @throws AuthenticationError when refused. */
  async externalLogin(authorizationId?: string): Promise<void> {
    await this.saslLogin('EXTERNAL', externalResponder(authorizationId));
  }

  /** AUTHENTICATE with any mechanism, the first message going along where the server takes it (RFC 4959). */
  async saslLogin(mechanism: string, responder: SaslResponder): Promise<void> {
    this.#refuseClearText();
    const { redactor } = this.#connection;
    for (const secret of responder.secrets) redactor.add(secret);
    await this.#authenticate(
      authenticateCommand({
        mechanism: mechanism.toUpperCase(),
        responder,
        initialResponse: this.hasCapability('SASL-IR'),
        secrets: redactor,
      }),
    );
  }

  /** PROXYAUTH: an administrator, logged in already, becomes `user`. @throws AuthenticationError when refused. */
  async proxyauth(user: string): Promise<void> {
    this.#refuseClearText();
    await this.#authenticate(proxyAuthCommand(user));
  }

  /** ID (RFC 2971). @throws CapabilityError where not offered. */
  async id(fields: Readonly<IdFields> | null): Promise<IdFields | null> {
    this.#require('ID');
    return await this.#connection.execute(idCommand(fields));
  }

  /**
   * ENABLE (RFC 5161); resolves with what was enabled.
   * @throws CapabilityError where not offered; UsageError for what would change how names are written.
   */
  async enable(...capabilities: string[]): Promise<string[]> {
    this.#require('ENABLE');
    const changing = capabilities.find((name) => /^(UTF8=|IMAP4REV2$)/i.test(name));
    if (changing !== undefined) {
      throw new UsageError(`${changing} cannot be enabled: folder names are exchanged in modified UTF-7.`);
    }
    return await this.#connection.execute(enableCommand(capabilities));
  }

  /** NOOP: gives the server an occasion for news. */
  async noop(): Promise<void> {
    await this.#connection.execute(noopCommand());
  }

  /**
   * LOGOUT, then closes. Waits for the answer, and for commands under way, ten seconds at most. Never rejects: however
   * the session ends, it has ended.
   */
  async logout(): Promise<void> {
    if (this.closed) return;
    const cancel = this.#settings.clock.after(logoutMs, () => this.close());
    // A refusal or a cut changes nothing about what follows.
    await this.#connection.execute(logoutCommand()).catch(() => {});
    cancel();
    this.close();
  }

  /** Ends the session at once; whatever waits rejects with a ConnectionClosedError whose cause is `error`. */
  close(error?: Error): void {
    this.#connection.close(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.logout();
  }

  /** Stops reading, so that the server has to wait. What has been read already is still delivered. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  // -- Folders --------------------------------------------------------------------------------------------------------

  /** NAMESPACE (RFC 2342). @throws CapabilityError where not offered. */
  async namespace(): Promise<Namespaces> {
    this.#require('NAMESPACE');
    return await this.#connection.execute(namespaceCommand());
  }

  /** LIST, in the server's order. @throws CapabilityError where an option is not offered. */
  async listFolders(reference = '', pattern = '*', options: ListOptions = {}): Promise<ListedFolder[]> {
    if (options.returnStatus !== undefined) this.#require('LIST-STATUS');
    if (options.returnSpecialUse === true) this.#require('SPECIAL-USE');
    if (options.returnSubscribed === true) this.#require('LIST-EXTENDED');
    // IMAP4rev2 has the attributes in every LIST but not the option to ask for them.
    const returnSpecialUse = options.returnSpecialUse === true && this.#capabilities?.has('SPECIAL-USE') === true;
    return await this.#connection.execute(listCommand(reference, pattern, { ...options, returnSpecialUse }));
  }

  /** LSUB: the subscribed folders. */
  async listSubFolders(reference = '', pattern = '*'): Promise<ListedFolder[]> {
    return await this.#connection.execute(lsubCommand(reference, pattern));
  }

  /** STATUS. Not for the selected folder, where it may be stale (RFC 9051 6.3.11). */
  async folderStatus(folder: FolderName, items: readonly StatusItem[]): Promise<FolderStatusItems> {
    return await this.#connection.execute(statusCommand(folder, items));
  }

  /** SELECT, or EXAMINE with `readOnly`. A refusal leaves no folder selected. */
  async selectFolder(folder: FolderName, options: SelectOptions = {}): Promise<SelectedFolder> {
    if (options.condStore === true) this.#require('CONDSTORE');
    const command = selectCommand(folder, options);
    this.#selecting++;
    try {
      return await this.#connection.execute({
        ...command,
        // At once, not a tick later: what follows in the same chunk is already about this folder.
        finish: (answer) => {
          this.#selected = command.finish(answer);
          return this.#selected;
        },
        refuse: (refused) => {
          this.#selected = null;
          return new CommandError(command.name, refused);
        },
      });
    } finally {
      this.#selecting--;
    }
  }

  /** UNSELECT (RFC 3691): leaves the folder without expunging. @throws CapabilityError where not offered. */
  async unselectFolder(): Promise<void> {
    this.#require('UNSELECT');
    this.#requireSelected();
    await this.#leaveFolder(unselectCommand());
  }

  /** CLOSE: expunges what is marked \Deleted (unless read-only) and leaves the folder. */
  async closeFolder(): Promise<void> {
    this.#requireSelected();
    await this.#leaveFolder(closeCommand());
  }

  /** CREATE. @throws CapabilityError when `specialUse` is given and CREATE-SPECIAL-USE is not offered. */
  async createFolder(
    folder: FolderName,
    options: { readonly specialUse?: readonly string[] | undefined } = {},
  ): Promise<void> {
    const specialUse = options.specialUse ?? [];
    if (specialUse.length > 0) this.#require('CREATE-SPECIAL-USE');
    await this.#connection.execute(createCommand(folder, specialUse));
  }

  async deleteFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('DELETE', folder));
  }

  async renameFolder(from: FolderName, to: FolderName): Promise<void> {
    await this.#connection.execute(renameCommand(from, to));
  }

  async subscribeFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('SUBSCRIBE', folder));
  }

  async unsubscribeFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('UNSUBSCRIBE', folder));
  }

  /** GETQUOTAROOT (RFC 9208, RFC 2087). @throws CapabilityError where not offered. */
  async getQuotaRoot(folder: FolderName): Promise<QuotaRoots> {
    this.#require('QUOTA');
    return await this.#connection.execute(quotaRootCommand(folder));
  }

  /** GETQUOTA (RFC 9208, RFC 2087). @throws CapabilityError where not offered. */
  async getQuota(root: string): Promise<Quota[]> {
    this.#require('QUOTA');
    return await this.#connection.execute(quotaCommand(root));
  }

  // -- Messages -------------------------------------------------------------------------------------------------------

  /**
   * FETCH. Calls `onData` synchronously for each message of the answer, as it arrives; resolves with the tagged OK. A
   * response counts when the set names it and it has the items nobody sends unasked; others go to `onUnsolicited`. A
   * message without a response is gone. What `onData` throws becomes the rejection. An empty set costs nothing.
   * @throws StateError when no folder is selected.
   */
  async fetchEach(
    set: MessageSet,
    items: readonly string[],
    onData: (data: FetchData) => void,
    options: FetchOptions = {},
  ): Promise<void> {
    this.#requireSelected();
    const { useUid = true, changedSince } = options;
    if (changedSince !== undefined) this.#require('CONDSTORE');
    const lastSeq = this.#lastSeq;
    const failures = await this.#executeEach(set, (part) =>
      fetchCommand({ set: part, items, useUid, changedSince, lastSeq, onData }),
    );
    for (const failure of failures) if (failure !== null) throw failure.error;
  }

  /** FETCH into a list. */
  async fetch(set: MessageSet, items: readonly string[], options: FetchOptions = {}): Promise<FetchData[]> {
    const fetched: FetchData[] = [];
    await this.fetchEach(set, items, (data) => fetched.push(data), options);
    return fetched;
  }

  /**
   * SEARCH; the numbers ascend. A text is sent as it is; of a list, words that are no atoms become strings.
   * @throws StateError when no folder is selected.
   */
  async search(
    criteria: readonly SearchArgument[] | string,
    options: { readonly charset?: string | undefined; readonly useUid?: boolean | undefined } = {},
  ): Promise<Uint32Array> {
    this.#requireSelected();
    const { charset, useUid = true } = options;
    const extended = this.hasCapability('ESEARCH');
    const { maxSearchHits: maxHits } = this.#settings.limits;
    return await this.#connection.execute(searchCommand({ criteria, charset, useUid, extended, maxHits }));
  }

  /** STORE +FLAGS; resolves with the new flags as answered. @throws StateError when no folder is selected. */
  async addFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoredFlags> {
    return await this.#store('add', set, flags, options);
  }

  /** STORE -FLAGS. @throws StateError when no folder is selected. */
  async removeFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoredFlags> {
    return await this.#store('remove', set, flags, options);
  }

  /** STORE FLAGS. @throws StateError when no folder is selected. */
  async setFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoredFlags> {
    return await this.#store('set', set, flags, options);
  }

  /** APPEND. */
  async append(folder: FolderName, message: AppendMessage): Promise<AppendResult> {
    return await this.#connection.execute(appendCommand(folder, [message]));
  }

  /** APPEND of several messages (RFC 3502): all are stored, or none. @throws CapabilityError where not offered. */
  async multiappend(folder: FolderName, messages: readonly AppendMessage[]): Promise<AppendResult> {
    if (messages.length > 1) this.#require('MULTIAPPEND');
    return await this.#connection.execute(appendCommand(folder, messages));
  }

  // -- Inside ---------------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { tls, requireTls, address } = this.#settings;
    this.#greeting = await this.#connection.start();
    if (this.preauthenticated && requireTls && !this.secure) {
      throw new TlsError(`${address} logged us in before TLS was up (PREAUTH): someone may be meddling.`);
    }
    this.#capabilities = capabilitiesOf(this.#greeting);
    if (tls === 'starttls' && !this.secure) await this.#startTls();
    if (requireTls && !this.secure) throw new TlsError(`${address}: the connection is not encrypted, as is required.`);
    await this.capabilities();
  }

  async #startTls(): Promise<void> {
    const { address } = this.#settings;
    if (!offers(await this.capabilities(), 'STARTTLS')) {
      throw new TlsError(`${address} does not offer STARTTLS: use implicit TLS (port 993), or clear text knowingly.`);
    }
    try {
      await this.#connection.startTls(startTlsCommand());
    } catch (cause) {
      if (!(cause instanceof CommandError)) throw cause;
      throw new TlsError(`${address} refused STARTTLS: ${cause.message}`, { cause });
    }
    // RFC 9051 6.2.1: what was said in clear text may have been said by anybody.
    this.#capabilities = null;
  }

  async #askCapabilities(): Promise<Capabilities> {
    const capabilities = await this.#connection.execute(capabilityCommand());
    this.#capabilities = capabilities;
    return capabilities;
  }

  /** What was offered before logging in no longer counts (RFC 9051 6.2.2, 6.2.3). */
  async #authenticate(command: Command<Capabilities | null>): Promise<void> {
    this.#capabilities = await this.#connection.execute(command);
    await this.capabilities();
  }

  async #leaveFolder(command: Command<void>): Promise<void> {
    await this.#connection.execute({
      ...command,
      finish: () => {
        this.#selected = null;
      },
    });
  }

  async #store(
    action: 'add' | 'remove' | 'set',
    set: MessageSet,
    flags: readonly string[],
    options: StoreOptions,
  ): Promise<StoredFlags> {
    this.#requireSelected();
    const { useUid = true, silent = false, unchangedSince } = options;
    if (unchangedSince !== undefined) this.#require('CONDSTORE');
    const lastSeq = this.#lastSeq;
    const parts = await this.#executeEach(set, (part) =>
      storeCommand({ set: part, action, flags, useUid, silent, unchangedSince, lastSeq }),
    );
    const stored: StoredFlags = parts.flat();
    if (unchangedSince !== undefined) {
      stored.modified = Uint32Array.from(parts.flatMap((part) => Array.from(part.modified ?? [])));
    }
    return stored;
  }

  /** One command for each part of the set that fits on a line; waits for all of them, then reports the first failure. */
  async #executeEach<Result>(set: MessageSet, makeCommand: (part: MessageSet) => Command<Result>): Promise<Result[]> {
    const results = splitSet(set).map((part) => this.#connection.execute(makeCommand(part)));
    const settled = await Promise.allSettled(results);
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  readonly #lastSeq = () => this.#selected?.exists ?? 0;

  #nonSyncLiterals(): NonSyncLiterals {
    if (this.hasCapability('LITERAL+')) return 'all';
    return this.hasCapability('LITERAL-') ? 'small' : 'none';
  }

  #require(capability: string): void {
    if (this.hasCapability(capability)) return;
    throw new CapabilityError(`${this.#settings.address} does not offer ${capability}.`);
  }

  #requireSelected(): void {
    if (this.#selected === null && this.#selecting === 0) {
      throw new StateError('No folder is selected: select one before asking for its messages.');
    }
  }

  #refuseClearText(): void {
    if (this.#settings.requireTls && !this.secure) {
      throw new TlsError(`${this.#settings.address}: nothing secret is said without TLS.`);
    }
  }

  #onUnsolicited(response: Untagged): void {
    const capabilities = acceptCapabilities(response);
    if (capabilities !== null) {
      this.#capabilities = capabilities;
      return;
    }
    const news = parseUnsolicited(response);
    if (this.#selected !== null) this.#selected = applyNews(this.#selected, news);
    this.onUnsolicited?.(news);
  }
}

/** The folder as it is after the news; the same object where they change nothing. */
function applyNews(folder: SelectedFolder, news: Unsolicited): SelectedFolder {
  switch (news.kind) {
    case 'exists':
      return { ...folder, exists: news.count };
    case 'recent':
      return { ...folder, recent: news.count };
    case 'expunge':
      return { ...folder, exists: Math.max(0, folder.exists - 1) };
    case 'flags':
      return { ...folder, flags: news.flags };
    default:
      return folder;
  }
}

function splitSet(set: MessageSet): MessageSet[] {
  if (set.length === 0) return [];
  if (typeof set === 'string') return [set];
  return [...splitSequenceSet(set instanceof Uint32Array ? set : toUint32Array(set), maxSetBytes)];
}

function toUint32Array(numbers: ArrayLike<number>): Uint32Array {
  const copy = new Uint32Array(numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] as number;
    copy[index] = number;
    if (copy[index] !== number) throw new UsageError(`${number} is no message number`);
  }
  return copy;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new ConnectError('Connecting was given up.', { cause: reason });
}
