import { describe, expect, it } from 'vitest';
import { mapFolders } from '../../src/plan/folder-map.ts';
import { buildPlan, changeBetween, isBlocked, keepsOrder, type PlanInput } from '../../src/plan/plan.ts';
import type { FolderChange, FolderStatus, KnownFolder, MappingSide, Traits } from '../../src/plan/types.ts';
import { options, side } from './folders.ts';

const traits: Traits = {
  delimiter: '/',
  prefix: '',
  maxMessageBytes: null,
  multiAppend: true,
  nonSyncLiterals: 'all',
  reportsUids: true,
  listStatus: true,
  specialUse: true,
  createSpecialUse: true,
  condStore: true,
};

const status: FolderStatus = { messages: 10, uidNext: 11, uidValidity: 1, highestModSeq: '5', size: 10_240 };
const empty: FolderStatus = { ...status, messages: 0, highestModSeq: null };

/** A source with INBOX (10 messages), a parent P, and P/x (4 messages, size unknown). */
function source(): MappingSide {
  const sketch = side('/', '', { INBOX: {}, P: { selectable: false }, 'P/x': {} });
  const [inbox, parent, child] = sketch.folders;
  if (inbox === undefined || parent === undefined || child === undefined) throw new Error('three folders');
  return {
    ...sketch,
    folders: [{ ...inbox, status }, parent, { ...child, status: { ...status, messages: 4, size: null } }],
  };
}

function plan(changes: Partial<PlanInput> = {}, target: MappingSide = side('/', '', ['INBOX'])) {
  return buildPlan({
    source: 'a@one',
    target: 'b@two',
    map: mapFolders(source(), target, options()),
    targetTraits: traits,
    quotas: [],
    order: 'auto',
    known: new Map(),
    ...changes,
  });
}

describe('buildPlan', () => {
  it('says for each folder what will be done, why, and with how much', () => {
    expect(plan()).toEqual({
      source: 'a@one',
      target: 'b@two',
      folders: [
        {
          source: 'INBOX',
          target: 'INBOX',
          action: 'copy',
          reason: 'inbox',
          messages: 10,
          bytes: 10_240,
          alreadyThere: 0,
          specialUse: null,
        },
        {
          source: 'P',
          target: 'P',
          action: 'name-only',
          reason: 'name',
          messages: null,
          bytes: null,
          alreadyThere: 0,
          specialUse: null,
        },
        {
          source: 'P/x',
          target: 'P/x',
          action: 'create',
          reason: 'name',
          messages: 4,
          bytes: null,
          alreadyThere: 0,
          specialUse: null,
        },
      ],
      problems: [],
      keepsOrder: true,
    });
  });

  it('knows what the journal holds, and leaves unchanged folders alone', () => {
    const known = new Map<string, KnownFolder>([
      ['INBOX', { messages: 10, change: 'none' }],
      ['P/x', { messages: 3, change: 'messages' }],
    ]);
    const { folders } = plan({ known }, side('/', '', ['INBOX', 'P/x']));
    expect(folders.map(({ action, alreadyThere }) => [action, alreadyThere])).toEqual([
      ['unchanged', 10],
      ['name-only', 0],
      ['copy', 3],
    ]);
    known.set('P/x', { messages: 3, change: 'flags' });
    expect(plan({ known }, side('/', '', ['INBOX', 'P/x'])).folders[2]?.action).toBe('flags');
  });

  it('makes a target folder that is gone again, whatever the journal remembers', () => {
    const known = new Map<string, KnownFolder>([['P/x', { messages: 4, change: 'none' }]]);
    expect(plan({ known }).folders[2]?.action).toBe('create');
  });

  it('carries the problems of the mapping, and is blocked by an error among them', () => {
    const map = mapFolders(source(), side('/', '', []), options({ include: ['Nothing'] }));
    const blocked = plan({ map });
    expect(blocked.problems.map(({ code }) => code)).toContain('UNKNOWN_INCLUDE');
    expect([isBlocked(blocked), isBlocked(plan()), isBlocked(plan({ order: 'any' }))]).toEqual([true, false, false]);
  });

  describe('against the quota', () => {
    const kib = (limit: number) => [{ root: '', resource: 'STORAGE', usage: 0, limit }];
    const messages = (limit: number) => [{ root: '', resource: 'MESSAGE', usage: 0, limit }];
    const onlyInbox = mapFolders(source(), side('/', '', ['INBOX']), options({ include: ['INBOX'] }));
    const quotaProblems = (changes: Partial<PlanInput>) =>
      plan(changes).problems.flatMap(({ code, severity }) => (code === 'QUOTA' ? [severity] : []));

    const known = (messages: number, change: FolderChange) => new Map([['INBOX', { messages, change }]]);

    it.each<[string, Partial<PlanInput>, string[]]>([
      ['fits', { map: onlyInbox, quotas: kib(100) }, []],
      ['certainly does not', { map: onlyInbox, quotas: kib(9) }, ['note']],
      ['is of unknown size', { quotas: kib(1) }, []],
      [
        'may not: part of it is there, who knows which',
        { map: onlyInbox, quotas: kib(4), known: known(5, 'messages') },
        ['note'],
      ],
      ['is all there', { map: onlyInbox, quotas: kib(1), known: known(10, 'none') }, []],
      ['is too many messages', { quotas: messages(13) }, ['note']],
      ['is just as many messages', { quotas: messages(14) }, ['note']],
    ])('says what is known when the mail %s', (_, changes, expected) => {
      expect(quotaProblems(changes)).toEqual(expected);
    });

    it('does not count folders it knows nothing about as certain', () => {
      const [first] = source().folders;
      if (first === undefined) throw new Error('a folder');
      const unasked: MappingSide = {
        ...source(),
        folders: [first, { ...first, name: 'Other', rawName: 'Other', status: null }],
      };
      const map = mapFolders(unasked, side('/', '', []), options());
      expect(quotaProblems({ map, quotas: kib(9) })).toEqual(['note']);
    });
  });

  describe('about the order of messages', () => {
    const noMulti: Traits = { ...traits, multiAppend: false };
    const noLiteral: Traits = { ...traits, nonSyncLiterals: 'small' };

    it.each([
      ['auto', traits, true],
      ['auto', noMulti, false],
      ['auto', noLiteral, false],
      ['auto', { ...traits, nonSyncLiterals: 'none' as const }, false],
      ['source', noMulti, true],
      ['any', traits, false],
      ['any', { ...traits, reportsUids: false }, true],
      ['auto', { ...noMulti, reportsUids: false }, true],
    ] as const)('follows --order %s (%#)', (order, targetTraits, kept) => {
      expect(keepsOrder(order, targetTraits)).toBe(kept);
      const { keepsOrder: planned, problems } = plan({ order, targetTraits });
      expect([planned, problems.map(({ code }) => code)]).toEqual([kept, kept ? [] : ['ORDER']]);
    });

    it('says what is lacking and what would keep it', () => {
      const note = (targetTraits: Traits) => plan({ targetTraits }).problems[0]?.message;
      expect(note(noMulti)).toMatch(/no MULTIAPPEND.*--order source/);
      expect(note(noLiteral)).toMatch(/no LITERAL\+.*--order source/);
      expect(plan({ order: 'any' }).problems[0]?.message).toContain('--order any');
    });

    it('keeps it where there is one lane only', () => {
      expect(plan({ order: 'any', lanes: 1 })).toMatchObject({ keepsOrder: true, problems: [] });
      expect(plan({ order: 'any', lanes: 2 }).keepsOrder).toBe(false);
    });

    it('says nothing where nothing is copied', () => {
      const map = mapFolders(source(), side('/', '', ['INBOX']), options({ include: ['INBOX'] }));
      const known = new Map<string, KnownFolder>([['INBOX', { messages: 10, change: 'none' }]]);
      expect(plan({ map, known, order: 'any' }).problems.map(({ code }) => code)).toEqual(['EXCLUDED']);
    });
  });
});

describe('changeBetween', () => {
  it.each<[string, FolderStatus | null, FolderStatus | null, FolderChange]>([
    ['everything is as it was', status, { ...status }, 'none'],
    ['a message came', status, { ...status, messages: 11, uidNext: 12 }, 'messages'],
    ['a message went', status, { ...status, messages: 9 }, 'messages'],
    ['one came and one went', status, { ...status, uidNext: 12 }, 'messages'],
    ['the folder was made anew', status, { ...status, uidValidity: 2 }, 'messages'],
    ['flags changed', status, { ...status, highestModSeq: '6' }, 'flags'],
    ['flags cannot be known to have changed', { ...status, highestModSeq: null }, status, 'flags'],
    ['there are no messages to have flags', empty, { ...empty }, 'none'],
    ['only the size is told differently', status, { ...status, size: null }, 'none'],
    ['UIDNEXT is not told', { ...status, uidNext: null }, { ...status, uidNext: null }, 'messages'],
    ['UIDVALIDITY is not told', { ...status, uidValidity: null }, { ...status, uidValidity: null }, 'messages'],
    ['there was no status before', null, status, 'messages'],
    ['there is none now', status, null, 'messages'],
  ])('judges a folder where %s', (_, before, now, expected) => {
    expect(changeBetween(before, now)).toBe(expected);
  });
});
