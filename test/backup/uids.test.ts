/** Messages of a tree have UIDs that the program itself gives out: each one once. */
import { describe, expect, it } from 'vitest';
import { treeFormats } from '../../src/archive/store.ts';
import { Engine, multisets } from '../support/engine.ts';
import { checkTree, removeFromTree } from '../support/tree-check.ts';
import { TreeRoom } from '../support/tree-side.ts';

const message = (n: number) => ({
  body: `Subject: ${n}\r\n\r\nhello ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

describe.each(treeFormats)('UIDs of a backup as %s', (format) => {
  it('are given out by one lane, although order does not matter and there are more', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    for (let n = 1; n <= 900; n++) engine.source.inbox.append(message(n));
    const tree = room.tree('backup', format);
    const { report } = await engine.run({ target: tree, order: 'any', connections: 4 });
    expect(report).toMatchObject({ exitCode: 0, copied: 900, keptOrder: true });
    expect(await checkTree(tree)).toMatchObject({ verdict: 'intact', folders: [{ intact: 900, foreign: 0 }] });
    expect((await engine.run({ source: tree })).report.exitCode).toBe(0);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('are not given out again when the last message was deleted', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    for (let n = 1; n <= 3; n++) engine.source.inbox.append(message(n));
    const tree = room.tree('backup', format);
    await engine.run({ target: tree });
    await removeFromTree(tree, 'INBOX', [3]);
    engine.source.inbox.append({ ...message(4), flags: ['\\Flagged'] });
    expect((await engine.run({ target: tree })).report).toMatchObject({ exitCode: 0, copied: 1 });
    expect(await checkTree(tree)).toMatchObject({ folders: [{ intact: 3 }], damages: [{ kind: 'missing', uid: 3 }] });
    engine.source.inbox.expunge(engine.source.inbox.messages.filter(({ uid }) => uid === 3));
    expect((await engine.run({ source: tree })).report).toMatchObject({ exitCode: 0, copied: 3 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});
