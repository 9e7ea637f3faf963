import type { Command } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { UsageError } from '../errors.ts';
import { type FolderNaming, toIdentity, toReadableName } from '../folder-naming.ts';
import type { Lexer, Value } from '../lexer.ts';
import type { FolderName } from '../types.ts';
import { type FolderStatusItems, parseStatus, type StatusItem } from './status.ts';

/** One line of a LIST, LSUB or XLIST answer. */
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
  /** With `recursiveMatch`: why it is listed although it does not match itself: `SUBSCRIBED` (CHILDINFO, RFC 5258 3.5). */
  readonly childInfo?: readonly string[];
  /** What it was called, raw, where the server says that it was renamed (OLDNAME, RFC 5465 5.4). */
  readonly rawOldName?: string;
  /** From RETURN (MYRIGHTS) (RFC 8440). */
  readonly rights?: string;
}

export interface ListOptions {
  /** LIST … RETURN (STATUS (…)) (RFC 5819). */
  readonly returnStatus?: readonly StatusItem[] | undefined;
  /** RETURN (SPECIAL-USE) (RFC 6154). */
  readonly returnSpecialUse?: boolean | undefined;
  /** RETURN (SUBSCRIBED) (RFC 5258): `\Subscribed` among the attributes. */
  readonly returnSubscribed?: boolean | undefined;
  /** RETURN (CHILDREN) (RFC 5258, RFC 3348). */
  readonly returnChildren?: boolean | undefined;
  /** RETURN (MYRIGHTS) (RFC 8440). */
  readonly returnMyRights?: boolean | undefined;
  /** LIST (SUBSCRIBED) (RFC 5258): only subscribed folders, those that are gone included. */
  readonly subscribed?: boolean | undefined;
  /** LIST (REMOTE) (RFC 5258): also folders on other servers. */
  readonly remote?: boolean | undefined;
  /** LIST (SPECIAL-USE) (RFC 6154): only folders with a use. */
  readonly specialUse?: boolean | undefined;
  /** LIST (RECURSIVEMATCH …) (RFC 5258): also parents of folders that match. Only with `subscribed` or `specialUse`. */
  readonly recursiveMatch?: boolean | undefined;
}

export interface ListRequest extends ListOptions {
  readonly reference: FolderName;
  /** More than one only where the server has LIST-EXTENDED. */
  readonly patterns: readonly FolderName[];
  readonly naming: FolderNaming;
}

/** LIST (RFC 9051 6.3.9), in the server's order. */
export function listCommand(request: ListRequest): Command<ListedFolder[]> {
  const folders: ListedFolder[] = [];
  const statuses = new Map<string, FolderStatusItems>();
  const rights = new Map<string, string>();
  return {
    name: 'LIST',
    pipelining: 'free',
    changesState: false,
    write: (out) => writeList(out, request),
    accept(response) {
      if (response.kind !== 'data') return false;
      if (response.name === 'LIST') {
        folders.push(parseListed(response.lexer, request.naming));
        return true;
      }
      if (response.name === 'STATUS' && request.returnStatus !== undefined) {
        const { rawName, items } = parseStatus(response.lexer);
        statuses.set(toIdentity(rawName), items);
        return true;
      }
      if (response.name !== 'MYRIGHTS' || request.returnMyRights !== true) return false;
      response.lexer.space();
      const rawName = response.lexer.astring();
      response.lexer.space();
      rights.set(toIdentity(rawName), response.lexer.astring());
      return true;
    },
    finish: () =>
      folders.map((folder) => {
        const identity = toIdentity(folder.rawName);
        const status = statuses.get(identity) ?? folder.status;
        const known = rights.get(identity);
        return { ...folder, status, ...(known === undefined ? {} : { rights: known }) };
      }),
  };
}

function writeList(out: Encoder, request: ListRequest): void {
  const { reference, patterns } = request;
  const [first, ...others] = patterns;
  if (first === undefined) throw new UsageError('LIST needs a pattern');
  const selection = words([
    [request.subscribed, 'SUBSCRIBED'],
    [request.remote, 'REMOTE'],
    [request.specialUse, 'SPECIAL-USE'],
    [request.recursiveMatch, 'RECURSIVEMATCH'],
  ]);
  const wanted = words([
    [request.returnSpecialUse, 'SPECIAL-USE'],
    [request.returnSubscribed, 'SUBSCRIBED'],
    [request.returnChildren, 'CHILDREN'],
    [request.returnMyRights, 'MYRIGHTS'],
  ]);
  if (request.returnStatus !== undefined) wanted.push(`STATUS (${request.returnStatus.join(' ')})`);
  out.raw('LIST');
  if (selection.length > 0) out.raw(` (${selection.join(' ')})`);
  out.sp().mailbox(reference).sp();
  if (others.length === 0) {
    out.mailbox(first);
  } else {
    out.raw('(').mailbox(first);
    for (const pattern of others) out.sp().mailbox(pattern);
    out.raw(')');
  }
  if (wanted.length > 0) out.raw(` RETURN (${wanted.join(' ')})`);
}

function words(choices: readonly (readonly [boolean | undefined, string])[]): string[] {
  return choices.filter(([chosen]) => chosen === true).map(([, word]) => word);
}

/** LSUB (RFC 3501 6.3.9), and XLIST, Gmail's forerunner of SPECIAL-USE. */
export function plainListCommand(
  name: 'LSUB' | 'XLIST',
  reference: FolderName,
  pattern: FolderName,
  naming: FolderNaming,
): Command<ListedFolder[]> {
  const folders: ListedFolder[] = [];
  return {
    name,
    pipelining: 'free',
    changesState: false,
    write: (out) => void out.raw(name).sp().mailbox(reference).sp().mailbox(pattern),
    accept(response) {
      if (response.kind !== 'data' || response.name !== name) return false;
      folders.push(parseListed(response.lexer, naming));
      return true;
    },
    finish: () => folders,
  };
}

/** A LIST, LSUB or XLIST response behind its name. */
export function parseListed(lexer: Lexer, naming: FolderNaming): ListedFolder {
  lexer.space();
  const attributes = lexer.flagList();
  lexer.space();
  const delimiter = lexer.nil() ? null : lexer.astring() || null;
  lexer.space();
  const rawName = lexer.astring();
  const folder = { rawName, name: toReadableName(rawName, naming), delimiter, attributes, status: null };
  lexer.skipSpaces();
  return lexer.atEnd ? folder : { ...folder, ...parseExtendedItems(lexer) };
}

/** RFC 5258 6: `("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x"))`. Whatever else stands there is skipped. */
function parseExtendedItems(lexer: Lexer): Pick<ListedFolder, 'childInfo' | 'rawOldName'> {
  const items: { childInfo?: readonly string[]; rawOldName?: string } = {};
  for (; !lexer.atEnd; lexer.skipSpaces()) {
    const value = lexer.value();
    if (!Array.isArray(value)) continue;
    for (let index = 0; index + 1 < value.length; index += 2) {
      const texts = toTexts(value[index + 1]);
      const [text] = texts;
      const tag = toTexts(value[index])[0]?.toUpperCase();
      if (tag === 'CHILDINFO') items.childInfo = texts;
      else if (tag === 'OLDNAME' && text !== undefined) items.rawOldName = text;
    }
  }
  return items;
}

function toTexts(value: Value | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap((part: Value) => (Array.isArray(part) ? [] : toTexts(part)));
  if (Buffer.isBuffer(value)) return [value.toString('latin1')];
  return value === null || value === undefined ? [] : [String(value)];
}
