/**
 * A folder as the writer holds it, and what may happen to it. Pure but for the object's own fields.
 */

import type { FolderStatus, SpecialUse } from '../plan/types.ts';
import { isIntact, rowCrc, Tally } from './checksum.ts';
import type { Row } from './database.ts';
import { toStoredText } from './stored-text.ts';
import type { FolderAttributes, JournalFolder, OpenedFolder } from './types.ts';

/** Columns of the table `folders` without `crc`, in the order of `toColumns`. */
export const folderColumns = [
  'id',
  'source_name',
  'target_name',
  'source_uidvalidity',
  'target_uidvalidity',
  'fence',
  'in_doubt',
  'flags_modseq',
  'finished_messages',
  'finished_uidnext',
  'finished_uidvalidity',
  'finished_modseq',
  'finished_size',
  'messages',
  'messages_sum',
  'intents',
  'intents_sum',
  'special_use',
  'subscribed',
  'source_delimiter',
] as const;

type FolderRow = [
  id: number,
  sourceName: string,
  targetName: string,
  sourceUidValidity: number | null,
  targetUidValidity: number | null,
  fence: number | null,
  inDoubt: number,
  flagsModSeq: string | null,
  finishedMessages: number | null,
  finishedUidNext: number | null,
  finishedUidValidity: number | null,
  finishedModSeq: string | null,
  finishedSize: number | null,
  messages: number,
  messagesSum: number,
  intents: number,
  intentsSum: number,
  specialUse: SpecialUse | null,
  subscribed: number | null,
  sourceDelimiter: string | null,
];

/** A folder of which nobody has told more than its name. */
const noAttributes: FolderAttributes = { specialUse: null, subscribed: null, sourceDelimiter: null };

/** Target UIDs begin here (RFC 3501 2.3.1.1): a fence that leaves nothing out. */
const firstUid = 1;

export class FolderState {
  readonly id: number;
  readonly sourceRawName: string;
  readonly targetName: string;
  sourceUidValidity: number | null = null;
  targetUidValidity: number | null = null;
  fence: number | null = null;
  inDoubt = false;
  flagsModSeq: string | null = null;
  finishedAt: FolderStatus | null = null;
  attributes = noAttributes;
  messages = new Tally();
  intents = new Tally();
  /** The highest UID with a verdict; 0: there is none. */
  lastUid = 0;
  /** The rows its intents stand in, by their ids. */
  readonly openBatches = new Map<number, { readonly uids: Uint32Array; readonly crc: number }>();
  /** CRC of the row as it stands in the file; `null`: there is none. */
  storedCrc: number | null = null;

  constructor(id: number, sourceRawName: string, targetName: string) {
    this.id = id;
    this.sourceRawName = sourceRawName;
    this.targetName = targetName;
  }

  /** The folder of a row with its CRC at the end; `null`: the row is broken. An old one may end before the attributes. */
  static fromRow(row: Row): FolderState | null {
    if (!isIntact(row)) return null;
    // What the CRC confirms was written by `toColumns`.
    const [id, source, target, sourceUidValidity, targetUidValidity, fence, inDoubt, flagsModSeq, ...rest] = row.slice(
      0,
      -1,
    ) as unknown as FolderRow;
    const [messages, uidNext, uidValidity, highestModSeq, size, count, sum, intents, intentsSum, ...attributes] = rest;
    const [specialUse = null, subscribed = null, sourceDelimiter = null] = attributes;
    const folder = new FolderState(id, source, target);
    folder.sourceUidValidity = sourceUidValidity;
    folder.targetUidValidity = targetUidValidity;
    folder.fence = fence;
    folder.inDoubt = inDoubt !== 0;
    folder.flagsModSeq = flagsModSeq;
    folder.finishedAt = messages === null ? null : { messages, uidNext, uidValidity, highestModSeq, size };
    folder.attributes = {
      specialUse,
      subscribed: subscribed === null ? null : subscribed !== 0,
      sourceDelimiter,
    };
    folder.messages = new Tally(count, sum);
    folder.intents = new Tally(intents, intentsSum);
    folder.storedCrc = row.at(-1) as number;
    return folder;
  }

  /** Values for `folderColumns`. */
  toColumns(): FolderRow {
    const finished = this.finishedAt;
    const { specialUse, subscribed, sourceDelimiter } = this.attributes;
    return [
      this.id,
      this.sourceRawName,
      this.targetName,
      this.sourceUidValidity,
      this.targetUidValidity,
      this.fence,
      this.inDoubt ? 1 : 0,
      this.flagsModSeq,
      finished?.messages ?? null,
      finished?.uidNext ?? null,
      finished?.uidValidity ?? null,
      finished?.highestModSeq ?? null,
      finished?.size ?? null,
      this.messages.count,
      this.messages.sum,
      this.intents.count,
      this.intents.sum,
      specialUse,
      subscribed === null ? null : Number(subscribed),
      sourceDelimiter,
    ];
  }

  crc(): number {
    return rowCrc(this.toColumns());
  }

  /** What the rest of the program sees. */
  snapshot(): JournalFolder {
    const { id, sourceRawName, targetName, sourceUidValidity, targetUidValidity, fence, inDoubt } = this;
    return {
      id,
      sourceRawName,
      targetName,
      sourceUidValidity,
      targetUidValidity,
      fence,
      inDoubt,
      finishedAt: this.finishedAt,
      flagsModSeq: this.flagsModSeq,
      attributes: this.attributes,
      messages: this.messages.count,
      intents: this.intents.count,
    };
  }

  /** True where one of the UIDVALIDITYs is another one than before (RFC 3501 2.3.1.1): every UID is void. */
  isAnother({ sourceUidValidity, targetUidValidity }: Pick<OpenedFolder, 'sourceUidValidity' | 'targetUidValidity'>) {
    return isChanged(this.sourceUidValidity, sourceUidValidity) || isChanged(this.targetUidValidity, targetUidValidity);
  }

  open(opened: Omit<OpenedFolder, 'sourceRawName' | 'targetName'>): void {
    const { inDoubt = false, fence } = opened;
    this.sourceUidValidity = opened.sourceUidValidity;
    this.targetUidValidity = opened.targetUidValidity;
    this.finishedAt = null;
    this.attributes = opened.attributes === undefined ? this.attributes : storedAttributes(opened.attributes);
    if (inDoubt) {
      // A folder in doubt without a fence is in doubt as a whole.
      this.fence = Math.min(this.fence ?? fence ?? firstUid, fence ?? firstUid);
      this.inDoubt = true;
    } else {
      this.fence ??= fence;
    }
  }

  /** The caller removes the rows. */
  forget(): void {
    this.messages.clear();
    this.intents.clear();
    this.lastUid = 0;
    this.openBatches.clear();
    this.finishedAt = null;
    this.flagsModSeq = null;
    this.fence = firstUid;
    this.inDoubt = true;
  }

  raiseFence(fence: number | undefined): void {
    if (fence !== undefined) this.fence = Math.max(this.fence ?? 0, fence);
  }

  settle(fence: number | undefined): void {
    this.raiseFence(fence);
    this.inDoubt = false;
  }

  finish(status: FolderStatus): void {
    this.finishedAt = status;
    this.inDoubt = false;
  }
}

function isChanged(known: number | null, now: number | null): boolean {
  return known !== null && now !== null && known !== now;
}

/** As the file gives them back. */
function storedAttributes({ specialUse, subscribed, sourceDelimiter }: FolderAttributes): FolderAttributes {
  return { specialUse, subscribed, sourceDelimiter: sourceDelimiter === null ? null : toStoredText(sourceDelimiter) };
}
