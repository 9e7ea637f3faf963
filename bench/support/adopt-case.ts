/**
 * One case of `bench/adopt.ts` in a process of its own: prints a `CaseResult`.
 *
 *     node adopt-case.js CASE MESSAGES TWINS
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { openJournal } from '../../src/journal/index.ts';
import { compareFolders, matchMessages } from '../../src/plan/compare.ts';
import { recoverFolder } from '../../src/recovery.ts';
import type { FolderContents } from '../../src/worker/contract.ts';
import { ColumnLane, manyMessages } from '../../test/support/many-messages.ts';

export interface CaseResult {
  readonly ms: number;
  readonly peakRssBytes: number;
}

type Case = (source: FolderContents, target: FolderContents) => number | Promise<number>;

/** What each answers is how many messages it found on both sides: all, or the case is broken. */
const cases: Readonly<Record<string, Case>> = {
  match: (source, target) => matchMessages(source, target).pairs.source.length,
  verify: (source, target) => compareFolders(source, target).matched,
  adopt,
};

async function adopt(source: FolderContents, target: FolderContents): Promise<number> {
  const scratch = join(process.cwd(), '.tmp');
  mkdirSync(scratch, { recursive: true });
  const stateDir = mkdtempSync(join(scratch, 'adopt-bench-'));
  try {
    await using journal = await openJournal(
      { kind: 'state', directory: stateDir },
      'anna@old.example:993',
      'anna@new.example:993',
    );
    const opened = { sourceRawName: 'INBOX', targetName: 'INBOX', sourceUidValidity: 1, targetUidValidity: 1 };
    const folder = await journal.openFolder({ ...opened, fence: 1, inDoubt: true });
    const run = { id: 0, singly: false, task: () => ({ sourceRawName: 'INBOX', targetName: { raw: 'INBOX' } }) };
    const facts = { messages: target.uids.length, uidNext: target.uids.length + 1, uidValidity: 1 };
    const lane = new ColumnLane(source, target);
    const parts = {
      lane,
      journal,
      clock: systemClock,
      settleMs: 0,
      seenAt: null,
      notBefore: null,
      reportsUids: true,
      isStopping: () => false,
    };
    const recovered = await recoverFolder(run, folder, facts, parts);
    return recovered?.adopted ?? 0;
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

const [name = '', messages = '', twins = '1'] = process.argv.slice(2);
const [run, count] = [cases[name], Number(messages)];
if (run === undefined || !(count > 0)) throw new Error(`${name} ${messages} is no case`);
const options = { twins: Number(twins) };
const [source, target] = [manyMessages(count, options), manyMessages(count, { ...options, reversed: true })];
const start = performance.now();
const found = await run(source, target);
const ms = performance.now() - start;
if (found !== count) throw new Error(`${name} found ${found} of ${count} messages`);
console.log(JSON.stringify({ ms, peakRssBytes: peakRssBytes() } satisfies CaseResult));

/** On Linux `maxRSS` begins with the size of the parent at the fork, which may be more than this process ever needs. */
function peakRssBytes(): number {
  const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'latin1') : '';
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS);
}
