import { strictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { answers, honestAnswer, playAnswer } from '../../support/answers.ts';
import { cutAt } from '../../support/chunking.ts';
import { codeOf, type FuzzTarget, randomOf } from '../target.ts';
import { wireWords } from './responses.ts';

/** Every call of the client that reads an answer: LIST, STATUS, SEARCH, ACL, … A target for each. */
export function answerTargets(): FuzzTarget[] {
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

/** The outcome in words that compare: tags are other ones in every session. */
async function play(name: string, input: Buffer, cut: (bytes: Buffer) => readonly Buffer[]): Promise<string> {
  const { outcome, tag } = await playAnswer(name, input, cut);
  if (outcome.status === 'rejected') return codeOf(outcome.reason);
  const words = inspect(withText(outcome.value), { depth: null, maxArrayLength: null, maxStringLength: null });
  return words.replaceAll(new RegExp(tag, 'gi'), '$T');
}

/** The value with its bytes as text, in which a tag can be found. */
function withText(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (Array.isArray(value)) return value.map(withText);
  if (value instanceof Map) return [...value].map(withText);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return ArrayBuffer.isView(value) ? value : Object.entries(value).map(withText);
}
