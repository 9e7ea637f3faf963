import { type Command, simpleCommand } from '../command.ts';
import type { FolderName } from '../types.ts';

/** UNSELECT (RFC 3691): leaves the folder as it is. */
export function unselectCommand(): Command<void> {
  return simpleCommand('UNSELECT', 'selects', false);
}

/** CLOSE (RFC 9051 6.4.1): removes what is marked \Deleted and leaves the folder. */
export function closeCommand(): Command<void> {
  return simpleCommand('CLOSE', 'selects', true);
}

/** CHECK (RFC 3501 6.4.1). */
export function checkCommand(): Command<void> {
  return simpleCommand('CHECK', 'selected', false);
}

export interface CreatedFolder {
  /** RFC 8474: stays the same when the folder is renamed; null: the server has no such ids. */
  readonly mailboxId: string | null;
}

/** CREATE (RFC 9051 6.3.4), with USE attributes where asked (RFC 6154 3). */
export function createCommand(folder: FolderName, specialUse: readonly string[]): Command<CreatedFolder> {
  return {
    name: 'CREATE',
    pipelining: 'free',
    changesState: true,
    write(out) {
      out.raw('CREATE').sp().mailbox(folder);
      if (specialUse.length > 0) out.raw(' (USE ').flags(specialUse).raw(')');
    },
    finish: ({ code }) => ({ mailboxId: code?.name === 'MAILBOXID' ? code.text.replace(/^\(|\)$/g, '') : null }),
  };
}

/** DELETE, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.5, 6.3.7, 6.3.8). */
export function folderCommand(name: 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE', folder: FolderName): Command<void> {
  return {
    ...simpleCommand(name, name === 'DELETE' ? 'barrier' : 'free', true),
    write: (out) => void out.raw(name).sp().mailbox(folder),
  };
}

/** RENAME (RFC 9051 6.3.6). */
export function renameCommand(from: FolderName, to: FolderName): Command<void> {
  return {
    ...simpleCommand('RENAME', 'barrier', true),
    write: (out) => void out.raw('RENAME').sp().mailbox(from).sp().mailbox(to),
  };
}
