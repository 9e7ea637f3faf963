import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FromQuoting, quoteBody } from '../../src/archive/mbox-quoting.ts';

/** The definition, for comparison. */
const quoteText = (text: string) => text.replace(/(^|\n)(>*From )/g, '$1>$2');

function run(kind: 'quote' | 'unquote', slices: readonly Buffer[]): string {
  const quoting = new FromQuoting(kind);
  const out: Buffer[] = [];
  for (const slice of slices) quoting.push(slice, out);
  quoting.end(out);
  expect(out.every((slice) => slice.length > 0)).toBe(true);
  return Buffer.concat(out).toString('latin1');
}

const vectors = [
  '',
  'From ',
  'From a\n',
  '>From a\n>>From b\n',
  'a\nFrom b',
  'a\n\nFrom b\nFrom c\n',
  'a\r\nFrom b\r\n>From c\r\n',
  'a\rFrom b\n',
  'aFrom b\n>a>From \n',
  'From\n>Fro\n>>>\nFromage\n> From ',
  '\n',
  '>',
  '>>>>',
  'FFrom \nFFrom \n>FroFrom ',
  '\nFrom From \nFrom ',
  'From: a\nFroM \n',
];

describe('mboxrd quoting', () => {
  it.each(vectors)('adds one > and takes it away again, whatever the slices: %j', (text) => {
    const bytes = Buffer.from(text, 'latin1');
    const quoted = Buffer.from(quoteText(text), 'latin1');
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) {
        const slices = [bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)];
        expect(run('quote', slices)).toBe(quoteText(text));
      }
    }
    for (let a = 0; a <= quoted.length; a++) {
      for (let b = a; b <= quoted.length; b++) {
        expect(run('unquote', [quoted.subarray(0, a), quoted.subarray(a, b), quoted.subarray(b)])).toBe(text);
      }
    }
    const single = (all: Buffer) => Array.from(all, (_, at) => all.subarray(at, at + 1));
    expect(run('quote', single(bytes))).toBe(quoteText(text));
    expect(run('unquote', single(quoted))).toBe(text);
  });

  it('brings back any text in any slices', () => {
    const pieces = fc.array(fc.constantFrom('>', 'From ', 'F', 'ro', 'm ', '\n', '\r\n', '\r', 'x', ' '), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(12), { maxLength: 20 }), (words, lengths) => {
        const text = words.join('');
        const quoted = run('quote', slicesOf(Buffer.from(text), lengths));
        expect(quoted).toBe(quoteText(text));
        expect(run('unquote', slicesOf(Buffer.from(quoted), lengths))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('hands on the very slices in which there is nothing to do', () => {
    const chunks = [Buffer.from('Subject: x\r\n\r\nabc'), Buffer.from('def\r\nFrom:\r\n'), Buffer.from('end\r\n')];
    const { slices, bytes } = quoteBody(chunks);
    expect(slices.every((slice, at) => slice === chunks[at])).toBe(true);
    expect(bytes).toBe(34);
  });

  it('tells that a line began with From unquoted', () => {
    for (const text of ['x\nFrom a\n>From b\n', 'From a']) {
      for (let at = 0; at <= text.length; at++) {
        const quoting = new FromQuoting('unquote');
        quoting.push(Buffer.from(text.slice(0, at)), []);
        quoting.push(Buffer.from(text.slice(at)), []);
        expect(quoting.foundBare).toBe(true);
      }
    }
  });
});

function slicesOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const slices: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    slices.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...slices, bytes.subarray(Math.min(at, bytes.length))];
}
