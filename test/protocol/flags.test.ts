import { describe, expect, it } from 'vitest';
import { isAtom, isFlag } from '../../src/protocol/flags.ts';

const atomSpecials = '(){ %*"\\]\r\n\t\0\x7f';

describe('isAtom', () => {
  it.each(['a', '$Forwarded', 'a.b/c', '[x', 'NIL', '!#&+,-'])('accepts %s', (text) => {
    expect(isAtom(text)).toBe(true);
  });

  it.each(['', 'é', '日', ...atomSpecials].flatMap((char) => [char, `a${char}`, `${char}a`]))('refuses %j', (text) => {
    expect(isAtom(text)).toBe(/^a+$/.test(text));
  });
});

describe('isFlag', () => {
  it.each(['\\Seen', '\\X-1', '$MDNSent', 'a', 'Perso/Travail', 'Important!'])('accepts %s', (text) => {
    expect(isFlag(text)).toBe(true);
  });

  it.each(['', '\\', '\\*', '*', '\\\\Seen', '\\See n', 'a\\b', 'OIB-Seen-[Gmail]/Spam', 'Café', 'a\r\n'])(
    'refuses %j',
    (text) => {
      expect(isFlag(text)).toBe(false);
    },
  );
});
