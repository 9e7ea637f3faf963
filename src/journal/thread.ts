/** The journal's thread: answers calls until it is ended. */

import { parentPort } from 'node:worker_threads';
import { type AnswerMessage, type CallMessage, toWireError } from './host.ts';
import { type CallName, type Calls, JournalService } from './service.ts';

const service = new JournalService();

parentPort?.on('message', (message: CallMessage) => {
  const { id } = message;
  try {
    answer({ id, reply: call(message) });
  } catch (error) {
    answer({ id, error: toWireError(error) });
  }
});

function call(message: CallMessage): Calls[CallName]['reply'] {
  const handler = service.handlers[message.name] as (request: unknown) => Calls[CallName]['reply'];
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
