/**
 * `kill -9` of the real command at moments of chance of a backup and of what is restored from it, for each kind of tree, then
 * an ordinary run. `KILLS=20 npx vitest run --project live test/live/kill-backup.test.ts` kills more often than `npm test` has
 * time for; `SEED=n` repeats the choices of an earlier run.
 */
import { randomInt } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { treeFormats } from '../../src/archive/store.ts';
import type { TreeVerifyReport } from '../../src/job.ts';
import { Random } from '../../src/sandbox/random.ts';
import { type AccountDump, compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { leftovers } from '../support/tree-check.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, runCommand, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const kills = Number(process.env.KILLS ?? 2);
/** Kills of one job, before it is finished and compared. */
const killsPerJob = 4;
const seed = Number(process.env.SEED ?? randomInt(1_000_000));
const random = new Random(seed);
/** A target on this machine is quiet sooner than the command else waits for that. */
const env = preload('quick-time.mjs');

const kinds = [...treeFormats.map((format) => [format]), ['eml', '--store-compress', 'gzip']];

describe.skipIf(!servers.dovecot)(
  `kill -9 at random moments (SEED=${seed})`,
  () => {
    let dovecot: ServerInstance;
    let before: AccountDump;
    let bytes = 0;

    beforeAll(async () => {
      dovecot = keep(await startDovecot());
      const corpus = generateCorpus({ messages: 400, maxBytes: 200_000 });
      bytes = corpus.bytes;
      await loadCorpus(accessTo(dovecot, 'owner'), corpus);
      before = await dumpAccount(accessTo(dovecot, 'owner'));
    });

    test.each(kinds)(`of a backup as %s, ${kills} times, costs no message and leaves none twice`, async (...kind) => {
      const [format = '', ...options] = kind;
      const owner = workspace.account(accessTo(dovecot, 'owner'));
      const tally = { kills: 0, jobs: 0 };
      for (; tally.kills < kills; tally.jobs++) {
        const root = join(workspace.dir, `killed-${kind.join('')}-${tally.jobs}`);
        const tree = `${format}:${root}`;
        const args = [owner, tree, ...options];
        const most = Math.min(kills, tally.kills + killsPerJob);
        while (tally.kills < most && (await killOnce(args, () => bytesBelow(root), bytes))) tally.kills++;
        const completed = await migrateIn(env, args);
        expect({ code: completed.exitCode, refused: refusals(completed.report) }, completed.stderr).toEqual({
          code: 0,
          refused: [],
        });
        const verified = await runCommand(['verify', tree, '--json']);
        expect(verified.exitCode, verified.stderr).toBe(0);
        const verdict = verified.events.find(({ event }) => event === 'tree-verified');
        expect(verdict?.report).toMatchObject({ verdict: 'intact', damages: [] });
        const report = verdict?.report as TreeVerifyReport | undefined;
        expect(report?.folders.filter(({ foreign }) => foreign > 0)).toEqual([]);
        expect(leftovers(root)).toEqual([]);
        const heir = accessTo(dovecot, `heir-${kind.join('')}-${tally.jobs}`);
        await expectRestored(tree, workspace.account(heir), workspace.stateDir());
        expect(compareDumps(before, await dumpAccount(heir), { order: false }), `job ${tally.jobs}`).toEqual([]);
      }
      process.stdout.write(`kill -9 of a backup as ${kind.join(' ')}, SEED=${seed}: ${JSON.stringify(tally)}\n`);
    });

    test.each(kinds)(`of what is restored from %s, ${kills} times, costs neither`, async (...kind) => {
      const [format = '', ...options] = kind;
      const tree = `${format}:${join(workspace.dir, `whole-${kind.join('')}`)}`;
      const saved = await migrateIn(env, [workspace.account(accessTo(dovecot, 'owner')), tree, ...options]);
      expect(saved.exitCode, saved.stderr).toBe(0);
      const tally = { kills: 0, jobs: 0 };
      for (; tally.kills < kills; tally.jobs++) {
        const heir = accessTo(dovecot, `killed-heir-${kind.join('')}-${tally.jobs}`);
        await using proxy = await FilterProxy.start(heir);
        const account = workspace.account({ ...heir, port: proxy.port });
        const stateDir = workspace.stateDir();
        const args = [tree, account, '--state', stateDir];
        const most = Math.min(kills, tally.kills + killsPerJob);
        while (tally.kills < most && (await killOnce(args, () => proxy.traffic('to-server'), bytes))) tally.kills++;
        await expectRestored(tree, account, stateDir);
        expect(compareDumps(before, await dumpAccount(heir), { order: false }), `job ${tally.jobs}`).toEqual([]);
      }
      process.stdout.write(`kill -9 of a restore from ${kind.join(' ')}, SEED=${seed}: ${JSON.stringify(tally)}\n`);
    });
  },
  3_600_000,
);

async function expectRestored(tree: string, account: string, stateDir: string): Promise<void> {
  const { exitCode, report, stderr } = await migrateIn(env, [tree, account, '--state', stateDir]);
  expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
}

/** Starts the command and kills it: after a time, or when so many bytes have arrived. False: it came to its end before. */
async function killOnce(args: readonly string[], arrived: () => number, bytes: number): Promise<boolean> {
  const kind = random.pick(['time', 'bytes', 'bytes'] as const);
  const [delayMs, wanted] = [random.below(2_500), random.below(Math.max(1, bytes - arrived()))];
  const already = arrived();
  const command = RunningCommand.start(args, env);
  const begun = performance.now();
  const isTime = {
    time: () => performance.now() - begun >= delayMs,
    bytes: () => arrived() - already >= wanted,
  }[kind];
  const watch = setInterval(() => {
    if (isTime()) command.kill('SIGKILL');
  }, 5);
  const { signal } = await command.ended.finally(() => clearInterval(watch));
  return signal === 'SIGKILL';
}

/** While others are writing: what is gone again counts for nothing. */
function bytesBelow(directory: string): number {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return stat?.size ?? 0;
  return readdirSync(directory).reduce((sum, name) => sum + bytesBelow(join(directory, name)), 0);
}
