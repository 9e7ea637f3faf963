import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowCrc } from '../../src/journal/checksum.ts';
import { CommitWriter } from '../../src/journal/commit-writer.ts';
import { Database, type Value } from '../../src/journal/database.ts';
import { type Journal, openJournal } from '../../src/journal/index.ts';
import { loadTables } from '../../src/journal/load.ts';
import { type ManifestMessages, openManifest } from '../../src/journal/manifest.ts';
import { type CompiledJournal, compileJournal } from './compiled.ts';
import { digestOf, flags, opened, source, target, useStateDir, type Verdict, verdict, verdicts } from './fixtures.ts';

const dir = useStateDir();
let compiled: CompiledJournal;
beforeAll(() => {
  compiled = compileJournal();
}, 60_000);
afterAll(() => compiled.remove());

const open = () => openJournal({ kind: 'tree', directory: dir.path }, source, 'eml:/backup', { inline: true });
const manifestFile = () => join(dir.path, 'manifest.db');
const date = '01-Jan-2024 12:00:00 +0100';
const dated = (uid: number, changes: Partial<Verdict> = {}) => verdict(uid, { internalDate: date, ...changes });

function read<Result>(ask: (manifest: ReturnType<typeof openManifest>) => Result): Result {
  const manifest = openManifest(manifestFile());
  try {
    return ask(manifest);
  } finally {
    manifest.close();
  }
}

async function write(use: (journal: Journal) => Promise<void>): Promise<void> {
  await using journal = await open();
  await use(journal);
}

/** One line a message: target UID, source UID, size, digest's first byte, flags, date, whether it is gone. */
function linesOf(messages: ManifestMessages): string[] {
  const { targetUids, sourceUids, sizes, digests, flags, flagSets, internalDates, gone } = messages;
  return Array.from(targetUids, (uid, row) => {
    const facts = [sourceUids[row], sizes[row], digests[row * 32], flagSets[flags[row] ?? 0], internalDates[row]];
    return [uid, ...facts, gone[row] === 1 ? 'gone' : 'there'].join(' | ');
  });
}

describe('a manifest', () => {
  it('tells whose it is and what each message was at the source, ascending by target UID', async () => {
    await write(async (journal) => {
      const { id } = await journal.openFolder(opened('INBOX', { fence: 1 }));
      await journal.write(
        ...verdicts(id, [
          dated(1, { targetUid: 40, flags: '\\Seen $Work' }),
          dated(2, { targetUid: 30, internalDate: null, digest: null, size: null }),
          dated(3, { targetUid: null }),
          verdict(4, { targetUid: 35, kind: 'adopted', flags: '' }),
        ]),
      );
    });
    read((manifest) => {
      expect(manifest.source).toBe(source);
      expect(linesOf(manifest.messages('INBOX'))).toEqual([
        '30 | 2 | NaN | 0 | \\Seen |  | there',
        `35 | 4 | 1004 | ${digestOf(4)[0]} |  |  | there`,
        `40 | 1 | 1001 | ${digestOf(1)[0]} | \\Seen $Work | ${date} | there`,
      ]);
      expect(linesOf(manifest.messages('Sent'))).toEqual([]);
    });
  });

  it('goes on describing what is gone, until its copy is removed', async () => {
    await write(async (journal) => {
      const { id } = await journal.openFolder(opened('INBOX', { fence: 1 }));
      await journal.write(...verdicts(id, [dated(1), dated(2), dated(3)]));
      const unknown = { kind: 'gone', size: null, digest: null, flags: '' } as const;
      await journal.write(...verdicts(id, [verdict(1, unknown), verdict(2, unknown)]));
      await journal.write({ kind: 'removed', folderId: id, uids: Uint32Array.of(2, 3, 9) });
    });
    expect(linesOf(read((manifest) => manifest.messages('INBOX')))).toEqual([
      `101 | 1 | 1001 | ${digestOf(1)[0]} | \\Seen | ${date} | gone`,
      `103 | 3 | 1003 | ${digestOf(3)[0]} | \\Seen | ${date} | there`,
    ]);
  });

  it('keeps dates where messages come between others, and where some come without', async () => {
    await write(async (journal) => {
      const { id } = await journal.openFolder(opened('INBOX', { fence: 1 }));
      await journal.write(...verdicts(id, [verdict(10), verdict(30)]));
      await journal.write(...verdicts(id, [dated(20), dated(30)]));
      const many = Array.from({ length: 300 }, (_, index) => dated(index + 100, { internalDate: `date ${index}` }));
      await journal.write(...verdicts(id, many));
      await journal.write(flags(id, [{ uid: 20, flags: '\\Answered' }]));
    });
    const { sourceUids, internalDates } = read((manifest) => manifest.messages('INBOX'));
    expect(Array.from(sourceUids.subarray(0, 3))).toEqual([10, 20, 30]);
    expect(internalDates.slice(0, 3)).toEqual([null, date, date]);
    expect(internalDates.slice(3)).toEqual(Array.from({ length: 300 }, (_, index) => `date ${index}`));
  });

  it('tells of folders with their attributes, as they were when they were last opened', async () => {
    const attributes = { specialUse: '\\Sent', subscribed: true, sourceDelimiter: '.' } as const;
    await write(async (journal) => {
      await journal.openFolder(opened('INBOX.Sent', { targetName: 'Sent', attributes }));
      await journal.openFolder(opened('INBOX'));
      await journal.write(...verdicts(1, [verdict(1), verdict(2, { targetUid: null })]));
    });
    const sent = { targetName: 'Sent', sourceRawName: 'INBOX.Sent', targetUidValidity: 2, messages: 2 };
    const inbox = { targetName: 'INBOX', specialUse: null, subscribed: null, sourceDelimiter: null, messages: 0 };
    expect(read((manifest) => manifest.folders())).toMatchObject([{ ...sent, ...attributes }, inbox]);
    await write(async (journal) => {
      await journal.openFolder(opened('INBOX.Sent', { targetName: 'Sent' }));
    });
    expect(
      read((manifest) => manifest.folders()),
      'opened without',
    ).toMatchObject([{ ...sent, ...attributes }, inbox]);
    await write(async (journal) => {
      const later = { ...attributes, subscribed: false };
      await journal.openFolder(opened('INBOX.Sent', { targetName: 'Sent', attributes: later }));
    });
    expect(read((manifest) => manifest.folders())[0]).toMatchObject({ specialUse: '\\Sent', subscribed: false });
  });

  it('joins source folders that went to one folder: a living message is told before a gone one', async () => {
    await write(async (journal) => {
      const [a, b] = [
        await journal.openFolder(opened('A', { targetName: 'All' })),
        await journal.openFolder(opened('B', { targetName: 'All' })),
      ];
      await journal.write(
        ...verdicts(a.id, [dated(1, { targetUid: 7, kind: 'gone' }), dated(2, { targetUid: 8 }), dated(3)]),
        ...verdicts(b.id, [dated(11, { targetUid: 7 }), dated(12, { targetUid: 8, kind: 'gone' }), dated(13)]),
      );
    });
    read((manifest) => {
      expect(manifest.folders()).toMatchObject([{ targetName: 'All', sourceRawName: 'B', messages: 6 }]);
      const { targetUids, sourceUids, gone } = manifest.messages('All');
      expect([...targetUids]).toEqual([7, 8, 103, 113]);
      expect([...sourceUids]).toEqual([11, 2, 3, 13]);
      expect([...gone]).toEqual([0, 0, 0, 0]);
    });
  });

  it('does not tell UIDs of a UIDVALIDITY that is over', async () => {
    await write(async (journal) => {
      const before = await journal.openFolder(opened('A', { targetName: 'All', targetUidValidity: 5 }));
      const now = await journal.openFolder(opened('B', { targetName: 'All', targetUidValidity: 6 }));
      await journal.openFolder(opened('C', { targetName: 'All', targetUidValidity: null }));
      await journal.write(...verdicts(before.id, [dated(1)]), ...verdicts(now.id, [dated(2)]));
    });
    read((manifest) => {
      expect(manifest.folders()).toMatchObject([{ targetUidValidity: 6, messages: 1 }]);
      expect([...manifest.messages('All').sourceUids]).toEqual([2]);
    });
  });

  it('shows what was committed since it was opened, and hinders nobody who writes', async () => {
    await using journal = await open();
    const { id } = await journal.openFolder(opened());
    const manifest = openManifest(manifestFile());
    try {
      for (let uid = 1; uid <= 5; uid++) {
        await journal.write(...verdicts(id, [dated(uid, { flags: `$Label${uid}` })]));
        const { targetUids, flagSets } = manifest.messages('INBOX');
        expect([targetUids.length, flagSets.at(-1)]).toEqual([uid, `$Label${uid}`]);
      }
      await journal.openFolder(opened('New'));
      expect(manifest.folders().map(({ targetName }) => targetName)).toEqual(['INBOX', 'New']);
    } finally {
      manifest.close();
    }
  });

  it('is read on a thread of its own while another one writes: every look shows one commit', async () => {
    const place = { kind: 'tree', directory: dir.path } as const;
    const { openJournal } = await compiled.load();
    const journal = await openJournal(place, source, target, { inline: false });
    const { id } = await journal.openFolder(opened());
    const reader = new Worker(
      `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.url).then(({ openManifest }) => {
        const manifest = openManifest(workerData.file);
        let messages = 0;
        let looks = 0;
        const look = () => {
          const { targetUids, internalDates } = manifest.messages('INBOX');
          if (targetUids.length % 7 !== 0 || internalDates.length !== targetUids.length) throw new Error('half a commit');
          if (targetUids.length < messages) throw new Error('it went back');
          if (targetUids.length > messages) looks++;
          messages = targetUids.length;
          if (looks < 5) return setImmediate(look);
          manifest.close();
          parentPort.postMessage(messages);
        };
        look();
      });
      `,
      { eval: true, workerData: { url: new URL('manifest.js', compiled.url).href, file: manifestFile() } },
    );
    let isRead = false;
    const seen = new Promise<number>((resolve, reject) => {
      reader.on('message', resolve);
      reader.on('error', reject);
    }).finally(() => {
      isRead = true;
    });
    let written = 0;
    while (!isRead) {
      const uids = Array.from({ length: 7 }, () => ++written);
      await journal.write(
        ...verdicts(
          id,
          uids.map((uid) => dated(uid)),
        ),
      );
    }
    expect(await seen).toBeLessThanOrEqual(written);
    await journal[Symbol.asyncDispose]();
    await reader.terminate();
  });

  it('is read where its directory cannot be written', async (context) => {
    await write(async (journal) => {
      await journal.openFolder(opened());
      await journal.write(...verdicts(1, [dated(1)]));
    });
    const mount = join(dir.path, 'read-only');
    mkdirSync(mount);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status !== 0) {
      context.skip('only root can mount a disk');
    }
    try {
      const file = join(mount, 'manifest.db');
      copyFileSync(manifestFile(), file);
      expect(spawnSync('mount', ['-o', 'remount,ro', mount]).status).toBe(0);
      const manifest = openManifest(file);
      expect(linesOf(manifest.messages('INBOX'))).toHaveLength(1);
      manifest.close();
      expect(spawnSync('mount', ['-o', 'remount,rw', mount]).status).toBe(0);
      writeFileSync(`${file}-wal`, 'a log that would be left out');
      expect(spawnSync('mount', ['-o', 'remount,ro', mount]).status).toBe(0);
      expect(() => openManifest(file)).toThrow(
        expect.objectContaining({ exitCode: 10, message: expect.stringContaining('see to it that') }),
      );
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });
});

describe('a manifest that is not to be believed', () => {
  const look = () => read((manifest) => [manifest.folders(), linesOf(manifest.messages('INBOX'))]);
  const refusal = expect.objectContaining({ code: 'JOURNAL', exitCode: 9 });

  async function fill(): Promise<void> {
    await write(async (journal) => {
      await journal.openFolder(opened());
      const many = Array.from({ length: 300 }, (_, index) => dated(index + 1, { flags: `$Label${index % 20}` }));
      await journal.write(...verdicts(1, many));
    });
  }

  it('is refused, or tells what it told, for one flipped bit wherever', async () => {
    await fill();
    const told = look();
    const bytes = readFileSync(manifestFile());
    let refusals = 0;
    for (let place = 0; place < bytes.length; place += 131) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(place) ^ (1 << (place % 8)), place);
      // A name of its own: SQLite remembers, in this process, what it knows of a file.
      const file = join(dir.path, `${place}.db`);
      writeFileSync(file, damaged);
      try {
        const manifest = openManifest(file);
        try {
          expect([manifest.folders(), linesOf(manifest.messages('INBOX'))], `byte ${place}`).toEqual(told);
        } finally {
          manifest.close();
        }
      } catch (error) {
        refusals++;
        expect(error, `byte ${place}`).toEqual(refusal);
      }
    }
    expect(refusals).toBeGreaterThan(50);
  }, 30_000);

  it.each([
    { what: 'digests that were changed', sql: 'UPDATE message_blocks SET digests = zeroblob(length(digests))' },
    { what: 'dates that were changed', sql: 'UPDATE message_blocks SET internal_dates = NULL' },
    { what: 'messages too few', sql: 'DELETE FROM message_blocks WHERE first_uid = 1' },
    { what: 'an attribute that was changed', sql: "UPDATE folders SET special_use = '\\Trash'" },
    { what: 'another table', sql: 'CREATE TABLE more (x)' },
    { what: 'a table too few', sql: 'DROP TABLE message_blocks' },
    { what: 'a broken chain', sql: "UPDATE commits SET kind = 'closed' WHERE id = 2" },
    { what: 'the schema of another time', sql: 'PRAGMA user_version = 3' },
    { what: 'a newer schema', sql: 'PRAGMA user_version = 99' },
    { what: 'another program’s mark', sql: 'PRAGMA application_id = 7' },
  ])('is refused with $what', async ({ sql }) => {
    await fill();
    const db = new Database(manifestFile(), { busyMs: 0 });
    db.exec(sql);
    db.close();
    expect(look).toThrow(refusal);
  });

  it('is refused where it is something else', () => {
    writeFileSync(manifestFile(), 'not a database\n'.repeat(500));
    expect(look).toThrow(refusal);
  });

  it('is told to be missing where it is, and is not made', () => {
    expect(look).toThrow(expect.objectContaining({ exitCode: 10 }));
    expect(() => readFileSync(manifestFile())).toThrow('ENOENT');
  });

  /** Changes a block of messages or its folder, and signs for it as we would. */
  function forge(changes: { readonly block?: Readonly<Record<number, Value>>; readonly count?: number }): void {
    const db = new Database(manifestFile(), { busyMs: 0 });
    db.transaction(() => {
      const tables = loadTables(db);
      const folder = tables.folders.get(1);
      const row = [...(db.prepare('SELECT * FROM message_blocks ORDER BY id').get() ?? [])];
      if (folder === undefined) throw new Error('it has a folder');
      folder.messages.remove(Number(row.pop()), 0);
      for (const [column, value] of Object.entries(changes.block ?? {})) row[Number(column)] = value;
      const crc = rowCrc(row);
      folder.messages.add(crc, changes.count ?? 0);
      db.prepare(`REPLACE INTO message_blocks VALUES (${[...row, crc].map(() => '?').join()})`).run(...row, crc);
      new CommitWriter(db, tables).sign([folder], { kind: 'closed', records: 0 });
    });
    db.close();
  }

  it('is read where it was changed and signed for as it should be', async () => {
    await fill();
    forge({ block: { 7: null } });
    expect(read((manifest) => manifest.messages('INBOX')).sizes[0]).toBeNaN();
  });

  const huge = JSON.stringify({ length: 4_000_000_000 });
  it.each([
    { what: 'UIDs that are no list', changes: { block: { 4: huge } } },
    { what: 'target UIDs that are no list', changes: { block: { 6: huge } } },
    { what: 'sizes too few', changes: { block: { 7: '[1]' } } },
    { what: 'digests too long', changes: { block: { 8: new Uint8Array(999) } } },
    { what: 'flags that are no JSON', changes: { block: { 9: '[' } } },
    { what: 'flags of no set', changes: { block: { 9: JSON.stringify(Array.from({ length: 100 }, () => 99)) } } },
    { what: 'dates that are objects', changes: { block: { 10: JSON.stringify(Array.from({ length: 100 }, Object)) } } },
    { what: 'more messages than it can have', changes: { count: 2 ** 40 } },
  ])('is refused with $what, whoever signed for it', async ({ changes }) => {
    await fill();
    forge(changes);
    expect(look).toThrow(refusal);
  });

  it('tells no attribute that a command could not take', async () => {
    await write(async (journal) => {
      const attributes = {
        specialUse: '\\Sent) DELETE INBOX (' as '\\Sent',
        subscribed: true,
        sourceDelimiter: '"\r\n',
      };
      await journal.openFolder(opened('A', { attributes }));
    });
    expect(read((manifest) => manifest.folders())).toMatchObject([{ specialUse: null, sourceDelimiter: null }]);
  });
});
