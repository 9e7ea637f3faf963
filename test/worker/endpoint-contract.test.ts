/** Accounts and trees of every kind, by one contract. */
import type { TreeSettings } from '../../src/account.ts';
import { type TreeFormat, treeFormats } from '../../src/archive/store.ts';
import { systemClock } from '../../src/clock.ts';
import { ImapEndpoint } from '../../src/worker/imap-endpoint.ts';
import { TreeEndpoint } from '../../src/worker/tree-endpoint.ts';
import { Engine } from '../support/engine.ts';
import { removeFromTree } from '../support/tree-check.ts';
import { TreeRoom } from '../support/tree-side.ts';
import { describeEndpoint, type EndpointPlace } from './endpoint-contract.ts';

describeEndpoint('an account', accountPlace, { keepsFlags: true, keepsEmptyParents: true });

for (const format of treeFormats) {
  describeEndpoint(`${format}`, () => treePlace(format), {
    keepsFlags: format === 'maildir',
    keepsEmptyParents: format !== 'eml',
  });
}
describeEndpoint('eml, compressed', () => treePlace('eml', { storeCompress: 'gzip' }), {
  keepsFlags: false,
  keepsEmptyParents: false,
});
describeEndpoint('maildir, nested', () => treePlace('maildir', { layout: 'fs' }), {
  keepsFlags: true,
  keepsEmptyParents: true,
});

function accountPlace(): EndpointPlace {
  const engine = new Engine();
  return {
    open: (side) => ImapEndpoint.open(side, engine.settings().target, engine.connect, systemClock),
    async remove(folder, uid) {
      const mailbox = engine.target.mailbox(folder);
      mailbox.expunge(mailbox.messages.filter((message) => message.uid === uid));
    },
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

function treePlace(format: TreeFormat, changes: Partial<TreeSettings> = {}): EndpointPlace {
  const room = new TreeRoom();
  const tree = room.tree('tree', format, changes);
  return {
    open: (side) => TreeEndpoint.open(side, tree, { readOnly: side === 'source' }),
    remove: (name, uid) => removeFromTree(tree, name, [uid]),
    [Symbol.dispose]: () => room[Symbol.dispose](),
  };
}
