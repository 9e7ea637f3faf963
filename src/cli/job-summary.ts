/**
 * What a finished job leaves on the screen: a table, what went wrong, one verdict.
 */
import { toDisplay } from '../display.ts';
import type { FolderReport, JobReport } from '../job.ts';
import { FolderColumns } from './folder-columns.ts';
import { formatBytes, formatCount, formatNoun, formatSeconds } from './format.ts';
import { maxListed, mixed, moreLine } from './listing.ts';
import { describeRefusal, type Session } from './session.ts';
import { renderTable } from './table.ts';

/** Rows of folders with nothing to do are folded into one when there are more than this. */
const maxIdleRows = 3;

/** Tells how the job went, in words, on stderr. */
export function tellJobSummary(session: Session, report: JobReport): void {
  const { options } = session;
  session.notice('', ...folderTable(session, report), '');
  const refusals = report.folders.flatMap((folder) => folder.refused);
  if (refusals.length > 0) {
    const causes = countBy(refusals, (refusal) => toDisplay(refusal.code));
    const listed = mixed(refusals, (refusal) => refusal.code).slice(0, maxListed);
    session.problem(
      `Refused: ${causes.map(([code, count]) => `${formatCount(count)} ${code}`).join(', ')}`,
      ...listed.map((refusal) => `  ${describeRefusal(refusal)}`),
      ...moreLine(refusals.length - listed.length, options.json),
    );
  }
  const lost = lostFlags(report.folders);
  if (lost.length > 0) session.problem(`The target does not keep these flags: ${lost.join(', ')}`);
  if (report.flagsChanged > 0) {
    session.notice(
      `${formatNoun(report.flagsChanged, 'message')} copied earlier got the flags they now have at the source.`,
    );
  }
  if (report.deleted > 0) {
    session.notice(`${formatNoun(report.deleted, 'message')} that the source has no more were deleted (--mirror).`);
  }
  if (report.gone > 0) {
    session.notice(`${formatNoun(report.gone, 'message')} disappeared from the source while the job ran.`);
  }
  if (report.resent > 0) {
    const they = report.resent === 1 ? 'it stands after its neighbours' : 'they stand after their neighbours';
    session.notice(`${formatNoun(report.resent, 'message')} had to be sent again after a refused batch: ${they}.`);
  }
  for (const { side, account, why, times, seconds } of report.pauses) {
    const waits = formatNoun(times, 'time');
    session.notice(toDisplay(`${side} ${account} was waited for ${waits}, ${formatSeconds(seconds)} in all: ${why}.`));
  }
  if (!report.keptOrder) session.notice('The order of messages inside a folder was not kept (see --order).');
  const notes = report.folders.flatMap((folder) => folder.notes.map((note) => toDisplay(`${folder.source}: ${note}`)));
  session.notice(...notes.slice(0, maxListed), ...moreLine(notes.length - maxListed, options.json));
  session.remindOf(report.warnings);
}

/** `complete: …`, `partial: …`: one line that is true without colour, symbols and context. */
export function tellJobVerdict(session: Session, report: JobReport): void {
  const done = `${formatNoun(report.copied, 'message')} copied (${formatBytes(report.bytes)} in ${formatSeconds(report.seconds)})`;
  const there = `${formatCount(report.alreadyThere)} already there`;
  switch (report.verdict) {
    case 'complete':
      session.verdict(`complete: ${done}, ${there}, none refused`, 'good');
      return;
    case 'partial':
      session.verdict(`partial: ${done}, ${there}, ${formatCount(report.refused)} refused`, 'warning');
      return;
    case 'stopped':
      session.verdict(`stopped: ${done}, ${there}; run the same command again to go on`, 'warning');
      return;
    case 'failed': {
      const why = report.failure === null ? 'the job could not go on' : toDisplay(report.failure.message);
      const before = report.folders.length === 0 ? 'nothing was copied' : `${done}, ${there}`;
      session.verdict(`failed: ${why} (${before})`, 'bad');
      return;
    }
    case 'parked': {
      const why = toDisplay(report.failure?.message ?? 'a server wants to be left alone');
      session.verdict(
        `parked: ${done}, ${there}; ${why}. The same command goes on then, and with --wait it does so by itself`,
        'warning',
      );
      return;
    }
    default:
      report.verdict satisfies never;
  }
}

/** A row per folder in which something happened. What did not happen at all has no column; the verdict says so. */
function folderTable(session: Session, report: JobReport): string[] {
  const { style, io, options } = session;
  const idle = report.folders.filter((folder) => isIdle(folder));
  const folded = idle.length > maxIdleRows && !options.verbose ? idle : [];
  const shown = folded.length === 0 ? report.folders : report.folders.filter((folder) => !isIdle(folder));
  const names = new FolderColumns(shown);
  const withThere = report.alreadyThere > 0;
  const withGone = report.gone > 0;
  const withRefused = report.refused > 0;
  const row = (
    name: readonly string[],
    counts: Omit<FolderReport, 'refused'> | JobReport,
    refused: number,
    seconds: number,
  ) => [
    ...name,
    formatCount(counts.copied),
    ...(withThere ? [formatCount(counts.alreadyThere)] : []),
    ...(withGone ? [formatCount(counts.gone)] : []),
    ...(withRefused ? [formatCount(refused)] : []),
    formatBytes(counts.bytes),
    formatSeconds(seconds),
  ];
  const rows = shown.map((folder) => row(names.cells(folder), folder, folder.refused.length, folder.seconds));
  if (folded.length > 0) {
    const there = folded.reduce((sum, folder) => sum + folder.alreadyThere, 0);
    const name = names.text(`(${formatNoun(folded.length, 'folder')} without news)`);
    rows.push([...name, '0', ...(withThere ? [formatCount(there)] : [])]);
  }
  const right = (title: string) => ({ title, align: 'right' }) as const;
  return renderTable(
    [
      ...names.columns,
      right('Copied'),
      ...(withThere ? [right('Already there')] : []),
      ...(withGone ? [right('Gone')] : []),
      ...(withRefused ? [right('Refused')] : []),
      right('Size'),
      right('Time'),
    ],
    rows,
    {
      style,
      maxWidth: io.stderr.isTTY === true ? (io.stderr.columns ?? 80) : null,
      footer: row(names.text(formatNoun(report.folders.length, 'folder')), report, report.refused, report.seconds),
    },
  );
}

function isIdle(folder: FolderReport): boolean {
  return (
    folder.copied === 0 &&
    folder.refused.length === 0 &&
    folder.gone === 0 &&
    folder.flagsChanged === 0 &&
    folder.deleted === 0 &&
    folder.notes.length === 0
  );
}

/** `\Flagged (12 messages)`, over all folders. */
function lostFlags(folders: readonly FolderReport[]): string[] {
  const lost = new Map<string, number>();
  for (const folder of folders) {
    for (const [flag, count] of Object.entries(folder.lostFlags)) lost.set(flag, (lost.get(flag) ?? 0) + count);
  }
  return [...lost].map(([flag, count]) => `${toDisplay(flag)} (${formatNoun(count, 'message')})`);
}

/** How often each `key` occurs, the most frequent first. */
function countBy<Item>(items: readonly Item[], key: (item: Item) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
