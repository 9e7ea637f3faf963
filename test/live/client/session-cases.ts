/** Sessions: capabilities, identification, what is refused. */
import { expect } from 'vitest';
import { CommandError } from '../../../src/protocol/index.ts';
import type { LiveCase } from './scene.ts';

export const sessionCases: readonly LiveCase[] = [
  {
    name: 'says who it is and hears who the server is',
    needs: ['ID'],
    async run({ client, server }) {
      // imap4d listens and says NIL.
      const answer = server.kind === 'imap4d' ? null : expect.objectContaining({ name: expect.any(String) });
      expect(await client.id({ name: 'imap-migrate', version: '1' })).toEqual(answer);
      expect(await client.id(null)).toEqual(answer);
    },
  },
  {
    name: 'pipelines commands and gets each its own answer',
    async run({ client, newName }) {
      const names = Array.from({ length: 12 }, () => newName());
      await Promise.all(names.map((name) => client.createFolder(name)));
      const statuses = await Promise.all(names.map((name) => client.folderStatus(name, ['MESSAGES'])));
      expect(statuses.map(({ messages }) => messages)).toEqual(names.map(() => 0));
      const results = await Promise.allSettled([client.createFolder(names[0] ?? ''), client.noop()]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      expect(results[0]).toMatchObject({ reason: expect.any(CommandError) });
    },
  },
  {
    name: 'logs out in order',
    async run({ client }) {
      await client.logout();
      expect(client.closed).toBe(true);
    },
  },
];
