import { type AccountOptions, SandboxAccount } from './account.ts';
import type { SessionHost } from './channel.ts';
import { SandboxFaults } from './faults.ts';
import { type Feature, listCapabilities, resolveFeatures } from './features.ts';
import type { SandboxOptions } from './options.ts';
import { SandboxSession } from './session.ts';

/** One command as it was received. */
export interface CommandRecord {
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Who is logged in; `null` before. */
  readonly user: string | null;
  /** Upper case, with its UID prefix. */
  readonly name: string;
  /** The first line without its tag; for commands that carry secrets the name alone. */
  readonly line: string;
}

/**
 * A small, complete IMAP server in memory: accounts, options, faults. It owns no socket and reads no clock; `listenSandbox`
 * and `connectSandbox` put it on a wire.
 */
export class SandboxServer {
  readonly options: SandboxOptions;
  readonly features: ReadonlySet<Feature>;
  readonly faults = new SandboxFaults();
  readonly accounts = new Map<string, SandboxAccount>();
  /** Every command received, in order. */
  readonly commandLog: CommandRecord[] = [];
  readonly sessions = new Set<SandboxSession>();
  /** Connections accepted so far. */
  connectionCount = 0;
  #seconds = 0;

  /** @throws TypeError for an unknown feature name. */
  constructor(options: SandboxOptions = {}) {
    this.options = options;
    this.features = resolveFeatures(options.disable ?? [], options.enable ?? []);
  }

  get delimiter(): string | null {
    return this.options.delimiter === undefined ? '/' : this.options.delimiter;
  }

  get personalPrefix(): string {
    return this.options.personalPrefix ?? '';
  }

  /** Adds a user, with an empty INBOX. */
  addAccount(options: AccountOptions): SandboxAccount {
    const account = new SandboxAccount(options, {
      delimiter: this.delimiter,
      personalPrefix: this.personalPrefix,
      firstUidValidity: this.options.firstUidValidity ?? 1_600_000_001,
      now: () => this.now(),
    });
    this.accounts.set(account.user, account);
    return account;
  }

  /** Accepts a connection: the greeting leaves at once through `host.send`. */
  openSession(host: SessionHost, options: { readonly secure?: boolean } = {}): SandboxSession {
    this.connectionCount += 1;
    const session = new SandboxSession(this, host, this.connectionCount);
    session.secure = options.secure ?? false;
    this.sessions.add(session);
    session.greet();
    return session;
  }

  /** Epoch milliseconds. */
  now(): number {
    if (this.options.now !== undefined) return this.options.now();
    this.#seconds += 1;
    return Date.UTC(2026, 0, 1) + this.#seconds * 1000;
  }

  /** How often a command was received. */
  countCommands(name: string): number {
    return this.commandLog.filter((record) => record.name === name).length;
  }

  /** The capability words a session sees now. */
  capabilities(session: SandboxSession): readonly string[] {
    const loggedIn = session.account !== null;
    const stated = loggedIn ? this.options.capabilitiesAfterLogin : this.options.capabilitiesBeforeLogin;
    if (stated !== undefined) return stated;
    return listCapabilities(this.features, {
      loggedIn,
      canStartTls: session.canStartTls,
      loginDisabled: session.loginDisabled,
      appendLimit: this.options.appendLimit ?? null,
    });
  }
}
