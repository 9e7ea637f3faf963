import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/journal/create.ts';
import { Database } from '../../src/journal/database.ts';
import { mountTypeIn, networkName } from '../../src/journal/file-system.ts';
import { type Journal, openJournal } from '../../src/journal/index.ts';
import { journalFile } from '../../src/journal/names.ts';
import { Store } from '../../src/journal/store.ts';
import {
  inState,
  intent,
  intents,
  messageLines,
  opened,
  source,
  target,
  useStateDir,
  verdict,
  verdicts,
} from './fixtures.ts';

const dir = useStateDir();
const open = (stateDir = dir.path) => openJournal(inState(stateDir), source, target, { inline: true });

/** Writes until the disk refuses; the UIDs that were confirmed. */
async function writeUntilRefused(journal: Journal, folderId: number): Promise<{ confirmed: number[]; error: unknown }> {
  const confirmed: number[] = [];
  for (let batch = 0; batch < 10_000; batch++) {
    const uids = Array.from({ length: 50 }, (_, index) => batch * 50 + index + 1);
    try {
      await journal.write(
        ...verdicts(
          folderId,
          uids.map((uid) => verdict(uid)),
        ),
      );
      confirmed.push(...uids);
    } catch (error) {
      return { confirmed, error };
    }
  }
  throw new Error('the disk never got full');
}

describe('a full disk', () => {
  it('ends the commit that met it and every later one; what was confirmed before is there', () => {
    const file = journalFile(inState(dir.path), source, target);
    createJournal(file, source, target);
    const db = new Database(file, { busyMs: 0 });
    const store = new Store(db, file);
    store.commit([{ kind: 'open', folder: opened() }]);
    db.exec('PRAGMA max_page_count = 20');
    const refusal = {
      code: 'STATE',
      exitCode: 10,
      message: expect.stringMatching(/full; nothing more is copied: make room/),
    };
    const uids = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
    const write = (from: number, count: number) => () =>
      store.commit(
        verdicts(
          1,
          uids(from, count).map((uid) => verdict(uid)),
        ),
      );
    expect(write(1, 10)().folders).toMatchObject([{ messages: 10 }]);
    expect(write(11, 5_000)).toThrow(expect.objectContaining(refusal));
    db.exec('PRAGMA max_page_count = 100000');
    expect(write(11, 1), 'room was made, but the caller was told').toThrow(expect.objectContaining(refusal));
    store.close();

    const again = new Store(new Database(file, { busyMs: 0 }), file);
    expect(again.reader.state).toBe('crash');
    expect(again.reader.messages(1).uids).toEqual(Uint32Array.from(uids(1, 10)));
    again.close();
  });

  it('at the very end is told, and the run is taken for one that was killed', () => {
    const file = journalFile(inState(dir.path), source, target);
    createJournal(file, source, target);
    const db = new Database(file, { busyMs: 0 });
    const store = new Store(db, file);
    store.commit([{ kind: 'open', folder: opened() }]);
    db.exec('PRAGMA query_only = ON');
    expect(() => store.close()).toThrow(expect.objectContaining({ code: 'STATE', exitCode: 10 }));
    const again = new Store(new Database(file, { busyMs: 0 }), file);
    expect(again.reader.state).toBe('crash');
    again.close();
  });

  it('that is really full: writes are refused, the journal is left whole, and goes on when there is room', async (context) => {
    const mount = join(dir.path, 'small');
    mkdirSync(mount);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status !== 0) {
      context.skip('only root can mount a small disk');
    }
    try {
      const stateDir = join(mount, 'state');
      const journal = await open(stateDir);
      const { id } = await journal.openFolder(opened());
      const { confirmed, error } = await writeUntilRefused(journal, id);
      const refusal = { code: 'STATE', exitCode: 10, message: expect.stringContaining('make room') };
      expect(error).toMatchObject(refusal);
      await expect(journal.write({ kind: 'forget', folderId: id })).rejects.toMatchObject(refusal);
      await expect(journal.openFolder(opened('B'))).rejects.toMatchObject(refusal);
      await expect(journal.messages(id)).rejects.toMatchObject(refusal);
      expect(journal.folder('INBOX', 'INBOX')?.messages).toBe(confirmed.length);
      await journal[Symbol.asyncDispose]();

      expect(spawnSync('mount', ['-o', 'remount,size=8m', mount]).status).toBe(0);
      await using again = await open(stateDir);
      expect(again.state).toBe('crash');
      expect((await again.messages(id)).uids).toEqual(Uint32Array.from(confirmed));
      await again.write(...intents(id, [intent(999_999)]));
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });

  it('before there is a journal is told as such', async (context) => {
    const mount = join(dir.path, 'tiny');
    mkdirSync(mount);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', mount]).status !== 0) {
      context.skip('only root can mount a small disk');
    }
    try {
      await expect(open(mount)).rejects.toMatchObject({
        code: 'STATE',
        exitCode: 10,
        message: expect.stringContaining('--state DIR'),
      });
      expect(readdirSync(mount).filter((name) => name.endsWith('.db'))).toEqual([]);
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });
});

describe('the state directory', () => {
  it('and everything in it are for their owner only', async () => {
    const stateDir = join(dir.path, 'new', 'state');
    await using journal = await open(stateDir);
    const { id } = await journal.openFolder(opened());
    await journal.write(...verdicts(id, [verdict(1)]));
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    const names = readdirSync(stateDir);
    expect(names.map((name) => name.replace(/^.*(?=\.)/, '')).sort()).toEqual([
      '.db',
      '.db-shm',
      '.db-wal',
      '.lock',
      '.pid',
    ]);
    for (const name of names) expect(statSync(join(stateDir, name)).mode & 0o777, name).toBe(0o600);
    expect(await messageLines(journal, id)).toHaveLength(1);
  });

  it('that cannot be made is refused with what to do', async () => {
    writeFileSync(join(dir.path, 'file'), '');
    await expect(open(join(dir.path, 'file', 'state'))).rejects.toMatchObject({
      code: 'STATE',
      exitCode: 10,
      message: expect.stringMatching(/ENOTDIR.*; choose another one with --state DIR$/),
    });
  });

  it('on a network file system is refused with what to do, before anything is written there', async () => {
    const fileSystemOf = () => ({ type: 0x6969, name: null });
    await expect(openJournal(inState(dir.path), source, target, { inline: true, fileSystemOf })).rejects.toMatchObject({
      code: 'STATE',
      exitCode: 10,
      message: expect.stringMatching(/network file system \(NFS\).*--state DIR/),
    });
    expect(readdirSync(dir.path)).toEqual([]);
  });

  it.each([
    { type: 0x6969, name: null, network: 'NFS' },
    { type: 0xff534d42, name: null, network: 'CIFS' },
    { type: 0xff534d42 | 0, name: null, network: 'CIFS' },
    { type: 0xfe534d42, name: null, network: 'SMB' },
    { type: 0x517b, name: null, network: 'SMB' },
    { type: 0x01021997, name: null, network: '9p' },
    { type: 0x5346414f, name: null, network: 'AFS' },
    { type: 0x65735546, name: 'fuse.sshfs', network: 'sshfs' },
    { type: 0x65735546, name: 'virtiofs', network: 'virtiofs' },
    { type: 0x65735546, name: 'fuse.glusterfs', network: 'glusterfs' },
    { type: 0x65735546, name: 'fuseblk', network: null },
    { type: 0x65735546, name: 'fuse.gocryptfs', network: null },
    { type: 0x65735546, name: null, network: null },
    { type: 0xef53, name: null, network: null },
    { type: 0x9123683e, name: null, network: null },
    { type: 0x01021994, name: null, network: null },
    { type: 0, name: null, network: null },
  ])('knows that type $type ($name) is $network', ({ network, ...fileSystem }) => {
    expect(networkName(fileSystem)).toBe(network);
  });

  it.each([
    { path: '/home/anna/state', type: 'ext4' },
    { path: '/home/anna/remote/state', type: 'fuse.sshfs' },
    { path: '/home/anna/remotes', type: 'ext4' },
    { path: '/mnt/with blank/x', type: 'nfs4' },
    { path: '/over', type: 'tmpfs' },
  ])('finds the mount of $path', ({ path, type }) => {
    const table = [
      '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
      '40 22 0:50 / /home/anna/remote rw,nosuid shared:9 master:2 - fuse.sshfs anna@host: rw,user_id=0',
      '41 22 0:51 / /mnt/with\\040blank rw - nfs4 host:/x rw',
      '42 22 0:52 / /over rw - xfs /dev/vdb rw',
      '43 22 0:53 / /over rw - tmpfs tmpfs rw',
      '',
    ].join('\n');
    expect(mountTypeIn(table, path)).toBe(type);
  });

  it('on this machine is one a journal can live on', async () => {
    await using journal = await openJournal(inState(dir.path), source, target, { inline: true });
    expect(journal.state).toBe('new');
  });
});
