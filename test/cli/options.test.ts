import { describe, expect, it } from 'vitest';
import { defaultStateDir, type OptionValues, optionSpecs, optionValues, toJobOptions } from '../../src/cli/options.ts';

const surroundings = { env: {}, homeDir: '/home/alice', parallelism: 2 };
const values = (changes: Partial<OptionValues> = {}): OptionValues => ({ ...optionValues.parse({}), ...changes });

describe('options', () => {
  it('describes and checks the same options', () => {
    expect(optionSpecs.map((spec) => spec.name).sort()).toEqual(Object.keys(optionValues.shape).sort());
  });

  it.each([
    [{ connections: 4 }, 2, 1],
    [{ connections: 4 }, 4, 2],
    [{ connections: 4 }, 16, 4],
    [{ connections: 4, threads: 3 }, 16, 3],
    [{ connections: 2, threads: 8 }, 16, 2],
    [{ connections: 1 }, 0, 1],
    [{}, 16, 8],
    [{}, 1, 1],
    [{ threads: 3 }, 16, 3],
  ])('gives %j on %i processors %i threads', (options, parallelism, threads) => {
    expect(toJobOptions(values(options), { ...surroundings, parallelism }).threads).toBe(threads);
  });

  it.each([
    [{}, '/home/alice/.local/state/imap-migrate'],
    [{ XDG_STATE_HOME: '/var/state' }, '/var/state/imap-migrate'],
    [{ XDG_STATE_HOME: 'relative' }, '/home/alice/.local/state/imap-migrate'],
    [{ XDG_STATE_HOME: '' }, '/home/alice/.local/state/imap-migrate'],
  ])('keeps journals where %j says', (env, directory) => {
    expect(defaultStateDir(env, '/home/alice')).toBe(directory);
  });

  it('takes --state as it is given, made absolute', () => {
    expect(toJobOptions(values({ state: '/srv/journals' }), surroundings).stateDir).toBe('/srv/journals');
    expect(toJobOptions(values({ state: 'journals' }), surroundings).stateDir).toMatch(/^\/.*\/journals$/);
  });

  it.each([[true], [false]])('hands on --rebuild: %j', (rebuild) => {
    expect(toJobOptions(values({ rebuild }), surroundings).rebuild).toBe(rebuild);
  });

  it('hands the folder options to the mapping', () => {
    const map = [{ from: 'A', to: 'B' }];
    const options = values({ map, include: ['A'], exclude: ['\\Trash'], 'map-special-use': false });
    expect(toJobOptions(options, surroundings).mapping).toEqual({
      map,
      include: ['A'],
      exclude: ['\\Trash'],
      mapSpecialUse: false,
    });
  });
});
