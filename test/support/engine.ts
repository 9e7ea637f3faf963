import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSettings } from '../../src/account.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { type JobHooks, type JobParts, migrate } from '../../src/coordinator.ts';
import type { JobEvent, JobReport, JobSettings, VerifyReport } from '../../src/job.ts';
import { openJournal } from '../../src/journal/index.ts';
import { ImapClient } from '../../src/protocol/index.ts';
import {
  connectSandbox,
  type MailboxSnapshot,
  type SandboxAccount,
  type SandboxOptions,
  SandboxServer,
  snapshotAccount,
} from '../../src/sandbox/index.ts';
import { verify } from '../../src/verify.ts';
import type { Connect } from '../../src/worker/login.ts';
import type { FarLine } from './far-line.ts';
import { InlineHost } from './inline-host.ts';

export const user = 'alice';
export const password = 'correct horse';

function account(host: string): AccountSettings {
  return {
    file: `${host}.ini`,
    host,
    port: 143,
    tls: { mode: 'none', verify: true, checkHostname: true, ca: null },
    command: null,
    username: user,
    secret: password,
    auth: 'auto',
    authorizationId: null,
    timeoutMs: 60_000,
    prefix: null,
    delimiter: null,
  };
}

/** In memory where there is such a place: no power fails in these tests, and thousands of journals cost less there. */
const stateRoot = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What the clock on the wall says in every job: 2026. */
export const wallClockMs = Date.UTC(2026, 0, 1);

export interface JobRun {
  readonly report: JobReport;
  readonly events: readonly JobEvent[];
}

/** Extensions few tests need; without them sessions are shorter, and logins much faster. */
export const needless = [
  ...['SCRAM-SHA-1', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'].map((it) => `AUTH=${it}`),
  ...[
    'ID',
    'QUOTA',
    'NAMESPACE',
    'IDLE',
    'ENABLE',
    'CHILDREN',
    'MOVE',
    'SPECIAL-USE',
    'ESEARCH',
    'STARTTLS',
    'SASL-IR',
  ],
  ...['CONDSTORE', 'STATUS=SIZE', 'PROXYAUTH', 'APPENDLIMIT'],
] as const;

export interface EngineOptions {
  readonly source?: SandboxOptions;
  readonly target?: SandboxOptions;
  /** Cuts what the servers send into deliveries. */
  readonly split?: (bytes: Buffer) => readonly Buffer[];
  /** Longest silence of a server that owes an answer. Default: the client's own. */
  readonly idleMs?: number;
  /** How long a target must be quiet before what is not there counts as absent. Default 60. */
  readonly settleMs?: number;
  /** The job's clock; the connections keep the system's. */
  readonly clock?: Clock;
  /** Both servers are at the end of such a line, as if inside TLS; everything goes by its clock. */
  readonly line?: FarLine;
  /** Messages from this size on are streamed where they are alone in their batch. Default: as in the program. */
  readonly oversizeBytes?: number;
}

/** Both sides are accounts, unless a test says otherwise. */
interface AccountPair {
  readonly source: AccountSettings;
  readonly target: AccountSettings;
}

/** Two sandbox servers in this thread, and a state directory: everything a job needs, without sockets or threads. */
export class Engine implements Disposable {
  readonly servers: { readonly source: SandboxServer; readonly target: SandboxServer };
  readonly source: SandboxAccount;
  readonly target: SandboxAccount;
  readonly stateDir = mkdtempSync(join(stateRoot, 'engine-'));
  readonly #split: ((bytes: Buffer) => readonly Buffer[]) | undefined;
  readonly #idleMs: number | undefined;
  readonly #settleMs: number;
  readonly #clock: Clock;
  readonly #line: FarLine | undefined;
  readonly #oversizeBytes: number | undefined;
  #host: InlineHost | null = null;

  constructor(options: EngineOptions = {}) {
    this.#oversizeBytes = options.oversizeBytes;
    this.#line = options.line;
    this.#idleMs = options.idleMs;
    this.#settleMs = options.settleMs ?? 60;
    this.#clock = options.clock ?? options.line?.clock ?? systemClock;
    this.servers = { source: new SandboxServer(options.source), target: new SandboxServer(options.target) };
    this.source = this.servers.source.addAccount({ user, password });
    this.target = this.servers.target.addAccount({ user, password });
    this.#split = options.split;
  }

  /** Dials the servers by the names `source.test` and `target.test`. */
  get connect(): Connect {
    return ({ host }, clock) => {
      const server = host === 'source.test' ? this.servers.source : this.servers.target;
      const secure = this.#line !== undefined;
      const near = connectSandbox(server, this.#split === undefined ? { secure } : { secure, split: this.#split });
      const transport = this.#line?.lengthen(near) ?? near;
      const limits = this.#oversizeBytes === undefined ? {} : { streamLiteralBytes: this.#oversizeBytes };
      return ImapClient.connect({ host, tls: 'none', transport, clock, limits, timeouts: { idleMs: this.#idleMs } });
    };
  }

  settings(overrides: Partial<JobSettings> = {}): JobSettings & AccountPair {
    return {
      source: account('source.test'),
      target: account('target.test'),
      mapping: { map: [], include: [], exclude: [], mapSpecialUse: true },
      order: 'auto',
      flags: 'mirror',
      connections: 2,
      threads: 1,
      subscriptions: 'copy',
      stateDir: this.stateDir,
      rebuild: false,
      dryRun: false,
      wait: false,
      ...overrides,
    } as JobSettings & AccountPair;
  }

  /** As the program does it; the line has its time after that. */
  readonly #openJournal: typeof openJournal = async (...settings) => {
    const opening = openJournal(...settings);
    return await (this.#line?.besides(opening) ?? opening);
  };

  async run(
    overrides: Partial<JobSettings> = {},
    hooks: {
      signal?: AbortSignal;
      onEvent?: (event: JobEvent) => unknown;
      connect?: Connect;
      openJournal?: JobParts['openJournal'];
      renew?: JobHooks['renew'];
      /** The dice of back-off. Default: the longest there is. */
      random?: () => number;
    } = {},
  ): Promise<JobRun> {
    const events: JobEvent[] = [];
    const onEvent = (event: JobEvent) => {
      if (event.kind !== 'progress') events.push(event);
      hooks.onEvent?.(event);
    };
    const signal = hooks.signal ?? new AbortController().signal;
    const { openJournal = this.#openJournal, connect = this.connect } = hooks;
    this.#host = new InlineHost(connect, this.#line?.clock, { oversizeBytes: this.#oversizeBytes });
    const parts = {
      host: this.#host,
      clock: this.#clock,
      settleMs: this.#settleMs,
      openJournal,
      wallClockMs: () => wallClockMs,
      random: hooks.random ?? (() => 1),
    };
    const renew = hooks.renew === undefined ? {} : { renew: hooks.renew };
    return { report: await migrate(this.settings(overrides), { onEvent, signal, ...renew }, parts), events };
  }

  /** Ends a lane of the run that is going on, as the death of its thread would: that of index `lane` of those started. */
  killLane(lane: number): void {
    this.#host?.kill(lane);
  }

  async verify(
    overrides: Partial<JobSettings> & { digest?: boolean } = {},
    hooks: { clock?: Clock; onEvent?: (event: JobEvent) => void } = {},
  ): Promise<VerifyReport> {
    const { clock = systemClock, onEvent = () => {} } = hooks;
    const settings = { ...this.settings(overrides), digest: overrides.digest ?? true };
    const parts = { host: new InlineHost(this.connect), clock, wallClockMs: () => wallClockMs, random: () => 1 };
    return verify(settings, { onEvent, signal: new AbortController().signal }, parts);
  }

  /** Commands the target or the source has been sent since the last call, by name. */
  commands(side: 'source' | 'target'): string[] {
    return this.servers[side].commandLog.splice(0).map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

/** What counts when two accounts are compared: every message in order, by folder path. */
export function contents(account: SandboxAccount): Record<string, unknown[]> {
  const folders: Record<string, unknown[]> = {};
  for (const mailbox of snapshotAccount(account)) {
    if (mailbox.noselect) continue;
    folders[pathOf(mailbox)] = mailbox.messages.map(({ digest, flags, epochMs }) => ({
      digest,
      flags: [...flags].sort(),
      epochMs,
    }));
  }
  return folders;
}

/** The same without the order: what was sent again lands after its neighbours. */
export function multisets(account: SandboxAccount): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(contents(account)).map(([path, rows]) => [path, rows.map((row) => JSON.stringify(row)).sort()]),
  );
}

/** The same result, or an error when it takes longer: in a loop it is then told which round hung. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function pathOf(mailbox: MailboxSnapshot): string {
  return mailbox.path.join('\u241f');
}
