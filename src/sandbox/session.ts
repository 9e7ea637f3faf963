import type { SandboxAccount } from './account.ts';
import { type Answer, bad, no, ok } from './answer.ts';
import { Channel, type SessionHost } from './channel.ts';
import { CommandLoop } from './command-loop.ts';
import type { Feature } from './features.ts';
import type { SandboxMailbox } from './mailbox.ts';
import { Selection } from './selection.ts';
import type { SandboxServer } from './server.ts';

/**
 * The server's side of one connection: bytes in, bytes out, no socket and no timer of its own. The same bytes in give the
 * same bytes out, however they are cut.
 */
export class SandboxSession {
  readonly server: SandboxServer;
  /** From 1, in order of connection. */
  readonly number: number;
  /** @internal The byte side, for the commands. */
  readonly channel: Channel;
  secure = false;
  account: SandboxAccount | null = null;
  /** The client asked for mod-sequences: flag updates carry them (RFC 7162 3.1). */
  condstoreAware = false;
  loginFailures = 0;
  readonly #loop: CommandLoop;
  #selection: Selection | null = null;
  #tlsStarted: (() => void) | null = null;

  /** Made by `SandboxServer.openSession`. */
  constructor(server: SandboxServer, host: SessionHost, number: number) {
    this.server = server;
    this.number = number;
    const owner = { work: () => this.#loop.work(), over: () => this.#leave() };
    this.channel = new Channel(host, owner, server.faults, number, server.options.clock);
    this.#loop = new CommandLoop(this);
  }

  get ended(): boolean {
    return this.channel.ended;
  }

  get selection(): Selection | null {
    return this.#selection;
  }

  get canStartTls(): boolean {
    return !this.secure && this.channel.canStartTls && this.has('STARTTLS');
  }

  get loginDisabled(): boolean {
    return !this.secure && this.server.options.requireTls === true;
  }

  /** Tag of the command that runs. */
  get tag(): string {
    return this.#loop.tag;
  }

  has(feature: Feature): boolean {
    return this.server.features.has(feature);
  }

  /** @internal Sends the greeting. */
  greet(): void {
    const { options } = this.server;
    if (options.greetingBye !== undefined) {
      this.channel.bye(options.greetingBye);
    } else {
      const account =
        options.preauthUser === undefined ? null : (this.server.accounts.get(options.preauthUser) ?? null);
      if (account !== null) this.enter(account);
      const code = this.capabilityCode();
      const status = account === null ? 'OK' : 'PREAUTH';
      this.untagged(`${status} ${code === undefined ? '' : `[${code}] `}${options.greetingText ?? 'Sandbox ready.'}`);
    }
    this.channel.flush();
  }

  /**
   * Takes bytes from the client. Returns false when the session cannot read now and holds enough: the wire should wait for
   * `host.resume`. Nothing is lost when it does not.
   */
  receive(bytes: Buffer): boolean {
    return this.channel.receive(bytes);
  }

  /** The wire takes output again. */
  drained(): void {
    this.channel.drained();
  }

  /** The handshake is done: what follows is inside TLS. */
  tlsStarted(): void {
    this.secure = true;
    const release = this.#tlsStarted;
    this.#tlsStarted = null;
    release?.();
  }

  /** The wire is gone. */
  closed(): void {
    this.channel.closed();
  }

  /** Writes `* line`. */
  untagged(line: string): void {
    this.channel.text(`* ${line}\r\n`);
  }

  /** Writes `{n}` and the octets, which are handed on as they are. */
  literal(octets: Buffer): void {
    this.channel.text(`{${octets.length}}\r\n`);
    this.channel.octets(octets);
  }

  /** Ends the connection after the current command's answer. */
  closeAfterAnswer(): void {
    this.#loop.afterAnswer(() => this.channel.closeAfterOutput());
  }

  /** After the current command's answer everything is TLS; clear text the client sent ahead is thrown away. */
  startTlsAfterAnswer(): void {
    this.#loop.afterAnswer(() => {
      this.channel.startTls((release) => {
        this.#tlsStarted = release;
      });
    });
  }

  /** `CAPABILITY …` for a response code, or `undefined` where the server keeps silent. */
  capabilityCode(): string | undefined {
    if (this.server.options.announceCapabilities === false) return undefined;
    return `CAPABILITY ${this.server.capabilities(this).join(' ')}`;
  }

  /** Logs a user in, within the connection limit. */
  login(account: SandboxAccount): Answer {
    const { maxConnections, connectionLimitAnswer } = this.server.options;
    if (maxConnections !== undefined && account.connections >= maxConnections) {
      const words = `Maximum number of connections from user+IP exceeded (mail_max_userip_connections=${maxConnections})`;
      const answer = connectionLimitAnswer ?? { status: 'NO', code: 'UNAVAILABLE', text: words };
      if (answer.status === 'BYE') this.channel.bye(`[${answer.code}] ${answer.text}`);
      throw no(answer.text, answer.code);
    }
    this.enter(account);
    account.logins += 1;
    return ok('Logged in', this.capabilityCode());
  }

  /** Becomes this user, with nothing selected. */
  enter(account: SandboxAccount): void {
    this.select(null);
    if (this.account !== null) this.account.connections -= 1;
    this.account = account;
    account.connections += 1;
  }

  requireAccount(): SandboxAccount {
    if (this.account === null) throw bad('Log in first');
    return this.account;
  }

  requireSelection(): Selection {
    if (this.#selection === null) throw bad('No mailbox selected');
    return this.#selection;
  }

  /** Selects a mailbox, or none. */
  select(target: { readonly mailbox: SandboxMailbox; readonly readOnly: boolean } | null): void {
    this.#selection?.close();
    this.#selection = null;
    if (target === null) return;
    this.#selection = new Selection(target.mailbox, target, {
      onChange: () => this.#loop.announceWhileIdle(),
      onInvalidated: () => {
        this.channel.bye('IMAP session state is inconsistent, please relogin.');
        this.#loop.flushUnlessBusy();
      },
    });
  }

  #leave(): void {
    this.select(null);
    if (this.account !== null) this.account.connections -= 1;
    this.account = null;
    this.server.sessions.delete(this);
  }
}
