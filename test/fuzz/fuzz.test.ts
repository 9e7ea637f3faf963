import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attempt } from './attempt.ts';
import { Campaign } from './campaign.ts';
import { Effort } from './effort.ts';
import { assertSame } from './same.ts';
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

  it('notices an input that needs a lot of memory', async () => {
    const check = () => void Buffer.alloc(500 * 1024 * 1024, 1);
    expect(await attempt({ ...never, check }, Buffer.from('x'))).toMatchObject({ message: /^took \d+ MiB/ });
  });

  it('takes an input for slow by the processor time it used, and for stuck when it uses none', () => {
    const looks = (usedMs: readonly number[]): (string | null)[] => {
      let now = 0;
      const effort = new Effort({ maxMs: 1_000, maxIdleLooks: 3 }, () => now);
      return usedMs.map((ms) => {
        now += ms;
        return effort.look();
      });
    };
    // A hundred looks with a share of the processor as small as on a machine where everybody is busy.
    expect(looks(Array.from({ length: 100 }, () => 10))).not.toContainEqual(expect.any(String));
    expect(looks([0, 0, 10, 0, 0, 10])).not.toContainEqual(expect.any(String));
    expect(looks([500, 501])).toEqual([null, 'took 1001 ms of processor time']);
    expect(looks([10, 0, 0, 0])).toEqual([null, null, null, expect.stringMatching(/^does not end/)]);
  });

  it('compares big results without writing them out', () => {
    const big = Uint32Array.from({ length: 100_000 }, (_, at) => at);
    expect(() => assertSame(big, new Uint32Array(big), 'x')).not.toThrow();
    const other = new Uint32Array(big).fill(7, 99_999);
    const difference = (() => {
      try {
        assertSame({ text: 'y'.repeat(1e6), big }, { big: other }, 'the two differ');
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    })();
    expect(difference).toMatch(/^the two differ\n/);
    expect(difference.length).toBeLessThan(20_000);
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
