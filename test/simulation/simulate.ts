import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { migrate } from '../../src/coordinator.ts';
// Loaded beforehand: what is loaded while time is simulated comes at any moment of it.
import '../../src/journal/service.ts';
import 'mailparser';
import { MigrateError } from '../../src/errors.ts';
import type { JobEvent, JobReport } from '../../src/job.ts';
import { type FaultPoint, Random } from '../../src/sandbox/index.ts';
import { InlineHost } from '../support/inline-host.ts';
import type { Disturbance, Moment } from './disturbance.ts';
import { checkEnd, checkRepeat, checkRun, takeStock, Violation } from './invariants.ts';
import { type Defect, SimulatedProcess } from './process.ts';
import type { Scenario } from './scenario.ts';
import { EndlessError, Scheduler } from './scheduler.ts';
import { World } from './world.ts';

/** What a run may take that meets every fault at once, and one that meets none. */
const disturbedLimits = { steps: 400_000, virtualMs: 3 * 3_600_000 };
const calmLimits = { steps: 400_000, virtualMs: 600_000 };
/** Between the end of a run and the begin of the next; shorter than any time in which a server may go on storing. */
const betweenRunsMs = 500;
const calmRetries = 4;
/** A run that was told to stop is out by then (milliseconds). */
const stopMs = 5_000;

/** How one act ended. */
export interface ActOutcome {
  /** `null`: it could not begin, or its process was killed. */
  readonly report: JobReport | null;
  readonly error: Error | null;
  readonly killed: boolean;
  readonly events: readonly JobEvent[];
  /** Simulated time between the request to stop and the end; `null`: there was none. */
  readonly stoppedWithinMs: number | null;
}

/** How a scenario ended. */
export interface Outcome {
  /** Over everything that happened, in order. */
  readonly trace: string;
  readonly violation: Violation | null;
  readonly steps: number;
  readonly virtualMs: number;
  /** What became of each act, in a word. */
  readonly acts: readonly string[];
  /** Faults that struck. */
  readonly struck: number;
}

/** Plays a scenario from its first run to its last. `defect` makes every process of it defective. */
export async function simulate(scenario: Scenario, defect: Defect = null): Promise<Outcome> {
  const trace = createHash('sha256');
  const scheduler = new Scheduler(new Random(scenario.seed ^ 0x5eed), (stream, now) =>
    trace.update(`${stream} ${now}\n`),
  );
  using world = new World(scenario, scheduler);
  const play = new Play(scenario, scheduler, world, trace, defect);
  let violation: Violation | null = null;
  try {
    await play.all();
  } catch (error) {
    violation = toViolation(error);
  }
  trace.update(JSON.stringify(play.words));
  const { steps, clock } = scheduler;
  const { servers } = world.engine;
  const struck = servers.source.faults.log.length + servers.target.faults.log.length;
  return { trace: trace.digest('hex'), violation, steps, virtualMs: clock.now(), acts: play.words, struck };
}

function toViolation(error: unknown): Violation {
  if (error instanceof Violation) return error;
  if (error instanceof EndlessError) return new Violation(6, error.message);
  return new Violation(0, error instanceof Error ? (error.stack ?? error.message) : String(error));
}

class Play {
  readonly words: string[] = [];
  readonly #scenario: Scenario;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #trace: Hash;
  readonly #defect: Defect;
  /** What the program itself leaves to chance. */
  readonly #chance: Random;
  #stateDir: string;

  constructor(scenario: Scenario, scheduler: Scheduler, world: World, trace: Hash, defect: Defect) {
    this.#scenario = scenario;
    this.#scheduler = scheduler;
    this.#world = world;
    this.#trace = trace;
    this.#defect = defect;
    this.#chance = new Random(scenario.seed ^ 0xc0ffee);
    this.#stateDir = `${world.engine.stateDir}/0`;
    mkdirSync(this.#stateDir, { mode: 0o700 });
  }

  async all(): Promise<void> {
    const { acts, disturbances } = this.#scenario;
    for (let act = 0; act < acts; act++) {
      await this.#act(
        act,
        disturbances.filter((each) => each.act === act),
      );
    }
    let calm = await this.#act(acts, []);
    // Where every look at a folder gives other UIDs, what takes two looks may have to be done again, and says so.
    for (let more = 0; more < calmRetries && this.#isToBeRepeated(calm); more++) calm = await this.#act(acts, []);
    checkEnd(this.#world, this.#scenario, calm);
    const before = takeStock(this.#world);
    this.#world.engine.commands('target');
    const again = await this.#act(acts + 1, []);
    checkRepeat(this.#world, calm, again, before);
  }

  #isToBeRepeated({ report }: ActOutcome): boolean {
    const refused = report?.folders.flatMap((folder) => folder.refused) ?? [];
    return this.#scenario.target.uidNotSticky && refused.some(({ code }) => code === 'UIDVALIDITY');
  }

  async #act(act: number, disturbances: readonly Disturbance[]): Promise<ActOutcome> {
    const world = this.#world;
    const { engine } = world;
    for (const each of disturbances) if (each.kind === 'change' && each.when === null) world.apply(each.change);
    const imageDir = `${engine.stateDir}/${act + 1}`;
    const kill = disturbances.find((each) => each.kind === 'kill' && 'commit' in each);
    const full = disturbances.find((each) => each.kind === 'disk-full');
    const process = new SimulatedProcess(
      this.#stateDir,
      imageDir,
      {
        killAt: kill !== undefined && 'mode' in kill ? kill : null,
        fullAt: full !== undefined && full.kind === 'disk-full' ? full.commit : null,
      },
      this.#defect,
    );
    const controller = new AbortController();
    const clock = this.#scheduler.clock;
    const { connections, order, oversizeBytes } = this.#scenario;
    const host = new InlineHost(
      process.connector((name) => world.dial(name), oversizeBytes),
      clock,
      { schedule: () => this.#scheduler.stream(), ...(oversizeBytes === null ? {} : { oversizeBytes }) },
    );
    let stoppedAt: number | null = null;
    const stop = () => {
      stoppedAt ??= clock.now();
      controller.abort();
    };
    const disarm = this.#arm(disturbances, process, host, stop);
    world.isIntended = (body) => process.isIntended(body);
    const before = takeStock(world);
    const events: JobEvent[] = [];
    const job = migrate(
      engine.settings({ connections, order, stateDir: this.#stateDir }),
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.kind !== 'progress') events.push(event);
        },
      },
      {
        host,
        clock,
        random: () => this.#chance.next(),
        openJournal: process.openJournal,
      },
    );
    let report: JobReport | null = null;
    let error: Error | null = null;
    try {
      report = await this.#scheduler.until(job, disturbances.length > 0 ? disturbedLimits : calmLimits);
    } catch (reason) {
      if (reason instanceof EndlessError || !(reason instanceof Error)) throw reason;
      error = reason;
    }
    const endedAt = clock.now();
    disarm();
    await this.#settleServers();
    for (const server of Object.values(engine.servers)) {
      for (const { connection, line } of server.commandLog) this.#trace.update(`${connection} ${line}\n`);
    }
    const outcome: ActOutcome = {
      report: process.dead ? null : report,
      error: process.dead ? null : error,
      killed: process.dead,
      events,
      stoppedWithinMs: stoppedAt === null ? null : endedAt - stoppedAt,
    };
    this.words.push(wordOf(outcome));
    checkRun(world, outcome, before, { stopMs, isDisturbed: disturbances.length > 0 });
    if (process.dead) {
      rmSync(this.#stateDir, { recursive: true });
      this.#stateDir = imageDir;
    }
    return outcome;
  }

  /** A moment later: logouts have arrived, and nobody counts connections that nobody holds. */
  async #settleServers(): Promise<void> {
    const { clock } = this.#scheduler;
    const pause = new Promise<void>((resolve) => void clock.after(betweenRunsMs, resolve));
    await this.#scheduler.until(pause, calmLimits);
    for (const account of [this.#world.engine.source, this.#world.engine.target]) account.connections = 0;
  }

  /** Arms what strikes while the run runs; answers what disarms it. What is stalled stays so. */
  #arm(
    disturbances: readonly Disturbance[],
    process: SimulatedProcess,
    host: InlineHost,
    stop: () => void,
  ): () => void {
    const { servers } = this.#world.engine;
    const armed = disturbances.flatMap((each) => {
      switch (each.kind) {
        case 'fault':
          return [servers[each.side].faults.add(each.trigger, each.action)];
        case 'kill':
          return 'when' in each ? this.#at(each.when, () => process.die()) : [];
        case 'stop':
          return this.#at(each.when, stop);
        case 'lane-dies':
          return this.#at(each.when, () => host.kill(each.lane));
        case 'change':
          return each.when === null ? [] : this.#at(each.when, () => this.#world.apply(each.change));
        case 'disk-full':
          return [];
        default:
          throw new RangeError(`no such disturbance: ${each satisfies never}`);
      }
    });
    return () => {
      for (const fault of armed) fault.disarm();
    };
  }

  #at(moment: Moment, run: () => void): { disarm(): void }[] {
    if ('step' in moment) {
      const cancel = this.#scheduler.atStep(this.#scheduler.steps + moment.step, run);
      return [{ disarm: cancel }];
    }
    const { side, command, nth, at } = moment;
    return [
      this.#world.engine.servers[side].faults.add({ command, nth }, { kind: 'run', run, at: at satisfies FaultPoint }),
    ];
  }
}

function wordOf({ report, error, killed }: ActOutcome): string {
  if (killed) return 'killed';
  if (report !== null) return `${report.verdict} ${report.exitCode}`;
  return error instanceof MigrateError ? `${error.code} ${error.exitCode}` : `threw ${error?.message}`;
}
