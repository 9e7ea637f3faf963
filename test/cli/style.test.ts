import { describe, expect, it } from 'vitest';
import { createStyle, stripStyle } from '../../src/cli/style.ts';

const painted = '\u001b[31mx\u001b[39m';

describe('createStyle', () => {
  it.each([
    ['a terminal', true, {}, painted],
    ['a pipe', false, {}, 'x'],
    ['NO_COLOR on a terminal', true, { NO_COLOR: '1' }, 'x'],
    ['an empty NO_COLOR, which is none', true, { NO_COLOR: '' }, painted],
    ['FORCE_COLOR on a pipe', false, { FORCE_COLOR: '1' }, painted],
    ['FORCE_COLOR=0 on a terminal', true, { FORCE_COLOR: '0' }, 'x'],
    ['NO_COLOR against FORCE_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, 'x'],
    ['a dumb terminal', true, { TERM: 'dumb' }, 'x'],
  ])('paints or not: %s', (_name, isTTY, env, expected) => {
    expect(createStyle({ isTTY }, env).red('x')).toBe(expected);
  });

  it.each([
    [{ LANG: 'de_DE.UTF-8' }, '✓ '],
    [{ LANG: 'C.utf8' }, '✓ '],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, ''],
    [{ LC_CTYPE: 'en_US.UTF-8', LANG: 'C' }, '✓ '],
    [{}, ''],
  ])('uses symbols only where the locale has them: %j', (env, good) => {
    expect(createStyle({}, env).symbols.good).toBe(good);
  });

  it('takes its own paint off again', () => {
    const style = createStyle({ isTTY: true }, {});
    expect(stripStyle(style.bold(style.green('done')))).toBe('done');
  });
});
