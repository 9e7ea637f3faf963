/**
 * The front door of the journal: what a pair of accounts' earlier runs came to, and what this one does.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { JournalClient } from './client.ts';
import { startHost } from './host.ts';
import { journalFile, journalSuffix, placeOf } from './names.ts';
import { preparePlace } from './place.ts';
import type { OpenedJournal, OpenSettings } from './service.ts';
import type { Journal, JournalPlace, OpenOptions } from './types.ts';

export type { LockHolder } from './lock.ts';
export { journalFile } from './names.ts';
export type { OpenedJournal } from './service.ts';
export type * from './types.ts';
export { verdictKinds } from './types.ts';

/**
 * Opens the journal of a pair of accounts, or a tree's, making it and its directory where they are missing, and takes the
 * lock on the target. Everything in the journal is checked before this resolves, on the journal's thread.
 * @throws MigrateError (exit 2) when a tree is the backup of another source, (exit 8) when another run has the lock,
 * (exit 9) when the journal is damaged, newer or another pair's, (exit 10) when the directory or the disk refuses
 */
export async function openJournal(
  place: JournalPlace,
  source: string,
  target: string,
  options: OpenOptions = {},
): Promise<Journal> {
  preparePlace(place, options.fileSystemOf);
  const { rebuild = false } = options;
  const file = journalFile(place, source, target);
  return (await start({ mode: 'write', place, file, source, target, rebuild }, options)).journal;
}

/**
 * The journal an earlier run left, or one is writing, to be read only; `null`: none. Takes no lock, makes no journal, and
 * shows one and the same moment until it is disposed of. One that is being written shows as a `crash`, which it may become.
 * @throws MigrateError (exit 2, 9, 10) as `openJournal`
 */
export async function peekJournal(
  place: JournalPlace,
  source: string,
  target: string,
  options: Pick<OpenOptions, 'inline'> = {},
): Promise<Journal | null> {
  const file = journalFile(place, source, target);
  if (!existsSync(file) && !existsSync(`${file}-wal`)) return null;
  return (await start({ mode: 'read', place, file, owner: { source, target } }, options)).journal;
}

/** Reads what a journal tells of itself, whoever's it is. @throws MigrateError (exit 9, 10) as `openJournal` */
export async function inspectJournal(file: string, options: Pick<OpenOptions, 'inline'> = {}): Promise<OpenedJournal> {
  const { journal, opened } = await start({ mode: 'read', place: placeOf(file), file, owner: null }, options);
  await journal[Symbol.asyncDispose]();
  return opened;
}

/** The journals in a state directory, sorted by name; none where it is missing. @throws what Node throws */
export function journalFiles(stateDir: string): string[] {
  if (!existsSync(stateDir)) return [];
  const names = readdirSync(stateDir).filter((name) => name.endsWith(journalSuffix));
  return names.sort().map((name) => join(stateDir, name));
}

async function start(
  settings: OpenSettings,
  options: Pick<OpenOptions, 'inline'>,
): Promise<{ readonly journal: Journal; readonly opened: OpenedJournal }> {
  const host = startHost(options.inline ?? null);
  try {
    const opened = await host.call('open', settings);
    const readOnly = settings.mode === 'read';
    return { journal: new JournalClient(host, settings.file, opened, { readOnly }), opened };
  } catch (error) {
    await host.end();
    throw error;
  }
}
