/** A disk that takes no more, at any write of a backup: what is there stays whole, and the next run completes it. */
import { describe, expect, it, vi } from 'vitest';
import type { TreeSettings } from '../../src/account.ts';
import { treeFormats } from '../../src/archive/store.ts';
import { exitCodes, MigrateError } from '../../src/errors.ts';
import { type JournalRecord, openJournal } from '../../src/journal/index.ts';
import type { OpenedFolder } from '../../src/journal/types.ts';
import { isWhole } from '../support/effort.ts';
import { Engine, multisets, within } from '../support/engine.ts';
import { checkTree, leftovers } from '../support/tree-check.ts';
import { TreeRoom } from '../support/tree-side.ts';

/** Writes there is room for, and a call that fails for want of it although the bytes were taken. */
const disk = vi.hoisted(() => ({ writesLeft: Number.POSITIVE_INFINITY, syncsLeft: Number.POSITIVE_INFINITY }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const full = () =>
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  return {
    ...fs,
    writevSync: (handle: number, slices: NodeJS.ArrayBufferView[], position?: number) => {
      if (--disk.writesLeft > 0) return fs.writevSync(handle, slices, position);
      const [first] = slices;
      // The last write before that takes a part.
      if (disk.writesLeft === 0 && first !== undefined && first.byteLength > 1)
        return fs.writeSync(handle, first, 0, first.byteLength >> 1, position ?? null);
      throw full();
    },
    fsync: (handle: number, done: (error: Error | null) => void) => {
      if (--disk.syncsLeft > 0) fs.fsync(handle, done);
      else setImmediate(done, full());
    },
  };
});

const kinds: readonly [string, Partial<TreeSettings> & Pick<TreeSettings, 'format'>][] = [
  ...treeFormats.map((format) => [format, { format }] as [string, { format: TreeSettings['format'] }]),
  ['eml, compressed', { format: 'eml', storeCompress: 'gzip' }],
];

const room = { writesLeft: Number.POSITIVE_INFINITY, syncsLeft: Number.POSITIVE_INFINITY };

function fill(engine: Engine): void {
  for (let n = 1; n <= 130; n++) engine.source.inbox.append(message(n));
  const archive = engine.source.createMailbox('Archive');
  for (let n = 200; n <= 205; n++) archive.append(message(n));
}

const message = (n: number) => ({
  body: `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  flags: n % 2 === 0 ? ['\\Seen', 'Work'] : [],
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

/** Numbers up to `most`, fewer and fewer of them. */
function* someOf(most: number): Generator<number> {
  for (let at = 2; at <= most; at = isWhole ? at + 1 : Math.ceil(at * 2.7)) yield at;
}

async function expectCompleted(engine: Engine, tree: TreeSettings, at: string): Promise<void> {
  const { report } = await within(20_000, engine.run({ target: tree }));
  expect({ at, ...report }).toMatchObject({ at, exitCode: 0, verdict: 'complete' });
  const checked = await checkTree(tree);
  expect({ at, checked }).toMatchObject({ at, checked: { verdict: 'intact' } });
  expect(checked.folders.filter(({ foreign }) => foreign > 0)).toEqual([]);
  expect(leftovers(tree.path)).toEqual([]);
  using restored = new Engine();
  expect((await restored.run({ source: tree })).report.exitCode).toBe(0);
  expect({ at, ...multisets(restored.target) }).toEqual({ at, ...multisets(engine.source) });
}

describe.each(kinds)('a backup as %s', (_, kind) => {
  it.each(['writesLeft', 'syncsLeft'] as const)(
    'on a disk that is full ends with one sentence, and goes on when there is room (%s)',
    async (what) => {
      for (const nth of someOf(150)) {
        using engine = new Engine();
        using place = new TreeRoom();
        fill(engine);
        const tree = place.tree('backup', kind.format, kind);
        disk[what] = nth;
        const ended = await within(
          20_000,
          engine.run({ target: tree }).then(
            ({ report }) => report,
            (error: unknown) => ({ exitCode: (error as MigrateError).exitCode, failure: error }),
          ),
        ).finally(() => Object.assign(disk, room));
        if (ended.exitCode === 0) {
          expect(nth).toBeGreaterThan(5);
          break;
        }
        expect({ nth, ...ended }).toMatchObject({ nth, exitCode: exitCodes.disk });
        const { message: sentence } = ended.failure as { message: string };
        expect(sentence).toContain(tree.path);
        expect(sentence).toContain('the disk is full: make room, then run again');
        expect(leftovers(tree.path)).toEqual([]);
        await expectCompleted(engine, tree, `${what} ${nth}`);
      }
    },
    120_000,
  );

  it('whose manifest has no room stops before the next message, and goes on when there is', async () => {
    for (const nth of someOf(20)) {
      using engine = new Engine();
      using place = new TreeRoom();
      fill(engine);
      const tree = place.tree('backup', kind.format, kind);
      let writes = 0;
      const fails = async <Result>(work: () => Promise<Result>): Promise<Result> => {
        if (++writes < nth) return await work();
        throw new MigrateError('STATE', exitCodes.disk, 'cannot write the journal: make room, and run again');
      };
      const { report } = await within(
        20_000,
        engine.run(
          { target: tree },
          {
            openJournal: async (...args) => {
              const journal = await openJournal(...args);
              const write = journal.write.bind(journal);
              const openFolder = journal.openFolder.bind(journal);
              return Object.assign(journal, {
                write: (...records: readonly JournalRecord[]) => fails(() => write(...records)),
                openFolder: (folder: OpenedFolder) => fails(() => openFolder(folder)),
              });
            },
          },
        ),
      );
      if (writes < nth) {
        expect(report.exitCode).toBe(0);
        break;
      }
      expect({ nth, ...report }).toMatchObject({ nth, exitCode: exitCodes.disk, failure: { code: 'STATE' } });
      expect(leftovers(tree.path)).toEqual([]);
      await expectCompleted(engine, tree, `journal write ${nth}`);
    }
  }, 120_000);
});
