import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCode, loadBundle } from '../src/bundle-loader.ts';

describe('what the build joined', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bundle-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  /** Keeps the code of `text` for a file that now holds `now`, of the same length. */
  const keepFor = (text: string, now: string): string => {
    const file = write('main.cjs', text);
    keepCode(file, (compile) => compile());
    write('main.cjs', now);
    utimesSync(file, new Date(0), new Date(0));
    return file;
  };
  const codeFileIn = () => join(dir, readdirSync(dir).find((name) => name.endsWith('.code')) ?? 'none');

  it('is run once, whoever requires it', () => {
    write('part.cjs', 'exports.made = { at: process.hrtime.bigint() };');
    const main = write(
      'main.cjs',
      "exports.part = require('./part.cjs'); exports.name = require('node:path').basename(__filename);",
    );
    expect(loadBundle(main)).toEqual({ name: 'main.cjs', part: loadBundle(join(dir, 'part.cjs')) });
    expect(loadBundle(main)).toBe(loadBundle(main));
  });

  it('is run from the code that was kept', () => {
    // Nobody changes a file unseen: this only shows where the code came from.
    expect(loadBundle(keepFor('module.exports = 1;', 'module.exports = 2;'))).toBe(1);
  });

  it('is compiled anew when it has been changed since', () => {
    const file = keepFor('module.exports = 1;', 'module.exports = 2;');
    utimesSync(file, new Date(), new Date(Date.now() + 60_000));
    expect(loadBundle(file)).toBe(2);
  });

  it.each([
    ['nothing', ''],
    ['text', 'no code at all'],
    ['noughts', '\0'.repeat(4096)],
  ])('is compiled anew when what was kept is none: %s', (_, bytes) => {
    const file = keepFor('module.exports = 1;', 'module.exports = 2;');
    writeFileSync(codeFileIn(), bytes);
    expect(loadBundle(file)).toBe(2);
  });

  it('imports late what it names, also from the code that was kept', async () => {
    const text = "module.exports = importModule('node:path');";
    expect(await loadBundle(keepFor(text, text))).toHaveProperty('basename');
  });
});
