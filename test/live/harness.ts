/** What the live tests share: the servers of this machine, account files, and the real command as a child process. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import type { FolderReport, JobReport } from '../../src/job.ts';
import type { AccountAccess } from '../support/servers/index.ts';
import { type CommandEvent, RunningCommand } from './running.ts';

/** What this machine can run. */
export function availableServers() {
  return inject('servers');
}

/** Closes everything it was given when the test file is done, last opened first. */
export function closeAfterAll(): <Resource extends AsyncDisposable>(resource: Resource) => Resource {
  const opened: AsyncDisposable[] = [];
  afterAll(async () => {
    for (const resource of opened.reverse()) await resource[Symbol.asyncDispose]();
  });
  return (resource) => {
    opened.push(resource);
    return resource;
  };
}

/** Keys of an account file. */
export type IniKeys = Readonly<Record<string, string | number>>;

/** A folder for the account files and journals of one test file. */
export class Workspace {
  readonly dir = mkdtempSync(join(inject('workDir'), 'file-'));
  #files = 0;

  /** An account file that only its owner may read: clear text, unless `keys` say otherwise. */
  account(access: AccountAccess, keys: IniKeys = {}): string {
    return this.ini({
      host: access.host,
      port: access.port,
      username: access.user,
      password: access.password,
      ssl: 'no',
      ...keys,
    });
  }

  /** An account file with exactly these keys. */
  ini(keys: IniKeys): string {
    const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}\n`);
    return this.file(`account-${++this.#files}.ini`, `[DEFAULT]\n${lines.join('')}`);
  }

  file(name: string, content: string): string {
    const file = join(this.dir, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  /** A new folder for journals. */
  stateDir(): string {
    const dir = join(this.dir, `state-${++this.#files}`);
    mkdirSync(dir);
    return dir;
  }
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed, one value per line. */
  readonly events: readonly CommandEvent[];
}

/** Environment of a command: files of `test/support` that are loaded before it, on each of its threads. */
export function preload(...files: readonly string[]): Record<string, string> {
  const imports = files.map((file) => `--import=${new URL(`../support/${file}`, import.meta.url).href}`);
  return { NODE_OPTIONS: imports.join(' ') };
}

/** Runs the built command with `input` on its standard input; rejects only when it cannot be started or does not end. */
export async function runCommand(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<CommandResult> {
  const command = RunningCommand.start(args, env, input);
  const { code } = await command.ended;
  const { stdout, stderr, events } = command;
  return { exitCode: code, stdout, stderr, events };
}

/** Runs `imap-migrate ARGS --json` and returns its report beside the rest. */
export function migrate(...args: readonly string[]): Promise<CommandResult & { readonly report: JobReport }> {
  return migrateIn({}, args);
}

/** The same with more environment. */
export async function migrateIn(
  env: Record<string, string>,
  args: readonly string[],
): Promise<CommandResult & { readonly report: JobReport }> {
  const result = await runCommand([...args, '--json'], env);
  const report = result.events.find((event) => event.event === 'finished')?.report as JobReport | undefined;
  if (report === undefined) {
    throw new Error(
      `no report, exit ${result.exitCode}:\n${result.stderr.slice(-4000)}\n${result.stdout.slice(-2000)}`,
    );
  }
  return { ...result, report };
}

/** The report of one folder, by its name at the source. */
export function folderReport(report: JobReport, source: string): FolderReport {
  const found = report.folders.find((folder) => folder.source === source);
  if (found === undefined) {
    throw new Error(`no folder ${source} in the report: ${report.folders.map((folder) => folder.source).join(', ')}`);
  }
  return found;
}

/** Everything refused, with its folder, for readable assertions. */
export function refusals(report: JobReport): string[] {
  return report.folders.flatMap((folder) =>
    folder.refused.map((refusal) => `${refusal.folder} UID ${refusal.uid}: ${refusal.code} ${refusal.message}`),
  );
}
