/**
 * Names of a tree's folders as the rest of the program has them: segments joined with `/`, where a `/` inside a segment is
 * `%2F` and a `%` is `%25` (see `Naming.escaped`). Raw names are their UTF-8, one character a byte.
 */
import type { Naming } from '../plan/types.ts';
import type { FolderTask } from './contract.ts';

export const treeNaming: Naming = { delimiter: '/', prefix: '', escaped: true };

export function toRawName(name: string): string {
  return Buffer.from(name).toString('latin1');
}

/** The name of a folder as tasks give it. */
export function nameOf(name: FolderTask['targetName']): string {
  return 'raw' in name ? Buffer.from(name.raw, 'latin1').toString() : name.unicode;
}
