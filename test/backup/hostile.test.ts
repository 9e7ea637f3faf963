/**
 * A tree from somebody else's hands: whatever its manifest, its names and its files say, what is restored from it reaches the
 * server as well-formed commands of the program's own, and stays inside another tree.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endpointLabel, type TreeSettings } from '../../src/account.ts';
import { treeFormats } from '../../src/archive/store.ts';
import { openTree } from '../../src/archive/tree.ts';
import { type Journal, openJournal } from '../../src/journal/index.ts';
import { manifestFile } from '../../src/journal/manifest.ts';
import { hostileNames } from '../archive/hostile-names.ts';
import { contents, Engine } from '../support/engine.ts';
import { TreeRoom } from '../support/tree-side.ts';

const victim = 'Victim';
/** What would be a command if it began a line. */
const command = 'Z9 DELETE Victim';

const names = [
  ...hostileNames,
  `x\r\n${command}\r\n`,
  `x" {0}\r\n${command}`,
  `x {3+}\r\nabc\r\n${command}\r\n`,
  '"',
  'a"b\\c',
  '*',
  '%',
  '../../../outside',
  'x/../../../outside',
];

const hostileFlags = ['\\Seen) X', `\\Seen\r\n${command}`, 'x)\r\n', '{5}', '"', 'a(b', 'é', 'a\0', '\\', '*'];

const hostileDates = [
  `01-Feb-2020 10:00:00 +0000"\r\n${command}\r\n`,
  `01-Feb-2020 10:00:00 +0000\r\n${command}`,
  '01-Feb-2020 10:00:00 +0000" {9}',
  '"',
  '',
  'yesterday',
];

/** Commands of a restore; those that a hostile tree would like to see are not among them. */
const expected =
  /^(?:CAPABILITY|AUTHENTICATE|LOGIN|ID|ENABLE|NAMESPACE|LIST|LSUB|STATUS|GETQUOTAROOT|GETQUOTA|CREATE|SUBSCRIBE|SELECT|EXAMINE|UNSELECT|CLOSE|APPEND|UID FETCH|FETCH|NOOP|COMPRESS|LOGOUT)$/;

/** Restores the tree into an account in which there is something to lose. */
async function restore(tree: TreeSettings, engine: Engine) {
  engine.target.createMailbox(victim).append({ body: 'Subject: precious\r\n\r\n' });
  const { report } = await engine.run({ source: tree });
  const sent = engine.servers.target.commandLog;
  expect(sent.map(({ name }) => name).filter((name) => !expected.test(name))).toEqual([]);
  expect(sent.filter(({ line }) => /[\r\n\0]/.test(line) || line.startsWith('DELETE'))).toEqual([]);
  expect(engine.target.mailbox(victim).messages).toHaveLength(1);
  return report;
}

/** A tree of three messages, with a manifest. */
async function backUp(engine: Engine, tree: TreeSettings): Promise<void> {
  for (let n = 1; n <= 3; n++) {
    engine.source.inbox.append({ body: `Subject: ${n}\r\n\r\n${n}\r\n`, internalDate: '01-Feb-2020 10:00:00 +0000' });
  }
  expect((await engine.run({ target: tree })).report.exitCode).toBe(0);
}

/** Writes into the manifest of a tree, with all that makes it look right. */
async function tamper(tree: TreeSettings, engine: Engine, write: (journal: Journal) => Promise<void>): Promise<void> {
  const place = { kind: 'tree', directory: tree.stateDirectory } as const;
  const label = endpointLabel(engine.settings().source);
  await using journal = await openJournal(place, label, endpointLabel(tree), { rebuild: false });
  await write(journal);
}

async function tell(
  journal: Journal,
  { flags, internalDate }: { readonly flags: string; readonly internalDate: string },
): Promise<void> {
  const folder = journal.folder('INBOX', 'INBOX');
  if (folder === null) throw new Error('the manifest has no INBOX');
  await journal.write({
    kind: 'verdicts',
    folderId: folder.id,
    verdict: 'copied',
    messages: {
      uids: Uint32Array.of(1, 2, 3),
      targetUids: Uint32Array.of(1, 2, 3),
      sizes: null,
      digests: null,
      flags: Uint32Array.of(0, 0, 0),
      flagSets: [flags],
      internalDates: [internalDate, internalDate, internalDate],
    },
  });
}

describe.each(treeFormats)('a tree of %s from somebody else', (format) => {
  it('has folders of any name: they are restored, or said to be impossible', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    const store = await openTree({ ...tree, root: tree.path });
    for (const [index, name] of names.entries()) {
      await store.createFolder([name]);
      await store.createFolder(['below', name]);
      const folder = await store.openFolder([name], { forWriting: true });
      const body = Buffer.from(`Subject: ${index}\r\n\r\n`);
      await folder.append([{ uid: 1, flags: [], dateMs: 0, body: { size: body.length, chunks: [body] } }]);
      await folder.close();
    }
    const report = await restore(tree, engine);
    expect([0, 2, 3]).toContain(report.exitCode);
  });

  it('has names that lead out of a tree: what is copied from it into another stays there', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    const store = await openTree({ ...tree, root: tree.path });
    for (const name of names) await store.createFolder([name, '..', '../../outside', name]);
    const before = readdirSync(room.directory).sort();
    for (const other of treeFormats) {
      const target = room.tree(`target-${other}`, other);
      const { report } = await engine.run({ source: tree, target });
      expect([0, 2, 3]).toContain(report.exitCode);
      before.push(`target-${other}`);
    }
    expect(readdirSync(room.directory).sort()).toEqual(before.sort());
  });

  it.each(hostileFlags)('has a flag %j in its manifest: it is no flag', async (flag) => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    await tamper(tree, engine, (journal) =>
      tell(journal, { flags: `Work ${flag}`, internalDate: hostileDates[0] ?? '' }),
    );
    expect(await restore(tree, engine)).toMatchObject({ exitCode: 0, copied: 3 });
    const flags = engine.target.inbox.messages.flatMap((message) => [...message.flags]);
    expect(flags.filter((word) => /[^\\\w]/.test(word))).toEqual([]);
    expect(flags).toContain('Work');
  });

  it.each(hostileDates)('has a date %j in its manifest: the file tells its own', async (internalDate) => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    await tamper(tree, engine, (journal) => tell(journal, { flags: '', internalDate }));
    expect(await restore(tree, engine)).toMatchObject({ exitCode: 0, copied: 3 });
    const { INBOX } = contents(engine.target);
    expect(INBOX?.map((row) => (row as { epochMs: number }).epochMs)).toEqual(
      [1, 2, 3].map(() => Date.UTC(2020, 1, 1, 10)),
    );
  });

  it('has a folder in its manifest that a command could not name', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    await tamper(tree, engine, async (journal) => {
      for (const name of names) {
        await journal.openFolder({
          sourceRawName: Buffer.from(name).toString('latin1'),
          targetName: name,
          sourceUidValidity: 1,
          targetUidValidity: 1,
          fence: 1,
          attributes: { specialUse: null, subscribed: true, sourceDelimiter: '"' },
        });
      }
    });
    expect(await restore(tree, engine)).toMatchObject({ exitCode: 0, copied: 3 });
  });

  it('has links for folders and files: none is followed', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const secret = join(room.directory, 'secret');
    mkdirSync(join(secret, 'cur'), { recursive: true });
    mkdirSync(join(secret, 'new'));
    const text = 'From x Sat Feb  1 10:00:00 2020\nSubject: secret\n\nsecret\n';
    for (const name of ['secret.eml', 'secret.mbox', 'cur/1.a.b:2,S']) writeFileSync(join(secret, name), text);
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    symlinkSync(secret, join(tree.path, format === 'maildir' ? '.Linked' : 'Linked'));
    symlinkSync(join(secret, 'secret.mbox'), join(tree.path, 'Linked.mbox'));
    const beside = { maildir: 'cur/2.a.b:2,S', eml: 'INBOX/linked.eml', mbox: 'Other.mbox' }[format];
    symlinkSync(join(secret, 'secret.eml'), join(tree.path, beside));
    expect(await restore(tree, engine)).toMatchObject({ exitCode: 0, copied: 3 });
    expect(Object.keys(contents(engine.target)).sort()).toEqual(['INBOX', victim]);
  });

  it('has a link for its state: nothing is written through it', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    const outside = join(room.directory, 'outside');
    renameSync(tree.stateDirectory, outside);
    symlinkSync(outside, tree.stateDirectory);
    const before = readFileSync(join(outside, basename(manifestFile(outside))));
    expect(() => room.tree('tree', format)).toThrow(/is a link/);
    await expect(restore(tree, engine)).rejects.toMatchObject({ exitCode: 2 });
    expect(readFileSync(join(outside, basename(manifestFile(outside)))).equals(before)).toBe(true);
  });

  it('has a link for its manifest: it is not a tree that is read or written', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('tree', format);
    await backUp(engine, tree);
    const outside = join(room.directory, 'outside.db');
    renameSync(manifestFile(tree.stateDirectory), outside);
    symlinkSync(outside, manifestFile(tree.stateDirectory));
    expect(() => room.tree('tree', format)).toThrow(/is a link/);
    await expect(restore(tree, engine)).rejects.toMatchObject({ exitCode: 2 });
  });
});

it('a Maildir with keywords that are none: they are no flags', async () => {
  using engine = new Engine();
  using room = new TreeRoom();
  const tree = room.tree('tree', 'maildir');
  for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(tree.path, name));
  const lines = ['0 \\Seen)', '1 x)', `2 y"{3}`, '3 \\Deleted', '4 Work', `5 z\r${command}`];
  writeFileSync(join(tree.path, 'dovecot-keywords'), `${lines.join('\n')}\n`);
  writeFileSync(join(tree.path, 'cur', '1.a.b:2,Sabcdef'), 'Subject: 1\r\n\r\n');
  expect(await restore(tree, engine)).toMatchObject({ exitCode: 0, copied: 1 });
  const flags = [...(engine.target.inbox.messages[0]?.flags ?? [])];
  expect(flags.filter((flag) => !/^(?:\w+|\\Seen)$/.test(flag))).toEqual([]);
  expect(flags).toContain('Work');
});
