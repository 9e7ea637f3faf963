import type { Random } from '../support/corpus-messages.ts';
import type { FuzzTarget } from './target.ts';

/** Inputs do not grow beyond this, in bytes, unless the corpus does. */
const maxBytes = 16 * 1024;
const maxMutations = 6;

const numbers = [
  '0',
  '1',
  '-1',
  '00',
  '2147483648',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999999',
];

/** One input of the corpus, changed in one to six places. */
export function mutated(random: Random, { corpus, words }: Pick<FuzzTarget, 'corpus' | 'words'>): Buffer {
  const pick = (): Buffer => corpus[random.below(corpus.length)] ?? Buffer.alloc(0);
  const seed = pick();
  let bytes = seed;
  for (let left = 1 + random.below(maxMutations); left > 0; left--) bytes = change(random, bytes, pick, words);
  return bytes.subarray(0, Math.max(maxBytes, seed.length));
}

function change(random: Random, bytes: Buffer, pick: () => Buffer, words: readonly string[]): Buffer {
  const at = random.below(bytes.length + 1);
  const run = 1 + random.below(random.below(4) === 0 ? 200 : 8);
  switch (random.below(9)) {
    case 0:
      return spliced(bytes, at, 1, Buffer.of(random.below(256)));
    case 1: {
      const flipped = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return spliced(bytes, at, 1, Buffer.of(flipped));
    }
    case 2:
      return spliced(bytes, at, run, Buffer.alloc(0));
    case 3:
      return spliced(bytes, at, random.below(4), Buffer.from(words[random.below(words.length)] ?? '', 'latin1'));
    case 4:
      // Something once more, right behind itself: lists in lists, items twice, and sometimes very often.
      return spliced(
        bytes,
        at,
        0,
        repeated(bytes.subarray(at, at + run), 1 + random.below(random.below(8) === 0 ? 120 : 2)),
      );
    case 5: {
      const other = pick();
      const from = random.below(other.length + 1);
      return spliced(bytes, at, random.below(run), other.subarray(from, from + 4 * run));
    }
    case 6:
      return bytes.subarray(0, at);
    case 7:
      return withNumber(random, bytes, at);
    default: {
      const to = random.below(bytes.length + 1);
      return spliced(bytes, to, run, bytes.subarray(at, at + run));
    }
  }
}

function spliced(bytes: Buffer, at: number, removed: number, put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + removed)]);
}

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => piece));
}

/** Puts another number in the place of the first one at or behind `at`. */
function withNumber(random: Random, bytes: Buffer, at: number): Buffer {
  const digits = /\d+/.exec(bytes.toString('latin1', at));
  const number = Buffer.from(numbers[random.below(numbers.length)] ?? '');
  return digits === null ? spliced(bytes, at, 0, number) : spliced(bytes, at + digits.index, digits[0].length, number);
}
