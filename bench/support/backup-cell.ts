/** One account on one line, backed up by every contender into trees of their own, and brought back from ours. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { treeFormats } from '../../src/archive/store.ts';
import { compareDumps, dumpAccount } from '../../test/support/compare.ts';
import { quote, RawImap } from '../../test/support/imap-raw.ts';
import { type AccountAccess, accessTo } from '../../test/support/servers/index.ts';
import type { CellSurroundings, Entry } from './cell.ts';
import { ours } from './contender.ts';
import { type MeasuredRun, measureRun } from './measured-run.ts';
import { bodiesOfAccount, bodiesOfTree, differenceOf } from './tree-bodies.ts';
import { backupName, ourBackups, ourRestore, type TreeContender } from './tree-contender.ts';

export interface TreeEntrant {
  readonly contender: TreeContender;
  readonly runs: number;
}

/** Our own copy from account to account, which a restore is compared with. */
export const accountCopy = 'imap-migrate to IMAP';

const oneMessage = Buffer.from('Subject: one more\r\nMessage-ID: <one-more@bench>\r\n\r\nIt came later.\r\n');

/**
 * Backs up, again with nothing to do, and once more with one new message. The trees stay until the work folder is removed:
 * a file system may be slow to give out what was freed just now.
 * @throws Error when a tree does not hold the bodies of the account
 */
export async function measureBackups(entrants: readonly TreeEntrant[], cell: CellSurroundings): Promise<Entry[]> {
  const source = accessTo(cell.servers.source);
  const bodies = bodiesOfAccount(await dumpAccount(source, { canonical: true }));
  const entries = entrants.map(
    ({ contender: { name } }) => ({ name, runs: [], again: [], oneMore: [] }) as WritableEntry,
  );
  const rounds = Math.max(...entrants.map(({ runs }) => runs));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entrants.length; turn++) {
      const index = (round + turn) % entrants.length;
      const entrant = entrants[index];
      const entry = entries[index];
      if (entrant === undefined || entry === undefined || round >= entrant.runs) continue;
      const { contender } = entrant;
      const dir = folderOf(cell, `${index}-${round}`);
      const backUp = async (what: string): Promise<MeasuredRun> => {
        const command = contender.command({ source: cell.line.dial(source, 'source'), dir });
        return await settledRun(command, `${contender.name}${what}`, cell);
      };
      entry.runs.push(await backUp(''));
      const found = bodiesOfTree(join(dir, contender.tree), contender.format, contender.mark);
      const difference = differenceOf(bodies, found);
      if (difference !== null) throw new Error(`${cell.name}, ${contender.name}: ${difference}`);
      entry.again.push(await backUp(', nothing to do'));
      const remove = await addMessage(source);
      try {
        entry.oneMore.push(await backUp(', one new message'));
      } finally {
        await remove();
      }
    }
  }
  return entries;
}

/**
 * Brings the account back from a tree of each format, and copies it from account to account.
 * @throws Error when an account does not hold, afterwards, what the source holds
 */
export async function measureRestores(runs: number, cell: CellSurroundings): Promise<Entry[]> {
  const source = accessTo(cell.servers.source);
  const trees = new Map<string, string>();
  for (const format of treeFormats) {
    const dir = folderOf(cell, format);
    const backup = ourBackups.find(({ name }) => name === backupName('imap-migrate', format, 'fsync'));
    if (backup === undefined) throw new Error(`nobody backs up to ${format}`);
    await measureRun(backup.command({ source, dir }), cell.usage);
    trees.set(`imap-migrate from ${format}`, `${format}:${join(dir, backup.tree)}`);
  }
  const names = [accountCopy, ...trees.keys()];
  const entries = names.map((name) => ({ name, runs: [], again: [], oneMore: [] }) as WritableEntry);
  for (let round = 0; round < runs; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const index = (round + turn) % names.length;
      const name = names[index] ?? '';
      const user = `${cell.name}-${index}-${round}`.replaceAll(/[^\w-]/g, '-');
      const target = accessTo(cell.servers.target, user);
      const dir = folderOf(cell, `to-${index}-${round}`);
      const tree = trees.get(name);
      const line = { caFile: cell.line.caFile, dir };
      const dialled = { source: cell.line.dial(source, 'source'), target: cell.line.dial(target, 'target') };
      const command =
        tree === undefined ? ours.command({ ...line, ...dialled }) : ourRestore(tree, dialled.target, dir);
      entries[index]?.runs.push(await settledRun(command, name, cell));
      const differences = compareDumps(cell.original, await dumpAccount(target), { order: false });
      if (differences.length > 0)
        throw new Error(`${cell.name}, ${name}: not what was backed up:\n${differences.join('\n')}`);
      rmSync(join(cell.servers.target.process.dir, 'mail', user), { recursive: true, force: true });
    }
  }
  return entries;
}

interface WritableEntry extends Entry {
  readonly runs: MeasuredRun[];
  readonly again: MeasuredRun[];
  readonly oneMore: MeasuredRun[];
}

function folderOf(cell: CellSurroundings, name: string): string {
  const dir = join(cell.workDir, `${cell.name}-${name}`.replaceAll(/[^\w-]/g, '-'));
  mkdirSync(dir);
  return dir;
}

/** What others have written reaches the disk before, and is nobody's time. */
async function settledRun(
  command: Parameters<typeof measureRun>[0],
  name: string,
  cell: CellSurroundings,
): Promise<MeasuredRun> {
  spawnSync('sync');
  const run = await measureRun(command, cell.usage);
  cell.onRun(name, run);
  return run;
}

/** Puts one message into the inbox; the answer takes it away again. */
async function addMessage(access: AccountAccess): Promise<() => Promise<void>> {
  await using client = await RawImap.open(access);
  await client.append('INBOX', [{ body: oneMessage, flags: [], internalDate: '01-Jan-2026 00:00:00 +0000' }]);
  return async () => {
    await using after = await RawImap.open(access);
    await after.command(`SELECT ${quote('INBOX')}`);
    await after.command('STORE * +FLAGS.SILENT (\\Deleted)');
    await after.command('EXPUNGE');
  };
}
