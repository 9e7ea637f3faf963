/** How long a target must be quiet before a message whose APPEND was not answered counts as absent; on a clock of its own. */
import { cpSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobReport } from '../src/job.ts';
import type { ArmedFault, CommandTrigger, FaultAction, NewMessage } from '../src/sandbox/index.ts';
import { ManualClock, turns } from '../src/testing/index.ts';
import { Engine, multisets, needless } from './support/engine.ts';

const settleMs = 10_000;

const message = (n: number): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

const opened: Disposable[] = [];
afterEach(() => {
  for (const it of opened.splice(0)) it[Symbol.dispose]();
});

/** An engine whose job and target live by `clock`. */
function start(clock: ManualClock, disable: readonly string[] = []): Engine {
  const engine = new Engine({
    source: { disable: needless },
    target: {
      clock,
      disable: [...needless, ...disable],
      staleStatus: true,
      selectTellsUidNext: !disable.includes('UNSELECT'),
    },
    clock,
    settleMs,
    idleMs: 40,
  });
  opened.push(engine);
  return engine;
}

/** Folders with one message each. */
function fill(engine: Engine, folders: number): void {
  for (let n = 1; n <= folders; n++) engine.source.createMailbox([`F${n}`]).append(message(n));
}

/** Leaves a journal with intents in every folder, of which nothing was stored. */
async function leaveOpen(engine: Engine, clock: ManualClock): Promise<void> {
  const fault = engine.servers.target.faults.add(
    { command: 'APPEND', times: Number.POSITIVE_INFINITY },
    { kind: 'cut', at: 'before' },
  );
  const { report } = await clock.during(engine.run({ connections: 4 }));
  expect(report.exitCode).toBe(4);
  fault.disarm();
}

describe('a target with open intents', () => {
  it('is waited for once, however many folders they are in', async () => {
    const clock = new ManualClock();
    const engine = start(clock);
    fill(engine, 3);
    await leaveOpen(engine, clock);
    const begun = clock.now();
    const { report } = await clock.during(engine.run({ connections: 1 }));
    expect(report).toMatchObject({ exitCode: 0, copied: 3 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    expect(clock.now() - begun).toBeGreaterThanOrEqual(settleMs);
    expect(clock.now() - begun).toBeLessThan(1.5 * settleMs);
  });

  it('is not waited for any longer once the run is told to stop, and stays in doubt', async () => {
    const clock = new ManualClock();
    const engine = start(clock);
    fill(engine, 2);
    await leaveOpen(engine, clock);
    const controller = new AbortController();
    engine.servers.target.faults.add({ command: 'STATUS', nth: 2 }, { kind: 'run', run: () => controller.abort() });
    const begun = clock.now();
    const stopped = await clock.during(engine.run({ connections: 1 }, { signal: controller.signal }));
    expect(stopped.report).toMatchObject({ verdict: 'stopped', copied: 0 });
    expect(clock.now() - begun).toBeLessThan(5_000);
    // It is found by content now, and would be appended again if the stop had settled anything.
    for (const n of [1, 2]) engine.target.mailbox([`F${n}`]).append(message(n));
    const { report } = await clock.during(engine.run({ connections: 1 }));
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 2 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('is not waited for without end where mail of others keeps arriving', async () => {
    const clock = new ManualClock();
    const engine = start(clock);
    fill(engine, 1);
    await leaveOpen(engine, clock);
    let foreign = 0;
    const run = () => void engine.target.mailbox(['F1']).append(message(1_000 + foreign++));
    engine.servers.target.faults.add(
      { command: 'STATUS', times: Number.POSITIVE_INFINITY },
      { kind: 'run', run, at: 'before' },
    );
    const begun = clock.now();
    const { report } = await clock.during(engine.run({ connections: 1 }));
    expect(report).toMatchObject({ exitCode: 0, copied: 1 });
    expect(clock.now() - begun).toBeGreaterThan(5 * settleMs);
    expect(clock.now() - begun).toBeLessThan(7 * settleMs);
    expect(engine.target.mailbox(['F1']).messages).toHaveLength(1 + foreign);
  });

  /** Whose connection ended: that of the run which looks, or that of a run which was killed. */
  const losses = ['this', 'a killed'] as const;
  const cases = losses.flatMap((whose) => [['UIDPLUS'], ['UNSELECT'], []].map((disable) => ({ whose, disable })));
  describe.each(cases)('of $whose run, without $disable', ({ whose, disable }) => {
    // A folder that cannot be left is opened anew to hear of news.
    const asks = disable.includes('UNSELECT') ? ['EXAMINE', 'UID FETCH'] : ['STATUS', 'EXAMINE', 'UID FETCH'];
    const moments = asks.flatMap((command, index) =>
      (index === 0 ? [1, 2, 3, 4] : [1]).map((nth) => ({ command, nth })),
    );
    it.each(moments)('may commit late, with its $command number $nth', async (moment) => {
      for (const at of ['before', 'after'] as const) await expectOneCopy(whose, disable, moment, at);
    });

    it('may commit late, while it is being looked through and that takes longer than the wait', async () => {
      await expectOneCopy(whose, disable, { command: 'UID FETCH' }, 'after', { kind: 'delay', delayMs: 9 * settleMs });
    });
  });
});

describe('a connection that fell silent', () => {
  it('may be served late, whatever becomes of the connection that looks after it', async () => {
    const clock = new ManualClock();
    const engine = start(clock);
    fill(engine, 1);
    engine.target.createMailbox(['F1']).append(message(100));
    const { faults } = engine.servers.target;
    const held = faults.add({ command: 'APPEND' }, { kind: 'stall', at: 'before' });
    const run = engine.run({ connections: 1 });
    while (held.stalled === 0) await turns(1);
    const begun = clock.now();
    const commit = () => {
      if (clock.now() - begun > 3 * settleMs) held.release();
    };
    faults.add({ command: 'STATUS', nth: 2 }, { kind: 'cut', at: 'before' });
    faults.add({ command: 'STATUS', times: Number.POSITIVE_INFINITY }, { kind: 'run', run: commit, at: 'after' });
    const { report } = await clock.during(run);
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete', alreadyThere: 1 });
    expect(engine.target.mailbox(['F1']).messages).toHaveLength(2);
  });
});

/** The target commits at this moment of being looked at; `slow`: whatever else happens then. */
async function expectOneCopy(
  whose: 'this' | 'a killed',
  disable: readonly string[],
  moment: CommandTrigger,
  at: 'before' | 'after',
  slow?: FaultAction,
): Promise<void> {
  const clock = new ManualClock();
  const engine = start(clock, disable);
  fill(engine, 1);
  // An empty folder need not be looked into.
  engine.target.createMailbox(['F1']).append(message(100));
  const { faults } = engine.servers.target;
  const held = faults.add({ command: 'APPEND' }, { kind: 'stall', at: 'before' });
  const arm = () => {
    const commits = faults.add(moment, { kind: 'run', run: () => held.release(), at });
    if (slow !== undefined) faults.add(moment, slow);
    faults.add({ command: 'APPEND' }, { kind: 'run', run: () => commits.disarm(), at: 'before' });
    return commits;
  };
  const run = engine.run({ connections: 1 });
  while (held.stalled === 0) await turns(1);
  let commits: ArmedFault;
  let report: JobReport;
  if (whose === 'this') {
    commits = arm();
    ({ report } = await clock.during(run));
  } else {
    const stateDir = await kill(engine, run, clock);
    commits = arm();
    ({ report } = await clock.during(engine.run({ connections: 1, stateDir })));
  }
  expect({ at, committed: commits.fired }).toEqual({ at, committed: 1 });
  expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
  expect(engine.target.mailbox(['F1']).messages).toHaveLength(2);
}

/** Keeps the journal as `kill -9` would leave it at this moment, and ends the run. */
async function kill(engine: Engine, run: Promise<unknown>, clock: ManualClock): Promise<string> {
  const stateDir = `${engine.stateDir}-killed`;
  opened.push({ [Symbol.dispose]: () => rmSync(stateDir, { recursive: true, force: true }) });
  cpSync(engine.stateDir, stateDir, { recursive: true });
  // What it still does must not reach the target: it is dead.
  const dead = engine.servers.target.faults.add(
    { command: '*', times: Number.POSITIVE_INFINITY },
    { kind: 'cut', at: 'before' },
  );
  expect(await clock.during(run)).toMatchObject({ report: { exitCode: 4 } });
  dead.disarm();
  return stateDir;
}
