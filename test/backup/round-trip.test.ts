import { describe, expect, it } from 'vitest';
import { treeFormats } from '../../src/archive/store.ts';
import { awkwardBodies } from '../archive/awkward-bodies.ts';
import { Engine, multisets } from '../support/engine.ts';
import { TreeRoom } from '../support/tree-side.ts';

describe.each(treeFormats)('a backup as %s', (format) => {
  it('gives a new account all that the old one had', async () => {
    using engine = new Engine();
    using room = new TreeRoom();
    fill(engine);
    const tree = room.tree('backup', format);
    const saved = await engine.run({ target: tree });
    expect(saved.report).toMatchObject({ verdict: 'complete', exitCode: 0 });
    const restored = await engine.run({ source: tree });
    expect(restored.report).toMatchObject({ verdict: 'complete', exitCode: 0 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

/** Folders and messages of every kind that has made trouble. */
function fill(engine: Engine): void {
  const dates = ['01-Jan-1999 00:00:00 +0000', '14-Jul-2019 14:30:05 +0530', '29-Feb-2024 23:59:59 -0800'];
  const flags = [[], ['\\Seen'], ['\\Flagged', '\\Answered', '$Label1'], ['\\Draft', '$Forwarded']];
  for (const name of ['INBOX', 'Sent', 'Projects/2019', 'Projects/a.b', 'Entwürfe']) {
    const mailbox = name === 'INBOX' ? engine.source.inbox : engine.source.createMailbox(name);
    // No server takes a message of nothing at all.
    for (const [index, { body }] of awkwardBodies.filter(({ body }) => body.length > 0).entries()) {
      mailbox.append({ body, flags: at(flags, index), internalDate: at(dates, index) });
    }
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length] as Item;
}
