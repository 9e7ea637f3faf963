import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attempt } from './attempt.ts';
import { Campaign } from './campaign.ts';
import { shrunk } from './shrink.ts';
import type { FuzzTarget } from './target.ts';
import { fuzzTargets } from './targets/index.ts';

/** A small part of what `npm run fuzz` does, the same in every run. Vitest itself sees unhandled rejections. */
const seed = 1;
const targets = await fuzzTargets();
const folder = join('test', 'fuzz', 'failures');

const never: FuzzTarget = {
  name: 'never',
  corpus: [Buffer.from('a(b)c')],
  words: ['('],
  check: (input) => {
    if (input.includes('(')) throw new TypeError('a parenthesis');
  },
};

describe('fuzzing', () => {
  it.each(targets.map((target) => ({ name: target.name, target })))('$name: a few inputs', async ({ name, target }) => {
    const campaign = new Campaign(target, seed);
    const count = target.corpus.length + (name.startsWith('journal') ? 20 : 60);
    for (let left = count; left > 0; left--) {
      const failure = await campaign.step();
      if (failure !== null) expect(failure).toBeNull();
    }
  });

  it('stands every input that has once been too much', async () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.bin'))) {
      const target = targets.find(({ name }) => name === file.split('.', 1)[0]);
      if (target === undefined) throw new Error(`${file} belongs to no target`);
      expect(await attempt(target, readFileSync(join(folder, file))), file).toBeNull();
    }
  });

  it('notices an error that is none of ours, and shrinks the input', async () => {
    const failure = await new Campaign(never, seed).step();
    expect(failure).toMatchObject({ target: 'never', seed, iteration: 0, input: Buffer.from('(') });
    expect(failure?.error).toBeInstanceOf(TypeError);
  });

  it('makes the same inputs of the same seed', async () => {
    const inputsOf = async (of: number) => {
      const inputs: string[] = [];
      const campaign = new Campaign({ ...never, check: () => {} }, of);
      for (let left = 50; left > 0; left--) await campaign.step((input) => inputs.push(input.toString('latin1')));
      return inputs;
    };
    expect(await inputsOf(7)).toEqual(await inputsOf(7));
    expect(await inputsOf(7)).not.toEqual(await inputsOf(8));
  });

  it('shrinks to what matters', async () => {
    const small = await shrunk(Buffer.from('abcdef(((123'), async (bytes) => bytes.includes('(') && bytes.length > 2);
    expect(small.toString()).toMatch(/^x*\(x*$/);
    expect(small).toHaveLength(3);
  });
});
