/**
 * What a record must be, checked before it is queued: a mistake of the caller must not end up as a broken journal.
 */

import { digestBytes, type Entry } from './packet.ts';
import { type Intent, type OpenedFolder, type Verdict, verdictKinds } from './types.ts';

const maxUid = 0xffff_ffff;

/** @throws RangeError where an entry holds what no server or message can have, or names a folder that `knows` denies */
export function checkEntry(entry: Entry, knows: (folderId: number) => boolean): void {
  if (entry.kind === 'open') {
    checkOpened(entry.folder);
    return;
  }
  if (!knows(entry.folderId)) throw new RangeError(`${entry.kind}: the journal has no folder ${entry.folderId}`);
  switch (entry.kind) {
    case 'folder':
      checkOpened(entry);
      break;
    case 'forget':
      break;
    case 'intents':
      for (const intent of entry.intents) checkIntent(intent);
      break;
    case 'verdicts':
      for (const verdict of entry.verdicts) checkVerdict(verdict);
      checkNatural('fence', entry.fence ?? null);
      break;
    case 'dropped':
      for (const uid of entry.uids) checkUid('uid', uid);
      break;
    case 'flags':
      for (const { uid } of entry.flags) checkUid('uid', uid);
      checkModSeq(entry.modSeq);
      break;
    case 'settled':
      checkNatural('fence', entry.fence ?? null);
      break;
    case 'finished': {
      const { messages, uidNext, uidValidity, highestModSeq, size } = entry.status;
      for (const [name, value] of Object.entries({ messages, uidNext, uidValidity, size })) checkNatural(name, value);
      checkModSeq(highestModSeq);
      break;
    }
    default:
      entry satisfies never;
  }
}

function checkOpened(folder: Pick<OpenedFolder, 'sourceUidValidity' | 'targetUidValidity' | 'fence'>): void {
  checkNatural('sourceUidValidity', folder.sourceUidValidity);
  checkNatural('targetUidValidity', folder.targetUidValidity);
  checkNatural('fence', folder.fence);
}

function checkIntent(intent: Intent): void {
  checkUid('uid', intent.uid);
  checkNatural('batch', intent.batch);
  checkNatural('fence', intent.fence);
  checkNatural('targetUidValidity', intent.targetUidValidity);
  checkNatural('size', intent.size);
  checkDigest(intent.digest);
}

function checkVerdict(verdict: Verdict): void {
  checkUid('uid', verdict.uid);
  if (verdict.targetUid !== null) checkUid('targetUid', verdict.targetUid);
  if (!verdictKinds.includes(verdict.kind)) throw new RangeError(`kind: ${verdict.kind} is not a verdict`);
  checkNatural('size', verdict.size);
  checkDigest(verdict.digest);
}

/** RFC 3501 2.3.1.1: a UID is a non-zero number of 32 bits. */
function checkUid(name: string, uid: number): void {
  if (!Number.isInteger(uid) || uid < 1 || uid > maxUid) throw new RangeError(`${name}: ${uid} is not a UID`);
}

function checkNatural(name: string, value: number | null): void {
  if (value !== null && !(Number.isSafeInteger(value) && value >= 0)) throw new RangeError(`${name}: ${value}`);
}

function checkModSeq(value: string | null): void {
  if (value !== null && !/^\d{1,20}$/.test(value)) throw new RangeError(`mod-sequence: ${value}`);
}

function checkDigest(digest: Uint8Array | null): void {
  if (digest !== null && digest.length !== digestBytes) throw new RangeError(`digest: ${digest.length} bytes`);
}
