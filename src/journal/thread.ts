/** The journal's thread: answers calls until it is ended. */

import { parentPort } from 'node:worker_threads';
import { type AnswerMessage, type CallMessage, toWireError } from './host.ts';
import type { CallName, Calls, JournalService } from './service.ts';

/** Not before it is needed: a process that ends while SQLite is being loaded into a thread is aborted. */
let service: Promise<JournalService> | null = null;

parentPort?.on('message', (message: CallMessage) => {
  service ??= loadService();
  const { id } = message;
  // Whoever waits for the same promise goes on in the order of asking.
  service
    .then((loaded) => answer({ id, reply: call(loaded, message) }))
    .catch((error: unknown) => answer({ id, error: toWireError(error) }));
});

async function loadService(): Promise<JournalService> {
  const { JournalService } = await import('./service.ts');
  return new JournalService();
}

function call(loaded: JournalService, message: CallMessage): Calls[CallName]['reply'] {
  const handler = loaded.handlers[message.name] as (request: unknown) => Calls[CallName]['reply'];
  return handler(message.request);
}

function answer(message: AnswerMessage): void {
  parentPort?.postMessage(message, buffersIn(message));
}

/** Big columns are handed over, not cloned. */
function buffersIn(message: AnswerMessage): ArrayBuffer[] {
  if (!('reply' in message) || message.reply === null || !('uids' in message.reply)) return [];
  const { uids, targetUids, verdicts, flags } = message.reply;
  return [uids, targetUids, verdicts, flags].map((column) => column.buffer as ArrayBuffer);
}
