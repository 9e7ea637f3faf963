/** Messages: APPEND, FETCH, SEARCH, flags, mod-sequences, news. */
import { expect } from 'vitest';
import type { FetchedMessage, ImapClient, Unsolicited } from '../../../src/protocol/index.ts';
import { type LiveCase, message, messageDate } from './scene.ts';

const allUids = '1:*';

function bytesOf(body: Buffer | null | undefined): Buffer {
  if (body === null || body === undefined) throw new Error('the server gave no bytes');
  return body;
}

/** What was fetched, in the order of its numbers. */
async function rows(client: ImapClient, ...what: Parameters<ImapClient['fetch']>): Promise<FetchedMessage[]> {
  return [...(await client.fetch(...what)).values()];
}

export const messageCases: readonly LiveCase[] = [
  {
    name: 'appends a message with flags and date, and fetches it back',
    async run({ client, newName, server, traits }) {
      const name = newName();
      await client.createFolder(name);
      const body = message('umlauts', 'Grüße aus Köln');
      const flags = traits.keywords ? ['\\Seen', 'Projekt-7'] : ['\\Seen'];
      const { uidValidity, uids } = await client.append(name, { body, flags, internalDate: messageDate });
      const selected = await client.selectFolder(name, { readOnly: true });
      if (traits.offers.includes('UIDPLUS')) {
        expect({ uidValidity, uids }).toEqual({ uidValidity: selected.uidValidity, uids: [1] });
      } else expect({ uidValidity, uids }).toEqual({ uidValidity: null, uids: null });
      const fetched = await rows(client, allUids, ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'BODY.PEEK[]']);
      expect(fetched).toHaveLength(1);
      const [data] = fetched;
      expect(data).toMatchObject({ seq: 1, uid: 1, flags: expect.arrayContaining(flags) });
      // imap4d keeps the hour and forgets the zone.
      const instant = server.kind === 'imap4d' ? Date.UTC(2003, 1, 1, 4, 5, 6) : Date.UTC(2003, 0, 31, 21, 5, 6);
      expect(data?.internalDate?.getTime()).toBe(instant);
      if (traits.exactBytes) {
        expect(data?.size).toBe(body.length);
        expect(bytesOf(data?.body).equals(body)).toBe(true);
      } else expect(bytesOf(data?.body).toString()).toContain('Grüße aus Köln');
    },
  },
  {
    name: 'appends several messages in one command',
    needs: ['MULTIAPPEND'],
    async run({ client, newName }) {
      const name = newName();
      await client.createFolder(name);
      const messages = ['first', 'second', 'third'].map((subject, index) => ({
        body: message(subject),
        flags: index === 1 ? ['\\Flagged'] : [],
        internalDate: new Date(Date.UTC(2001, index, 1)),
      }));
      expect((await client.multiappend(name, messages)).uids).toEqual([1, 2, 3]);
      await client.selectFolder(name, { readOnly: true });
      const fetched = await rows(client, allUids, ['FLAGS', 'INTERNALDATE', 'BODY.PEEK[]']);
      for (const [index, sent] of messages.entries()) {
        expect(bytesOf(fetched[index]?.body).equals(sent.body)).toBe(true);
        expect(fetched[index]?.flags?.includes('\\Flagged')).toBe(index === 1);
        expect(fetched[index]?.internalDate).toEqual(sent.internalDate);
      }
    },
  },
  {
    name: 'passes a message of two megabytes both ways',
    async run({ client, newName, traits }) {
      const name = newName();
      await client.createFolder(name);
      const body = message('big', `${'0123456789abcdef'.repeat(4)}\r\n`.repeat(32_000));
      await client.append(name, { body, internalDate: messageDate });
      await client.selectFolder(name, { readOnly: true });
      const [data] = await rows(client, [1], ['BODY.PEEK[]']);
      const got = bytesOf(data?.body);
      if (traits.exactBytes) expect(got.equals(body)).toBe(true);
      else expect(got.length).toBeGreaterThanOrEqual(body.length);
    },
  },
  {
    name: 'fetches envelope, structure, chosen headers and parts of a body',
    async run({ client, fill, traits }) {
      await client.selectFolder(await fill(message('first'), message('parts', 'abcdefghij')), { readOnly: true });
      const asked = ['ENVELOPE', 'BODYSTRUCTURE', 'BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]', 'BODY.PEEK[TEXT]<2.3>'];
      const fetched = await rows(client, [2], asked);
      expect(fetched).toHaveLength(1);
      const { envelope, bodyStructure, sections } = fetched[0] ?? {};
      expect(envelope?.subject).toBe('parts');
      expect(bodyStructure).toMatchObject({ isMultipart: false, type: 'text' });
      // Courier quotes the header's name, imap4d writes it in another case.
      const header = sections?.get('BODY[HEADER.FIELDS (MESSAGE-ID)]');
      expect(bytesOf(header).toString()).toMatch(/^Message-ID: <parts@live\.example\.org>\r\n\r\n$/i);
      if (traits.exactBytes) expect(bytesOf(sections?.get('BODY[TEXT]<2>')).toString()).toBe('cde');
    },
  },
  {
    name: 'fetches by sequence numbers too',
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('first'), message('second'), message('third')));
      await client.addFlags([1], ['\\Deleted']);
      const name = client.selected?.name ?? '';
      await client.closeFolder();
      await client.selectFolder(name, { readOnly: true });
      const bySeq = await rows(client, [1], ['UID'], { useUid: false });
      expect(bySeq).toMatchObject([{ seq: 1, uid: 2 }]);
      expect(await rows(client, [1], ['FLAGS'])).toEqual([]);
    },
  },
  {
    name: 'adds, removes and sets flags',
    async run({ client, fill, traits }) {
      await client.selectFolder(await fill(message('first'), message('second')));
      const flagsOf = async (uid: number) => {
        const [data] = await rows(client, [uid], ['FLAGS']);
        return (data?.flags ?? []).filter((flag) => flag !== '\\Recent').sort();
      };
      const stored = await client.addFlags([1, 2], ['\\Seen', '\\Flagged']);
      expect([...stored.values.keys()]).toEqual([1, 2]);
      expect(await flagsOf(2)).toEqual(['\\Flagged', '\\Seen']);
      await client.removeFlags([1], ['\\Flagged']);
      expect(await flagsOf(1)).toEqual(['\\Seen']);
      expect((await client.setFlags([1], ['\\Draft'], { silent: true })).values.size).toBe(0);
      expect(await flagsOf(1)).toEqual(['\\Draft']);
      if (!traits.keywords) return;
      await client.addFlags([2], ['$Forwarded', 'Projekt-7']);
      expect(await flagsOf(2)).toEqual(['$Forwarded', 'Projekt-7', '\\Flagged', '\\Seen'].sort());
    },
  },
  {
    name: 'searches by flag, text, date and size',
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('alpha'), message('beta'), message('gamma', 'x'.repeat(5000))));
      await client.addFlags([2], ['\\Flagged']);
      const search = async (...criteria: Parameters<typeof client.search>[0] & readonly unknown[]) => [
        ...(await client.search(criteria as Parameters<typeof client.search>[0])),
      ];
      expect(await search('ALL')).toEqual([1, 2, 3]);
      expect(await search('FLAGGED')).toEqual([2]);
      expect(await search('NOT', 'FLAGGED', 'SUBJECT', 'alpha')).toEqual([1]);
      expect(await search('LARGER', 4000)).toEqual([3]);
      expect(await search('SINCE', new Date(Date.UTC(2003, 0, 30)), 'UID', '2:3')).toEqual([2, 3]);
      expect(await search('SUBJECT', 'nothing of the kind')).toEqual([]);
    },
  },
  {
    name: 'searches for words that are not ASCII',
    async run({ client, fill }) {
      await client.selectFolder(await fill(message('plain'), message('=?utf-8?q?gr=C3=BC=C3=9Fe?=')));
      expect([...(await client.search(['SUBJECT', 'grüße']))]).toEqual([2]);
    },
  },
  {
    name: 'follows mod-sequences',
    needs: ['CONDSTORE'],
    async run({ client, fill }) {
      const name = await fill(message('first'), message('second'), message('third'));
      const { highestModSeq } = await client.selectFolder(name, { condStore: true });
      if (highestModSeq === null) throw new Error('a CONDSTORE server without HIGHESTMODSEQ');
      await client.addFlags([2], ['\\Flagged']);
      const changed = await rows(client, allUids, ['UID', 'FLAGS'], { changedSince: highestModSeq });
      expect(changed).toMatchObject([{ uid: 2, modSeq: expect.any(BigInt) }]);
      expect(changed[0]?.modSeq).toBeGreaterThan(highestModSeq);
      const stored = await client.addFlags([1, 2], ['\\Seen'], { unchangedSince: highestModSeq });
      expect([...(stored.modified ?? [])]).toEqual([2]);
    },
  },
  {
    name: 'enables CONDSTORE and QRESYNC',
    needs: ['ENABLE'],
    async run({ client, traits }) {
      const enabled = await client.enable('CONDSTORE', 'QRESYNC');
      if (traits.offers.includes('CONDSTORE')) expect(enabled).toEqual(expect.arrayContaining(['QRESYNC']));
    },
  },
  {
    name: 'fetches what newer servers know about a message',
    async run({ client, fill, traits }) {
      const optional = (
        [
          ['OBJECTID', 'EMAILID', 'emailId'],
          ['PREVIEW', 'PREVIEW', 'preview'],
          ['SAVEDATE', 'SAVEDATE', 'saveDate'],
        ] as const
      ).filter(([capability]) => traits.offers.includes(capability));
      await client.selectFolder(await fill(message('first')), { readOnly: true });
      const [data] = await rows(client, [1], ['UID', ...optional.map(([, item]) => item)]);
      expect(data?.uid).toBe(1);
      for (const [, , key] of optional) expect(data?.[key], key).toBeDefined();
    },
  },
  {
    name: 'hears of mail that arrives and goes in another session',
    async run({ client, fill, openAnother, server }) {
      const name = await fill(message('first'), message('second'));
      await client.selectFolder(name);
      const news: Unsolicited[] = [];
      client.onUnsolicited = (item) => news.push(item);
      await using other = await openAnother();
      await other.append(name, { body: message('third'), internalDate: messageDate });
      await client.noop();
      expect(client.selected?.exists).toBe(3);
      expect(news.map(({ kind }) => kind)).toContain('exists');
      // imap4d tells nobody of an expunge.
      if (server.kind === 'imap4d') return;
      await other.selectFolder(name);
      await other.addFlags([1], ['\\Deleted'], { silent: true });
      await other.closeFolder();
      await client.noop();
      expect(client.selected?.exists).toBe(2);
      expect(news.map(({ kind }) => kind)).toContain('expunge');
    },
  },
];
