/** The journal as the real command meets it: held by another process, torn by a kill, damaged, of others. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Database } from '../../src/journal/database.ts';
import { Random } from '../../src/sandbox/random.ts';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy, type ProxyOptions } from '../support/proxy.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrateIn, preload, runCommand, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const keep = closeAfterAll();
const workspace = new Workspace();
const corpus = generateCorpus({ messages: 250, maxBytes: 10_000 });
const pageBytes = 4096;

describe.skipIf(!availableServers().dovecot)('the journal', () => {
  let dovecot: ServerInstance;
  let from: AccountAccess;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    from = accessTo(dovecot, 'journals');
    await loadCorpus(from, corpus);
  });

  /** An account behind a proxy, and how to copy to it. */
  async function openTarget(user: string, options: ProxyOptions = {}) {
    const to = accessTo(dovecot, user);
    const proxy = keep(await FilterProxy.start(dovecot, options));
    const files = [workspace.account(from), workspace.account({ ...to, port: proxy.port })];
    const argsIn = (stateDir: string) => [...files, '--state', stateDir];
    const isSame = async () =>
      expect(compareDumps(await dumpAccount(from), await dumpAccount(to), { order: false })).toEqual([]);
    return { proxy, argsIn, isSame };
  }

  /** Runs the command until the proxy has seen so many APPENDs, and kills it. */
  async function killAt(appends: number, proxy: FilterProxy, args: readonly string[]): Promise<void> {
    const command = RunningCommand.start(args);
    const watch = setInterval(() => {
      if (proxy.commands('APPEND').length >= appends) command.kill('SIGKILL');
    }, 1);
    const { signal } = await command.ended.finally(() => clearInterval(watch));
    expect(signal).toBe('SIGKILL');
  }

  test('is held by one run at a time: a second one names it and ends, and after a kill the third goes on', async () => {
    const silent = { withhold: { command: 'APPEND', nth: 2, what: 'all answers' } } as const;
    const { proxy, argsIn, isSame } = await openTarget('held', silent);
    const args = argsIn(workspace.stateDir());
    const first = RunningCommand.start([...args, '--json']);
    await first.event(({ event }) => event === 'folder-started');
    const second = await runCommand([...args, '--json']);
    expect(second.exitCode, second.stderr).toBe(8);
    expect(second.stderr).toContain(String(first.pid));
    expect(second.events).toContainEqual(expect.objectContaining({ event: 'error', code: 'LOCKED', exitCode: 8 }));
    // The plan needs no journal of its own, and waits for nobody.
    expect((await runCommand([...args, '--dry-run'])).exitCode).toBe(0);
    first.kill('SIGKILL');
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    const { exitCode, stderr } = await migrateIn(preload('quick-time.mjs'), args);
    expect(exitCode, stderr).toBe(0);
    expect(proxy.withheld).toBe(true);
    await isSame();
  });

  test('whose log was torn, or lost, by a kill is repaired, and nothing is lost or doubled', async () => {
    for (const left of [0.9, 0.4, 0]) {
      const { proxy, argsIn, isSame } = await openTarget(`torn-${left}`);
      const stateDir = workspace.stateDir();
      await killAt(6, proxy, argsIn(stateDir));
      // What is torn off was durable: without it nobody knows that the server may still be storing something.
      await vi.waitFor(() => expect(proxy.open).toBe(0), 30_000);
      const log = journalIn(stateDir, '.db-wal');
      if (left === 0) rmSync(log);
      else truncateSync(log, Math.floor(readFileSync(log).length * left));
      const { exitCode, stderr, report } = await migrateIn(preload('quick-time.mjs'), argsIn(stateDir));
      expect(exitCode, stderr).toBe(0);
      expect(report.copied + report.alreadyThere, `${left} of the log`).toBe(corpus.messages);
      await isSame();
    }
  });

  test('that is damaged, newer or of others is refused with what to do, and nothing is appended', async () => {
    const { proxy, argsIn, isSame } = await openTarget('damaged');
    const { argsIn: othersArgs } = await openTarget('other');
    const [clean, others] = [workspace.stateDir(), workspace.stateDir()];
    expect((await migrateIn({}, argsIn(clean))).exitCode).toBe(0);
    expect((await migrateIn({}, [...othersArgs(others), '--include', 'Archive'])).exitCode).toBe(0);
    const pages = readFileSync(journalIn(clean, '.db')).length / pageBytes;
    const used = usedPages(journalIn(clean, '.db'));
    const damages: readonly [what: string, says: RegExp, damage: (file: string) => void][] = [
      ['a flipped bit in its first page', /--rebuild/, (file) => flipBit(file, 0)],
      ['a flipped bit in its second page', /--rebuild/, (file) => flipBit(file, 1)],
      ['a flipped bit in a page in the middle', /--rebuild/, (file) => flipBit(file, used[used.length >> 1])],
      ['a flipped bit in the last page it uses', /--rebuild/, (file) => flipBit(file, used.at(-1))],
      ['a lost end', /--rebuild/, (file) => truncateSync(file, (pages - 1) * pageBytes)],
      ['a newer version', /newer version/, toNewerVersion],
      ['the name of another account', /belongs to/, (file) => cpSync(journalIn(others, '.db'), file)],
    ];
    proxy.forget();
    for (const [what, says, damage] of damages) {
      const stateDir = workspace.stateDir();
      cpSync(clean, stateDir, { recursive: true });
      damage(journalIn(stateDir, '.db'));
      const { exitCode, stderr } = await runCommand(argsIn(stateDir));
      expect({ what, exitCode, stderr }).toEqual({ what, exitCode: 9, stderr: expect.stringMatching(says) });
      expect(proxy.commands(/^(APPEND|CREATE)$/), what).toEqual([]);
      if (what !== 'a lost end') continue;
      const rebuilt = await migrateIn({}, [...argsIn(stateDir), '--rebuild']);
      expect(rebuilt.report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: corpus.messages });
      expect(readdirSync(stateDir).filter((name) => name.endsWith('.old-1'))).toHaveLength(1);
    }
    await isSame();
  });
});

const random = new Random(7);

/**
 * In the page's type or its number of cells, which nothing can be read without; other bytes of its head only tell where
 * there is room. SQLite's first page begins with the head of the file.
 */
function flipBit(file: string, page = 0): void {
  const bytes = readFileSync(file);
  const at = page * pageBytes + (page === 0 ? 100 : 0) + (random.below(2) === 0 ? 0 : 4);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
  writeFileSync(file, bytes);
}

/** The pages that hold something, from 0: those on the list of free ones, which begins in the head of the file, are left out. */
function usedPages(file: string): number[] {
  const bytes = readFileSync(file);
  const free = new Set<number>();
  for (let trunk = bytes.readUInt32BE(32); trunk !== 0; trunk = bytes.readUInt32BE((trunk - 1) * pageBytes)) {
    free.add(trunk);
    const at = (trunk - 1) * pageBytes + 4;
    for (let leaf = 1; leaf <= bytes.readUInt32BE(at); leaf++) free.add(bytes.readUInt32BE(at + 4 * leaf));
  }
  return Array.from({ length: bytes.length / pageBytes }, (_, page) => page).filter((page) => !free.has(page + 1));
}

function toNewerVersion(file: string): void {
  const db = new Database(file, { busyMs: 0 });
  db.exec('PRAGMA user_version = 99');
  db.close();
}

/** The one file in a state directory whose name ends so. */
function journalIn(stateDir: string, suffix: string): string {
  const [name, ...more] = readdirSync(stateDir).filter((it) => it.endsWith(suffix));
  if (name === undefined || more.length > 0) throw new Error(`not one *${suffix} in ${readdirSync(stateDir)}`);
  return join(stateDir, name);
}
