/** What changes a folder: copies, moves, expunges; and how another session learns of it. */
import { expect } from 'vitest';
import { specialUses, type Unsolicited } from '../../../src/protocol/index.ts';
import { type LiveCase, message, messageDate } from './scene.ts';

export const changeCases: readonly LiveCase[] = [
  {
    name: 'copies messages and is told their new UIDs',
    async run({ client, fill, newName, traits }) {
      const [from, to] = [await fill(message('first'), message('second'), message('third')), newName()];
      const { mailboxId } = await client.createFolder(to);
      if (traits.offers.includes('OBJECTID')) expect(mailboxId).toMatch(/^[\w-]+$/);
      else expect(mailboxId).toBeNull();
      await client.selectFolder(from);
      const copied = await client.copy([1, 3], to);
      if (traits.offers.includes('UIDPLUS')) {
        expect([...(copied?.sourceUids ?? [])]).toEqual([1, 3]);
        expect([...(copied?.targetUids ?? [])]).toEqual([1, 2]);
      } else expect(copied).toBeNull();
      expect(await client.folderStatus(to, ['MESSAGES'])).toEqual({ messages: 2 });
      expect(client.selected?.exists).toBe(3);
    },
  },
  {
    name: 'moves messages',
    needs: ['MOVE'],
    async run({ client, fill, newName }) {
      const [from, to] = [await fill(message('first'), message('second'), message('third')), newName()];
      await client.createFolder(to);
      await client.selectFolder(from);
      const moved = await client.move('2:3', to);
      expect([...(moved?.targetUids ?? [])]).toEqual([1, 2]);
      expect(client.selected?.exists).toBe(1);
      expect(await client.folderStatus(to, ['MESSAGES'])).toEqual({ messages: 2 });
    },
  },
  {
    name: 'expunges what is marked deleted',
    async run({ client, fill, server }) {
      await client.selectFolder(await fill(message('first'), message('second'), message('third')));
      await client.deleteMessages([1, 3], { silent: true });
      expect(
        [...(await client.getFlags('1:3')).entries()].filter(([, flags]) => flags.includes('\\Deleted')),
      ).toHaveLength(2);
      // imap4d does it and tells nobody.
      expect(await client.expunge()).toBe(server.kind === 'imap4d' ? 0 : 2);
      expect([...(await client.search())]).toEqual([2]);
      await client.check();
    },
  },
  {
    name: 'expunges only the messages it names',
    needs: ['UIDPLUS'],
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('first'), message('second'), message('third')));
      await client.deleteMessages('1:3');
      expect(await client.uidExpunge([2])).toBe(1);
      expect([...(await client.search())]).toEqual([1, 3]);
    },
  },
  {
    name: 'changes nothing in a folder that was selected read-only',
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('first')), { readOnly: true });
      await expect(client.addFlags([1], ['\\Seen'])).rejects.toMatchObject({ code: 'READONLY' });
      await expect(client.expunge()).rejects.toMatchObject({ code: 'READONLY' });
      expect([...((await client.getFlags([1])).get(1) ?? [])]).not.toContain('\\Seen');
    },
  },
  {
    name: 'catches up with what happened in its absence',
    needs: ['QRESYNC'],
    async run({ client, fill, openAnother }) {
      const name = await fill(...['first', 'second', 'third', 'fourth'].map((subject) => message(subject)));
      await client.enable('QRESYNC');
      const { uidValidity, highestModSeq } = await client.selectFolder(name, { condStore: true });
      await client.unselectFolder();
      await using other = await openAnother();
      await other.selectFolder(name);
      await other.deleteMessages([2], { silent: true });
      await other.uidExpunge([2]);
      await other.addFlags([3], ['\\Flagged'], { silent: true });
      const qresync = { uidValidity: uidValidity ?? 0, modSeq: highestModSeq ?? 0n, knownUids: '1:4' };
      const { resync, exists } = await client.selectFolder(name, { qresync });
      expect(exists).toBe(3);
      expect(resync?.vanished).toBe('2');
      expect([...(resync?.changed.keys() ?? [])]).toEqual([3]);
      expect(resync?.changed.get(3)?.flags).toContain('\\Flagged');
      const fetched = await client.fetch('1:*', ['FLAGS'], { changedSince: highestModSeq ?? 0n, vanished: true });
      expect([...fetched.keys()]).toEqual([3]);
      expect(fetched.vanished).toBe('2');
    },
  },
  {
    name: 'idles until something happens, and lets commands through meanwhile',
    needs: ['IDLE'],
    async run({ client, fill, openAnother, newName, server }) {
      const name = await fill(message('first'));
      await client.selectFolder(name);
      const idle = client.idle();
      await client.createFolder(newName());
      if (server.kind === 'imap4d') {
        // It listens, and never says a word.
        expect(await client.idleDone()).toEqual([]);
        return;
      }
      await using other = await openAnother();
      await other.append(name, { body: message('second'), internalDate: messageDate });
      const heard: Unsolicited['kind'][] = [];
      for await (const news of idle) {
        heard.push(news.kind);
        if (news.kind === 'exists') break;
      }
      expect(heard).toContain('exists');
      expect(client.selected?.exists).toBe(2);
      await client.noop();
    },
  },
  {
    name: 'finds folders by their use, and tells whether one exists',
    async run({ client, newName, server, traits }) {
      const sent = await client.findSpecialFolder(specialUses.sent);
      if (traits.offers.includes('SPECIAL-USE')) expect(sent?.name).toBe('Sent');
      else if (server.kind === 'courier') expect(sent).toBeNull();
      const name = newName('Größe');
      expect(await client.folderExists(name)).toBe(false);
      await client.createFolder(name);
      expect(await client.folderExists(name)).toBe(true);
      await client.deleteFolder(name);
      expect(await client.folderExists(name)).toBe(false);
      expect(await client.folderExists('inbox')).toBe(true);
    },
  },
];
