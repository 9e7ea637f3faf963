/**
 * How progress is shown, and the sentence that says it.
 */
import { toDisplay } from '../display.ts';
import type { Progress, Waiting } from '../job.ts';
import { formatLocalTime } from '../local-time.ts';
import { formatBytes, formatClock, formatCount, formatNoun, formatPercent, formatRate } from './format.ts';

/** Owns the part of the screen that moves, and lets lines of text pass without tearing it. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Writes finished lines, above whatever moves. */
  print(lines: readonly string[]): void;
  /** Ends what moves, at most with a last line of where the job stands, and gives the terminal back. Calling it twice is harmless. */
  stop(): void;
}

/** `waiting until 2026-11-22 14:35 (local time) for source alice@…: it throttles this account`, printable. */
export function waitingSentence({ side, account, why, words, until, parked }: Waiting): string {
  const time = `${formatLocalTime(Date.parse(until))} (local time)`;
  const said = words === '' ? '' : ` (${words})`;
  return toDisplay(`${parked ? 'parked' : 'waiting'} until ${time} for ${side} ${account}: ${why}${said}`);
}

/** Folders that a sentence names before it only counts. */
const namedFolders = 3;

/** Where a job stands, in one printable line; the same for SIGUSR1 and for pipes. */
export function progressSentence(progress: Progress): string {
  const { messages, bytes, waiting } = progress;
  const parts = [
    `${formatCount(messages.done)} of ${formatNoun(messages.total, 'message')} (${formatPercent(messages.done, messages.total)})`,
  ];
  // Comparing moves no bytes worth telling.
  const moves = bytes.total > 0;
  if (moves) parts.push(`${formatBytes(bytes.done)} of ${formatBytes(bytes.total)}`);
  parts.push(`${formatRate(progress.messagesPerSecond)} messages/s`);
  if (moves) parts.push(`${formatBytes(progress.bytesPerSecond)}/s`);
  parts.push(`${formatClock(progress.elapsedMs)} gone`);
  if (progress.etaMs !== null && progress.etaMs > 0) parts.push(`${formatClock(progress.etaMs)} left`);
  if (progress.refused > 0) parts.push(`${formatCount(progress.refused)} refused`);
  const folders = progress.activeFolders
    .slice(0, namedFolders)
    .map((folder) => `${toDisplay(folder.name)} ${formatCount(folder.done)}/${formatCount(folder.total)}`);
  const more = progress.activeFolders.length - folders.length;
  if (more > 0) folders.push(`${formatNoun(more, 'other folder')}`);
  if (waiting !== null) parts.push(waitingSentence(waiting));
  else if (folders.length > 0) parts.push(`in ${folders.join(', ')}`);
  return parts.join(', ');
}
