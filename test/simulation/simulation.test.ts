import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Defect } from './process.ts';
import { describeScenario, makeScenario, type Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';

/** `npm run simulate` plays thousands; these are a sample. */
const sample = Array.from({ length: 24 }, (_, index) => index + 1);

/** Scenarios that once broke a guarantee, without what did not matter: `regressions/<seed>-<what was wrong>.json`. */
const regressions = readdirSync(new URL('./regressions', import.meta.url)).map(
  (file) =>
    [
      file.replace('.json', '').replaceAll('-', ' '),
      JSON.parse(readFileSync(new URL(`./regressions/${file}`, import.meta.url), 'utf8')) as Scenario,
    ] as const,
);

async function expectKept(scenario: Scenario): Promise<void> {
  const { violation, acts } = await simulate(scenario);
  expect(violation?.message, `runs: ${acts.join(', ')}\n${describeScenario(scenario)}`).toBeUndefined();
}

describe('a migration that is disturbed, killed and run again', () => {
  it.each(sample)('keeps its promises: seed %i', (seed) => expectKept(makeScenario(seed)));

  it.each(regressions)('keeps them where it once did not: %s', (_, scenario) => expectKept(scenario));
});

describe('the simulation', () => {
  it('goes the same way again with the same seed, and another with another', async () => {
    const trace = async (seed: number) => (await simulate(makeScenario(seed))).trace;
    for (const seed of [3, 8, 14]) expect(await trace(seed)).toBe(await trace(seed));
    expect(await trace(3)).not.toBe(await trace(8));
  });

  it.each<[Defect, number]>([
    ['forgets intents', 4],
    ['forgets doubts', 2],
    ['counts intents as copied', 1],
    ['changes flags', 3],
  ])('notices a program that %s', async (defect, guarantee) => {
    const broken = new Set<number | undefined>();
    for (let seed = 1; seed <= 40 && !broken.has(guarantee); seed++) {
      broken.add((await simulate(makeScenario(seed), defect)).violation?.guarantee);
    }
    expect([...broken]).toContain(guarantee);
  });
});
