/**
 * The JSON side of the command line: one object per line on stdout. `docs/EVENTS.md` describes every kind.
 */
import { toDisplayJson } from '../display.ts';
import type { AccountReport, JobEvent, TreeVerifyReport, VerifyReport } from '../job.ts';
import type { FoundMessage, ListedFolder, WrittenPage } from './archive.ts';
import type { CliIo } from './io.ts';
import type { JournalEntry } from './journal-report.ts';

/** Raised when a field changes its meaning or goes away. New kinds and new fields do not raise it. */
export const eventSchema = 1;

/** What the command line itself has to say, next to the events of the job. */
export type CliEvent =
  | { readonly kind: 'started'; readonly command: string; readonly version: string }
  | { readonly kind: 'account'; readonly report: AccountReport }
  | { readonly kind: 'verified'; readonly report: VerifyReport }
  | { readonly kind: 'tree-verified'; readonly report: TreeVerifyReport }
  | { readonly kind: 'status'; readonly journal: JournalEntry }
  | { readonly kind: 'folder'; readonly folder: ListedFolder }
  | { readonly kind: 'message'; readonly mail: FoundMessage }
  | { readonly kind: 'indexed'; readonly index: WrittenPage }
  | { readonly kind: 'stopping'; readonly signal: string }
  | { readonly kind: 'error'; readonly code: string; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'exit'; readonly exitCode: number };

/** Writes one event as one line. Strings hold what servers said, escaped so that a terminal can show the line. */
export function writeEventLine(io: CliIo, event: JobEvent | CliEvent): void {
  const { kind, ...fields } = event;
  const line = { schema: eventSchema, time: io.wallTime().toISOString(), event: kind, ...fields };
  io.stdout.write(`${toDisplayJson(line)}\n`);
}
