import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { canonicalDigestOf, headerKeyOf, writeDigest } from '../../src/worker/digest.ts';

function literal(...chunks: string[]) {
  const buffers = chunks.map((chunk) => Buffer.from(chunk, 'latin1'));
  return { size: buffers.reduce((sum, buffer) => sum + buffer.length, 0), chunks: buffers };
}

const sha = (text: string) => createHash('sha256').update(Buffer.from(text, 'latin1')).digest('hex');

describe('the digest of a message', () => {
  /** Written between other bytes, which stay. */
  function digestOf(body: ReturnType<typeof literal>): string {
    const bytes = Buffer.alloc(40, 0x2a);
    writeDigest(body, bytes, 4);
    expect(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 36)).toBe('********');
    return bytes.toString('hex', 4, 36);
  }

  it('is SHA-256 over its bytes, however they are sliced', () => {
    const text = 'Subject: x\r\n\r\nbody\r\n';
    for (let at = 0; at <= text.length; at++) {
      expect(digestOf(literal(text.slice(0, at), text.slice(at)))).toBe(sha(text));
    }
    expect(digestOf(literal(text))).toBe(sha(text));
    expect(digestOf(literal())).toBe(sha(''));
  });

  it('is the same below and above the size that is hashed at once', () => {
    for (const size of [16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000]) {
      const text = '\xe9\x00b'.repeat(size).slice(0, size);
      expect(digestOf(literal(text))).toBe(sha(text));
      expect(digestOf(literal(text.slice(0, 7), text.slice(7, 9000), text.slice(9000)))).toBe(sha(text));
    }
  });
});

describe('the canonical digest', () => {
  it('stays what it is when more are made, in memory of its kind alone', () => {
    const texts = Array.from({ length: 100 }, (_, at) => `message ${at}\r\n`);
    const digests = texts.map((text) => canonicalDigestOf(literal(text)));
    expect(digests.map((digest) => digest.toString('hex'))).toEqual(texts.map(sha));
    for (const { buffer, length } of digests) expect(buffer.byteLength).toBe(32 * length);
  });

  const cases: [name: string, bytes: string, canonical: string][] = [
    ['keeps what is canonical', 'a\r\nb\r\n', 'a\r\nb\r\n'],
    ['turns bare LF into CRLF', 'a\nb\n', 'a\r\nb\r\n'],
    ['turns bare CR into CRLF', 'a\rb\r\n', 'a\r\nb\r\n'],
    ['adds the last line end', 'a\r\nb', 'a\r\nb\r\n'],
    ['takes a last bare CR for a line end', 'a\r', 'a\r\n'],
    ['does not take CR CR LF for one line end', 'a\r\r\nb', 'a\r\n\r\nb\r\n'],
    ['keeps empty lines apart', '\n\n\r\n', '\r\n\r\n\r\n'],
    ['keeps NUL and 8-bit bytes', 'a\0\xff\n', 'a\0\xff\r\n'],
    ['of nothing is that of nothing', '', ''],
    ['of one byte has its line end', 'a', 'a\r\n'],
    ['of one LF is one line end', '\n', '\r\n'],
  ];
  it.each(cases)('%s', (_, bytes, canonical) => {
    expect(canonicalDigestOf(literal(bytes)).toString('hex')).toBe(sha(canonical));
    for (let at = 0; at <= bytes.length; at++) {
      expect(canonicalDigestOf(literal(bytes.slice(0, at), bytes.slice(at))).toString('hex')).toBe(sha(canonical));
    }
  });

  it('is equal exactly where the lines are equal', () => {
    const line = fc.stringMatching(/^[a-z]{0,4}$/);
    const end = fc.constantFrom('\r\n', '\n', '\r');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end), { minLength: 1 }), (lines) => {
        const sent = lines.map(([text, eol]) => text + eol).join('');
        // A bare CR before a line that begins with LF cannot occur: lines hold letters only, but an empty one may.
        fc.pre(
          !lines.some(
            ([, eol], index) => eol === '\r' && lines[index + 1]?.[0] === '' && lines[index + 1]?.[1] === '\n',
          ),
        );
        const canonical = lines.map(([text]) => `${text}\r\n`).join('');
        expect(canonicalDigestOf(literal(sent)).toString('hex')).toBe(sha(canonical));
      }),
    );
  });
});

describe('the canonical digest of slices', () => {
  const simple = (text: string) => {
    const lines = text.replace(/\r\n|\r|\n/g, '\r\n');
    return sha(lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`);
  };
  const piece = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'bc', '\0'), { maxLength: 6 });

  it('is that of the whole, at every split', () => {
    fc.assert(
      fc.property(piece, piece, (before, after) => {
        const text = [...before, ...after].join('');
        for (let at = 0; at <= text.length; at++) {
          expect(canonicalDigestOf(literal(text.slice(0, at), text.slice(at))).toString('hex')).toBe(simple(text));
        }
      }),
    );
  });

  it('is that of the whole in any number of slices, empty ones and single bytes included', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const slices = pieces.map((parts) => parts.join(''));
        const text = slices.join('');
        expect(canonicalDigestOf(literal(...slices)).toString('hex')).toBe(simple(text));
        expect(canonicalDigestOf(literal(...text)).toString('hex')).toBe(simple(text));
      }),
    );
  });

  it('joins nothing', () => {
    const concat = vi.spyOn(Buffer, 'concat');
    try {
      canonicalDigestOf(literal('a\r', '\nb\n', 'c'));
      expect(concat).not.toHaveBeenCalled();
    } finally {
      concat.mockRestore();
    }
  });
});

describe('the key of a header', () => {
  const key = (text: string) => headerKeyOf(Buffer.from(text, 'latin1')).toString('hex');

  it('does not depend on order, letter case of names, folding or blanks', () => {
    const one = 'Message-ID: <1@x>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: a long\r\n subject\r\n\r\n';
    const other = 'SUBJECT:   a long  subject\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nmessage-id: <1@x>\n\n';
    expect(key(one)).toBe(key(other));
  });

  it('differs when a value differs', () => {
    expect(key('Message-ID: <1@x>\r\n\r\n')).not.toBe(key('Message-ID: <2@x>\r\n\r\n'));
  });

  it('stops at the end of the header', () => {
    expect(key('Subject: a\r\n\r\nMessage-ID: <in the body>\r\n')).toBe(key('Subject: a\r\n\r\n'));
  });

  it('does not look at fields that servers add', () => {
    expect(key('X-UID: 4\r\nStatus: RO\r\nSubject: a\r\n\r\n')).toBe(key('Subject: a\r\n\r\n'));
  });
});
