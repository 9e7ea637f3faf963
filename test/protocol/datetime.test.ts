import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dateTimeBytes,
  dateToInternalDate,
  internalDateToDate,
  internalDateToEpochMs,
  internalDateZoneMinutes,
  parseMessageDate,
  readDateTime,
} from '../../src/protocol/datetime.ts';
import { UsageError } from '../../src/protocol/errors.ts';

describe('internalDateToEpochMs', () => {
  it.each([
    [' 7-Feb-1994 22:43:04 +0100', '1994-02-07T21:43:04Z'],
    ['07-Feb-1994 22:43:04 +0100', '1994-02-07T21:43:04Z'],
    ['7-Feb-1994 22:43:04 +0100', '1994-02-07T21:43:04Z'],
    ['17-JUL-1996 02:44:25 -0700', '1996-07-17T09:44:25Z'],
    ['17-jul-1996 02:44:25 -0000', '1996-07-17T02:44:25Z'],
    ['29-Feb-2000 00:00:00 +0000', '2000-02-29T00:00:00Z'],
    ['01-Jan-2024 00:30:00 +0545', '2023-12-31T18:45:00Z'],
    ['01-Jan-2024 00:30:00 -0330', '2024-01-01T04:00:00Z'],
    ['01-Jan-2024 12:00:00 +1400', '2023-12-31T22:00:00Z'],
    ['31-Dec-2016 23:59:60 +0000', '2017-01-01T00:00:00Z'],
    ['01-Jan-0099 00:00:00 +0000', '0099-01-01T00:00:00Z'],
    ['01-Jan-1901 00:00:00 +0000', '1901-01-01T00:00:00Z'],
    ['31-Dec-9999 23:59:59 +0000', '9999-12-31T23:59:59Z'],
  ])('reads %j', (raw, iso) => {
    expect(internalDateToEpochMs(raw)).toBe(Date.parse(iso));
  });

  it.each([
    '',
    'yesterday',
    '00-Jan-2024 00:00:00 +0000',
    '32-Jan-2024 00:00:00 +0000',
    '31-Feb-2024 00:00:00 +0000',
    '29-Feb-2023 00:00:00 +0000',
    '01-Foo-2024 00:00:00 +0000',
    '01-Jan-24 00:00:00 +0000',
    '01-Jan-2024 24:00:00 +0000',
    '01-Jan-2024 00:60:00 +0000',
    '01-Jan-2024 00:00:61 +0000',
    '01-Jan-2024 00:00:00 +0060',
    '01-Jan-2024 00:00:00',
    '01-Jan-2024 00:00:00 GMT',
    '01-Jan-2024 00:00:00 0000',
    '01-Jan-2024 0:00:00 +0000',
    '01-Jan-2024  00:00:00 +0000',
    '  1-Jan-2024 00:00:00 +0000',
    '"01-Jan-2024 00:00:00 +0000"',
    '01-Jan-2024 00:00:00 +0000\n',
    'Mon, 01 Jan 2024 00:00:00 +0000',
  ])('does not read %j', (raw) => {
    expect(internalDateToEpochMs(raw)).toBeNull();
  });
});

describe('dateToInternalDate', () => {
  it.each([
    ['1994-02-07T21:43:04.999Z', 60, '07-Feb-1994 22:43:04 +0100'],
    ['2024-01-01T00:00:00Z', undefined, '01-Jan-2024 00:00:00 +0000'],
    ['2024-01-01T00:00:00Z', -210, '31-Dec-2023 20:30:00 -0330'],
    ['2023-12-31T18:45:00Z', 345, '01-Jan-2024 00:30:00 +0545'],
    ['0099-12-31T00:00:00Z', 0, '31-Dec-0099 00:00:00 +0000'],
  ])('writes %s at %s minutes as %s', (iso, zoneMinutes, raw) => {
    expect(dateToInternalDate(new Date(iso), zoneMinutes)).toBe(raw);
  });

  it.each([
    ['an invalid date', new Date(Number.NaN), 0],
    ['a year above 9999', new Date('+010000-01-01T00:00:00Z'), 0],
    ['a year below 0', new Date('-000001-01-01T00:00:00Z'), 0],
    ['a zone of half minutes', new Date(0), 0.5],
    ['a zone of a hundred hours', new Date(0), 6000],
    ['no zone', new Date(0), Number.NaN],
  ])('refuses %s', (_, date, zoneMinutes) => {
    expect(() => dateToInternalDate(date, zoneMinutes)).toThrow(UsageError);
  });

  it('property: every second comes back in every zone', () => {
    const seconds = fc.integer({ min: -62_000_000_000, max: 253_000_000_000 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: -1439, max: 1439 }), (second, zoneMinutes) => {
        const raw = dateToInternalDate(new Date(second * 1000), zoneMinutes);
        expect(raw).toHaveLength(26);
        expect(internalDateToEpochMs(raw)).toBe(second * 1000);
      }),
    );
  });
});

describe('every day', () => {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

  it.each([4, 99, 1900, 2000, 2023, 2024, 9999])('of the year %d is a date, and no other', (year) => {
    for (let month = 0; month < 12; month++) {
      for (let day = 0; day <= 32; day++) {
        const date = new Date(0);
        date.setUTCFullYear(year, month, day);
        const exists = date.getUTCMonth() === month && date.getUTCDate() === day;
        const raw = `${String(day).padStart(2, '0')}-${months[month]}-${String(year).padStart(4, '0')} 00:00:00 +0000`;
        expect(internalDateToEpochMs(raw), raw).toBe(exists ? date.getTime() : null);
      }
    }
  });
});

describe('internalDateToDate and internalDateZoneMinutes', () => {
  it.each<[string, string | null, number | null]>([
    [' 7-Feb-1994 22:43:04 +0100', '1994-02-07T21:43:04.000Z', 60],
    ['17-Jul-1996 02:44:25 -0730', '1996-07-17T10:14:25.000Z', -450],
    ['yesterday', null, null],
  ])('make of %j %j', (raw, instant, zone) => {
    expect(internalDateToDate(raw)?.toISOString() ?? null).toBe(instant);
    expect(internalDateZoneMinutes(raw)).toBe(zone);
  });
});

describe('parseMessageDate', () => {
  it.each([
    ['Wed, 17 Jul 1996 02:23:25 -0700 (PDT)', '1996-07-17T09:23:25Z'],
    ['17 Jul 1996 02:23:25 +0000', '1996-07-17T02:23:25Z'],
    ['17 Jul 1996 02:23 +0000', '1996-07-17T02:23:00Z'],
    ['Wed, 17 Jul 96 02:23:25 GMT', '1996-07-17T02:23:25Z'],
    ['Wed, 17 Jul 06 02:23:25 EST', '2006-07-17T07:23:25Z'],
    ['Wed, 17 Jul 106 02:23:25 UT', '2006-07-17T02:23:25Z'],
    ['Wednesday, 17-July-1996 2:23:25 +01:30', '1996-07-17T00:53:25Z'],
    ['Wed, 17 Jul 1996 02:23:25', '1996-07-17T02:23:25Z'],
    ['Wed, 17 Jul 1996 02:23:25 XYZ', '1996-07-17T02:23:25Z'],
    ['  Thu,  1 Feb 2024 00:00:00 -0000  ', '2024-02-01T00:00:00Z'],
  ])('reads %j', (text, instant) => {
    expect(parseMessageDate(text)?.getTime()).toBe(Date.parse(instant));
  });

  it.each([
    '',
    'today',
    '31 Feb 2024 00:00:00 +0000',
    '1 Foo 2024 00:00:00 +0000',
    '1 Feb 2024 24:00:00 +0000',
    '1 Feb 2024 00:00:00 +0099',
    `1 Feb 2024 00:00:00 +0000 (${'x'.repeat(100)})`,
  ])('takes %j for no date', (text) => {
    expect(parseMessageDate(text)).toBeNull();
  });
});

describe('readDateTime', () => {
  const quoted = '"17-Jul-1996 02:44:25 -0700"';

  it.each([quoted, '" 7-Feb-1994 22:43:04 +0100"', '"ab-\xe9\xff\x80-1996 hh:mm:ss zone!"'])(
    'reads %s byte for byte',
    (text) => {
      expect(text).toHaveLength(dateTimeBytes);
      expect(readDateTime(Buffer.from(`xx${text} (`, 'latin1'), 2)).toBe(text.slice(1, -1));
    },
  );

  it('reads nothing that has not the marks of a date-time', () => {
    for (const mark of [0, 3, 7, 12, 15, 18, 21, 27]) {
      const bytes = Buffer.from(quoted);
      bytes[mark] = 0x78;
      expect(readDateTime(bytes, 0), bytes.toString()).toBeNull();
    }
  });

  it('reads nothing with a control in it', () => {
    for (let at = 1; at < dateTimeBytes - 1; at++) {
      for (const control of [0x00, 0x0a, 0x1f]) {
        const bytes = Buffer.from(quoted);
        bytes[at] = control;
        expect(readDateTime(bytes, 0), bytes.toString('hex')).toBeNull();
      }
    }
  });
});
