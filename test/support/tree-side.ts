import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TreeSettings } from '../../src/account.ts';
import type { TreeFormat } from '../../src/archive/store.ts';
import { findTree } from '../../src/archive/tree.ts';

/** A directory for trees, gone when the test is. */
export class TreeRoom implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'trees-'));

  /** A tree as one side of a job; made where it is not there. */
  tree(name: string, format: TreeFormat | null = null, changes: Partial<TreeSettings> = {}): TreeSettings {
    const place = findTree({ format, path: join(this.directory, name) }, { create: true });
    return {
      format: place.format,
      path: place.root,
      stateDirectory: place.stateDirectory,
      includeGone: false,
      fsync: 'batch',
      storeCompress: 'none',
      layout: 'maildir++',
      ...changes,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
