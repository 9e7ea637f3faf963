/**
 * The built command as a user runs it, a process with default options and a new journal, between two private Dovecots on
 * this machine; beside it the least that could copy the same mail (`floor.ts`). The two take turns. The mail is that of the
 * tests, odd shapes and names included; `peers.ts` measures more of it.
 *
 * Options: `--messages=N` (default 2000), `--runs=N` (default 3), `--json` (one object with every single run).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dumpAccount } from '../test/support/compare.ts';
import { generateCorpus, loadCorpus } from '../test/support/corpus.ts';
import { type AccountAccess, accessTo, startDovecot } from '../test/support/servers/index.ts';
import { compileCPrograms } from './support/c-programs.ts';
import { type Entry, measureCell } from './support/cell.ts';
import { nodeFloor, ours } from './support/contender.ts';
import { type CopiedMail, entryRows, formatColumns } from './support/entry-table.ts';
import { describeMachine, machineLines, usableDovecot } from './support/machine.ts';

interface Options {
  readonly json: boolean;
  readonly messages: number;
  readonly runs: number;
}

const floor = nodeFloor(1);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const dovecot = usableDovecot();
  if ('missing' in dovecot) {
    if (options.json) console.log(JSON.stringify({ bench: 'end-to-end', skipped: dovecot.missing }));
    else console.log(`\nend-to-end: skipped, as ${dovecot.missing}`);
    return;
  }
  const machine = describeMachine(dovecot.version);
  const workDir = mkdtempSync(join(import.meta.dirname, 'end-to-end-'));
  try {
    const { mail, entries } = await measure(options, workDir);
    if (options.json) {
      console.log(JSON.stringify({ bench: 'end-to-end', machine, mail, entries }));
      return;
    }
    console.log('\nend-to-end: two Dovecots on this machine, clear text');
    console.log(machineLines(machine).join('\n'));
    const size = `${mail.messages} messages, ${(mail.bytes / 1e6).toFixed(1)} MB, ${mail.folders} folders`;
    console.log(`${size}; whole processes, in turns; digests, flags and dates compared after every run\n`);
    console.log(formatColumns(entryRows(entries, mail, [floor.name])));
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function measure(options: Options, workDir: string): Promise<{ mail: CopiedMail; entries: Entry[] }> {
  const programs = compileCPrograms(workDir);
  await using source = await startDovecot();
  await using target = await startDovecot();
  const mail = await load(accessTo(source), options.messages);
  // Reading it fills the source's caches, to the benefit of all: nobody's time.
  const original = await dumpAccount(accessTo(source));
  const { runs } = options;
  const entries = await measureCell(
    [
      { contender: ours, runs, again: true },
      { contender: floor, runs, again: false },
    ],
    {
      name: 'end-to-end',
      servers: { source, target },
      original,
      line: { dial: (account) => account, caFile: null },
      workDir,
      usage: programs?.usage ?? null,
      onRun: () => {},
    },
  );
  return { mail, entries };
}

/** The mail itself does not outlive this function: a big process is slow to start others. */
async function load(access: AccountAccess, messages: number): Promise<CopiedMail> {
  const corpus = generateCorpus({ messages });
  await loadCorpus(access, corpus);
  return { folders: corpus.folders.length, messages: corpus.messages, bytes: corpus.bytes };
}

/** Options of other benches are none of ours. */
function readOptions(argv: readonly string[]): Options {
  const number = (name: string, fallback: number): number => {
    const given = argv.findLast((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
    if (given === undefined) return fallback;
    if (!/^[1-9]\d{0,6}$/.test(given)) throw new Error(`--${name}=${given}: a number from 1 on is needed`);
    return Number(given);
  };
  return { json: argv.includes('--json'), messages: number('messages', 2000), runs: number('runs', 3) };
}

await main();
