/** Folders: names, listing, STATUS, SELECT, quotas. */
import { expect } from 'vitest';
import { CommandError, encodeFolderName } from '../../../src/protocol/index.ts';
import { type LiveCase, message } from './scene.ts';

export const folderCases: readonly LiveCase[] = [
  {
    name: 'is told the namespace',
    needs: ['NAMESPACE'],
    async run({ client, traits }) {
      const { personal } = await client.namespace();
      expect(personal[0]).toMatchObject({ prefix: traits.prefix, delimiter: traits.delimiter });
    },
  },
  {
    name: 'creates, lists, renames and deletes a folder whose name is not ASCII',
    async run({ client, newName, traits }) {
      const [from, to] = [newName('Été & Söhne'), newName('日本語')];
      const list = async () => (await client.listFolders('', '*')).map(({ name }) => name);
      await client.createFolder(from);
      expect(await list()).toContain(from);
      await client.renameFolder(from, to);
      const renamed = await client.listFolders('', '*');
      const found = renamed.find(({ name }) => name === to);
      expect(found).toMatchObject({ rawName: encodeFolderName(to), delimiter: traits.delimiter });
      expect(renamed.map(({ name }) => name)).not.toContain(from);
      await client.deleteFolder(Buffer.from(found?.rawName ?? '', 'latin1'));
      expect(await list()).not.toContain(to);
    },
  },
  {
    name: 'subscribes and unsubscribes',
    async run({ client, newName }) {
      const name = newName();
      const listed = async () => (await client.listSubFolders('', '*')).map((folder) => folder.name);
      await client.createFolder(name);
      await client.subscribeFolder(name);
      expect(await listed()).toContain(name);
      await client.unsubscribeFolder(name);
      expect(await listed()).not.toContain(name);
    },
  },
  {
    name: 'asks LIST for subscriptions',
    needs: ['LIST-EXTENDED'],
    async run({ client, newName }) {
      const [kept, other] = [newName(), newName()];
      for (const name of [kept, other]) await client.createFolder(name);
      await client.subscribeFolder(kept);
      const folders = await client.listFolders('', '*', { returnSubscribed: true });
      const subscribed = folders
        .filter(({ attributes }) => attributes.includes('\\Subscribed'))
        .map(({ name }) => name);
      expect(subscribed).toContain(kept);
      expect(subscribed).not.toContain(other);
    },
  },
  {
    name: 'asks LIST for the status of every folder',
    needs: ['LIST-STATUS'],
    async run({ client, fill }) {
      const name = await fill(message('first'), message('second'));
      const folders = await client.listFolders('', '*', { returnStatus: ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'] });
      expect(folders.find((folder) => folder.name === name)?.status).toEqual({
        messages: 2,
        uidNext: 3,
        uidValidity: expect.any(Number),
      });
      expect(folders.every(({ status }) => status !== null)).toBe(true);
    },
  },
  {
    name: 'asks LIST which folder is for what',
    needs: ['SPECIAL-USE'],
    async run({ client }) {
      const folders = await client.listFolders('', '*', { returnSpecialUse: true });
      const uses = new Map(folders.map(({ name, attributes }) => [name, attributes.map((word) => word.toLowerCase())]));
      expect(uses.get('Sent')).toContain('\\sent');
      expect(uses.get('Trash')).toContain('\\trash');
      expect(uses.get('INBOX')).not.toContain('\\sent');
    },
  },
  {
    name: 'creates a folder for a use',
    needs: ['CREATE-SPECIAL-USE'],
    async run({ client, newName }) {
      const name = newName();
      await client.createFolder(name, { specialUse: ['\\Archive'] });
      const folders = await client.listFolders('', '*', { returnSpecialUse: true });
      const made = folders.find((folder) => folder.name === name);
      expect(made?.attributes.map((word) => word.toLowerCase())).toContain('\\archive');
    },
  },
  {
    name: 'asks for STATUS',
    async run({ client, fill }) {
      const name = await fill(message('first'), message('second'), message('third'));
      const status = await client.folderStatus(name, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN']);
      expect(status).toEqual({ messages: 3, uidNext: 4, uidValidity: expect.any(Number), unseen: 3 });
    },
  },
  {
    name: 'asks for more in STATUS where more is offered',
    async run({ client, fill, traits }) {
      const name = await fill(message('first'), message('second'));
      if (traits.offers.includes('STATUS=SIZE')) {
        expect((await client.folderStatus(name, ['SIZE'])).size).toBe(
          message('first').length + message('second').length,
        );
      }
      if (traits.offers.includes('CONDSTORE')) {
        expect((await client.folderStatus(name, ['HIGHESTMODSEQ'])).highestModSeq).toBeGreaterThan(0n);
      }
      if (traits.offers.includes('OBJECTID')) {
        expect((await client.folderStatus(name, ['MAILBOXID'])).mailboxId).toMatch(/^[\w-]+$/);
      }
      expect((await client.folderStatus(name, ['MESSAGES'])).messages).toBe(2);
    },
  },
  {
    name: 'selects a folder to write, and one to read only',
    async run({ client, fill, traits }) {
      const name = await fill(message('first'), message('second'));
      const written = await client.selectFolder(name);
      expect(written).toMatchObject({ name, exists: 2, readOnly: false });
      expect(written.uidValidity).toBeGreaterThan(0);
      expect(written.flags).toEqual(expect.arrayContaining(['\\Seen', '\\Deleted']));
      if (traits.keywords) expect(written.permanentFlags).toContain('\\*');
      else expect(written.permanentFlags ?? []).not.toContain('\\*');
      expect(await client.selectFolder(name, { readOnly: true })).toMatchObject({ exists: 2, readOnly: true });
      expect(client.selected?.readOnly).toBe(true);
    },
  },
  {
    name: 'hears NO to a folder that does not exist, and goes on',
    async run({ client, newName }) {
      const missing = newName();
      const refused = await client.selectFolder(missing).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(CommandError);
      expect(refused).toMatchObject({ code: 'NO', command: 'SELECT' });
      expect(client.selected).toBeNull();
      await expect(client.deleteFolder(missing)).rejects.toBeInstanceOf(CommandError);
      await client.noop();
    },
  },
  {
    name: 'leaves a folder without expunging',
    needs: ['UNSELECT'],
    async run({ client, fill }) {
      const name = await fill(message('first'), message('second'));
      await client.selectFolder(name);
      await client.addFlags([1], ['\\Deleted']);
      await client.unselectFolder();
      expect(client.selected).toBeNull();
      expect((await client.folderStatus(name, ['MESSAGES'])).messages).toBe(2);
    },
  },
  {
    name: 'closes a folder, which expunges',
    async run({ client, fill }) {
      const name = await fill(message('first'), message('second'));
      await client.selectFolder(name);
      await client.addFlags([1], ['\\Deleted'], { silent: true });
      await client.closeFolder();
      expect((await client.folderStatus(name, ['MESSAGES'])).messages).toBe(1);
    },
  },
  {
    name: 'reads quotas',
    needs: ['QUOTA'],
    async run({ client, server, traits }) {
      const { roots, quotas } = await client.getQuotaRoot('INBOX');
      const storage = quotas.filter(({ resource }) => resource === 'STORAGE').map(({ limit }) => limit);
      expect(storage).toEqual(traits.quotaKiB === null ? [] : [traits.quotaKiB]);
      const [root] = roots;
      if (root === undefined) return;
      const asked = client.getQuota(root);
      // Cyrus tells it to administrators only.
      if (server.kind === 'cyrus') await expect(asked).rejects.toMatchObject({ code: 'NO' });
      else expect(await asked).toEqual(quotas);
    },
  },
];
