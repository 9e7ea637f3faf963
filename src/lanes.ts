import { MessageChannel } from 'node:worker_threads';
import PQueue from 'p-queue';
import { Piscina } from 'piscina';
import { exitCodes, MigrateError } from './errors.ts';
import { laneThread } from './program-files.ts';
import { PortChannel } from './worker/channel.ts';
import type {
  Channel,
  FlagTable,
  FolderContents,
  FolderTask,
  FromLane,
  InspectTask,
  LaneFailure,
  LaneOptions,
  LaneResult,
  RemoveTask,
  StoredFlags,
  StoreFlagsTask,
  ToLane,
} from './worker/contract.ts';

/** A running lane: its end of the channel, and how it ended. `done` never rejects. */
export interface LaneHandle {
  readonly channel: Channel<ToLane, FromLane>;
  readonly done: Promise<LaneResult>;
}

/** Where lanes run: on threads, or inline in a test. */
export interface LaneHost {
  start(options: LaneOptions): LaneHandle;
  /** Ends what still runs, at once. */
  close(): Promise<void>;
}

/** Lanes one thread may carry. */
const lanesPerThread = 64;

/** A thread and how many lanes it carries. */
interface LaneThread {
  readonly pool: Piscina;
  lanes: number;
}

/** Started before anybody asked for it. */
let ahead: LaneThread | null = null;

/** Starts a thread for the next `ThreadHost`, which is loaded by the time there is one. */
export function startLaneThread(): void {
  ahead ??= startThread();
}

function takeThread(): LaneThread {
  const thread = ahead ?? startThread();
  ahead = null;
  return thread;
}

/** Lanes on worker threads: one piscina task is one lane, for its whole life. The first thread is started at once, others for lanes that need them. */
export class ThreadHost implements LaneHost {
  readonly #most: number;
  readonly #threads: LaneThread[] = [takeThread()];

  /** Up to `most` threads. */
  constructor(most: number) {
    this.#most = most;
  }

  #leastBusy(): LaneThread {
    const [least] = [...this.#threads].sort((a, b) => a.lanes - b.lanes);
    if (least !== undefined && (least.lanes === 0 || this.#threads.length >= this.#most)) return least;
    const thread = startThread();
    this.#threads.push(thread);
    return thread;
  }

  start(options: LaneOptions): LaneHandle {
    const { port1, port2 } = new MessageChannel();
    const channel = new PortChannel<ToLane, FromLane>(port1);
    // The lane closes its end after its last message; that arrives later than the task's result.
    const drained = new Promise<void>((resolve) => port1.once('close', resolve));
    const thread = this.#leastBusy();
    thread.lanes++;
    const run: Promise<LaneResult> = thread.pool.run({ options, port: port2 }, { transferList: [port2] });
    const done = run
      .finally(() => {
        thread.lanes--;
      })
      .catch((error: unknown): LaneResult => {
        port1.close();
        return { failure: threadFailure(error) };
      })
      .then(async (result) => {
        await drained;
        return result;
      });
    return { channel, done };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ pool }) => pool.destroy()));
  }
}

/** A pool of one thread: a bigger one would start all of its threads at once, or pile the lanes up on the first. */
function startThread(): LaneThread {
  const pool = new Piscina({
    filename: laneThread.href,
    minThreads: 1,
    maxThreads: 1,
    // What came from a socket is garbage soon, and lies outside the heap until the young part of that is swept.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
    concurrentTasksPerWorker: lanesPerThread,
    // The default freezes the event loop of an idle thread, and with it the sockets of its other lanes.
    atomics: 'disabled',
  });
  return { pool, lanes: 0 };
}

function threadFailure(error: unknown): LaneFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    side: null,
    scope: 'lane',
    inDoubt: true,
    error: { code: 'THREAD', exitCode: exitCodes.internal, message: `a worker thread ended: ${reason}` },
    pushedBack: null,
  };
}

/** A lane was lost before it answered. */
export class LaneLostError extends Error {
  override readonly name = 'LaneLostError';
  readonly failure: LaneFailure;
  constructor(failure: LaneFailure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

/** What the caller of a job is told: a lost lane in the words of what lost it, everything else as it is. */
export function toJobError(error: unknown): unknown {
  if (!(error instanceof LaneLostError)) return error;
  const { code, exitCode, message } = error.failure.error;
  // A server that refuses what every job begins with is as good as not there.
  return new MigrateError(code, exitCode === exitCodes.partial ? exitCodes.connect : exitCode, message);
}

const endedEarly: LaneFailure = {
  side: null,
  scope: 'lane',
  inDoubt: true,
  error: { code: 'LANE', exitCode: exitCodes.internal, message: 'a lane ended before it had answered' },
  pushedBack: null,
};

/** The main thread's view of one lane: questions with one answer, and a stream of everything else. */
export class LaneDriver {
  readonly #handle: LaneHandle;
  readonly #waiting = new Set<{
    matches: (message: FromLane) => boolean;
    resolve: (message: FromLane) => void;
    reject: (error: Error) => void;
  }>();
  #failure: LaneFailure | null = null;
  #ended = false;
  readonly ended: Promise<LaneResult>;

  constructor(handle: LaneHandle, onMessage: (message: FromLane, lane: LaneDriver) => void) {
    this.#handle = handle;
    handle.channel.onMessage((message) => {
      onMessage(message, this);
      for (const waiter of this.#waiting) {
        if (!waiter.matches(message)) continue;
        this.#waiting.delete(waiter);
        waiter.resolve(message);
      }
    });
    this.ended = handle.done.then((result) => {
      this.#ended = true;
      this.#failure = result.failure;
      for (const waiter of this.#waiting) waiter.reject(new LaneLostError(result.failure ?? endedEarly));
      this.#waiting.clear();
      return result;
    });
  }

  /** False once the lane has ended. */
  get alive(): boolean {
    return !this.#ended;
  }

  post(message: ToLane): void {
    if (this.alive) this.#handle.channel.post(message);
  }

  /** Reads a folder, or a part of it. @throws LaneLostError when that cannot be done */
  async inspect(folderId: number, task: InspectTask): Promise<FolderContents> {
    this.post({ kind: 'inspect', folderId, task });
    const answer = await this.expect(
      ['inspected', 'inspect-failed'],
      (message) => message.folderId === folderId && message.side === task.side,
    );
    if (answer.kind === 'inspect-failed') throw new LaneLostError(answer.failure);
    return answer.contents;
  }

  /** Reads flags at the source. @throws LaneLostError when that cannot be done */
  async readFlags(folderId: number, folder: FolderTask['targetName'], since: string | null): Promise<FlagTable> {
    this.post({ kind: 'read-flags', folderId, folder, since });
    const answer = await this.expect(['flags-read', 'flags-failed'], (message) => message.folderId === folderId);
    if (answer.kind === 'flags-failed') throw new LaneLostError(answer.failure);
    return answer.table;
  }

  /** Changes flags at the target. @throws LaneLostError when a connection is lost */
  async storeFlags(folderId: number, task: StoreFlagsTask): Promise<StoredFlags> {
    this.post({ kind: 'store-flags', folderId, task });
    const answer = await this.expect(['flags-stored', 'flags-failed'], (message) => message.folderId === folderId);
    if (answer.kind === 'flags-failed') throw new LaneLostError(answer.failure);
    return answer.result;
  }

  /** Deletes messages at the target, and answers how many. @throws LaneLostError when that cannot be done */
  async remove(folderId: number, task: RemoveTask): Promise<number> {
    this.post({ kind: 'remove', folderId, task });
    const answer = await this.expect(['removed', 'remove-failed'], (message) => message.folderId === folderId);
    if (answer.kind === 'remove-failed') throw new LaneLostError(answer.failure);
    return answer.removed;
  }

  /** The next message for which `matches` holds. @throws LaneLostError when the lane ends first */
  expect<Kind extends FromLane['kind']>(
    kinds: readonly Kind[],
    matches: (message: Extract<FromLane, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<FromLane, { kind: Kind }>> {
    if (this.#ended) return Promise.reject(new LaneLostError(this.#failure ?? endedEarly));
    return new Promise((resolve, reject) => {
      this.#waiting.add({
        matches: (message) =>
          (kinds as readonly string[]).includes(message.kind) && matches(message as Extract<FromLane, { kind: Kind }>),
        resolve: (message) => resolve(message as Extract<FromLane, { kind: Kind }>),
        reject,
      });
    });
  }
}

/** Gives work to whichever lane is free, the most urgent first. */
export class LanePool {
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #free: LaneDriver[] = [];
  readonly #lanes = new Set<LaneDriver>();
  /** Those that get nothing new. */
  readonly #resting = new Set<LaneDriver>();
  /** Those that work. */
  readonly #busy = new Set<LaneDriver>();
  readonly #onError: (error: unknown) => void;

  /** `onError` hears what `work` throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** A lane that is ready to work. */
  add(lane: LaneDriver): void {
    this.#lanes.add(lane);
    this.#free.push(lane);
    this.#admit();
    void lane.ended.then(() => this.#remove(lane));
  }

  #remove(lane: LaneDriver): void {
    this.#lanes.delete(lane);
    this.#resting.delete(lane);
    this.#busy.delete(lane);
    const at = this.#free.indexOf(lane);
    if (at !== -1) this.#free.splice(at, 1);
    this.#admit();
  }

  /** As much may run as there are lanes that work or may. */
  #admit(): void {
    let idle = 0;
    for (const lane of this.#resting) if (!this.#busy.has(lane)) idle++;
    if (this.#lanes.size > idle) this.#queue.concurrency = this.#lanes.size - idle;
  }

  /** Lanes alive that get work. */
  get size(): number {
    return this.#lanes.size - this.#resting.size;
  }

  /** Lets lanes rest, but one: those get nothing new that have nothing to do, and then others. */
  rest(count: number): void {
    const working = [...this.#lanes].filter((lane) => !this.#resting.has(lane));
    working.sort((a, b) => Number(this.#busy.has(a)) - Number(this.#busy.has(b)));
    for (const lane of working.slice(0, Math.min(count, working.length - 1))) {
      this.#resting.add(lane);
      const at = this.#free.indexOf(lane);
      if (at !== -1) this.#free.splice(at, 1);
    }
    this.#admit();
  }

  /** Lets lanes that rest go on; answers how many. */
  wake(count: number): number {
    const woken = [...this.#resting].slice(0, count);
    for (const lane of woken) {
      this.#resting.delete(lane);
      if (!this.#busy.has(lane)) this.#free.push(lane);
    }
    this.#admit();
    return woken.length;
  }

  /** Runs `work` with a free lane, higher `priority` first; with `null` when no lane is left. */
  run(priority: number, work: (lane: LaneDriver | null) => Promise<void>): void {
    const done = this.#queue.add(
      async () => {
        const lane = this.#free.shift() ?? null;
        if (lane !== null) this.#busy.add(lane);
        try {
          await work(lane);
        } finally {
          if (lane !== null) this.#release(lane);
        }
      },
      { priority },
    );
    done.catch((error: unknown) => this.#onError(error));
  }

  #release(lane: LaneDriver): void {
    this.#busy.delete(lane);
    if (!lane.alive) return;
    if (!this.#resting.has(lane)) this.#free.push(lane);
    this.#admit();
  }

  /** Forgets what has not begun. */
  clear(): void {
    this.#queue.clear();
  }

  /** True while something is queued or runs. */
  get isBusy(): boolean {
    return this.#queue.size + this.#queue.pending > 0;
  }

  /** Resolves when nothing is queued and nothing runs. */
  idle(): Promise<void> {
    return this.#queue.onIdle();
  }
}
