import type { Frame } from './frame.ts';
import { toUpperAscii } from './word.ts';

/** Longer item names have header fields in them: they are read once the response is whole. */
const maxNameBytes = 1024;

/**
 * The FETCH item whose literal a frame ends with, in upper case: `BODY[]`, `BODY[1.2]<0>`, `RFC822`. Null where what
 * stands there is no item that holds a body.
 */
export function pendingItem(frame: Frame): string | null {
  const run = frame.runCount - 1;
  const buffer = frame.runBuffers[run];
  if (buffer == null) return null;
  const end = frame.runEnds[run] as number;
  const start = Math.max(frame.runStarts[run] as number, end - maxNameBytes);
  const match = /[ (]((?:BODY|BINARY)\[[^\]]*\](?:<\d+>)?|RFC822(?:\.HEADER|\.TEXT)?) +$/i.exec(
    buffer.toString('latin1', start, end),
  );
  return match?.[1] === undefined ? null : toUpperAscii(match[1]);
}
