/**
 * What the files of a journal are called. The readable part is for people, the hash keeps names apart.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';

export const journalSuffix = '.db';

/** The SQLite file of a pair of accounts. */
export function journalFile(stateDir: string, source: string, target: string): string {
  return join(stateDir, `${fileName(`${source}--${target}`, `${source}\n${target}`)}${journalSuffix}`);
}

/** The files of the lock on a target account: `lock` is locked, `holder` says by whom. */
export function lockFiles(stateDir: string, target: string): { readonly lock: string; readonly holder: string } {
  const name = join(stateDir, fileName(target, target));
  return { lock: `${name}.lock`, holder: `${name}.pid` };
}

function fileName(label: string, identity: string): string {
  const slug = label.replace(/[^A-Za-z0-9@.-]+/g, '_').slice(0, 100);
  return `${slug}-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`;
}
