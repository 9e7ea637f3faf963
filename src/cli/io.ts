/**
 * Everything outside that the command line touches, as one value: tests hand in their own.
 */
import type { AccountSettings, TreeSettings } from '../account.ts';
import type { TreePlace, TreeReference } from '../archive/tree.ts';
import type { CatalogueFolder, Query, TreeHooks, TreeSummary, WrittenIndex } from '../catalogue/index.ts';
import type { Cancel, Clock } from '../clock.ts';
import type {
  AccountReport,
  JobEvent,
  JobReport,
  JobSettings,
  TreeVerifyReport,
  VerifyReport,
  VerifySettings,
} from '../job.ts';
import type { JournalStatus } from '../journal-status.ts';
import type { OpenedAccount } from '../open-account.ts';
import type { Environment } from './style.ts';

/** A stream for people or programs to read; a terminal where `isTTY` is true. */
export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a command hands to the engine: an ear for events, and the signal to wind up. */
export interface EngineHooks {
  onEvent(event: JobEvent): void;
  readonly signal: AbortSignal;
}

export interface MigrateHooks extends EngineHooks {
  /** Reads an account again whose token has expired. */
  renew?(account: AccountSettings): Promise<AccountSettings>;
}

/** Two accounts on servers of our own, alive until `close`. */
export interface DemoServers {
  readonly source: AccountSettings;
  readonly target: AccountSettings;
  /** Empty directory for the journals, removed by `close`. */
  readonly stateDir: string;
  readonly messages: number;
  close(): Promise<void>;
}

/** The parts that do the work. They throw MigrateError for what ends a job before it began, and never print. */
export interface Engine {
  loadAccount(file: string, options: { readonly allowReadableSecrets: boolean }): Promise<AccountSettings>;
  /** Where a tree is, and which kind it is; with `create` it is made. */
  findTree(
    reference: TreeReference,
    options: { readonly create: boolean; readonly mayBeMissing?: boolean },
  ): Promise<TreePlace>;
  migrate(settings: JobSettings, hooks: MigrateHooks): Promise<JobReport>;
  verify(settings: VerifySettings, hooks: EngineHooks): Promise<VerifyReport>;
  verifyTree(tree: TreeSettings, hooks: EngineHooks): Promise<TreeVerifyReport>;
  checkAccount(account: AccountSettings, hooks: EngineHooks): Promise<AccountReport>;
  openAccount(account: AccountSettings): Promise<OpenedAccount>;
  readJournalStatus(stateDir: string): Promise<readonly JournalStatus[]>;
  parseQuery(words: readonly string[]): Promise<Query>;
  summarizeTree(reference: TreeReference): Promise<TreeSummary>;
  findMessages(
    reference: TreeReference,
    what: { readonly query: Query | null; readonly folder: string | null },
    hooks: TreeHooks,
  ): AsyncIterable<CatalogueFolder>;
  indexTree(
    reference: TreeReference,
    options: { readonly expand: boolean; readonly now: Date },
    hooks: TreeHooks,
  ): Promise<WrittenIndex>;
  openDemo(): Promise<DemoServers>;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGUSR1';

/** Where commands are read from; a terminal where `isTTY` is true. */
export interface Input extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
}

export interface CliIo {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly clock: Clock;
  /** For time stamps that are only read, never computed with. */
  wallTime(): Date;
  /** Calls `handler` at each such signal instead of what would happen otherwise, until cancelled. */
  onSignal(name: SignalName, handler: () => void): Cancel;
  /** Ends the process at once. */
  exit(code: number): void;
  readonly homeDir: string;
  /** Processors to use. */
  readonly parallelism: number;
  readonly version: string;
  readonly engine: Engine;
}
