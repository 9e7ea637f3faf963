/**
 * What a record must be, checked before it is queued: a mistake of the caller must not end up as a broken journal.
 */

import type { FlagColumns } from '../plan/flag-changes.ts';
import { digestBytes } from '../plan/message-facts.ts';
import { follows } from '../plan/message-table.ts';
import type { Entry } from './entry.ts';
import { type IntentColumns, type OpenedFolder, type VerdictColumns, verdictKinds } from './types.ts';

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
      checkNatural('fence', entry.fence);
      checkNatural('targetUidValidity', entry.targetUidValidity);
      checkColumns(entry.messages);
      checkLength('internalDates', entry.messages, entry.messages.internalDates);
      break;
    case 'verdicts':
      if (!verdictKinds.includes(entry.verdict)) throw new RangeError(`verdict: ${entry.verdict} is none`);
      checkColumns(entry.messages);
      checkLength('targetUids', entry.messages, entry.messages.targetUids);
      if (entry.messages.internalDates !== null)
        checkLength('internalDates', entry.messages, entry.messages.internalDates);
      checkNatural('fence', entry.fence ?? null);
      break;
    case 'dropped':
    case 'removed':
      checkUids(entry.uids);
      break;
    case 'flags':
      checkFlags(entry.messages);
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

function checkColumns(messages: IntentColumns | VerdictColumns): void {
  const { sizes, digests } = messages;
  checkFlags(messages);
  if (sizes !== null) {
    checkLength('sizes', messages, sizes);
    for (const size of sizes) checkNatural('size', size);
  }
  if (digests !== null) checkLength('digests', messages, digests, digestBytes);
}

function checkFlags(messages: FlagColumns): void {
  const { uids, flags, flagSets } = messages;
  checkUids(uids);
  checkLength('flags', messages, flags);
  for (const set of flags) if (set >= flagSets.length) throw new RangeError(`flags: there is no set ${set}`);
}

/** RFC 3501 2.3.1.1: a UID is a non-zero number of 32 bits. */
function checkUids(uids: Uint32Array): void {
  if (!follows(uids, 0)) throw new RangeError('uids: they must ascend, and none is 0');
}

function checkLength(
  name: string,
  { uids }: Pick<FlagColumns, 'uids'>,
  { length }: { readonly length: number },
  width = 1,
): void {
  if (length !== uids.length * width) throw new RangeError(`${name}: ${length} for ${uids.length} messages`);
}

function checkNatural(name: string, value: number | null): void {
  if (value !== null && !(Number.isSafeInteger(value) && value >= 0)) throw new RangeError(`${name}: ${value}`);
}

function checkModSeq(value: string | null): void {
  if (value !== null && !/^\d{1,20}$/.test(value)) throw new RangeError(`mod-sequence: ${value}`);
}
