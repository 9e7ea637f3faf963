/**
 * A process that is none: streams that remember, a clock that is moved by hand, signals that are sent by the test.
 */
import { Readable, Writable } from 'node:stream';
import type { AccountSettings } from '../../src/account.ts';
import type { CliIo, DemoServers, Engine, Input, Output, SignalName } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';
import type { Cancel, Clock } from '../../src/clock.ts';
import type {
  AccountReport,
  FolderReport,
  JobEvent,
  JobPlan,
  JobReport,
  PlannedFolder,
  Progress,
  Refusal,
  VerifyReport,
} from '../../src/job.ts';

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that still wait. */
  get pending(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}

export class FakeOutput extends Writable implements Output {
  text = '';
  isTTY: boolean;
  columns: number;
  rows: number;

  constructor(options: { isTTY?: boolean; columns?: number; rows?: number } = {}) {
    super({ decodeStrings: false });
    this.isTTY = options.isTTY ?? false;
    this.columns = options.columns ?? 80;
    this.rows = options.rows ?? 24;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  get lines(): string[] {
    return this.text === '' ? [] : this.text.replace(/\n$/, '').split('\n');
  }
}

export interface FakeIo extends CliIo {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly clock: ManualClock;
  /** Codes that `exit` was called with. */
  readonly exits: number[];
  /** Sends a signal; false where nobody listens. */
  send(name: SignalName): boolean;
}

export interface FakeIoOptions {
  readonly tty?: boolean;
  readonly columns?: number;
  readonly env?: Record<string, string>;
  readonly stdin?: Input;
}

export function createFakeIo(engine: Partial<Engine> = {}, options: FakeIoOptions = {}): FakeIo {
  const handlers = new Map<SignalName, Set<() => void>>();
  const exits: number[] = [];
  const terminal = { isTTY: options.tty ?? false, columns: options.columns ?? 100 };
  return {
    stdin: options.stdin ?? Readable.from([]),
    stdout: new FakeOutput(terminal),
    stderr: new FakeOutput(terminal),
    env: { LANG: 'C.UTF-8', ...options.env },
    clock: new ManualClock(),
    wallTime: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
    onSignal(name, handler) {
      const set = handlers.get(name) ?? new Set();
      handlers.set(name, set.add(handler));
      return () => set.delete(handler);
    },
    exit: (code) => exits.push(code),
    homeDir: '/home/alice',
    parallelism: 2,
    version: '9.8.7',
    engine: { ...fakeEngine, ...engine },
    exits,
    send(name) {
      const listening = [...(handlers.get(name) ?? [])];
      for (const handler of listening) handler();
      return listening.length > 0;
    },
  };
}

/** Runs a command line against a fake engine and gives back everything that can be observed. */
export async function run(argv: readonly string[], engine: Partial<Engine> = {}, options: FakeIoOptions = {}) {
  const io = createFakeIo(engine, options);
  const exitCode = await runCli(argv, io);
  return { io, exitCode, stdout: io.stdout.text, stderr: io.stderr.text };
}

const unexpected = (name: string) => (): never => {
  throw new Error(`the test did not expect ${name}`);
};

const fakeEngine: Engine = {
  loadAccount: async (file) => makeAccount(file),
  findTree: unexpected('findTree'),
  migrate: unexpected('migrate'),
  verify: unexpected('verify'),
  verifyTree: unexpected('verifyTree'),
  checkAccount: unexpected('checkAccount'),
  openAccount: unexpected('openAccount'),
  readJournalStatus: unexpected('readJournalStatus'),
  parseQuery: unexpected('parseQuery'),
  summarizeTree: unexpected('summarizeTree'),
  findMessages: unexpected('findMessages'),
  indexTree: unexpected('indexTree'),
  openDemo: unexpected('openDemo'),
};

export function makeAccount(file: string, changes: Partial<AccountSettings> = {}): AccountSettings {
  return {
    file,
    host: `imap.${file.replace(/\W/g, '-')}.example.org`,
    port: 993,
    tls: { mode: 'implicit', verify: true, checkHostname: true, ca: null },
    command: null,
    username: 'alice',
    secret: 'correct horse',
    auth: 'auto',
    authorizationId: null,
    timeoutMs: 60_000,
    prefix: null,
    delimiter: null,
    ...changes,
  };
}

export function makeFolder(changes: Partial<FolderReport> = {}): FolderReport {
  return {
    source: 'INBOX',
    target: 'INBOX',
    copied: 3,
    alreadyThere: 0,
    gone: 0,
    flagsChanged: 0,
    deleted: 0,
    refused: [],
    bytes: 3_000,
    seconds: 1.5,
    resent: 0,
    lostFlags: {},
    notes: [],
    ...changes,
  };
}

/** A report over `folders`; sums and verdict follow from them. */
export function makeReport(folders: readonly FolderReport[], changes: Partial<JobReport> = {}): JobReport {
  const sum = (value: (folder: FolderReport) => number) => folders.reduce((total, folder) => total + value(folder), 0);
  const refused = sum((folder) => folder.refused.length);
  return {
    verdict: refused === 0 ? 'complete' : 'partial',
    exitCode: refused === 0 ? 0 : 3,
    source: 'alice@old:993',
    target: 'alice@new:993',
    folders,
    copied: sum((folder) => folder.copied),
    alreadyThere: sum((folder) => folder.alreadyThere),
    gone: sum((folder) => folder.gone),
    flagsChanged: sum((folder) => folder.flagsChanged),
    deleted: sum((folder) => folder.deleted),
    refused,
    resent: sum((folder) => folder.resent),
    bytes: sum((folder) => folder.bytes),
    seconds: 2,
    keptOrder: true,
    connections: { most: 2, reason: 'to begin with' },
    warnings: [],
    pauses: [],
    parkedUntil: null,
    failure: null,
    ...changes,
  };
}

export function makeRefusal(changes: Partial<Refusal> = {}): Refusal {
  return {
    folder: 'INBOX',
    uid: 77,
    bytes: 1_200_000,
    code: 'NO',
    subject: null,
    message: '[TOOBIG] message too big',
    ...changes,
  };
}

export function makePlannedFolder(changes: Partial<PlannedFolder> = {}): PlannedFolder {
  return {
    source: 'INBOX',
    target: 'INBOX',
    action: 'copy',
    reason: 'inbox',
    messages: 3,
    bytes: 3_000,
    alreadyThere: 0,
    specialUse: null,
    ...changes,
  };
}

export function makePlan(changes: Partial<JobPlan> = {}): JobPlan {
  return {
    source: 'alice@old:993',
    target: 'alice@new:993',
    folders: [makePlannedFolder()],
    problems: [],
    keepsOrder: true,
    ...changes,
  };
}

export function makeProgress(changes: Partial<Progress> = {}): Progress {
  return {
    elapsedMs: 12_000,
    messages: { done: 240, total: 1_000 },
    bytes: { done: 2_400_000, total: 10_000_000 },
    messagesPerSecond: 20,
    bytesPerSecond: 200_000,
    etaMs: 38_000,
    refused: 0,
    activeFolders: [{ name: 'INBOX', done: 12, total: 40 }],
    waiting: null,
    ...changes,
  };
}

export function makeVerifyReport(changes: Partial<VerifyReport> = {}): VerifyReport {
  return {
    verdict: 'identical',
    exitCode: 0,
    folders: [{ source: 'INBOX', target: 'INBOX', sourceMessages: 3, targetMessages: 3, foreign: 0, differences: 0 }],
    differences: [],
    compared: 3,
    digest: false,
    seconds: 1,
    failure: null,
    ...changes,
  };
}

export function makeAccountReport(changes: Partial<AccountReport> = {}): AccountReport {
  return {
    account: 'alice@old:993',
    server: 'Mailer 1.0',
    tls: true,
    auth: 'PLAIN',
    capabilities: ['IMAP4REV1', 'MULTIAPPEND'],
    serverId: { name: 'Mailer' },
    namespaces: { personal: [{ prefix: '', delimiter: '/' }], other: [], shared: [] },
    quotas: [{ root: 'user', resource: 'STORAGE', usage: 500, limit: 1_000 }],
    folders: [
      {
        name: 'INBOX',
        specialUse: null,
        selectable: true,
        subscribed: true,
        status: { messages: 3, uidNext: 4, uidValidity: 1, highestModSeq: null, size: 3_000 },
      },
    ],
    warnings: [],
    ...changes,
  };
}

export function makeDemo(close: () => void): DemoServers {
  return {
    source: makeAccount('source'),
    target: makeAccount('target'),
    stateDir: '/state/demo',
    messages: 321,
    close: async () => close(),
  };
}

/** An engine whose `migrate` tells these events and returns this report. */
export function migrating(report: JobReport, events: readonly JobEvent[] = []): Partial<Engine> {
  return {
    async migrate(_settings, hooks) {
      for (const event of events) hooks.onEvent(event);
      hooks.onEvent({ kind: 'finished', report });
      return report;
    },
  };
}
