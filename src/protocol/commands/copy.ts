import type { Command } from '../command.ts';
import { LimitError, ProtocolError } from '../errors.ts';
import { type CopyUid, parseCopyUid } from '../response-code.ts';
import type { FolderName, ResponseCode } from '../types.ts';
import type { MessageSetPart } from './message-set.ts';

export interface CopyRequest {
  readonly set: MessageSetPart;
  readonly folder: FolderName;
  readonly useUid: boolean;
}

/** More messages than any one command line can name. */
const maxCopied = 10_000_000;

/** COPY and UID COPY (RFC 9051 6.4.7). The result is null where the server does not say what became what. */
export function copyCommand(request: CopyRequest): Command<CopyUid | null> {
  return transferCommand('COPY', request);
}

/** MOVE and UID MOVE (RFC 6851): the messages leave the folder they were in. */
export function moveCommand(request: CopyRequest): Command<CopyUid | null> {
  return transferCommand('MOVE', request);
}

function transferCommand(verb: 'COPY' | 'MOVE', { set, folder, useUid }: CopyRequest): Command<CopyUid | null> {
  const name = useUid ? `UID ${verb}` : verb;
  let copied: CopyUid | null = null;
  return {
    name,
    // An EXPUNGE may come with its answer (RFC 9051 7.5.1): by sequence number nothing may follow it on the line.
    pipelining: useUid ? 'selected' : 'barrier',
    changesState: true,
    write: (out) => void out.raw(`${name} `).sequenceSet(set).sp().mailbox(folder),
    accept(response) {
      // RFC 6851 4.3: MOVE tells what became what before the messages go.
      if (verb !== 'MOVE' || response.kind !== 'status' || response.code?.name !== 'COPYUID') return false;
      copied = toCopyUid(response.code) ?? copied;
      return true;
    },
    finish: (answer) => toCopyUid(answer.code) ?? copied,
  };
}

/** The messages are copied whatever the code says: a broken code costs the mapping, not the result. */
function toCopyUid(code: ResponseCode | null): CopyUid | null {
  if (code?.name !== 'COPYUID') return null;
  try {
    return parseCopyUid(code.text, maxCopied);
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LimitError) return null;
    throw error;
  }
}

/** What several commands copied, as one; null where any of them did not say, or the folder was made anew between two. */
export function joinCopies(copies: readonly (CopyUid | null)[]): CopyUid | null {
  const [first] = copies;
  if (first === undefined || first === null) return null;
  const known = copies.filter((copy) => copy !== null && copy.uidValidity === first.uidValidity) as CopyUid[];
  if (known.length < copies.length) return null;
  if (known.length === 1) return first;
  return {
    uidValidity: first.uidValidity,
    sourceUids: joinNumbers(known.map(({ sourceUids }) => sourceUids)),
    targetUids: joinNumbers(known.map(({ targetUids }) => targetUids)),
  };
}

/** Columns of numbers, one behind the other. */
export function joinNumbers(columns: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(columns.reduce((length, column) => length + column.length, 0));
  let at = 0;
  for (const column of columns) {
    joined.set(column, at);
    at += column.length;
  }
  return joined;
}
