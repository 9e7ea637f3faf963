import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DotLock } from '../../src/archive/dot-lock.ts';
import { encodeFrom } from '../../src/archive/mbox-from.ts';
import { openMboxStore } from '../../src/archive/mbox-store.ts';
import type { NewBody, StoreFolder, TreeStore } from '../../src/archive/store.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'imap-migrate-mbox-'));
  roots.push(root);
  return root;
}

function openTree(root: string): TreeStore {
  return openMboxStore({ root, fsync: 'batch', compress: 'none', layout: 'fs' });
}

async function openInbox(root: string, forWriting = true): Promise<StoreFolder> {
  const store = openTree(root);
  if (forWriting) await store.createFolder(['INBOX']);
  return store.openFolder(['INBOX'], { forWriting });
}

function message(uid: number, text: string, dateMs = Date.UTC(2026, 10, 20, 9, 30)): NewBody {
  const bytes = Buffer.from(text, 'latin1');
  const half = bytes.length >> 1;
  const chunks = [bytes.subarray(0, half), bytes.subarray(half)];
  return { uid, dateMs, flags: [], body: { size: bytes.length, chunks } };
}

async function textsOf(folder: StoreFolder): Promise<[number | null, string][]> {
  const texts: [number | null, string][] = [];
  for (const one of await folder.list()) {
    texts.push([one.uid, Buffer.concat([...(await folder.read(one))]).toString('latin1')]);
  }
  return texts;
}

/** Messages that programs stumble over. */
const awkward = [
  'Subject: plain\r\n\r\nHello\r\n',
  '',
  '\n',
  'From x\r\nFrom: a\r\n\r\nFrom b\r\n>From c\r\n>>From d',
  'no header, no end',
  'Subject: NUL\r\n\r\na\0b\r\n',
  'Subject: bare\n\nLF\n\n\n',
  'Subject: cr\r\n\r\na\rFrom b\rFrom c\r',
  `Subject: long\r\n\r\n${'x'.repeat(200_000)}\r\nFrom end`,
  'From imap-migrate.1.2.3@localhost Fri Nov 20 09:30:00 2026\n\n\n',
  'Content-Length: 3\r\nStatus: RO\r\n\r\nabc def\r\n',
  '\r\n\r\n\r\n',
];

describe('an mbox of ours', () => {
  it('brings back every byte, with UID, size and date', async () => {
    const folder = await openInbox(newRoot());
    await folder.append(awkward.map((text, at) => message(at + 1, text)));
    await folder.append([message(100, 'later\r\n', Number.NaN), message(4294967295, 'old\r\n', Date.UTC(1969, 0, 2))]);
    const listed = await folder.list();
    expect(
      listed.slice(0, awkward.length).map(({ uid, size, flags, dateMs }) => ({ uid, size, flags, dateMs })),
    ).toEqual(
      awkward.map((text, at) => ({
        uid: at + 1,
        size: text.length,
        flags: null,
        dateMs: Date.UTC(2026, 10, 20, 9, 30),
      })),
    );
    expect(listed.slice(-2).map(({ dateMs }) => dateMs)).toEqual([Number.NaN, Date.UTC(1969, 0, 2)]);
    expect((await textsOf(folder)).slice(0, awkward.length)).toEqual(awkward.map((text, at) => [at + 1, text]));
    await folder.close();
  });

  it('is one line, the message, an empty line', async () => {
    const root = newRoot();
    const folder = await openInbox(root);
    await folder.append([message(7, 'Subject: x\r\n\r\nFrom me'), message(8, '')]);
    await folder.close();
    expect(readFileSync(join(root, 'INBOX.mbox'), 'latin1')).toBe(
      'From imap-migrate.7.22.21@localhost Fri Nov 20 09:30:00 2026\nSubject: x\r\n\r\n>From me\n\n' +
        'From imap-migrate.8.0.0@localhost Fri Nov 20 09:30:00 2026\n\n',
    );
  });

  it('takes a message that comes in pieces, and nothing of one that breaks off', async () => {
    const root = newRoot();
    const folder = await openInbox(root);
    await folder.append([message(1, 'first\r\n')]);
    const before = readFileSync(join(root, 'INBOX.mbox'));
    async function* pieces(texts: readonly string[], error?: Error) {
      for (const text of texts) yield Buffer.from(text);
      if (error !== undefined) throw error;
    }
    const about = { uid: 2, flags: [], dateMs: 0 };
    const broken = folder.appendStream(about, { size: 9, slices: pieces(['From a'], new Error('line lost')) });
    await expect(broken).rejects.toThrow('line lost');
    await expect(folder.appendStream(about, { size: 9, slices: pieces(['From a']) })).rejects.toThrow(/9 bytes/);
    expect(readFileSync(join(root, 'INBOX.mbox'))).toEqual(before);
    await folder.appendStream(about, { size: 14, slices: pieces(['Fr', 'om a\n', '>', 'Fro', 'm b']) });
    await folder.append([message(3, 'third')]);
    expect(await textsOf(folder)).toEqual([
      [1, 'first\r\n'],
      [2, 'From a\n>From b'],
      [3, 'third'],
    ]);
    const opened = await folder.open((await folder.list())[1] as never);
    const slices: Buffer[] = [];
    for await (const slice of opened.slices) slices.push(slice);
    expect([opened.size, Buffer.concat(slices).toString()]).toEqual([14, 'From a\n>From b']);
    await folder.close();
  });

  it('deletes, and what was listed before is found where it is then', async () => {
    const root = newRoot();
    const folder = await openInbox(root);
    await folder.append(awkward.map((text, at) => message(at + 1, text)));
    const listed = await folder.list();
    await folder.remove([listed[0], listed[3], listed[11]] as never);
    const left = awkward.map((text, at) => [at + 1, text]).filter(([uid]) => ![1, 4, 12].includes(uid as number));
    expect(await textsOf(folder)).toEqual(left);
    expect(Buffer.concat([...(await folder.read(listed[8] as never))]).toString()).toBe(awkward[8]);
    await expect(folder.read(listed[3] as never)).rejects.toMatchObject({ code: 'GONE' });
    await folder.append([message(20, 'new')]);
    expect((await textsOf(folder)).at(-1)).toEqual([20, 'new']);
    await folder.close();
    expect(readdirSync(root)).toEqual(['INBOX.mbox']);
  });

  it('is repaired wherever it was cut off', { timeout: 60_000 }, async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([message(1, 'Subject: 1\r\n\r\nFrom one\r\n')]);
    const ends = [readFileSync(path).length];
    for (const [uid, text] of [
      [2, 'Subject: 2\r\nStatus: RO\r\n\r\nFrom two\r\n\r\n>From x'],
      [3, 'Subject: 3\r\n\r\nthree\r\n'],
    ] as const) {
      await folder.append([message(uid, text)]);
      ends.push(readFileSync(path).length);
    }
    const all = await textsOf(folder);
    await folder.close();
    const whole = readFileSync(path);
    const store = openMboxStore({ root, fsync: 'never', compress: 'none', layout: 'fs' });
    for (let length = ends[0] ?? 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const read = await store.openFolder(['INBOX'], { forWriting: false });
      const count = (await read.list()).length;
      // A message of which only line ends behind it are missing is whole.
      const least = ends.filter((end) => end <= length).length;
      const most = ends.filter((end) => end - 2 <= length).length;
      expect(count).toBeGreaterThanOrEqual(least);
      expect(count).toBeLessThanOrEqual(most);
      expect(readFileSync(path).length).toBe(length);
      const cut = await store.openFolder(['INBOX'], { forWriting: true });
      expect(await textsOf(cut)).toEqual(all.slice(0, count));
      await cut.append([message(9, 'From nine')]);
      expect(await textsOf(cut)).toEqual([...all.slice(0, count), [9, 'From nine']]);
      await cut.close();
    }
  });

  it('keeps what a program has added or changed, and what comes behind', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([1, 2, 3].map((uid) => message(uid, `Subject: ${uid}\r\n\r\nFrom ${uid}\r\n`)));
    const text = readFileSync(path, 'latin1');
    const marked = text
      .replace('Subject: 2\r\n', 'Subject: 2\r\nStatus: RO\n')
      .replace('Subject: 3\r\n', 'Status: O\n');
    writeFileSync(path, `${marked}From joe@x Fri Nov 20 09:30:00 2026\nSubject: joe\n\n>From joe\n`, 'latin1');
    const expected = [
      [1, 'Subject: 1\r\n\r\nFrom 1\r\n'],
      [2, 'Subject: 2\r\nStatus: RO\r\n\r\nFrom 2\r\n'],
      [3, 'Status: O\r\n\r\nFrom 3\r\n'],
      [null, 'Subject: joe\r\n\r\nFrom joe\r\n'],
    ];
    expect(await textsOf(folder)).toEqual(expected);
    await folder.append([message(4, 'four')]);
    expect(await textsOf(folder)).toEqual([...expected.slice(0, 3), [4, 'four'], expected[3]]);
    await folder.close();
  });

  it('is never cut where another program has shortened the last message', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([
      message(1, 'Subject: 1\r\n\r\none\r\n'),
      message(2, 'X-Long: value\r\nSubject: 2\r\n\r\ntwo\r\n'),
    ]);
    await folder.close();
    writeFileSync(path, readFileSync(path, 'latin1').replace('X-Long: value\r\n', 'Status: O\n'), 'latin1');
    const again = await openInbox(root);
    await again.append([message(3, 'three')]);
    expect((await textsOf(again)).map(([uid, text]) => [uid, text])).toEqual([
      [1, 'Subject: 1\r\n\r\none\r\n'],
      [2, 'Status: O\r\nSubject: 2\r\n\r\ntwo\r\n'],
      [3, 'three'],
    ]);
    await again.close();
  });

  it('is not written to where it is another program’s', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    writeFileSync(path, 'From joe@x Fri Nov 20 09:30:00 2026\nSubject: joe\n\nx');
    const before = readFileSync(path);
    await expect(openTree(root).openFolder(['INBOX'], { forWriting: true })).rejects.toMatchObject({
      code: 'UNREADABLE',
    });
    expect(readFileSync(path)).toEqual(before);
    expect(await textsOf(await openInbox(root, false))).toEqual([[null, 'Subject: joe\r\n\r\nx']]);
  });

  it('gives a UID to the first of two that were copied from one', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([message(1, 'one'), message(2, 'two')]);
    await folder.close();
    const text = readFileSync(path);
    writeFileSync(path, Buffer.concat([text, text]));
    expect(await textsOf(await openInbox(root, false))).toEqual([
      [1, 'one'],
      [2, 'two'],
      [null, 'one'],
      [null, 'two'],
    ]);
  });

  it('knows a message that was never finished, however much of it is there', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([message(1, 'one')]);
    const from = encodeFrom({ uid: 2, storedBytes: null, size: 3, dateMs: 0 });
    const whole = readFileSync(path);
    appendFileSync(path, Buffer.concat([from, Buffer.from('two\n\n')]));
    expect(await textsOf(folder)).toEqual([[1, 'one']]);
    await folder.append([message(3, 'three')]);
    expect(await textsOf(folder)).toEqual([
      [1, 'one'],
      [3, 'three'],
    ]);
    expect(readFileSync(path).subarray(0, whole.length)).toEqual(whole);
    await folder.close();
  });

  it('tells of bytes that were lost from the middle of a message', async () => {
    const root = newRoot();
    const path = join(root, 'INBOX.mbox');
    const folder = await openInbox(root);
    await folder.append([message(1, 'a\r\nFrom b\r\n')]);
    const [listed] = await folder.list();
    writeFileSync(path, readFileSync(path, 'latin1').replace('>From', 'xFrom'), 'latin1');
    await expect(folder.read(listed as never)).rejects.toMatchObject({ code: 'UNREADABLE' });
    await folder.close();
  });

  it('is given up when another program does not let go of it', async () => {
    const file = join(newRoot(), 'a.mbox');
    writeFileSync(`${file}.lock`, `${process.ppid}\n`);
    await expect(DotLock.take(file, 1)).rejects.toThrow(`${process.ppid}`);
    await expect(DotLock.take(file, 1)).rejects.toMatchObject({ code: 'DISK' });
    expect(existsSync(`${file}.lock`)).toBe(true);
    utimesSync(`${file}.lock`, 0, 0);
    const lock = await DotLock.take(file, 1);
    expect(readFileSync(`${file}.lock`, 'latin1')).toMatch(new RegExp(`^${process.pid}:`));
    lock.release();
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it('waits for whoever has locked it, and takes an abandoned lock away', async () => {
    const root = newRoot();
    const folder = await openInbox(root);
    const lock = join(root, 'INBOX.mbox.lock');
    writeFileSync(lock, '999999999\n');
    await folder.append([message(1, 'one')]);
    expect(existsSync(lock)).toBe(false);
    writeFileSync(lock, `${process.ppid}\n`);
    const waiting = folder.append([message(2, 'two')]);
    expect((await folder.list()).length).toBe(1);
    rmSync(lock);
    await waiting;
    expect((await folder.list()).length).toBe(2);
    await folder.close();
  });
});

describe('a tree of ours', () => {
  it('has a file for each folder, with the folders below it in a directory beside', async () => {
    const root = newRoot();
    const store = openTree(root);
    const paths = [['INBOX'], ['A', 'B', 'C'], ['A'], ['a'], ['..', '/etc'], ['cur', 'x.mbox'], ['n'.repeat(300), 'é']];
    for (const path of paths) expect(await store.createFolder(path)).toBe(true);
    for (const path of paths) expect(await store.createFolder(path)).toBe(false);
    const folders = await openTree(root).listFolders();
    const held = folders.filter(({ holdsMessages }) => holdsMessages).map(({ path }) => path);
    expect(new Set(held.map((path) => path.join('\n')))).toEqual(new Set(paths.map((path) => path.join('\n'))));
    expect(folders.filter(({ holdsMessages }) => !holdsMessages).map(({ path }) => path)).toHaveLength(4);
    for (const [at, { path }] of folders.entries()) {
      const above = folders.findIndex((folder) => folder.path.join('\n') === path.slice(0, -1).join('\n'));
      expect(above).toBeLessThan(at);
    }
    expect(existsSync(join(root, 'A/B/C.mbox'))).toBe(true);
    expect(existsSync(join(root, 'A.mbox'))).toBe(true);
    await expect(store.openFolder(['A', 'B'], { forWriting: false })).rejects.toMatchObject({ code: 'NO_FOLDER' });
  });
});
