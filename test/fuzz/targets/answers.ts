import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { answers, honestAnswer, playAnswer } from '../../support/answers.ts';
import { cutAt } from '../../support/chunking.ts';
import { assertSame } from '../same.ts';
import { codeOf, type FuzzTarget, type Outcome, randomOf } from '../target.ts';
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
      const cut = await play(name, input, (bytes) =>
        cutAt(
          bytes,
          cuts.map((cut) => Math.floor(cut * bytes.length)),
        ),
      );
      assertSame(cut, whole, 'cuts change the result');
    },
  }));
}

async function play(name: string, input: Buffer, cut: (bytes: Buffer) => readonly Buffer[]): Promise<Outcome<unknown>> {
  const { outcome } = await playAnswer(name, input, cut);
  return outcome.status === 'rejected' ? { error: codeOf(outcome.reason) } : { value: outcome.value };
}

/** The same tags in every session: in a damaged answer they end up anywhere, and two runs of one input have to agree. */
function fixTags(): void {
  Object.defineProperty(crypto, 'randomInt', { value: () => 0 });
  syncBuiltinESMExports();
}
