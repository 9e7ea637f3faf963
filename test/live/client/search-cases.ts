/** Finding messages: ESEARCH, SORT, THREAD, BINARY, sequence numbers throughout. */
import { expect } from 'vitest';
import { type LiveCase, message } from './scene.ts';

/** A message that answers another one. */
function answer(subject: string, to: string): Buffer {
  const id = `<${to.replaceAll(' ', '-')}@live.example.org>`;
  return Buffer.concat([Buffer.from(`References: ${id}\r\nIn-Reply-To: ${id}\r\n`), message(subject)]);
}

const attached = Buffer.from(
  [
    'Date: Sat, 01 Feb 2003 04:05:06 +0700',
    'From: alice@example.org',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('Grüße\0!').toString('base64'),
    '',
  ].join('\r\n'),
);

export const searchCases: readonly LiveCase[] = [
  {
    name: 'asks for the ends and the number of what it finds',
    needs: ['ESEARCH'],
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('alpha'), message('beta'), message('alpha again')));
      const found = await client.searchExtended(['SUBJECT', 'alpha'], { min: true, max: true, count: true, all: true });
      expect({ ...found, all: [...(found.all ?? [])] }).toEqual({ min: 1, max: 3, count: 2, all: [1, 3] });
      expect(await client.searchExtended(['SUBJECT', 'gamma'], { count: true })).toEqual({ count: 0 });
    },
  },
  {
    name: 'has the server keep what it finds',
    needs: ['SEARCHRES'],
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('alpha'), message('beta'), message('alpha again')));
      await client.searchExtended(['SUBJECT', 'alpha'], { save: true });
      expect([...(await client.getFlags('$')).keys()]).toEqual([1, 3]);
    },
  },
  {
    name: 'sorts',
    needs: ['SORT'],
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('beta'), message('gamma', 'x'.repeat(4000)), message('Re: alpha')));
      expect([...(await client.sort(['SUBJECT']))]).toEqual([3, 1, 2]);
      expect([...(await client.sort('REVERSE SIZE', ['NOT', 'SUBJECT', 'beta']))]).toEqual([2, 3]);
    },
  },
  {
    name: 'threads',
    needs: ['THREAD=REFERENCES'],
    async run({ client, fill }) {
      const replies = [answer('Re: question', 'question'), answer('Re: question', 'question')];
      await client.selectFolder(await fill(message('question'), message('other'), ...replies));
      const threads = await client.thread();
      expect(threads.map((thread) => thread.flat(9)).sort((a, b) => b.length - a.length)).toEqual([[1, 3, 4], [2]]);
    },
  },
  {
    name: 'fetches a part decoded where the server can do that',
    async run({ client, fill, traits }) {
      await client.selectFolder(await fill(attached), { readOnly: true });
      const asked = client.fetch([1], ['BINARY.PEEK[1]', 'BINARY.SIZE[1]']);
      if (!traits.offers.includes('BINARY')) {
        await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^(NO|BAD)$/) });
        return;
      }
      const [fetched] = (await asked).values();
      expect(fetched?.sections?.get('BINARY[1]')?.toString()).toBe('Grüße\0!');
      expect([...(fetched?.binarySizes?.values() ?? [])]).toEqual([9]);
    },
  },
  {
    name: 'works with sequence numbers throughout where it is told to',
    async run({ client, fill }) {
      client.useUid = false;
      await client.selectFolder(await fill(message('first'), message('second'), message('third')));
      await client.deleteMessages([1], { silent: true });
      await client.expunge();
      expect([...(await client.search())]).toEqual([1, 2]);
      const fetched = await client.fetch([1], ['UID']);
      expect([...fetched.keys()]).toEqual([1]);
      expect(fetched.get(1)?.uid).toBe(2);
      expect([...(await client.getFlags('1:2')).keys()]).toEqual([1, 2]);
    },
  },
];
