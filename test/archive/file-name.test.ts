import { isAbsolute, join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldName, fromFileNames, isContinued, toFileNames } from '../../src/archive/file-name.ts';
import { hostileNames } from './hostile-names.ts';

describe('names of folders as names of files', () => {
  it.each(hostileNames)('can be had back from them: %j', (name) => {
    for (const escaped of [0, 1, 2, 5]) expect(fromFileNames(toFileNames(name, { escaped }))).toBe(name);
  });

  it.each(hostileNames)('are harmless: %j', (name) => {
    for (const escaped of [0, 1, 2]) {
      const parts = toFileNames(name, { escaped });
      for (const part of parts) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(200);
        expect(part).not.toMatch(/[\p{Cc}\p{Bidi_Control}/\\:*?"<>|]|^[. ]|[. ]$/u);
        expect(part).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|^(cur|new|tmp)$/i);
      }
      const path = join('/root', ...parts);
      const inside = relative('/root', path);
      expect(inside === '' || inside.startsWith('..') || isAbsolute(inside)).toBe(false);
      expect(parts.slice(0, -1).every(isContinued)).toBe(true);
      expect(isContinued(parts.at(-1) ?? '')).toBe(false);
    }
  });

  it.each(['INBOX', 'Sent', 'Entwürfe', 'Projekt 2019', '日本語', 'a&b', 'x.y', 'Foo (old)', "it's"])(
    'are the same where they do no harm: %s',
    (name) => {
      expect(toFileNames(name)).toEqual([name]);
    },
  );

  it('differ where names differ', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }), (a, b) => {
        fc.pre(a !== b);
        expect(toFileNames(a).join('/')).not.toBe(toFileNames(b).join('/'));
      }),
    );
  });

  it('can be had back, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }), fc.nat(3), (name, escaped) => {
        expect(fromFileNames(toFileNames(name, { escaped }))).toBe(name);
      }),
    );
  });

  it('tell names apart that a file system takes for one, once their first letters are escaped', () => {
    expect(foldName('Work')).toBe(foldName('work'));
    expect(foldName('e\u0301')).toBe(foldName('é'));
    const [escaped = ''] = toFileNames('work', { escaped: 1 });
    expect(escaped).toBe('%77ork');
    expect(foldName(escaped)).not.toBe(foldName('Work'));
  });

  it('stand for themselves where nobody has encoded them', () => {
    expect(fromFileNames(['50% off'])).toBe('50% off');
    expect(fromFileNames(['%ff'])).toBe('%ff');
    expect(fromFileNames(['%FF'])).toBe('%FF');
  });
});
