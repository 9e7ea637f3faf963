import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeSettings } from '../../src/account.ts';
import { openTree } from '../../src/archive/tree.ts';
import type { TreeVerifyReport } from '../../src/job.ts';
import { verifyTree } from '../../src/tree-verify.ts';

/** What `verify TREE` says. */
export function checkTree(tree: TreeSettings): Promise<TreeVerifyReport> {
  return verifyTree(tree, { onEvent: () => {}, signal: new AbortController().signal });
}

/** Names of files that are only there while a message or a manifest is being written, relative to the root. */
export function leftovers(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => /\.part$|(?:^|\/)tmp\/|\.imap-migrate-new-|\.mbox\.lock|\/format\./.test(file));
}

/** Deletes messages of a tree behind the program's back. */
export async function removeFromTree(tree: TreeSettings, name: string, uids: readonly number[]): Promise<void> {
  const store = await openTree({ ...tree, root: tree.path });
  const folder = await store.openFolder(name.split('/'), { forWriting: true });
  await folder.remove((await folder.list()).filter(({ uid }) => uid !== null && uids.includes(uid)));
  await folder.close();
}
