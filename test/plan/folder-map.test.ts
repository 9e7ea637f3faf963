import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapFolders } from '../../src/plan/folder-map.ts';
import type { FolderMap, MappingSide } from '../../src/plan/types.ts';
import { folder, options, side } from './folders.ts';

function targets(map: FolderMap): Record<string, string> {
  return Object.fromEntries(map.pairs.map(({ source, targetName }) => [source.name, targetName]));
}

function problems(map: FolderMap, severity?: 'error' | 'note'): string[] {
  return map.problems
    .filter((problem) => severity === undefined || problem.severity === severity)
    .map(({ code, message }) => `${code}: ${message}`);
}

const empty = side('/', '', ['INBOX']);

describe('mapFolders', () => {
  it('maps every folder to its own name where both sides name alike, without a word', () => {
    const names = ['INBOX', 'INBOX/Sub', 'Work', 'Work/été', '日本語', 'A & B', '[x]', '{y}'];
    const map = mapFolders(side('/', '', names), empty, options());
    expect(targets(map)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    expect(map.problems).toEqual([]);
    expect(map.pairs.map(({ reason }) => reason)).toEqual(['inbox', ...Array(7).fill('name')]);
  });

  it('finds the folders the target has: exactly, INBOX in any case, and accents in the other Unicode form', () => {
    const target = side('/', '', ['Inbox', 'Work', 'cafe\u0301', 'work']);
    const map = mapFolders(side('/', '', ['INBOX', 'Work', 'caf\u00e9', 'New']), target, options());
    expect(map.pairs.map(({ targetName, target: found }) => [targetName, found?.name ?? null])).toEqual([
      ['Inbox', 'Inbox'],
      ['Work', 'Work'],
      ['cafe\u0301', 'cafe\u0301'],
      ['New', null],
    ]);
  });

  it('finds a folder in any case where the target ignores case', () => {
    const target: MappingSide = { ...side('/', '', ['work']), ignoresCase: true };
    const [pair] = mapFolders(side('/', '', ['Work']), target, options()).pairs;
    expect([pair?.targetName, pair?.target?.name]).toEqual(['work', 'work']);
  });

  it('creates anew what the target has only as a name without messages', () => {
    const [pair] = mapFolders(side('/', '', ['A']), side('/', '', { A: { selectable: false } }), options()).pairs;
    expect([pair?.targetName, pair?.target]).toEqual(['A', null]);
  });

  it('takes a folder that is listed as a parent and as a folder for a folder', () => {
    const parent = side('/', '', { INBOX: { selectable: false }, Inbox: {} });
    const map = mapFolders(
      { ...parent, folders: [...parent.folders, folder('A', { selectable: false }), folder('A')] },
      empty,
      options(),
    );
    expect(map.pairs.map(({ source, nameOnly }) => [source.name, nameOnly])).toEqual([
      ['Inbox', false],
      ['A', false],
    ]);
  });

  it('copies a folder once that is listed twice, and says so only where the names differ', () => {
    const map = mapFolders(side('/', '', ['INBOX', 'A', 'Inbox', 'A']), empty, options());
    expect(targets(map)).toEqual({ INBOX: 'INBOX', A: 'A' });
    expect(problems(map)).toEqual(['EXCLUDED: "Inbox" and "INBOX" are one folder: it is copied once.']);
  });

  describe('names that cannot stay', () => {
    it("replaces the target's delimiter inside a name and says what it became", () => {
      const map = mapFolders(side('/', '', ['a.b/c']), side('.', 'INBOX.', []), options());
      expect(targets(map)).toEqual({ 'a.b/c': 'INBOX.a_b.c' });
      expect(problems(map)).toEqual(['RENAMED: "a.b/c" becomes "INBOX.a_b.c": "." separates folders at the target.']);
    });

    it('joins the names of a path where the target has no hierarchy', () => {
      const map = mapFolders(side('/', '', ['a/b', 'c']), side(null, '', []), options());
      expect(targets(map)).toEqual({ 'a/b': 'a.b', c: 'c' });
      expect(problems(map)).toEqual(['RENAMED: "a/b" becomes "a.b": the target has no folders within folders.']);
    });

    it('drops empty names and notes blanks at the ends', () => {
      const map = mapFolders(side('/', '', ['a//b', ' c', 'd/e ', 'f g']), empty, options());
      expect(targets(map)).toEqual({ 'a//b': 'a/b', ' c': ' c', 'd/e ': 'd/e ', 'f g': 'f g' });
      expect(problems(map).map((line) => line.slice(0, 18))).toEqual([
        'RENAMED: "a//b" ha',
        'BAD_NAME: " c" has',
        'BAD_NAME: "d/e " h',
      ]);
    });

    it('says nothing about a blank in a name the target already has', () => {
      expect(mapFolders(side('/', '', [' c']), side('/', '', [' c']), options()).problems).toEqual([]);
    });

    it('stops at a folder with no name at all, unless it holds no messages', () => {
      const bad = mapFolders(side('/', '', ['//']), empty, options());
      expect(problems(bad, 'error')).toEqual([
        'BAD_NAME: "//" is no name for a folder: leave it out with --exclude "//".',
      ]);
      expect(mapFolders(side('/', '', ['//']), empty, options({ exclude: ['//'] })).pairs).toEqual([]);
      const root = mapFolders(side('/', '', { '/': { selectable: false } }), empty, options());
      expect([problems(root, 'error'), root.pairs]).toEqual([[], []]);
    });
  });

  describe('special uses', () => {
    const source = side('/', '', {
      INBOX: {},
      'Sent Items': { use: '\\Sent' },
      'Sent Items/2023': {},
      Trash: { use: '\\Trash' },
      Entwürfe: { use: '\\Drafts' },
    });
    const target = side('.', 'INBOX.', {
      INBOX: {},
      'INBOX.Sent': { use: '\\Sent' },
      'INBOX.Papierkorb': { use: '\\Trash' },
    });

    it('match by attribute whatever the names, children follow, and a use the target lacks is asked for', () => {
      const map = mapFolders(source, target, options());
      expect(map.pairs.map((pair) => [pair.source.name, pair.targetName, pair.reason, pair.createUse])).toEqual([
        ['INBOX', 'INBOX', 'inbox', null],
        ['Sent Items', 'INBOX.Sent', 'special-use', null],
        ['Sent Items/2023', 'INBOX.Sent.2023', 'special-use', null],
        ['Trash', 'INBOX.Papierkorb', 'special-use', null],
        ['Entwürfe', 'INBOX.Entwürfe', 'name', '\\Drafts'],
      ]);
      expect(map.pairs[1]?.target?.name).toBe('INBOX.Sent');
      expect(map.problems).toEqual([]);
    });

    it('mean nothing when they are switched off', () => {
      const map = mapFolders(source, target, options({ mapSpecialUse: false }));
      expect(targets(map)).toEqual({
        INBOX: 'INBOX',
        'Sent Items': 'INBOX.Sent Items',
        'Sent Items/2023': 'INBOX.Sent Items.2023',
        Trash: 'INBOX.Trash',
        Entwürfe: 'INBOX.Entwürfe',
      });
      expect(map.pairs.every(({ createUse, reason }) => createUse === null && reason !== 'special-use')).toBe(true);
    });

    it('are not asked for where a folder of that name exists, or for views the server makes itself', () => {
      const views = side('/', '', { Drafts: { use: '\\Drafts' }, All: { use: '\\All' } });
      const map = mapFolders(views, side('/', '', ['Drafts']), options());
      expect(map.pairs.map(({ createUse }) => createUse)).toEqual([null, null]);
    });

    it('say that a view copies messages again', () => {
      const views = side('/', '', { '[Gmail]/All Mail': { use: '\\All' } });
      expect(problems(mapFolders(views, empty, options()))).toEqual([
        'VIRTUAL: "[Gmail]/All Mail" (\\All) usually shows messages of other folders again, and they would be copied again: --exclude "\\All" leaves them out.',
      ]);
    });

    it('are an error where a folder of the matched name is in the way, with the --map that helps', () => {
      const both = side('/', '', { Sent: {}, 'Sent Items': { use: '\\Sent' } });
      const taken = side('/', '', { Sent: { use: '\\Sent' } });
      const map = mapFolders(both, taken, options());
      expect(problems(map, 'error')).toEqual([
        'COLLISION: "Sent" and "Sent Items" (\\Sent) would both become "Sent": send one elsewhere, for example --map "Sent=Sent-2", or use --no-map-special-use.',
      ]);
      const solved = mapFolders(both, taken, options({ map: [{ from: 'Sent', to: 'Sent-2' }] }));
      expect([problems(solved), targets(solved)]).toEqual([[], { Sent: 'Sent-2', 'Sent Items': 'Sent' }]);
    });

    it('pair the folders of one name where several claim a use, else the first of each side', () => {
      const several = side('/', '', { 'Sent Items': { use: '\\Sent' }, Sent: { use: '\\Sent' } });
      const named = mapFolders(
        several,
        side('/', '', { Gesendet: { use: '\\Sent' }, Sent: { use: '\\Sent' } }),
        options(),
      );
      expect(targets(named)).toEqual({ 'Sent Items': 'Sent Items', Sent: 'Sent' });
      expect(problems(named)).toEqual([
        'COLLISION: "Sent Items" says it is \\Sent, as "Sent" does: that one is taken for it, this one is copied by its name.',
      ]);
      const first = mapFolders(several, side('/', '', { Gesendet: { use: '\\Sent' } }), options());
      expect(targets(first)).toEqual({ 'Sent Items': 'Gesendet', Sent: 'Sent' });
      const created = mapFolders(several, empty, options());
      expect(created.pairs.map(({ createUse }) => createUse)).toEqual(['\\Sent', null]);
    });

    it('are found among the folders that take part only', () => {
      const several = side('/', '', { Old: { use: '\\Sent' }, New: { use: '\\Sent' } });
      const map = mapFolders(several, side('/', '', { Sent: { use: '\\Sent' } }), options({ exclude: ['Old'] }));
      expect(targets(map)).toEqual({ New: 'Sent' });
    });

    it('never move the inbox', () => {
      const odd = side('/', '', { INBOX: { use: '\\Archive' } });
      expect(targets(mapFolders(odd, side('/', '', { Archive: { use: '\\Archive' } }), options()))).toEqual({
        INBOX: 'INBOX',
      });
    });
  });

  describe('--map', () => {
    const source = side('/', '', { INBOX: {}, A: {}, 'A/b': {}, 'A/b/c': {}, 'A/Sent': { use: '\\Sent' }, AB: {} });
    const target = side('.', 'INBOX.', { 'INBOX.Sent': { use: '\\Sent' }, 'INBOX.Old': {} });

    it('moves a folder with all below it, the longest match first, before any special use', () => {
      const map = mapFolders(
        source,
        target,
        options({
          map: [
            { from: 'A', to: 'INBOX.Old.A' },
            { from: 'A/b', to: 'INBOX.B' },
          ],
        }),
      );
      expect(targets(map)).toEqual({
        INBOX: 'INBOX',
        A: 'INBOX.Old.A',
        'A/b': 'INBOX.B',
        'A/b/c': 'INBOX.B.c',
        'A/Sent': 'INBOX.Old.A.Sent',
        AB: 'INBOX.AB',
      });
      expect(map.pairs.map(({ reason }) => reason)).toEqual(['inbox', 'map', 'map', 'map', 'map', 'name']);
      expect(map.problems).toEqual([]);
    });

    it.each([
      ['the inbox, in any case', { from: 'inbox', to: 'INBOX.Old' }, 'INBOX', 'INBOX.Old'],
      ['to the inbox', { from: 'AB', to: 'inbox' }, 'AB', 'INBOX'],
      ['names that end in the delimiter', { from: 'AB/', to: 'INBOX.Old.' }, 'AB', 'INBOX.Old'],
    ])('takes %s', (_, rule, name, expected) => {
      const narrow = options({ map: [rule], include: [name] });
      const map = mapFolders(source, target, narrow);
      expect([targets(map), problems(map, 'error')]).toEqual([{ [name]: expected }, []]);
    });

    it('moves the children of the inbox along, but not what only has the prefix INBOX.', () => {
      const map = options({ map: [{ from: 'INBOX', to: 'Old' }] });
      expect(targets(mapFolders(side('/', '', ['INBOX', 'INBOX/x']), empty, map))).toEqual({
        INBOX: 'Old',
        'INBOX/x': 'Old/x',
      });
      const courier = side('.', 'INBOX.', ['INBOX', 'INBOX.x']);
      expect(targets(mapFolders(courier, empty, map))).toEqual({ INBOX: 'Old', 'INBOX.x': 'x' });
    });

    it('applies to a parent that is not listed itself', () => {
      const map = mapFolders(side('/', '', ['P/x']), empty, options({ map: [{ from: 'P', to: 'Q' }] }));
      expect([targets(map), problems(map)]).toEqual([{ 'P/x': 'Q/x' }, []]);
    });

    it('finds a name typed in the other Unicode form', () => {
      const map = mapFolders(
        side('/', '', ['cafe\u0301']),
        empty,
        options({ map: [{ from: 'caf\u00e9', to: 'Bar' }] }),
      );
      expect(targets(map)).toEqual({ 'cafe\u0301': 'Bar' });
    });

    it('is an error where it applies to nothing, with the names that may be meant', () => {
      const map = mapFolders(side('/', '', ['Work', 'Play']), empty, options({ map: [{ from: 'Wrok', to: 'X' }] }));
      expect(problems(map)).toEqual(['MAP_UNUSED: --map "Wrok=X" applies to no folder; near it: "Work".']);
      expect(map.problems[0]?.severity).toBe('error');
    });

    it('is an error where it names a folder a second time', () => {
      const twice = [
        { from: 'A', to: 'X' },
        { from: 'A', to: 'Y' },
      ];
      const map = mapFolders(side('/', '', ['A']), empty, options({ map: twice }));
      expect(problems(map, 'error')).toEqual(['MAP_UNUSED: --map "A=Y" comes second: "A" already goes to "X".']);
    });

    it('is a note where the folder is left out anyway', () => {
      const map = mapFolders(side('/', '', ['A']), empty, options({ map: [{ from: 'A', to: 'X' }], exclude: ['A'] }));
      expect(problems(map)).toContain('MAP_UNUSED: --map "A=X" has no effect: the folder is left out.');
      expect(problems(map, 'error')).toEqual([]);
    });

    it.each([
      ['', 'BAD_NAME: --map "A=" has an empty name on its right side.'],
      ['x..y', 'BAD_NAME: --map "A=x..y" has an empty name on its right side.'],
    ])('refuses the target name %j', (to, message) => {
      const map = mapFolders(side('/', '', ['A']), side('.', '', []), options({ map: [{ from: 'A', to }] }));
      expect(problems(map, 'error')).toEqual([message]);
    });

    it('asks whether a name outside the prefix, or with the delimiter of the other side, is meant', () => {
      const map = mapFolders(
        side('/', '', ['A']),
        side('.', 'INBOX.', []),
        options({ map: [{ from: 'A', to: 'x/y' }] }),
      );
      expect(problems(map)).toEqual([
        'BAD_NAME: --map "A=x/y" is outside "INBOX.", where the target keeps its folders: "INBOX.x/y" may be meant.',
        'BAD_NAME: --map "A=x/y" makes one folder with "/" in its name: the target separates folders by ".".',
      ]);
      expect(problems(map, 'error')).toEqual([]);
    });
  });

  describe('--include and --exclude', () => {
    const source = side('/', '', { INBOX: {}, Work: {}, 'Work/a': {}, Bin: { use: '\\Trash' }, 'Bin/x': {} });

    it.each([
      ['everything', {}, ['INBOX', 'Work', 'Work/a', 'Bin', 'Bin/x']],
      ['one folder without its children', { include: ['Work'] }, ['Work']],
      ['a tree', { include: ['Work', 'Work/**'] }, ['Work', 'Work/a']],
      ['all but a special use', { exclude: ['\\Trash', '\\Trash/**'] }, ['INBOX', 'Work', 'Work/a']],
      ['an include minus an exclude', { include: ['**'], exclude: ['**/*'] }, ['INBOX', 'Work', 'Bin']],
    ])('choose %s', (_, changes, expected) => {
      expect(Object.keys(targets(mapFolders(source, empty, options(changes))))).toEqual(expected);
    });

    it('leave nothing out without a line', () => {
      expect(problems(mapFolders(source, empty, options({ exclude: ['Bin*'], include: ['Bin', 'Bin/x'] })))).toEqual([
        'EXCLUDED: "Bin" is left out by --exclude "Bin*".',
        'EXCLUDED: No --include names "INBOX", "Work", "Work/a".',
      ]);
      const many = side('/', '', ['INBOX', 'a', 'b', 'c', 'd', 'e', 'f', 'g']);
      expect(problems(mapFolders(many, empty, options({ include: ['a'] })))).toEqual([
        'EXCLUDED: No --include names "INBOX", "b", "c", "d", "e", and 2 more.',
      ]);
    });

    it('stop the run where an include matches nothing, and only mention such an exclude', () => {
      const map = mapFolders(source, empty, options({ include: ['Wrk', 'INBOX'], exclude: ['Spam'] }));
      expect(problems(map, 'error')).toEqual(['UNKNOWN_INCLUDE: --include "Wrk" matches no folder; near it: "Work".']);
      expect(problems(map, 'note')).toContain('UNKNOWN_INCLUDE: --exclude "Spam" matches no folder.');
    });

    it('stop the run where a pattern cannot be read', () => {
      const map = mapFolders(source, empty, options({ include: ['re:('], exclude: ['\\Bin'] }));
      expect(map.problems.filter(({ code, severity }) => code === 'BAD_PATTERN' && severity === 'error')).toHaveLength(
        2,
      );
      expect(map.pairs).toEqual([]);
    });
  });

  describe('folders that hold no messages', () => {
    it('are made where something goes below them, and left out with a line where nothing does', () => {
      const source = side('/', '', { P: { selectable: false }, 'P/x': {}, Q: { selectable: false }, 'Q/y': {} });
      const map = mapFolders(source, empty, options({ exclude: ['Q/y'] }));
      expect(map.pairs.map(({ targetName, nameOnly }) => [targetName, nameOnly])).toEqual([
        ['P', true],
        ['P/x', false],
      ]);
      expect(problems(map)).toContain(
        'EXCLUDED: "Q" cannot hold messages and nothing is copied below it: it is not created.',
      );
    });

    it('are not made where their children go elsewhere', () => {
      const gmail = side('/', '', { '[Gmail]': { selectable: false }, '[Gmail]/Sent Mail': { use: '\\Sent' } });
      const map = mapFolders(gmail, side('/', '', { Sent: { use: '\\Sent' } }), options());
      expect(targets(map)).toEqual({ '[Gmail]/Sent Mail': 'Sent' });
    });

    it('give way to a folder that goes to their name', () => {
      const source = side('/', '', { P: { selectable: false }, 'P/x': {}, R: {} });
      const map = mapFolders(source, empty, options({ map: [{ from: 'R', to: 'P' }] }));
      expect(map.pairs.map(({ source: from, nameOnly }) => [from.name, nameOnly])).toEqual([
        ['P/x', false],
        ['R', false],
      ]);
      expect(problems(map, 'error')).toEqual([]);
    });

    it('use what the target has of that name, with or without messages', () => {
      const source = side('/', '', { P: { selectable: false }, 'P/x': {} });
      const [pair] = mapFolders(source, side('/', '', { P: { selectable: false } }), options()).pairs;
      expect([pair?.nameOnly, pair?.target?.name]).toEqual([true, 'P']);
    });
  });

  describe('collisions', () => {
    it.each([
      ['a replaced delimiter', ['a.b', 'a_b'], side('.', '', [])],
      ['a child of the inbox and a top-level folder below a prefix', ['INBOX/x', 'x'], side('.', 'INBOX.', [])],
      ['Unicode forms', ['caf\u00e9', 'cafe\u0301'], side('/', '', [])],
      ['names joined for a flat target', ['a/b', 'a.b'], side(null, '', [])],
      ['a dropped empty name', ['a//b', 'a/b'], side('/', '', [])],
      ['the case of the first name INBOX', ['Inbox/x', 'INBOX/x'], side('/', '', [])],
    ])('by %s are an error that names both', (_, names, target) => {
      const errors = mapFolders(side('/', '', names), target, options()).problems.filter(
        ({ severity }) => severity === 'error',
      );
      expect(errors.map(({ code }) => code)).toEqual(['COLLISION']);
      for (const name of names) expect(errors[0]?.message).toContain(`"${name}"`);
    });

    it('of a folder that is called INBOX below the prefix with the inbox are an error', () => {
      const map = mapFolders(side('.', 'INBOX.', ['INBOX', 'INBOX.INBOX']), empty, options());
      expect(problems(map, 'error')).toEqual([
        'COLLISION: "INBOX" and "INBOX.INBOX" would both become "INBOX": send one elsewhere, for example --map "INBOX.INBOX=INBOX-2".',
      ]);
    });

    it('by case are an error where the target ignores case, else a note', () => {
      const source = side('/', '', ['Work', 'work']);
      expect(problems(mapFolders(source, { ...empty, ignoresCase: true }, options()), 'error')).toEqual([
        'COLLISION: "Work" and "work" would both become "work": send one elsewhere, for example --map "work=work-2".',
      ]);
      const map = mapFolders(source, empty, options());
      expect(problems(map)).toEqual([
        'COLLISION: "Work" and "work" differ only by case: a target that ignores case would make them one folder.',
      ]);
      expect(problems(map, 'error')).toEqual([]);
    });

    it('of three are one error, and the --map it offers leads to a free name', () => {
      const map = mapFolders(
        side('/', '', ['a.b', 'a_b', 'a_b-2', 'c']),
        side('.', '', []),
        options({ map: [{ from: 'c', to: 'a_b' }] }),
      );
      expect(problems(map, 'error')).toEqual([
        'COLLISION: "a.b", "a_b" and "c" would all become "a_b": send one elsewhere, for example --map "a_b=a_b-3".',
      ]);
    });

    it('of --map with a name are an error', () => {
      const map = mapFolders(side('/', '', ['A', 'B']), empty, options({ map: [{ from: 'A', to: 'B' }] }));
      expect(problems(map, 'error')).toHaveLength(1);
    });
  });

  it('sends no two folders to one target without an error, whatever the names', () => {
    const segment = fc.constantFrom(
      'a',
      'A',
      'a.b',
      'a_b',
      'INBOX',
      'inbox',
      'caf\u00e9',
      'cafe\u0301',
      '',
      ' ',
      'Sent',
    );
    const use = fc.constantFrom(undefined, undefined, '\\Sent' as const, '\\Trash' as const);
    const account = fc
      .record({
        naming: fc.constantFrom(
          { delimiter: '/', prefix: '' },
          { delimiter: '.', prefix: '' },
          { delimiter: '.', prefix: 'INBOX.' },
          { delimiter: null, prefix: '' },
        ),
        folders: fc.array(
          fc.record({
            segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
            prefixed: fc.boolean(),
            use,
            selectable: fc.boolean(),
          }),
          { maxLength: 9 },
        ),
        ignoresCase: fc.boolean(),
      })
      .map(
        ({ naming, folders, ignoresCase }): MappingSide => ({
          naming,
          ignoresCase,
          folders: folders.map(({ segments, prefixed, use: specialUse, selectable }) =>
            folder((prefixed ? naming.prefix : '') + segments.join(naming.delimiter ?? ''), {
              delimiter: naming.delimiter,
              selectable,
              ...(specialUse === undefined ? {} : { use: specialUse }),
            }),
          ),
        }),
      );
    const rules = fc.array(
      fc.record({ from: fc.constantFrom('a', 'A', 'Sent', 'INBOX'), to: fc.constantFrom('a', 'x', 'INBOX') }),
      {
        maxLength: 2,
      },
    );
    fc.assert(
      fc.property(account, account, rules, fc.boolean(), (source, target, map, mapSpecialUse) => {
        const result = mapFolders(source, target, options({ map, mapSpecialUse }));
        const names = result.pairs.map(({ targetName }) => {
          const form = targetName.normalize('NFC');
          if (form.toUpperCase() === 'INBOX') return 'INBOX';
          return target.ignoresCase === true ? form.toLowerCase() : form;
        });
        const collides = result.problems.some(({ code, severity }) => code === 'COLLISION' && severity === 'error');
        if (!collides) expect(new Set(names).size).toBe(names.length);
        // Every folder is in the plan or in a problem; none is lost in between.
        const told = new Set([
          ...result.pairs.map((pair) => pair.source.name),
          ...result.problems.map((problem) => problem.folder),
        ]);
        const shadows = new Set(result.pairs.filter(({ nameOnly }) => !nameOnly).map(({ targetName }) => targetName));
        for (const { name, selectable } of source.folders) {
          if (selectable || shadows.size === 0) expect([name, told.has(name)]).toEqual([name, true]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('maps fifty thousand nested folders before a test runs out of time', () => {
    const names = Array.from({ length: 50_000 }, (_, index) => `a${index % 100}/b${index % 1000}/c${index}`);
    const map = mapFolders(side('/', '', names), side('.', 'INBOX.', []), options({ exclude: ['**/c1'] }));
    expect(map.pairs).toHaveLength(49_999);
  });
});
