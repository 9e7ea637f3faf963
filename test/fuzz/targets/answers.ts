import { strictEqual } from 'node:assert';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { inspect } from 'node:util';
import { answers, honestAnswer, playAnswer } from '../../support/answers.ts';
import { cutAt } from '../../support/chunking.ts';
import { codeOf, type FuzzTarget, randomOf } from '../target.ts';
import { wireWords } from './responses.ts';

/** Every call of the client that reads an answer: LIST, STATUS, SEARCH, ACL, … A target for each. */
export function answerTargets(): FuzzTarget[] {
  fixTags();
  return Object.keys(answers).map((name) => ({
    name: `answer-${name}`,
    corpus: [Buffer.from(honestAnswer(name), 'latin1')],
    words: [...wireWords, '$T OK done\r\n', '$T NO ', '$T BAD '],
    check: async (input) => {
      const whole = await play(name, input, (bytes) => [bytes]);
      const random = randomOf(input);
      const cuts = Array.from({ length: 3 }, () => random.next());
      strictEqual(
        await play(name, input, (bytes) =>
          cutAt(
            bytes,
            cuts.map((cut) => Math.floor(cut * bytes.length)),
          ),
        ),
        whole,
      );
    },
  }));
}

async function play(name: string, input: Buffer, cut: (bytes: Buffer) => readonly Buffer[]): Promise<string> {
  const { outcome } = await playAnswer(name, input, cut);
  if (outcome.status === 'rejected') return codeOf(outcome.reason);
  return inspect(outcome.value, { depth: null, maxArrayLength: null, maxStringLength: null });
}

/** The same tags in every session: in a damaged answer they end up anywhere, and two runs of one input have to agree. */
function fixTags(): void {
  Object.defineProperty(crypto, 'randomInt', { value: () => 0 });
  syncBuiltinESMExports();
}
