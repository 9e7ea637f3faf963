import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectJournal, type JournalPlace, openJournal, peekJournal } from '../../src/journal/index.ts';
import { lockHolder } from '../../src/journal/lock.ts';
import { journalFile, placeOf } from '../../src/journal/names.ts';
import { inState, intent, intents, messageLines, opened, source, useStateDir, verdict, verdicts } from './fixtures.ts';

const dir = useStateDir();
const inline = { inline: true };
const other = 'ben@old.example:993';
const inTree = (directory: string): JournalPlace => ({ kind: 'tree', directory });
const label = (directory: string) => `maildir:${directory}`;

async function backUp(directory: string, from = source, options: { rebuild?: boolean } = {}): Promise<string[]> {
  await using journal = await openJournal(inTree(directory), from, label(directory), { ...inline, ...options });
  const { id } = await journal.openFolder(opened());
  const before = await messageLines(journal, id);
  await journal.write(...verdicts(id, [verdict(before.length + 1)]));
  return before;
}

describe("a tree's journal", () => {
  it('is one file in the tree, with a lock beside it, all for their owner only', async () => {
    const directory = join(dir.path, 'tree', '.imap-migrate');
    await using journal = await openJournal(inTree(directory), source, label(directory), inline);
    await journal.openFolder(opened());
    expect(journal.file).toBe(join(directory, 'manifest.db'));
    const names = ['manifest.db', 'manifest.db-shm', 'manifest.db-wal', 'manifest.lock', 'manifest.pid'];
    expect(readdirSync(directory).sort()).toEqual(names);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of names) expect(statSync(join(directory, name)).mode & 0o777, name).toBe(0o600);
    expect(readFileSync(join(directory, 'manifest.pid'), 'utf8')).toContain(`\ntarget ${label(directory)}\n`);
  });

  it('goes on where the tree was moved and is called something else', async () => {
    const [before, after] = [join(dir.path, 'before'), join(dir.path, 'after')];
    expect(await backUp(before)).toEqual([]);
    renameSync(before, after);
    expect(await backUp(after)).toEqual(['1 copied 101 \\Seen']);
    expect(await backUp(after)).toHaveLength(2);
  });

  it('that belongs to another source is refused as a mistake, with what to do, and left as it is', async () => {
    await backUp(dir.path);
    const before = readFileSync(join(dir.path, 'manifest.db'));
    const refusal = {
      code: 'USAGE',
      exitCode: 2,
      message: expect.stringMatching(new RegExp(`the backup of ${source}, not of ${other}: .*another.*--rebuild`)),
    };
    await expect(backUp(dir.path, other)).rejects.toMatchObject(refusal);
    await expect(peekJournal(inTree(dir.path), other, 'any', inline)).rejects.toMatchObject(refusal);
    expect(readFileSync(join(dir.path, 'manifest.db')).equals(before)).toBe(true);
    expect(await backUp(dir.path)).toHaveLength(1);
  });

  it('is taken over with --rebuild, which puts the old one aside', async () => {
    await backUp(dir.path);
    expect(await backUp(dir.path, other, { rebuild: true })).toEqual([]);
    expect(existsSync(join(dir.path, 'manifest.db.old-1'))).toBe(true);
    expect(await backUp(dir.path, other)).toHaveLength(1);
    await expect(backUp(dir.path)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('is not the journal of a state directory, nor the other way round', async () => {
    const state = inState(dir.path);
    {
      await using journal = await openJournal(state, source, label(dir.path), inline);
      await journal.openFolder(opened());
    }
    expect(await backUp(dir.path)).toEqual([]);
    const [file, manifest] = [journalFile(state, source, label(dir.path)), join(dir.path, 'manifest.db')];
    rmSync(manifest);
    for (const suffix of ['-wal', '-shm']) rmSync(`${manifest}${suffix}`, { force: true });
    renameSync(file, manifest);
    await expect(backUp(dir.path)).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringContaining('belongs to'),
    });
  });

  it('is locked for every source, and tells who has it', async () => {
    const place = inTree(dir.path);
    expect(lockHolder(place, 'any')).toBeNull();
    {
      await using journal = await openJournal(place, source, label(dir.path), inline);
      expect(journal.state).toBe('new');
      const locked = { code: 'LOCKED', exitCode: 8 };
      await expect(openJournal(place, source, 'maildir:another way', inline)).rejects.toMatchObject({
        ...locked,
        message: expect.stringMatching(/is at work on .* -> maildir:another way: wait/),
      });
      await expect(backUp(dir.path, other)).rejects.toMatchObject({
        ...locked,
        message: expect.stringContaining(`is copying ${source} to the same target`),
      });
      expect(lockHolder(place, 'any')).toMatchObject({ pid: process.pid, source });
      expect(await inspectJournal(journal.file, inline)).toMatchObject({ otherRun: { pid: process.pid } });
      await using peeked = await peekJournal(place, source, 'any', inline);
      expect(peeked?.folders()).toEqual([]);
    }
    expect(lockHolder(place, 'any')).toBeNull();
  });

  it('is not looked for where there is none, and not made', async () => {
    expect(await peekJournal(inTree(dir.path), source, 'any', inline)).toBeNull();
    expect(readdirSync(dir.path)).toEqual([]);
  });

  it.each([
    { what: 'emptied', spoil: (file: string) => writeFileSync(file, '') },
    { what: 'something else', spoil: (file: string) => writeFileSync(file, 'no manifest\n'.repeat(999)) },
    {
      what: 'lost, and its log is not',
      spoil: (file: string) => {
        rmSync(file);
        writeFileSync(`${file}-wal`, 'a log');
      },
    },
  ])('is refused where it is $what', async ({ spoil }) => {
    await backUp(dir.path);
    spoil(join(dir.path, 'manifest.db'));
    await expect(backUp(dir.path)).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringContaining('--rebuild'),
    });
    expect(await backUp(dir.path, source, { rebuild: true })).toEqual([]);
  });

  it('knows its open intents after a run that ended in an orderly way', async () => {
    {
      await using journal = await openJournal(inTree(dir.path), source, 'x', inline);
      const { id } = await journal.openFolder(opened());
      await journal.write(...intents(id, [intent(1), intent(2)]));
    }
    await using journal = await openJournal(inTree(dir.path), source, 'y', inline);
    expect(await journal.intents(1)).toEqual([intent(1), intent(2)]);
  });

  it('on a network file system is refused with what to do, before anything is written there', async () => {
    const fileSystemOf = () => ({ type: 0x6969, name: null });
    await expect(openJournal(inTree(dir.path), source, 'x', { ...inline, fileSystemOf })).rejects.toMatchObject({
      code: 'STATE',
      exitCode: 10,
      message: expect.stringMatching(/network file system \(NFS\).*the manifest.*back up to a local disk/),
    });
    expect(readdirSync(dir.path)).toEqual([]);
  });

  it('whose directory cannot be made is refused with what to do, which is not another --state', async () => {
    writeFileSync(join(dir.path, 'file'), '');
    const place = inTree(join(dir.path, 'file', 'tree'));
    const error: unknown = await openJournal(place, source, 'x', inline).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STATE', exitCode: 10, message: expect.stringContaining('another target') });
    expect(String(error)).not.toContain('--state');
    mkdirSync(join(dir.path, 'manifest.db'));
    const unreadable: unknown = await peekJournal(inTree(dir.path), source, 'x', inline).catch((thrown) => thrown);
    expect(unreadable).toMatchObject({ exitCode: 10 });
    expect(String(unreadable)).not.toContain('--state');
  });
});

it('a place is known by its file', () => {
  for (const place of [inTree('/a/b'), inState('/a/b')]) expect(placeOf(journalFile(place, 'a', 'b'))).toEqual(place);
});
