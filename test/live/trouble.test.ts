/** Trouble on the machine of the real command: a disk that gets full, one that cannot be written, a clock that jumps. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, type TestContext, test } from 'vitest';
import { treeFormats } from '../../src/archive/store.ts';
import { type AccountDump, compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { leftovers } from '../support/tree-check.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, runCommand, Workspace } from './harness.ts';

const keep = closeAfterAll();
const workspace = new Workspace();
const corpus = generateCorpus({ messages: 1_200, maxBytes: 2_000, odd: false });

describe.skipIf(!availableServers().dovecot)('a job', () => {
  let dovecot: ServerInstance;
  let from: AccountAccess;
  let before: AccountDump;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    from = accessTo(dovecot, 'troubled');
    await loadCorpus(from, corpus);
    before = await dumpAccount(from);
  });

  async function open(user: string) {
    const to = accessTo(dovecot, user);
    const target = keep(await FilterProxy.start(dovecot));
    const files = [workspace.account(from), workspace.account({ ...to, port: target.port })];
    const differences = async () => compareDumps(before, await dumpAccount(to), { order: false });
    return { to, target, differences, argsIn: (stateDir: string) => [...files, '--state', stateDir] };
  }

  test('whose disk gets full at one moment or another sends nothing more, says so, and goes on when there is room', async (context) => {
    const copied = [];
    for (const kilobytes of [200, 280]) {
      const disk = mountDisk(context, `size=${kilobytes}k`);
      const { to, argsIn, differences } = await open(`full-${kilobytes}`);
      const stateDir = join(disk, 'state');
      const full = await runCommand([...argsIn(stateDir), '--json']);
      expect(full.exitCode, full.stderr).toBe(10);
      expect(full.stderr).toMatch(/full|room|--state DIR/);
      const there = [...(await dumpAccount(to)).values()].flat().length;
      copied.push(there);
      expect(there).toBeLessThan(corpus.messages);
      remount(disk, 'size=32m');
      const { exitCode, report, stderr } = await migrateIn(preload('quick-time.mjs'), argsIn(stateDir));
      expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
      expect(await differences()).toEqual([]);
    }
    // Not only before anything was sent.
    expect(Math.max(...copied), copied.join()).toBeGreaterThan(0);
  });

  test.for(treeFormats)(
    'that fills the disk of its %s tree says so, and goes on when there is room',
    async (format, context) => {
      const whole = mountDisk(context, 'size=900k');
      // The manifest has a disk of its own.
      const split = join(workspace.dir, `split-${format}`);
      const state = join(split, format === 'maildir' ? 'imap-migrate' : '.imap-migrate');
      mountDisk(context, 'size=200k', state);
      for (const [root, disk] of [
        [join(whole, 'tree'), whole],
        [split, state],
      ] as const) {
        const args = [workspace.account(from), `${format}:${root}`];
        const full = await migrateIn({}, args);
        expect(full.exitCode, full.stderr).toBe(10);
        expect(full.stderr).toMatch(/room/);
        expect(full.stderr).toContain(root);
        expect(full.report.copied).toBeLessThan(corpus.messages);
        expect(leftovers(root)).toEqual([]);
        remount(disk, 'size=64m');
        const { exitCode, report, stderr } = await migrateIn({}, args);
        expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
        const verified = await runCommand(['verify', `${format}:${root}`, '--json']);
        expect(verified.exitCode, verified.stderr + verified.stdout).toBe(0);
        const compared = await runCommand(['verify', ...args, '--digest']);
        expect(compared.exitCode, compared.stderr + compared.stdout).toBe(0);
      }
    },
  );

  test('whose state directory is read-only ends before anything is sent', async (context) => {
    const disk = mountDisk(context, 'size=1m');
    const stateDir = join(disk, 'state');
    mkdirSync(stateDir, { mode: 0o700 });
    remount(disk, 'ro');
    const { argsIn, target } = await open('read-only');
    for (const dir of [stateDir, join(disk, 'new')]) {
      const { exitCode, stderr } = await runCommand(argsIn(dir));
      expect(exitCode, stderr).toBe(10);
      expect(stderr).toMatch(/read-?only|--state DIR/i);
    }
    expect(target.commands(/^(APPEND|CREATE|SUBSCRIBE)$/)).toEqual([]);
  });

  test('whose clock jumps by years whenever it is looked at is done as ever, and known to the next one', async () => {
    const { argsIn, differences } = await open('jumping');
    const args = argsIn(workspace.stateDir());
    const { exitCode, report, stderr } = await migrateIn(preload('clock-jump.mjs'), args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report.seconds).toBeLessThan(60);
    expect(await differences()).toEqual([]);
    const second = await migrateIn(preload('clock-jump.mjs'), args);
    expect(second.report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: corpus.messages });
  });
});

let disks = 0;

/** A small disk of its own; skips the test where that is not allowed. */
function mountDisk(context: TestContext, options: string, dir = join(workspace.dir, `disk-${++disks}`)): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]).status !== 0) {
    context.skip('only root can mount a small disk');
  }
  onTestFinished(() => {
    spawnSync('umount', ['-l', dir]);
  });
  return dir;
}

function remount(dir: string, options: string): void {
  expect(spawnSync('mount', ['-o', `remount,${options}`, dir]).status).toBe(0);
}
