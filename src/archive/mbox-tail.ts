import { ftruncateSync } from 'node:fs';
import { FileWindow } from './file-window.ts';
import { writeAll } from './files.ts';
import { maxOwnLine, ownMark, parseOwnFrom, startsWith } from './mbox-from.ts';
import { entryAt, isTorn, lineAt, tornLineAt } from './mbox-scan.ts';
import { TreeError } from './tree-error.ts';

const windowBytes = 64 * 1024;
const newFrom = Buffer.from('\nFrom ');

/**
 * Makes the end of an mbox fit to be written behind, and tells where that is. A message of ours that was not finished is cut
 * off; a line end or empty line that is missing is added. Nothing else is taken away.
 *
 * @throws TreeError `UNREADABLE` where the file is another program's
 */
export function repairTail(path: string, handle: number, size: number): number {
  if (size === 0) return 0;
  const wholeLines = tornLineAt(new FileWindow(handle, size, windowBytes));
  const window = new FileWindow(handle, wholeLines, windowBytes);
  if (wholeLines > 0 && !isOurs(window)) {
    throw new TreeError(
      'UNREADABLE',
      `cannot write to ${path}: it was made by another program. Choose another directory, or move the file away`,
    );
  }
  const end = withoutTorn(window, path);
  if (end < size) ftruncateSync(handle, end);
  return endWithEmptyLine(handle, window, end);
}

/** True where we wrote the first message, or the last: others may have been added or deleted since. */
function isOurs(window: FileWindow): boolean {
  return startsWith(window.peek(0, ownMark.length), ownMark) || lastOwn(window) !== null;
}

function lastOwn(window: FileWindow): number | null {
  const last = lastFrom(window);
  return last !== null && parseOwnFrom(window.peek(last, maxOwnLine)) !== null ? last : null;
}

/** Behind the last message that is not torn. Of those there may be several: programs append to a file as they find it. */
function withoutTorn(window: FileWindow, path: string): number {
  const last = lastFrom(window);
  if (last === null) return window.size;
  const entry = entryAt(window, last);
  if (entry === null || !isTorn(window, entry)) return window.size;
  if (entry.end < window.size)
    throw new TreeError('UNREADABLE', `cannot write to ${path}: it is damaged at byte ${last}`);
  return last;
}

/** The last line that separates messages, looked for from the end. */
function lastFrom(window: FileWindow): number | null {
  for (let end = window.size; end > 0; ) {
    const start = Math.max(0, end - windowBytes);
    const bytes = window.view(start, end - start).subarray(0, end - start);
    for (let hit = bytes.lastIndexOf(newFrom); hit !== -1; hit = hit === 0 ? -1 : bytes.lastIndexOf(newFrom, hit - 1)) {
      if (isSeparator(window, start + hit + 1)) return start + hit + 1;
    }
    if (start === 0) break;
    end = start + newFrom.length - 1;
  }
  return isSeparator(window, 0) ? 0 : null;
}

function isSeparator(window: FileWindow, at: number): boolean {
  return parseOwnFrom(window.peek(at, maxOwnLine)) !== null || lineAt(window, at) !== null;
}

/** Other programs look for the empty line. */
function endWithEmptyLine(handle: number, window: FileWindow, end: number): number {
  if (end === 0) return 0;
  const tail = window.peek(Math.max(0, end - 3), Math.min(3, end)).toString('latin1');
  const missing = /\n\r?\n$/.test(tail) ? '' : tail.endsWith('\n') ? '\n' : '\n\n';
  if (missing !== '') writeAll(handle, [Buffer.from(missing)], end);
  return end + missing.length;
}
