import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMaildirStore } from '../../src/archive/maildir-store.ts';
import type { NewBody, StoreFolder, TreeMessage } from '../../src/archive/store.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'folder-'));
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(root, part), { mode: 0o700 });
});

afterEach(() => rmSync(root, { recursive: true }));

const open = (forWriting = true) =>
  openMaildirStore({ root, fsync: 'never', compress: 'none', layout: 'maildir++' }).openFolder(['INBOX'], {
    forWriting,
  });

const message = (uid: number, text: string, flags: string[] = [], dateMs = 1_563_107_405_000): NewBody => {
  const body = Buffer.from(text);
  return { uid, flags, dateMs, body: { size: body.length, chunks: [body] } };
};

const plant = (file: string, text = file, seconds = 1_563_107_405) => {
  writeFileSync(join(root, file), text);
  utimesSync(join(root, file), seconds, seconds);
};

const texts = async (folder: StoreFolder) => {
  const found: string[] = [];
  for (const each of await folder.list()) found.push(Buffer.concat(await folder.read(each)).toString());
  return found;
};

const only = async (folder: StoreFolder): Promise<TreeMessage> => {
  const listed = await folder.list();
  expect(listed).toHaveLength(1);
  return listed[0] as TreeMessage;
};

const byUid = async (folder: StoreFolder, uid: number): Promise<TreeMessage> =>
  (await folder.list()).find((each) => each.uid === uid) as TreeMessage;

/** What another program does that changes flags. */
const renameAs = (found: TreeMessage, letters: string) => {
  const file = found.file.replace(/:2,.*$/, '').replace(/^new/, 'cur');
  renameSync(join(root, found.file), join(root, `${file}:2,${letters}`));
};

describe('a Maildir folder', () => {
  it('names files as the format has it, in cur', async () => {
    const folder = await open();
    await folder.append([message(7, 'hello', ['\\Seen', '\\Flagged', '$Forwarded', 'work']), message(8, 'x')]);
    const listed = await folder.list();
    expect(listed[0]?.file).toMatch(/^cur\/\d{10}\.M\d{6}P\d+R[0-9a-f]{8}Q\d+\.[\w.-]+,U=7,S=5:2,FPSab$/);
    expect(listed[1]?.file).toMatch(/,U=8,S=1:2,$/);
    expect(new Set(listed[0]?.flags)).toEqual(new Set(['\\Seen', '\\Flagged', '$Forwarded', 'work']));
    expect([readdirSync(join(root, 'new')), readdirSync(join(root, 'tmp'))]).toEqual([[], []]);
  });

  it('keeps dates to the millisecond, before 1970 too', async () => {
    const folder = await open();
    const dates = [1_563_107_405_123, 0, 1, -1001, -86_400_000, 4_102_444_799_999];
    await folder.append(dates.map((dateMs, index) => message(index + 1, 'x', [], dateMs)));
    expect((await folder.list()).map((each) => each.dateMs)).toEqual(dates);
  });

  it('lists what others delivered behind its own, by date and name', async () => {
    const folder = await open();
    await folder.append([message(3, 'three'), message(9, 'nine')]);
    plant('new/2.b.host', 'b', 200);
    plant('cur/3.a.host:2,FS', 'a', 100);
    plant('cur/1.c.host', 'c', 200);
    const listed = await folder.list();
    expect(listed.map(({ uid, flags, dateMs }) => [uid, flags, dateMs / 1000])).toEqual([
      [3, [], 1_563_107_405],
      [9, [], 1_563_107_405],
      [null, ['\\Flagged', '\\Seen'], 100],
      [null, [], 200],
      [null, [], 200],
    ]);
    expect(await texts(folder)).toEqual(['three', 'nine', 'a', 'c', 'b']);
  });

  it('takes a message in new for unseen, whatever its name says', async () => {
    plant('new/1.a.host:2,S');
    expect((await only(await open())).flags).toEqual([]);
  });

  it('lets one of several files have a UID', async () => {
    const folder = await open();
    await folder.append([message(5, 'original')]);
    const { file } = await only(folder);
    writeFileSync(join(root, file.replace(':2,', ':2,S')), 'a copy');
    writeFileSync(join(root, file.replace('cur/', 'new/')), 'another');
    const listed = await folder.list();
    expect(listed.map((each) => each.uid).sort()).toEqual([5, null, null]);
    expect((await texts(folder)).sort()).toEqual(['a copy', 'another', 'original']);
  });

  it('passes over what is no message', async () => {
    plant('cur/.hidden');
    mkdirSync(join(root, 'cur', '1.directory.host:2,S'));
    symlinkSync('/etc/hostname', join(root, 'cur', '1.link.host:2,S'));
    execFileSync('mkfifo', [join(root, 'cur', '1.pipe.host:2,S')]);
    plant('dovecot-uidlist');
    plant('tmp/1.unfinished.host');
    plant('cur/1.real.host:2,S', 'real');
    expect(await texts(await open())).toEqual(['real']);
    expect(readdirSync(join(root, 'tmp'))).toEqual(['1.unfinished.host']);
  });

  it('removes what an older run left in tmp, and nothing else', async () => {
    plant('tmp/1563107405.M000123P77R0a1b2c3dQ1.host.example');
    plant('tmp/1563107405.M000123P77.host.example');
    await open(false);
    expect(readdirSync(join(root, 'tmp'))).toHaveLength(2);
    await open();
    expect(readdirSync(join(root, 'tmp'))).toEqual(['1563107405.M000123P77.host.example']);
  });

  it('reads a folder of others, in which there is only cur', async () => {
    plant('cur/1.a.host:2,S', 'a');
    for (const part of ['new', 'tmp']) rmSync(join(root, part), { recursive: true });
    expect(await texts(await open(false))).toEqual(['a']);
    expect(readdirSync(root)).toEqual(['cur']);
  });
});

describe('a message that another program renames', () => {
  it('is read all the same', async () => {
    const folder = await open();
    await folder.append([message(1, 'one'), message(2, 'two')]);
    const [one, two] = (await folder.list()) as [TreeMessage, TreeMessage];
    for (const letters of ['S', 'FS', '']) {
      renameAs(await byUid(folder, 1), letters);
      expect(Buffer.concat(await folder.read(one)).toString()).toBe('one');
      const opened = await folder.open(one);
      expect(opened.size).toBe(3);
    }
    expect(Buffer.concat(await folder.read(two)).toString()).toBe('two');
    await folder.close();
  });

  it('has its flags set all the same, those it was given meanwhile go', async () => {
    const folder = await open();
    await folder.append([message(1, 'one')]);
    const found = await only(folder);
    renameAs(found, 'FRS');
    await folder.setFlags([{ message: found, flags: ['\\Seen', 'work'] }]);
    expect((await only(folder)).flags).toEqual(['\\Seen', 'work']);
    await folder.setFlags([{ message: found, flags: [] }]);
    expect((await only(folder)).flags).toEqual([]);
  });

  it('is removed all the same', async () => {
    const folder = await open();
    await folder.append([message(1, 'one'), message(2, 'two')]);
    const found = await byUid(folder, 1);
    renameAs(found, 'S');
    await folder.remove([found]);
    expect(await texts(folder)).toEqual(['two']);
    await folder.remove([found]);
    expect(await texts(folder)).toEqual(['two']);
  });

  it('is found when it comes from new', async () => {
    plant('new/1.a.host', 'a');
    const folder = await open();
    const found = await only(folder);
    renameAs(found, 'S');
    expect(Buffer.concat(await folder.read(found)).toString()).toBe('a');
  });

  it('is GONE only when it is', async () => {
    const folder = await open();
    await folder.append([message(1, 'one')]);
    const found = await only(folder);
    rmSync(join(root, found.file));
    await expect(folder.read(found)).rejects.toMatchObject({ code: 'GONE' });
    await expect(folder.open(found)).rejects.toMatchObject({ code: 'GONE' });
    await expect(folder.setFlags([{ message: found, flags: [] }])).rejects.toMatchObject({ code: 'GONE' });
  });
});

describe('flags of a file', () => {
  it('may have been set by another program already', async () => {
    plant('cur/1.a\\057b.host:2,', 'a');
    const folder = await open();
    const found = await only(folder);
    renameAs(found, 'S');
    await folder.setFlags([{ message: found, flags: ['\\Seen'] }]);
    expect(readdirSync(join(root, 'cur'))).toEqual(['1.a\\057b.host:2,S']);
    expect(await texts(folder)).toEqual(['a']);
  });

  it('are set on a message in new by moving it to cur', async () => {
    plant('new/1.a.host', 'a');
    const folder = await open();
    await folder.setFlags([{ message: await only(folder), flags: ['\\Flagged'] }]);
    expect(readdirSync(join(root, 'cur'))).toEqual(['1.a.host:2,F']);
    expect(await texts(folder)).toEqual(['a']);
  });

  it('are not set where that would put one file over another', async () => {
    plant('cur/1.a.host:2,', 'first');
    plant('cur/1.a.host:2,S', 'second');
    const folder = await open();
    const first = (await folder.list())[0] as TreeMessage;
    await expect(folder.setFlags([{ message: first, flags: ['\\Seen'] }])).rejects.toMatchObject({ code: 'TREE' });
    expect((await texts(folder)).sort()).toEqual(['first', 'second']);
  });

  it('keep letters of other programs', async () => {
    plant('cur/1.a.host:2,SXq', 'a');
    const folder = await open();
    await folder.setFlags([{ message: await only(folder), flags: ['\\Answered'] }]);
    expect(readdirSync(join(root, 'cur'))).toEqual(['1.a.host:2,RXq']);
  });
});

describe('names from strange hands', () => {
  it.each([
    '../secret',
    '/etc/passwd',
    'cur/../../secret',
    'cur/',
    'cur/..',
    'tmp/1.a.host',
    'cur/a\0b',
    '.A/cur/1.a.host',
    'dovecot-keywords',
    '',
  ])('lead to no other file: %j', async (file) => {
    const folder = await open();
    const strange = { uid: 1, file, offset: 0, length: 1, size: 1, dateMs: 0, flags: [] };
    for (const attempt of [
      () => folder.read(strange),
      () => folder.open(strange),
      () => folder.setFlags([{ message: strange, flags: ['\\Seen'] }]),
      () => folder.remove([strange]),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'TREE' });
    }
  });

  it('are not followed where a file becomes a link, or a pipe', async () => {
    plant('cur/1.a.host:2,S', 'a');
    plant('cur/2.b.host:2,S', 'b');
    const folder = await open();
    const [a, b] = (await folder.list()) as [TreeMessage, TreeMessage];
    for (const { file } of [a, b]) rmSync(join(root, file));
    symlinkSync('/etc/hostname', join(root, a.file));
    execFileSync('mkfifo', [join(root, b.file)]);
    for (const each of [a, b]) await expect(folder.read(each)).rejects.toMatchObject({ code: 'UNREADABLE' });
  });
});
