import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPath, parsePath, pathKey } from '../../src/plan/folder-path.ts';
import type { Naming } from '../../src/plan/types.ts';

const slash: Naming = { delimiter: '/', prefix: '' };
const courier: Naming = { delimiter: '.', prefix: 'INBOX.' };
const dot: Naming = { delimiter: '.', prefix: '' };
const mail: Naming = { delimiter: '/', prefix: 'Mail/' };
const flat: Naming = { delimiter: null, prefix: '' };

function translate(name: string, from: Naming, to: Naming): string {
  return formatPath(parsePath(name, from.delimiter, from), to).name;
}

describe('a folder name on its way to another server', () => {
  it.each([
    // The inbox is the inbox.
    ['INBOX', slash, courier, 'INBOX'],
    ['inbox', courier, mail, 'INBOX'],
    ['Inbox', flat, slash, 'INBOX'],
    // The prefix is not part of a name.
    ['INBOX.Sent', courier, slash, 'Sent'],
    ['inbox.Sent.2023', courier, slash, 'Sent/2023'],
    ['Sent/2023', slash, courier, 'INBOX.Sent.2023'],
    ['Mail/Sent', mail, courier, 'INBOX.Sent'],
    ['Sent', slash, mail, 'Mail/Sent'],
    ['INBOX.Sent', courier, courier, 'INBOX.Sent'],
    // Children of the inbox.
    ['INBOX/Sub', slash, slash, 'INBOX/Sub'],
    ['INBOX/Sub', slash, dot, 'INBOX.Sub'],
    ['INBOX/Sub', slash, courier, 'INBOX.Sub'],
    ['INBOX/Sub', slash, mail, 'Mail/INBOX/Sub'],
    ['Inbox/Sub', slash, slash, 'INBOX/Sub'],
    // Names that merely begin like it.
    ['INBOXES', slash, courier, 'INBOX.INBOXES'],
    ['INBOX.INBOX', courier, courier, 'INBOX.INBOX'],
    ['INBOX.INBOX.x', courier, slash, 'INBOX/x'],
    // Outside the personal namespace.
    ['shared.team', courier, slash, 'shared/team'],
    ['Mail', mail, slash, 'Mail'],
    // Characters that mean something else there.
    ['a.b/c', slash, dot, 'a_b.c'],
    ['a/b.c', dot, slash, 'a_b/c'],
    ['a.b', slash, slash, 'a.b'],
    // Flat names.
    ['A/b', slash, flat, 'A.b'],
    ['INBOX/Sub', slash, flat, 'INBOX.Sub'],
    ['A/b', flat, slash, 'A_b'],
    ['A/b', flat, dot, 'A/b'],
    // Nothing between delimiters.
    ['a//b', slash, dot, 'a.b'],
    ['/a/', slash, dot, 'a'],
  ])('%s becomes what it means there (%#)', (name, from, to, expected) => {
    expect(translate(name, from, to)).toBe(expected);
  });

  it('replaces the delimiter by a hyphen where the delimiter is the underscore', () => {
    expect(translate('a_b/c', slash, { delimiter: '_', prefix: '' })).toBe('a-b_c');
  });

  it.each(['INBOX', 'inbox', 'INBOX.'])('takes the prefix setting %s for INBOX.', (prefix) => {
    expect(translate('Sent', slash, { delimiter: '.', prefix })).toBe('INBOX.Sent');
    expect(translate('INBOX.Sent', { delimiter: '.', prefix }, slash)).toBe('Sent');
  });

  it('comes back as it was, where its names hold neither delimiter', () => {
    const segment = fc
      .string({ minLength: 1, maxLength: 6 })
      .filter((text) => !/[./]/.test(text) && text.toUpperCase() !== 'INBOX');
    const namings = fc.constantFrom(slash, courier, dot);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), namings, namings, (segments, from, to) => {
        const name = from.prefix + segments.join(from.delimiter ?? '');
        expect(translate(translate(name, from, to), to, from)).toBe(name);
      }),
    );
  });

  it('has one key in composed and decomposed form, and none in common with a child of the inbox', () => {
    const key = (name: string) => pathKey(parsePath(name, '/', slash));
    expect(key('caf\u00e9/x')).toBe(key('cafe\u0301/x'));
    expect(key('INBOX/x')).not.toBe(key('x'));
    expect(key('a/b')).not.toBe(key('ab'));
  });
});
