import { describe, expect, it } from 'vitest';
import { KeyItems } from '../../../src/protocol/commands/key-items.ts';
import type { FetchData } from '../../../src/protocol/fetch-data.ts';

/** A response with everything that can be asked about. */
const full: FetchData = {
  seq: 1,
  uid: 1,
  flags: [],
  internalDate: '',
  size: 1,
  modSeq: 1n,
  body: null,
  sections: new Map(),
  items: { gmailLabels: [], emailId: 'x' },
  other: new Map([['X-A', null]]),
};

/** What must be in a response so that it counts. */
const rows: [asked: string[], changedSince: boolean, needed: (keyof FetchData)[]][] = [
  [['UID'], false, []],
  [['uid', 'flags'], false, ['flags']],
  [['FLAGS', 'MODSEQ'], false, ['flags', 'modSeq']],
  [['X-GM-LABELS'], false, ['items']],
  [['FLAGS'], true, ['flags', 'modSeq']],
  [['UID'], true, ['modSeq']],
  [['FLAGS', 'RFC822.SIZE'], true, ['size']],
  [['UID', 'FLAGS', 'X-GM-LABELS', 'INTERNALDATE', 'BODY.PEEK[]'], false, ['internalDate', 'body']],
  [['BODY[]'], false, ['body']],
  [['RFC822'], false, ['body']],
  [['ALL'], false, ['size']],
  [['FAST'], false, ['size']],
  [['FULL'], false, ['size']],
  [['RFC822.HEADER'], false, ['sections']],
  [['rfc822.text'], false, ['sections']],
  [['BODY.PEEK[HEADER.FIELDS (DATE)]'], false, ['sections']],
  [['BINARY[1]', 'RFC822.SIZE'], false, ['sections', 'size']],
  [['EMAILID', 'MODSEQ'], false, ['items']],
  [['X-A', 'UID'], false, ['other']],
];

describe('KeyItems', () => {
  it.each(rows)('of %j (changed since: %j) are %j', (asked, changedSince, needed) => {
    const keyItems = new KeyItems(asked, changedSince);
    const alone = Object.fromEntries(needed.map((key) => [key, full[key]]));
    expect(keyItems.areIn({ seq: 1, ...alone })).toBe(true);
    for (const key of Object.keys(full)) {
      const without = { ...full, [key]: undefined } as FetchData;
      expect(keyItems.areIn(without), key).toBe(!needed.includes(key as keyof FetchData));
    }
  });
});
