import { isUtf8 } from 'node:buffer';
import { UsageError } from './errors.ts';
import type { FolderName } from './types.ts';
import { decodeFolderName, encodeFolderName } from './utf7.ts';

/**
 * How folder names are written on the wire: modified UTF-7 (RFC 3501 5.1.3), UTF-8 once UTF8=ACCEPT or IMAP4rev2 was
 * enabled (RFC 6855 3, RFC 9051 5.1), or raw: strings of one character per byte, as they come.
 */
export type FolderNaming = 'utf7' | 'utf8' | 'raw';

/** A name for a command. A Buffer is the wire's own form already. @throws UsageError for characters that are no bytes. */
export function toWireName(name: FolderName, naming: FolderNaming): FolderName {
  if (typeof name !== 'string' || naming === 'utf7') return name;
  if (naming === 'utf8') return Buffer.from(toIdentity(name), 'utf8');
  if (/[\u0100-\uffff]/.test(name)) throw new UsageError('a raw folder name has one character per byte');
  return Buffer.from(name, 'latin1');
}

/** The name to show for one that was listed; the raw name where it is not in the form it should be. */
export function toReadableName(rawName: string, naming: FolderNaming): string {
  if (naming === 'raw') return rawName;
  const bytes = Buffer.from(rawName, 'latin1');
  if (naming === 'utf8') return isUtf8(bytes) ? bytes.toString('utf8') : rawName;
  return decodeFolderName(rawName) ?? rawName;
}

/** RFC 9051 5.1: INBOX is the one name that knows no case. */
export function toIdentity(name: string): string {
  return /^inbox$/i.test(name) ? 'INBOX' : name;
}

/** True when a response that names the folder `rawName` is about the one a command was given. */
export function isSameFolder(wireName: FolderName, rawName: string): boolean {
  const asked = typeof wireName === 'string' ? encodeFolderName(wireName) : wireName.toString('latin1');
  // Servers that know no case answer with their own spelling of the name.
  return asked.toLowerCase() === rawName.toLowerCase();
}
