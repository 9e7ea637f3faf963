import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDisplay, toDisplayJson } from '../src/display.ts';

const control = (code: number) => String.fromCodePoint(code);

describe('toDisplay', () => {
  it.each([
    ['plain text', 'plain text', 'plain text'],
    ['accents, composed and combining', 'é e\u0301', 'é e\u0301'],
    ['wide characters and emoji', '日本語 📧 ❤\uFE0F', '日本語 📧 ❤\uFE0F'],
    ['a backslash', '\\Sent', '\\Sent'],
    ['line ends and tabs', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['NUL and BEL', `${control(0)}${control(7)}`, '\\x00\\x07'],
    ['a terminal escape', '\u001b[2Jgone', '\\x1b[2Jgone'],
    ['DEL', control(0x7f), '\\x7f'],
    ['C1: a one-byte CSI', `${control(0x9b)}31m`, '\\x9b31m'],
    ['text direction turned round', 'a\u202Egpj.exe', 'a\\u{202e}gpj.exe'],
    ['direction isolates and marks', '\u2066\u2069\u200E\u061C', '\\u{2066}\\u{2069}\\u{200e}\\u{61c}'],
    ['zero-width characters', 'a\u200Bb\u200Dc\uFEFF', 'a\\u{200b}b\\u{200d}c\\u{feff}'],
    ['invisible fillers', '\u3164\u00AD', '\\u{3164}\\xad'],
    ['a variation selector that selects nothing', 'a\uFE0F', 'a\\u{fe0f}'],
    ['line and paragraph separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['tag characters', '\u{E0041}', '\\u{e0041}'],
    ['lone surrogates', 'a\uD83Db\uDE00', 'a\\u{d83d}b\\u{de00}'],
  ])('%s', (_name, raw, shown) => {
    expect(toDisplay(raw)).toBe(shown);
  });

  it('leaves no control character, whatever it is given, and changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }), (text, ascii) => {
        const shown = toDisplay(text + ascii);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(toDisplay(shown)).toBe(shown);
      }),
    );
  });
});

describe('toDisplayJson', () => {
  it('gives every character back to a JSON reader', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(toDisplayJson({ text }))).toEqual(JSON.parse(JSON.stringify({ text })));
      }),
    );
  });

  it('writes nothing that a terminal acts on', () => {
    const json = toDisplayJson({ name: '\u001b[2J\u009b\u202e\u{E0041}\u007f\n' });
    expect(json).toBe('{"name":"\\u001b[2J\\u009b\\u202e\\udb40\\udc41\\u007f\\n"}');
  });
});
