/**
 * What `verify` found, as people read it.
 */
import { toDisplay } from '../display.ts';
import type { Difference, VerifyReport } from '../job.ts';
import { FolderColumns } from './folder-columns.ts';
import { formatCount, formatNoun, formatSeconds } from './format.ts';
import { maxListed, mixed, moreLine } from './listing.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';

/**
 * The report of `imap-migrate verify`: a row per folder. What else the target holds has a column only where there is such
 * mail: it is what makes the counts of equal folders differ.
 */
export function verifyTable(session: Session, report: VerifyReport): string[] {
  const names = new FolderColumns(report.folders);
  const showForeign = report.folders.some(({ foreign }) => foreign > 0);
  return renderTable(
    [
      ...names.columns,
      { title: 'Source', align: 'right' },
      { title: 'Target', align: 'right' },
      ...(showForeign ? [{ title: 'Other mail', align: 'right' } as const] : []),
      { title: 'Differences', align: 'right' },
    ],
    report.folders.map((folder) => [
      ...names.cells(folder),
      formatCount(folder.sourceMessages),
      formatCount(folder.targetMessages),
      ...(showForeign ? [formatCount(folder.foreign)] : []),
      formatCount(folder.differences),
    ]),
    { style: session.reportStyle, maxWidth: session.reportColumns },
  );
}

/** The differences, one line each: some of every kind, not all of them. */
export function differenceLines(session: Session, report: VerifyReport): string[] {
  const listed = mixed(report.differences, (difference) => difference.kind).slice(0, maxListed);
  return [
    ...listed.map((difference) => `  ${describeDifference(difference)}`),
    ...moreLine(report.differences.length - listed.length, session.options.json),
  ];
}

function describeDifference(difference: Difference): string {
  const { folder, sourceUid, targetUid, message } = difference;
  const source = sourceUid === null ? '' : `, UID ${sourceUid}`;
  const target = targetUid === null ? '' : `, target UID ${targetUid}`;
  return toDisplay(`${folder}${source}${target}: ${message}`);
}

/** `identical: …`, `different: …`: one line that is true without colour, symbols and context. */
export function tellVerifyVerdict(session: Session, report: VerifyReport, stopped: boolean): void {
  const compared = `${formatNoun(report.compared, 'message')} in ${formatNoun(report.folders.length, 'folder')}`;
  const how = report.digest ? 'flags, dates and SHA-256 of every body' : 'counts, flags and dates';
  const took = `in ${formatSeconds(report.seconds)}`;
  if (stopped) {
    session.verdict(`stopped: ${compared} compared so far, nothing is proved`, 'warning');
    return;
  }
  switch (report.verdict) {
    case 'identical': {
      const bodies = report.digest ? '' : '; bodies were not read (--digest does)';
      session.verdict(`identical: ${compared} compared by ${how} ${took}${bodies}`, 'good');
      return;
    }
    case 'different':
      session.verdict(
        `different: ${formatNoun(report.differences.length, 'difference')}; ${compared} compared by ${how}`,
        'bad',
      );
      return;
    case 'failed':
      session.verdict(
        `failed: ${report.failure === null ? 'the comparison could not go on' : toDisplay(report.failure.message)}`,
        'bad',
      );
      return;
    default:
      report.verdict satisfies never;
  }
}
