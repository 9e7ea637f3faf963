import type { Duplex } from 'node:stream';
import { appendLimitOf, offers } from './capability.ts';
import type { Command, FetchReceiver, LiteralReceiver, Untagged } from './command.ts';
import {
  type AclEntry,
  deleteAclCommand,
  getAclCommand,
  listRightsCommand,
  myRightsCommand,
  type RightsChoice,
  setAclCommand,
} from './commands/acl.ts';
import { type AppendMessage, type AppendResult, appendCommand } from './commands/append.ts';
import { copyCommand, joinCopies, moveCommand } from './commands/copy.ts';
import { expungeCommand } from './commands/expunge.ts';
import { type ExtendedSearchResult, extendedSearchCommand, type ReturnOptions } from './commands/extended-search.ts';
import {
  type CreatedFolder,
  checkCommand,
  closeCommand,
  createCommand,
  folderCommand,
  renameCommand,
  unselectCommand,
} from './commands/folder.ts';
import { type CommandArgument, type CommandResult, genericCommand } from './commands/generic.ts';
import { type ListedFolder, type ListOptions, listCommand, plainListCommand } from './commands/list.ts';
import { fetchCommand, type PartialRange } from './commands/message.ts';
import { type MessageSet, type MessageSetPart, splitMessageSet } from './commands/message-set.ts';
import {
  type Annotation,
  getAnnotationCommand,
  getMetadataCommand,
  type MetadataOptions,
  type MetadataResult,
  setAnnotationCommand,
  setMetadataCommand,
} from './commands/metadata.ts';
import { type Namespaces, namespaceCommand } from './commands/namespace.ts';
import { type NotifyGroup, notifyCommand } from './commands/notify.ts';
import { type Quota, type QuotaRoots, quotaCommand, quotaRootCommand, setQuotaCommand } from './commands/quota.ts';
import { type SearchHits, searchCommand } from './commands/search.ts';
import type { SearchArgument } from './commands/search-criteria.ts';
import { type SelectedFolder, type SelectOptions, selectCommand } from './commands/select.ts';
import {
  acceptCapabilities,
  authenticateCommand,
  type Capabilities,
  capabilitiesOf,
  capabilityCommand,
  compressCommand,
  enableCommand,
  type IdFields,
  idCommand,
  loginCommand,
  logoutCommand,
  noopCommand,
  proxyAuthCommand,
  startTlsCommand,
} from './commands/session.ts';
import { sortCommand } from './commands/sort.ts';
import { type FolderStatusItems, type StatusItem, statusCommand } from './commands/status.ts';
import { joinStores, type StoreRequest, type StoreResult, storeCommand } from './commands/store.ts';
import { type Thread, threadCommand } from './commands/thread.ts';
import { type ConnectOptions, type Settings, toSettings } from './connect-options.ts';
import { Connection } from './connection.ts';
import type { NonSyncLiterals } from './encoder.ts';
import {
  CapabilityError,
  CommandError,
  ConnectError,
  ReadOnlyError,
  StateError,
  TlsError,
  UsageError,
} from './errors.ts';
import type { FetchData } from './fetch-data.ts';
import { FetchedMessages, toFetchedMessage } from './fetched-message.ts';
import { type FolderNaming, toIdentity, toWireName } from './folder-naming.ts';
import type { Greeting } from './greeting.ts';
import { Idle, type IdleOptions } from './idle.ts';
import { MessageStream } from './message-stream.ts';
import { type ClientEvents, NewsListeners } from './news-listeners.ts';
import type { CopyUid } from './response-code.ts';
import {
  callableResponder,
  cramMd5Responder,
  externalResponder,
  oauth2Responder,
  oauthBearerResponder,
  plainResponder,
  type SaslCallable,
  type SaslResponder,
  scramResponder,
} from './sasl.ts';
import { countNumbers } from './sequence-set.ts';
import { chooseSpecialFolder } from './special-use.ts';
import { openTransport, PacedTransport } from './transport.ts';
import type { FolderName, ResponseCode, Transport } from './types.ts';
import { parseUnsolicited, type Unsolicited } from './unsolicited.ts';
import { encodeFolderName } from './utf7.ts';

export interface UidOptions {
  /** False: the set holds sequence numbers, and so does the result. The client's `useUid` unless given. */
  readonly useUid?: boolean | undefined;
}

export interface SearchOptions extends UidOptions {
  /** Unless given, UTF-8 where text outside ASCII is searched for. */
  readonly charset?: string | undefined;
}

export interface SelectFolderOptions extends SelectOptions {
  /** Told of the folder before anything behind the answer is read, or null where it is refused. Must not throw. */
  readonly onSelected?: ((selected: SelectedFolder | null) => void) | undefined;
}

export interface FetchOptions extends UidOptions {
  /** Only messages changed since this mod-sequence (CONDSTORE, RFC 7162). */
  readonly changedSince?: bigint | undefined;
  /** Only a stretch of the messages (PARTIAL, RFC 9394). */
  readonly partial?: PartialRange | undefined;
}

export interface FetchEachOptions extends FetchOptions {
  /** With `changedSince`: told the UIDs of messages that are gone, as the server's set (QRESYNC, RFC 7162 3.2.6). */
  readonly onVanished?: ((uids: string) => void) | undefined;
  /**
   * Sent behind an unanswered SELECT, which saves a round trip; by UID only. Where that SELECT is refused this rejects with
   * a StateError, whatever the server answers, and `onData` is told nothing.
   */
  readonly ahead?: boolean | undefined;
  /**
   * Offered each literal of `limits.streamLiteralBytes` or more as it begins, with what stands in front of it, the item it
   * is (`BODY[]`) and its size. What this returns is handed the bytes as they come, never more than `pause` leaves time
   * for, and `onData` gets an empty literal in their place; `null`: it is collected like a small one.
   */
  readonly onLiteral?: ((data: FetchData, item: string, size: number) => LiteralReceiver | null) | undefined;
}

export interface FetchMapOptions extends FetchOptions {
  /** With `changedSince`: also ask which messages are gone (QRESYNC, RFC 7162 3.2.6); they are the result's `vanished`. */
  readonly vanished?: boolean | undefined;
}

export interface StoreOptions extends UidOptions {
  /** Spare the answer: the result is empty. */
  readonly silent?: boolean | undefined;
  /** Leave messages alone that changed after this mod-sequence (CONDSTORE); they are the result's `modified`. */
  readonly unchangedSince?: bigint | undefined;
}

/** Of a folder that was not selected nobody is told anything: its literals are dropped. */
function unlessRefused(
  onLiteral: FetchEachOptions['onLiteral'],
  select: { readonly refused: boolean },
): FetchEachOptions['onLiteral'] {
  return onLiteral && ((...literal) => (select.refused ? { write: () => {}, end: () => {} } : onLiteral(...literal)));
}

/** How long LOGOUT may take before the connection is simply closed. */
const logoutMs = 10_000;

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
  /** The OK that ends a command: some servers say more in it than that. Words are raw. Must not throw. */
  onCompleted: ((ok: { readonly code: ResponseCode | null; readonly text: string }) => void) | null = null;

  /** True: messages are named by UID unless a call says otherwise; false: by sequence number. May be changed at any time. */
  useUid: boolean;
  /** False: folder names go out and come in as they are on the wire, one character per byte. May be changed at any time. */
  folderEncode: boolean;

  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #listeners = new NewsListeners();
  #idle: Idle | null = null;
  #greeting: Greeting = { status: 'OK', text: '', code: null };
  #capabilities: Capabilities | null = null;
  #selected: SelectedFolder | null = null;
  /** What ENABLE has switched on, in upper case. */
  readonly #enabled = new Set<string>();
  /** SELECTs under way: a command for the folder they choose may follow them. */
  #selecting = 0;
  /** The one given last. */
  #lastSelect = { refused: false };

  private constructor(transport: Transport, settings: Settings) {
    this.#settings = settings;
    this.useUid = settings.options.useUid ?? true;
    this.folderEncode = settings.options.folderEncode ?? true;
    this.#connection = new Connection(transport, {
      clock: settings.clock,
      idleMs: settings.idleMs,
      limits: settings.limits,
      trace: settings.options.trace,
      nonSyncLiterals: () => this.#nonSyncLiterals(),
      onUnsolicited: (response) => this.#onUnsolicited(response),
      onUnsolicitedFetch: (data) => this.#tell({ kind: 'fetch', data }),
      onCompleted: (ok) => this.onCompleted?.(ok),
      onEnd: (error) => this.#listeners.tell('close', error),
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
      const opened = options.transport ?? (await openTransport({ ...settings, signal }));
      const { pace } = options;
      const transport = pace === undefined ? opened : new PacedTransport(opened, pace, settings.clock);
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

  /** The bytes travel compressed. */
  get compressed(): boolean {
    return this.#connection.compressed;
  }

  /** The server's first words, as sent: not fit for a terminal. */
  get welcome(): string {
    return this.#greeting.text;
  }

  /** The stream below, to poll it or to ask for its addresses; null in memory. Reading from it breaks the session. */
  get socket(): Duplex | null {
    return this.#connection.stream;
  }

  /** The shortest answer to a command so far, in ms: hardly more than a round trip. Infinite before the first. */
  get roundTripMs(): number {
    return this.#connection.roundTripMs;
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
   * AUTHENTICATE SCRAM-SHA-256 or SCRAM-SHA-1 (RFC 7677, RFC 5802): the stronger one the server offers unless named.
   * @throws AuthenticationError when refused, and when the server cannot prove that it knows the password.
   */
  async scramLogin(
    user: string,
    password: string,
    options: {
      readonly mechanism?: 'SCRAM-SHA-1' | 'SCRAM-SHA-256' | undefined;
      readonly authorizationId?: string | undefined;
    } = {},
  ): Promise<void> {
    const { maxScramIterations: maxIterations } = this.#settings.limits;
    const best = this.hasCapability('AUTH=SCRAM-SHA-256') ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1';
    const { mechanism = best, authorizationId } = options;
    await this.saslLogin(mechanism, scramResponder({ mechanism, authorizationId, user, password, maxIterations }));
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

  /**
   * AUTHENTICATE with any mechanism. A function answers each challenge, the first one often being empty; a responder may
   * also speak first, with the command itself where the server takes it (SASL-IR, RFC 4959). What is said is never shown.
   * @throws AuthenticationError when refused.
   */
  async saslLogin(mechanism: string, exchange: SaslResponder | SaslCallable): Promise<void> {
    this.#refuseClearText();
    const responder = typeof exchange === 'function' ? callableResponder(exchange) : exchange;
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

  /**
   * COMPRESS=DEFLATE (RFC 4978). Best left alone where secrets of several people mix in one stream.
   * @throws CapabilityError where not offered; StateError when it is up already.
   */
  async compress(): Promise<void> {
    this.#require('COMPRESS=DEFLATE');
    if (this.compressed) throw new StateError('The session is compressed already.');
    await this.#connection.execute(compressCommand());
  }

  /** ID (RFC 2971). @throws CapabilityError where not offered. */
  async id(fields: Readonly<IdFields> | null): Promise<IdFields | null> {
    this.#require('ID');
    return await this.#connection.execute(idCommand(fields));
  }

  /**
   * ENABLE (RFC 5161); resolves with what was enabled. UTF8=ACCEPT and IMAP4rev2 make folder names UTF-8 on the wire.
   * @throws CapabilityError where not offered.
   */
  async enable(...capabilities: string[]): Promise<string[]> {
    this.#require('ENABLE');
    const command = enableCommand(capabilities);
    return await this.#connection.execute({
      ...command,
      // At once: the next command may be written in the same tick.
      finish: (answer) => {
        const enabled = command.finish(answer);
        for (const name of enabled) this.#enabled.add(name);
        return enabled;
      },
    });
  }

  /** NOOP: gives the server an occasion for news; resolves with those that came meanwhile. */
  async noop(): Promise<Unsolicited[]> {
    const heard: Unsolicited[] = [];
    const stop = this.on('news', (news) => heard.push(news));
    await this.#connection.execute(noopCommand()).finally(stop);
    return heard;
  }

  /**
   * Calls `listener` for each event of that name: a kind of news (`exists`, `expunge`, `fetch`, …), `news` for all of
   * them, or `close`. The result ends it. A listener must not throw: that ends the session.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener);
  }

  /**
   * IDLE (RFC 2177): the server tells news as they happen, until the result is left or `idleDone` is called.
   *
   *     for await (const news of client.idle()) if (news.kind === 'exists') break;
   *
   * Other commands may be given meanwhile: they are let through.
   * @throws CapabilityError where IDLE is not offered, StateError when it is under way already.
   */
  idle(options: IdleOptions = {}): Idle {
    this.#require('IDLE');
    if (this.#idle?.ended === false) throw new StateError('IDLE is under way already: end it first.');
    const { clock, limits } = this.#settings;
    const host = {
      clock,
      maxNews: limits.maxResponses,
      execute: (command: Command<void>) => this.#connection.execute(command),
      say: (line: string) => this.#connection.say(line),
    };
    this.#idle = new Idle(host, options);
    return this.#idle;
  }

  /**
   * The news since the last call, for which it waits up to `timeoutMs`, for ever unless given.
   * @throws StateError when no IDLE is under way, and what ended it.
   */
  async idleCheck(timeoutMs?: number): Promise<Unsolicited[]> {
    return await this.#idling().check(timeoutMs);
  }

  /** Ends IDLE; resolves with the news not read yet. Errors as for `idleCheck`. */
  async idleDone(): Promise<Unsolicited[]> {
    const idle = this.#idling();
    const rest = await idle.done();
    this.#idle = null;
    return rest;
  }

  /**
   * NOTIFY SET (RFC 5465): from now on the server tells what happens in these folders, as news; null: NOTIFY NONE.
   * @throws CapabilityError where not offered.
   */
  async notify(
    groups: readonly NotifyGroup[] | null,
    options: { readonly status?: boolean | undefined } = {},
  ): Promise<void> {
    this.#require('NOTIFY');
    await this.#connection.execute(notifyCommand(groups, options.status === true));
  }

  /**
   * Any command, for extensions: `command('X-FOO', atom('BAR'), 'text', [1, 2])`. Strings are quoted or sent as literals;
   * words that must stand bare are made by `atom`. It has the line for itself.
   * @throws UsageError for what is no command, and for those that change the session and have methods of their own.
   */
  async command(name: string, ...args: CommandArgument[]): Promise<CommandResult> {
    return await this.#connection.execute(genericCommand(name, args, this.#settings.limits.maxResponses));
  }

  /**
   * LOGOUT, then closes. Waits for the answer, and for commands under way, ten seconds at most. Never rejects: however
   * the session ends, it has ended.
   */
  async logout(): Promise<void> {
    if (this.closed) return;
    this.#idle?.stop();
    const cancel = this.#settings.clock.after(logoutMs, () => this.close());
    // A refusal or a cut changes nothing about what follows.
    await this.#connection.execute(logoutCommand()).catch(() => {});
    cancel();
    this.close();
  }

  /** Ends the session at once, without LOGOUT. */
  shutdown(): void {
    this.close();
  }

  /**
   * LOGOUT without waiting for the answer, where nothing is under way: the server has been told when this resolves, as good
   * as that can be known. Else as `logout`.
   */
  async leave(): Promise<void> {
    if (this.#connection.leave(logoutCommand())) return;
    await this.logout();
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
    return await this.#connection.execute(namespaceCommand(this.#naming));
  }

  /**
   * LIST, in the server's order. Several patterns at once are for servers with LIST-EXTENDED.
   * @throws CapabilityError where an option is not offered.
   */
  async listFolders(
    reference: FolderName = '',
    pattern: FolderName | readonly FolderName[] = '*',
    options: ListOptions = {},
  ): Promise<ListedFolder[]> {
    for (const capability of capabilitiesForList(pattern, options)) this.#require(capability);
    // IMAP4rev2 has the attributes in every LIST but not the option to ask for them.
    const returnSpecialUse = options.returnSpecialUse === true && this.#capabilities?.has('SPECIAL-USE') === true;
    const patterns = typeof pattern === 'string' || Buffer.isBuffer(pattern) ? [pattern] : pattern;
    const request = {
      ...options,
      returnSpecialUse,
      reference: this.#wire(reference),
      patterns: patterns.map((each) => this.#wire(each)),
      naming: this.#naming,
    };
    return await this.#connection.execute(listCommand(request));
  }

  /** LSUB: the subscribed folders. */
  async listSubFolders(reference: FolderName = '', pattern: FolderName = '*'): Promise<ListedFolder[]> {
    return await this.#listPlainly('LSUB', reference, pattern);
  }

  /** XLIST, Gmail's forerunner of SPECIAL-USE. @throws CapabilityError where not offered. */
  async xlistFolders(reference: FolderName = '', pattern: FolderName = '*'): Promise<ListedFolder[]> {
    this.#require('XLIST');
    return await this.#listPlainly('XLIST', reference, pattern);
  }

  /**
   * The folder for a use such as `specialUses.sent`: the one the server marks so (SPECIAL-USE, RFC 6154, or XLIST), else
   * one with a well-known name, in any of many languages. Null where there is none.
   */
  async findSpecialFolder(use: string): Promise<ListedFolder | null> {
    const known = this.#capabilities?.has('SPECIAL-USE') === true;
    const marked = !known && this.hasCapability('XLIST') ? await this.xlistFolders() : [];
    const folders = marked.length > 0 ? marked : await this.listFolders('', '*', { returnSpecialUse: known });
    return chooseSpecialFolder(folders, use);
  }

  /** True when LIST names the folder as one that exists. */
  async folderExists(folder: FolderName): Promise<boolean> {
    const wire = this.#wire(folder);
    const rawName = typeof wire === 'string' ? encodeFolderName(wire) : wire.toString('latin1');
    const listed = await this.#connection.execute(
      listCommand({ reference: '', patterns: [wire], naming: this.#naming }),
    );
    return listed.some((each) => {
      const isGone = each.attributes.some((attribute) => /^\\nonexistent$/i.test(attribute));
      return toIdentity(each.rawName) === toIdentity(rawName) && !isGone;
    });
  }

  /**
   * STATUS; the five items of RFC 3501 unless others are named. Not for the selected folder, where it may be stale
   * (RFC 9051 6.3.11).
   */
  async folderStatus(
    folder: FolderName,
    items: readonly StatusItem[] = ['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN'],
  ): Promise<FolderStatusItems> {
    return await this.#connection.execute(statusCommand(this.#wire(folder), items));
  }

  /**
   * SELECT, or EXAMINE with `readOnly`. A refusal leaves no folder selected.
   * @throws CapabilityError for `condStore` or `qresync` where not offered, StateError for `qresync` that was not enabled.
   */
  async selectFolder(folder: FolderName, options: SelectFolderOptions = {}): Promise<SelectedFolder> {
    if (options.condStore === true) this.#require('CONDSTORE');
    if (options.qresync !== undefined) {
      this.#require('QRESYNC');
      if (!this.#enabled.has('QRESYNC')) throw new StateError('QRESYNC has to be enabled first: enable("QRESYNC").');
    }
    const command = selectCommand(this.#wire(folder), options);
    const select = { refused: false };
    this.#lastSelect = select;
    this.#selecting++;
    try {
      return await this.#connection.execute({
        ...command,
        // At once, not a tick later: what follows in the same chunk is already about this folder.
        finish: (answer) => {
          const { resync, ...selected } = { ...command.finish(answer), name: folder };
          this.#selected = selected;
          options.onSelected?.(selected);
          return resync === undefined ? selected : { ...selected, resync };
        },
        refuse: (refused) => {
          this.#selected = null;
          select.refused = true;
          options.onSelected?.(null);
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

  /** CHECK (RFC 3501 6.4.1): asks the server to write the folder down. @throws StateError when no folder is selected. */
  async check(): Promise<void> {
    this.#requireSelected();
    await this.#connection.execute(checkCommand());
  }

  /** CREATE. @throws CapabilityError when `specialUse` is given and CREATE-SPECIAL-USE is not offered. */
  async createFolder(
    folder: FolderName,
    options: { readonly specialUse?: readonly string[] | undefined } = {},
  ): Promise<CreatedFolder> {
    const specialUse = options.specialUse ?? [];
    if (specialUse.length > 0) this.#require('CREATE-SPECIAL-USE');
    return await this.#connection.execute(createCommand(this.#wire(folder), specialUse));
  }

  /** DELETE (RFC 9051 6.3.5), of the folder and of its messages. */
  async deleteFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('DELETE', this.#wire(folder)));
  }

  /** RENAME (RFC 9051 6.3.6), of the folder and of those below it. */
  async renameFolder(from: FolderName, to: FolderName): Promise<void> {
    await this.#connection.execute(renameCommand(this.#wire(from), this.#wire(to)));
  }

  /** SUBSCRIBE (RFC 9051 6.3.7). */
  async subscribeFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('SUBSCRIBE', this.#wire(folder)));
  }

  /** UNSUBSCRIBE (RFC 9051 6.3.8). */
  async unsubscribeFolder(folder: FolderName): Promise<void> {
    await this.#connection.execute(folderCommand('UNSUBSCRIBE', this.#wire(folder)));
  }

  // -- Administration -------------------------------------------------------------------------------------------------

  /** GETACL (RFC 4314): who may do what with the folder. @throws CapabilityError where ACL is not offered. */
  async getacl(folder: FolderName): Promise<AclEntry[]> {
    this.#require('ACL');
    return await this.#connection.execute(getAclCommand(this.#wire(folder)));
  }

  /**
   * SETACL (RFC 4314): gives `identifier` these rights, more (`+lr`) or fewer (`-w`).
   * @throws CapabilityError where ACL is not offered.
   */
  async setacl(folder: FolderName, identifier: string, rights: string): Promise<void> {
    this.#require('ACL');
    await this.#connection.execute(setAclCommand(this.#wire(folder), identifier, rights));
  }

  /** DELETEACL (RFC 4314). @throws CapabilityError where ACL is not offered. */
  async deleteacl(folder: FolderName, identifier: string): Promise<void> {
    this.#require('ACL');
    await this.#connection.execute(deleteAclCommand(this.#wire(folder), identifier));
  }

  /** MYRIGHTS (RFC 4314): our own, as letters. @throws CapabilityError where ACL is not offered. */
  async myrights(folder: FolderName): Promise<string> {
    this.#require('ACL');
    return await this.#connection.execute(myRightsCommand(this.#wire(folder)));
  }

  /** LISTRIGHTS (RFC 4314): what `identifier` can be given. @throws CapabilityError where ACL is not offered. */
  async listrights(folder: FolderName, identifier: string): Promise<RightsChoice> {
    this.#require('ACL');
    return await this.#connection.execute(listRightsCommand(this.#wire(folder), identifier));
  }

  /** GETQUOTAROOT (RFC 9208, RFC 2087). @throws CapabilityError where not offered. */
  async getQuotaRoot(folder: FolderName = 'INBOX'): Promise<QuotaRoots> {
    this.#require('QUOTA');
    return await this.#connection.execute(quotaRootCommand(this.#wire(folder)));
  }

  /** GETQUOTA (RFC 9208, RFC 2087). @throws CapabilityError where not offered. */
  async getQuota(root: string): Promise<Quota[]> {
    this.#require('QUOTA');
    return await this.#connection.execute(quotaCommand(root));
  }

  /**
   * SETQUOTA (RFC 9208, RFC 2087): `{ STORAGE: 512 }` in units of 1024 bytes. Resources that are not named have no limit
   * afterwards. @throws CapabilityError where not offered.
   */
  async setQuota(root: string, limits: Readonly<Record<string, number>>): Promise<Quota[]> {
    this.#require('QUOTA');
    return await this.#connection.execute(setQuotaCommand(root, limits));
  }

  /**
   * GETMETADATA (RFC 5464): entries such as `/private/comment` of a folder, or of the server where its name is empty.
   * @throws CapabilityError where not offered.
   */
  async getMetadata(
    folder: FolderName,
    entries: readonly string[] | string,
    options: MetadataOptions = {},
  ): Promise<MetadataResult> {
    this.#requireMetadata(folder);
    const names = typeof entries === 'string' ? [entries] : entries;
    return await this.#connection.execute(getMetadataCommand(this.#wire(folder), names, options));
  }

  /** SETMETADATA (RFC 5464); null removes an entry. @throws CapabilityError where not offered. */
  async setMetadata(folder: FolderName, entries: Readonly<Record<string, string | Buffer | null>>): Promise<void> {
    this.#requireMetadata(folder);
    await this.#connection.execute(setMetadataCommand(this.#wire(folder), entries));
  }

  /** GETANNOTATION, which came before GETMETADATA. @throws CapabilityError where ANNOTATEMORE is not offered. */
  async getannotation(folder: FolderName, entry: string, attribute: string): Promise<Annotation[]> {
    this.#require('ANNOTATEMORE');
    return await this.#connection.execute(getAnnotationCommand(this.#wire(folder), entry, attribute));
  }

  /** SETANNOTATION, which came before SETMETADATA. @throws CapabilityError where ANNOTATEMORE is not offered. */
  async setannotation(
    folder: FolderName,
    entry: string,
    attributes: Readonly<Record<string, string | Buffer | null>>,
  ): Promise<void> {
    this.#require('ANNOTATEMORE');
    await this.#connection.execute(setAnnotationCommand(this.#wire(folder), entry, attributes));
  }

  // -- Messages -------------------------------------------------------------------------------------------------------

  /**
   * FETCH. Calls `onData` synchronously for each message of the answer, as it arrives; resolves with the tagged OK. A
   * response counts when the set names it and it has the items nobody sends unasked; others go to `onUnsolicited`. A
   * message without a response is gone. What `onData` throws becomes the rejection. An empty set costs nothing.
   * @throws StateError when no folder is selected; CapabilityError where an option is not offered.
   */
  async fetchEach(
    set: MessageSet,
    items: readonly string[] | string,
    onData: (data: FetchData) => void,
    options: FetchEachOptions = {},
  ): Promise<void> {
    await this.#fetch(set, items, onData, options);
  }

  async #fetch(
    set: MessageSet,
    items: readonly string[] | string,
    onData: (data: FetchData) => void,
    options: FetchEachOptions,
    receiver?: FetchReceiver,
  ): Promise<void> {
    this.#requireSelected();
    const { changedSince, partial, onVanished, ahead = false, useUid = this.useUid } = options;
    if (changedSince !== undefined) this.#require('CONDSTORE');
    if (partial !== undefined) this.#require('PARTIAL');
    if (onVanished !== undefined) this.#require('QRESYNC');
    if (ahead && !useUid)
      throw new UsageError('Sequence numbers mean nothing before the folder is selected: use UIDs.');
    const select = ahead ? this.#lastSelect : { refused: false };
    const request = {
      items: typeof items === 'string' ? [items] : items,
      useUid,
      changedSince,
      partial,
      onVanished,
      ahead,
      lastSeq: this.#lastSeq,
      onData: ahead ? (data: FetchData) => (select.refused ? undefined : onData(data)) : onData,
      onLiteral: receiver?.onLiteral ?? unlessRefused(options.onLiteral, select),
      onAwaited: receiver?.onAwaited,
    };
    if (receiver !== undefined) {
      // One after the other: a part that waits would be taken for somebody in a hurry.
      for (const part of splitMessageSet(set)) await this.#connection.execute(fetchCommand({ ...request, set: part }));
      return;
    }
    const [asked] = await Promise.allSettled([
      this.#executeEach(set, (part) => fetchCommand({ ...request, set: part })),
    ]);
    if (select.refused) throw new StateError('The folder that these messages are in was not selected.');
    if (asked.status === 'rejected') throw asked.reason;
    for (const failure of asked.value) if (failure !== null) throw failure.error;
  }

  /**
   * FETCH into a Map by UID, or by sequence number without `useUid`: everything parsed, bodies in one piece each.
   * Errors as for `fetchEach`.
   */
  async fetch(
    set: MessageSet,
    items: readonly string[] | string,
    options: FetchMapOptions = {},
  ): Promise<FetchedMessages> {
    const { vanished, ...others } = options;
    const useUid = options.useUid ?? this.useUid;
    const fetched = new FetchedMessages();
    const onVanished = (uids: string) => {
      fetched.vanished = fetched.vanished === null ? uids : `${fetched.vanished},${uids}`;
    };
    const add = (data: FetchData) => void fetched.set(useUid ? (data.uid ?? 0) : data.seq, toFetchedMessage(data));
    await this.fetchEach(set, items, add, { ...others, useUid, ...(vanished === true ? { onVanished } : {}) });
    return fetched;
  }

  /**
   * SEARCH; the numbers ascend. A text is sent as it is; of a list, words that are no atoms become strings, a list in it
   * stands in parentheses, and a Date is a day in UTC. Text outside ASCII is searched for in UTF-8.
   * @throws StateError when no folder is selected; CommandError with BADCHARSET where the server does not know the charset.
   */
  async search(criteria: readonly SearchArgument[] | string = 'ALL', options: SearchOptions = {}): Promise<SearchHits> {
    this.#requireSelected();
    const extended = this.hasCapability('ESEARCH');
    const { maxSearchHits: maxHits } = this.#settings.limits;
    return await this.#connection.execute(searchCommand({ ...this.#query(criteria, options), extended, maxHits }));
  }

  /**
   * SEARCH RETURN (RFC 4731): the least, the greatest, how many, a stretch (PARTIAL, RFC 9394), or a result the server
   * keeps for `$` (SAVE, RFC 5182).
   * @throws StateError when no folder is selected; CapabilityError where ESEARCH, SEARCHRES or PARTIAL is not offered.
   */
  async searchExtended(
    criteria: readonly SearchArgument[] | string,
    returns: ReturnOptions,
    options: SearchOptions = {},
  ): Promise<ExtendedSearchResult> {
    this.#require('ESEARCH');
    if (returns.save === true) this.#require('SEARCHRES');
    if (returns.partial !== undefined) this.#require('PARTIAL');
    this.#requireSelected();
    const { maxSearchHits: maxHits } = this.#settings.limits;
    return await this.#connection.execute(
      extendedSearchCommand({ ...this.#query(criteria, options), returns, maxHits }),
    );
  }

  /** SEARCH in Gmail's own words: `has:attachment in:unread`. @throws CapabilityError where the server is not Gmail. */
  async gmailSearch(query: string, options: SearchOptions = {}): Promise<SearchHits> {
    this.#require('X-GM-EXT-1');
    return await this.search(['X-GM-RAW', query], options);
  }

  /**
   * SORT (RFC 5256): messages that match, in the order of the keys: `ARRIVAL`, `DATE`, `FROM`, `SIZE`, `SUBJECT`, …, each
   * perhaps behind `REVERSE`. @throws StateError when no folder is selected; CapabilityError where not offered.
   */
  async sort(
    keys: readonly string[] | string,
    criteria: readonly SearchArgument[] | string = 'ALL',
    options: SearchOptions = {},
  ): Promise<Uint32Array> {
    this.#require('SORT');
    this.#requireSelected();
    const { maxSearchHits: maxHits } = this.#settings.limits;
    const words = typeof keys === 'string' ? keys.split(' ') : keys;
    return await this.#connection.execute(sortCommand({ ...this.#query(criteria, options), keys: words, maxHits }));
  }

  /**
   * THREAD (RFC 5256): messages that match, as conversations.
   * @throws StateError when no folder is selected; CapabilityError where the algorithm is not offered.
   */
  async thread(
    algorithm = 'REFERENCES',
    criteria: readonly SearchArgument[] | string = 'ALL',
    options: SearchOptions = {},
  ): Promise<Thread[]> {
    this.#require(`THREAD=${algorithm}`);
    this.#requireSelected();
    const { maxSearchHits: maxHits, maxThreadDepth: maxDepth } = this.#settings.limits;
    return await this.#connection.execute(
      threadCommand({ ...this.#query(criteria, options), algorithm, maxHits, maxDepth }),
    );
  }

  /**
   * FETCH, message by message, read no faster than the loop runs: while it lags behind, the server has to wait. Bodies
   * come as the slices they arrived in, and each can be read until the next message is asked for.
   *
   *     for await (const { uid, body } of client.fetchStream('1:*', 'BODY.PEEK[]')) { … }
   *
   * A command that is given within the loop makes the rest of the answer come in at once. Errors as for `fetchEach`.
   */
  fetchStream(set: MessageSet, items: readonly string[] | string, options: FetchEachOptions = {}): MessageStream {
    return new MessageStream({
      fetch: (receiver) => this.#fetch(set, items, (data) => receiver.onData(data), options, receiver),
      pause: () => this.pause(),
      resume: () => this.resume(),
    });
  }

  /** The flags of each message, by UID or sequence number. @throws StateError when no folder is selected. */
  async getFlags(set: MessageSet, options: UidOptions = {}): Promise<Map<number, readonly string[]>> {
    const flags = new Map<number, readonly string[]>();
    for (const [id, message] of await this.fetch(set, ['FLAGS'], options)) flags.set(id, message.flags ?? []);
    return flags;
  }

  /**
   * STORE +FLAGS; resolves with the new flags as answered.
   * @throws StateError when no folder is selected, ReadOnlyError when it was selected read-only.
   */
  async addFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoreResult> {
    return await this.#store(set, { action: 'add', item: 'FLAGS', values: flags }, options);
  }

  /** STORE -FLAGS; errors as for `addFlags`. */
  async removeFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoreResult> {
    return await this.#store(set, { action: 'remove', item: 'FLAGS', values: flags }, options);
  }

  /** STORE FLAGS; errors as for `addFlags`. */
  async setFlags(set: MessageSet, flags: readonly string[], options: StoreOptions = {}): Promise<StoreResult> {
    return await this.#store(set, { action: 'set', item: 'FLAGS', values: flags }, options);
  }

  /** Marks messages \Deleted; `expunge` removes them. Errors as for `addFlags`. */
  async deleteMessages(set: MessageSet, options: StoreOptions = {}): Promise<StoreResult> {
    return await this.addFlags(set, ['\\Deleted'], options);
  }

  /** Gmail's labels of each message, Unicode. @throws CapabilityError where the server is not Gmail (X-GM-EXT-1). */
  async getGmailLabels(set: MessageSet, options: UidOptions = {}): Promise<Map<number, readonly string[]>> {
    this.#require('X-GM-EXT-1');
    const labels = new Map<number, readonly string[]>();
    for (const [id, message] of await this.fetch(set, ['X-GM-LABELS'], options))
      labels.set(id, message.gmailLabels ?? []);
    return labels;
  }

  /** STORE +X-GM-LABELS. @throws as `getGmailLabels` and `addFlags` do. */
  async addGmailLabels(set: MessageSet, labels: readonly string[], options: StoreOptions = {}): Promise<StoreResult> {
    this.#require('X-GM-EXT-1');
    return await this.#store(set, { action: 'add', item: 'X-GM-LABELS', values: labels }, options);
  }

  /** STORE -X-GM-LABELS; errors as for `addGmailLabels`. */
  async removeGmailLabels(
    set: MessageSet,
    labels: readonly string[],
    options: StoreOptions = {},
  ): Promise<StoreResult> {
    this.#require('X-GM-EXT-1');
    return await this.#store(set, { action: 'remove', item: 'X-GM-LABELS', values: labels }, options);
  }

  /** STORE X-GM-LABELS; errors as for `addGmailLabels`. */
  async setGmailLabels(set: MessageSet, labels: readonly string[], options: StoreOptions = {}): Promise<StoreResult> {
    this.#require('X-GM-EXT-1');
    return await this.#store(set, { action: 'set', item: 'X-GM-LABELS', values: labels }, options);
  }

  /**
   * COPY. Resolves with which UIDs became which (UIDPLUS, RFC 4315), null where the server does not say.
   * @throws StateError when no folder is selected.
   */
  async copy(set: MessageSet, folder: FolderName, options: UidOptions = {}): Promise<CopyUid | null> {
    this.#requireSelected();
    const useUid = options.useUid ?? this.useUid;
    return joinCopies(
      await this.#executeEach(set, (part) => copyCommand({ set: part, folder: this.#wire(folder), useUid })),
    );
  }

  /**
   * MOVE (RFC 6851); resolves as `copy` does.
   * @throws StateError when no folder is selected, ReadOnlyError when it was selected read-only, CapabilityError where
   *   MOVE is not offered.
   */
  async move(set: MessageSet, folder: FolderName, options: UidOptions = {}): Promise<CopyUid | null> {
    this.#require('MOVE');
    this.#requireWritable();
    const useUid = options.useUid ?? this.useUid;
    return joinCopies(
      await this.#executeEach(set, (part) => moveCommand({ set: part, folder: this.#wire(folder), useUid })),
    );
  }

  /**
   * EXPUNGE: removes what is marked \Deleted; with a set only that of these UIDs, see `uidExpunge`. Resolves with how many
   * messages the server reported gone meanwhile; which ones they were is told to `onUnsolicited`.
   * @throws StateError when no folder is selected, ReadOnlyError when it was selected read-only.
   */
  async expunge(uids?: MessageSet): Promise<number> {
    if (uids !== undefined) return await this.uidExpunge(uids);
    this.#requireWritable();
    return await this.#connection.execute(expungeCommand(null));
  }

  /** UID EXPUNGE (RFC 4315 2.1). @throws CapabilityError where UIDPLUS is not offered, and as `expunge` does. */
  async uidExpunge(uids: MessageSet): Promise<number> {
    this.#require('UIDPLUS');
    this.#requireWritable();
    const gone = await this.#executeEach(uids, (part) => expungeCommand(part));
    return gone.reduce((sum, count) => sum + count, 0);
  }

  /** APPEND. @throws CapabilityError where the message's `content` needs what is not offered. */
  async append(folder: FolderName, message: AppendMessage | string | Buffer): Promise<AppendResult> {
    return await this.multiappend(folder, [message]);
  }

  /** APPEND of several messages (RFC 3502): all are stored, or none. @throws CapabilityError where not offered. */
  async multiappend(folder: FolderName, messages: readonly (AppendMessage | string | Buffer)[]): Promise<AppendResult> {
    if (messages.length > 1) this.#require('MULTIAPPEND');
    const parts = messages.map((message) => {
      return typeof message === 'string' || Buffer.isBuffer(message) ? { body: message } : message;
    });
    if (parts.some(({ content }) => content === 'binary')) this.#require('BINARY');
    return await this.#connection.execute(appendCommand(this.#wire(folder), parts));
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

  get #naming(): FolderNaming {
    if (!this.folderEncode) return 'raw';
    return this.#enabled.has('UTF8=ACCEPT') || this.#enabled.has('IMAP4REV2') ? 'utf8' : 'utf7';
  }

  #wire(folder: FolderName): FolderName {
    return toWireName(folder, this.#naming);
  }

  async #listPlainly(name: 'LSUB' | 'XLIST', reference: FolderName, pattern: FolderName): Promise<ListedFolder[]> {
    const command = plainListCommand(name, this.#wire(reference), this.#wire(pattern), this.#naming);
    return await this.#connection.execute(command);
  }

  #query(criteria: readonly SearchArgument[] | string, options: SearchOptions) {
    // RFC 6855 3: once UTF-8 is the rule, naming a charset is an error.
    const charset = options.charset ?? (this.#enabled.has('UTF8=ACCEPT') ? null : undefined);
    return { criteria, charset, useUid: options.useUid ?? this.useUid };
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
    set: MessageSet,
    change: Pick<StoreRequest, 'action' | 'item' | 'values'>,
    options: StoreOptions,
  ): Promise<StoreResult> {
    this.#requireWritable();
    const { useUid = this.useUid, silent = false, unchangedSince } = options;
    if (unchangedSince !== undefined) this.#require('CONDSTORE');
    const request = { ...change, useUid, silent, unchangedSince, lastSeq: this.#lastSeq };
    return joinStores(await this.#executeEach(set, (part) => storeCommand({ ...request, set: part })));
  }

  /** One command for each part of the set that fits on a line; waits for all of them, then reports the first failure. */
  async #executeEach<Result>(
    set: MessageSet,
    makeCommand: (part: MessageSetPart) => Command<Result>,
  ): Promise<Result[]> {
    const parts = splitMessageSet(set);
    const results = parts.map((part) => this.#connection.execute(makeCommand(part)));
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

  /** RFC 5464 1: METADATA-SERVER is for the server's own entries alone. */
  #requireMetadata(folder: FolderName): void {
    if (folder.length > 0 || !this.hasCapability('METADATA-SERVER')) this.#require('METADATA');
  }

  #idling(): Idle {
    if (this.#idle === null) throw new StateError('No IDLE is under way: begin one with idle().');
    return this.#idle;
  }

  #requireSelected(): void {
    if (this.#selected === null && this.#selecting === 0) {
      throw new StateError('No folder is selected: select one before asking for its messages.');
    }
  }

  /** The folder selected now, or on its way, can be changed as far as we know. */
  #requireWritable(): void {
    this.#requireSelected();
    if (this.#selecting > 0 || this.#selected?.readOnly !== true) return;
    throw new ReadOnlyError('The folder was selected read-only: select it for writing first.');
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
    const news = parseUnsolicited(response, this.#naming);
    if (this.#selected !== null) this.#selected = applyNews(this.#selected, news);
    this.#tell(news);
  }

  #tell(news: Unsolicited): void {
    this.onUnsolicited?.(news);
    this.#listeners.tell(news.kind, news as never);
    this.#listeners.tell('news', news);
    this.#idle?.hear(news);
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
    case 'vanished': {
      // RFC 7162 3.2.10: those that went earlier were never counted.
      const gone = news.earlier ? 0 : countNumbers(news.uids);
      return gone === 0 ? folder : { ...folder, exists: Math.max(0, folder.exists - gone) };
    }
    case 'flags':
      return { ...folder, flags: news.flags };
    case 'status':
      return applyCode(folder, news.code?.name);
    default:
      return folder;
  }
}

/** What the server must offer for a LIST with these options. */
function capabilitiesForList(pattern: FolderName | readonly FolderName[], options: ListOptions): Set<string> {
  const needed = new Set<string>();
  if (options.returnStatus !== undefined) needed.add('LIST-STATUS');
  if (options.returnSpecialUse === true || options.specialUse === true) needed.add('SPECIAL-USE');
  if (options.returnMyRights === true) needed.add('LIST-MYRIGHTS');
  const { returnSubscribed, returnChildren, subscribed, remote, recursiveMatch } = options;
  const extended = [returnSubscribed, returnChildren, subscribed, remote, recursiveMatch].includes(true);
  if (extended || Array.isArray(pattern)) needed.add('LIST-EXTENDED');
  return needed;
}

/** RFC 9051 7.1: what may be done with the folder can change while it is selected. */
function applyCode(folder: SelectedFolder, code: string | undefined): SelectedFolder {
  if (code === 'READ-ONLY') return { ...folder, readOnly: true };
  return code === 'READ-WRITE' ? { ...folder, readOnly: false } : folder;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new ConnectError('Connecting was given up.', { cause: reason });
}
