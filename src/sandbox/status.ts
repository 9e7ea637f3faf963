import { bad } from './answer.ts';
import type { Feature } from './features.ts';
import type { SandboxMailbox, StoredMessage } from './mailbox.ts';
import type { SandboxSession } from './session.ts';
import { encodeMailbox } from './wire.ts';

/** The items of STATUS (RFC 3501 6.3.10, RFC 7162, 8438, 7889, 9208), each with the feature it belongs to. */
const itemFeatures = {
  MESSAGES: null,
  RECENT: null,
  UIDNEXT: null,
  UIDVALIDITY: null,
  UNSEEN: null,
  HIGHESTMODSEQ: 'CONDSTORE',
  SIZE: 'STATUS=SIZE',
  APPENDLIMIT: 'APPENDLIMIT',
  DELETED: 'QUOTA',
} as const satisfies Record<string, Feature | null>;

export type StatusItemName = keyof typeof itemFeatures;

/** The item a client named. @throws BAD for one that does not exist or is switched off. */
export function statusItem(session: SandboxSession, word: string): StatusItemName {
  const name = word.toUpperCase();
  if (!Object.hasOwn(itemFeatures, name)) throw bad(`Invalid status item ${name}`);
  const feature = itemFeatures[name as StatusItemName];
  if (feature !== null && !session.has(feature)) throw bad(`Invalid status item ${name}`);
  if (feature === 'CONDSTORE') session.condstoreAware = true;
  return name as StatusItemName;
}

/** `STATUS name (ITEM n …)`. */
export function statusLine(session: SandboxSession, mailbox: SandboxMailbox, items: readonly StatusItemName[]): string {
  const values = items.map((item) => `${item} ${statusValue(session, mailbox, item)}`);
  return `STATUS ${encodeMailbox(mailbox.rawName)} (${values.join(' ')})`;
}

function statusValue(session: SandboxSession, mailbox: SandboxMailbox, item: StatusItemName): string | number {
  const { selection, server } = session;
  if (server.options.staleStatus === true && selection?.mailbox === mailbox) {
    if (item === 'MESSAGES') return selection.view.length;
    if (item === 'UIDNEXT') return selection.uidNext;
  }
  switch (item) {
    case 'MESSAGES':
      return mailbox.messages.length;
    case 'RECENT':
      return count(mailbox, (message) => message.uid >= mailbox.recentFrom);
    case 'UIDNEXT':
      return mailbox.uidNext;
    case 'UIDVALIDITY':
      return mailbox.uidValidity;
    case 'UNSEEN':
      return count(mailbox, (message) => !message.flags.has('\\Seen'));
    case 'HIGHESTMODSEQ':
      return mailbox.highestModSeq;
    case 'SIZE':
      return mailbox.messages.reduce((sum, message) => sum + (message.reportedSize ?? message.body.length), 0);
    case 'APPENDLIMIT':
      return session.server.options.appendLimit ?? 'NIL';
    case 'DELETED':
      return count(mailbox, (message) => message.flags.has('\\Deleted'));
    default:
      return item satisfies never;
  }
}

function count(mailbox: SandboxMailbox, test: (message: StoredMessage) => boolean): number {
  let total = 0;
  for (const message of mailbox.messages) if (test(message)) total += 1;
  return total;
}
