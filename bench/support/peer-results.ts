/** The results of a run of `peers.ts`, for people and for the repository. */
import type { Entry } from './cell.ts';
import type { LineRates } from './delayed-line.ts';
import { type CopiedMail, entryRows, formatMarkdown } from './entry-table.ts';
import { type Machine, machineLines } from './machine.ts';
import { type MailName, mails } from './mail.ts';
import type { PeerWork } from './peer-cells.ts';
import { checkRequirements } from './requirement.ts';

export interface CellResult {
  readonly name: string;
  readonly work: PeerWork;
  readonly mailName: MailName;
  readonly mail: CopiedMail;
  readonly rttMs: number;
  readonly tls: boolean;
  /** `NaN` over TLS, where it is not measured. */
  readonly measuredRttMs: number;
  readonly inMemory: boolean;
  readonly entries: readonly Entry[];
}

export interface PeerResults {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly date: string;
  /** Of a small write on the disk that holds the journals. */
  readonly commitMs: number;
  /** Of the disk that holds the trees; `null`: unknown. */
  readonly fileSystem: string | null;
  readonly windowBytes: number | null;
  /** `null` where no cell has a delayed line. */
  readonly rates: LineRates | null;
  readonly missing: readonly string[];
  readonly cells: readonly CellResult[];
}

export interface Roles {
  readonly product: string;
  /** Everybody's time is divided by theirs. */
  readonly floors: readonly string[];
}

/** The requirements that can be checked, with headings. */
export function requirementRows({ cells }: PeerResults, product: string): string[][] {
  const measured = new Map(cells.map(({ name, entries }) => [name, entries]));
  const rows = checkRequirements(measured, product).map(({ what, measured, limit, share }) => [
    what,
    measured,
    limit,
    Number.isNaN(share) ? '–' : share.toFixed(2),
    Number.isNaN(share) ? 'not measured' : share <= 1 ? 'yes' : 'no',
  ]);
  return [['', 'measured', 'at most', 'of the limit', 'holds'], ...rows];
}

export function toMarkdown(results: PeerResults, { product, floors }: Roles): string {
  const { machine, date, cells } = results;
  const sections = [
    '# Results',
    `Written by \`npm run bench:peers\` on ${date}.`,
    machineLines(machine)
      .map((line) => `- ${line}`)
      .join('\n'),
    '## Against the requirement',
    formatMarkdown(requirementRows(results, product)),
    '## How it was measured',
    methodLines(results)
      .map((line) => `- ${line}`)
      .join('\n'),
    ...missingLines(results),
    ...cells.flatMap((cell) => [`## ${titleOf(cell)}`, formatMarkdown(entryRows(cell.entries, cell.mail, floors))]),
  ];
  return `${sections.join('\n\n')}\n`;
}

const titles: Readonly<Record<PeerWork, string>> = { copy: '', backup: 'Backup of ', restore: 'Restore of ' };

function titleOf({ work, mailName, mail, rttMs, tls }: CellResult): string {
  const size = `${mail.messages.toLocaleString('en-US')} messages, ${(mail.bytes / 1e6).toFixed(0)} MB, ${mail.folders} folders`;
  return `${titles[work]}${mailName.toUpperCase()} (${size}), RTT ${rttMs}${rttMs === 0 ? '' : ' ms'}${tls ? ', TLS' : ''}`;
}

function methodLines(results: PeerResults): string[] {
  const kilobytes = (bytes: number) => `${(bytes / 1024).toLocaleString('en-US')} KB`;
  const distributions = Object.entries(mails).map(
    ([name, { seed, medianBytes, sigma }]) =>
      `${name.toUpperCase()} median ${kilobytes(medianBytes)}, sigma ${sigma}, seed ${seed}`,
  );
  const { minBytes, maxBytes } = mails.small;
  const onDisk = results.cells.filter(({ inMemory }) => !inMemory).map(({ name }) => name);
  return [
    'Two private Dovecots, sdbox, `mail_fsync = never`; their mail is in memory' +
      `${onDisk.length === 0 ? '' : `, except in ${onDisk.join(' and ')}, for which it was too small`}.`,
    `Sizes are log-normal (${distributions.join('; ')}), from ${minBytes} bytes to ${kilobytes(maxBytes)}; ` +
      'always the same messages. System flags, internal dates.',
    'Every run is a process of its own that copies into an empty account, the contenders in turns. Wall time is from its ' +
      'start to its exit; CPU time and peak memory are what `wait4` says. Medians; of the memory peaks the highest.',
    'After every run the account is read back by an independent client: bodies (SHA-256), flags and dates of every message, ' +
      'per folder, as multisets. The header line that mbsync adds is left out of that.',
    'The floors forward FETCH literals into MULTIAPPENDs of 100 messages or 4 MB while they come in, everything pipelined, ' +
      'up to sixteen unanswered: no journal, no digests, no plan. imap-migrate runs with its default options.',
    ...backupLines(results),
    ...conditionLines(results),
  ];
}

function backupLines({ cells, fileSystem }: PeerResults): string[] {
  if (cells.every(({ work }) => work === 'copy')) return [];
  return [
    `Trees of a backup are all on the disk that holds the journals${fileSystem === null ? '' : ` (${fileSystem})`}; what was ` +
      'written before is flushed before each run. With fsync: mbsync `FSync yes`, which waits for every message, and ' +
      'imap-migrate `--fsync batch`, which waits for each batch before it counts as copied; both are the defaults. Without: ' +
      '`FSync no` and `--fsync never`.',
    'After every backup the files are read by code of the bench: the bodies of all messages are those of the account, as ' +
      'multisets. Line ends are compared as equal, since mbsync stores LF; imap-migrate stores what the server sent.',
  ];
}

/** What the machine made of the journals and of the lines. */
export function conditionLines({ cells, commitMs, windowBytes, rates }: PeerResults): string[] {
  const journals = `Journals are on disk: a write that has to reach it takes ${commitMs.toFixed(2)} ms.`;
  if (rates === null) return [journals];
  const measured = cells
    .filter(({ rttMs, measuredRttMs }) => rttMs > 0 && !Number.isNaN(measuredRttMs))
    .map(({ rttMs, measuredRttMs }) => `${rttMs} ms are ${measuredRttMs.toFixed(1)} ms`);
  const gigabytes = (rate: number) => `${(rate / 1e9).toFixed(1)} GB/s`;
  return [
    journals,
    'A round trip time is between the client and each server: a process of its own in front of each holds every byte back ' +
      `for half of it${windowBytes === null ? '' : `, with ${windowBytes} bytes under way at most`}; at RTT 0 there is none. ` +
      `Measured with NOOP, ${[...new Set(measured)].join(', ')}. One connection carries ${gigabytes(rates.direct)} directly, ` +
      `${gigabytes(rates.proxied)} through such a process without delay, ${gigabytes(rates.delayed)} with 80 ms.`,
  ];
}

export function missingLines({ missing }: PeerResults): string[] {
  return missing.map((sentence) => `Not measured: ${sentence}.`);
}
