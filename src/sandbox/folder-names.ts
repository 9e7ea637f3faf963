import { decodeFolderName } from '../protocol/utf7.ts';
import type { SandboxAccount } from './account.ts';
import { no } from './answer.ts';
import type { SandboxMailbox } from './mailbox.ts';
import type { SandboxServer } from './server.ts';

/** The name as the store keeps it: INBOX is the one name without case (RFC 3501 5.1), also as a parent. */
export function normalizeMailboxName(rawName: string, delimiter: string | null): string {
  if (rawName.length < 5 || rawName.slice(0, 5).toUpperCase() !== 'INBOX') return rawName;
  return rawName.length === 5 || rawName[5] === delimiter ? `INBOX${rawName.slice(5)}` : rawName;
}

/** An existing mailbox. @throws Refusal with the code a client can act on: `NONEXISTENT`, or `TRYCREATE` where it may create it. */
export function findMailbox(
  account: SandboxAccount,
  rawName: string,
  code: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT',
): SandboxMailbox {
  const mailbox = account.mailboxes.get(normalizeMailboxName(rawName, account.settings.delimiter));
  if (mailbox === undefined) throw no(`Mailbox doesn't exist: ${printable(rawName)}`, code);
  return mailbox;
}

/** The same, and it must be able to hold messages. */
export function findSelectable(
  account: SandboxAccount,
  rawName: string,
  code: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT',
): SandboxMailbox {
  const mailbox = findMailbox(account, rawName, code);
  if (mailbox.noselect) throw no(`Mailbox isn't selectable: ${printable(rawName)}`, code);
  return mailbox;
}

/** The name a CREATE or RENAME may give. @throws Refusal when it is taken, malformed or forbidden. */
export function checkNewName(server: SandboxServer, account: SandboxAccount, rawName: string): string {
  const { delimiter } = server;
  // A trailing separator only announces children (RFC 3501 6.3.3).
  const trimmed = delimiter !== null && rawName.endsWith(delimiter) ? rawName.slice(0, -1) : rawName;
  const name = normalizeMailboxName(trimmed, delimiter);
  const prefix = server.personalPrefix;
  const unicode = decodeFolderName(name);
  if (name === '' || unicode === null) throw no('Invalid mailbox name', 'CANNOT');
  if (delimiter !== null && name.split(delimiter).includes('')) throw no('Invalid mailbox name', 'CANNOT');
  if (name === 'INBOX') throw no('INBOX exists', 'ALREADYEXISTS');
  if (!name.startsWith(prefix)) throw no('Invalid mailbox name', 'CANNOT');
  if (server.options.inboxOnly === true) throw no('Permission denied', 'NOPERM');
  const forbidden = server.options.forbidCreate?.(unicode) ?? null;
  if (forbidden !== null) throw no(forbidden, 'CANNOT');
  const existing = account.mailboxes.get(name);
  if (existing !== undefined && !existing.noselect) throw no('Mailbox already exists', 'ALREADYEXISTS');
  return name;
}

/** A name that can stand in a line of text. */
function printable(rawName: string): string {
  return rawName.replace(/[^\x20-\x7e]/g, '?');
}
