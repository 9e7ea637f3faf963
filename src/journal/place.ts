/**
 * The directory a journal lives in.
 */

import { mkdirSync } from 'node:fs';
import { stateError } from './failure.ts';
import { fileSystemOf as fileSystemOfSystem, networkName } from './file-system.ts';
import type { FileSystem, JournalPlace } from './types.ts';

/** What people call the directory, and what they can do. */
const words = {
  state: {
    what: 'the state directory',
    elsewhere: 'choose another one with --state DIR',
    local: 'choose a directory on a local disk with --state DIR',
  },
  tree: {
    what: 'the directory of the manifest',
    elsewhere: 'see to it, or choose another target',
    local: 'back up to a local disk, and copy the tree from there when nothing is writing to it',
  },
} as const;

/**
 * Makes the directory, readable by its owner only, where it is missing.
 * @throws MigrateError (exit 10) where it cannot be made, or lies on a file system that journals cannot live on
 */
export function preparePlace(
  { kind, directory }: JournalPlace,
  fileSystemOf: (directory: string) => FileSystem = fileSystemOfSystem,
): void {
  const { what, elsewhere, local } = words[kind];
  let network: string | null;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    network = networkName(fileSystemOf(directory));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw stateError(`cannot use ${what} ${directory}: ${reason}; ${elsewhere}`, error);
  }
  if (network === null) return;
  const journal = kind === 'tree' ? 'the manifest, which is the journal of the backup' : 'the journal';
  throw stateError(
    `${what} ${directory} is on a network file system (${network}), where a crash could damage ${journal}: ${local}`,
  );
}
