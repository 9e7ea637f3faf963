import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TreeSettings } from '../../src/account.ts';
import { treeFormats } from '../../src/archive/store.ts';
import type { TreeVerifyReport } from '../../src/job.ts';
import { verifyTree } from '../../src/tree-verify.ts';
import { Engine } from '../support/engine.ts';
import { TreeRoom } from '../support/tree-side.ts';

const messages = 7;

function check(tree: TreeSettings): Promise<TreeVerifyReport> {
  return verifyTree(tree, { onEvent: () => {}, signal: new AbortController().signal });
}

async function backUp(engine: Engine, tree: TreeSettings): Promise<void> {
  for (let n = 1; n <= messages; n++) engine.source.inbox.append({ body: `Subject: ${n}\r\n\r\nhello ${n}\r\n` });
  expect((await engine.run({ target: tree })).report.exitCode).toBe(0);
}

/** The file in which a message is. */
function fileWith(directory: string, text: string): string {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.includes('imap-migrate') && readFileSync(path).includes(text)) return path;
  }
  throw new Error(`no file with ${text}`);
}

describe.each(treeFormats)('verify of a backup as %s', (format) => {
  it('finds every byte as it was stored', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('backup', format);
    await backUp(engine, tree);
    expect(await check(tree)).toMatchObject({
      verdict: 'intact',
      exitCode: 0,
      damages: [],
      folders: [{ folder: 'INBOX', messages, intact: messages, unproved: 0, foreign: 0 }],
    });
  });

  it('names a message whose bytes have changed', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('backup', format);
    await backUp(engine, tree);
    const file = fileWith(tree.path, 'hello 3');
    writeFileSync(file, readFileSync(file, 'latin1').replace('hello 3', 'hellO 3'), 'latin1');
    const report = await check(tree);
    expect(report).toMatchObject({ verdict: 'damaged', exitCode: 7 });
    expect(report.damages).toEqual([
      expect.objectContaining({
        kind: 'damaged',
        folder: 'INBOX',
        uid: 3,
        file: expect.stringContaining(file.slice(-8)),
      }),
    ]);
  });
});

describe.each(['eml', 'maildir'] as const)('verify of a backup as %s', (format) => {
  it('names what is missing, and counts what came by other means', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    const tree = room.tree('backup', format);
    await backUp(engine, tree);
    const file = fileWith(tree.path, 'hello 5');
    rmSync(file);
    writeFileSync(join(file, '..', format === 'eml' ? 'mine.eml' : 'mine'), 'Subject: mine\n\n');
    appendFileSync(fileWith(tree.path, 'hello 6'), 'x');
    const report = await check(tree);
    expect(report.folders[0]).toMatchObject({ messages, intact: 5, foreign: 1, damages: 2 });
    expect(report.damages.map(({ kind, uid }) => [kind, uid])).toEqual([
      ['damaged', 6],
      ['missing', 5],
    ]);
  });
});
