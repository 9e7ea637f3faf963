import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMaildirStore } from '../../src/archive/maildir-store.ts';
import type { StoreOptions, TreePath } from '../../src/archive/store.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'folders-'));
});

afterEach(() => rmSync(root, { recursive: true }));

const open = (layout: StoreOptions['layout'] = 'maildir++') =>
  openMaildirStore({ root, fsync: 'never', compress: 'none', layout });

const directories = () => readdirSync(root).filter((name) => !['cur', 'new', 'tmp'].includes(name));

/** Makes a folder as other programs do. */
const plant = (...names: string[]) => {
  for (const name of names)
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(root, name, part), { recursive: true });
};

const listed = async () =>
  (await open().listFolders()).map(({ path, holdsMessages }) => (holdsMessages ? path : [path]));

describe('folders of a Maildir tree', () => {
  const names: readonly [TreePath, string, string][] = [
    [['Sent'], '.Sent', 'Sent'],
    [['A', 'B'], '.A.B', 'A/B'],
    [['INBOX', 'x'], '.INBOX.x', 'INBOX/x'],
    [['Entwürfe'], '.Entw&APw-rfe', 'Entw&APw-rfe'],
    [['日本語', 'a&b'], '.&ZeVnLIqe-.a&-b', '&ZeVnLIqe-/a&-b'],
    [['a.b'], '.a%2Eb', 'a.b'],
    [['a/b'], '.a%2Fb', 'a%2Fb'],
    [['.hidden'], '.%2Ehidden', '%2Ehidden'],
    [['100%'], '.100%25', '100%25'],
    [['cur'], '.%63ur', '%63ur'],
    [['\ud83d'], '.%uD83D', '%uD83D'],
    [['\u202ex'], '.%E2%80%AEx', '%E2%80%AEx'],
  ];

  it.each(names)('are called as Dovecot calls them: %j', async (path, flat, nested) => {
    await open().createFolder(path);
    expect(directories()).toEqual([flat]);
    expect(readdirSync(join(root, flat))).toEqual(['cur', 'maildirfolder', 'new', 'tmp']);
    rmSync(join(root, flat), { recursive: true });
    await open('fs').createFolder(path);
    expect(readdirSync(join(root, nested))).toEqual(['cur', 'new', 'tmp']);
    expect(directories()).toEqual([nested.split('/')[0]]);
  });

  it('are listed with those that are there for others only, and in order', async () => {
    plant('.', '.b.c', '.a', '.INBOX.z.y', '.b');
    plant('.B.c.d');
    expect(await listed()).toEqual([
      ['INBOX'],
      [['INBOX', 'z']],
      ['INBOX', 'z', 'y'],
      [['B']],
      [['B', 'c']],
      ['B', 'c', 'd'],
      ['a'],
      ['b'],
      ['b', 'c'],
    ]);
  });

  it('are made in the layout that is there', async () => {
    plant('.A');
    await open('fs').createFolder(['B', 'C']);
    expect(directories()).toEqual(['.A', '.B.C']);
  });

  it('are made in the layout that is there, nested too', async () => {
    plant('A/B');
    await open().createFolder(['A', 'C']);
    await open().createFolder(['INBOX']);
    expect(directories()).toEqual(['A']);
    expect(readdirSync(join(root, 'A'))).toEqual(['B', 'C']);
    expect(existsSync(join(root, 'cur'))).toBe(true);
  });

  it('of both layouts are found', async () => {
    plant('.A.B', '.C', 'D/E', 'F');
    expect(await listed()).toEqual([[['A']], ['A', 'B'], ['C'], [['D']], ['D', 'E'], ['F']]);
  });

  it.each([
    ['.Entwürfe', ['Entwürfe']],
    ['.a&b', ['a&b']],
    ['.50% off', ['50% off']],
    ['.&Jjo!', ['&Jjo!']],
    ['.A..B', ['A', '', 'B']],
  ])('that others named in their own way stand for themselves: %s', async (name, path) => {
    plant(name);
    expect((await open().listFolders()).at(-1)).toEqual({ path, holdsMessages: true });
    expect(await open().createFolder(path)).toBe(false);
  });

  it('whose directories stand for the same name are all listed, and opened', async () => {
    plant('.', '.Entwürfe', '.Entw&APw-rfe', 'INBOX');
    writeFileSync(join(root, 'INBOX', 'cur', '1.a.b:2,S'), 'in the other inbox');
    expect(await listed()).toEqual([['INBOX'], ['Entwürfe'], ['Entwürfe (2)'], ['INBOX (2)']]);
    const folder = await open().openFolder(['INBOX (2)'], { forWriting: false });
    expect((await folder.list()).map((message) => message.file)).toEqual(['INBOX/cur/1.a.b:2,S']);
  });

  it('of other programs that keep the inbox in a directory of its own are found there', async () => {
    plant('INBOX', 'Sent');
    expect(await listed()).toEqual([['INBOX'], ['Sent']]);
    expect(await open().createFolder(['INBOX'])).toBe(false);
  });

  it.each(['maildir++', 'fs'] as const)(
    'with long names are hashed, and a file tells the name (%s)',
    async (layout) => {
      const long = 'Rechnungen und ähnliches '.repeat(12);
      await open(layout).createFolder(['A', long, 'B']);
      await open(layout).createFolder(['A', `${long}!`]);
      const found = readdirSync(root, { recursive: true, encoding: 'utf8' });
      for (const name of found)
        for (const part of name.split('/')) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(200);
      expect((await open().listFolders()).map(({ path }) => path)).toEqual([
        ['A'],
        ['A', long],
        ['A', long, 'B'],
        ['A', `${long}!`],
      ]);
      expect(await open().createFolder(['A', long, 'B'])).toBe(false);
    },
  );

  it('with a name that somebody put into the file stand for themselves', async () => {
    const long = 'x'.repeat(300);
    await open().createFolder([long]);
    const [directory = ''] = directories();
    const file = join(root, directory, 'imap-migrate-name');
    expect(readFileSync(file, 'utf8')).toBe(`${long}\n`);
    writeFileSync(file, '../../etc\n');
    expect(await listed()).toEqual([[directory.slice(1)]]);
    rmSync(file);
    symlinkSync('/etc/hostname', file);
    expect(await listed()).toEqual([[directory.slice(1)]]);
  });

  it('that a crash left half made are completed', async () => {
    mkdirSync(join(root, '.A', 'tmp'), { recursive: true });
    expect(await listed()).toEqual([]);
    expect(await open().createFolder(['A'])).toBe(true);
    expect(directories()).toEqual(['.A']);
    expect(await listed()).toEqual([['A']]);
  });

  it('are seen when another program makes or removes them', async () => {
    const store = open();
    expect(await store.listFolders()).toEqual([]);
    plant('.A');
    expect(await (await store.openFolder(['A'], { forWriting: true })).list()).toEqual([]);
    rmSync(join(root, '.A'), { recursive: true });
    await expect(store.openFolder(['A'], { forWriting: true })).rejects.toMatchObject({ code: 'NO_FOLDER' });
    expect(await store.createFolder(['A'])).toBe(true);
  });
});

describe('a tree from strange hands', () => {
  let elsewhere: string;

  beforeEach(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(elsewhere, part));
    writeFileSync(join(elsewhere, 'cur', '1.secret.host:2,S'), 'secret');
  });

  afterEach(() => rmSync(elsewhere, { recursive: true }));

  it('has no folders behind links', async () => {
    symlinkSync(elsewhere, join(root, '.A'));
    symlinkSync(elsewhere, join(root, 'B'));
    mkdirSync(join(root, '.C'));
    symlinkSync(join(elsewhere, 'cur'), join(root, '.C', 'cur'));
    expect(await listed()).toEqual([]);
    await expect(open().createFolder(['A'])).rejects.toMatchObject({ code: 'TREE' });
    await expect(open().createFolder(['C'])).rejects.toMatchObject({ code: 'TREE' });
    expect(readdirSync(elsewhere, { recursive: true })).toHaveLength(4);
  });

  it('is not written to where new and tmp are links, or files', async () => {
    plant('.A');
    rmSync(join(root, '.A', 'tmp'), { recursive: true });
    symlinkSync(join(elsewhere, 'tmp'), join(root, '.A', 'tmp'));
    await expect(open().openFolder(['A'], { forWriting: true })).rejects.toMatchObject({ code: 'TREE' });
    rmSync(join(root, '.A', 'tmp'));
    writeFileSync(join(root, '.A', 'tmp'), '');
    await expect(open().openFolder(['A'], { forWriting: true })).rejects.toMatchObject({ code: 'TREE' });
    expect(readdirSync(join(elsewhere, 'tmp'))).toEqual([]);
    expect(await (await open().openFolder(['A'], { forWriting: false })).list()).toEqual([]);
  });

  it('has no folder where cur is a file', async () => {
    mkdirSync(join(root, '.A'));
    writeFileSync(join(root, '.A', 'cur'), '');
    expect(await listed()).toEqual([]);
    await expect(open().createFolder(['A'])).rejects.toMatchObject({ code: 'TREE' });
  });

  it('may be very deep', async () => {
    plant('d/'.repeat(300));
    expect(await open().listFolders()).toHaveLength(300);
  });
});
