import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internAtom, internLower, internUpper } from '../../src/protocol/atom-cache.ts';
import { toLowerAscii, toUpperAscii } from '../../src/protocol/word.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
// Few letters and short words: neighbours in the tables collide.
const crowded = fc.array(
  fc.oneof(
    bytes,
    fc.stringMatching(/^[aAbB]{0,3}$/).map((text) => Buffer.from(text)),
  ),
  {
    minLength: 1,
    maxLength: 50,
  },
);

describe('interned atoms', () => {
  it('property: are what the bytes say, whoever was there before', () => {
    fc.assert(
      fc.property(crowded, (atoms) => {
        for (const atom of [...atoms, ...atoms]) {
          const framed = Buffer.concat([Buffer.from('<'), atom, Buffer.from('>')]);
          const text = atom.toString('latin1');
          expect(internAtom(framed, 1, 1 + atom.length)).toBe(text);
          expect(internUpper(framed, 1, 1 + atom.length)).toBe(toUpperAscii(text));
          expect(internLower(framed, 1, 1 + atom.length)).toBe(toLowerAscii(text));
        }
      }),
    );
  });

  it('stay right when more atoms pass than there are places', () => {
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 5000; at++) {
        const text = `keyword${at}`;
        expect(internAtom(Buffer.from(text), 0, text.length)).toBe(text);
      }
    }
  });
});

describe('toUpperAscii', () => {
  it('leaves what is not ASCII alone', () => {
    expect(toUpperAscii('abc-z{1}\xe9\xff\xdf')).toBe('ABC-Z{1}\xe9\xff\xdf');
  });
});
