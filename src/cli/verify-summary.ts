/**
 * What `verify` found, as people read it.
 */
import { toDisplay } from '../display.ts';
import type { Difference, VerifyReport } from '../job.ts';
import { formatCount, formatNoun, formatSeconds } from './format.ts';
import { maxListed, moreLine } from './job-summary.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';

const kinds: Readonly<Record<Difference['kind'], string>> = {
  missing: 'missing at the target',
  extra: 'only at the target',
  content: 'other content',
  flags: 'other flags',
  date: 'other date',
  'folder-missing': 'folder missing',
  unreadable: 'not readable',
};

/** The report of `imap-migrate verify`: a row per folder, and the first differences. */
export function verifyTable(session: Session, report: VerifyReport): string[] {
  const { symbols } = session.reportStyle;
  const lines = renderTable(
    [
      { title: 'Folder', shrinks: true },
      { title: 'Source', align: 'right' },
      { title: 'Target', align: 'right' },
      { title: 'Differences', align: 'right' },
    ],
    report.folders.map((folder) => [
      toDisplay(folder.source === folder.target ? folder.source : `${folder.source} ${symbols.arrow} ${folder.target}`),
      formatCount(folder.sourceMessages),
      formatCount(folder.targetMessages),
      formatCount(folder.differences),
    ]),
    { style: session.reportStyle, maxWidth: session.reportColumns },
  );
  return lines;
}

/** The differences, one line each, the first ones only. */
export function differenceLines(session: Session, report: VerifyReport): string[] {
  const listed = report.differences.slice(0, maxListed);
  return [
    ...listed.map((difference) => `  ${describeDifference(difference)}`),
    ...moreLine(report.differences.length - listed.length, session.options.json),
  ];
}

function describeDifference(difference: Difference): string {
  const uids = [
    difference.sourceUid === null ? '' : `, UID ${difference.sourceUid}`,
    difference.targetUid === null ? '' : `, at the target UID ${difference.targetUid}`,
  ].join('');
  return toDisplay(`${difference.folder}${uids}: ${kinds[difference.kind]}: ${difference.message}`);
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
