import { describe, expect, it } from 'vitest';
import type { TreeSettings } from '../../src/account.ts';
import { treeFormats } from '../../src/archive/store.ts';
import { openTree } from '../../src/archive/tree.ts';
import { verifyTree } from '../../src/tree-verify.ts';
import { Engine, multisets } from '../support/engine.ts';
import { TreeRoom } from '../support/tree-side.ts';

function fill(engine: Engine, messages: number): void {
  for (let n = 1; n <= messages; n++) engine.source.inbox.append({ body: `Subject: ${n}\r\n\r\nhello ${n}\r\n` });
}

function expunge(engine: Engine, uids: readonly number[]): void {
  const { inbox } = engine.source;
  inbox.expunge(inbox.messages.filter(({ uid }) => uids.includes(uid)));
}

async function uidsIn(tree: TreeSettings): Promise<(number | null)[]> {
  const store = await openTree({ format: tree.format, root: tree.path });
  const folder = await store.openFolder(['INBOX'], { forWriting: false });
  return (await folder.list()).map(({ uid }) => uid);
}

async function intact(tree: TreeSettings): Promise<string> {
  return (await verifyTree(tree, { onEvent: () => {}, signal: new AbortController().signal })).verdict;
}

describe.each(treeFormats)('messages gone from the source of a backup as %s', (format) => {
  it('are kept, marked, and restored only where asked for', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine, 20);
    const tree = room.tree('backup', format);
    await engine.run({ target: tree });
    expunge(engine, [3, 20]);
    expect((await engine.run({ target: tree })).report).toMatchObject({ exitCode: 0, deleted: 0 });
    expect(await uidsIn(tree)).toHaveLength(20);
    expect(await intact(tree)).toBe('intact');
    expect((await engine.run({ source: tree })).report).toMatchObject({ exitCode: 0, copied: 18 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    expect((await engine.run({ source: { ...tree, includeGone: true } })).report).toMatchObject({
      exitCode: 0,
      copied: 2,
    });
  });

  it('are deleted with mirror, and their UIDs never given again', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine, 20);
    const tree = room.tree('backup', format);
    await engine.run({ target: tree });
    expunge(engine, [3, 20]);
    const { report } = await engine.run({ target: tree, mirror: { share: 0.1 } });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete', deleted: 2 });
    expect(await uidsIn(tree)).toEqual([1, 2, ...Array.from({ length: 16 }, (_, at) => at + 4)]);
    expect(await intact(tree)).toBe('intact');
    fill(engine, 1);
    expect((await engine.run({ target: tree, mirror: { share: 0.1 } })).report).toMatchObject({
      copied: 1,
      deleted: 0,
    });
    expect((await uidsIn(tree)).at(-1)).toBe(21);
    expect(await intact(tree)).toBe('intact');
  });

  it('are all kept where they are more than may be deleted at once', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine, 20);
    const tree = room.tree('backup', format);
    await engine.run({ target: tree });
    expunge(engine, [1, 2, 3]);
    const { report } = await engine.run({ target: tree, mirror: { share: 0.1 } });
    expect(report).toMatchObject({ exitCode: 3, verdict: 'partial', deleted: 0 });
    expect(report.warnings.join()).toContain('3 of 20 messages are gone from the source');
    expect(report.warnings.join()).toContain('--delete-limit 15%');
    expect(await uidsIn(tree)).toHaveLength(20);
    expect((await engine.run({ target: tree, mirror: { messages: 3 } })).report).toMatchObject({
      exitCode: 0,
      deleted: 3,
    });
    expect(await uidsIn(tree)).toHaveLength(17);
  });
});
