import { describe, expect, it } from 'vitest';
import { answers, honestAnswer, playAnswer } from '../support/answers.ts';

/** What damage does to them is seen by `test/fuzz/targets/answers.ts`. */
describe('an answer', () => {
  it.each(Object.keys(answers))('to %s is read', async (name) => {
    const answer = Buffer.from(honestAnswer(name), 'latin1');
    expect(await playAnswer(name, answer, (bytes) => [bytes])).toMatchObject({ outcome: { status: 'fulfilled' } });
  });
});
