/**
 * The front door of the journal: what a pair of accounts' earlier runs came to, and what this one does.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { JournalClient } from './client.ts';
import { startHost } from './host.ts';
import { journalFile, journalSuffix } from './names.ts';
import type { OpenedJournal, OpenSettings } from './service.ts';
import { prepareStateDirectory } from './state-directory.ts';
import type { Journal, OpenOptions } from './types.ts';

export type { LockHolder } from './lock.ts';
export { journalFile } from './names.ts';
export type { OpenedJournal } from './service.ts';
export type * from './types.ts';
export { verdictKinds } from './types.ts';

/**
 * Opens the journal of a pair of accounts in `stateDir`, making both where they are missing, and takes the lock on the
 * target account. Everything in the journal is checked before this resolves, on the journal's thread.
 * @throws MigrateError (exit 8) when another run has the lock, (exit 9) when the journal is damaged, newer or another
 * pair's, (exit 10) when the directory or the disk refuses
 */
export async function openJournal(
  stateDir: string,
  source: string,
  target: string,
  options: OpenOptions = {},
): Promise<Journal> {
  prepareStateDirectory(stateDir, options.fileSystemOf);
  const { rebuild = false } = options;
  const file = journalFile(stateDir, source, target);
  return (await start({ mode: 'write', file, source, target, rebuild }, options)).journal;
}

/**
 * The journal an earlier run left, or one is writing, to be read only; `null`: none. Takes no lock, makes no journal, and
 * shows one and the same moment until it is disposed of. One that is being written shows as a `crash`, which it may become.
 * @throws MigrateError (exit 9, 10) as `openJournal`
 */
export async function peekJournal(
  stateDir: string,
  source: string,
  target: string,
  options: Pick<OpenOptions, 'inline'> = {},
): Promise<Journal | null> {
  const file = journalFile(stateDir, source, target);
  if (!existsSync(file) && !existsSync(`${file}-wal`)) return null;
  return (await start({ mode: 'read', file, owner: { source, target } }, options)).journal;
}

/** Reads what a journal tells of itself, whoever's it is. @throws MigrateError (exit 9, 10) as `openJournal` */
export async function inspectJournal(file: string, options: Pick<OpenOptions, 'inline'> = {}): Promise<OpenedJournal> {
  const { journal, opened } = await start({ mode: 'read', file, owner: null }, options);
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
