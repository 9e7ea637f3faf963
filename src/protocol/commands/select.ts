import type { Command, Untagged } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { ProtocolError } from '../errors.ts';
import { FetchedMessages, toFetchedMessage } from '../fetched-message.ts';
import { Lexer } from '../lexer.ts';
import type { DataResponse } from '../response.ts';
import type { FolderName } from '../types.ts';

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
  /** RFC 8474: stays the same when the folder is renamed; null: the server has no such ids. */
  readonly mailboxId: string | null;
  /** UIDs of this folder may not be kept from one session to the next (RFC 4315 3). */
  readonly uidNotSticky: boolean;
  /** With `qresync`: what happened since. Only in what `selectFolder` resolves with. */
  readonly resync?: Resync;
}

/** What changed in a folder since it was last seen (RFC 7162 3.2.5). */
export interface Resync {
  /** UIDs of messages that are gone, as the server's sequence set; null: none that were known. */
  readonly vanished: string | null;
  /** Messages that changed, by UID: their flags and mod-sequences. */
  readonly changed: FetchedMessages;
}

export interface SelectOptions {
  /** EXAMINE: nothing in the folder changes through this session. */
  readonly readOnly?: boolean | undefined;
  /** SELECT … (CONDSTORE) (RFC 7162). */
  readonly condStore?: boolean | undefined;
  /** SELECT … (QRESYNC …) (RFC 7162 3.2.5): asks what happened since. ENABLE it first. */
  readonly qresync?: QresyncOptions | undefined;
}

/** What is remembered of a folder. */
export interface QresyncOptions {
  readonly uidValidity: number;
  /** The highest mod-sequence that was seen. */
  readonly modSeq: bigint;
  /** The UIDs that are remembered, ascending or as a set; all of them unless given. */
  readonly knownUids?: string | ArrayLike<number> | undefined;
  /** Some pairs of sequence number and UID as they were, ascending: helps servers that do not remember expunges. */
  readonly sequenceMatch?: { readonly seqs: ArrayLike<number>; readonly uids: ArrayLike<number> } | undefined;
}

/** SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3). */
export function selectCommand(folder: FolderName, options: SelectOptions): Command<SelectedFolder> {
  const name = options.readOnly === true ? 'EXAMINE' : 'SELECT';
  let seen: SelectedSoFar = {};
  let vanished: string | null = null;
  let changed = new FetchedMessages();
  return {
    name,
    pipelining: 'selects',
    changesState: false,
    write(out) {
      out.raw(name).sp().mailbox(folder);
      if (options.qresync !== undefined) writeQresync(out, options.qresync);
      else if (options.condStore === true) out.raw(' (CONDSTORE)');
    },
    accept(response) {
      if (isClosed(response)) {
        // RFC 7162 3.2.11: what came before this was about the folder selected before.
        seen = {};
        vanished = null;
        changed = new FetchedMessages();
        return true;
      }
      if (options.qresync !== undefined && response.kind === 'data' && response.name === 'VANISHED') {
        const uids = parseVanishedEarlier(response.lexer);
        vanished = vanished === null ? uids : `${vanished},${uids}`;
        return true;
      }
      return response.kind === 'data' ? acceptSelectedData(response, seen) : acceptSelectedCode(response, seen);
    },
    acceptFetch(data) {
      if (options.qresync === undefined || data.uid === undefined) return false;
      changed.set(data.uid, toFetchedMessage(data));
      return true;
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
        mailboxId: seen.mailboxId ?? null,
        uidNotSticky: seen.uidNotSticky ?? false,
        ...(options.qresync === undefined ? {} : { resync: { vanished, changed } }),
      };
    },
  };
}

type SelectedSoFar = { -readonly [Key in keyof SelectedFolder]?: SelectedFolder[Key] };

function writeQresync(out: Encoder, { uidValidity, modSeq, knownUids, sequenceMatch }: QresyncOptions): void {
  out.raw(' (QRESYNC (').number(uidValidity).sp().number(modSeq);
  if (knownUids !== undefined) out.sp().sequenceSet(knownUids);
  if (sequenceMatch !== undefined) {
    out.raw(' (').sequenceSet(sequenceMatch.seqs).sp().sequenceSet(sequenceMatch.uids).raw(')');
  }
  out.raw('))');
}

/** `VANISHED (EARLIER) 41,43:116` behind its name; without EARLIER it can only be about the folder just selected, too. */
function parseVanishedEarlier(lexer: Lexer): string {
  lexer.space();
  if (lexer.peek() === 0x28) {
    lexer.value();
    lexer.space();
  }
  return lexer.atom();
}

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
    case 'UIDNOTSTICKY':
      seen.uidNotSticky = true;
      return true;
    case 'MAILBOXID':
      lexer.list(() => {
        seen.mailboxId = lexer.astring();
      });
      return true;
    case 'PERMANENTFLAGS':
      seen.permanentFlags = lexer.flagList();
      return true;
    default:
      return false;
  }
}
