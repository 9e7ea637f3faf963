/**
 * What durability costs: batches through the journal as lanes send them (intents, then verdicts, each awaited), and how
 * long a journal takes to open with everything in it checked. On the disk of the checkout, not in memory.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Intent, type Journal, openJournal, type Verdict } from '../src/journal/index.ts';
import { type BenchCase, runBench } from './support/harness.ts';

/** A row of `messages` in the file. */
const rowBytes = 73;
const batchesPerRun = 20;
const account = 'anna@old.example:993';

const scratch = join(process.cwd(), '.tmp');
mkdirSync(scratch, { recursive: true });
const stateDir = mkdtempSync(join(scratch, 'journal-bench-'));

try {
  const journals = new Map<string, Journal>();
  const cases: BenchCase[] = [];
  for (const { name, lanes, batchSize } of [
    { name: '1 lane, 1 message', lanes: 1, batchSize: 1 },
    { name: '8 lanes, 1 message', lanes: 8, batchSize: 1 },
    { name: '1 lane, 100', lanes: 1, batchSize: 100 },
    { name: '4 lanes, 100', lanes: 4, batchSize: 100 },
  ]) {
    const journal = await openJournal(stateDir, account, name);
    journals.set(name, journal);
    cases.push(await writing(journal, name, lanes, batchSize));
  }
  for (const messages of [20_000, 1_000_000]) cases.push(await opening(messages));
  await runBench(cases, { title: 'journal', unit: 'messages', compareWith: [], roundMs: 500, warmUpMs: 200 });
  for (const [name, journal] of journals) {
    printCommits(name, journal.stats());
    await journal[Symbol.asyncDispose]();
  }
} finally {
  rmSync(stateDir, { recursive: true, force: true });
}

function printCommits(name: string, { commits, records, commitMs }: ReturnType<Journal['stats']>): void {
  const msPerCommit = commitMs / commits;
  const recordsPerCommit = records / commits;
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ bench: 'journal', group: 'commits', name, commits, msPerCommit, recordsPerCommit }));
    return;
  }
  const perSecond = Math.round(1000 / msPerCommit).toLocaleString('en-US');
  console.log(
    `  ${name.padEnd(20)}${msPerCommit.toFixed(2)} ms per commit, ${perSecond} commits/s, ${recordsPerCommit.toFixed(0)} rows each`,
  );
}

async function writing(journal: Journal, name: string, lanes: number, batchSize: number): Promise<BenchCase> {
  const folderId = await openInbox(journal);
  let nextUid = 1;
  async function lane(batches: number): Promise<void> {
    for (let batch = 0; batch < batches; batch++) {
      const uids = Array.from({ length: batchSize }, () => nextUid++);
      await journal.write({ kind: 'intents', folderId, intents: uids.map(toIntent) });
      await journal.write({ kind: 'verdicts', folderId, verdicts: uids.map(toVerdict) });
    }
  }
  const units = lanes * batchesPerRun * batchSize;
  const run = async () => {
    await Promise.all(Array.from({ length: lanes }, () => lane(batchesPerRun)));
  };
  return { group: 'batches: intents and verdicts, each durable', name, units, bytes: units * rowBytes, run };
}

async function opening(messages: number): Promise<BenchCase> {
  const target = `${messages} messages`;
  {
    await using journal = await openJournal(stateDir, account, target);
    const folderId = await openInbox(journal);
    const uids = Array.from({ length: messages }, (_, index) => index + 1);
    await journal.write({ kind: 'verdicts', folderId, verdicts: uids.map(toVerdict) });
  }
  const run = async () => {
    const journal = await openJournal(stateDir, account, target);
    await journal[Symbol.asyncDispose]();
  };
  const name = messages.toLocaleString('en-US');
  return { group: 'open, everything checked, and close', name, units: messages, bytes: messages * rowBytes, run };
}

async function openInbox(journal: Journal): Promise<number> {
  const { id } = await journal.openFolder({
    sourceRawName: 'INBOX',
    targetName: 'INBOX',
    sourceUidValidity: 1,
    targetUidValidity: 1,
    fence: 1,
  });
  return id;
}

function toDigest(uid: number): Uint8Array {
  const digest = new Uint8Array(32);
  for (let index = 0; index < digest.length; index++) digest[index] = (uid * (index + 7)) >>> (index % 8);
  return digest;
}

function toIntent(uid: number): Intent {
  const internalDate = '01-Jan-2024 12:00:00 +0100';
  const rest = { batch: uid, fence: 1, targetUidValidity: 1, size: 40_000 + (uid % 9_999), internalDate };
  return { uid, ...rest, digest: toDigest(uid), flags: uid % 3 === 0 ? '\\Seen \\Flagged' : '\\Seen' };
}

function toVerdict(uid: number): Verdict {
  const flags = uid % 3 === 0 ? '\\Seen \\Flagged' : '\\Seen';
  return { uid, kind: 'copied', targetUid: uid, size: 40_000 + (uid % 9_999), digest: toDigest(uid), flags };
}
