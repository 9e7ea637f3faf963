import { type Command, simpleCommand, type Untagged } from '../command.ts';
import { ProtocolError } from '../errors.ts';
import { Lexer, type Value } from '../lexer.ts';
import type { DataResponse } from '../response.ts';
import type { FolderName } from '../types.ts';
import { decodeFolderName, encodeFolderName } from '../utf7.ts';

/** What STATUS can be asked for (RFC 9051 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474). */
export type StatusItem =
  | 'MESSAGES'
  | 'RECENT'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN'
  | 'DELETED'
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
  /** Bytes of all messages together. */
  readonly size?: number;
  /** 0n: the mailbox keeps no mod-sequences (RFC 7162 3.1.2.2). */
  readonly highestModSeq?: bigint;
  /** Bytes; null: no limit is known for this mailbox (RFC 7889). */
  readonly appendLimit?: number | null;
  readonly mailboxId?: string;
}

/** One line of a LIST or LSUB answer. */
export interface ListedFolder {
  /** Exactly as listed, one character per byte (latin1): what commands are given, as a Buffer. */
  readonly rawName: string;
  /** Unicode; equals `rawName` where that is not modified UTF-7. */
  readonly name: string;
  /** Null: a flat name. */
  readonly delimiter: string | null;
  /** As sent: `\HasNoChildren`, `\sent`. */
  readonly attributes: readonly string[];
  /** From LIST … RETURN (STATUS …); null where the server gave none for this folder. */
  readonly status: FolderStatusItems | null;
}

export interface NamespaceEntry {
  readonly prefix: string;
  /** As listed, one character per byte (latin1). */
  readonly rawPrefix: string;
  readonly delimiter: string | null;
}

export interface Namespaces {
  readonly personal: NamespaceEntry[];
  readonly other: NamespaceEntry[];
  readonly shared: NamespaceEntry[];
}

/** What SELECT and EXAMINE tell about a folder. */
export interface SelectedFolder {
  /** As it was asked for. */
  readonly name: FolderName;
  readonly exists: number;
  readonly recent: number;
  readonly uidValidity: number | null;
  readonly uidNext: number | null;
  readonly highestModSeq: bigint | null;
  /** The server said that this folder keeps no mod-sequences (RFC 7162). */
  readonly noModSeq: boolean;
  readonly flags: readonly string[];
  /** Null: the server named none, which RFC 9051 says to read as all of `flags`. */
  readonly permanentFlags: readonly string[] | null;
  readonly readOnly: boolean;
  /** Sequence number of the first unseen message. */
  readonly unseen: number | null;
}

/** NAMESPACE (RFC 2342). */
export function namespaceCommand(): Command<Namespaces> {
  let namespaces: Namespaces | null = null;
  return {
    ...simpleCommand('NAMESPACE', 'free', false),
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'NAMESPACE') return false;
      const { lexer } = response;
      const next = () => {
        lexer.space();
        return toNamespaceEntries(lexer);
      };
      namespaces = { personal: next(), other: next(), shared: next() };
      lexer.finish();
      return true;
    },
    finish() {
      if (namespaces === null) throw new ProtocolError('NAMESPACE was answered without a namespace');
      return namespaces;
    },
  };
}

function toNamespaceEntries(lexer: Lexer): NamespaceEntry[] {
  const value = lexer.value();
  if (value === null) return [];
  if (!Array.isArray(value)) return lexer.fail('a namespace');
  return value.map((entry: Value) => {
    if (!Array.isArray(entry)) return lexer.fail('a namespace');
    const rawPrefix = toLatin1(entry[0]) ?? lexer.fail('a namespace prefix');
    return { prefix: decodeFolderName(rawPrefix) ?? rawPrefix, rawPrefix, delimiter: toLatin1(entry[1]) || null };
  });
}

function toLatin1(value: Value | undefined): string | null {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'string' ? value : null;
}

export interface ListOptions {
  /** LIST … RETURN (STATUS (…)) (RFC 5819). */
  readonly returnStatus?: readonly StatusItem[] | undefined;
  /** RETURN (SPECIAL-USE) (RFC 6154). */
  readonly returnSpecialUse?: boolean | undefined;
  /** RETURN (SUBSCRIBED) (RFC 5258): `\Subscribed` among the attributes. */
  readonly returnSubscribed?: boolean | undefined;
}

/** LIST (RFC 9051 6.3.9), in the server's order. */
export function listCommand(reference: FolderName, pattern: FolderName, options: ListOptions): Command<ListedFolder[]> {
  const folders: ListedFolder[] = [];
  const statuses = new Map<string, FolderStatusItems>();
  const wanted: string[] = [];
  if (options.returnSpecialUse === true) wanted.push('SPECIAL-USE');
  if (options.returnSubscribed === true) wanted.push('SUBSCRIBED');
  if (options.returnStatus !== undefined) wanted.push(`STATUS (${options.returnStatus.join(' ')})`);
  return {
    name: 'LIST',
    pipelining: 'free',
    changesState: false,
    write(out) {
      out.raw('LIST').sp().mailbox(reference).sp().mailbox(pattern);
      if (wanted.length > 0) out.raw(` RETURN (${wanted.join(' ')})`);
    },
    accept(response) {
      if (response.kind !== 'data') return false;
      if (response.name === 'LIST') {
        folders.push(parseListed(response.lexer));
        return true;
      }
      if (response.name !== 'STATUS' || options.returnStatus === undefined) return false;
      const { rawName, items } = parseStatus(response.lexer);
      statuses.set(toIdentity(rawName), items);
      return true;
    },
    finish: () =>
      folders.map((folder) => ({ ...folder, status: statuses.get(toIdentity(folder.rawName)) ?? folder.status })),
  };
}

/** LSUB (RFC 3501 6.3.9). */
export function lsubCommand(reference: FolderName, pattern: FolderName): Command<ListedFolder[]> {
  const folders: ListedFolder[] = [];
  return {
    name: 'LSUB',
    pipelining: 'free',
    changesState: false,
    write: (out) => void out.raw('LSUB').sp().mailbox(reference).sp().mailbox(pattern),
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'LSUB') return false;
      folders.push(parseListed(response.lexer));
      return true;
    },
    finish: () => folders,
  };
}

function parseListed(lexer: Lexer): ListedFolder {
  lexer.space();
  const attributes = lexer.flagList();
  lexer.space();
  const delimiter = lexer.nil() ? null : lexer.astring() || null;
  lexer.space();
  const rawName = lexer.astring();
  // RFC 5258 appends CHILDINFO, OLDNAME and the like in parentheses.
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) lexer.value();
  return { rawName, name: decodeFolderName(rawName) ?? rawName, delimiter, attributes, status: null };
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

/** RFC 9051 5.1: INBOX is the one name that knows no case. */
function toIdentity(rawName: string): string {
  return /^inbox$/i.test(rawName) ? 'INBOX' : rawName;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function parseStatus(lexer: Lexer): { rawName: string; items: FolderStatusItems } {
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

export interface SelectOptions {
  /** EXAMINE: nothing in the folder changes through this session. */
  readonly readOnly?: boolean | undefined;
  /** SELECT … (CONDSTORE) (RFC 7162). */
  readonly condStore?: boolean | undefined;
}

/** SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3). */
export function selectCommand(folder: FolderName, options: SelectOptions): Command<SelectedFolder> {
  const name = options.readOnly === true ? 'EXAMINE' : 'SELECT';
  let seen: SelectedSoFar = {};
  return {
    name,
    pipelining: 'selects',
    changesState: false,
    write(out) {
      out.raw(name).sp().mailbox(folder);
      if (options.condStore === true) out.raw(' (CONDSTORE)');
    },
    accept(response) {
      if (isClosed(response)) {
        // RFC 7162 3.2.11: what came before this was about the folder selected before.
        seen = {};
        return true;
      }
      return response.kind === 'data' ? acceptSelectedData(response, seen) : acceptSelectedCode(response, seen);
    },
    finish(answer) {
      if (seen.exists === undefined) throw new ProtocolError(`${name} was answered without EXISTS`);
      return {
        name: folder,
        exists: seen.exists,
        recent: seen.recent ?? 0,
        uidValidity: seen.uidValidity ?? null,
        uidNext: seen.uidNext ?? null,
        highestModSeq: seen.highestModSeq ?? null,
        noModSeq: seen.noModSeq ?? false,
        flags: seen.flags ?? [],
        permanentFlags: seen.permanentFlags ?? null,
        readOnly: options.readOnly === true || answer.code?.name === 'READ-ONLY',
        unseen: seen.unseen ?? null,
      };
    },
  };
}

type SelectedSoFar = Partial<Mutable<SelectedFolder>>;

function isClosed(response: Untagged): boolean {
  return response.kind === 'status' && response.code?.name === 'CLOSED';
}

function acceptSelectedData(response: DataResponse, seen: SelectedSoFar): boolean {
  const { name, number, lexer } = response;
  if (name === 'EXISTS' && number !== null) seen.exists = number;
  else if (name === 'RECENT' && number !== null) seen.recent = number;
  else if (name === 'FLAGS') {
    lexer.space();
    seen.flags = lexer.flagList();
  } else return false;
  return true;
}

function acceptSelectedCode(response: Extract<Untagged, { kind: 'status' }>, seen: SelectedSoFar): boolean {
  if (response.status !== 'OK' || response.code === null) return false;
  const lexer = Lexer.over(response.code.text);
  switch (response.code.name) {
    case 'UIDVALIDITY':
      seen.uidValidity = lexer.number();
      return true;
    case 'UIDNEXT':
      seen.uidNext = lexer.number();
      return true;
    case 'UNSEEN':
      seen.unseen = lexer.number();
      return true;
    case 'HIGHESTMODSEQ':
      seen.highestModSeq = lexer.number64();
      return true;
    case 'NOMODSEQ':
      seen.noModSeq = true;
      return true;
    case 'PERMANENTFLAGS':
      seen.permanentFlags = lexer.flagList();
      return true;
    default:
      return false;
  }
}

/** UNSELECT (RFC 3691): leaves the folder as it is. */
export function unselectCommand(): Command<void> {
  return simpleCommand('UNSELECT', 'selects', false);
}

/** CLOSE (RFC 9051 6.4.1): removes what is marked \Deleted and leaves the folder. */
export function closeCommand(): Command<void> {
  return simpleCommand('CLOSE', 'selects', true);
}

/** CREATE (RFC 9051 6.3.4), with USE attributes where asked (RFC 6154 3). */
export function createCommand(folder: FolderName, specialUse: readonly string[]): Command<void> {
  return {
    ...simpleCommand('CREATE', 'free', true),
    write(out) {
      out.raw('CREATE').sp().mailbox(folder);
      if (specialUse.length > 0) out.raw(' (USE ').flags(specialUse).raw(')');
    },
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
