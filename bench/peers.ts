/**
 * The built command beside bare copy loops (`floor.c`, `floor.ts`) and beside other tools, between two private Dovecots
 * whose mail is in memory, and from such an account to trees of files. A run of everything, at least three times, writes `bench/RESULTS.md`; by default it takes
 * half an hour.
 *
 * Options: `--only small,rtt0` (cells whose names hold every word; `--only backup`, `--only restore`), `--runs N` of each contender (default 5, with BULK 3),
 * `--peers NAME,...` (only contenders whose names begin so), `--imapsync PATH`, `--window BYTES` (that may be under way on a
 * line with a round trip time), `--log DIR` (what was said on these lines), `--slow` (imapflow's loop and imapsync at every
 * round trip time).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileSystemOf } from '../src/journal/file-system.ts';
import { type AccountDump, dumpAccount } from '../test/support/compare.ts';
import { accessTo, prepareMbsync } from '../test/support/servers/index.ts';
import { accountCopy, measureBackups, measureRestores, type TreeEntrant } from './support/backup-cell.ts';
import { type CPrograms, compileCPrograms } from './support/c-programs.ts';
import { type CellSurroundings, type Entrant, type Entry, measureCell, type Servers } from './support/cell.ts';
import { type Contender, cFloor, imapflowLoop, imapsync, mbsync, nodeFloor, ours } from './support/contender.ts';
import { DelayedLine, measureRates, measureRtt } from './support/delayed-line.ts';
import { entryRows, formatColumns } from './support/entry-table.ts';
import { describeMachine, usableDovecot } from './support/machine.ts';
import { loadMail, type MailName, mails, nominalBytes } from './support/mail.ts';
import { fitsIntoMemory, measureCommit, startServerFor } from './support/mail-disk.ts';
import { chooseCells, type PeerCell } from './support/peer-cells.ts';
import {
  type CellResult,
  conditionLines,
  missingLines,
  type PeerResults,
  requirementRows,
  toMarkdown,
} from './support/peer-results.ts';
import { backupName, fsyncPolicies, mbsyncBackups, ourBackups, type TreeContender } from './support/tree-contender.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string' },
    peers: { type: 'string', default: '' },
    imapsync: { type: 'string' },
    window: { type: 'string' },
    log: { type: 'string' },
    slow: { type: 'boolean', default: false },
  },
});
const floors = [
  'Node floor',
  'C floor',
  ...fsyncPolicies.map((fsync) => backupName('mbsync', 'maildir', fsync)),
  accountCopy,
];
const maxRuns = 100;
const minRunsKept = 3;

async function main(): Promise<void> {
  const dovecot = usableDovecot();
  if ('missing' in dovecot) throw new Error(dovecot.missing);
  const cells = chooseCells(wordsOf(options.only));
  const machine = describeMachine(dovecot.version);
  if (options.log !== undefined) mkdirSync(options.log, { recursive: true });
  const workDir = mkdtempSync(join(import.meta.dirname, 'peers-'));
  try {
    const programs = compileCPrograms(workDir);
    const { missing, ...found } = await findContenders(programs);
    const results: CellResult[] = [];
    for (const mail of Object.keys(mails) as MailName[]) {
      const wanted = cells.filter((cell) => cell.mail === mail);
      if (wanted.length > 0) results.push(...(await measureMail(mail, wanted, { ...found, programs, workDir })));
    }
    const rates = cells.some(({ rttMs }) => rttMs > 0) ? await measureRates(workDir) : null;
    const whole: PeerResults = {
      machine,
      date: new Date().toISOString().slice(0, 10),
      commitMs: measureCommit(workDir),
      fileSystem: fileSystemOf(workDir).name,
      windowBytes: windowBytes(),
      rates,
      missing,
      cells: results,
    };
    console.log(`\n${[...conditionLines(whole), ...missingLines(whole)].join('\n')}`);
    const [headings, ...rows] = requirementRows(whole, ours.name);
    if (headings !== undefined && rows.length > 0) console.log(`\n${formatColumns([headings, ...rows])}`);
    if (isWhole()) writeFileSync(join('bench', 'RESULTS.md'), toMarkdown(whole, { product: ours.name, floors }));
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** Only a run of everything, with enough runs for a median, replaces the results. */
function isWhole(): boolean {
  const isEverything = options.only === '' && options.peers === '' && options.window === undefined;
  return isEverything && (options.runs === undefined || Number(options.runs) >= minRunsKept);
}

interface Found {
  readonly contenders: readonly Contender[];
  /** Of backups. */
  readonly treeContenders: readonly TreeContender[];
  /** Sentences without a full stop. */
  readonly missing: readonly string[];
}

async function findContenders(programs: CPrograms | null): Promise<Found> {
  const missing: string[] = [];
  const treeContenders = [...ourBackups];
  const contenders: Contender[] = [ours, nodeFloor(1), nodeFloor(2)];
  if (programs === null) missing.push('the C floor, CPU time and memory, as there is no C compiler (cc)');
  else contenders.push(cFloor(programs.floor));
  try {
    const program = await prepareMbsync();
    contenders.push(mbsync(program));
    treeContenders.push(...mbsyncBackups(program));
  } catch (error) {
    missing.push(`mbsync (${error instanceof Error ? error.message : String(error)})`);
  }
  if (options.imapsync === undefined) missing.push('imapsync, as no path was given (--imapsync PATH)');
  else contenders.push(imapsync(options.imapsync));
  contenders.push(imapflowLoop);
  const wanted = wordsOf(options.peers);
  if (wanted.length === 0) return { contenders, treeContenders, missing };
  const isWanted = ({ name }: { readonly name: string }) => wanted.some((word) => name.startsWith(word));
  return { contenders: contenders.filter(isWanted), treeContenders: treeContenders.filter(isWanted), missing };
}

interface Surroundings extends Omit<Found, 'missing'> {
  readonly programs: CPrograms | null;
  readonly workDir: string;
}

async function measureMail(
  name: MailName,
  cells: readonly PeerCell[],
  surroundings: Surroundings,
): Promise<CellResult[]> {
  const spec = mails[name];
  const inMemory = fitsIntoMemory(nominalBytes(spec));
  await using source = await startServerFor(inMemory);
  await using target = await startServerFor(inMemory);
  const mail = await loadMail(accessTo(source), spec);
  // Reading it fills the source's caches, to the benefit of all: nobody's time.
  const original = await dumpAccount(accessTo(source));
  const results: CellResult[] = [];
  for (const cell of cells) {
    const { name, work, tls, rttMs } = cell;
    console.log(`\n${name}: ${mail.messages} messages, ${(mail.bytes / 1e6).toFixed(0)} MB, ${mail.folders} folders`);
    const { entries, measuredRttMs } = await measureLine(cell, { source, target }, original, surroundings);
    console.log(`\n${formatColumns(entryRows(entries, mail, floors))}`);
    results.push({ name, work, mailName: cell.mail, mail, tls, rttMs, measuredRttMs, inMemory, entries });
  }
  return results;
}

interface LineResult {
  readonly entries: readonly Entry[];
  readonly measuredRttMs: number;
}

async function measureLine(
  cell: PeerCell,
  servers: Servers,
  original: AccountDump,
  surroundings: Surroundings,
): Promise<LineResult> {
  const { programs, workDir } = surroundings;
  const { source, target } = servers;
  const portOf = (side: keyof Servers) => (cell.tls ? (servers[side].tlsPort ?? 0) : servers[side].port);
  const measure = async (ports: { readonly source: number; readonly target: number }): Promise<LineResult> => {
    const entries = await measureWork(cell, surroundings, {
      name: cell.name,
      servers,
      original,
      line: {
        dial: (account, side) => ({ ...account, port: ports[side] }),
        // Each server has a certificate of its own.
        caFile: cell.tls ? joinCertificates(workDir, [source.caFile, target.caFile]) : null,
      },
      workDir,
      usage: programs?.usage ?? null,
      onRun: (name, { wallSeconds }) => console.log(`  ${wallSeconds.toFixed(2).padStart(6)} s  ${name}`),
    });
    const access = { ...accessTo(source), port: ports.source };
    return { entries, measuredRttMs: cell.tls ? Number.NaN : await measureRtt(access) };
  };
  if (cell.rttMs === 0) return await measure({ source: portOf('source'), target: portOf('target') });
  const open = (side: keyof Servers) =>
    DelayedLine.open(workDir, side, {
      port: portOf(side),
      rttMs: cell.rttMs,
      windowBytes: windowBytes(),
      logFile: options.log === undefined ? null : join(options.log, `${cell.name}-${side}.log`),
    });
  await using sourceLine = await open('source');
  await using targetLine = await open('target');
  return await measure({ source: sourceLine.port, target: targetLine.port });
}

async function measureWork(cell: PeerCell, found: Surroundings, surroundings: CellSurroundings): Promise<Entry[]> {
  switch (cell.work) {
    case 'copy':
      return await measureCell(entrantsOf(cell, found.contenders), surroundings);
    case 'backup':
      return await measureBackups(treeEntrantsOf(cell, found.treeContenders), surroundings);
    case 'restore':
      return await measureRestores(runsOf(cell), surroundings);
    default:
      return cell.work satisfies never;
  }
}

function treeEntrantsOf(cell: PeerCell, contenders: readonly TreeContender[]): TreeEntrant[] {
  const patient = options.slow || cell.name === 'small,rtt0,backup';
  return contenders.map((contender) => ({ contender, runs: contender.slow && !patient ? 1 : runsOf(cell) }));
}

/** Those who take part in a cell. What sends one message per round trip is not made to do so for minutes. */
function entrantsOf(cell: PeerCell, contenders: readonly Contender[]): Entrant[] {
  const runs = runsOf(cell);
  const patient = options.slow || cell.rttMs === 0;
  return contenders
    .filter(({ tls = true, slow = false }) => (tls || !cell.tls) && (patient || !slow))
    .map((contender) => ({
      contender,
      runs: contender.slow === true && cell.name !== 'small,rtt0' ? 1 : runs,
      // What is found when there is nothing to do depends on neither size nor encryption.
      again: contender.again === true && cell.mail === 'small' && cell.rttMs !== 20,
    }));
}

function runsOf(cell: PeerCell): number {
  const given = options.runs ?? (cell.mail === 'bulk' ? '3' : '5');
  if (!/^\d{1,3}$/.test(given) || Number(given) < 1 || Number(given) > maxRuns) {
    throw new Error(`--runs ${given}: a number from 1 to ${maxRuns} is needed`);
  }
  return Number(given);
}

function windowBytes(): number | null {
  if (options.window === undefined) return null;
  if (!/^[1-9]\d{3,11}$/.test(options.window))
    throw new Error(`--window ${options.window}: bytes are needed, 1000 or more`);
  return Number(options.window);
}

function joinCertificates(dir: string, files: readonly (string | null)[]): string {
  const joined = join(dir, 'authorities.pem');
  writeFileSync(joined, files.map((file) => (file === null ? '' : readFileSync(file, 'utf8'))).join(''));
  return joined;
}

function wordsOf(list: string): string[] {
  return list.split(',').filter((word) => word !== '');
}

await main();
