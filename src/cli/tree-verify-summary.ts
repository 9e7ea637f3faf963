/**
 * What `verify` of a backup found, as people read it.
 */
import { toDisplay } from '../display.ts';
import type { TreeVerifyReport } from '../job.ts';
import { formatCount, formatNoun, formatSeconds } from './format.ts';
import { maxListed, mixed, moreLine } from './listing.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';

/** A row per folder; what is as it should be has no column. */
export function treeVerifyTable(session: Session, { folders }: TreeVerifyReport): string[] {
  const shows = (count: 'unproved' | 'foreign') => folders.some((folder) => folder[count] > 0);
  const [showUnproved, showForeign] = [shows('unproved'), shows('foreign')];
  return renderTable(
    [
      { title: 'Folder', shrinks: true },
      { title: 'Messages', align: 'right' },
      { title: 'Intact', align: 'right' },
      ...(showUnproved ? [{ title: 'No digest', align: 'right' } as const] : []),
      ...(showForeign ? [{ title: 'Other mail', align: 'right' } as const] : []),
      { title: 'Damages', align: 'right' },
    ],
    folders.map(({ folder, messages, intact, unproved, foreign, damages }) => [
      toDisplay(folder),
      formatCount(messages),
      formatCount(intact),
      ...(showUnproved ? [formatCount(unproved)] : []),
      ...(showForeign ? [formatCount(foreign)] : []),
      formatCount(damages),
    ]),
    { style: session.reportStyle, maxWidth: session.reportColumns },
  );
}

/** The damages, one line each: some of every kind, not all of them. */
export function damageLines(session: Session, { damages }: TreeVerifyReport): string[] {
  const listed = mixed(damages, ({ kind }) => kind).slice(0, maxListed);
  return [
    ...listed.map(({ kind, folder, uid, file, message }) => {
      const where = file ?? `${folder}, UID ${uid}`;
      return toDisplay(`  ${kind}: ${where}: ${message}`);
    }),
    ...moreLine(damages.length - listed.length, session.options.json),
  ];
}

/** `intact: …`, `damaged: …`. */
export function tellTreeVerdict(
  session: Session,
  { verdict, folders, damages, source, seconds }: TreeVerifyReport,
): void {
  const sum = (count: 'messages' | 'intact' | 'unproved' | 'foreign') =>
    folders.reduce((total, folder) => total + folder[count], 0);
  const read = `${formatNoun(sum('messages'), 'message')} in ${formatNoun(folders.length, 'folder')}`;
  const whose = `backup of ${toDisplay(source)}`;
  switch (verdict) {
    case 'intact': {
      const unproved = sum('unproved') === 0 ? '' : `; of ${formatCount(sum('unproved'))} there is no digest`;
      const foreign = sum('foreign') === 0 ? '' : `; ${formatCount(sum('foreign'))} came there by other means`;
      session.verdict(
        `intact: ${whose}, ${read}, every byte as it was stored, in ${formatSeconds(seconds)}${unproved}${foreign}`,
        'good',
      );
      return;
    }
    case 'damaged':
      session.verdict(`damaged: ${whose}, ${formatNoun(damages.length, 'message')} of ${read}`, 'bad');
      return;
    case 'stopped':
      session.verdict(`stopped: ${read} read so far, nothing is proved`, 'warning');
      return;
    default:
      verdict satisfies never;
  }
}
