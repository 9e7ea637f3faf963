/**
 * The directory journals live in.
 */

import { mkdirSync } from 'node:fs';
import { stateError } from './failure.ts';
import { fileSystemOf as fileSystemOfSystem, networkName } from './file-system.ts';
import type { FileSystem } from './types.ts';

/**
 * Makes the directory, readable by its owner only, where it is missing.
 * @throws MigrateError (exit 10) where it cannot be made, or lies on a file system that journals cannot live on
 */
export function prepareStateDirectory(
  directory: string,
  fileSystemOf: (directory: string) => FileSystem = fileSystemOfSystem,
): void {
  let network: string | null;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    network = networkName(fileSystemOf(directory));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw stateError(
      `cannot use the state directory ${directory}: ${reason}; choose another one with --state DIR`,
      error,
    );
  }
  if (network === null) return;
  throw stateError(
    `the state directory ${directory} is on a network file system (${network}), where a crash could damage the journal: choose a directory on a local disk with --state DIR`,
  );
}
