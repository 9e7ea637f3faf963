import { startJournalThread } from './journal/host.ts';
import { startLaneThread } from './lanes.ts';

/** Commands that copy nothing, or find out first whether there is anything to do for a thread. */
const otherCommands = ['check', 'plan', 'verify', 'shell', 'status', 'demo', 'list', 'search', 'export', 'index'];

/**
 * Starts the threads of a copy where the words of a command line look like one: they load while the command does, and wait.
 * Nothing but time depends on it; threads that nobody takes end with the process.
 */
export function startThreadsAhead(argv: readonly string[]): void {
  const words = argv.filter((word) => !word.startsWith('-'));
  if (words.length < 2 || otherCommands.some((command) => words.includes(command))) return;
  startLaneThread();
  startJournalThread();
}
