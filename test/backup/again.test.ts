/** The second backup, and later ones: of an account, or a tree, that is no longer what it was. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TreeSettings } from '../../src/account.ts';
import { type TreeFormat, treeFormats } from '../../src/archive/store.ts';
import type { JobReport } from '../../src/job.ts';
import { manifestFile } from '../../src/journal/manifest.ts';
import { Engine, multisets, password } from '../support/engine.ts';
import { checkTree } from '../support/tree-check.ts';
import { TreeRoom } from '../support/tree-side.ts';

const flags = ['\\Seen', '\\Flagged', 'Work'];
const message = (n: number) => ({
  body: `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nhello ${n}\r\n`,
  flags: n % 2 === 0 ? flags : [],
  internalDate: `0${1 + (n % 9)}-Feb-2020 10:00:00 +0200`,
});

/** An account with a backup. */
class Backup implements Disposable {
  readonly engine = new Engine();
  readonly room = new TreeRoom();
  readonly tree: TreeSettings;

  constructor(format: TreeFormat) {
    this.tree = this.room.tree('backup', format);
    for (let n = 1; n <= 6; n++) this.inbox.append(message(n));
    // Twins are told apart by nothing.
    this.inbox.append(message(2));
    const old = this.engine.source.createMailbox('Old');
    for (let n = 101; n <= 103; n++) old.append(message(n));
  }

  static async make(format: TreeFormat): Promise<Backup> {
    const backup = new Backup(format);
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 10 });
    return backup;
  }

  get inbox() {
    return this.engine.source.inbox;
  }

  async run(changes: Parameters<Engine['run']>[0] = {}): Promise<JobReport> {
    return (await this.engine.run({ target: this.tree, ...changes })).report;
  }

  /** What a new account holds after everything in the tree was brought there. */
  async restored(tree: TreeSettings = this.tree): Promise<Record<string, string[]>> {
    using engine = new Engine();
    expect((await engine.run({ source: tree })).report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    return multisets(engine.target);
  }

  async expectRestorable(tree: TreeSettings = this.tree): Promise<void> {
    expect(await this.restored(tree)).toEqual(multisets(this.engine.source));
    const checked = await checkTree(tree);
    expect(checked).toMatchObject({ verdict: 'intact', damages: [] });
    expect(checked.folders.filter(({ foreign }) => foreign > 0)).toEqual([]);
  }

  /** Messages that are stored, whatever is known of them. */
  async stored(): Promise<number> {
    return (await checkTree(this.tree)).folders.reduce((sum, { messages }) => sum + messages, 0);
  }

  [Symbol.dispose](): void {
    this.engine[Symbol.dispose]();
    this.room[Symbol.dispose]();
  }
}

describe.each(treeFormats)('a backup as %s', (format) => {
  it('of a folder with another UIDVALIDITY finds everything by content, and stores nothing twice', async () => {
    using backup = await Backup.make(format);
    backup.inbox.changeUidValidity();
    backup.inbox.append(message(8));
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 10 });
    expect(await backup.stored()).toBe(11);
    await backup.expectRestorable();
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 11 });
  });

  it('keeps what is gone from the account, marked, and gives it back only when asked to', async () => {
    using backup = await Backup.make(format);
    const before = multisets(backup.engine.source);
    backup.inbox.expunge(backup.inbox.messages.slice(0, 2));
    const report = await backup.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 0 });
    expect(report.folders.flatMap(({ notes }) => notes).join()).toMatch(/2 messages are gone from the source/);
    expect(await backup.stored()).toBe(10);
    await backup.expectRestorable();
    expect(await backup.restored({ ...backup.tree, includeGone: true })).toEqual(before);
  });

  it('takes what was in a folder that is gone for gone, and for what it was when the folder comes back', async () => {
    using backup = await Backup.make(format);
    const { source } = backup.engine;
    source.renameMailbox(source.mailbox('Old'), 'New');
    const renamed = await backup.run();
    expect(renamed).toMatchObject({ exitCode: 0, copied: 3 });
    expect(renamed.warnings.join()).toMatch(/no folder "Old" any more: the target keeps 3 messages/);
    expect((await backup.run()).warnings).toEqual([]);
    const { Old, ...rest } = await backup.restored();
    expect(Old ?? []).toEqual([]);
    expect(rest).toEqual(multisets(source));
    expect((await backup.restored({ ...backup.tree, includeGone: true })).Old).toHaveLength(3);
    source.renameMailbox(source.mailbox('New'), 'Old');
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 10 });
    const { New, ...again } = await backup.restored();
    expect(New ?? []).toEqual([]);
    expect(again).toEqual(multisets(source));
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 10 });
    expect(await backup.stored()).toBe(13);
  });

  it('follows flags that change at the source', async () => {
    using backup = await Backup.make(format);
    for (const [index, stored] of backup.inbox.messages.entries()) {
      backup.inbox.setFlags(stored, index % 2 === 0 ? ['\\Answered', 'New'] : []);
    }
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 0, flagsChanged: 7 });
    await backup.expectRestorable();
    if (format === 'maildir') {
      const letters = readdirSync(join(backup.tree.path, 'cur')).map((name) => name.slice(name.indexOf(':2,') + 3));
      expect(letters.filter((text) => text.includes('R'))).toHaveLength(4);
      expect(letters.filter((text) => text === '')).toHaveLength(3);
    }
  });

  it('goes on when the tree was moved, as if nothing had happened', async () => {
    using backup = await Backup.make(format);
    const path = join(backup.room.directory, 'elsewhere');
    renameSync(backup.tree.path, path);
    const moved = backup.room.tree('elsewhere');
    backup.inbox.append(message(9));
    expect(await backup.run({ target: moved })).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 10 });
    await backup.expectRestorable(moved);
  });

  it('refuses the tree of another account, and takes it over when told to, storing nothing twice', async () => {
    using backup = await Backup.make(format);
    const { engine } = backup;
    const other = engine.servers.source.addAccount({ user: 'bob', password });
    for (let n = 1; n <= 7; n++) other.inbox.append(message(n));
    const source = { ...engine.settings().source, username: 'bob' };
    await expect(backup.run({ source })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/backup of alice@.*not of bob@.*--rebuild/),
    });
    expect(await backup.run({ source, rebuild: true })).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 6 });
    expect(await backup.stored()).toBe(11);
    expect(await checkTree(backup.tree)).toMatchObject({ verdict: 'intact' });
  });

  it('refuses to be two at once on one tree', async () => {
    using backup = await Backup.make(format);
    backup.inbox.append(message(9));
    let second: Promise<unknown> | null = null;
    const onEvent = (event: { kind: string }) => {
      if (event.kind === 'planned') second ??= backup.run().catch((error: unknown) => error);
    };
    await backup.engine.run({ target: backup.tree }, { onEvent });
    expect(await second).toMatchObject({ exitCode: 8, message: expect.stringContaining(`${process.pid}`) });
    await backup.expectRestorable();
  });

  it('whose manifest is gone finds everything by content; what the files know is restored without it', async () => {
    using backup = await Backup.make(format);
    for (const ending of ['', '-wal', '-shm']) {
      rmSync(`${manifestFile(backup.tree.stateDirectory)}${ending}`, { force: true });
    }
    // Bytes and dates; flags are where Maildir has them, and nowhere in eml and mbox.
    const bare = await backup.restored();
    const known = format === 'maildir' ? (row: string) => row : withoutFlags;
    expect(bare).toEqual(mapRows(multisets(backup.engine.source), known));
    backup.inbox.append(message(9));
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 10 });
    await backup.expectRestorable();
  });

  it('whose whole state is gone is a tree that anybody could have made, and is taken over', async () => {
    using backup = await Backup.make(format);
    rmSync(backup.tree.stateDirectory, { recursive: true });
    backup.inbox.append(message(9));
    expect(await backup.run()).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 10 });
    await backup.expectRestorable();
  });
});

function mapRows(folders: Record<string, string[]>, change: (row: string) => string): Record<string, string[]> {
  return Object.fromEntries(Object.entries(folders).map(([name, rows]) => [name, rows.map(change).sort()]));
}

function withoutFlags(row: string): string {
  return JSON.stringify({ ...JSON.parse(row), flags: [] });
}
