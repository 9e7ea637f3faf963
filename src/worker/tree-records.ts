import { existsSync } from 'node:fs';
import { type Manifest, type ManifestFolder, manifestFile, openManifest } from '../journal/manifest.ts';
import { internalDateToEpochMs, isFlag } from '../protocol/index.ts';

/** What the manifest of a tree tells of a message. */
export interface MessageRecord {
  /** As the source had them. */
  readonly flags: readonly string[];
  /** INTERNALDATE as the source wrote it; `null`: it is not known. */
  readonly internalDate: string | null;
  /** The source has it no more. */
  readonly gone: boolean;
}

/** What is known of the messages in a folder, by their UIDs in the tree. */
export interface FolderRecords {
  /** `null`: it is not in the manifest. */
  find(uid: number): MessageRecord | null;
}

/** What the files of a tree cannot tell of their messages and folders, as the manifest has it. */
export class TreeRecords {
  readonly #manifest: Manifest;

  private constructor(manifest: Manifest) {
    this.#manifest = manifest;
  }

  /** `null`: the tree has none. @throws MigrateError (exit 9, 10) */
  static open(stateDirectory: string): TreeRecords | null {
    const file = manifestFile(stateDirectory);
    return existsSync(file) ? new TreeRecords(openManifest(file)) : null;
  }

  folders(): readonly ManifestFolder[] {
    return this.#manifest.folders();
  }

  messages(name: string): FolderRecords {
    const { targetUids, flags, flagSets, internalDates, gone } = this.#manifest.messages(name);
    const rowOf = new Map(Array.from(targetUids, (uid, row) => [uid, row]));
    // Whoever wrote the file: what is told here becomes a part of commands.
    const flagLists = flagSets.map((text) => text.split(' ').filter(isFlag));
    return {
      find(uid) {
        const row = rowOf.get(uid);
        if (row === undefined) return null;
        return {
          flags: flagLists[flags[row] ?? 0] ?? [],
          internalDate: checkedDate(internalDates[row] ?? null),
          gone: gone[row] === 1,
        };
      },
    };
  }

  close(): void {
    this.#manifest.close();
  }
}

/** Nothing is known: the tree has no manifest, or not yet. */
export const noRecords: FolderRecords = { find: () => null };

function checkedDate(internalDate: string | null): string | null {
  return internalDate !== null && internalDateToEpochMs(internalDate) !== null ? internalDate : null;
}
