import { describe, expect, it } from 'vitest';
import { messageKey } from '../../src/account.ts';
import { openTree } from '../../src/archive/tree.ts';
import { Engine, multisets } from '../support/engine.ts';
import { TreeRoom } from '../support/tree-side.ts';

describe('messages chosen from a tree', () => {
  it('are copied and nothing else; what was chosen before is not taken for gone', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    engine.source.createMailbox('Empty');
    for (let n = 1; n <= 6; n++)
      engine.source.inbox.append({ body: `Subject: ${n}\r\n\r\nhello ${n}\r\n`, flags: ['\\Seen'] });
    const backup = room.tree('backup', 'eml');
    expect((await engine.run({ target: backup })).report.exitCode).toBe(0);
    const inbox = await (await openTree({ ...backup, root: backup.path })).openFolder(['INBOX'], { forWriting: false });
    const messages = await inbox.list();
    const choose = (...uids: number[]) => ({
      ...backup,
      only: [
        {
          folder: 'INBOX',
          messages: new Set(messages.filter(({ uid }) => uids.includes(uid ?? 0)).map(messageKey)),
        },
      ],
    });
    const some = room.tree('some', 'maildir');
    const first = await engine.run({ source: choose(2, 5), target: some });
    expect(first.report).toMatchObject({ exitCode: 0, copied: 2 });
    // As many, and none with a higher UID.
    const second = await engine.run({ source: choose(3, 5), target: some });
    expect(second.report).toMatchObject({ exitCode: 0, copied: 1 });
    const restored = await engine.run({ source: some });
    expect(restored.report).toMatchObject({ exitCode: 0, copied: 3 });
    const [, ...none] = Object.entries(multisets(engine.target));
    expect(none).toEqual([]);
  });
});
