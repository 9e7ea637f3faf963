/**
 * The real command between Dovecots, through faults of chance. Whatever happens, a run ends in time and tells the truth, and
 * runs that follow complete the work: nothing lost, nothing twice. `npm test` runs a few plans that stay the same; `PLANS=200`
 * runs so many from `SEED` on (default: a seed of chance); a plan that fails names its seed, and `SEED=n` alone repeats it.
 */
import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JobReport } from '../../src/job.ts';
import { type AccountDump, compareDumps, dumpAccount } from '../support/compare.ts';
import { type CorpusOptions, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { type FaultPlan, faultPlan, type JobTraffic } from '../support/fault-plan.ts';
import { FilterProxy, type ProxyFault } from '../support/proxy.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, preload, runCommand, Workspace } from './harness.ts';

const keep = closeAfterAll();
const workspace = new Workspace();

/** Each of these has found something once. */
const usualSeeds = [19, 25, 30, 1015, 1037];
const { SEED, PLANS } = process.env;
const firstSeed = Number(SEED ?? randomInt(1_000_000));
const isUsual = SEED === undefined && PLANS === undefined;
const seeds = isUsual ? usualSeeds : Array.from({ length: Number(PLANS ?? 1) }, (_, index) => firstSeed + index);
/** They mostly wait. */
const atOnce = 5;

/** Small ones: a silent server is given a second more for every 32 kB that it may not have had yet. */
const corpusOptions: CorpusOptions = { messages: 300, maxBytes: 1_500, odd: false };
/** Longest silence of a server, in seconds. */
const timeout = 2;
/** Longest time of one run: some connections fall silent one after the other, and each time quiet is waited for. */
const patienceMs = 60_000;
/** How a run may end: done, partial, no connection, no login, over quota. */
const honestCodes = [0, 3, 4, 5, 6];

describe.skipIf(!availableServers().dovecot)(`faults of chance (SEED=${seeds[0]} …)`, () => {
  let dovecot: ServerInstance;
  let from: AccountAccess;
  let before: AccountDump;
  let traffic: JobTraffic;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    from = accessTo(dovecot, 'chance');
    await loadCorpus(from, generateCorpus(corpusOptions));
    before = await dumpAccount(from);
    traffic = await measure();
  });

  /** The command between two proxies. */
  async function open(user: string, plan: FaultPlan) {
    const { tls, connections } = plan;
    const upstream = { host: dovecot.host, port: tls ? (dovecot.tlsPort ?? 0) : dovecot.port };
    const through = (faults: readonly ProxyFault[], without: FaultPlan['without']) =>
      FilterProxy.start(upstream, { faults, without, opaque: tls });
    const [source, target] = [await through(plan.source, []), await through(plan.target, plan.without)];
    const keys = tls ? { timeout, ssl: 'yes', ssl_ca_file: dovecot.caFile ?? '' } : { timeout };
    const files = [
      workspace.account({ ...from, port: source.port }, keys),
      workspace.account({ ...accessTo(dovecot, user), port: target.port }, keys),
    ];
    const args = [...files, '--state', workspace.stateDir(), '--connections', connections, '--json'];
    const run = () => runCommand(args, preload('quick-time.mjs'));
    return { source, target, run };
  }

  async function measure(): Promise<JobTraffic> {
    const { source, target, run } = await open('measured', {
      connections: '2',
      without: [],
      tls: false,
      source: [],
      target: [],
    });
    expect((await run()).exitCode).toBe(0);
    const bytes = (proxy: FilterProxy) => ({
      'to-server': proxy.traffic('to-server'),
      'to-client': proxy.traffic('to-client'),
    });
    const measured = { source: bytes(source), target: bytes(target) };
    await Promise.all([source.stop(), target.stop()]);
    return measured;
  }

  async function survive(seed: number): Promise<{ readonly struck: number; readonly runs: number }> {
    const plan = faultPlan(seed, traffic);
    const { source, target, run } = await open(`chance-${seed}`, plan);
    try {
      let there = 0;
      const faults = plan.source.length + plan.target.length;
      for (let runs = 1; ; runs++) {
        const begun = performance.now();
        const { exitCode, events, stderr } = await run();
        const tookMs = performance.now() - begun;
        const story = JSON.stringify({ seed, runs, plan, source: source.struck, target: target.struck, stderr });
        const after = await dumpAccount(accessTo(dovecot, `chance-${seed}`));
        const report = events.find(({ event }) => event === 'finished')?.report as JobReport | undefined;
        expect(tookMs, story).toBeLessThan(patienceMs);
        expect(honestCodes, story).toContain(exitCode);
        expectTruth(before, after, { exitCode, report, there, story });
        there = count(after);
        if (exitCode === 0) return { struck: source.struck.length + target.struck.length, runs };
        expect(runs, `it is never done: ${story}`).toBeLessThanOrEqual(faults);
      }
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  }

  test(`in ${seeds.length} plans: every run ends in time and tells the truth, nothing is lost or doubled`, async () => {
    const waiting = [...seeds];
    const failed: unknown[] = [];
    let [struck, runs] = [0, 0];
    const work = async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        try {
          const survived = await survive(seed);
          struck += survived.struck;
          runs += survived.runs;
        } catch (error) {
          process.stdout.write(`failed: SEED=${seed}: ${error}\n`);
          failed.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    process.stdout.write(`SEED=${seeds[0]} …: ${seeds.length} plans, ${struck} faults struck, ${runs} runs\n`);
    expect(failed).toEqual([]);
    expect(struck).toBeGreaterThanOrEqual(seeds.length === 1 ? 0 : seeds.length);
  }, 3_600_000);
});

interface Told {
  readonly exitCode: number | null;
  /** `undefined`: the job could not begin. */
  readonly report: JobReport | undefined;
  /** Messages at the target before the run. */
  readonly there: number;
  readonly story: string;
}

/** What a run said about itself agrees with what is at the target. */
function expectTruth(before: AccountDump, after: AccountDump, { exitCode, report, there, story }: Told): void {
  const differences = compareDumps(before, after, { order: false });
  // Nothing is there that should not be, and nothing twice; a folder may not have been made yet.
  expect(
    differences.filter((it) => /only on the right/.test(it) && !/^[^:]+: only on the right$/.test(it)),
    story,
  ).toEqual([]);
  if (exitCode === 0) expect(differences, story).toEqual([]);
  if (report === undefined) {
    expect([4, 5], story).toContain(exitCode);
    expect(count(after), story).toBe(there);
    return;
  }
  expect(report.exitCode, story).toBe(exitCode);
  expect(report.verdict === 'complete', story).toBe(exitCode === 0);
  // What counts as copied is there; what is there and not counted was in doubt, and the run said that it failed.
  const arrived = count(after) - there;
  expect(report.copied, story).toBeLessThanOrEqual(arrived);
  if (exitCode === 0) expect(report.copied + report.alreadyThere, story).toBe(count(before));
  const named = report.folders.flatMap(({ refused }) => refused);
  if (exitCode === 3) expect(named, story).not.toEqual([]);
  // Where single messages are refused and nothing else, they are those that are not there.
  if (exitCode === 3 && named.every(({ uid, code }) => uid !== null && code !== 'FLAGS')) {
    expect(count(before) - count(after), story).toBe(named.length);
  }
}

function count(dump: AccountDump): number {
  return [...dump.values()].reduce((sum, messages) => sum + messages.length, 0);
}
