/** What the manifest of a tree tells of the messages in a folder, by their UIDs. */
export interface MessageRecord {
  /** As the source had them. */
  readonly flags: readonly string[];
  /** INTERNALDATE as the source wrote it; `null`: it is not known. */
  readonly internalDate: string | null;
  /** The source has it no more. */
  readonly gone: boolean;
}

export interface FolderRecords {
  /** `null`: it is not in the manifest. */
  find(uid: number): MessageRecord | null;
}

/** Nothing is known: the tree has no manifest, or not yet. */
export const noRecords: FolderRecords = { find: () => null };
