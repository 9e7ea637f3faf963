import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Catalogue, type CatalogueEntry } from '../../src/catalogue/catalogue.ts';
import { Decoder } from '../../src/catalogue/decoder.ts';
import { Database } from '../../src/journal/database.ts';
import { mail, type PlantedTree, useTree } from './fixtures.ts';

const open = useTree({
  'INBOX/first.1.eml': mail({ Subject: 'one', From: 'a@example.org', Date: 'Mon, 1 Jan 2024 10:00:00 +0000' }),
  'INBOX/second.2.eml': mail({ Subject: 'two' }),
  'Work/third.7.eml': mail({ Subject: 'three' }),
});

async function readAll({ store, place }: PlantedTree): Promise<CatalogueEntry[]> {
  await using catalogue = new Catalogue({ store, stateDirectory: place.stateDirectory });
  const entries: CatalogueEntry[] = [];
  for (const { path } of await catalogue.listFolders()) entries.push(...(await catalogue.readFolder(path)).entries);
  return entries;
}

const subjects = async (tree: PlantedTree) => (await readAll(tree)).map(({ subject }) => subject);
const fileOf = ({ place }: PlantedTree) => join(place.stateDirectory, 'catalogue.db');

describe('the catalogue', () => {
  it('has the details of every message, with the date of the tree where the message has none', async () => {
    const tree = await open();
    const [first, second] = await readAll(tree);
    expect(first).toMatchObject({
      subject: 'one',
      from: 'a@example.org',
      shownMs: Date.UTC(2024, 0, 1, 10),
      state: 'whole',
    });
    expect(first?.size).toBe(statSync(join(tree.root, 'INBOX/first.1.eml')).size);
    expect(second?.shownMs).toBe(second?.message.dateMs);
    expect(second?.message.uid).toBe(2);
  });

  it('reads only what is new the next time, and forgets what is gone', async () => {
    const tree = await open();
    await readAll(tree);
    expect(tree.takeOpened()).toHaveLength(3);
    tree.plant({ 'INBOX/new.3.eml': mail({ Subject: 'four' }) });
    unlinkSync(join(tree.root, 'INBOX/first.1.eml'));
    rmSync(join(tree.root, 'Work'), { recursive: true });
    expect(await subjects(tree)).toEqual(['two', 'four']);
    expect(tree.takeOpened()).toEqual(['INBOX/new.3.eml']);
    const db = new Database(fileOf(tree), { readOnly: true, busyMs: 0 });
    expect(db.prepare('SELECT count(*) FROM messages').get()).toEqual([2]);
    expect(db.prepare('SELECT path FROM folders').all()).toEqual([['["INBOX"]']]);
    db.close();
  });

  it('reads a message again whose file is another', async () => {
    const tree = await open();
    await readAll(tree);
    tree.plant({ 'INBOX/second.2.eml': mail({ Subject: 'another' }) });
    expect(await subjects(tree)).toEqual(['one', 'another', 'three']);
  });

  it('is for its owner only', async () => {
    const tree = await open();
    await readAll(tree);
    expect(statSync(fileOf(tree)).mode & 0o777).toBe(0o600);
    expect(statSync(tree.place.stateDirectory).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['is missing', (file: string) => unlinkSync(file)],
    ['is empty', (file: string) => writeFileSync(file, '')],
    ['is no database', (file: string) => writeFileSync(file, 'hello')],
    ['is torn', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5_000))],
    ['has a page of garbage', (file: string) => writeFileSync(file, readFileSync(file).fill(0xff, 4_096))],
    [
      'is of another version',
      (file: string) => {
        const db = new Database(file, { busyMs: 0 });
        db.exec('PRAGMA user_version = 99');
        db.close();
      },
    ],
    [
      'has what nobody put there',
      (file: string) => {
        const db = new Database(file, { busyMs: 0 });
        db.exec('CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM messages; END');
        db.close();
      },
    ],
  ])('is made anew where its file %s', async (_, damage) => {
    const tree = await open();
    await readAll(tree);
    tree.takeOpened();
    damage(fileOf(tree));
    expect(await subjects(tree)).toEqual(['one', 'two', 'three']);
    expect(tree.takeOpened()).toHaveLength(3);
    expect(await subjects(tree)).toEqual(['one', 'two', 'three']);
    expect(tree.takeOpened()).toEqual([]);
  });

  it('does not follow a link', async () => {
    const tree = await open();
    await readAll(tree);
    const elsewhere = join(tree.root, 'elsewhere');
    renameSync(fileOf(tree), elsewhere);
    symlinkSync(elsewhere, fileOf(tree));
    const before = readFileSync(elsewhere);
    tree.plant({ 'INBOX/new.3.eml': mail({ Subject: 'four' }) });
    expect(await subjects(tree)).toContain('four');
    expect(readFileSync(elsewhere).equals(before)).toBe(true);
  });

  it('does without a file where none can be made', async () => {
    const tree = await open();
    writeFileSync(tree.place.stateDirectory, 'a file, not a directory');
    expect(await subjects(tree)).toEqual(['one', 'two', 'three']);
  });

  it('does without a file where its directory says no', async () => {
    const tree = await open();
    await readAll(tree);
    rmSync(fileOf(tree));
    chmodSync(tree.place.stateDirectory, 0o500);
    expect(await subjects(tree)).toEqual(['one', 'two', 'three']);
    chmodSync(tree.place.stateDirectory, 0o700);
  });

  it('lists a message that cannot be read, and tries again', async () => {
    const tree = await open();
    tree.plant({ 'INBOX/broken.9.eml.gz': 'not gzip' });
    const entries = await readAll(tree);
    expect(entries.map(({ state }) => state)).toEqual(['whole', 'whole', 'unreadable', 'whole']);
    tree.takeOpened();
    await readAll(tree);
    expect(tree.takeOpened()).toEqual(['INBOX/broken.9.eml.gz']);
  });

  it('stops between messages, and keeps what it has read', async () => {
    const tree = await open();
    const many = Array.from({ length: 200 }, (_, index) => [
      `INBOX/m.${index + 10}.eml`,
      mail({ Subject: `${index}` }),
    ]);
    tree.plant(Object.fromEntries(many));
    const controller = new AbortController();
    await using catalogue = new Catalogue({
      store: tree.store,
      stateDirectory: tree.place.stateDirectory,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(catalogue.readFolder(['INBOX'])).rejects.toThrow('enough');
    await catalogue[Symbol.asyncDispose]();
    const read = tree.takeOpened().length;
    expect(read).toBeLessThan(202);
    await readAll(tree);
    expect(tree.takeOpened().length).toBeLessThanOrEqual(203 - 64);
    expect(existsSync(fileOf(tree))).toBe(true);
  });
});

describe('a catalogue whose decoder does not start', () => {
  it('says so, also while the next messages are being read', async () => {
    const tree = await open();
    const many = Array.from({ length: 200 }, (_, index) => [
      `INBOX/m.${index + 10}.eml`,
      mail({ Subject: `${index}` }),
    ]);
    tree.plant(Object.fromEntries(many));
    const decoder = new Decoder({ thread: new URL('../support/no-such-file.mjs', import.meta.url), inline: false });
    await using catalogue = new Catalogue({ store: tree.store, stateDirectory: null, decoder });
    await expect(catalogue.readFolder(['INBOX'])).rejects.toThrow(/does not start/);
  });
});

describe('the catalogue of a Maildir', () => {
  const openMaildir = useTree({
    'cur/1.M1.host:2,S': mail({ Subject: 'one' }),
    'new/2.M2.host': mail({ Subject: 'two' }),
    'tmp/keep': '',
  });

  it('knows a message again when its flags have changed', async () => {
    const tree = await openMaildir();
    expect((await subjects(tree)).sort()).toEqual(['one', 'two']);
    tree.takeOpened();
    renameSync(join(tree.root, 'cur/1.M1.host:2,S'), join(tree.root, 'cur/1.M1.host:2,FS'));
    renameSync(join(tree.root, 'new/2.M2.host'), join(tree.root, 'cur/2.M2.host:2,'));
    expect((await subjects(tree)).sort()).toEqual(['one', 'two']);
    expect(tree.takeOpened()).toEqual([]);
  });
});
