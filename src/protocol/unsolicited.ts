import type { Untagged } from './command.ts';
import { type ListedFolder, parseListed } from './commands/list.ts';
import { type FolderStatusItems, parseStatus } from './commands/status.ts';
import type { FetchData } from './fetch-data.ts';
import { type FolderNaming, toReadableName } from './folder-naming.ts';
import type { Lexer } from './lexer.ts';
import type { UntaggedStatus } from './response.ts';
import type { ResponseCode } from './types.ts';

/** What a server says without being asked (RFC 9051 5.2, 7). */
export type Unsolicited =
  | { readonly kind: 'exists'; readonly count: number }
  | { readonly kind: 'recent'; readonly count: number }
  | { readonly kind: 'expunge'; readonly seq: number }
  | { readonly kind: 'flags'; readonly flags: readonly string[] }
  | { readonly kind: 'fetch'; readonly data: FetchData }
  /** RFC 7162: gone messages by UID, as the server's sequence set; `earlier`: they went before this session saw them. */
  | { readonly kind: 'vanished'; readonly earlier: boolean; readonly uids: string }
  /** STATUS of a folder, as NOTIFY (RFC 5465 4) brings it. */
  | {
      readonly kind: 'folderStatus';
      readonly rawName: string;
      readonly name: string;
      readonly status: FolderStatusItems;
    }
  /** LIST of a folder that was made, renamed, deleted or subscribed, as NOTIFY brings it. */
  | { readonly kind: 'folder'; readonly folder: ListedFolder }
  /** METADATA: entries that have changed (RFC 5464 4.4.2); of the server itself where the name is empty. */
  | { readonly kind: 'metadata'; readonly rawName: string; readonly name: string; readonly entries: readonly string[] }
  /** `* NO [ALERT] …` and the like. The text is raw: not fit for a terminal. */
  | {
      readonly kind: 'status';
      readonly status: UntaggedStatus;
      readonly code: ResponseCode | null;
      readonly text: string;
    }
  /** Anything else: its name in upper case and the rest of the line, bytes as latin1. */
  | { readonly kind: 'other'; readonly name: string; readonly number: number | null; readonly text: string };

/** Reads a response nobody asked for. Throws ProtocolError where it is malformed. */
export function parseUnsolicited(response: Untagged, naming: FolderNaming = 'utf7'): Unsolicited {
  if (response.kind === 'status') {
    const { status, code, text } = response;
    return { kind: 'status', status, code, text };
  }
  const { name, number, lexer } = response;
  if (number !== null) {
    if (name === 'EXISTS') return { kind: 'exists', count: number };
    if (name === 'RECENT') return { kind: 'recent', count: number };
    if (name === 'EXPUNGE') return { kind: 'expunge', seq: number };
  }
  if (name === 'FLAGS') {
    lexer.space();
    return { kind: 'flags', flags: lexer.flagList() };
  }
  if (name === 'VANISHED') {
    lexer.space();
    let earlier = false;
    if (lexer.peek() === 0x28) {
      lexer.list(() => {
        earlier = lexer.word() === 'EARLIER' || earlier;
      });
      lexer.space();
    }
    return { kind: 'vanished', earlier, uids: lexer.atom() };
  }
  if (name === 'STATUS') {
    const { rawName, items: status } = parseStatus(lexer);
    return { kind: 'folderStatus', rawName, name: toReadableName(rawName, naming), status };
  }
  if (name === 'LIST') return { kind: 'folder', folder: parseListed(lexer, naming) };
  if (name === 'METADATA') return parseMetadataNews(lexer, naming);
  lexer.skipSpaces();
  return { kind: 'other', name, number, text: lexer.text() };
}

function parseMetadataNews(lexer: Lexer, naming: FolderNaming): Unsolicited {
  lexer.space();
  const rawName = lexer.astring();
  const entries: string[] = [];
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
    // With values it was somebody's answer, and nobody asked: the names are what counts.
    if (lexer.peek() === 0x28) lexer.value();
    else entries.push(lexer.astring());
  }
  return { kind: 'metadata', rawName, name: toReadableName(rawName, naming), entries };
}
