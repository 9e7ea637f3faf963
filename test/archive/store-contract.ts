/** What every format's store promises, as one suite: see `src/archive/store.ts`. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  NewBody,
  OpenedMessage,
  StoreFolder,
  StoreOptions,
  TreeMessage,
  TreePath,
  TreeStore,
} from '../../src/archive/store.ts';
import { awkwardBodies } from './awkward-bodies.ts';
import { hostileNames } from './hostile-names.ts';

/** How a format differs from others. */
export interface StoreTraits {
  readonly options?: Partial<StoreOptions>;
  /** Puts a message of somebody else's making into a folder that is there; where a format has no such thing: none. */
  readonly plant?: (root: string, path: TreePath, body: Buffer) => void;
  /** False: UIDs are not kept, and every message is listed with `null`. */
  readonly keepsUids?: boolean;
}

const inbox = ['INBOX'];
const start = Date.UTC(2019, 6, 14, 12, 30, 5);

export function describeStore(
  name: string,
  open: (options: StoreOptions) => TreeStore,
  { options, plant, keepsUids = true }: StoreTraits = {},
): void {
  describe(`a store of ${name}`, () => {
    let outside: string;
    let root: string;
    const opened: StoreFolder[] = [];

    beforeEach(() => {
      outside = mkdtempSync(join(tmpdir(), 'store-'));
      root = join(outside, 'tree');
      mkdirSync(root, { mode: 0o700 });
    });

    afterEach(async () => {
      for (const folder of opened.splice(0)) await folder.close();
      rmSync(outside, { recursive: true, force: true });
    });

    const openStore = () => open({ root, fsync: 'batch', compress: 'none', layout: 'maildir++', ...options });

    const openFolder = async (path: TreePath, { forWriting }: { forWriting: boolean }, store = openStore()) => {
      const folder = await store.openFolder(path, { forWriting });
      opened.push(folder);
      return folder;
    };

    const newFolder = async (path: TreePath = inbox) => {
      const store = openStore();
      await store.createFolder(path);
      return openFolder(path, { forWriting: true }, store);
    };

    const paths = async (store = openStore()) => (await store.listFolders()).map((folder) => folder.path);

    const uidsFor = (...uids: number[]) => uids.map((uid) => (keepsUids ? uid : null));

    describe('keeps messages', () => {
      it('byte for byte, in order, whatever they are', async () => {
        const folder = await newFolder();
        await folder.append(awkwardBodies.map(({ body }, index) => newBody(index + 1, body)));
        const listed = await folder.list();
        expect(listed).toHaveLength(awkwardBodies.length);
        for (const [index, { name, body }] of awkwardBodies.entries()) {
          const message = listed[index] as TreeMessage;
          expect(message.uid, name).toBe(keepsUids ? index + 1 : null);
          await expectBody(folder, message, body, name);
        }
      });

      it.each(awkwardBodies)('alone: $name', async ({ body }) => {
        const folder = await newFolder();
        await folder.append([newBody(1, body)]);
        const reader = await openFolder(inbox, { forWriting: false });
        const listed = await reader.list();
        expect(listed).toHaveLength(1);
        await expectBody(reader, listed[0] as TreeMessage, body);
      });

      it.each(awkwardBodies)('streamed: $name', async ({ body }) => {
        const folder = await newFolder();
        await folder.append([newBody(3, 'before')]);
        await folder.appendStream(newMessage(5), streamOf(body, 70_000));
        await folder.append([newBody(8, 'after')]);
        const listed = await folder.list();
        expect(listed.map((message) => message.uid)).toEqual(uidsFor(3, 5, 8));
        expect(await texts(folder)).toEqual(['before', body.toString(), 'after']);
        await expectBody(folder, listed[1] as TreeMessage, body);
      });

      it('in slices of any size', async () => {
        const folder = await newFolder();
        const body = Buffer.from('Subject: x\r\n\r\nFrom a\r\n>From b\r\n\r\nFrom c\r\n');
        const bodies = [1, 2, 3, 5, 7, 100].map((size, index): NewBody => {
          return { ...newMessage(index + 1), body: { size: body.length, chunks: slicesOf(body, size) } };
        });
        await folder.append(bodies);
        expect(await texts(folder)).toEqual(bodies.map(() => body.toString()));
      });

      it('by ascending UIDs with gaps, from batch to batch, and through closing and opening', async () => {
        const first = await newFolder();
        await first.append([newBody(7, 'a'), newBody(9, 'b')]);
        await first.append([newBody(4_000_000_000, 'c')]);
        await first.close();
        const second = await openFolder(inbox, { forWriting: true });
        await second.append([newBody(4_294_967_295, 'd')]);
        expect((await second.list()).map((message) => message.uid)).toEqual(
          uidsFor(7, 9, 4_000_000_000, 4_294_967_295),
        );
        expect(await texts(await openFolder(inbox, { forWriting: false }))).toEqual(['a', 'b', 'c', 'd']);
      });

      it('whose UIDs are told without the rest, and each is found by its own', async () => {
        const folder = await newFolder();
        expect([...(await folder.uids())]).toEqual([]);
        await folder.append([newBody(7, 'a'), newBody(9, 'b')]);
        await folder.append([newBody(4_000_000_000, 'c')]);
        await folder.remove((await folder.list()).slice(1, 2));
        expect([...(await folder.uids())]).toEqual(keepsUids ? [7, 4_000_000_000] : []);
        const [first] = await folder.list();
        expect(await folder.find(7)).toEqual(keepsUids ? first : null);
        expect(await folder.find(9)).toBe(null);
      });

      it('in many files or one, a few hundred of them', async () => {
        const folder = await newFolder();
        const count = 300;
        for (let uid = 1; uid <= count; uid += 100) {
          await folder.append(Array.from({ length: 100 }, (_, index) => newBody(uid + index, `body ${uid + index}`)));
        }
        expect(await texts(folder)).toEqual(Array.from({ length: count }, (_, index) => `body ${index + 1}`));
      });

      it('of a batch that comes before the last one is on the disk', async () => {
        const folder = await newFolder();
        const batches = [1, 101, 201].map((uid) =>
          folder.append(Array.from({ length: 100 }, (_, index) => newBody(uid + index, `body ${uid + index}`))),
        );
        await Promise.all(batches);
        expect(await texts(folder)).toEqual(Array.from({ length: 300 }, (_, index) => `body ${index + 1}`));
      });

      it('and nothing where nothing is given', async () => {
        const folder = await newFolder();
        await folder.append([]);
        expect(await folder.list()).toEqual([]);
      });

      it('with their dates, where the format keeps dates', async () => {
        const folder = await newFolder();
        const dates = [start, Date.UTC(1994, 0, 1), Date.UTC(2037, 11, 31, 23, 59, 59), 1000];
        await folder.append(dates.map((dateMs, index) => ({ ...newBody(index + 1, 'x'), dateMs })));
        await folder.append([{ ...newBody(9, 'no date'), dateMs: Number.NaN }]);
        const listed = await folder.list();
        expect(listed).toHaveLength(5);
        for (const [index, dateMs] of dates.entries()) {
          const kept = listed[index]?.dateMs ?? 0;
          if (!Number.isNaN(kept)) expect(kept).toBe(dateMs);
        }
      });

      it('in files of the tree that nobody else can read', async () => {
        const folder = await newFolder(['A', 'B']);
        await folder.append([newBody(1, 'secret')]);
        await folder.appendStream(newMessage(2), streamOf(Buffer.from('secret'), 3));
        for (const { file, offset, length } of await folder.list()) {
          expect(lstatSync(join(root, file)).isFile()).toBe(true);
          expect(offset + length).toBeLessThanOrEqual(lstatSync(join(root, file)).size);
        }
        if (process.platform === 'win32') return;
        for (const { path, isDirectory, mode } of filesBelow(root)) {
          expect(mode.toString(8), path).toBe(isDirectory ? '700' : '600');
        }
      });
    });

    describe('keeps flags, where the format has a place for them,', () => {
      const sets = [
        [],
        ['\\Seen'],
        ['\\Answered', '\\Flagged', '\\Seen'],
        ['\\Draft', '\\Deleted'],
        ['$Forwarded', 'work'],
      ];

      it('as they were given', async () => {
        const folder = await newFolder();
        await folder.append(sets.map((flags, index) => ({ ...newBody(index + 1, 'x'), flags })));
        const reader = await openFolder(inbox, { forWriting: false });
        for (const [index, { flags }] of (await reader.list()).entries()) {
          if (flags !== null) expect([...flags].sort()).toEqual([...(sets[index] ?? [])].sort());
        }
      });

      it('as they are set later, and the messages stay what they are', async () => {
        const folder = await newFolder();
        await folder.append(sets.map((flags, index) => ({ ...newBody(index + 1, `body ${index}`), flags })));
        const wanted = [...sets].reverse();
        const before = await folder.list();
        await folder.setFlags(before.map((message, index) => ({ message, flags: wanted[index] ?? [] })));
        const after = await folder.list();
        expect(after.map((message) => message.uid)).toEqual(before.map((message) => message.uid));
        for (const [index, { flags }] of after.entries()) {
          if (flags !== null) expect([...flags].sort()).toEqual([...(wanted[index] ?? [])].sort());
        }
        expect(await texts(folder)).toEqual(sets.map((_, index) => `body ${index}`));
        expect(after.map((message) => message.dateMs)).toEqual(before.map((message) => message.dateMs));
      });

      it('though there are more keywords than it has room for', async () => {
        const folder = await newFolder();
        const flags = Array.from({ length: 60 }, (_, index) => `keyword-${index}`);
        await folder.append(flags.map((flag, index) => ({ ...newBody(index + 1, `body ${index}`), flags: [flag] })));
        await folder.setFlags((await folder.list()).map((message) => ({ message, flags: [...flags, '\\Seen'] })));
        const listed = await folder.list();
        expect(listed).toHaveLength(60);
        for (const message of listed) if (message.flags !== null) expect(message.flags).toContain('\\Seen');
        expect(await texts(folder)).toEqual(flags.map((_, index) => `body ${index}`));
      });
    });

    describe('removes messages', () => {
      it('and only those; the others keep their UIDs and bytes', async () => {
        const folder = await newFolder();
        await folder.append([1, 2, 3, 4, 5].map((uid) => newBody(uid, `From body ${uid}\r\n`)));
        const listed = await folder.list();
        await folder.remove([listed[0], listed[2], listed[4]] as TreeMessage[]);
        expect((await folder.list()).map((message) => message.uid)).toEqual(uidsFor(2, 4));
        await folder.append([newBody(6, 'behind')]);
        const reader = await openFolder(inbox, { forWriting: false });
        expect(await texts(reader)).toEqual(['From body 2\r\n', 'From body 4\r\n', 'behind']);
      });

      it('whose bytes are GONE then', async () => {
        const folder = await newFolder();
        await folder.append([newBody(1, 'first'), newBody(2, 'second, which is longer'), newBody(3, 'third')]);
        const message = (await folder.list())[1] as TreeMessage;
        await folder.remove([message]);
        await expect(folder.read(message)).rejects.toMatchObject({ code: 'GONE' });
        await expect(folder.open(message)).rejects.toMatchObject({ code: 'GONE' });
      });

      it('down to the last', async () => {
        const folder = await newFolder();
        await folder.append([newBody(1, 'a'), newBody(2, 'b')]);
        await folder.remove(await folder.list());
        expect(await folder.list()).toEqual([]);
        await folder.append([newBody(3, 'c')]);
        expect(await texts(folder)).toEqual(['c']);
      });
    });

    describe('stores nothing of a stream', () => {
      const broken: readonly [string, () => AsyncIterable<Buffer>][] = [
        ['that breaks', () => brokenStream([Buffer.alloc(100_000, 'x'), Buffer.from('y')])],
        ['that breaks before its first byte', () => brokenStream([])],
        ['that ends early', () => streamOf(Buffer.alloc(199_999, 'x'), 65_536).slices],
        ['that is longer than was said', () => streamOf(Buffer.alloc(200_001, 'x'), 65_536).slices],
      ];

      it.each(broken)('%s', async (_name, slices) => {
        const folder = await newFolder();
        await folder.append([newBody(1, 'before')]);
        const before = filesBelow(root);
        await expect(folder.appendStream(newMessage(2), { size: 200_000, slices: slices() })).rejects.toThrow();
        expect(filesBelow(root)).toEqual(before);
        expect(await texts(folder)).toEqual(['before']);
        await folder.append([newBody(3, 'after')]);
        expect(await texts(await openFolder(inbox, { forWriting: false }))).toEqual(['before', 'after']);
      });
    });

    it('lets a reader of slices stop in the middle', async () => {
      const folder = await newFolder();
      await folder.append([newBody(1, Buffer.alloc(1_000_000, 'x'))]);
      const message = (await folder.list())[0] as TreeMessage;
      const { slices } = await folder.open(message);
      for await (const slice of slices) {
        expect(slice.length).toBeGreaterThan(0);
        break;
      }
      await expectBody(folder, message, Buffer.alloc(1_000_000, 'x'));
    });

    if (plant !== undefined) {
      describe('leaves messages of others', () => {
        it('where they are, and lists them behind its own', async () => {
          const folder = await newFolder();
          plant(root, inbox, Buffer.from('Subject: foreign\n\nforeign\n'));
          await folder.append([newBody(5, 'ours')]);
          const listed = await folder.list();
          expect(listed.map((message) => message.uid)).toEqual([...uidsFor(5), null]);
          expect(await texts(folder)).toEqual(['ours', 'Subject: foreign\n\nforeign\n']);
        });

        it('when its own are removed and come again', async () => {
          const folder = await newFolder();
          await folder.append([newBody(1, 'a'), newBody(2, 'b')]);
          plant(root, inbox, Buffer.from('foreign'));
          const listed = await folder.list();
          await folder.remove(listed.slice(0, 2));
          expect(await texts(folder)).toEqual(['foreign']);
          await folder.append([newBody(3, 'c')]);
          expect((await texts(folder)).sort()).toEqual(['c', 'foreign']);
        });
      });
    }

    describe('has folders', () => {
      it('that are made once, with their parents, and listed behind them', async () => {
        const store = openStore();
        expect(await store.createFolder(['A', 'B', 'C'])).toBe(true);
        expect(await store.createFolder(['A', 'B', 'C'])).toBe(false);
        expect(await openStore().createFolder(['A', 'B', 'C'])).toBe(false);
        const listed = await openStore().listFolders();
        const made = listed.filter(({ path }) => path[0] === 'A');
        expect(made.map(({ path }) => path)).toEqual([['A'], ['A', 'B'], ['A', 'B', 'C']]);
        expect(made[2]?.holdsMessages).toBe(true);
      });

      it('that hold messages of their own beside those below them', async () => {
        for (const path of [['A', 'B'], ['A'], inbox, ['INBOX', 'A'], ['INBOX', 'INBOX'], ['B']]) {
          const folder = await newFolder(path);
          await folder.append([newBody(1, `in ${path.join(' ')}`)]);
        }
        for (const path of [['A', 'B'], ['A'], inbox, ['INBOX', 'A'], ['INBOX', 'INBOX'], ['B']]) {
          expect(await texts(await openFolder(path, { forWriting: false }))).toEqual([`in ${path.join(' ')}`]);
        }
      });

      it('that cannot be opened where there are none', async () => {
        const store = openStore();
        await expect(store.openFolder(['A'], { forWriting: true })).rejects.toMatchObject({ code: 'NO_FOLDER' });
        await expect(store.openFolder(['A'], { forWriting: false })).rejects.toMatchObject({ code: 'NO_FOLDER' });
      });

      it.each(hostileNames)('inside the tree, whatever they are called: %j', async (name) => {
        for (const path of [[name], ['A', name], [name, name, 'B']]) {
          const folder = await newFolder(path);
          await folder.append([newBody(1, JSON.stringify(path))]);
        }
        expect(readdirSync(outside)).toEqual(['tree']);
        const listed = (await paths()).filter(([first]) => first !== 'INBOX').map((path) => JSON.stringify(path));
        const wanted = [[name], ['A'], ['A', name], [name, name], [name, name, 'B']].map((path) =>
          JSON.stringify(path),
        );
        expect(listed.sort()).toEqual(wanted.sort());
        for (const path of [[name], ['A', name], [name, name, 'B']]) {
          expect(await texts(await openFolder(path, { forWriting: false }))).toEqual([JSON.stringify(path)]);
        }
      });

      const similar = [
        ['Work', 'work', 'WORK', 'wORK'],
        ['é', 'e\u0301', 'É', 'E\u0301'],
        ['cur', 'Cur', 'CUR'],
        ['a.b', 'a/b', 'a%2Eb', 'a%2Fb', 'a%252Fb'],
        ['x'.repeat(300), 'X'.repeat(300), `${'x'.repeat(299)}y`],
        ['INBOX', 'Inbox2', 'inbox2'],
      ];

      it.each(similar)('that stay apart: %j %j %j', async (...names) => {
        for (const parent of [[], ['A']]) {
          for (const name of names) {
            const folder = await newFolder([...parent, name]);
            await folder.append([newBody(1, name)]);
          }
        }
        for (const parent of [[], ['A']]) {
          for (const name of names) {
            expect(await texts(await openFolder([...parent, name], { forWriting: false }))).toEqual([name]);
          }
        }
        const below = (await paths()).filter(([first, second]) => first === 'A' && second !== undefined);
        expect(below.map((path) => path[1]).sort()).toEqual([...names].sort());
        // Nor are they one where a disk knows neither case nor Unicode forms.
        const folded = filesBelow(root).map(({ path }) => path.normalize('NFC').toLowerCase());
        expect(new Set(folded).size).toBe(folded.length);
      });
    });
  });
}

function newMessage(uid: number) {
  return { uid, flags: [], dateMs: start + (uid % 1000) * 1000 };
}

function newBody(uid: number, body: string | Buffer): NewBody {
  const bytes = Buffer.from(body);
  return { ...newMessage(uid), body: { size: bytes.length, chunks: bytes.length === 0 ? [] : [bytes] } };
}

function slicesOf(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size));
}

function streamOf(body: Buffer, sliceBytes: number): OpenedMessage {
  async function* slices() {
    yield* slicesOf(body, sliceBytes);
  }
  return { size: body.length, slices: slices() };
}

async function* brokenStream(slices: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* slices;
  throw new Error('the line is dead');
}

async function expectBody(folder: StoreFolder, message: TreeMessage, body: Buffer, name = ''): Promise<void> {
  // A comparison of megabytes by the runner takes seconds.
  expect(Buffer.concat(await folder.read(message)).equals(body), name).toBe(true);
  const { size, slices } = await folder.open(message);
  expect(size, name).toBe(body.length);
  const streamed: Buffer[] = [];
  for await (const slice of slices) streamed.push(Buffer.from(slice));
  expect(Buffer.concat(streamed).equals(body), name).toBe(true);
  if (message.size !== null) expect(message.size, name).toBe(body.length);
}

async function texts(folder: StoreFolder): Promise<string[]> {
  const found: string[] = [];
  for (const message of await folder.list()) {
    found.push(Buffer.concat(await folder.read(message)).toString());
  }
  return found;
}

interface FoundFile {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly mode: number;
  readonly size: number;
}

/** Everything below `directory`, with the size of files. */
function filesBelow(directory: string): FoundFile[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((path) => {
    const stat = lstatSync(join(directory, path));
    const isDirectory = stat.isDirectory();
    return { path, isDirectory, mode: stat.mode & 0o777, size: isDirectory ? 0 : stat.size };
  });
}
