/** The decoder's thread: answers questions one by one until it is ended. */
import { parentPort } from 'node:worker_threads';
import { loadMailParser } from '../mail-parser.ts';
import type { DecoderAnswer, DecoderQuestion } from './decoder.ts';
import { answerQuestion } from './decoder-service.ts';

const answer = (message: DecoderAnswer): void => parentPort?.postMessage(message);

async function begin(): Promise<void> {
  // The time it takes to load the parser is not counted as a message's.
  await loadMailParser();
  answer({ kind: 'ready' });
  parentPort?.on('message', async (question: DecoderQuestion) => answer(await answerQuestion(question)));
}

void begin();
