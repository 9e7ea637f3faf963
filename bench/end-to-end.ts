/**
 * The built command as a user runs it, a process with default options and a new journal, between two private Dovecots on
 * this machine; beside it the least that could copy the same mail (`support/floor.ts`). The two take turns.
 *
 * Options: `--messages=N` (default 2000), `--runs=N` (default 3), `--json` (one object with every single run).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareDumps, dumpAccount } from '../test/support/compare.ts';
import { generateCorpus, loadCorpus } from '../test/support/corpus.ts';
import { quote, RawImap } from '../test/support/imap-raw.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../test/support/servers/index.ts';
import { type Contender, printEndToEnd } from './support/end-to-end-table.ts';
import type { FloorAccounts } from './support/floor.ts';
import { describeMachine, usableDovecot } from './support/machine.ts';
import { type MeasuredRun, measureRun } from './support/measured-run.ts';
import { spreadOf } from './support/spread.ts';

interface Options {
  readonly json: boolean;
  readonly messages: number;
  readonly runs: number;
}

interface Mail {
  readonly folders: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Benches are run from the root of the checkout. */
const commandFile = join(process.cwd(), 'dist', 'cli.js');
const floorFile = join(import.meta.dirname, 'support', 'floor.js');

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
    await using source = await startDovecot();
    await using target = await startDovecot();
    const mail = await load(accessTo(source), options.messages);
    const contenders = await measure({ source, target }, { ...options, mail, workDir });
    const secondsOf = (contender: Contender | undefined) =>
      spreadOf(contender?.runs.map(({ wallSeconds }) => wallSeconds) ?? []).median;
    const [ours, , floor] = contenders;
    const timesAsLongAsFloor = secondsOf(ours) / secondsOf(floor);
    if (options.json) {
      console.log(JSON.stringify({ bench: 'end-to-end', machine, mail, timesAsLongAsFloor, contenders }));
    } else printEndToEnd({ machine, mail, timesAsLongAsFloor, contenders, runs: options.runs });
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** The mail itself does not outlive this function: a big process is slow to start others. */
async function load(access: AccountAccess, messages: number): Promise<Mail> {
  const corpus = generateCorpus({ messages });
  await loadCorpus(access, corpus);
  return { folders: corpus.folders.length, messages: corpus.messages, bytes: corpus.bytes };
}

interface Surroundings {
  readonly mail: Mail;
  readonly runs: number;
  readonly workDir: string;
}

async function measure(
  servers: { readonly source: ServerInstance; readonly target: ServerInstance },
  { mail, runs, workDir }: Surroundings,
): Promise<Contender[]> {
  const source = accessTo(servers.source);
  const results = { ours: [] as MeasuredRun[], again: [] as MeasuredRun[], floor: [] as MeasuredRun[] };
  const floor = async (user: string): Promise<MeasuredRun> => {
    const accounts: FloorAccounts = { source, target: accessTo(servers.target, user) };
    const run = await measureRun(floorFile, [secretFile(workDir, `${user}.json`, JSON.stringify(accounts))]);
    await checkCount(accounts.target, mail.messages);
    return run;
  };
  const ours = async (user: string): Promise<MeasuredRun> => {
    const access = accessTo(servers.target, user);
    const files = [source, access].map((account, side) =>
      secretFile(workDir, `${user}-${side === 0 ? 'source' : 'target'}.ini`, iniOf(account)),
    );
    const state = join(workDir, `state-${user}`);
    const run = await measureRun(commandFile, [...files, '--state', state, '--progress', 'never']);
    await checkCount(access, mail.messages);
    return run;
  };
  // The first to read the source fills its caches, to the benefit of all others: nobody's time.
  await floor('warm-up');
  for (let run = 1; run <= runs; run++) {
    const turns = [
      async () => results.ours.push(await ours(`ours-${run}`)),
      async () => results.floor.push(await floor(`floor-${run}`)),
    ];
    for (const turn of run % 2 === 1 ? turns : turns.reverse()) await turn();
    results.again.push(await ours(`ours-${run}`));
  }
  const original = await dumpAccount(source);
  for (const user of [`ours-${runs}`, `floor-${runs}`]) {
    const differences = compareDumps(original, await dumpAccount(accessTo(servers.target, user)));
    if (differences.length > 0) throw new Error(`${user} is not what was copied:\n${differences.join('\n')}`);
  }
  return [
    { name: 'imap-migrate', messages: mail.messages, bytes: mail.bytes, runs: results.ours },
    { name: 'nothing to do', messages: 0, bytes: 0, runs: results.again },
    { name: 'floor', messages: mail.messages, bytes: mail.bytes, runs: results.floor },
  ];
}

function iniOf({ host, port, user, password }: AccountAccess): string {
  return `[DEFAULT]\nhost = ${host}\nport = ${port}\nusername = ${user}\npassword = ${password}\nssl = no\n`;
}

function secretFile(dir: string, name: string, content: string): string {
  const file = join(dir, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

/** A run that copied less, or more, is no measurement. */
async function checkCount(access: AccountAccess, expected: number): Promise<void> {
  await using client = await RawImap.open(access);
  let count = 0;
  for (const { rawName, attributes } of await client.list()) {
    if (attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute))) continue;
    const { untagged } = await client.command(`STATUS ${quote(rawName)} (MESSAGES)`);
    const items = untagged.find(({ values }) => values[0] === 'STATUS')?.values[2];
    count += Array.isArray(items) ? Number(items[1]) : Number.NaN;
  }
  if (count !== expected) throw new Error(`${access.user} holds ${count} messages instead of ${expected}`);
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
