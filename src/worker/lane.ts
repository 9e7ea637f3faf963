import { type EndpointSettings, endpointLabel } from '../account.ts';
import type { Clock } from '../clock.ts';
import { exitCodes } from '../errors.ts';
import type { Side } from '../job.ts';
import type { IntendedMessages } from '../plan/message-facts.ts';
import type { BatchLimits, Shard } from '../plan/types.ts';
import { Allowance } from './allowance.ts';
import { FolderRefusesError, PushedBackError, TargetFullError } from './append-refusal.ts';
import { Backlog } from './backlog.ts';
import { Budget } from './budget.ts';
import { buffersOf } from './content-rows.ts';
import type {
  BatchReport,
  Channel,
  FolderTask,
  FromLane,
  InspectTask,
  LaneFailure,
  LaneOptions,
  LaneResult,
  Listing,
  PrepareTask,
  PushedBack,
  ToLane,
} from './contract.ts';
import { batchLimits, DateCheck, FolderCopy } from './copy.ts';
import type { Endpoint, ReadableFolder, WritableFolder } from './endpoint.ts';
import { SideError, toLaneFailure } from './failure.ts';
import { Gate } from './gate.ts';
import { LaneWindow } from './lane-window.ts';
import type { Connect } from './login.ts';
import { openEndpoint } from './open-endpoint.ts';

/** A folder of up to so many messages is listed in one answer. */
const maxListedAhead = 2_000;

/** A batch of a job that has a pace takes so long, about, but is of so many bytes at least. */
const pacedSeconds = 0.25;
const minPacedBytes = 64 * 1024;

/** What a lane needs from its surroundings; tests give it memory transports and their own time. */
export interface LaneParts {
  readonly connect: Connect;
  readonly clock: Clock;
  /** Milliseconds since 1970, only to tell old dates from new ones. */
  readonly wallClockMs: () => number;
  /** A monotonic time that is the same for all lanes of the job, in ms; default: that of `clock`. */
  readonly sharedMs?: (() => number) | undefined;
  /** Messages from this size on are streamed; default: as the line has it. What `connect` opens must offer their literals. */
  readonly oversizeBytes?: number | undefined;
}

/**
 * One lane: a source and a target connection with the work the main thread gives them. Resolves when it was told to drain
 * and everything is answered, or when a connection is lost; it never rejects for anything a server did.
 */
export function runLane(
  options: LaneOptions,
  channel: Channel<FromLane, ToLane>,
  parts: LaneParts,
): Promise<LaneResult> {
  return new Lane(options, channel, parts).run();
}

class Lane {
  readonly #options: LaneOptions;
  readonly #channel: Channel<FromLane, ToLane>;
  readonly #parts: LaneParts;
  readonly #window: LaneWindow;
  readonly #budgets = { bytes: new Budget(0), ahead: new Budget(0), appends: new Budget(0) };
  readonly #backlog = new Backlog(
    () => this.#window.bytes,
    (folderId) => this.#channel.post({ kind: 'room', folderId }),
  );
  /** Folders are read one after the other, as long as nothing is wrong with their messages. */
  #reading: Promise<void> = Promise.resolve();
  readonly #dateCheck: DateCheck;
  readonly #awaitedShards = new Map<number, (shard: Shard | null) => void>();
  readonly #allowance: Allowance | null;
  /** Ends what is waited for because of the pace. */
  readonly #resting = new Set<() => void>();
  /** Sides that were asked to compress. */
  readonly #compressed = new Set<Side>();
  readonly #awaitedIntents = new Map<number, (durable: boolean) => void>();
  readonly #awaitedLeave = new Map<number, (goOn: boolean) => void>();
  readonly #gates: Record<Side, Gate> = { source: new Gate(), target: new Gate() };
  #tokens = 0;
  /** The target takes a batch before it has answered the last one. */
  #pipelines = false;
  readonly #unfinished = new Set<Promise<void>>();
  readonly #inbox: ToLane[] = [];
  #wake: (() => void) | null = null;
  #draining = false;
  #failure: LaneFailure | null = null;

  constructor(options: LaneOptions, channel: Channel<FromLane, ToLane>, parts: LaneParts) {
    this.#options = options;
    this.#channel = channel;
    this.#parts = parts;
    this.#window = new LaneWindow(parts.clock);
    const { pace } = options;
    this.#allowance = pace === undefined ? null : new Allowance(pace, parts.sharedMs ?? (() => parts.clock.now()));
    const warn = (message: string) => channel.post({ kind: 'warning', message });
    this.#dateCheck = new DateCheck(parts.wallClockMs, { looked: !options.isFirst, warn });
  }

  async run(): Promise<LaneResult> {
    this.#channel.onMessage((message) => this.#receive(message));
    const opened = await this.#open();
    if (opened === null) return { failure: this.#failure };
    const { source, target } = opened;
    source.onSlowDown = (why, words) => this.#channel.post({ kind: 'slow-down', side: 'source', why, words });
    if (target !== null)
      target.onSlowDown = (why, words) => this.#channel.post({ kind: 'slow-down', side: 'target', why, words });
    try {
      if (this.#options.compress === 'on') await Promise.all([source.compress(), target?.compress()]);
      this.#channel.post({ kind: 'ready' });
      for (let message = await this.#next(); message !== null; message = await this.#next()) {
        await this.#obey(message, source, target);
      }
      while (this.#unfinished.size > 0) await Promise.all(this.#unfinished);
    } finally {
      await Promise.all([source[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
    }
    return { failure: this.#failure };
  }

  /** Dials both sides at once. */
  async #open(): Promise<{ source: Endpoint; target: Endpoint | null } | null> {
    const { source, target } = this.#options;
    const { clock } = this.#parts;
    const readOnly = this.#options.readOnly === true;
    const pace = this.#options.pace?.bytesPerSecond == null ? null : this.#allowance;
    const connect: Connect = (account, clock) => this.#parts.connect(account, clock, pace ?? undefined);
    const [first, second] = await Promise.allSettled([
      openEndpoint('source', source, connect, clock, { readOnly }),
      target === null ? null : openEndpoint('target', target, connect, clock, { readOnly }),
    ]);
    if (first.status === 'fulfilled' && second.status === 'fulfilled')
      return { source: first.value, target: second.value };
    for (const side of [first, second]) {
      if (side.status === 'rejected') this.#failure ??= toLaneFailure(side.reason, null);
      else await side.value?.[Symbol.asyncDispose]();
    }
    return null;
  }

  #receive(message: ToLane): void {
    if (message.kind === 'drain') {
      this.#draining = true;
      this.#letGo();
    } else if (message.kind === 'shard') {
      const resolve = this.#awaitedShards.get(message.folderId);
      this.#awaitedShards.delete(message.folderId);
      resolve?.(message.shard);
      return;
    } else if (message.kind === 'durable') {
      this.#awaitedIntents.get(message.token)?.(true);
      this.#awaitedIntents.delete(message.token);
      return;
    } else if (message.kind === 'go-on') {
      this.#awaitedLeave.get(message.token)?.(message.goOn);
      this.#awaitedLeave.delete(message.token);
      return;
    } else if (message.kind === 'hold') {
      if (!message.held) this.#gates[message.side].release();
      else if (!this.#isEnding) this.#gates[message.side].hold();
      return;
    } else if (message.kind === 'leave') {
      this.#lose({ side: null, scope: 'lane', inDoubt: false, error: message.error, pushedBack: null });
      return;
    } else {
      this.#inbox.push(message);
    }
    this.#wake?.();
  }

  get #isEnding(): boolean {
    return this.#failure !== null || this.#draining;
  }

  /** The next thing to do; `null`: drain, or a connection is gone. */
  async #next(): Promise<ToLane | null> {
    while (true) {
      if (this.#isEnding) return null;
      const message = this.#inbox.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  async #obey(message: ToLane, source: Endpoint, target: Endpoint | null): Promise<void> {
    try {
      switch (message.kind) {
        case 'list': {
          const [atSource, atTarget] = await Promise.all([
            this.#on('source', listingOf(source)),
            this.#on('target', target === null ? null : listingOf(target)),
          ]);
          this.#channel.post({ kind: 'listed', source: atSource, target: atTarget });
          return;
        }
        case 'prepare':
          this.#track(this.#prepare(message.tasks, target));
          return;
        case 'folder':
          if (target !== null) this.#track(this.#copyFolder(message.task, source, target));
          return;
        case 'inspect':
          await this.#inspect(message.folderId, message.task, message.task.side === 'source' ? source : target);
          return;
        case 'read-flags':
        case 'store-flags':
          await this.#flags(message, source, target);
          return;
        case 'remove':
          await this.#remove(message, target);
          return;
        case 'report':
          this.#channel.post({
            kind: 'reported',
            report: await this.#on('source', source.report()),
          });
          return;
        case 'status':
          if (target !== null) await this.#status(message, target);
          return;
        case 'shard':
        case 'durable':
        case 'go-on':
        case 'hold':
        case 'leave':
        case 'drain':
          return;
        default:
          message satisfies never;
      }
    } catch (error) {
      this.#lose(toLaneFailure(error, null));
    }
  }

  /** Something that goes on while other messages are obeyed. */
  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#lose(toLaneFailure(error, null)))
      .finally(() => this.#unfinished.delete(tracked));
    this.#unfinished.add(tracked);
  }

  async #prepare(tasks: readonly PrepareTask[], target: Endpoint | null): Promise<void> {
    const results = await this.#on('target', target?.prepare(tasks) ?? []);
    this.#channel.post({ kind: 'prepared', results });
  }

  /** The same work, whose errors say on which side it went wrong. */
  async #on<T>(side: Side, work: T | Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new SideError(side, this.#account(side), error);
    }
  }

  /** Copies a folder. Others may be begun meanwhile, as the backlog says. Never throws. */
  async #copyFolder(task: FolderTask, source: Endpoint, target: Endpoint): Promise<void> {
    const { folderId } = task;
    // A lane does not work twice on a folder it shares with others.
    const expectedBytes = task.shared ? Number.POSITIVE_INFINITY : (task.expected?.bytes ?? Number.POSITIVE_INFINITY);
    this.#measure(source, target);
    // As long as nobody knows whether folders can be left and found again as they were, one is opened after the other.
    this.#backlog.take(folderId, task.keepsUids ? expectedBytes : Number.POSITIVE_INFINITY);
    let side: Side = 'source';
    let copy: FolderCopy | null = null;
    try {
      const [reading, writing] = await Promise.allSettled([
        source.openForReading({ raw: task.sourceRawName }, listFromOf(task)),
        target.openForWriting(task.targetName),
      ]);
      if (reading.status === 'rejected') throw reading.reason;
      side = 'target';
      if (writing.status === 'rejected') throw writing.reason;
      const reader = reading.value;
      const writer = writing.value;
      const { keepsUids } = reader;
      this.#backlog.expect(folderId, keepsUids ? expectedBytes : Number.POSITIVE_INFINITY);
      if (task.singly) writer.distrustBatches();
      this.#pipelines = writer.pipelines;
      this.#measure(source, target);
      this.#channel.post({ kind: 'opened', folderId, source: reader.facts, target: writer.facts, keepsUids });
      copy = this.#startCopy(task, { reader, writer }, { source, target });
      // Its list is on the way; whose turn it is to be read is another matter.
      const listed = task.scan ? this.#scan(task, reader, copy) : null;
      await this.#inTurn(copy);
      if (keepsUids) this.#backlog.done(folderId);
      await Promise.all([listed, copy.sent()]);
      this.#backlog.done(folderId);
      await copy.finished();
      // What ends the job ends this folder as it is; what ends the lane leaves the rest of it to another one.
      const lost = copy.cutShort && this.#failure?.scope === 'lane' ? this.#failure : null;
      const failure = lost === null ? null : { ...lost, inDoubt: copy.inDoubt };
      this.#channel.post({ kind: 'folder-finished', folderId, failure });
    } catch (error) {
      this.#folderFailed(folderId, error, side, copy?.inDoubt ?? false);
    } finally {
      this.#backlog.done(folderId);
    }
  }

  /** Sets the budgets by how far the servers are and how fast they take what they are given. */
  #measure(source: Endpoint, target: Endpoint): void {
    this.#window.measure({
      sourceMs: source.roundTripMs,
      targetMs: target.roundTripMs,
      streams: target.abilities.nonSyncLiterals === 'all',
    });
    this.#budgets.bytes.limit = this.#window.bytes;
    this.#budgets.ahead.limit = this.#window.ahead;
    this.#budgets.appends.limit = this.#pipelines ? this.#window.unanswered : 1;
  }

  /** With `auto`: as soon as the line has shown to be slow. Where messages are counted out, that is no line's doing. */
  #compress(source: Endpoint, target: Endpoint): void {
    if (this.#options.compress !== 'auto' || (this.#options.pace?.messagesPerSecond ?? null) !== null) return;
    const pays = this.#window.paysToCompress;
    // Each is asked once: a server that refuses is left alone.
    for (const [side, endpoint] of [
      ['source', source],
      ['target', target],
    ] as const) {
      if (!pays[side] || this.#compressed.has(side)) continue;
      this.#compressed.add(side);
      this.#track(endpoint.compress().then(() => {}));
    }
  }

  #startCopy(
    task: FolderTask,
    folder: { readonly reader: ReadableFolder; readonly writer: WritableFolder },
    { source, target }: { readonly source: Endpoint; readonly target: Endpoint },
  ): FolderCopy {
    const { folderId, copiedBefore } = task;
    const { reader, writer } = folder;
    const port = {
      nextShard: () => this.#nextShard(folderId),
      intend: (batches: readonly IntendedMessages[]) => this.#intend(folderId, batches),
      report: (report: BatchReport) => this.#channel.post({ kind: 'batch', folderId, report }),
      stored: (bytes: number) => {
        this.#window.stored(bytes);
        this.#measure(source, target);
        this.#compress(source, target);
      },
      sourceError: (error: unknown) => new SideError('source', this.#options.source, error),
      recreateTarget: () => this.#recreate(task, target),
      passed: (side: Side) => this.#gates[side].passed(),
      pushedBack: (side: Side, pushedBack: PushedBack, tries: number) => this.#putOff(side, pushedBack, tries),
      asked: (bytes: number) => this.#backlog.asked(folderId, bytes),
      dateCheck: this.#dateCheck,
      isDraining: () => this.#isEnding,
      batchLimits: this.#batchLimits,
      keepsManifest: this.#options.keepsManifest ?? false,
      rest: (messages: number) => this.#rest(messages),
      oversizeBytes: () => this.#parts.oversizeBytes ?? this.#window.oversizeBytes,
    };
    return new FolderCopy(reader, writer, port, this.#budgets, copiedBefore);
  }

  /** Of a job that has a pace, a batch is no more than what may be moved in a while. */
  get #batchLimits(): BatchLimits {
    const { bytesPerSecond, messagesPerSecond } = this.#options.pace ?? {
      bytesPerSecond: null,
      messagesPerSecond: null,
    };
    const { maxMessages, maxBytes } = batchLimits;
    return {
      maxMessages: messagesPerSecond === null ? maxMessages : clamp(messagesPerSecond * pacedSeconds, 1, maxMessages),
      maxBytes: bytesPerSecond === null ? maxBytes : clamp(bytesPerSecond * pacedSeconds, minPacedBytes, maxBytes),
    };
  }

  /** Resolves when so many messages may be sent, or the lane is ending. */
  async #rest(messages: number): Promise<void> {
    const ms = this.#allowance?.messages(messages) ?? 0;
    if (ms <= 0 || this.#draining || this.#failure !== null) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        this.#resting.delete(end);
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      this.#resting.add(end);
    });
  }

  /** Has a copy ask for its messages when those before it have asked for theirs. */
  async #inTurn(copy: FolderCopy): Promise<void> {
    const turn = this.#reading.then(() => copy.ask());
    this.#reading = turn;
    await turn;
  }

  /** Lists the folder for the main thread. Never throws: a list that breaks off ends the copy. */
  async #scan({ folderId, listedBefore }: FolderTask, reader: ReadableFolder, copy: FolderCopy): Promise<void> {
    try {
      for await (const { uids, sizes } of reader.scan(listedBefore)) {
        if (this.#draining) break;
        this.#channel.post({ kind: 'table', folderId, uids, sizes, last: false, unlisted: 0, unchanged: 0 });
      }
    } catch (error) {
      copy.abort(new SideError('source', this.#options.source, error));
      this.#awaitedShards.get(folderId)?.(null);
      this.#awaitedShards.delete(folderId);
      return;
    }
    const unlisted = reader.unlisted();
    const { unchanged } = reader;
    this.#channel.post({
      kind: 'table',
      folderId,
      uids: new Uint32Array(),
      sizes: new Uint32Array(),
      last: true,
      unlisted,
      unchanged,
    });
  }

  #nextShard(folderId: number): Promise<Shard | null> {
    if (this.#isEnding) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#awaitedShards.set(folderId, resolve);
      this.#channel.post({ kind: 'want', folderId });
    });
  }

  #intend(folderId: number, intended: readonly IntendedMessages[]): Promise<boolean> {
    const batches = intended.filter(({ uids }) => uids.length > 0);
    if (batches.length === 0) return Promise.resolve(true);
    if (this.#failure !== null) return Promise.resolve(false);
    const token = ++this.#tokens;
    return new Promise((resolve) => {
      this.#awaitedIntents.set(token, resolve);
      this.#channel.post({ kind: 'intents', folderId, token, batches });
    });
  }

  /** Asks when what was pushed back may be tried again; resolves then, or with false. */
  #putOff(side: Side, pushedBack: PushedBack, tries: number): Promise<boolean> {
    if (this.#isEnding) return Promise.resolve(false);
    const token = ++this.#tokens;
    return new Promise((resolve) => {
      this.#awaitedLeave.set(token, resolve);
      this.#channel.post({ kind: 'pushed-back', token, side, pushedBack, tries });
    });
  }

  async #recreate(task: FolderTask, target: Endpoint): Promise<boolean> {
    if (!('unicode' in task.targetName)) return false;
    const prepare = {
      folderId: task.folderId,
      targetName: task.targetName.unicode,
      create: true,
      specialUse: null,
      subscribe: false,
    };
    const [result] = await target.prepare([prepare]);
    return result?.failure === null;
  }

  async #inspect(folderId: number, task: InspectTask, endpoint: Endpoint | null): Promise<void> {
    const { side } = task;
    try {
      if (endpoint === null) return;
      const reader = await endpoint.openForReading(task.folder, null);
      const contents = await reader.inspect(task, () => this.#draining);
      this.#channel.post({ kind: 'inspected', folderId, side, contents }, buffersOf(contents));
    } catch (error) {
      const failure = toLaneFailure(error, { side, account: this.#account(side) });
      this.#channel.post({ kind: 'inspect-failed', folderId, side, failure });
      if (failure.scope !== 'folder') this.#lose(failure);
    }
  }

  async #status({ folderId, folder }: Extract<ToLane, { kind: 'status' }>, target: Endpoint): Promise<void> {
    try {
      this.#channel.post({ kind: 'status', folderId, facts: await target.statusOf(folder) });
    } catch (error) {
      const failure = toLaneFailure(error, { side: 'target', account: this.#account('target') });
      this.#channel.post({ kind: 'status-failed', folderId, failure });
      if (failure.scope !== 'folder') this.#lose(failure);
    }
  }

  async #flags(
    message: Extract<ToLane, { kind: 'read-flags' | 'store-flags' }>,
    source: Endpoint,
    target: Endpoint | null,
  ): Promise<void> {
    const { folderId } = message;
    const side = message.kind === 'read-flags' ? 'source' : 'target';
    try {
      if (message.kind === 'read-flags') {
        const table = await source.readFlags(message.folder, message.since);
        this.#channel.post({ kind: 'flags-read', folderId, table });
      } else {
        const result = (await target?.storeFlags(message.task)) ?? { refusal: null, changed: 0, lost: [] };
        this.#channel.post({ kind: 'flags-stored', folderId, result });
      }
    } catch (error) {
      const failure = toLaneFailure(error, { side, account: this.#account(side) });
      this.#channel.post({ kind: 'flags-failed', folderId, failure });
      if (failure.scope !== 'folder') this.#lose(failure);
    }
  }

  async #remove({ folderId, task }: Extract<ToLane, { kind: 'remove' }>, target: Endpoint | null): Promise<void> {
    try {
      const removed = (await target?.remove?.(task)) ?? 0;
      this.#channel.post({ kind: 'removed', folderId, removed });
    } catch (error) {
      const failure = toLaneFailure(error, { side: 'target', account: this.#account('target') });
      this.#channel.post({ kind: 'remove-failed', folderId, failure });
      if (failure.scope !== 'folder') this.#lose(failure);
    }
  }

  #account(side: Side): EndpointSettings {
    return side === 'target' && this.#options.target !== null ? this.#options.target : this.#options.source;
  }

  #folderFailed(folderId: number, error: unknown, side: Side, inDoubt = false): void {
    const failure = { ...this.#describe(error, side), inDoubt };
    this.#channel.post({ kind: 'folder-finished', folderId, failure });
    if (failure.scope !== 'folder') this.#lose(failure);
  }

  #describe(error: unknown, side: Side): LaneFailure {
    const account = this.#account(side);
    if (error instanceof TargetFullError) {
      const message = `target ${endpointLabel(account)}: the account is full: ${error.message}; free or buy space, then run again`;
      return {
        side: 'target',
        scope: 'job',
        inDoubt: false,
        error: { code: 'QUOTA', exitCode: exitCodes.quota, message },
        pushedBack: null,
      };
    }
    if (error instanceof PushedBackError) {
      const message = `target ${endpointLabel(account)}: ${error.message}`;
      const wire = { code: 'NO', exitCode: exitCodes.connect, message };
      return { side: 'target', scope: 'lane', inDoubt: false, error: wire, pushedBack: error.pushedBack };
    }
    if (error instanceof FolderRefusesError) {
      return {
        side: 'target',
        scope: 'folder',
        inDoubt: false,
        error: { code: error.code, exitCode: exitCodes.partial, message: error.message },
        pushedBack: null,
      };
    }
    return toLaneFailure(error, { side, account });
  }

  #lose(failure: LaneFailure): void {
    this.#failure ??= failure;
    this.#letGo();
    this.#wake?.();
  }

  /** Nothing more is waited for: no shard comes any more, and what is not durable yet is not sent. */
  #letGo(): void {
    for (const resolve of this.#awaitedShards.values()) resolve(null);
    this.#awaitedShards.clear();
    for (const resolve of this.#awaitedIntents.values()) resolve(false);
    this.#awaitedIntents.clear();
    for (const end of this.#resting) end();
    for (const resolve of this.#awaitedLeave.values()) resolve(false);
    this.#awaitedLeave.clear();
    for (const gate of Object.values(this.#gates)) gate.release();
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.floor(value)));
}

/** Everything there is to ask about an account, at once. */
async function listingOf(endpoint: Endpoint): Promise<Listing> {
  const [facts, folders, quotas] = await Promise.all([endpoint.facts, endpoint.listFolders(), endpoint.quotas()]);
  return { facts, folders, quotas };
}

/** The first UID of the list that is asked for along with the folder; `null`: it is too long for one answer. */
function listFromOf({ scan, listedBefore, expected }: FolderTask): number | null {
  if (!scan) return null;
  if (listedBefore !== null) return listedBefore.uidNext;
  const messages = expected?.messages ?? 0;
  // In an empty folder there is nothing to list, and some servers say BAD to it.
  return messages > 0 && messages <= maxListedAhead ? 1 : null;
}
