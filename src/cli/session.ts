/**
 * One run of the command: where its words, events and log lines go.
 */
import type { AccountSettings } from '../account.ts';
import { toDisplay } from '../display.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import type { JobEvent, JobPlan, Progress, Refusal } from '../job.ts';
import { createRedact, type Log, openLog, type Redact, redactData, silentLog } from '../log.ts';
import { type CliEvent, writeEventLine } from './event-lines.ts';
import { formatNoun } from './format.ts';
import type { CliIo } from './io.ts';
import { maxListed, moreLine } from './listing.ts';
import type { OptionValues } from './options.ts';
import { planProblems } from './plan-summary.ts';
import { ProgressBars } from './progress-bars.ts';
import { ProgressLines, plainView } from './progress-lines.ts';
import { type ProgressView, progressSentence, waitingSentence } from './progress-view.ts';
import { createStyle, type Style } from './style.ts';
import { wrapWords } from './width.ts';

export type OutputOptions = Pick<OptionValues, 'json' | 'progress' | 'quiet' | 'verbose' | 'log'>;

const lineEveryMs = { auto: 30_000, always: 5_000 } as const;

/**
 * Text for people goes to stderr, but for the reports of `check`, `plan`, `verify` and `status`, which are what was asked
 * for and go to stdout. With `--json` stdout belongs to the events and every text goes to stderr.
 */
export class Session {
  readonly io: CliIo;
  readonly options: OutputOptions;
  /** For stderr. */
  readonly style: Style;
  #log: Log = silentLog;
  #redact: Redact = (text) => text;
  readonly #secretsOf: AccountSettings[] = [];
  #view: ProgressView;
  #progress: Progress | null = null;
  #plan: JobPlan | null = null;
  #closed = false;
  readonly #told = new Set<string>();

  constructor(io: CliIo, options: OutputOptions) {
    this.io = io;
    this.options = options;
    this.style = createStyle(io.stderr, io.env);
    this.#view = plainView(io.stderr);
  }

  /** Opens the log file, where one is asked for. Throws ConfigError. */
  async openLog(): Promise<void> {
    if (this.options.log === undefined) return;
    this.#log = await openLog(this.options.log, {
      debug: this.options.verbose,
      redact: (text) => this.#redact(text),
      onFailure: (error) => this.problem(`the log file takes no more lines: ${error.message}`),
    });
  }

  /** From now on this account's secret is taken out of everything that servers and errors say. */
  keepSecret(account: AccountSettings): void {
    this.#secretsOf.push(account);
    this.#redact = createRedact(this.#secretsOf);
  }

  /** The plan that the job announced; `null`: none yet. */
  get plan(): JobPlan | null {
    return this.#plan;
  }

  /** Columns a report may fill; `null` where nobody looks at a screen. */
  get reportColumns(): number | null {
    const stream = this.#reportStream;
    return stream.isTTY === true ? (stream.columns ?? 80) : null;
  }

  /** The style of reports, which may go to another stream than the rest. */
  get reportStyle(): Style {
    return createStyle(this.#reportStream, this.io.env);
  }

  get #reportStream() {
    return this.options.json ? this.io.stderr : this.io.stdout;
  }

  /** Begins to show progress; `endProgress` takes it away. */
  beginProgress(): void {
    const { progress, quiet, json } = this.options;
    const { stderr, stdout, env, clock } = this.io;
    if (progress === 'never' || (quiet && progress === 'auto')) return;
    const bars = stderr.isTTY === true && env.TERM !== 'dumb' && !(json && stdout.isTTY === true);
    this.#view = bars
      ? new ProgressBars(stderr, this.style)
      : new ProgressLines({
          stream: stderr,
          clock,
          everyMs: lineEveryMs[progress],
          always: progress === 'always',
        });
  }

  endProgress(): void {
    this.#view.stop();
    this.#view = plainView(this.io.stderr);
  }

  /** Says something that a quiet run leaves out. The text must have gone through `toDisplay` where it is not ours. */
  notice(...lines: string[]): void {
    if (!this.options.quiet) this.#view.print(lines);
  }

  /** Says something that must not be missed. */
  problem(...lines: string[]): void {
    this.#view.print(lines.map((line) => this.style.yellow(line)));
  }

  /** Says the outcome: the one line that stays when all else has scrolled away. */
  verdict(line: string, mood: 'good' | 'warning' | 'bad'): void {
    if (mood === 'good' && this.options.quiet) return;
    const { style } = this;
    const paint = mood === 'good' ? style.green : mood === 'warning' ? style.yellow : style.red;
    this.#view.print(this.#wrap(`${style.symbols[mood]}${line}`).map((part) => style.bold(paint(part))));
  }

  /** Prints a report that was asked for. */
  report(lines: readonly string[]): void {
    if (this.options.quiet) return;
    for (const line of lines) this.#reportStream.write(`${line}\n`);
  }

  /** Takes the server's words through redaction: for reports that the engine returns. */
  clean<Data>(data: Data): Data {
    return redactData(data, this.#redact);
  }

  /** An event of the job: to stdout as JSON, to the log, and in words where a person should hear of it now. */
  readonly onEvent = (raw: JobEvent): void => {
    const event = this.clean(raw);
    this.emit(event);
    switch (event.kind) {
      case 'connected':
        // Its warnings follow as events of their own.
        this.notice(`${event.side}: ${toDisplay(event.account)} (${toDisplay(event.server)})`);
        return;
      case 'planned':
        this.#planned(event.plan);
        return;
      case 'progress':
        this.#progress = event.progress;
        this.#view.update(event.progress);
        return;
      case 'connections':
        if (this.options.verbose)
          this.notice(`${formatNoun(event.connections, 'connection')} to each side: ${toDisplay(event.reason)}`);
        return;
      case 'waiting':
        this.problem(waitingSentence(event.waiting));
        return;
      case 'resumed':
        if (this.options.verbose) this.notice('going on');
        return;
      case 'refused':
        if (this.options.verbose) this.problem(`refused: ${describeRefusal(event.refusal)}`);
        return;
      case 'warning':
        this.#warn(event.message, event.folder === null ? event.message : `${event.folder}: ${event.message}`);
        return;
      case 'folder-started':
        if (this.options.verbose)
          this.notice(`${toDisplay(event.folder)}: ${formatNoun(event.messages, 'message')} to copy`);
        return;
      case 'folder-finished': {
        const { report } = event;
        if (this.options.verbose) {
          this.notice(`${toDisplay(report.source)}: done, ${formatNoun(report.copied, 'message')} copied`);
        }
        return;
      }
      case 'finished':
        return;
      default:
        event satisfies never;
    }
  };

  #planned(plan: JobPlan): void {
    this.#plan = plan;
    const { notes } = planProblems(plan);
    this.notice(...notes.slice(0, maxListed), ...moreLine(notes.length - maxListed, this.options.json));
  }

  /** To stdout as JSON where asked for, and to the log. */
  emit(event: JobEvent | CliEvent): void {
    if (this.options.json) writeEventLine(this.io, event);
    const { kind, ...fields } = event;
    if (kind === 'progress') this.#log.debug(fields, kind);
    else if (kind === 'error') this.#log.error(fields, kind);
    else if (kind === 'refused' || kind === 'warning' || kind === 'waiting') this.#log.warn(fields, kind);
    else this.#log.info(fields, kind);
  }

  /** Tells the warnings that were not told while the job ran. */
  remindOf(warnings: readonly string[]): void {
    for (const warning of warnings) this.#warn(warning);
  }

  /** One line with where the job stands; for SIGUSR1, whatever `--quiet` says. */
  status(): void {
    const state = this.#progress === null ? 'nothing copied yet' : progressSentence(this.#progress);
    this.#view.print([`status: ${state}`]);
  }

  /** Says in one line why a command ends early, and returns its exit code. */
  fail(error: unknown): number {
    this.endProgress();
    const known = error instanceof MigrateError;
    const exitCode = known ? error.exitCode : exitCodes.internal;
    const code = known ? error.code : 'INTERNAL';
    const own = this.#redact(error instanceof Error ? error.message : String(error));
    const message = known ? own : `internal error: ${own} (a fault of this program: please report it)`;
    this.emit({ kind: 'error', code, exitCode, message });
    const lines = this.#wrap(`imap-migrate: ${toDisplay(message)}`);
    if (!known && this.options.verbose && error instanceof Error && error.stack !== undefined) {
      lines.push(...this.#redact(error.stack).split('\n').map(toDisplay));
    }
    this.#view.print(lines.map((line) => this.style.red(line)));
    return exitCode;
  }

  /** Ends the run: the last event, and everything is in the log. */
  close(exitCode: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.endProgress();
    this.emit({ kind: 'exit', exitCode });
    this.#log.close();
    this.#log = silentLog;
  }

  /** A sentence, broken between words where a screen would break it anywhere. */
  #wrap(sentence: string): string[] {
    const { isTTY, columns = 80 } = this.io.stderr;
    return isTTY === true ? wrapWords(sentence.split(' '), columns) : [sentence];
  }

  #warn(warning: string, line = warning): void {
    if (this.#told.has(line)) return;
    this.#told.add(warning).add(line);
    this.problem(...this.#wrap(`warning: ${toDisplay(line)}`));
  }
}

/** `INBOX, UID 77 (1.2 MB): NO over quota`, printable. */
export function describeRefusal(refusal: Refusal): string {
  const subject = refusal.subject === null ? '' : ` "${refusal.subject}"`;
  const where =
    refusal.uid === null ? `${refusal.folder} (the whole folder)` : `${refusal.folder}, UID ${refusal.uid}${subject}`;
  return toDisplay(`${where}: ${refusal.code}${refusal.message === '' ? '' : ` ${refusal.message}`}`);
}
