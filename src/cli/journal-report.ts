/**
 * `imap-migrate status`: what the journals know, without asking any server.
 */
import { toDisplay } from '../display.ts';
import { worstExitCode } from '../errors.ts';
import type { JournalStatus } from '../journal-status.ts';
import { formatCount, formatMoment } from './format.ts';
import { type OptionValues, toStateDir } from './options.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';

type ReadableJournal = Extract<JournalStatus, { readonly kind: 'readable' }>;

/** One journal as the event `status` tells it: sums, no folder names. */
export type JournalEntry =
  | (Omit<ReadableJournal, 'kind' | 'folders'> & { readonly folders: number })
  | (Omit<Extract<JournalStatus, { readonly kind: 'unreadable' }>, 'kind'> & { readonly state: 'unreadable' });

/** Shows every journal in the state directory. A damaged one is named and hides no other; its exit code is the result. */
export async function runStatus(session: Session, options: OptionValues): Promise<number> {
  const { io } = session;
  const stateDir = toStateDir(options, io);
  const journals = await io.engine.readJournalStatus(stateDir);
  for (const journal of journals) session.emit({ kind: 'status', journal: toEntry(journal) });
  if (journals.length === 0) {
    session.report([`no journals in ${toDisplay(stateDir)}: nothing was migrated with this --state yet`]);
    return worstExitCode([]);
  }
  const readable = journals.filter((journal) => journal.kind === 'readable');
  const unreadable = journals.filter((journal) => journal.kind === 'unreadable');
  if (readable.length > 0) session.report(journalTable(session, readable));
  session.problem(...unreadable.map(({ problem }) => toDisplay(problem)));
  return worstExitCode(unreadable.map(({ exitCode }) => exitCode));
}

function toEntry(journal: JournalStatus): JournalEntry {
  if (journal.kind === 'unreadable') {
    const { file, problem, exitCode } = journal;
    return { file, state: 'unreadable', problem, exitCode };
  }
  const { kind: _, folders, ...known } = journal;
  return { ...known, folders: folders.length };
}

function journalTable(session: Session, journals: readonly ReadableJournal[]): string[] {
  const style = session.reportStyle;
  return renderTable(
    [
      { title: 'Source', shrinks: true },
      { title: 'Target', shrinks: true },
      { title: 'State' },
      { title: 'Folders finished', align: 'right' },
      { title: 'Messages', align: 'right' },
      { title: 'Open intents', align: 'right' },
      { title: 'Last write' },
    ],
    journals.map((journal) => [
      toDisplay(journal.source),
      toDisplay(journal.target),
      stateWord(journal),
      `${formatCount(journal.finished)} of ${formatCount(journal.folders.length)}`,
      formatCount(journal.messages),
      formatCount(journal.intents),
      formatMoment(new Date(journal.lastWrite)),
    ]),
    { style, maxWidth: session.reportColumns },
  );
}

function stateWord({ state, holder }: ReadableJournal): string {
  return holder === null ? state : `${state} (process ${holder.pid})`;
}
