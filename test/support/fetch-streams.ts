import fc from 'fast-check';
import type { Limits } from '../../src/protocol/limits.ts';

/** Streams of FETCH responses, mostly as servers send them, and what may happen to them. */

const date = '17-Jul-1996 02:44:25 -0700';

const often = <Value>(usual: Value, ...others: Value[]) =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const number = fc.oneof(
  { weight: 30, arbitrary: fc.nat().map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('4294967295', '4294967296', '007', '', '9007199254740991', '-1', 'NIL') },
);
const flagList = often('\\Seen', '', '\\Answered \\Seen', '\\Seen ', '$NeverSeen2', '"a)b" \\Seen', '(', '\\*');
const dates = often(
  date,
  ' 7-Feb-1994 22:43:04 +0100',
  '17-Jul-1996 02:44:25 "0700',
  '',
  `${date} `,
  '1\n-Jul-1996 02:44:25 -0700',
);
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(')', '\r\n', '* 1 FETCH (UID 1)\r\n', ' UID 9)\r\n'),
);
const common = fc.oneof(
  number.map((uid) => `UID ${uid}`),
  flagList.map((flags) => `FLAGS (${flags})`),
  dates.map((date) => `INTERNALDATE "${date}"`),
  number.map((size) => `RFC822.SIZE ${size}`),
  number.map((modSeq) => `MODSEQ (${modSeq})`),
  fc
    .tuple(
      fc.oneof(
        often('BODY[]', 'RFC822', 'body[]', 'BODY[]<0>'),
        often('BODY[1.MIME]', 'BODY[2]', 'BODY[HEADER.FIELDS ("]")]'),
      ),
      often('', '~', ' '),
      often('', '+', '\n'),
      text,
    )
    .map(([name, before, behind, text]) => {
      const bytes = Buffer.from(text).toString('latin1');
      return `${name} ${before}{${bytes.length}${behind}}\r\n${bytes}`;
    }),
);
const rare = fc.constantFrom(
  'BODY[] NIL',
  'BODY[] "x"',
  'BODY[HEADER] {1}\r\nx',
  'EMAILID (M1)',
  'uid 5',
  'BODY[] {3}',
);
const item = fc.oneof({ weight: 20, arbitrary: common }, rare);
const response = fc
  .tuple(
    fc.tuple(often('* ', '*  ', '*'), number, often(' FETCH (', ' FETCH(', ' Fetch (', ' FETCH  (', ' FETCHX (')),
    fc.array(fc.tuple(item, often(' ', '  ', '')), { minLength: 1, maxLength: 5 }),
    often(')', ' )', '))', '', '\r\n)'),
    often('\r\n', '\n', '\r\r\n'),
  )
  .map(([head, items, close, end]) => {
    const words = items.map(([item, gap], at) => (at === 0 ? item : gap + item));
    return `${head.join('')}${words.join('')}${close}${end}`;
  });
/** Some responses, as bytes. */
export const fetchStreams = fc
  .array(
    fc.oneof({ weight: 8, arbitrary: response }, { weight: 1, arbitrary: fc.constantFrom('* 3 EXISTS\r\n', '\r\n') }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

const damage = fc.record({
  at: fc.nat(),
  removed: fc.nat({ max: 2 }),
  put: fc.constantFrom('', '', ' ', '(', ')', '"', '\\', '{', '}', '\r', '\n', '\0', '0', '9', 'S', '\xff'),
});
/** What `damaged` does to them. */
export const damages = fc.oneof(fc.constant([]), fc.array(damage, { minLength: 1, maxLength: 2 }));

export function damaged(bytes: Buffer, { at, removed, put }: { at: number; removed: number; put: string }): Buffer {
  const from = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(put, 'latin1'), bytes.subarray(from + removed)]);
}

const tightLimits = fc.record(
  {
    maxTextBytes: fc.nat({ max: 300 }),
    maxLiteralBytes: fc.nat({ max: 14 }),
    maxStreamedLiteralBytes: fc.nat({ max: 20 }),
    streamLiteralBytes: fc.nat({ max: 14 }),
    maxLiterals: fc.nat({ max: 3 }),
    maxResponseBytes: fc.nat({ max: 300 }),
  },
  { requiredKeys: [] },
);
/** Mostly the caps in force. */
export const someLimits: fc.Arbitrary<Partial<Limits>> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  tightLimits,
);
