import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../src/protocol/client.ts';
import {
  AuthenticationError,
  CapabilityError,
  CommandError,
  ProtocolError,
  ReadOnlyError,
  StateError,
  TlsError,
  UsageError,
} from '../../src/protocol/errors.ts';
import { externalResponder } from '../../src/protocol/sasl.ts';
import type { Unsolicited } from '../../src/protocol/unsolicited.ts';
import { openScripted, rejection, selecting } from '../support/scripted-session.ts';

/** One method against one transcript. */
interface Case {
  readonly name: string;
  readonly capabilities?: string;
  readonly transcript: string;
  readonly run: (client: ImapClient) => Promise<unknown>;
  readonly result: unknown;
}

async function check(test: Case): Promise<void> {
  const { client, server } = await openScripted(test.transcript, { capabilities: test.capabilities ?? '' });
  const result = await test.run(client);
  await server.done;
  expect(result).toEqual(test.result);
  client.close();
}

const inFolder = async (client: ImapClient) => {
  await client.selectFolder('INBOX');
  return client;
};

describe('session commands', () => {
  const cases: Case[] = [
    {
      name: 'noop is a NOOP',
      transcript: 'C: $A NOOP\nS: $A OK done',
      run: (client) => client.noop(),
      result: [],
    },
    {
      name: 'capabilities come from the greeting without asking',
      capabilities: 'IDLE xyz',
      transcript: '',
      run: async (client) => [...(await client.capabilities())],
      result: ['IMAP4REV1', 'IDLE', 'XYZ'],
    },
    {
      name: 'id sends pairs of strings and reads pairs, NIL left out',
      capabilities: 'ID',
      transcript: `
        C: $A ID ("name" "x" "os" "a \\"b\\"")
        S: * ID ("name" "Dovecot" "version" NIL "__proto__" "odd")
        S: $A OK done`,
      run: async (client) => Object.entries((await client.id({ name: 'x', os: 'a "b"' })) ?? {}),
      result: [
        ['name', 'Dovecot'],
        ['__proto__', 'odd'],
      ],
    },
    {
      name: 'id without fields sends NIL, and NIL back is null',
      capabilities: 'ID',
      transcript: 'C: $A ID NIL\nS: * ID NIL\nS: $A OK done',
      run: (client) => client.id(null),
      result: null,
    },
    {
      name: 'enable resolves with what was enabled',
      capabilities: 'ENABLE',
      transcript: 'C: $A ENABLE CONDSTORE X-FOO\nS: * ENABLED CONDSTORE\nS: $A OK done',
      run: (client) => client.enable('CONDSTORE', 'X-FOO'),
      result: ['CONDSTORE'],
    },
    {
      name: 'proxyauth sends the user and asks for capabilities again',
      transcript: `
        C: $A PROXYAUTH "bob"
        S: $A OK done
        C: $B CAPABILITY
        S: * CAPABILITY IMAP4rev1 NEW
        S: $B OK done`,
      run: async (client) => {
        await client.proxyauth('bob');
        return client.hasCapability('new');
      },
      result: true,
    },
  ];
  it.each(cases)('$name', check);

  it.each<[string, (client: ImapClient) => Promise<unknown>]>([
    ['ID', (client) => client.id(null)],
    ['ENABLE', (client) => client.enable('X')],
    ['NAMESPACE', (client) => client.namespace()],
    ['UNSELECT', (client) => client.unselectFolder()],
    ['MULTIAPPEND', (client) => client.multiappend('x', [{ body: Buffer.from('a') }, { body: Buffer.from('b') }])],
    ['LIST-STATUS', (client) => client.listFolders('', '*', { returnStatus: ['MESSAGES'] })],
    ['SPECIAL-USE', (client) => client.listFolders('', '*', { returnSpecialUse: true })],
    ['LIST-EXTENDED', (client) => client.listFolders('', '*', { returnSubscribed: true })],
    ['CREATE-SPECIAL-USE', (client) => client.createFolder('x', { specialUse: ['\\Sent'] })],
    ['CONDSTORE', (client) => client.selectFolder('x', { condStore: true })],
    ['QUOTA', (client) => client.getQuotaRoot('x')],
    ['QUOTA', (client) => client.getQuota('')],
    ['MOVE', (client) => client.move(1, 'x')],
    ['UIDPLUS', (client) => client.expunge(1)],
    ['BINARY', (client) => client.append('x', { body: 'a', content: 'binary' })],
    ['X-GM-EXT-1', (client) => client.getGmailLabels(1)],
    ['X-GM-EXT-1', (client) => client.addGmailLabels(1, [])],
  ])('%s is not sent to a server that does not offer it', async (capability, run) => {
    const { client, server } = await openScripted('');
    const error = await rejection(run(client));
    expect(error).toBeInstanceOf(CapabilityError);
    expect(error.message).toContain(capability);
    expect(server.unexpected).toBe('');
  });
});

describe('capabilities', () => {
  it('are asked for when the greeting names none', async () => {
    const { client, server } = await openScripted(
      'C: $A CAPABILITY\nS: * CAPABILITY IMAP4rev1 UIDPLUS\nS: $A OK done',
      { bareGreeting: true },
    );
    await server.done;
    expect(client.hasCapability('uidplus')).toBe(true);
  });

  it.each([
    ['in the code of the OK', '', '[CAPABILITY IMAP4rev1 MOVE] '],
    ['as data before the OK', 'S: * CAPABILITY IMAP4rev1 MOVE\n', ''],
    ['in a code before the OK', 'S: * OK [CAPABILITY IMAP4rev1 MOVE] hi\n', ''],
  ])('are not asked for again when login brings them %s', async (_where, data, code) => {
    const transcript = `C: $A LOGIN "u" "p"\n${data}S: $A OK ${code}welcome`;
    const { client, server } = await openScripted(transcript, { capabilities: 'OLD' });
    await client.login('u', 'p');
    await server.done;
    expect([client.hasCapability('MOVE'), client.hasCapability('OLD')]).toEqual([true, false]);
  });

  it('are asked for again after a login that brings none', async () => {
    const { client, server } = await openScripted(
      `
      C: $A LOGIN "u" "p"
      S: $A OK welcome
      C: $B CAPABILITY
      S: * CAPABILITY IMAP4rev1 MOVE
      S: $B OK done`,
      { capabilities: 'OLD' },
    );
    await client.login('u', 'p');
    await server.done;
    expect([client.hasCapability('MOVE'), client.hasCapability('OLD')]).toEqual([true, false]);
  });

  it('are refreshed when the server volunteers them', async () => {
    const { client } = await openScripted('C: $A NOOP\nS: * CAPABILITY IMAP4rev1 FRESH\nS: $A OK done');
    await client.noop();
    expect(client.hasCapability('FRESH')).toBe(true);
  });

  it.each<[string, string, boolean]>([
    ['IMAP4rev2', 'LITERAL-', true],
    ['IMAP4rev2', 'UIDPLUS', true],
    ['IMAP4rev2', 'LIST-STATUS', true],
    ['IMAP4rev2', 'LITERAL+', false],
    ['IMAP4rev2', 'BINARY', false],
    ['QRESYNC', 'CONDSTORE', true],
    ['CONDSTORE', 'QRESYNC', false],
    ['AUTH=PLAIN', 'auth=plain', true],
    ['APPENDLIMIT=12', 'APPENDLIMIT', true],
    ['IDLE', 'IDL', false],
  ])('%s offers %s: %s', async (capabilities, name, offered) => {
    const { client } = await openScripted('', { capabilities });
    expect(client.hasCapability(name)).toBe(offered);
  });

  it.each<[string, number | null | undefined]>([
    ['APPENDLIMIT=35651584', 35_651_584],
    ['APPENDLIMIT', null],
    ['APPENDLIMIT=lots', null],
    ['IDLE', undefined],
  ])('of %s the append limit is %s', async (capabilities, limit) => {
    const { client } = await openScripted('', { capabilities });
    expect(client.appendLimit).toBe(limit);
  });
});

describe('folder commands', () => {
  const cases: Case[] = [
    {
      name: 'namespace reads all three kinds, prefixes decoded',
      capabilities: 'NAMESPACE',
      transcript: `
        C: $A NAMESPACE
        S: * NAMESPACE (("INBOX." ".") ("&U,BTFw-/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) NIL (("" NIL))
        S: $A OK done`,
      run: (client) => client.namespace(),
      result: {
        personal: [
          { prefix: 'INBOX.', rawPrefix: 'INBOX.', delimiter: '.' },
          { prefix: '台北/', rawPrefix: '&U,BTFw-/', delimiter: '/' },
        ],
        other: [],
        shared: [{ prefix: '', rawPrefix: '', delimiter: null }],
      },
    },
    {
      name: 'listFolders keeps the order, the attributes as sent and the raw names',
      transcript: `
        C: $A LIST "" "*"
        S: * LIST (\\HasNoChildren \\sent) "/" Zebra
        S: * LIST () NIL "a \\"b\\""
        S: * LIST (\\Noselect) "." {9}
        S: &U,BTFw-x (CHILDINFO ("SUBSCRIBED"))
        S: * LIST () "/" "&bad"
        S: $A OK done`,
      run: (client) => client.listFolders(),
      result: [
        { rawName: 'Zebra', name: 'Zebra', delimiter: '/', attributes: ['\\HasNoChildren', '\\sent'], status: null },
        { rawName: 'a "b"', name: 'a "b"', delimiter: null, attributes: [], status: null },
        {
          rawName: '&U,BTFw-x',
          name: '台北x',
          delimiter: '.',
          attributes: ['\\Noselect'],
          status: null,
          childInfo: ['SUBSCRIBED'],
        },
        { rawName: '&bad', name: '&bad', delimiter: '/', attributes: [], status: null },
      ],
    },
    {
      name: 'listFolders with RETURN joins each status to its folder by name, INBOX in any case',
      capabilities: 'LIST-EXTENDED LIST-STATUS SPECIAL-USE',
      transcript: `
        C: $A LIST "" "%" RETURN (SPECIAL-USE SUBSCRIBED STATUS (MESSAGES HIGHESTMODSEQ))
        S: * LIST () "/" INBOX
        S: * STATUS inbox (MESSAGES 3 HIGHESTMODSEQ 99999999999999999)
        S: * LIST (\\Subscribed) "/" B
        S: * LIST (\\NonExistent) "/" C
        S: * STATUS "B" (MESSAGES 1 )
        S: $A OK done`,
      run: async (client) => {
        const options = { returnStatus: ['MESSAGES', 'HIGHESTMODSEQ'] as const };
        const folders = await client.listFolders('', '%', {
          ...options,
          returnSpecialUse: true,
          returnSubscribed: true,
        });
        return folders.map(({ rawName, status }) => [rawName, status]);
      },
      result: [
        ['INBOX', { messages: 3, highestModSeq: 99_999_999_999_999_999n }],
        ['B', { messages: 1 }],
        ['C', null],
      ],
    },
    {
      name: 'listFolders does not ask an IMAP4rev2 server for the attributes it sends anyway',
      capabilities: 'IMAP4rev2',
      transcript: 'C: $A LIST "" "*"\nS: * LIST (\\Sent) "/" a\nS: $A OK done',
      run: async (client) => (await client.listFolders('', '*', { returnSpecialUse: true })).map(({ name }) => name),
      result: ['a'],
    },
    {
      name: 'listSubFolders is LSUB',
      transcript: 'C: $A LSUB "" "*"\nS: * LSUB () "/" "a"\nS: $A OK done',
      run: async (client) => (await client.listSubFolders()).map(({ name }) => name),
      result: ['a'],
    },
    {
      name: 'folderStatus reads every item, and skips what it does not know',
      transcript: `
        C: $A STATUS "&U,BTFw-" (MESSAGES SIZE)
        S: * STATUS &U,BTFw- (MESSAGES 1 RECENT 2 UIDNEXT 3 UIDVALIDITY 4 UNSEEN 5 DELETED 6 SIZE 5000000000 HIGHESTMODSEQ 7 APPENDLIMIT NIL MAILBOXID (F1) X-FOO (a "b"))
        S: $A OK done`,
      run: (client) => client.folderStatus('台北', ['MESSAGES', 'SIZE']),
      result: {
        messages: 1,
        recent: 2,
        uidNext: 3,
        uidValidity: 4,
        unseen: 5,
        deleted: 6,
        size: 5_000_000_000,
        highestModSeq: 7n,
        appendLimit: null,
        mailboxId: 'F1',
      },
    },
    {
      name: 'folderStatus of several folders at once tells their answers apart by name',
      transcript: `
        C: $A STATUS "a" (MESSAGES)
        C: $B STATUS "b" (MESSAGES)
        S: * STATUS b (MESSAGES 2)
        S: * STATUS a (MESSAGES 1)
        S: $A OK done
        S: $B OK done`,
      run: (client) => Promise.all([client.folderStatus('a', ['MESSAGES']), client.folderStatus('b', ['MESSAGES'])]),
      result: [{ messages: 1 }, { messages: 2 }],
    },
    {
      name: 'selectFolder collects what SELECT says',
      transcript: `
        C: $A SELECT "INBOX"
        S: * FLAGS (\\Answered $Forwarded)
        S: * OK [PERMANENTFLAGS (\\Answered \\*)] limited
        S: * 172 EXISTS
        S: * 1 RECENT
        S: * OK [UNSEEN 12] first unseen
        S: * OK [UIDVALIDITY 3857529045] valid
        S: * OK [UIDNEXT 4392] next
        S: * OK [HIGHESTMODSEQ 715194045007] highest
        S: $A OK [READ-WRITE] done`,
      run: (client) => client.selectFolder('inbox'),
      result: {
        name: 'inbox',
        exists: 172,
        recent: 1,
        uidValidity: 3_857_529_045,
        uidNext: 4392,
        highestModSeq: 715_194_045_007n,
        noModSeq: false,
        flags: ['\\Answered', '$Forwarded'],
        permanentFlags: ['\\Answered', '\\*'],
        readOnly: false,
        unseen: 12,
        mailboxId: null,
        uidNotSticky: false,
      },
    },
    {
      name: 'selectFolder with readOnly is EXAMINE; what is not said is null',
      capabilities: 'CONDSTORE',
      transcript: `
        C: $A EXAMINE "a" (CONDSTORE)
        S: * 0 EXISTS
        S: * OK [NOMODSEQ] none
        S: $A OK done`,
      run: (client) => client.selectFolder('a', { readOnly: true, condStore: true }),
      result: {
        name: 'a',
        exists: 0,
        recent: 0,
        uidValidity: null,
        uidNext: null,
        highestModSeq: null,
        noModSeq: true,
        flags: [],
        permanentFlags: null,
        readOnly: true,
        unseen: null,
        mailboxId: null,
        uidNotSticky: false,
      },
    },
    {
      name: 'selectFolder believes a server that opens a folder read-only',
      transcript: 'C: $A SELECT "a"\nS: * 1 EXISTS\nS: $A OK [READ-ONLY] done',
      run: async (client) => (await client.selectFolder('a')).readOnly,
      result: true,
    },
    {
      name: 'selectFolder forgets what came before CLOSED: it was about the folder before',
      transcript: `
        C: $A SELECT "a"
        S: * 99 EXISTS
        S: * OK [UIDVALIDITY 5] old
        S: * OK [CLOSED] now
        S: * 1 EXISTS
        S: $A OK done`,
      run: async (client) => {
        const { exists, uidValidity } = await client.selectFolder('a');
        return [exists, uidValidity];
      },
      result: [1, null],
    },
    {
      name: 'folders are named by raw bytes where a Buffer is given',
      transcript: 'C: $A DELETE "&bad"\nS: $A OK done',
      run: (client) => client.deleteFolder(Buffer.from('&bad')),
      result: undefined,
    },
    {
      name: 'createFolder, with USE',
      capabilities: 'CREATE-SPECIAL-USE',
      transcript: 'C: $A CREATE "Ger&AOQ-te" (USE (\\Sent \\Archive))\nS: $A OK done',
      run: (client) => client.createFolder('Geräte', { specialUse: ['\\Sent', '\\Archive'] }),
      result: { mailboxId: null },
    },
    {
      name: 'renameFolder, subscribeFolder, unsubscribeFolder',
      transcript: `
        C: $A RENAME "a" "b & c"
        S: $A OK done
        C: $B SUBSCRIBE "a"
        C: $C UNSUBSCRIBE "b"
        S: $B OK done
        S: $C OK done`,
      run: (client) =>
        Promise.all([
          client.renameFolder('a', Buffer.from('b & c')),
          client.subscribeFolder('a'),
          client.unsubscribeFolder('b'),
        ]),
      result: [undefined, undefined, undefined],
    },
    {
      name: 'getQuotaRoot reads roots and their resources',
      capabilities: 'QUOTA',
      transcript: `
        C: $A GETQUOTAROOT "INBOX"
        S: * QUOTAROOT INBOX "" comp.mail.mime
        S: * QUOTA "" (STORAGE 10 512 message 20 100)
        S: * QUOTA comp.mail.mime ()
        S: $A OK done`,
      run: (client) => client.getQuotaRoot('INBOX'),
      result: {
        roots: ['', 'comp.mail.mime'],
        quotas: [
          { root: '', resource: 'STORAGE', usage: 10, limit: 512 },
          { root: '', resource: 'MESSAGE', usage: 20, limit: 100 },
        ],
      },
    },
    {
      name: 'getQuota asks for one root',
      capabilities: 'QUOTA',
      transcript: 'C: $A GETQUOTA ""\nS: * QUOTA "" (STORAGE 10 512)\nS: $A OK done',
      run: (client) => client.getQuota(''),
      result: [{ root: '', resource: 'STORAGE', usage: 10, limit: 512 }],
    },
  ];
  it.each(cases)('$name', check);

  it.each<[string, string, (client: ImapClient) => Promise<unknown>]>([
    ['SELECT without EXISTS', 'C: $A SELECT "a"\nS: $A OK done', (client) => client.selectFolder('a')],
    ['STATUS without data', 'C: $A STATUS "a" (SIZE)\nS: $A OK done', (client) => client.folderStatus('a', ['SIZE'])],
    ['a malformed LIST', 'C: $A LIST "" "*"\nS: * LIST "/" a', (client) => client.listFolders()],
  ])('%s ends the session with a ProtocolError', async (_what, transcript, run) => {
    const { client } = await openScripted(transcript);
    expect(await rejection(run(client))).toBeInstanceOf(ProtocolError);
    expect(client.closed).toBe(true);
  });

  it('a refused SELECT leaves no folder selected', async () => {
    const { client } = await openScripted(`${selecting()}\nC: $A SELECT "b"\nS: $A NO [NONEXISTENT] none`);
    await client.selectFolder('INBOX');
    expect(client.selected?.exists).toBe(100);
    const error = await rejection(client.selectFolder('b'));
    expect(error).toMatchObject({ name: 'CommandError', status: 'NO', responseCode: 'NONEXISTENT' });
    expect(client.selected).toBeNull();
  });

  it.each([
    ['unselectFolder', 'UNSELECT'],
    ['closeFolder', 'CLOSE'],
  ] as const)('%s leaves the folder', async (method, command) => {
    const transcript = `${selecting()}\nC: $A ${command}\nS: $A OK done`;
    const { client, server } = await openScripted(transcript, { capabilities: 'UNSELECT' });
    await client.selectFolder('INBOX');
    await client[method]();
    await server.done;
    expect(client.selected).toBeNull();
    expect(await rejection(client[method]())).toBeInstanceOf(StateError);
  });

  it('selected follows what the server reports', async () => {
    const { client } = await openScripted(`${selecting(10)}
      C: $A NOOP
      S: * 12 EXISTS
      S: * 3 EXPUNGE
      S: * 2 RECENT
      S: $A OK done`);
    const first = await client.selectFolder('INBOX');
    await client.noop();
    expect(client.selected).toEqual({ ...first, exists: 11, recent: 2 });
    expect(first.exists).toBe(10);
  });
});

describe('message commands', () => {
  const fetched = (client: ImapClient, ...args: Parameters<ImapClient['fetch']>) =>
    inFolder(client)
      .then(() => client.fetch(...args))

      .then((list) => [...list.values()].map(({ uid, size, flags }) => ({ uid, size, flags })));
  const cases: Case[] = [
    {
      name: 'fetch asks by UID and delivers in the order of the answer',
      transcript: `${selecting()}
        C: $A UID FETCH 2,4:6 (UID FLAGS RFC822.SIZE)
        S: * 5 FETCH (UID 6 RFC822.SIZE 600 FLAGS (\\Seen))
        S: * 2 FETCH (FLAGS () UID 2 RFC822.SIZE 200)
        S: $A OK done`,
      run: (client) => fetched(client, [2, 4, 5, 6], ['UID', 'FLAGS', 'RFC822.SIZE']),
      result: [
        { uid: 6, size: 600, flags: ['\\Seen'] },
        { uid: 2, size: 200, flags: [] },
      ],
    },
    {
      name: 'fetch by sequence number, changed since a mod-sequence',
      capabilities: 'CONDSTORE',
      transcript: `${selecting()}
        C: $A FETCH 1:* (UID RFC822.SIZE) (CHANGEDSINCE 12345678901234567)
        S: * 7 FETCH (UID 70 RFC822.SIZE 1 MODSEQ (12345678901234568))
        S: $A OK done`,
      run: (client) =>
        fetched(client, '1:*', ['UID', 'RFC822.SIZE'], { useUid: false, changedSince: 12_345_678_901_234_567n }),
      result: [{ uid: 70, size: 1, flags: undefined }],
    },
    {
      name: 'a macro goes without parentheses',
      transcript: `${selecting()}
        C: $A UID FETCH 1 FAST
        S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE " 1-Jan-2020 00:00:00 +0000" RFC822.SIZE 9)
        S: $A OK done`,
      run: (client) => fetched(client, [1], ['FAST']),
      result: [{ uid: 1, size: 9, flags: [] }],
    },
    {
      name: 'an empty set is fetched without a command',
      transcript: selecting(),
      run: (client) => fetched(client, new Uint32Array(0), ['UID']),
      result: [],
    },
    {
      name: 'search sends words as they are and strings as strings',
      transcript: `${selecting()}
        C: $A UID SEARCH UNSEEN SUBJECT "two words" NOT (FROM a@b.c OR) SINCE 9-Mar-2021 1:* 7 2,5:6 LARGER 5
        S: * SEARCH 3 1 2 2
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return await client.search([
          'UNSEEN',
          'SUBJECT',
          'two words',
          'NOT',
          ['FROM', 'a@b.c', 'OR'],
          'SINCE',
          new Date(Date.UTC(2021, 2, 9)),
          '1:*',
          7,
          Uint32Array.of(2, 5, 6),
          'LARGER',
          5n,
        ]);
      },
      result: Uint32Array.of(1, 2, 3),
    },
    {
      name: 'search without hits is empty, said or unsaid',
      transcript: `${selecting()}
        C: $A SEARCH DELETED
        S: * SEARCH
        S: $A OK done
        C: $B UID SEARCH DELETED
        S: $B OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [await client.search('DELETED', { useUid: false }), await client.search('DELETED')];
      },
      result: [new Uint32Array(0), new Uint32Array(0)],
    },
    {
      name: 'search in other scripts says so and goes as a literal',
      transcript: `${selecting()}
        C: $A UID SEARCH CHARSET UTF-8 TEXT {5}
        S: + go
        C: gr\xc3\xbcn
        S: * SEARCH 9 (MODSEQ 917162500)
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return await client.search(['TEXT', 'grün']);
      },
      result: Object.assign(Uint32Array.of(9), { modSeq: 917162500n }),
    },
    {
      name: 'search asks for ranges where the server has ESEARCH, and checks whose answer it is',
      capabilities: 'ESEARCH',
      transcript: `${selecting()}
        C: $A UID SEARCH RETURN (ALL) ALL
        S: * ESEARCH (TAG "other") UID ALL 77
        S: * ESEARCH (TAG "$A") UID COUNT 5 ALL 1:3,9,12 MODSEQ 4
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return await client.search('ALL');
      },
      result: Object.assign(Uint32Array.of(1, 2, 3, 9, 12), { modSeq: 4n }),
    },
    {
      name: 'addFlags, removeFlags and setFlags answer with the new flags',
      transcript: `${selecting()}
        C: $A UID STORE 5 +FLAGS (\\Seen)
        S: * 2 FETCH (UID 5 FLAGS (\\Seen))
        S: $A OK done
        C: $B UID STORE 1:3 -FLAGS.SILENT ($x)
        S: $B OK done
        C: $C STORE 9 FLAGS ()
        S: * 9 FETCH (FLAGS ())
        S: $C OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const added = await client.addFlags([5], ['\\Seen']);
        const removed = await client.removeFlags('1:3', ['$x'], { silent: true });
        const set = await client.setFlags([9], [], { useUid: false });
        return [added, removed, set].map(({ values }) => [...values]);
      },
      result: [[[5, ['\\Seen']]], [], [[9, []]]],
    },
    {
      name: 'a store that spares changed messages tells which',
      capabilities: 'CONDSTORE',
      transcript: `${selecting()}
        C: $A UID STORE 7,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)
        S: * 5 FETCH (UID 7 MODSEQ (320162350))
        S: $A OK [MODIFIED 9] conditional STORE failed`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const stored = await client.addFlags([7, 9], ['\\Deleted'], { silent: true, unchangedSince: 320_162_338n });
        return [[...stored.modSeqs], stored.modified];
      },
      result: [[[7, 320_162_350n]], Uint32Array.of(9)],
    },
    {
      name: 'getFlags asks for flags and answers with a Map, by sequence number where the client says so',
      transcript: `${selecting()}
        C: $A UID FETCH 5,9 (FLAGS)
        S: * 2 FETCH (UID 5 FLAGS (\\Seen))
        S: * 3 FETCH (UID 9 FLAGS ())
        S: $A OK done
        C: $B FETCH 3 (FLAGS)
        S: * 3 FETCH (FLAGS ($x))
        S: $B OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const byUid = await client.getFlags([5, 9]);
        client.useUid = false;
        return [byUid, await client.getFlags(3)];
      },
      result: [
        new Map([
          [5, ['\\Seen']],
          [9, []],
        ]),
        new Map([[3, ['$x']]]),
      ],
    },
    {
      name: 'deleteMessages marks them, expunge removes them and counts what went',
      capabilities: 'UIDPLUS',
      transcript: `${selecting()}
        C: $A UID STORE 5 +FLAGS.SILENT (\\Deleted)
        S: $A OK done
        C: $B EXPUNGE
        S: * 3 EXPUNGE
        S: * 3 EXPUNGE
        S: $B OK done
        C: $C UID EXPUNGE 7:8
        S: * VANISHED 7:8
        S: $C OK done
        C: $D UID EXPUNGE 9
        S: * VANISHED (EARLIER) 1:100
        S: $D OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        await client.deleteMessages(5, { silent: true });
        const counts = [await client.expunge(), await client.expunge([7, 8]), await client.uidExpunge([9])];
        return [counts, client.selected?.exists];
      },
      result: [[2, 2, 0], 96],
    },
    {
      name: 'copy and move tell what became what, by UID and by sequence number',
      capabilities: 'MOVE UIDPLUS',
      transcript: `${selecting()}
        C: $A UID COPY 5,9 "Archiv&AOk-"
        S: $A OK [COPYUID 38505 5,9 3956:3957] done
        C: $B UID MOVE 5 "x"
        S: * OK [COPYUID 7 5 1] moved
        S: * 2 EXPUNGE
        S: $B OK done
        C: $C COPY 1:2 "x"
        S: $C OK done
        C: $D MOVE 1 "x"
        S: $D OK [COPYUID 7 5 1,2] a code that does not add up`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [
          await client.copy([5, 9], 'Archivé'),
          await client.move(5, 'x'),
          await client.copy([1, 2], 'x', { useUid: false }),
          await client.move([1], 'x', { useUid: false }),
          await client.copy([], 'x'),
          client.selected?.exists,
        ];
      },
      result: [
        { uidValidity: 38505, sourceUids: Uint32Array.of(5, 9), targetUids: Uint32Array.of(3956, 3957) },
        { uidValidity: 7, sourceUids: Uint32Array.of(5), targetUids: Uint32Array.of(1) },
        null,
        null,
        null,
        99,
      ],
    },
    {
      name: 'the four methods for the labels of Gmail',
      capabilities: 'X-GM-EXT-1',
      transcript: `${selecting()}
        C: $A UID FETCH 5 (X-GM-LABELS)
        S: * 2 FETCH (UID 5 X-GM-LABELS (\\Inbox "a b" &AOk-))
        S: $A OK done
        C: $B UID STORE 5 +X-GM-LABELS ("&AOk-" \\Starred)
        S: * 2 FETCH (UID 5 X-GM-LABELS (\\Starred &AOk-) FLAGS ())
        S: $B OK done
        C: $C UID STORE 5 -X-GM-LABELS.SILENT ("a \\"b\\"")
        S: $C OK done
        C: $D UID STORE 5 X-GM-LABELS ()
        S: * 2 FETCH (UID 5 X-GM-LABELS ())
        S: $D OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const labels = await client.getGmailLabels(5);
        const added = await client.addGmailLabels(5, ['é', '\\Starred']);
        const removed = await client.removeGmailLabels(5, ['a "b"'], { silent: true });
        const set = await client.setGmailLabels(5, []);
        return [labels, added.values, removed.values, set.values];
      },
      result: [
        new Map([[5, ['\\Inbox', 'a b', 'é']]]),
        new Map([[5, ['\\Starred', 'é']]]),
        new Map(),
        new Map([[5, []]]),
      ],
    },
    {
      name: 'fetch asks what changed and what is gone since a mod-sequence, or for a stretch',
      capabilities: 'QRESYNC PARTIAL',
      transcript: `${selecting()}
        C: $A UID FETCH 300:500 (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)
        S: * VANISHED (EARLIER) 300:310,405,411
        S: * 1 FETCH (UID 404 MODSEQ (65402) FLAGS (\\Seen))
        S: * VANISHED 404
        S: $A OK done
        C: $B UID FETCH 1:* (FLAGS) (PARTIAL -1:-2)
        S: * 9 FETCH (UID 90 FLAGS ())
        S: $B OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const changed = await client.fetch('300:500', ['UID', 'FLAGS'], { changedSince: 12345n, vanished: true });
        const stretch = await client.fetch('1:*', 'FLAGS', { partial: [-1, -2] });
        return [[...changed], changed.vanished, [...stretch.keys()]];
      },
      result: [[[404, { seq: 1, uid: 404, modSeq: 65402n, flags: ['\\Seen'] }]], '300:310,405,411', [90]],
    },
    {
      name: 'append takes text, and content that needs an extension',
      capabilities: 'LITERAL+ BINARY',
      transcript: `
        C: $A APPEND "x" {8+}
        C: a
        C: b
        C: é
        S: $A OK done
        C: $B APPEND "x" ~{2+}
        C: \0b
        S: $B OK done
        C: $C APPEND "x" (\\Seen) UTF8 (~{1+}
        C: u)
        S: $C OK done`
        .replace('é', '\xc3\xa9')
        .replace('\\0', '\0'),
      run: async (client) => {
        await client.append('x', 'a\nb\r\né');
        await client.append('x', { body: Buffer.from('\0b'), content: 'binary' });
        await client.append('x', { body: 'u', content: 'utf8', flags: ['\\Seen'] });
      },
      result: undefined,
    },
    {
      name: 'append sends flags, the date exactly as given, and a literal after the go-ahead',
      transcript: `
        C: $A APPEND "INBOX" (\\Seen $x) " 7-Feb-1994 21:52:25 -0800" {5}
        S: + go
        C: hello
        S: $A OK [APPENDUID 38505 3955] done`,
      run: (client) =>
        client.append('INBOX', {
          body: Buffer.from('hello'),
          flags: ['\\Seen', '$x'],
          internalDate: ' 7-Feb-1994 21:52:25 -0800',
        }),
      result: { uidValidity: 38505, uids: [3955] },
    },
    {
      name: 'append without APPENDUID knows no UIDs; a Date goes out in UTC',
      capabilities: 'LITERAL+',
      transcript: `
        C: $A APPEND "a" "07-Feb-1994 21:52:25 +0000" {5+}
        C: hello
        S: $A OK done`,
      run: (client) =>
        client.append('a', {
          body: { size: 5, chunks: [Buffer.from('he'), Buffer.from('llo')] },
          internalDate: new Date(Date.UTC(1994, 1, 7, 21, 52, 25)),
        }),
      result: { uidValidity: null, uids: null },
    },
    {
      name: 'multiappend sends all messages in one command',
      capabilities: 'LITERAL+ MULTIAPPEND',
      transcript: `
        C: $A APPEND "a" (\\Seen) {3+}
        C: one {3+}
        C: two {0+}
        C: 
        S: $A OK [APPENDUID 7 4:5,9] done`,
      run: (client) =>
        client.multiappend('a', [
          { body: Buffer.from('one'), flags: ['\\Seen'] },
          { body: Buffer.from('two') },
          { body: Buffer.alloc(0) },
        ]),
      result: { uidValidity: 7, uids: [4, 5, 9] },
    },
    {
      name: 'multiappend without LITERAL+ waits before each literal',
      capabilities: 'MULTIAPPEND',
      transcript: `
        C: $A APPEND "a" {3}
        S: + one
        C: one {3}
        S: +
        C: two
        S: $A OK done`,
      run: (client) => client.multiappend('a', [{ body: Buffer.from('one') }, { body: Buffer.from('two') }]),
      result: { uidValidity: null, uids: null },
    },
    ...['3955', '38505', '38505 0', '38505 1:4294967295', '38505 *', 'x y', '38505 1:2'].map((code) => ({
      name: `the code APPENDUID ${code} of one message costs the mapping, not the result`,
      capabilities: 'LITERAL+',
      transcript: `C: $A APPEND "a" {1+}\nC: x\nS: $A OK [APPENDUID ${code}] done`,
      run: async (client: ImapClient) => (await client.append('a', { body: Buffer.from('x') })).uids,
      result: null,
    })),
  ];
  it.each(cases)('$name', check);

  it.each<[string, (client: ImapClient) => Promise<unknown>]>([
    ['fetch', (client) => client.fetch([1], ['UID'])],
    ['search', (client) => client.search('ALL')],
    ['addFlags', (client) => client.addFlags([1], [])],
    ['closeFolder', (client) => client.closeFolder()],
  ])('%s needs a selected folder', async (_method, run) => {
    const { client, server } = await openScripted('');
    expect(await rejection(run(client))).toBeInstanceOf(StateError);
    expect(server.unexpected).toBe('');
  });

  it.each<[string, (client: ImapClient) => Promise<unknown>]>([
    ['addFlags', (client) => client.addFlags([1], ['x'])],
    ['move', (client) => client.move([1], 'x')],
    ['expunge', (client) => client.expunge()],
    ['uidExpunge', (client) => client.uidExpunge([1])],
  ])('%s is refused for a folder that was selected read-only', async (_method, run) => {
    const { client, server } = await openScripted(selecting().replace('SELECT', 'EXAMINE'), {
      capabilities: 'MOVE UIDPLUS',
    });
    await client.selectFolder('INBOX', { readOnly: true });
    const error = await rejection(run(client));
    expect(error).toBeInstanceOf(ReadOnlyError);
    expect(error).toMatchObject({ code: 'READONLY' });
    expect(server.unexpected).toBe('');
  });

  it('a small literal goes along under LITERAL-, a big one waits', async () => {
    const big = 'x'.repeat(4097);
    const { client, server } = await openScripted(
      `
      C: $A APPEND "a" {4096+}
      C: ${'y'.repeat(4096)} {4097}
      S: + go
      C: ${big}
      S: $A OK done`,
      { capabilities: 'LITERAL- MULTIAPPEND' },
    );
    await client.multiappend('a', [{ body: Buffer.alloc(4096, 'y') }, { body: Buffer.from(big) }]);
    await server.done;
  });

  it('a long set of UIDs is asked for in several commands that fit on a line', async () => {
    const uids = Uint32Array.from({ length: 3000 }, (_, index) => 1_000_000_001 + 2 * index);
    const { client, server } = await openScripted(selecting(3000));
    await client.selectFolder('INBOX');
    await server.done;
    const seen = client.fetch(uids, ['UID', 'FLAGS']);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    const lines = server.unexpected.trim().split('\r\n');
    expect(lines.length).toBeGreaterThan(1);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(8000);
    const asked = lines.flatMap((line) => /FETCH (\S+) \(/.exec(line)?.[1]?.split(',') ?? []).map(Number);
    expect(Uint32Array.from(asked)).toEqual(uids);
    for (const line of lines) server.send(`${line.split(' ')[0]} OK done\r\n`);
    expect((await seen).size).toBe(0);
  });

  it('what onData throws becomes the rejection, and the session goes on', async () => {
    const { client, server } = await openScripted(`${selecting()}
      C: $A UID FETCH 1:2 (UID FLAGS)
      S: * 1 FETCH (UID 1 FLAGS ())
      S: * 2 FETCH (UID 2 FLAGS ())
      S: $A OK done
      C: $B NOOP
      S: $B OK done`);
    await client.selectFolder('INBOX');
    let calls = 0;
    const failure = new Error('the consumer is full');
    const fetching = client.fetchEach('1:2', ['UID', 'FLAGS'], () => {
      calls++;
      throw failure;
    });
    expect(await rejection(fetching)).toBe(failure);
    expect(calls).toBe(1);
    await client.noop();
    await server.done;
  });
});

describe('arguments that cannot be said on the wire', () => {
  it.each<[string, (client: ImapClient) => Promise<unknown>]>([
    ['a NUL in a folder name', (client) => client.createFolder(Buffer.from('a\0b'))],
    ['half a character in a folder name', (client) => client.createFolder('a\ud800')],
    ['a NUL in a password', (client) => client.login('u', 'a\0b')],
    ['a NUL in a SASL password', (client) => client.plainLogin('u', 'a\0b')],
    ['a separator in a token', (client) => client.oauth2Login('u', 'a\x01b')],
    [
      'a control character in a SCRAM password',
      (client) => client.scramLogin('u', 'a\x07', { mechanism: 'SCRAM-SHA-1' }),
    ],
    ['a line break in a mechanism', (client) => client.saslLogin('X\r\nA', externalResponder())],
    ['a flag with a line break', (client) => client.append('a', { body: Buffer.from('x'), flags: ['\\Seen\r\n'] })],
    ['a date with quotes', (client) => client.append('a', { body: Buffer.from('x'), internalDate: '" x' })],
    ['a FETCH item with a line break', (client) => client.fetch([1], ['UID)\r\nA LOGOUT'])],
    ['a FETCH item that announces a literal', (client) => client.fetch([1], ['BODY[{3}'])],
    ['a set with a line break', (client) => client.fetch('1\r\n', ['UID'])],
    ['a descending set', (client) => client.fetch([2, 1], ['UID'])],
    ['a set with a fraction', (client) => client.fetch([1.5], ['UID'])],
    ['a negative UID', (client) => client.fetch([-1], ['UID'])],
    ['criteria with a line break', (client) => client.search('ALL\r\nA LOGOUT')],
    ['criteria that announce a literal', (client) => client.search('SUBJECT {3}')],
    ['no criteria', (client) => client.search([])],
    ['an empty group of criteria', (client) => client.search(['NOT', []])],
    ['a date that is none', (client) => client.search(['SINCE', new Date(Number.NaN)])],
    ['a capability with a space', (client) => client.enable('A B')],
    [
      'a body that is not as long as it says',
      (client) => client.append('a', { body: { size: 9, chunks: [Buffer.from('short')] } }),
    ],
    ['no messages', (client) => client.multiappend('a', [])],
  ])('%s: refused before a byte is sent, and the session goes on', async (_what, run) => {
    const { client, server } = await openScripted(`${selecting()}C: $A NOOP\nS: $A OK done`, {
      capabilities: 'ENABLE MULTIAPPEND SASL-IR',
    });
    await client.selectFolder('INBOX');
    expect(await rejection(run(client))).toBeInstanceOf(UsageError);
    await client.noop();
    await server.done;
    expect(server.unexpected).toBe('');
  });
});

describe("answers of nobody's command", () => {
  it('reach onUnsolicited with their meaning', async () => {
    const { client } = await openScripted(`
      C: $A NOOP
      S: * 5 EXISTS
      S: * 0 RECENT
      S: * 2 EXPUNGE
      S: * 3 FETCH (FLAGS (\\Seen))
      S: * FLAGS (\\Seen $a)
      S: * NO [ALERT] disk is full
      S: * VANISHED (EARLIER) 1:5,9
      S: * VANISHED 7
      S: * 4 XNEWS yes
      S: * BAD what
      S: $A OK done`);
    const news: Unsolicited[] = [];
    client.onUnsolicited = (data) => news.push(data);
    await client.noop();
    expect(news.map((item) => (item.kind === 'fetch' ? { kind: 'fetch', seq: item.data.seq } : item))).toEqual([
      { kind: 'exists', count: 5 },
      { kind: 'recent', count: 0 },
      { kind: 'expunge', seq: 2 },
      { kind: 'fetch', seq: 3 },
      { kind: 'flags', flags: ['\\Seen', '$a'] },
      { kind: 'status', status: 'NO', code: { name: 'ALERT', text: '' }, text: 'disk is full' },
      { kind: 'vanished', earlier: true, uids: '1:5,9' },
      { kind: 'vanished', earlier: false, uids: '7' },
      { kind: 'other', name: 'XNEWS', number: 4, text: 'yes' },
      { kind: 'status', status: 'BAD', code: null, text: 'what' },
    ]);
  });

  it('that are malformed end the session', async () => {
    const { client } = await openScripted('C: $A NOOP\nS: * FLAGS nonsense\nX: gone');
    expect(await rejection(client.noop())).toBeInstanceOf(ProtocolError);
  });
});

describe('refusals', () => {
  it('carry the command, the code and the words', async () => {
    const { client } = await openScripted('C: $A SUBSCRIBE "a"\nS: $A NO [OVERQUOTA 5] no\troom');
    const error = await rejection(client.subscribeFolder('a'));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      code: 'NO',
      command: 'SUBSCRIBE',
      responseCode: 'OVERQUOTA',
      responseCodeText: '5',
      text: 'no\troom',
      outcomeUnknown: false,
    });
  });

  it('of a login are AuthenticationErrors with the code', async () => {
    const { client } = await openScripted('C: $A LOGIN "u" "p"\nS: $A NO [UNAVAILABLE] later');
    const error = await rejection(client.login('u', 'p'));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ responseCode: 'UNAVAILABLE' });
    expect(error.message).toContain('later');
    expect(client.closed).toBe(false);
  });

  it('LOGIN is not sent where it is disabled', async () => {
    const { client, server } = await openScripted('', { capabilities: 'LOGINDISABLED' });
    expect(await rejection(client.login('u', 'p'))).toBeInstanceOf(CapabilityError);
    expect(server.unexpected).toBe('');
  });

  it('nothing secret is said in clear text when TLS is required', async () => {
    const error = await rejection(openScripted('', { connect: { requireTls: true } }));
    expect(error).toBeInstanceOf(TlsError);
  });
});

describe('ending', () => {
  it('logout says LOGOUT and waits for the BYE and the OK', async () => {
    const { client, server, clock } = await openScripted('C: $A LOGOUT\nS: * BYE see you\nS: $A OK done\nX: gone');
    await client.logout();
    await server.done;
    expect(client.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['the server hangs up after BYE', 'S: * BYE see you\nX: close'],
    ['the server hangs up at once', 'X: close'],
    ['the server refuses', 'S: $A BAD what'],
  ])('logout resolves when %s', async (_case, rest) => {
    const { client, server, clock } = await openScripted(`C: $A LOGOUT\n${rest}`);
    await client.logout();
    await server.done;
    expect(client.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('logout gives up after ten seconds', async () => {
    const { client, clock } = await openScripted('C: $A LOGOUT');
    const out = client.logout();
    await clock.advance(9_999);
    expect(client.closed).toBe(false);
    await clock.advance(1);
    await out;
    expect(client.closed).toBe(true);
  });

  it('leave says LOGOUT and is gone', async () => {
    const { client, server, clock } = await openScripted('C: $A LOGOUT\nX: gone');
    await client.leave();
    expect(client.closed).toBe(true);
    await server.done;
    expect(clock.pending).toBe(0);
  });

  it('leave waits while something is under way', async () => {
    const { client, server } = await openScripted('C: $A NOOP\nS: $A OK done\nC: $B LOGOUT\nS: * BYE\nS: $B OK done');
    await Promise.all([client.noop(), client.leave()]);
    expect(client.closed).toBe(true);
    await server.done;
  });

  it('a client is disposed of by logging out', async () => {
    const session = await openScripted('C: $A LOGOUT\nS: * BYE see you\nS: $A OK done');
    {
      await using client = session.client;
      expect(client.closed).toBe(false);
    }
    await session.server.done;
    expect(session.client.closed).toBe(true);
  });

  it('after the end every call says that the connection is closed, and why', async () => {
    const { client } = await openScripted('');
    const cause = new Error('enough');
    client.close(cause);
    const error = await rejection(client.noop());
    expect(error).toMatchObject({ name: 'ConnectionClosedError', code: 'CLOSED', outcomeUnknown: false });
    expect(error.cause).toMatchObject({ name: 'ConnectionClosedError', cause });
  });
});
