import { type Command, simpleCommand } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { UsageError } from '../errors.ts';
import type { FolderName } from '../types.ts';
import { checkItem } from './message.ts';

/** What to tell of (RFC 5465 5). */
export type NotifyEvent =
  | 'MessageNew'
  | 'MessageExpunge'
  | 'FlagChange'
  | 'AnnotationChange'
  | 'MailboxName'
  | 'SubscriptionChange'
  | 'MailboxMetadataChange'
  | 'ServerMetadataChange'
  /** New messages of the selected folder, and these FETCH items of each along with the news. */
  | { readonly messageNew: readonly string[] };

/** Of which folders (RFC 5465 6). */
export type NotifyFolders =
  | 'selected'
  | 'selected-delayed'
  | 'inboxes'
  | 'personal'
  | 'subscribed'
  /** These and all below them. */
  | { readonly subtree: readonly FolderName[] }
  | { readonly mailboxes: readonly FolderName[] };

export interface NotifyGroup {
  readonly folders: NotifyFolders;
  /** None: of these folders nothing is told. */
  readonly events: readonly NotifyEvent[];
}

/** NOTIFY SET (RFC 5465 3.1), or NOTIFY NONE without groups. `status`: tell the present state of the folders first. */
export function notifyCommand(groups: readonly NotifyGroup[] | null, status: boolean): Command<void> {
  return {
    ...simpleCommand('NOTIFY', 'free', true),
    write(out) {
      if (groups === null) {
        out.raw('NOTIFY NONE');
        return;
      }
      if (groups.length === 0) throw new UsageError('NOTIFY SET needs a group of folders');
      out.raw(status ? 'NOTIFY SET STATUS' : 'NOTIFY SET');
      for (const group of groups) writeGroup(out.raw(' ('), group);
    },
  };
}

function writeGroup(out: Encoder, { folders, events }: NotifyGroup): void {
  if (typeof folders === 'string') out.raw(folders);
  else if ('subtree' in folders) writeFolders(out.raw('subtree '), folders.subtree);
  else writeFolders(out.raw('mailboxes '), folders.mailboxes);
  out.sp();
  if (events.length === 0) out.raw('NONE)');
  else out.raw(`(${events.map(toWords).join(' ')}))`);
}

function writeFolders(out: Encoder, folders: readonly FolderName[]): void {
  if (folders.length === 0) throw new UsageError('a group of folders to be told of cannot be empty');
  out.raw('(');
  folders.forEach((folder, index) => {
    if (index > 0) out.sp();
    out.mailbox(folder);
  });
  out.raw(')');
}

function toWords(event: NotifyEvent): string {
  if (typeof event === 'string') return event;
  return `MessageNew (${event.messageNew.map(checkItem).join(' ')})`;
}
