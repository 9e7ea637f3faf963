import { describe, expect, it, vi } from 'vitest';
import { ImapClient, ProtocolError } from '../../src/protocol/index.ts';
import {
  connectSandbox,
  type MessageQuirk,
  type SandboxMailbox,
  type SandboxOptions,
  SandboxServer,
} from '../../src/sandbox/index.ts';
import { CurrentFolder } from '../../src/worker/current-folder.ts';
import type { ListedMessages } from '../../src/worker/endpoint.ts';
import { ImapReader } from '../../src/worker/imap-reader.ts';

const everyOk = { kind: 'answer', answer: { status: 'OK', text: 'Done.' } } as const;
const everyNo = { kind: 'answer', answer: { status: 'NO', text: 'Not today.' } } as const;
const listing = (line: string) => line.includes('RFC822.SIZE');

interface Setup {
  readonly reader: ImapReader;
  readonly client: ImapClient;
  readonly server: SandboxServer;
  readonly inbox: SandboxMailbox;
}

/** A reader on an INBOX of `messages` messages, and its server. */
async function openReader(messages: number, options: { server?: SandboxOptions } = {}): Promise<Setup> {
  const server = new SandboxServer(options.server);
  const { inbox } = server.addAccount({ user: 'alice', password: 'secret' });
  for (let n = 1; n <= messages; n++) {
    inbox.append({ body: `Message-ID: <${n}@x>\r\n\r\nbody ${n}\r\n`, internalDate: '01-Feb-2020 10:00:00 +0200' });
  }
  const client = await ImapClient.connect({ host: 'x.test', tls: 'none', transport: connectSandbox(server) });
  await client.login('alice', 'secret');
  const reader = await ImapReader.open(new CurrentFolder(client), 'INBOX', { condStore: false, listFrom: null });
  return { reader, client, server, inbox };
}

function spoil(inbox: SandboxMailbox, quirk: MessageQuirk, ...uids: number[]): void {
  for (const message of inbox.messages) if (uids.includes(message.uid)) message.quirk = quirk;
}

function expunge(inbox: SandboxMailbox, ...uids: number[]): void {
  inbox.expunge(inbox.messages.filter(({ uid }) => uids.includes(uid)));
}

async function listedBy(reader: ImapReader, onWindow: (window: ListedMessages) => void = () => {}): Promise<number[]> {
  const listed: number[] = [];
  for await (const window of reader.scan()) {
    listed.push(...window.uids);
    onWindow(window);
  }
  return listed;
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const kindsOf = async (reader: ImapReader, uids: number[]) =>
  (await reader.fetch(Uint32Array.from(uids))).map(({ kind }) => kind);

describe('a message that is asked for and not sent', () => {
  it('is asked for again alone, and arrives', async () => {
    const { reader, server } = await openReader(50);
    server.faults.add({ command: 'UID FETCH' }, everyOk);
    expect(await kindsOf(reader, upTo(50))).toEqual(upTo(50).map(() => 'message'));
  });

  it('is unreadable while the server has it, not gone', async () => {
    const { reader, server } = await openReader(3);
    server.faults.add({ command: 'UID FETCH', times: Number.POSITIVE_INFINITY }, everyOk);
    const text = 'the server lists this message but does not send it';
    expect(await reader.fetch(Uint32Array.of(1, 2, 3))).toEqual(
      [1, 2, 3].map((uid) => ({ kind: 'unreadable', uid, text })),
    );
  });

  const cases: [quirk: MessageQuirk, text: RegExp][] = [
    ['absent', /does not send it/],
    ['phantom', /does not send it/],
    ['nil', /NIL/],
    ['error', /try again later/],
  ];
  it.each(cases)('is unreadable where its answer is of the kind "%s"', async (quirk, text) => {
    const { reader, inbox } = await openReader(3);
    spoil(inbox, quirk, 2);
    const fetched = await reader.fetch(Uint32Array.of(1, 2, 3), 2);
    expect(fetched.map(({ kind }) => kind)).toEqual(['message', 'unreadable', 'message']);
    expect(fetched[1]).toMatchObject({ uid: 2, text: expect.stringMatching(text) });
  });

  it('is worth asking for again, the first two times, where the server has excuses', async () => {
    const { reader, inbox } = await openReader(3);
    spoil(inbox, 'error', 2);
    for (const tries of [0, 1]) {
      await expect(reader.fetch(Uint32Array.of(1, 2, 3), tries)).rejects.toMatchObject({ responseCode: 'UNAVAILABLE' });
    }
  });

  it('is gone when the server has it no more', async () => {
    const { reader, inbox } = await openReader(3);
    expunge(inbox, 2);
    expect(await kindsOf(reader, [1, 2, 3])).toEqual(['message', 'gone', 'message']);
  });

  it('is gone when it goes while it is asked for again', async () => {
    const { reader, server, inbox } = await openReader(3);
    spoil(inbox, 'absent', 2);
    const matches = (line: string) => line.includes('(UID FLAGS)');
    server.faults.add({ command: 'UID FETCH', nth: 2, matches }, { kind: 'run', run: () => expunge(inbox, 2) });
    expect(await kindsOf(reader, [1, 2, 3])).toEqual(['message', 'gone', 'message']);
  });

  it('is not gone because SEARCH does not find it', async () => {
    const { reader, server, inbox } = await openReader(3);
    spoil(inbox, 'absent', 2);
    server.faults.add({ command: 'UID SEARCH', times: Number.POSITIVE_INFINITY }, everyOk);
    expect(await kindsOf(reader, [1, 2, 3])).toEqual(['message', 'unreadable', 'message']);
  });

  it('is not gone where nothing can be asked', async () => {
    const { reader, server } = await openReader(2);
    for (const command of ['UID FETCH', 'UID SEARCH']) {
      server.faults.add({ command, times: Number.POSITIVE_INFINITY }, everyNo);
    }
    expect(await kindsOf(reader, [1, 2])).toEqual(['unreadable', 'unreadable']);
  });

  it('costs no question when all arrive', async () => {
    const { reader, server } = await openReader(3);
    server.commandLog.splice(0);
    await reader.fetch(Uint32Array.of(1, 2, 3));
    expect(server.commandLog.map(({ name }) => name)).toEqual(['UID FETCH']);
  });
});

describe('a listing', () => {
  it('is made window by window, and no further question is asked when it is whole', async () => {
    const { reader, server } = await openReader(501);
    server.commandLog.splice(0);
    expect(await listedBy(reader)).toEqual(upTo(501));
    expect(reader.unlisted()).toBe(0);
    expect(server.commandLog.map(({ name }) => name)).toEqual(['FETCH', 'FETCH']);
  });

  it('names a message that only SEARCH knows', async () => {
    const { reader, inbox } = await openReader(5);
    spoil(inbox, 'phantom', 2, 5);
    expect((await listedBy(reader)).sort()).toEqual(upTo(5));
    expect(reader.unlisted()).toBe(0);
  });

  it('says how many messages are counted and not listed at all', async () => {
    const { reader, server, inbox } = await openReader(5);
    spoil(inbox, 'phantom', 2, 5);
    server.faults.add({ command: 'UID SEARCH' }, everyOk);
    expect(await listedBy(reader)).toEqual([1, 3, 4]);
    expect(reader.unlisted()).toBe(2);
  });

  it('says so too where the list by UID and the search are refused', async () => {
    const { reader, server, inbox } = await openReader(5);
    spoil(inbox, 'phantom', 2, 5);
    for (const command of ['UID FETCH', 'UID SEARCH']) server.faults.add({ command }, everyNo);
    expect(await listedBy(reader)).toEqual([1, 3, 4]);
    expect(reader.unlisted()).toBe(2);
  });

  it('does not take new mail for what is missing', async () => {
    const { reader, server, inbox } = await openReader(3);
    spoil(inbox, 'phantom', 2);
    server.faults.add({ command: 'UID SEARCH' }, everyOk);
    server.faults.add({ command: 'FETCH' }, { kind: 'run', run: () => void inbox.append({ body: 'x' }) });
    await listedBy(reader);
    expect(reader.unlisted()).toBe(1);
  });

  it('that one answer leaves out is made good by the list by UID', async () => {
    const { reader, server } = await openReader(600);
    server.faults.add({ command: 'FETCH' }, everyOk);
    expect((await listedBy(reader)).sort((a, b) => a - b)).toEqual(upTo(600));
    expect(reader.unlisted()).toBe(0);
  });

  it('goes on by UID when an EXPUNGE makes a window too long', async () => {
    const { reader, server } = await openReader(1_200);
    // Told with the first window's answer: the second one, sent already, ends above what then exists.
    server.faults.add({ command: 'FETCH' }, { kind: 'inject', lines: ['* 1 EXPUNGE'], at: 'after-tagged' });
    server.faults.add(
      { command: 'FETCH', nth: 2 },
      { kind: 'answer', answer: { status: 'BAD', text: 'Invalid messageset' } },
    );
    expect(await listedBy(reader)).toEqual(upTo(1_200));
    expect(reader.unlisted()).toBe(0);
  });

  it('asks for no message above what exists', async () => {
    const { reader, server, inbox } = await openReader(6_000);
    const asked: string[] = [];
    server.faults.add(
      { command: 'FETCH', times: Number.POSITIVE_INFINITY, matches: (line) => asked.push(line) > 0 },
      { kind: 'run', run: () => {} },
    );
    let windows = 0;
    for await (const { uids } of reader.scan()) {
      // Two windows are on the way by now; the third is not asked for yet.
      if (windows++ > 0) continue;
      expect(uids).toHaveLength(500);
      expunge(inbox, ...upTo(200));
      await reader.fetch(Uint32Array.of(6_000));
    }
    expect(asked.map((line) => /\d+:\d+/.exec(line)?.[0])).toEqual(['1:500', '501:5500', '5501:5800']);
    expect(reader.unlisted()).toBe(0);
  });

  it('that is refused without an EXPUNGE is an error', async () => {
    const { reader, server } = await openReader(3);
    server.faults.add({ command: 'FETCH' }, everyNo);
    await expect(listedBy(reader)).rejects.toThrow(/Not today/);
  });
});

describe('a server that tells what cannot be', () => {
  const cases: [name: string, line: string][] = [
    ['UID 0', '* 1 FETCH (UID 0 RFC822.SIZE 5)'],
    ['a UID above 32 bits', '* 1 FETCH (UID 4294967296 RFC822.SIZE 5)'],
    ['a negative UID', '* 1 FETCH (UID -1 RFC822.SIZE 5)'],
    ['a negative size', '* 1 FETCH (UID 1 RFC822.SIZE -5)'],
    ['a size above 53 bits', '* 1 FETCH (UID 1 RFC822.SIZE 99999999999999999999)'],
  ];
  it.each(cases)('such as %s breaks the protocol, in a listing and in a verification', async (_, line) => {
    for (const read of [listedBy, (reader: ImapReader) => reader.inspect({ bodies: true, uids: null, fromUid: 1 })]) {
      const { reader, server } = await openReader(2);
      server.faults.add({ command: 'FETCH', matches: listing }, { kind: 'inject', lines: [line] });
      await expect(read(reader)).rejects.toBeInstanceOf(ProtocolError);
    }
  });

  it('does not fool the list by UID either', async () => {
    const { reader, server } = await openReader(2);
    server.faults.add({ command: 'FETCH' }, everyOk);
    server.faults.add({ command: 'UID FETCH' }, { kind: 'inject', lines: ['* 2 FETCH (UID 0 RFC822.SIZE 5)'] });
    await expect(listedBy(reader)).rejects.toBeInstanceOf(ProtocolError);
  });
});

describe('a folder read for verification', () => {
  it.each<MessageQuirk>(['absent', 'phantom', 'nil', 'error'])(
    'tells a message of the kind "%s" as unreadable',
    async (quirk) => {
      const { reader, inbox } = await openReader(3);
      spoil(inbox, quirk, 2);
      const contents = await reader.inspect({ bodies: true, uids: null, fromUid: 1 });
      expect([...contents.uids]).toEqual([1, 3]);
      expect([...contents.unreadable]).toEqual([2]);
      expect(contents).toMatchObject({ unlisted: 0, complete: true });
    },
  );

  it('tells an OK without messages as unreadable messages', async () => {
    const { reader, server } = await openReader(3);
    server.faults.add({ command: 'UID FETCH', times: Number.POSITIVE_INFINITY }, everyOk);
    expect([...(await reader.inspect({ bodies: true, uids: null, fromUid: 1 })).unreadable]).toEqual([1, 2, 3]);
  });

  it('tells how many messages are counted and not listed', async () => {
    const { reader, server, inbox } = await openReader(3);
    spoil(inbox, 'phantom', 2);
    server.faults.add({ command: 'UID SEARCH', times: Number.POSITIVE_INFINITY }, everyOk);
    expect(await reader.inspect({ bodies: true, uids: null, fromUid: 1 })).toMatchObject({
      unlisted: 1,
      unreadable: new Uint32Array(),
    });
  });

  it('stops between two windows when it is told to, and says that it is not whole', async () => {
    const { reader, server } = await openReader(1_050);
    let stops = false;
    const run = () => {
      stops = true;
    };
    server.faults.add({ command: 'UID FETCH' }, { kind: 'run', run });
    const contents = await reader.inspect({ bodies: true, uids: null, fromUid: 1 }, () => stops);
    expect(contents.complete).toBe(false);
    // What was asked for before the stop still arrives.
    expect(contents.uids).toHaveLength(600);
    expect(server.commandLog.filter(({ name }) => name === 'UID FETCH')).toHaveLength(3);
  });

  it('asks for nothing more when it is told to stop while the folder is being listed', async () => {
    const { reader, server } = await openReader(1_050);
    let stops = false;
    const run = () => {
      stops = true;
    };
    server.faults.add({ command: 'FETCH' }, { kind: 'run', run });
    const contents = await reader.inspect({ bodies: false, uids: null, fromUid: 1 }, () => stops);
    expect(contents.complete).toBe(false);
    expect(server.commandLog.map(({ name }) => name)).not.toContain('UID FETCH');
  });

  it('is asked for some windows ahead, and no more than that', async () => {
    const { reader, client } = await openReader(1_900);
    let [underWay, most] = [0, 0];
    const { fetchEach } = client;
    vi.spyOn(client, 'fetchEach').mockImplementation(async (...asked) => {
      most = Math.max(most, ++underWay);
      await fetchEach.apply(client, asked).finally(() => underWay--);
    });
    const contents = await reader.inspect({ bodies: true, uids: null, fromUid: 1 });
    expect([...contents.uids]).toEqual(upTo(1_900));
    expect(most).toBe(3);
  });

  it('tells a bad message in each of several windows under way, and no other', async () => {
    const { reader, inbox } = await openReader(1_000);
    spoil(inbox, 'error', 5, 205, 405, 999);
    const contents = await reader.inspect({ bodies: true, uids: null, fromUid: 1 });
    expect([...contents.unreadable]).toEqual([5, 205, 405, 999]);
    expect([...contents.uids]).toEqual(upTo(1_000).filter((uid) => ![5, 205, 405, 999].includes(uid)));
  });

  it('ends when a server lists messages without end', async () => {
    const { reader, client } = await openReader(1);
    let listed = 0;
    vi.spyOn(client, 'fetchEach').mockImplementation(async (_set, _items, onData) => {
      for (let uid = 2; uid < 11_000_000; uid++) onData({ seq: 1, uid, size: ++listed });
    });
    await expect(reader.inspect({ bodies: false, uids: null, fromUid: 2 })).rejects.toBeInstanceOf(ProtocolError);
    expect(listed).toBe(10_000_001);
  });

  it('fails as a whole when the connection is lost with several windows under way', async () => {
    const { reader, server } = await openReader(1_000);
    server.faults.add({ command: 'UID FETCH', nth: 2 }, { kind: 'cut', at: 'before' });
    await expect(reader.inspect({ bodies: true, uids: null, fromUid: 1 })).rejects.toThrow(/connection/i);
  });
});

describe('a folder that was listed before', () => {
  const before = { uidValidity: 0, uidNext: 101, messages: 100 };
  const scanOf = async ({ reader, inbox }: Setup) => {
    const uids: number[] = [];
    for await (const window of reader.scan({ ...before, uidValidity: inbox.uidValidity })) uids.push(...window.uids);
    return { uids, unchanged: reader.unchanged };
  };
  const came = (inbox: SandboxMailbox, count: number) => {
    for (let n = 0; n < count; n++) inbox.append({ body: 'new\r\n', internalDate: '01-Feb-2020 10:00:00 +0200' });
  };
  const reopened = async ({ server, inbox }: Setup, change: (inbox: SandboxMailbox) => void): Promise<Setup> => {
    change(inbox);
    const client = await ImapClient.connect({ host: 'x.test', tls: 'none', transport: connectSandbox(server) });
    await client.login('alice', 'secret');
    const reader = await ImapReader.open(new CurrentFolder(client), 'INBOX', { condStore: false, listFrom: null });
    return { reader, client, server, inbox };
  };

  it('is asked only for what came', async () => {
    const setup = await reopened(await openReader(100), (inbox) => came(inbox, 3));
    setup.server.commandLog.length = 0;
    expect(await scanOf(setup)).toEqual({ uids: [101, 102, 103], unchanged: 100 });
    expect(setup.server.commandLog.map(({ line }) => line)).toEqual([expect.stringContaining('101:*')]);
  });

  it.each<[string, (inbox: SandboxMailbox) => void, number[]]>([
    ['something went', (inbox) => expunge(inbox, 7), upTo(100).filter((uid) => uid !== 7)],
    ['one came and one went', (inbox) => [came(inbox, 1), expunge(inbox, 7)], upTo(101).filter((uid) => uid !== 7)],
    ['nothing came', () => {}, []],
    ['all went', (inbox) => expunge(inbox, ...upTo(100)), []],
    ['it was made anew', (inbox) => inbox.changeUidValidity(), upTo(100)],
  ])('is listed as a whole where that is needed: %s', async (_, change, uids) => {
    const setup = await openReader(100);
    const { uidValidity } = setup.inbox;
    const { reader } = await reopened(setup, change);
    const listed: number[] = [];
    for await (const window of reader.scan({ ...before, uidValidity })) listed.push(...window.uids);
    expect(listed).toEqual(uids);
    expect(reader.unchanged).toBe(uids.length === 0 && reader.facts.exists === 100 ? 100 : 0);
  });
});
