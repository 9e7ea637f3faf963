import { deepStrictEqual, ok } from 'node:assert';
import fc from 'fast-check';
import { accountSchema } from '../../../src/config/account-schema.ts';
import { parseIni } from '../../../src/config/ini.ts';
import {
  dateTimeBytes,
  dateToInternalDate,
  internalDateToEpochMs,
  internalDateZoneMinutes,
  parseMessageDate,
  readDateTime,
} from '../../../src/protocol/datetime.ts';
import { decodeHeader } from '../../../src/protocol/header-text.ts';
import { parseAppendUid, parseCopyUid } from '../../../src/protocol/response-code.ts';
import { encodeSequenceSet, expandSequenceSet } from '../../../src/protocol/sequence-set.ts';
import { decodeFolderName, encodeFolderName } from '../../../src/protocol/utf7.ts';
import { type FuzzTarget, outcomeOf } from '../target.ts';

const texts = (...lines: readonly string[]): Buffer[] => lines.map((line) => Buffer.from(line, 'utf8'));
const maxNumbers = 10_000;

/** What is read from a short text: names, dates, sets of numbers, headers, settings. */
export const textTargets: readonly FuzzTarget[] = [
  {
    name: 'utf7',
    corpus: texts('INBOX', '&ZeVnLIqe-', 'a&-b', '~peter/mail/&U,BTFw-/&ZeVnLIqe-', '&2D3c5g- Paket'),
    words: ['&', '-', '&-', ',', '&AOk-', '/', '&2D0-', '=', '\x80'],
    arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((name) => Buffer.from(name, 'utf8')),
    check: (bytes) => {
      const raw = bytes.toString('latin1');
      const name = decodeFolderName(raw);
      if (name !== null) deepStrictEqual(encodeFolderName(name), raw);
      // Halves of characters come from here alone: UTF-8 has none.
      const units = bytes.toString('utf16le');
      for (const text of [bytes.toString('utf8'), units]) {
        const encoded = outcomeOf(() => encodeFolderName(text));
        if ('value' in encoded) deepStrictEqual(decodeFolderName(encoded.value), text);
        else deepStrictEqual(/\p{Surrogate}/u.test(text), true);
      }
    },
  },
  {
    name: 'dates',
    corpus: texts(
      '17-Jul-1996 02:44:25 -0700',
      ' 7-Feb-1994 22:43:04 +0100',
      'Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      'Mon, 1 Jan 99 00:00 EST',
      '31-Dec-0000 23:59:60 +9959',
    ),
    words: ['-', ':', ' ', '+', '(', 'Jan', 'FEB', '29', '60', '0000', '9999', 'GMT', '"', '\n', '__proto__'],
    arbitrary: fc
      .tuple(
        fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
        fc.integer({ min: -840, max: 840 }),
      )
      .map(([date, zone]) => Buffer.from(dateToInternalDate(date, zone))),
    check: (bytes) => {
      const text = bytes.toString('latin1');
      const epochMs = internalDateToEpochMs(text);
      if (epochMs !== null) {
        ok(Number.isFinite(epochMs), `${epochMs} is no instant`);
        const zone = internalDateZoneMinutes(text) ?? 0;
        const written = outcomeOf(() => dateToInternalDate(new Date(epochMs), zone));
        if ('value' in written) deepStrictEqual(internalDateToEpochMs(written.value), epochMs);
      }
      const date = parseMessageDate(text);
      if (date !== null) ok(!Number.isNaN(date.getTime()), 'a date that is none');
      const field = Buffer.from(`"${text}"`, 'latin1');
      if (field.length < dateTimeBytes) return;
      const read = readDateTime(field, 0);
      if (read !== null) deepStrictEqual(read, text.slice(0, dateTimeBytes - 2));
    },
  },
  {
    name: 'sequence-set',
    corpus: texts('1:5,9', '4294967295', '7:3', '1:*', '*', '1,2,3,9:11,100:200', '17 1:5,9', '17 1:3 4:6'),
    words: [':', ',', '*', ' ', '0', '4294967295', '4294967296', '1:4294967295,', '1:9999,'],
    arbitrary: fc
      .uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 })
      .map((numbers) => Buffer.from(encodeSequenceSet([...numbers].sort((a, b) => a - b)))),
    check: (bytes) => {
      const text = bytes.toString('latin1');
      outcomeOf(() => parseAppendUid(text, maxNumbers));
      outcomeOf(() => parseCopyUid(text, maxNumbers));
      outcomeOf(() => expandSequenceSet(text, maxNumbers, 100));
      const expanded = outcomeOf(() => expandSequenceSet(text, maxNumbers));
      if (!('value' in expanded)) return;
      ok(expanded.value.length <= maxNumbers, 'more numbers than allowed');
      const ascending = [...new Set(expanded.value)].sort((a, b) => a - b);
      deepStrictEqual([...expandSequenceSet(encodeSequenceSet(ascending), maxNumbers)], ascending);
    },
  },
  {
    name: 'headers',
    corpus: texts('=?utf-8?q?s=C3=A9_x?= =?ISO-8859-1?B?6Q==?= plain', '=?x?Q??=', '=?utf-8*en?b?w6k?='),
    words: ['=?', '?=', '?q?', '?B?', 'utf-8', 'gb18030', '=', '_', ' ', '\t', '=C3', 'x-unknown', '*'],
    check: (bytes) => {
      deepStrictEqual(typeof decodeHeader(bytes.toString('latin1')), 'string');
    },
  },
  {
    name: 'ini',
    corpus: texts(
      'host = imap.example.org\nport = 993\nusername = u\npassword = p\n',
      '; a comment\n[DEFAULT]\nssl = yes\n[work]\nhost: h\nusername=u\npassword_env = X\ntimeout = 30s\n# end\n',
      'host = h\r\nauth = plain\r\nusername = ü\r\npassword = "q"\r\ndelimiter = .\r\nprefix = INBOX.\r\n',
    ),
    words: [
      '=',
      ':',
      '[',
      ']',
      '\n',
      '\r',
      '\t',
      ' ',
      ';',
      '#',
      '[DEFAULT]\n',
      '__proto__ = 1\n',
      '\xff',
      '\0',
      '%',
      '$',
      'constructor',
    ],
    check: (bytes) => {
      const sections = outcomeOf(() => parseIni(bytes, 'account.ini'));
      if (!('value' in sections)) return;
      for (const { entries } of sections.value.values()) {
        accountSchema.safeParse(Object.fromEntries([...entries.values()].map(({ key, value }) => [key, value])));
      }
    },
  },
];
