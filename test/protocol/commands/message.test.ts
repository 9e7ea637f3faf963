import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../../src/protocol/client.ts';
import type { FetchedMessage } from '../../../src/protocol/fetched-message.ts';
import type { Unsolicited } from '../../../src/protocol/unsolicited.ts';
import { openScripted, selecting } from '../../support/scripted-session.ts';

interface Case {
  readonly name: string;
  readonly set?: string | number[];
  readonly useUid?: boolean;
  readonly items: readonly string[];
  /** Responses that belong to the command. */
  readonly own: readonly string[];
  /** Responses that do not. */
  readonly news: readonly string[];
}

const cases: Case[] = [
  {
    name: 'a body is told from flags',
    items: ['UID', 'FLAGS', 'BODY.PEEK[]'],
    set: [5, 7],
    own: ['(UID 5 FLAGS () BODY[] "x")', '(BODY[] NIL UID 7)'],
    news: ['(UID 5 FLAGS (\\Seen))', '(FLAGS (\\Seen))', '(UID 6 FLAGS () BODY[] "x")', '(BODY[] "x")'],
  },
  {
    name: 'sizes and dates are told from half an answer',
    items: ['UID', 'RFC822.SIZE', 'INTERNALDATE'],
    own: ['(UID 5 RFC822.SIZE 1 INTERNALDATE " 1-Jan-2020 00:00:00 +0000")'],
    news: ['(UID 5 RFC822.SIZE 1)', '(UID 5)'],
  },
  {
    name: 'flags are an answer where flags were asked for',
    items: ['UID', 'FLAGS'],
    own: ['(UID 5 FLAGS (\\Seen))'],
    news: ['(FLAGS (\\Seen))', '(UID 5 MODSEQ (7))'],
  },
  {
    name: 'mod-sequences likewise',
    items: ['UID', 'MODSEQ'],
    own: ['(UID 5 MODSEQ (7))'],
    news: ['(UID 5 FLAGS ())'],
  },
  {
    name: 'sections count however the server spells them',
    items: ['BODY.PEEK[HEADER.FIELDS (Message-ID)]'],
    own: ['(UID 5 BODY[HEADER.FIELDS ("MESSAGE-ID")] "x")'],
    news: ['(UID 5 BODY[] "x")'],
  },
  {
    name: 'a part of a body is a section',
    items: ['BODY.PEEK[]<0.100>'],
    own: ['(UID 5 BODY[]<0> "x")'],
    news: ['(UID 5 BODY[] "x")'],
  },
  {
    name: 'other items count by name',
    items: ['X-GM-MSGID', 'envelope'],
    own: ['(UID 5 X-GM-MSGID 1278455344230334865 ENVELOPE (NIL))'],
    news: ['(UID 5 ENVELOPE (NIL))'],
  },
  {
    name: 'a macro counts by its size',
    items: ['ALL'],
    own: ['(UID 5 FLAGS () RFC822.SIZE 5 ENVELOPE (NIL))'],
    news: ['(UID 5 FLAGS ())'],
  },
  {
    name: 'a UID alone is an answer when nothing else was asked for',
    items: ['UID'],
    own: ['(UID 5)'],
    news: ['(UID 6)'],
  },
  {
    name: 'by sequence number the UID does not matter',
    set: [3],
    useUid: false,
    items: ['UID', 'RFC822.SIZE'],
    own: ['(UID 77 RFC822.SIZE 5)'],
    news: ['(UID 3 FLAGS ())'],
  },
  {
    name: 'a set that ends with a star has the last message below it, too',
    set: '900:*',
    items: ['UID', 'RFC822.SIZE'],
    own: ['(UID 901 RFC822.SIZE 5)'],
    news: ['(UID 5 RFC822.SIZE 5)'],
  },
];

async function fetchInto(client: ImapClient, test: Case): Promise<FetchedMessage[]> {
  await client.selectFolder('INBOX');
  return [...(await client.fetch(test.set ?? [5], test.items, { useUid: test.useUid ?? true })).values()];
}

describe('a FETCH response', () => {
  it.each(cases)('$name', async (test) => {
    const responses = [...test.news, ...test.own].map((response) => `S: * 3 FETCH ${response}`).join('\n');
    const set = typeof test.set === 'string' ? test.set : (test.set ?? [5]).join(',');
    const items = test.items[0] === 'ALL' ? 'ALL' : `(${test.items.join(' ')})`;
    const { client, server } = await openScripted(`${selecting(100)}
      C: $A ${test.useUid === false ? '' : 'UID '}FETCH ${set} ${items}
      ${responses}
      S: $A OK done`);
    const news: Unsolicited[] = [];
    client.onUnsolicited = (data) => news.push(data);
    const own = await fetchInto(client, test);
    await server.done;
    expect([own.length, news.filter(({ kind }) => kind === 'fetch').length]).toEqual([
      test.own.length,
      test.news.length,
    ]);
  });

  it('of the last message belongs to a set with a star even when its UID is below', async () => {
    const { client } = await openScripted(`${selecting(100)}
      C: $A UID FETCH 900:* (UID RFC822.SIZE)
      S: * 100 FETCH (UID 850 RFC822.SIZE 5)
      S: $A OK done`);
    const own = await fetchInto(client, { name: '', set: '900:*', items: ['UID', 'RFC822.SIZE'], own: [], news: [] });
    expect(own.map(({ uid }) => uid)).toEqual([850]);
  });

  it('is delivered once for each message: what comes again is news', async () => {
    const { client } = await openScripted(`${selecting(100)}
      C: $A UID FETCH 5:9 (UID FLAGS)
      S: * 1 FETCH (UID 5 FLAGS ())
      S: * 3 FETCH (UID 9 FLAGS ())
      S: * 1 FETCH (UID 5 FLAGS (\\Seen))
      S: * 2 FETCH (UID 7 FLAGS ())
      S: * 2 FETCH (UID 7 FLAGS (\\Seen))
      S: $A OK done`);
    const news: Unsolicited[] = [];
    client.onUnsolicited = (data) => news.push(data);
    const own = await fetchInto(client, { name: '', set: '5:9', items: ['UID', 'FLAGS'], own: [], news: [] });
    expect(own.map(({ uid, flags }) => [uid, flags])).toEqual([
      [5, []],
      [9, []],
      [7, []],
    ]);
    expect(news.map((item) => (item.kind === 'fetch' ? [item.data.uid, item.data.flags] : item))).toEqual([
      [5, ['\\Seen']],
      [7, ['\\Seen']],
    ]);
  });

  it('goes to the oldest command that asked for it', async () => {
    const { client, server } = await openScripted(`${selecting()}
      C: $A UID FETCH 5:6 (UID RFC822.SIZE)
      C: $B UID FETCH 5 (UID BODY.PEEK[])
      C: $C UID FETCH 5:6 (UID RFC822.SIZE)
      S: * 5 FETCH (UID 5 BODY[] "b")
      S: * 5 FETCH (UID 5 RFC822.SIZE 1)
      S: $A OK done
      S: $B OK done
      S: * 6 FETCH (UID 6 RFC822.SIZE 2)
      S: $C OK done`);
    await client.selectFolder('INBOX');
    const results = await Promise.all([
      client.fetch('5:6', ['UID', 'RFC822.SIZE']),
      client.fetch([5], ['UID', 'BODY.PEEK[]']),
      client.fetch('5:6', ['UID', 'RFC822.SIZE']),
    ]);
    await server.done;
    expect(results.map((list) => [...list.values()].map(({ uid, size, body }) => [uid, size ?? body?.length]))).toEqual(
      [[[5, 1]], [[5, 1]], [[6, 2]]],
    );
  });

  it('with the result of a STORE is not taken for the answer of a FETCH, nor the other way round', async () => {
    const { client, server } = await openScripted(`${selecting()}
      C: $A UID STORE 5 +FLAGS (\\Seen)
      C: $B UID FETCH 5 (UID FLAGS RFC822.SIZE)
      S: * 5 FETCH (UID 5 FLAGS () RFC822.SIZE 9)
      S: * 5 FETCH (UID 5 FLAGS (\\Seen))
      S: $A OK done
      S: $B OK done`);
    await client.selectFolder('INBOX');
    const [stored, fetched] = await Promise.all([
      client.addFlags([5], ['\\Seen']),
      client.fetch([5], ['UID', 'FLAGS', 'RFC822.SIZE']),
    ]);
    await server.done;
    expect([stored.values.get(5), fetched.get(5)?.size]).toEqual([['\\Seen'], 9]);
  });
});
