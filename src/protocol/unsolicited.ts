import type { Untagged } from './command.ts';
import type { FetchData } from './fetch-data.ts';
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
export function parseUnsolicited(response: Untagged): Unsolicited {
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
  lexer.skipSpaces();
  return { kind: 'other', name, number, text: lexer.text() };
}
