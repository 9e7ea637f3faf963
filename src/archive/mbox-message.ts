/**
 * One message of an mbox, as it is given to others. Ours come back byte for byte. Those of other programs get what mail needs
 * that leaves the file: lines end in CRLF, and the quoting is undone. Programs disagree about that; what is done is
 *
 * - the mboxrd way: of `>From ` and `>>From ` one `>` is taken away (right for mboxrd and mboxcl, and for nearly all of mboxo);
 * - nothing, where a line of the message begins with `From ` unquoted: its program does not quote (mboxcl2).
 */
import type { FileWindow } from './file-window.ts';
import { headerLength } from './mbox-header.ts';
import { CrlfLines } from './mbox-lines.ts';
import { FromQuoting } from './mbox-quoting.ts';
import { endByLength, headerAt, lineAt, type MboxEntry } from './mbox-scan.ts';

/** Bytes read at a time. */
const sliceBytes = 256 * 1024;

const lf = 0x0a;
const cr = 0x0d;

/** Where in a file the bytes of a message are, and what is to be done with them. */
export interface MessagePlace {
  readonly start: number;
  readonly end: number;
  /** Of ours, as its line says; `null`: it is known when it has been read. */
  readonly size: number | null;
  readonly unquote: boolean;
  readonly toCrlf: boolean;
}

/** Looks up what is to be read. Reads a foreign message through, to see whether it is quoted. */
export function placeOf(window: FileWindow, entry: MboxEntry): MessagePlace {
  const { own, isExact, offset } = entry;
  if (own !== null && isExact) {
    const start = offset + own.lineBytes;
    return { start, end: start + (own.storedBytes ?? 0), size: own.size, unquote: true, toCrlf: false };
  }
  const start = offset + (lineAt(window, offset)?.length ?? 0);
  const bodyAt = start + headerLength(headerAt(window, start));
  const end = endByLength(window, bodyAt, entry.header)?.end ?? withoutEmptyLine(window, start, entry.end);
  const place = { start, end, size: null, unquote: true, toCrlf: true };
  return { ...place, unquote: !isUnquoted(window, place) };
}

/** The empty line before the next message is none of this one's. */
function withoutEmptyLine(window: FileWindow, start: number, end: number): number {
  const length = Math.min(3, end - start);
  const tail = window.peek(end - length, length);
  if (tail[length - 1] !== lf) return end;
  const line = tail[length - 2] === cr ? length - 2 : length - 1;
  return line <= 0 || tail[line - 1] === lf ? end - (length - line) : end;
}

function isUnquoted(window: FileWindow, place: MessagePlace): boolean {
  const quoting = new FromQuoting('unquote');
  for (let at = place.start; at < place.end; at += sliceBytes) {
    quoting.push(window.peek(at, Math.min(sliceBytes, place.end - at)), []);
    if (quoting.foundBare) return true;
  }
  return false;
}

/** The bytes of a message, a piece at a time. Fewer come where the file has been cut off. */
export function* readPlace(window: FileWindow, place: MessagePlace): Generator<Buffer> {
  const quoting = place.unquote ? new FromQuoting('unquote') : null;
  const lines = place.toCrlf ? new CrlfLines() : null;
  for (let at = place.start; ; at += sliceBytes) {
    const raw = window.peek(at, Math.max(0, Math.min(sliceBytes, place.end - at)));
    const out: Buffer[] = [];
    if (quoting === null) {
      if (raw.length > 0) out.push(raw);
    } else if (raw.length > 0) quoting.push(raw, out);
    else quoting.end(out);
    for (const slice of out) yield lines === null ? slice : lines.push(slice);
    if (raw.length === 0) return;
  }
}
