import type { Command } from '../command.ts';
import { ProtocolError } from '../errors.ts';
import { toIdentity } from '../folder-naming.ts';
import { Lexer } from '../lexer.ts';
import type { FolderName } from '../types.ts';
import { encodeFolderName } from '../utf7.ts';

/** What STATUS can be asked for (RFC 9051 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474, RFC 9208). */
export type StatusItem =
  | 'MESSAGES'
  | 'RECENT'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN'
  | 'DELETED'
  | 'DELETED-STORAGE'
  | 'SIZE'
  | 'HIGHESTMODSEQ'
  | 'APPENDLIMIT'
  | 'MAILBOXID';

/** What STATUS answered; what was not asked or not answered is `undefined`. */
export interface FolderStatusItems {
  readonly messages?: number;
  readonly recent?: number;
  readonly uidNext?: number;
  readonly uidValidity?: number;
  readonly unseen?: number;
  readonly deleted?: number;
  /** Bytes that an EXPUNGE would free (RFC 9208 4.1.4). */
  readonly deletedStorage?: number;
  /** Bytes of all messages together. */
  readonly size?: number;
  /** 0n: the mailbox keeps no mod-sequences (RFC 7162 3.1.2.2). */
  readonly highestModSeq?: bigint;
  /** Bytes; null: no limit is known for this mailbox (RFC 7889). */
  readonly appendLimit?: number | null;
  readonly mailboxId?: string;
}

/** STATUS (RFC 9051 6.3.11). */
export function statusCommand(folder: FolderName, items: readonly StatusItem[]): Command<FolderStatusItems> {
  const asked = toIdentity(typeof folder === 'string' ? encodeFolderName(folder) : folder.toString('latin1'));
  let answered: FolderStatusItems | null = null;
  return {
    name: 'STATUS',
    pipelining: 'free',
    changesState: false,
    write: (out) =>
      void out
        .raw('STATUS')
        .sp()
        .mailbox(folder)
        .raw(` (${items.join(' ')})`),
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'STATUS') return false;
      const status = parseStatus(response.lexer);
      // Servers that know no case answer with their own spelling of the name.
      if (toIdentity(status.rawName).toLowerCase() !== asked.toLowerCase()) return false;
      answered = status.items;
      return true;
    },
    finish() {
      if (answered === null) throw new ProtocolError('STATUS was answered without a status of that folder');
      return answered;
    },
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A STATUS response behind its name. */
export function parseStatus(lexer: Lexer): { rawName: string; items: FolderStatusItems } {
  lexer.space();
  const items: Mutable<FolderStatusItems> = {};
  const [rawName, list] = lexer.atString ? [lexer.astring(), lexer] : splitBareStatus(lexer.text());
  list.space();
  list.list(() => parseStatusItem(list, items));
  list.finish();
  return { rawName, items };
}

/** Longer lines hold no name that a server would forget to quote. */
const maxBareStatus = 4096;

/** A STATUS answer whose name is bare. mailutils imap4d 3.15 does not quote names with blanks and parentheses in them. */
function splitBareStatus(text: string): [rawName: string, list: Lexer] {
  const [, odd, rest] = text.length > maxBareStatus ? [] : (bareStatus.exec(text) ?? []);
  if (odd !== undefined && rest !== undefined) return [odd, Lexer.over(rest)];
  const lexer = Lexer.over(text);
  return [lexer.astring(), lexer];
}

const statusPair = '[A-Za-z0-9=.-]+ (?:\\d+|NIL|\\([^()]*\\))';
const bareStatus = new RegExp(`^(.+?)( \\((?:${statusPair}(?: ${statusPair})*)?\\) *)$`);

function parseStatusItem(lexer: Lexer, items: Mutable<FolderStatusItems>): void {
  const name = lexer.word();
  lexer.space();
  switch (name) {
    case 'MESSAGES':
      items.messages = lexer.number();
      break;
    case 'RECENT':
      items.recent = lexer.number();
      break;
    case 'UIDNEXT':
      items.uidNext = lexer.number();
      break;
    case 'UIDVALIDITY':
      items.uidValidity = lexer.number();
      break;
    case 'UNSEEN':
      items.unseen = lexer.number();
      break;
    case 'DELETED':
      items.deleted = lexer.number();
      break;
    case 'DELETED-STORAGE':
      items.deletedStorage = lexer.number53();
      break;
    case 'SIZE':
      items.size = lexer.number53();
      break;
    case 'HIGHESTMODSEQ':
      items.highestModSeq = lexer.number64();
      break;
    case 'APPENDLIMIT':
      items.appendLimit = lexer.nil() ? null : lexer.number53();
      break;
    case 'MAILBOXID':
      lexer.list(() => {
        items.mailboxId = lexer.astring();
      });
      break;
    default:
      lexer.value();
  }
}
