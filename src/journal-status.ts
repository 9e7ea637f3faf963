/**
 * What the journals in a state directory know, for `status`.
 */

import { exitCodes, MigrateError } from './errors.ts';
import { inspectJournal, type JournalFolder, journalFile, journalFiles, type LockHolder } from './journal/index.ts';

/** One journal, as it is now. */
export type JournalStatus =
  | {
      readonly kind: 'readable';
      readonly file: string;
      readonly source: string;
      readonly target: string;
      /**
       * `running`: a run is writing it · `clean`: the last run ended in an orderly way · `crash`: it did not, or what it
       * left is not settled yet · `new`: nothing was ever written.
       */
      readonly state: 'running' | 'clean' | 'crash' | 'new';
      /** Who is writing it; `null`: nobody, or somebody who has not said so yet. */
      readonly holder: LockHolder | null;
      /** UTC, ISO 8601. */
      readonly lastWrite: string;
      readonly folders: readonly JournalFolder[];
      /** Sums over `folders`. */
      readonly messages: number;
      readonly intents: number;
      /** Folders that were brought to their end. */
      readonly finished: number;
    }
  | {
      readonly kind: 'unreadable';
      readonly file: string;
      /** What is wrong and what to do, in one sentence. */
      readonly problem: string;
      readonly exitCode: number;
    };

/**
 * Reads every journal in `stateDir`, sorted by file name, or only the one of `source` and `target`; nothing where there is
 * none. Creates nothing, takes no lock; a damaged journal is one row of the result and stops nothing.
 * @throws MigrateError (exit 10) when the directory cannot be read
 */
export async function readJournalStatus(stateDir: string, source?: string, target?: string): Promise<JournalStatus[]> {
  const place = { kind: 'state', directory: stateDir } as const;
  const wanted = source === undefined || target === undefined ? null : journalFile(place, source, target);
  const statuses: JournalStatus[] = [];
  for (const file of listFiles(stateDir)) {
    if (wanted === null || file === wanted) statuses.push(await readStatus(file));
  }
  return statuses;
}

function listFiles(stateDir: string): string[] {
  try {
    return journalFiles(stateDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrateError('STATE', exitCodes.disk, `cannot read the state directory ${stateDir}: ${reason}`, {
      cause: error,
    });
  }
}

async function readStatus(file: string): Promise<JournalStatus> {
  try {
    const { state, source, target, folders, lastCommitAt, otherRun } = await inspectJournal(file);
    const isRunning = otherRun === 'unknown' || otherRun?.source === source;
    return {
      kind: 'readable',
      file,
      source,
      target,
      state: isRunning ? 'running' : state,
      holder: isRunning && otherRun !== 'unknown' ? otherRun : null,
      lastWrite: lastCommitAt,
      folders,
      messages: sumOf(folders, ({ messages }) => messages),
      intents: sumOf(folders, ({ intents }) => intents),
      finished: sumOf(folders, ({ finishedAt }) => (finishedAt === null ? 0 : 1)),
    };
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    return { kind: 'unreadable', file, problem: error.message, exitCode: error.exitCode };
  }
}

function sumOf(folders: readonly JournalFolder[], count: (folder: JournalFolder) => number): number {
  return folders.reduce((sum, folder) => sum + count(folder), 0);
}
