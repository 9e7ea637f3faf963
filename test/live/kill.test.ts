/**
 * `kill -9` of the real command at moments of chance, again and again, then an ordinary run. `KILLS=30 npx vitest run
 * --project live test/live/kill.test.ts` kills more often than `npm test` has time for, and lets the command wait for a quiet
 * target as long as it does in earnest; `SEED=n` repeats the moments of an earlier run.
 */
import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readJournalStatus } from '../../src/journal-status.ts';
import { Random } from '../../src/sandbox/random.ts';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { type CorpusOptions, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import {
  type AccountAccess,
  accessTo,
  type ServerInstance,
  startCourier,
  startDovecot,
} from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const isLong = process.env.KILLS !== undefined;
const kills = isLong
  ? { dovecot: Number(process.env.KILLS), courier: Math.ceil(Number(process.env.KILLS) / 3) }
  : { dovecot: 4, courier: 2 };
/** Kills of one job, before it is finished and compared. */
const killsPerJob = 5;
const seed = Number(process.env.SEED ?? randomInt(1_000_000));
const random = new Random(seed);
const env = isLong ? {} : preload('quick-time.mjs');

interface Tally {
  kills: number;
  /** Kills that left messages behind of which nobody knew whether they were stored. */
  withOpenIntents: number;
  jobs: number;
}

describe.skipIf(!servers.dovecot)(
  `kill -9 at random moments (SEED=${seed})`,
  () => {
    let dovecot: ServerInstance;

    beforeAll(async () => {
      dovecot = keep(await startDovecot());
    });

    test(`${kills.dovecot} times on the way to Dovecot costs neither a message nor a double`, async () => {
      const source = accessTo(dovecot, 'killed-source');
      const targets = (job: number) => accessTo(dovecot, `killed-target-${job}`);
      await killJobs({ source, targets, times: kills.dovecot, corpus: { messages: 1_000, maxBytes: 200_000 } });
    });

    test.skipIf(servers.courierRoot === null)(
      `${kills.courier} times on the way to Courier, which commits early, costs neither`,
      async () => {
        const source = accessTo(dovecot, 'killed-plain');
        const targets = async () => accessTo(keep(await startCourier(servers.courierRoot ?? '')));
        const without = ['bare CR', 'CR before the line end'] as const;
        const corpus = { messages: 300, maxBytes: 30_000, emojiFolder: false, without };
        await killJobs({ source, targets, times: kills.courier, corpus, canonical: true });
      },
    );
  },
  3_600_000,
);

interface Killing {
  readonly source: AccountAccess;
  /** A new account for each job. */
  targets(job: number): AccountAccess | Promise<AccountAccess>;
  readonly times: number;
  readonly corpus: CorpusOptions;
  /** Bodies are compared with the line ends that every server has. */
  readonly canonical?: boolean;
}

/** Runs jobs and kills them until that has been done often enough; each is finished in the end and compared. */
async function killJobs({ source, targets, times, corpus: options, canonical = false }: Killing): Promise<void> {
  const corpus = generateCorpus(options);
  await loadCorpus(source, corpus);
  const before = await dumpAccount(source, { canonical });
  const tally: Tally = { kills: 0, withOpenIntents: 0, jobs: 0 };
  const begun = performance.now();
  while (tally.kills < times) {
    const target = await targets(++tally.jobs);
    await using proxy = await FilterProxy.start(target);
    const stateDir = workspace.stateDir();
    const there = workspace.account({ ...target, port: proxy.port });
    const args = [workspace.account(source), there, '--state', stateDir];
    const most = Math.min(times, tally.kills + killsPerJob);
    while (tally.kills < most && (await killOnce(args, proxy, corpus.bytes - proxy.traffic('to-server')))) {
      tally.kills++;
      const [journal] = await readJournalStatus(stateDir);
      if (journal?.kind === 'readable' && journal.intents > 0) tally.withOpenIntents++;
    }
    const { exitCode, report, stderr } = await migrateIn(env, args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    const after = await dumpAccount(target, { canonical });
    expect(compareDumps(before, after, { order: false }), `SEED=${seed}, job ${tally.jobs}`).toEqual([]);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  process.stdout.write(`kill -9, SEED=${seed}: ${JSON.stringify(tally)} in ${seconds} s\n`);
}

/**
 * Starts the command and kills it: after a time, with one of its commands to the target, or when so many bytes have gone
 * there. False: it came to its end before that.
 */
async function killOnce(args: readonly string[], proxy: FilterProxy, bytesLeft: number): Promise<boolean> {
  const kind = random.pick(['time', 'command', 'bytes', 'bytes'] as const);
  const [delayMs, commands, bytes] = [random.below(1_500), random.below(40), random.below(Math.max(1, bytesLeft))];
  const [sent, asked] = [proxy.traffic('to-server'), proxy.commands().length];
  const command = RunningCommand.start(args, env);
  const begun = performance.now();
  const isTime = {
    time: () => performance.now() - begun >= delayMs,
    command: () => proxy.commands().length - asked > commands,
    bytes: () => proxy.traffic('to-server') - sent >= bytes,
  }[kind];
  const watch = setInterval(() => {
    if (isTime()) command.kill('SIGKILL');
  }, 1);
  const { signal } = await command.ended.finally(() => clearInterval(watch));
  return signal === 'SIGKILL';
}
