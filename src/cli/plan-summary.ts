/**
 * The plan as people read it.
 */
import { toDisplay } from '../display.ts';
import type { JobPlan, PlannedFolder } from '../job.ts';
import { formatBytes, formatCount, formatNoun } from './format.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';

const actions: Readonly<Record<PlannedFolder['action'], string>> = {
  copy: 'copy',
  create: 'create',
  'name-only': 'name only',
  flags: 'flags only',
  unchanged: 'unchanged',
};

const reasons: Readonly<Record<PlannedFolder['reason'], string>> = {
  inbox: 'INBOX',
  'special-use': 'special use',
  map: '--map',
  name: 'same name',
};

/** The table of folders for `imap-migrate plan`. */
export function planTable(session: Session, plan: JobPlan): string[] {
  const totals = planTotals(plan);
  return renderTable(
    [
      { title: 'From', shrinks: true },
      { title: 'To', shrinks: true },
      { title: 'Action' },
      { title: 'Because of' },
      { title: 'Messages', align: 'right' },
      { title: 'Already there', align: 'right' },
      { title: 'Size', align: 'right' },
    ],
    plan.folders.map((folder) => [
      toDisplay(folder.source),
      toDisplay(folder.target),
      actions[folder.action],
      folder.reason === 'special-use' && folder.specialUse !== null
        ? toDisplay(folder.specialUse)
        : reasons[folder.reason],
      folder.messages === null ? '' : formatCount(folder.messages),
      formatCount(folder.alreadyThere),
      folder.action === 'name-only' ? '' : formatBytes(folder.bytes),
    ]),
    {
      style: session.reportStyle,
      maxWidth: session.reportColumns,
      footer: [
        formatNoun(plan.folders.length, 'folder'),
        '',
        '',
        '',
        formatCount(totals.messages),
        formatCount(totals.alreadyThere),
        formatBytes(totals.bytes),
      ],
    },
  );
}

/** What the plan cannot or will not do: whole sentences that name their folder, printable. */
export function planProblems(plan: JobPlan): { readonly errors: string[]; readonly notes: string[] } {
  const lines = (severity: 'error' | 'note') =>
    plan.problems
      .filter((problem) => problem.severity === severity)
      .map((problem) => `${severity}: ${toDisplay(problem.message)}`);
  return { errors: lines('error'), notes: lines('note') };
}

/** `14 folders, 1,234 messages (12 MB), 3 folders to create; the order inside folders is kept`. */
export function planSentence(plan: JobPlan): string {
  const totals = planTotals(plan);
  const created = plan.folders.filter((folder) => folder.action === 'create').length;
  const size = totals.bytes === null ? '' : ` (${formatBytes(totals.bytes)})`;
  const known = totals.alreadyThere > 0 ? `, ${formatCount(totals.alreadyThere)} of them already there` : '';
  const order = plan.keepsOrder ? 'the order inside folders is kept' : 'the order inside folders is not kept';
  return (
    `${formatNoun(plan.folders.length, 'folder')}, ${formatNoun(totals.messages, 'message')}${size}${known}, ` +
    `${formatNoun(created, 'folder')} to create; ${order}`
  );
}

function planTotals(plan: JobPlan) {
  let messages = 0;
  let alreadyThere = 0;
  let bytes: number | null = 0;
  for (const folder of plan.folders) {
    messages += folder.messages ?? 0;
    alreadyThere += folder.alreadyThere;
    if (folder.action === 'name-only') continue;
    // One folder of unknown size makes the sum unknown.
    bytes = bytes === null || folder.bytes === null ? null : bytes + folder.bytes;
  }
  return { messages, alreadyThere, bytes };
}
