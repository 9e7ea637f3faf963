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

  it.each([
    ['2MB/s', 2_000_000],
    ['500k', 500_000],
    ['1.5MiB/s', 1_572_864],
    ['3 Gi', 3 * 2 ** 30],
    ['1200', 1200],
    ['64kb', 64_000],
  ])('takes --bwlimit %s', (bwlimit, bytesPerSecond) => {
    expect(toJobOptions(optionValues.parse({ bwlimit }), surroundings)).toMatchObject({ bytesPerSecond });
  });

  it.each([
    ['4msg/s', 4],
    ['0.5', 0.5],
    ['90/min', 1.5],
    ['7200 msgs/h', 2],
  ])('takes --rate %s', (rate, messagesPerSecond) => {
    expect(toJobOptions(optionValues.parse({ rate }), surroundings)).toMatchObject({ messagesPerSecond });
  });

  it.each([
    ['bwlimit', '0'],
    ['bwlimit', '2MB/h'],
    ['bwlimit', '-1k'],
    ['bwlimit', 'fast'],
    ['bwlimit', ''],
    ['rate', '0'],
    ['rate', '4kmsg'],
    ['rate', '1/d'],
  ])('refuses --%s %s, and says what it takes', (name, value) => {
    const { error } = optionValues.safeParse({ [name]: value });
    expect(error?.issues[0]?.message).toMatch(/^'.*' is not a number of (bytes|messages) per second, as \d/);
  });

  it('has no limits where none are given', () => {
    const { bytesPerSecond, messagesPerSecond, compress } = toJobOptions(values(), surroundings);
    expect({ bytesPerSecond, messagesPerSecond, compress }).toEqual({ compress: 'auto' });
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
