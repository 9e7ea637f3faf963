import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Answer, Command, LiteralReceiver, Untagged } from './command.ts';
import { Encoder, type NonSyncLiterals } from './encoder.ts';
import {
  AuthenticationError,
  ByeError,
  CommandError,
  ConnectionClosedError,
  LimitError,
  ProtocolError,
  TlsError,
} from './errors.ts';
import { type Failure, FailureReport, sameFailure } from './failure.ts';
import { type FetchData, parseFetch } from './fetch-data.ts';
import type { Frame } from './frame.ts';
import { Framer } from './framer.ts';
import { checkFirstBytes, type Greeting, noImap, parseGreeting } from './greeting.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Limits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { PendingCommand } from './pending-command.ts';
import { pendingItem } from './pending-item.ts';
import { Redactor } from './redaction.ts';
import { type DataResponse, parseResponse, type Response } from './response.ts';
import { describeGroup, type TraceLine, Tracer } from './trace.ts';
import type { Clock, StatusWord, Transport } from './types.ts';
import { Wire } from './wire.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Longest silence while an answer is owed. */
  readonly idleMs: number;
  readonly limits: Limits;
  readonly trace?: ((line: TraceLine) => void) | undefined;
  /** What the server allows at the moment a command is written. */
  readonly nonSyncLiterals: () => NonSyncLiterals;
  /** Untagged responses of nobody's command. */
  readonly onUnsolicited: (response: Untagged) => void;
  readonly onUnsolicitedFetch: (data: FetchData) => void;
  /** A command was answered with OK. */
  readonly onCompleted?: ((ok: Answer) => void) | undefined;
  /** The connection has ended; called once. */
  readonly onEnd?: ((error: Error) => void) | undefined;
}

/**
 * One session's wire: numbers and sends commands, routes answers to them, and ends as a whole when anything is out of
 * step. Every command ends exactly once, with its result or an error.
 */
export class Connection {
  /** Everything said to people about this connection goes through it. */
  readonly redactor = new Redactor();
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #report: FailureReport;
  readonly #tracer: Tracer | null;
  readonly #watch: IdleWatch;
  readonly #outbox: Outbox;
  #framer: Framer;
  /** The chunk being read, and those that arrived meanwhile. */
  readonly #chunks: Buffer[] = [];
  readonly #tagPrefix = randomTagPrefix();
  #tagCount = 0;
  #waitsForGreeting: { resolve(greeting: Greeting): void; reject(error: Error): void } | null = null;
  #heardAnything = false;
  #roundTripMs = Number.POSITIVE_INFINITY;
  /** STARTTLS was agreed and TLS is not up yet. */
  #upgrading = false;
  #failure: Failure | null = null;

  constructor(transport: Transport, options: ConnectionOptions) {
    this.#wire = new Wire(transport, options.limits);
    this.#options = options;
    this.#report = new FailureReport(transport.description, this.redactor);
    this.#tracer = options.trace === undefined ? null : new Tracer(options.trace, options.clock, this.redactor);
    this.#watch = new IdleWatch(options.clock, options.idleMs, () => this.#onSilence());
    this.#outbox = new Outbox({
      write: (parts, bytes) => this.#write(parts, bytes),
      onGroup: (pending) => this.#onGroup(pending),
      onStarved: () => this.#watch.pause('source'),
    });
    this.#framer = this.#newFramer();
  }

  get secure(): boolean {
    return this.#wire.secure;
  }

  get closed(): boolean {
    return this.#failure !== null;
  }

  get compressed(): boolean {
    return this.#wire.compressed;
  }

  /** The stream below, where there is one. */
  get stream(): Duplex | null {
    return this.#wire.stream;
  }

  /** Shortest time from a command's last bytes to its answer so far, in ms: hardly more than a round trip. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** A secret is being exchanged: only a barrier does that, so it is the oldest and only command. */
  get #isSecret(): boolean {
    return this.#outbox.unanswered[0]?.command.secret === true;
  }

  /**
   * Starts listening; called once. The caller bounds the wait by `close`.
   * @throws ConnectError when no IMAP server answers, ByeError when it answers with BYE.
   */
  start(): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      this.#waitsForGreeting = { resolve, reject };
      this.#wire.start({
        onData: (chunk) => this.#onChunk(chunk),
        onDrain: () => this.#onDrain(),
        onRest: (rests) => (rests ? this.#watch.pause('pace') : this.#watch.resume('pace')),
        onClose: (error) => this.#fail(this.#report.lost(error, this.#waitsForGreeting === null)),
      });
    });
  }

  /**
   * Sends a command when its turn comes and resolves with its result.
   * @throws UsageError before a byte is sent when it cannot be written; CommandError when the server refuses it; the
   *   error that ended the connection, with `outcomeUnknown` set where the command may have been executed.
   */
  execute<Result>(command: Command<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#failure !== null) {
        const cause = this.#failure(false);
        return reject(new ConnectionClosedError(`${this.#wire.description}: the connection is closed`, { cause }));
      }
      const tag = `${this.#tagPrefix}${++this.#tagCount}`;
      const encoder = new Encoder({ nonSyncLiterals: this.#options.nonSyncLiterals() });
      command.write(encoder);
      const others = [...this.#outbox.unanswered];
      const pending = new PendingCommand(command, tag, encoder.finish(tag), resolve, reject);
      for (const source of pending.sources()) {
        // A literal that was announced and cannot be sent leaves no way to go on.
        source.listen({ onReady: () => this.#outbox.pump(), onFailure: (error) => this.close(error) });
      }
      this.#outbox.add(pending);
      for (const other of others) other.command.giveWay?.();
    });
  }

  /** Says a line, given without CRLF, in the dialogue of the one command that has the line for itself. */
  say(line: string): void {
    if (this.#failure !== null) return;
    this.#tracer?.sent(line);
    this.#sendLine(Buffer.from(line, 'latin1'));
  }

  /**
   * Executes STARTTLS and runs the handshake.
   * @throws TlsError when bytes arrive between the server's OK and the handshake, and when TLS fails: the connection is
   *   then closed; CommandError when the server refuses.
   */
  async startTls(command: Command<void>): Promise<void> {
    await this.execute(command);
    try {
      await this.#wire.upgrade();
    } catch (cause) {
      const error = cause instanceof TlsError ? cause : new TlsError(this.#report.describe(cause), { cause });
      this.#fail(sameFailure(error));
      throw error;
    }
    this.#tracer?.note('TLS is up');
    this.#framer = this.#newFramer();
    this.#upgrading = false;
    this.#outbox.release();
  }

  /** Stops reading: answers stay in the system's buffers, and when those are full the server has to wait. */
  pause(): void {
    this.#watch.pause('reader');
    this.#wire.pause();
  }

  resume(): void {
    this.#watch.resume('reader');
    this.#wire.resume();
  }

  /**
   * Sends a last command without waiting for its answer, and ends the stream behind it. False: that cannot be now, and
   * nothing was done.
   */
  leave(command: Command<void>): boolean {
    // What is compressed leaves later.
    if (this.closed || !this.#outbox.isIdle || this.#wire.compressed) return false;
    // Whatever becomes of it, the connection is over.
    this.execute(command).catch(() => {});
    this.#fail(this.#report.closedHere(), { gently: true });
    return true;
  }

  /** Ends at once. Whatever waits fails with a ConnectionClosedError, or with `error` itself before the greeting. */
  close(error?: Error): void {
    const greets = this.#waitsForGreeting !== null && error !== undefined;
    this.#fail(greets ? sameFailure(error) : this.#report.closedHere(error));
  }

  // -- Receiving ------------------------------------------------------------------------------------------------------

  #newFramer(): Framer {
    return new Framer((frame) => this.#onFrame(frame), {
      limits: this.#options.limits,
      literalSink: (size, frame) => this.#chooseSink(size, frame),
      // A trace shows lines as they came.
      onFetch: this.#tracer === null ? (data) => this.#onFetch(data) : undefined,
    });
  }

  /** A transport may answer a write at once, in the middle of reading: what arrives then is read afterwards. */
  #onChunk(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#chunks.length > 1) return;
    for (let next: Buffer | undefined = chunk; next !== undefined; next = this.#chunks[0]) {
      this.#read(next);
      this.#chunks.shift();
    }
  }

  #read(chunk: Buffer): void {
    if (this.#failure !== null) return;
    this.#watch.heard();
    try {
      if (this.#upgrading) throw this.#report.injection()(false);
      if (!this.#heardAnything) checkFirstBytes(chunk, this.#wire.description);
      this.#heardAnything = true;
      this.#framer.push(chunk);
    } catch (error) {
      const greeted = this.#waitsForGreeting === null;
      this.#fail(this.#report.unreadable(error, { greeted, secret: this.#isSecret }));
    }
  }

  #onFrame(frame: Frame): void {
    // A frame behind the one that ended the connection.
    if (this.#failure !== null) return;
    this.#tracer?.received(frame, this.#isSecret);
    const response = parseResponse(frame);
    if (this.#waitsForGreeting !== null) {
      const greeting = parseGreeting(response, this.#wire.description);
      this.#waitsForGreeting.resolve(greeting);
      this.#waitsForGreeting = null;
      return;
    }
    switch (response.kind) {
      case 'data':
        if (response.name === 'FETCH' && response.number !== null) {
          this.#onFetch(parseFetch(response.number, response.lexer));
        } else {
          this.#route(response, frame);
        }
        break;
      case 'tagged':
        this.#onTagged(response);
        break;
      case 'status':
        if (response.status === 'BYE') this.#onBye(response);
        else this.#route({ ...response, ...this.#redact(response) }, frame);
        break;
      case 'continuation':
        this.#onContinuation(response.text);
        break;
      default:
        response satisfies never;
    }
  }

  /** A big literal begins: somebody may want it as it comes. */
  #chooseSink(size: number, frame: Frame): LiteralReceiver | null {
    const item = this.#outbox.unanswered.some(({ command }) => command.acceptLiteral) ? pendingItem(frame) : null;
    if (item === null) return null;
    const response = parseResponse(frame);
    if (response.kind !== 'data' || response.name !== 'FETCH' || response.number === null) return null;
    const data = parseFetch(response.number, response.lexer);
    for (const command of this.#fetching()) {
      const receiver = command.acceptLiteral?.(data, item, size);
      if (receiver != null) return receiver;
    }
    return null;
  }

  /** Unanswered commands that FETCH data may belong to, oldest first: what one folder still owes is no other folder's. */
  *#fetching(): Generator<Command<unknown>, void, void> {
    let owed = false;
    for (const { command } of this.#outbox.unanswered) {
      const leaves = command.pipelining === 'selects';
      if (leaves && owed) return;
      yield command;
      if (leaves) return;
      owed ||= command.pipelining !== 'free';
    }
  }

  /** Hot: once per message. The same walk as `#fetching`, without an object for each. */
  #onFetch(data: FetchData): void {
    if (this.#failure !== null) return;
    if (this.#waitsForGreeting !== null) throw noImap(this.#wire.description);
    const { unanswered } = this.#outbox;
    let owed = false;
    for (let at = 0; at < unanswered.length; at++) {
      const { command } = unanswered[at] as PendingCommand;
      const leaves = command.pipelining === 'selects';
      // What the folder before still owes is no other folder's.
      if (leaves && owed) break;
      if (command.acceptFetch?.(data) === true) return;
      if (leaves) break;
      owed ||= command.pipelining !== 'free';
    }
    this.#options.onUnsolicitedFetch(data);
  }

  /**
   * Offers a response to the unanswered commands, oldest first, but not to those of a folder the server has yet to turn to.
   * Each gets a cursor of its own: it may read and decline.
   */
  #route(response: Untagged, frame: Frame): void {
    const again = () => (response.kind === 'data' ? (parseResponse(frame) as DataResponse) : response);
    let offered: Untagged | null = response;
    let owed = false;
    let isElsewhere = false;
    for (const pending of this.#outbox.unanswered) {
      const { command, tag } = pending;
      if (command.pipelining !== 'free') {
        const leaves = command.pipelining === 'selects';
        if (isElsewhere || (leaves && owed)) {
          isElsewhere = true;
          continue;
        }
        owed = true;
        isElsewhere = leaves;
      }
      if (command.accept === undefined) continue;
      if (command.accept(offered ?? again(), tag)) {
        const { maxResponses } = this.#options.limits;
        if (++pending.responses <= maxResponses) return;
        throw new LimitError(`the answer to ${command.name} has more than ${maxResponses} parts`);
      }
      offered = null;
    }
    this.#options.onUnsolicited(offered ?? again());
  }

  #onTagged(response: Extract<Response, { kind: 'tagged' }>): void {
    const pending = this.#outbox.take(response.tag, response.status === 'OK');
    this.#roundTripMs = Math.min(this.#roundTripMs, this.#options.clock.now() - pending.groupBegunAtMs);
    this.#settle(pending, response.status, response);
    if (this.#outbox.unanswered.length === 0) this.#watch.stop();
    this.#outbox.pump();
  }

  #settle({ command, resolve, reject }: PendingCommand, status: StatusWord, answer: Answer): void {
    if (status !== 'OK') {
      const refused = { status, ...this.#redact(answer) };
      reject(command.refuse?.(refused) ?? new CommandError(command.name, refused));
      return;
    }
    try {
      if (command.endsPlainText === true) this.#expectTls();
      if (command.startsCompression === true) this.#compress();
      resolve(command.finish(answer) as never);
      this.#options.onCompleted?.(this.#redact(answer));
    } catch (error) {
      // Answers that do not add up: the command fails with what is wrong, and the session with it.
      const failure = this.#report.unreadable(error, { greeted: true, secret: command.secret === true });
      reject(error instanceof AuthenticationError ? error : failure(false));
      this.#fail(failure);
    }
  }

  #expectTls(): void {
    this.#upgrading = true;
    this.#outbox.hold();
    if (this.#framer.takeRest().length > 0) throw this.#report.injection()(false);
  }

  /** RFC 4978 3: the very next byte after the OK is compressed. */
  #compress(): void {
    this.#wire.compress(this.#framer.takeRest(), (error) => {
      this.#fail(this.#report.unreadable(error, { greeted: true, secret: this.#isSecret }));
    });
    this.#tracer?.note('compression is up');
  }

  #onContinuation(text: string): void {
    if (this.#outbox.continue()) return;
    // Only a barrier holds a dialogue, so it is the oldest and only one.
    const line = this.#outbox.unanswered[0]?.command.proceed?.(text);
    if (line === undefined) throw new ProtocolError('the server asked for more where there is no more');
    if (line === null) {
      // From now on the server owes nothing: what it tells it tells when it happens.
      this.#watch.stop();
      return;
    }
    this.#tracer?.sent('***');
    this.#sendLine(line);
  }

  #sendLine(line: Buffer): void {
    if (!this.#write([Buffer.concat([line, crlf])], line.length + crlf.length)) this.#outbox.hold();
  }

  #onBye(response: Answer): void {
    if (this.#outbox.unanswered.some(({ command }) => command.expectsBye === true)) return;
    const bye = this.#redact(response);
    this.#fail((outcomeUnknown) => new ByeError(bye, { outcomeUnknown }));
  }

  // -- Sending --------------------------------------------------------------------------------------------------------

  #write(parts: readonly Buffer[], bytes: number): boolean {
    this.#watch.start();
    this.#watch.resume('source');
    this.#watch.sent(bytes);
    return this.#wire.write(parts);
  }

  #onDrain(): void {
    if (this.#failure !== null || this.#upgrading) return;
    this.#watch.sent(0);
    this.#outbox.release();
  }

  #onGroup(pending: PendingCommand): void {
    pending.groupBegunAtMs = this.#options.clock.now();
    if (this.#tracer === null) return;
    const { command, tag, groups, group } = pending;
    const hidden = group === 0 ? `${tag} ${command.name} ***` : '***';
    this.#tracer.sent(command.secret === true ? hidden : describeGroup(groups, group));
  }

  // -- Ending ---------------------------------------------------------------------------------------------------------

  #onSilence(): void {
    const commands = this.#outbox.unanswered.map(({ command }) => command.name);
    this.#fail(this.#report.silence(this.#options.idleMs, commands));
  }

  /** Ends the connection; the first reason counts. `gently`: what was written still leaves. */
  #fail(failure: Failure, options: { readonly gently?: boolean } = {}): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#watch.stop();
    this.#tracer?.note(this.#report.describe(failure(false)));
    if (options.gently === true) this.#wire.end();
    else this.#wire.close();
    this.#waitsForGreeting?.reject(failure(false));
    this.#waitsForGreeting = null;
    for (const pending of this.#outbox.clear()) {
      for (const source of pending.sources()) source.release();
      pending.reject(failure(pending.mayHaveTakenEffect));
    }
    this.#options.onEnd?.(failure(false));
  }

  #redact(answer: Answer): Answer {
    const { code, text } = answer;
    const redact = (words: string) => this.redactor.redact(words);
    return { code: code === null ? null : { ...code, text: redact(code.text) }, text: redact(text) };
  }
}

const crlf = Buffer.from('\r\n');

/** Nobody who has not seen this session can name its tags. */
function randomTagPrefix(): string {
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}
