/** The live tests' own tools: a comparison that cannot fail, or a proxy that refuses nothing, would prove nothing. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type AccountDump,
  alterFlags,
  compareDumps,
  dumpAccount,
  dumpSubscriptions,
  dumpWithImapflow,
  findMessage,
} from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { quote, RawImap, type RawMessage } from '../support/imap-raw.ts';
import { type ExtensionName, FilterProxy, type ProxyOptions } from '../support/proxy.ts';
import {
  type AccountAccess,
  accessTo,
  type ServerInstance,
  startCourier,
  startDovecot,
  startImap4d,
} from '../support/servers/index.ts';
import { availableServers, closeAfterAll } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const body = Buffer.from('Subject: one\r\n\r\nbody\r\n');
const message = { body, flags: ['\\Seen'], internalDate: '01-Feb-2003 04:05:06 +0700' };

test('the corpus is the same for the same seed, of the promised size, and every folder but one has mail', () => {
  const options = { messages: 400, maxBytes: 100_000 };
  const corpus = generateCorpus(options);
  const digest = (each: Corpus) => {
    const hash = createHash('sha256');
    for (const { path, messages } of each.folders) {
      hash.update(path.join('/'));
      for (const { body, flags, internalDate } of messages) hash.update(body).update(`${flags} ${internalDate}`);
    }
    return hash.digest('hex');
  };
  expect(corpus.messages).toBe(400);
  expect(digest(generateCorpus(options))).toBe(digest(corpus));
  expect(digest(generateCorpus({ ...options, seed: 2 }))).not.toBe(digest(corpus));
  expect(corpus.folders.filter((folder) => folder.messages.length === 0).map(({ path }) => path)).toEqual([['Leer']]);
});

describe.skipIf(!servers.dovecot)('on Dovecot', () => {
  let dovecot: ServerInstance;
  let alice: AccountAccess;
  let bob: AccountAccess;
  let corpus: Corpus;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    alice = accessTo(dovecot, 'alice');
    bob = accessTo(dovecot, 'bob');
    corpus = generateCorpus({ messages: 300, maxBytes: 200_000 });
    await loadCorpus(alice, corpus);
    await copyNaively(alice, bob);
  });

  test('a loaded account holds what the corpus says', async () => {
    const dump = await dumpAccount(alice);
    expect([...dump.values()].flat()).toHaveLength(300);
    expect([...dump.keys()].sort()).toEqual(corpus.folders.map(({ path }) => path.join('/')).sort());
    expect(await dumpSubscriptions(alice)).toEqual(
      corpus.folders
        .filter(({ subscribed }) => subscribed)
        .map(({ path }) => path.join('/'))
        .sort(),
    );
  });

  test('two clients that share no code read the same account', async () => {
    expect(compareDumps(await dumpAccount(alice), await dumpWithImapflow(alice))).toEqual([]);
  });

  test('a faithful copy compares as equal', async () => {
    expect(compareDumps(await dumpAccount(alice), await dumpAccount(bob))).toEqual([]);
  });

  test('each kind of difference is found', async () => {
    const left = await dumpAccount(alice);
    const inbox = left.get('INBOX') ?? [];
    const change = (messages: typeof inbox) => compareDumps(left, new Map([...left, ['INBOX', messages]]));
    const [first, second, ...rest] = inbox;
    if (first === undefined || second === undefined) throw new Error('an INBOX without mail');
    expect(change([{ ...first, digest: 'x' }, second, ...rest])).toHaveLength(2);
    expect(change([{ ...first, time: 0 }, second, ...rest])).toHaveLength(2);
    expect(change([{ ...first, flags: ['\\x'] }, second, ...rest])).toHaveLength(2);
    expect(change([{ ...first, keywords: ['x'] }, second, ...rest])).toHaveLength(2);
    expect(change([second, ...rest])).toHaveLength(2);
    expect(change([first, first, second, ...rest])).toHaveLength(2);
    expect(change([...rest, second, first])).toHaveLength(1);
    expect(compareDumps(left, new Map([...left].slice(1)))).toHaveLength(1);
    expect(compareDumps(left, new Map([...left, ['new', []]]))).toEqual(['new: only on the right']);
  });

  test('a mark in the header is overlooked where that is asked for, and only there', async () => {
    const marked = (head: string) => ({ ...message, body: Buffer.from(`${head}Subject: one\r\n\r\nX-Mark: 1\r\n`) });
    const dumps: AccountDump[] = [];
    for (const [user, head] of [
      ['erin', ''],
      ['frank', 'X-Mark: 1\r\n'],
      ['grace', 'To: a\r\nX-Mark: 1\r\n'],
    ] as const) {
      await using client = await RawImap.open(accessTo(dovecot, user));
      await client.append('INBOX', [marked(head)]);
      dumps.push(await dumpAccount(accessTo(dovecot, user), { withoutHeader: 'X-Mark' }));
      if (head !== '')
        expect(compareDumps(dumps[0] ?? new Map(), await dumpAccount(accessTo(dovecot, user)))).toHaveLength(2);
    }
    const [none = new Map(), first = new Map(), second = new Map()] = dumps;
    expect(compareDumps(none, first)).toEqual([]);
    expect(compareDumps(none, second)).toHaveLength(2);
  });

  test('a flag changed behind the copy is found', async () => {
    const carol = accessTo(dovecot, 'carol');
    const small = generateCorpus({ messages: 40, maxBytes: 20_000, odd: false });
    await loadCorpus(carol, small);
    const before = await dumpAccount(carol);
    const { uid } = findMessage(before, 'INBOX', before.get('INBOX')?.[3]?.subject ?? '');
    await alterFlags(carol, 'INBOX', uid, '\\Answered Changed');
    expect(compareDumps(before, await dumpAccount(carol))).toHaveLength(2);
  });

  describe('behind the proxy', () => {
    const through = async (options: ProxyOptions) => keep(await FilterProxy.start(dovecot, options));
    const open = (proxy: FilterProxy, user = 'dave') => RawImap.open({ ...accessTo(dovecot, user), port: proxy.port });

    test('an account passes unchanged, and every command is written down without the password', async () => {
      const proxy = await through({});
      const there = { ...alice, port: proxy.port };
      expect(compareDumps(await dumpAccount(alice), await dumpAccount(there))).toEqual([]);
      expect(proxy.counts()).toMatchObject({ LOGIN: 1, FETCH: corpus.folders.length - 1, LOGOUT: 1 });
      expect(JSON.stringify(proxy.commands())).not.toContain(dovecot.password);
      expect(proxy.commands().every(({ status }) => status === 'OK')).toBe(true);
    });

    test.each<{ without: ExtensionName; gone: string; command: string }>([
      { without: 'MULTIAPPEND', gone: 'MULTIAPPEND', command: '' },
      { without: 'UIDPLUS', gone: 'UIDPLUS', command: 'UID EXPUNGE 1' },
      { without: 'LIST-STATUS', gone: 'LIST-STATUS', command: 'LIST "" "*" RETURN (STATUS (MESSAGES))' },
      { without: 'LIST-EXTENDED', gone: 'LIST-EXTENDED', command: 'LIST (SUBSCRIBED) "" "*"' },
      { without: 'SPECIAL-USE', gone: 'SPECIAL-USE', command: 'LIST "" "*" RETURN (SPECIAL-USE)' },
      { without: 'UNSELECT', gone: 'UNSELECT', command: 'UNSELECT' },
      { without: 'CONDSTORE', gone: 'CONDSTORE', command: 'STATUS INBOX (HIGHESTMODSEQ)' },
      { without: 'NAMESPACE', gone: 'NAMESPACE', command: 'NAMESPACE' },
      { without: 'ID', gone: 'ID', command: 'ID NIL' },
      { without: 'ENABLE', gone: 'ENABLE', command: 'ENABLE QRESYNC' },
    ])('$without is neither named nor understood', async ({ without, gone, command }) => {
      await using plain = await RawImap.open(alice);
      const proxy = await through({ without: [without] });
      await using client = await open(proxy);
      expect([plain.has(gone), client.has(gone)]).toEqual([true, false]);
      if (command === '') return;
      expect((await plain.attempt('SELECT INBOX')).status).toBe('OK');
      expect((await plain.attempt(command)).status).toBe('OK');
      expect((await client.attempt('SELECT INBOX')).status).toBe('OK');
      const answer = await client.attempt(command);
      expect(answer).toMatchObject({ status: 'BAD' });
      expect(proxy.commands().find((each) => each.refused)?.line).toBe(command);
      expect((await client.attempt('NOOP')).status).toBe('OK');
    });

    test('an APPEND of two messages stores nothing without MULTIAPPEND, one message passes', async () => {
      const proxy = await through({ without: ['MULTIAPPEND'] });
      await using client = await open(proxy, 'multi');
      const args = ' () "01-Jan-2001 00:00:00 +0000" ';
      expect((await client.attempt('APPEND INBOX', args, body, args, body)).status).toBe('BAD');
      expect((await client.examine('INBOX')).exists).toBe(0);
      await client.append('INBOX', [message, message]);
      expect((await client.examine('INBOX')).exists).toBe(2);
    });

    test('without LITERAL+ a synchronising literal works, a hasty one puts the session out of step', async () => {
      const proxy = await through({ without: ['LITERAL+', 'MULTIAPPEND'] });
      await using client = await open(proxy, 'sync');
      await client.append('INBOX', [message]);
      expect((await client.examine('INBOX')).exists).toBe(1);
      expect(proxy.outOfStep).toBe(0);
      await client.attempt(`LOGIN {3+}`);
      expect(proxy.outOfStep).toBe(1);
    });

    test('without UIDPLUS no answer tells UIDs', async () => {
      const proxy = await through({ without: ['UIDPLUS'] });
      await using client = await open(proxy, 'uids');
      await using plain = await RawImap.open(accessTo(dovecot, 'uids'));
      const append = (to: RawImap) => to.command('APPEND INBOX ', body);
      expect((await append(plain)).text).toMatch(/^\[APPENDUID \d+ 1\]/);
      expect((await append(client)).text).toMatch(/^Append completed/);
    });

    test('without SPECIAL-USE folders lose their role and nothing else', async () => {
      const proxy = await through({ without: ['SPECIAL-USE'] });
      await using client = await open(proxy, 'alice');
      await using plain = await RawImap.open(alice);
      const sent = async (from: RawImap) => (await from.list()).find((folder) => folder.name === 'Sent')?.attributes;
      expect(await sent(plain)).toEqual(expect.arrayContaining(['\\HasNoChildren', '\\Sent']));
      expect(await sent(client)).toContain('\\HasNoChildren');
      expect(await sent(client)).not.toContain('\\Sent');
    });

    test('without CONDSTORE no mod-sequence is told', async () => {
      const proxy = await through({ without: ['CONDSTORE'] });
      await using client = await open(proxy);
      const { untagged } = await client.command('SELECT INBOX');
      expect(untagged.map(({ text }) => text).join()).not.toContain('HIGHESTMODSEQ');
      expect(untagged.map(({ text }) => text).join()).toContain('UIDNEXT');
    });

    test('a refused message takes its whole APPEND with it, and the server never hears of it', async () => {
      const proxy = await through({
        refuseMessage: (appended) => (appended.body.includes('poison') ? 'NO [LIMIT] not this one' : null),
      });
      await using client = await open(proxy, 'refused');
      const poison = { ...message, body: Buffer.from('Subject: poison\r\n\r\nx\r\n') };
      await expect(client.append('INBOX', [message, poison, message])).rejects.toThrow('NO [LIMIT] not this one');
      expect((await client.examine('INBOX')).exists).toBe(0);
      await client.append('INBOX', [message, message]);
      expect((await client.examine('INBOX')).exists).toBe(2);
      expect(proxy.commands('APPEND').map(({ literals, status }) => [literals, status])).toEqual([
        [3, 'NO'],
        [2, 'OK'],
      ]);
    });

    test('a refused command is answered in the given words', async () => {
      const proxy = await through({
        refuseCommand: (command) => (command.name === 'CREATE' ? 'NO [NOPERM] no new folders here' : null),
      });
      await using client = await open(proxy);
      expect((await client.attempt('CREATE x')).text).toBe('[NOPERM] no new folders here');
    });

    test.each(['to-server', 'to-client'] as const)(
      'a connection is cut %s after the given bytes',
      async (direction) => {
        const proxy = await through({ cut: { direction, afterBytes: 120 } });
        const [cut] = await Promise.allSettled([
          open(proxy).then((client) => client.command(`NOOP ${'x'.repeat(200)}`)),
        ]);
        expect(cut.status).toBe('rejected');
        expect(proxy.cuts).toBe(1);
        await using client = await open(proxy);
        expect((await client.attempt('NOOP')).status).toBe('OK');
      },
    );

    test('delayed bytes arrive whole and in order', async () => {
      const proxy = await through({ delayMs: 5 });
      const there = { ...bob, port: proxy.port };
      await using client = await RawImap.open(there);
      await client.examine('INBOX');
      const seen: RawMessage[] = [];
      await client.fetchEach((each) => seen.push(each));
      expect(seen.map(({ uid }) => uid)).toEqual((await dumpAccount(bob)).get('INBOX')?.map(({ uid }) => uid));
    });
  });
});

describe.skipIf(servers.courierRoot === null)('on Courier', () => {
  test('an account is loaded and read back, under its INBOX. prefix', async () => {
    const courier = keep(await startCourier(servers.courierRoot ?? ''));
    const access = accessTo(courier);
    await loadCorpus(access, generateCorpus({ messages: 60, maxBytes: 50_000, emojiFolder: false }));
    const dump = await dumpAccount(access);
    expect([...dump.values()].flat()).toHaveLength(60);
    expect(dump.has('Archive/2019/Q1 & Q2')).toBe(true);
    expect(compareDumps(dump, await dumpWithImapflow(access))).toEqual([]);
  });
});

describe.skipIf(servers.imap4dRoot === null)('on imap4d', () => {
  test('an account is loaded and read back, with the lines imap4d adds', async () => {
    const imap4d = keep(await startImap4d(servers.imap4dRoot ?? ''));
    const access = accessTo(imap4d);
    const corpus = generateCorpus({ messages: 40, maxBytes: 20_000, nested: false, odd: false, keywords: false });
    await loadCorpus(access, corpus);
    const dump = await dumpAccount(access);
    expect([...dump.values()].flat()).toHaveLength(40);
    const [first] = corpus.folders[0]?.messages ?? [];
    expect(dump.get('INBOX')?.[0]?.bytes).toBeGreaterThan(first?.body.length ?? Number.POSITIVE_INFINITY);
  });
});

/** The plainest copy there is: read a folder, append it. */
async function copyNaively(from: AccountAccess, to: AccountAccess): Promise<void> {
  await using source = await RawImap.open(from);
  await using target = await RawImap.open(to);
  for (const { rawName, attributes } of await source.list()) {
    if (attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute))) continue;
    if (rawName !== 'INBOX') await target.attempt(`CREATE ${quote(rawName)}`);
    if ((await source.examine(rawName)).exists === 0) continue;
    const messages: RawMessage[] = [];
    await source.fetchEach((each) => messages.push(each));
    await target.append(
      rawName,
      messages.map((each) => ({ ...each, flags: each.flags.filter((flag) => flag !== '\\Recent') })),
    );
  }
}
