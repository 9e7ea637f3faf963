/**
 * What durability costs, in time and in processor time: batches through the journal as lanes send them (intents, then
 * verdicts, each awaited), and how long a journal takes to open with everything in it checked. On the disk of the checkout,
 * not in memory.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type IntentColumns, type Journal, openJournal, type VerdictColumns } from '../src/journal/index.ts';
import { digestBytes } from '../src/plan/message-facts.ts';
import { type BenchCase, runBench } from './support/harness.ts';

/** A message in the file. */
const rowBytes = 56;
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
    const journal = await openJournal({ kind: 'state', directory: stateDir }, account, name);
    journals.set(name, journal);
    cases.push(await writing(journal, name, lanes, batchSize));
  }
  for (const messages of [20_000, 1_000_000]) cases.push(await opening(messages));
  await runBench(cases, {
    title: 'journal',
    unit: 'messages',
    compareWith: [],
    showProcessor: true,
    roundMs: 500,
    warmUpMs: 200,
  });
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
      const uids = Uint32Array.from({ length: batchSize }, () => nextUid++);
      const [intents, verdicts] = [toIntents(uids), toVerdicts(uids)];
      await journal.write({ kind: 'intents', folderId, fence: 1, targetUidValidity: 1, messages: intents });
      await journal.write({ kind: 'verdicts', folderId, verdict: 'copied', messages: verdicts });
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
    await using journal = await openJournal({ kind: 'state', directory: stateDir }, account, target);
    const folderId = await openInbox(journal);
    const uids = Uint32Array.from({ length: messages }, (_, index) => index + 1);
    await journal.write({ kind: 'verdicts', folderId, verdict: 'copied', messages: toVerdicts(uids) });
  }
  const run = async () => {
    const journal = await openJournal({ kind: 'state', directory: stateDir }, account, target);
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

function toIntents(uids: Uint32Array): IntentColumns {
  return { ...toFacts(uids), internalDates: Array.from(uids, () => '01-Jan-2024 12:00:00 +0100') };
}

function toVerdicts(uids: Uint32Array): VerdictColumns {
  return { ...toFacts(uids), targetUids: uids, internalDates: null };
}

function toFacts(uids: Uint32Array) {
  const digests = new Uint8Array(uids.length * digestBytes);
  for (let at = 0; at < digests.length; at++) digests[at] = ((uids[at >> 5] ?? 0) * ((at & 31) + 7)) >>> (at & 7);
  return {
    uids,
    sizes: Float64Array.from(uids, (uid) => 40_000 + (uid % 9_999)),
    digests,
    flags: uids.map((uid) => (uid % 3 === 0 ? 1 : 0)),
    flagSets: ['\\Seen', '\\Seen \\Flagged'],
  };
}
