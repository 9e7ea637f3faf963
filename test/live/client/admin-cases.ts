/** Administration: ACL, METADATA, quotas, NOTIFY, commands the client does not know. */
import { expect } from 'vitest';
import { atom, CapabilityError, type Unsolicited } from '../../../src/protocol/index.ts';
import { cyrusAdmin } from '../../support/servers/index.ts';
import { type LiveCase, message, messageDate } from './scene.ts';

export const adminCases: readonly LiveCase[] = [
  {
    name: 'reads and changes who may do what',
    needs: ['ACL'],
    async run({ client, newName, server }) {
      const name = newName();
      const guest = server.users[1] ?? '';
      await client.createFolder(name);
      expect(await client.myrights(name)).toMatch(/^(?=.*l)(?=.*r)(?=.*a)\w+$/);
      const rightsOf = async () => (await client.getacl(name)).find(({ identifier }) => identifier === guest)?.rights;
      expect(await rightsOf()).toBeUndefined();
      await client.setacl(name, guest, 'lr');
      expect(await rightsOf()).toBe('lr');
      await client.setacl(name, guest, '+s');
      expect([...((await rightsOf()) ?? '')].sort()).toEqual(['l', 'r', 's']);
      await client.setacl(name, guest, '-r');
      expect([...((await rightsOf()) ?? '')].sort()).toEqual(['l', 's']);
      await client.deleteacl(name, guest);
      expect(await rightsOf()).toBeUndefined();
      const choice = await client.listrights(name, guest);
      expect(choice.required + choice.optional.join('')).toMatch(/(?=.*l)(?=.*r)/);
    },
  },
  {
    name: 'asks LIST for the own rights',
    needs: ['LIST-MYRIGHTS'],
    async run({ client, newName }) {
      const name = newName();
      await client.createFolder(name);
      const folders = await client.listFolders('', name, { returnMyRights: true });
      expect(folders).toMatchObject([{ name, rights: await client.myrights(name) }]);
    },
  },
  {
    name: 'writes, reads and removes metadata',
    needs: ['METADATA'],
    async run({ client, newName }) {
      const name = newName();
      const entry = '/private/comment';
      await client.createFolder(name);
      const read = async () => (await client.getMetadata(name, entry)).entries.get(entry) ?? null;
      expect(await read()).toBeNull();
      await client.setMetadata(name, { [entry]: 'Grüße\r\nzweite Zeile' });
      expect((await read())?.toString()).toBe('Grüße\r\nzweite Zeile');
      await client.setMetadata(name, { [entry]: Buffer.from('bytes') });
      // RFC 5464 says both orders, in its grammar and in its examples: Dovecot takes options in front of the name alone.
      const below = await client.getMetadata(name, '/private', { depth: 1 });
      expect(below).toMatchObject({ longestSkipped: null });
      expect(below.entries.get(entry)?.toString()).toBe('bytes');
      expect((await client.getMetadata(name, '/private', { depth: 0 })).entries.has(entry)).toBe(false);
      expect(await client.getMetadata(name, entry, { maxSize: 3 })).toEqual({ entries: new Map(), longestSkipped: 5 });
      const small = await client.getMetadata(name, '/private', { maxSize: 3, depth: 'infinity' });
      expect(small.longestSkipped).toBe(5);
      expect(small.entries.has(entry)).toBe(false);
      await client.setMetadata(name, { [entry]: null });
      expect(await read()).toBeNull();
    },
  },
  {
    name: 'sets a quota where it may',
    needs: ['QUOTA'],
    async run({ client, server, openAs }) {
      if (server.kind !== 'cyrus') {
        const refused = await client.setQuota('ROOT', { STORAGE: 1 }).catch((error: unknown) => error);
        if (refused instanceof CapabilityError) throw refused;
        expect(refused).toMatchObject({ code: 'NO' });
        return;
      }
      const admin = await openAs(cyrusAdmin);
      const root = `user/${server.users[1]}`;
      await openAs(server.users[1] ?? '');
      await admin.setQuota(root, { STORAGE: 2048, MESSAGE: 100 });
      const quotas = await admin.getQuota(root);
      expect(Object.fromEntries(quotas.map(({ resource, limit }) => [resource, limit]))).toEqual({
        STORAGE: 2048,
        MESSAGE: 100,
      });
    },
  },
  {
    name: 'is notified of what happens in other folders',
    needs: ['NOTIFY'],
    async run({ client, fill, openAnother }) {
      const name = await fill(message('first'));
      const heard = new Promise<Unsolicited>((resolve) => {
        client.on('folderStatus', (news) => news.name === name && resolve(news));
      });
      await client.notify([{ folders: 'personal', events: ['MessageNew', 'MessageExpunge'] }]);
      await using other = await openAnother();
      await other.append(name, { body: message('second'), internalDate: messageDate });
      expect(await heard).toMatchObject({ kind: 'folderStatus', status: { messages: 2 } });
      await client.notify(null);
    },
  },
  {
    name: 'sends commands that it does not know',
    async run({ client, fill }) {
      const name = await fill(message('first'));
      const { responses } = await client.command('STATUS', name, [atom('MESSAGES')]);
      expect(responses).toMatchObject([{ kind: 'data', name: 'STATUS' }]);
      // imap4d leaves the quotes of a name with a blank away: that makes it two values.
      const [status] = responses.flatMap((response) => (response.kind === 'data' ? [response.values.at(-1)] : []));
      expect(status).toEqual(['MESSAGES', expect.anything()]);
      await expect(client.command('X-NOSUCH')).rejects.toMatchObject({ code: expect.stringMatching(/^(NO|BAD)$/) });
      await client.noop();
    },
  },
];
