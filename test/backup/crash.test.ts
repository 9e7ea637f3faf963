/**
 * Whenever a backup dies: what it leaves on the disk at that moment is completed by the next run. A run is watched at every
 * call that changes something in the tree, and at every commit of its manifest; what is there then is put aside, and it goes on.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { TreeSettings } from '../../src/account.ts';
import { treeFormats } from '../../src/archive/store.ts';
import { type JournalRecord, openJournal } from '../../src/journal/index.ts';
import { Random, type SandboxAccount } from '../../src/sandbox/index.ts';
import { isWhole } from '../support/effort.ts';
import { Engine, multisets, within } from '../support/engine.ts';
import { checkTree, leftovers } from '../support/tree-check.ts';
import { TreeRoom } from '../support/tree-side.ts';

/** Told of every call that is about to change something on the disk, and in the middle of every write. */
const watch = vi.hoisted(() => ({ onMoment: null as ((what: string) => void) | null }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const watched =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      watch.onMoment?.(call.name);
      return call(...args);
    };
  return {
    ...fs,
    mkdirSync: watched(fs.mkdirSync),
    futimesSync: watched(fs.futimesSync),
    ftruncateSync: watched(fs.ftruncateSync),
    renameSync: watched(fs.renameSync),
    linkSync: watched(fs.linkSync),
    unlinkSync: watched(fs.unlinkSync),
    rmSync: watched(fs.rmSync),
    fsync: watched(fs.fsync),
    openSync: (path: string, mode: number | string, permissions?: number) => {
      if (typeof mode === 'number' && (mode & fs.constants.O_CREAT) !== 0) watch.onMoment?.('openSync');
      return fs.openSync(path, mode, permissions);
    },
    // Fewer bytes than there are is what a system may always write.
    writevSync: (handle: number, slices: NodeJS.ArrayBufferView[], position?: number) => {
      const [first] = slices;
      if (watch.onMoment === null || first === undefined || first.byteLength < 2)
        return fs.writevSync(handle, slices, position);
      const half = fs.writeSync(handle, first, 0, first.byteLength >> 1, position ?? null);
      watch.onMoment('writevSync');
      return half;
    },
  };
});

const kinds: readonly [string, Partial<TreeSettings> & Pick<TreeSettings, 'format'>][] = [
  ...treeFormats.map((format) => [format, { format }] as [string, { format: TreeSettings['format'] }]),
  ['eml, compressed', { format: 'eml', storeCompress: 'gzip' }],
  ['maildir, nested', { format: 'maildir', layout: 'fs' }],
];

/** Moments of one run that are tried. */
const moments = isWhole ? 400 : 4;

const message = (n: number) => ({
  body: `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n${'line\r\n'.repeat(n * 10)}`,
  flags: n % 3 === 0 ? ['\\Seen', 'Work'] : [],
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

function fill(account: SandboxAccount): void {
  for (let n = 1; n <= 12; n++) account.inbox.append(message(n));
  account.inbox.append(message(7));
  const archive = account.createMailbox('Archive/2020', { subscribed: true });
  for (let n = 3; n <= 5; n++) archive.append(message(n));
  account.createMailbox('Empty');
}

/** New mail, changed flags, messages that are gone, and a folder whose UIDs have changed. */
function change(account: SandboxAccount): void {
  const { inbox } = account;
  inbox.expunge(inbox.messages.slice(2, 4));
  for (const stored of inbox.messages.slice(0, 3)) inbox.setFlags(stored, [...stored.flags, '\\Answered']);
  for (let n = 20; n <= 24; n++) inbox.append(message(n));
  const archive = account.mailbox('Archive/2020');
  archive.changeUidValidity();
  archive.append(message(30));
}

/** What a run would have left on the disk, had it died at moments chosen by chance. */
async function imagesOf(engine: Engine, tree: TreeSettings, random: Random, room: TreeRoom): Promise<Image[]> {
  const images: Image[] = [];
  const { cpSync } = await vi.importActual<typeof import('node:fs')>('node:fs');
  // Known when one run has been watched to its end.
  const total = await watchRun(engine, copyOf(tree, room, cpSync), () => {});
  const chosen = new Set(Array.from({ length: moments }, () => random.below(total)));
  let seen = 0;
  const rehearsed = copyOf(tree, room, cpSync);
  await watchRun(engine, rehearsed, (what) => {
    if (!chosen.has(seen++)) return;
    images.push({ what, nth: seen, tree: copyOf(rehearsed, room, cpSync) });
  });
  return images;
}

interface Image {
  readonly what: string;
  readonly nth: number;
  readonly tree: TreeSettings;
}

type Copy = typeof import('node:fs').cpSync;

function copyOf(tree: TreeSettings, room: TreeRoom, cpSync: Copy): TreeSettings {
  const path = mkdtempSync(join(room.directory, 'image-'));
  const { onMoment } = watch;
  watch.onMoment = null;
  cpSync(tree.path, path, { recursive: true, preserveTimestamps: true });
  disownFiles(path);
  watch.onMoment = onMoment;
  return { ...tree, path, stateDirectory: tree.stateDirectory.replace(tree.path, path) };
}

/** More than any system gives out. */
const deadPid = 4_194_305;

/** What this process was doing becomes that of one that is dead. */
function disownFiles(root: string): void {
  for (const file of leftovers(root)) {
    const path = join(root, file);
    if (file.endsWith('.lock')) writeFileSync(path, `${deadPid}:${hostname()}\n`);
    else renameSync(path, path.replace(`P${process.pid}R`, `P${deadPid}R`).replace(`.${process.pid}.`, `.${deadPid}.`));
  }
}

/** Runs a backup to its end; answers how many moments there were. */
async function watchRun(engine: Engine, target: TreeSettings, onMoment: (what: string) => void): Promise<number> {
  let count = 0;
  const note = (what: string) => {
    count++;
    onMoment(what);
  };
  const watchedJournal = async (...args: Parameters<typeof openJournal>) => {
    const journal = await openJournal(...args);
    const write = journal.write.bind(journal);
    return Object.assign(journal, {
      write: async (...records: readonly JournalRecord[]) => {
        note('before a commit');
        await write(...records);
        note('after a commit');
      },
    });
  };
  watch.onMoment = note;
  try {
    const { report } = await within(20_000, engine.run({ target }, { openJournal: watchedJournal }));
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
  } finally {
    watch.onMoment = null;
  }
  return count;
}

/** An ordinary run on what the dead one left, and everything that has to be true then. */
async function expectHealed(engine: Engine, { tree, what, nth }: Image): Promise<void> {
  const at = `${what}, moment ${nth}`;
  const { report } = await within(20_000, engine.run({ target: tree }));
  expect({ at, ...report }).toMatchObject({ at, exitCode: 0, verdict: 'complete' });
  const checked = await checkTree(tree);
  const foreign = checked.folders.reduce((sum, folder) => sum + folder.foreign, 0);
  expect({ at, verdict: checked.verdict, foreign, left: leftovers(tree.path) }).toEqual({
    at,
    verdict: 'intact',
    foreign: 0,
    left: [],
  });
  for (const mailbox of [...engine.target.mailboxes.values()]) {
    if (mailbox.rawName !== 'INBOX') engine.target.removeMailbox(mailbox);
  }
  engine.target.inbox.expunge(engine.target.inbox.messages);
  rmSync(engine.stateDir, { recursive: true, force: true });
  expect((await engine.run({ source: tree })).report, at).toMatchObject({ exitCode: 0 });
  expect({ at, ...multisets(engine.target) }).toEqual({ at, ...multisets(engine.source) });
}

describe.each(kinds)('a backup as %s that dies', (_, kind) => {
  const seed = 7;

  it('at any moment is completed by the next run', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine.source);
    const tree = room.tree('backup', kind.format, kind);
    for (const image of await imagesOf(engine, tree, new Random(seed), room)) await expectHealed(engine, image);
  }, 600_000);

  it('at any moment of a later run is completed by the next', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine.source);
    const tree = room.tree('backup', kind.format, kind);
    expect((await engine.run({ target: tree })).report.exitCode).toBe(0);
    change(engine.source);
    for (const image of await imagesOf(engine, tree, new Random(seed), room)) await expectHealed(engine, image);
  }, 600_000);

  it('and again is completed by the third', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine.source);
    const random = new Random(seed);
    const tree = room.tree('backup', kind.format, kind);
    const images = await imagesOf(engine, tree, random, room);
    const first = images[images.length >> 1];
    if (first === undefined) throw new Error('the run had no moment');
    for (const image of await imagesOf(engine, first.tree, random, room)) await expectHealed(engine, image);
  }, 600_000);
});
