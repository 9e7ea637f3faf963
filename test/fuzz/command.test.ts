import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../scripts/compile.mjs';
import { projectRoot, scratchDir } from '../../scripts/setup.mjs';

/** The program behind `npm run fuzz`, compiled as that does: away from the files that lie beside its source. */
describe('the fuzz program', () => {
  let outDir = '';

  beforeAll(() => {
    mkdirSync(scratchDir, { recursive: true });
    outDir = mkdtempSync(join(scratchDir, 'fuzz-test-'));
    compile(outDir, 'test', 'The fuzz targets do not compile.');
  }, 60_000);
  afterAll(() => rmSync(outDir, { recursive: true, force: true }));

  const run = (...args: readonly string[]) => {
    const main = join(outDir, 'test', 'fuzz', 'main.js');
    return spawnSync(process.execPath, ['--expose-gc', main, '--seed', '7', ...args], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
  };

  it('says what each target got to do', () => {
    expect(run('--minutes', '0.002', '--only', 'utf7', '--only', 'journal')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^fuzz: --seed 7, 0.002 min\nutf7 +[1-9]\d*\njournal +\d+\nalive after round 1: /),
    });
  });

  it('fails where it cannot begin', () => {
    expect(run('--minutes', '0', '--only', 'nothing')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("FAILED RangeError: there is no target 'nothing'; there are: responses, "),
    });
  });
});
