import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../../src/protocol/client.ts';
import { atom } from '../../../src/protocol/commands/generic.ts';
import { CapabilityError, CommandError, UsageError } from '../../../src/protocol/errors.ts';
import type { Unsolicited } from '../../../src/protocol/unsolicited.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';

describe('RFC 4314: ACL', () => {
  playDialogues([
    {
      name: 'rights are given, taken, listed and asked for (3)',
      capabilities: 'ACL RIGHTS=texk',
      transcript:
        `
        C: $A GETACL "INBOX"
        S: * ACL INBOX Fred rwipsldexta "-anyone" {1}
        S: l test ""
        S: $A OK Getacl complete
        C: $B SETACL "INBOX/Drafts" "John" "lrQswicda"
        S: $B OK Setacl complete`.replace('lrQswicda', 'lrswicda') +
        `
        C: $C SETACL "INBOX" "Chris" "+x"
        S: $C OK done
        C: $D DELETEACL "INBOX" "Fr\\"ed"
        S: $D OK done
        C: $E LISTRIGHTS "~/Mail/saved" "smith"
        S: * LISTRIGHTS ~/Mail/saved smith la r swicdkxte
        S: $E OK Listrights completed
        C: $F MYRIGHTS "INBOX"
        S: * MYRIGHTS INBOX rwiptsldaex
        S: $F OK Myrights complete`,
      run: async (client) => [
        await client.getacl('INBOX'),
        await client.setacl('INBOX/Drafts', 'John', 'lrswicda'),
        await client.setacl('INBOX', 'Chris', '+x'),
        await client.deleteacl('INBOX', 'Fr"ed'),
        await client.listrights('~/Mail/saved', 'smith'),
        await client.myrights('INBOX'),
      ],
      result: [
        [
          { identifier: 'Fred', rights: 'rwipsldexta' },
          { identifier: '-anyone', rights: 'l' },
          { identifier: 'test', rights: '' },
        ],
        undefined,
        undefined,
        undefined,
        { required: 'la', optional: ['r', 'swicdkxte'] },
        'rwiptsldaex',
      ],
    },
    {
      name: 'the answer about another folder is not taken for ours',
      capabilities: 'ACL',
      transcript: `
        C: $A MYRIGHTS "a"
        C: $B MYRIGHTS "b"
        S: * MYRIGHTS b lr
        S: * MYRIGHTS A lrs
        S: $A OK done
        S: $B OK done`,
      run: (client) => Promise.all([client.myrights('a'), client.myrights('b')]),
      result: ['lrs', 'lr'],
    },
  ]);

  it('refuses rights that are none', async () => {
    const { client, server } = await openScripted('', { capabilities: 'ACL' });
    expect(await rejection(client.setacl('a', 'b', 'l r'))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });
});

describe('RFC 9208: QUOTA', () => {
  playDialogues([
    {
      name: 'GETQUOTA, GETQUOTAROOT and SETQUOTA (4.1)',
      capabilities: 'QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTASET',
      transcript: `
        C: $A GETQUOTA "!partition/sda4"
        S: * QUOTA "!partition/sda4" (STORAGE 104 10923847)
        S: $A OK Getquota completed
        C: $B GETQUOTAROOT "INBOX"
        S: * QUOTAROOT INBOX "#user/alice" "!partition/sda4"
        S: * QUOTA "#user/alice" (MESSAGE 42 1000)
        S: * QUOTA "!partition/sda4" (STORAGE 104 10923847 X-OTHER 1 2)
        S: $B OK Getquotaroot completed
        C: $C SETQUOTA "#user/alice" (STORAGE 510 MESSAGE 100)
        S: * QUOTA "#user/alice" (STORAGE 58 512 MESSAGE 5 100)
        S: $C OK Rounded quota
        C: $D SETQUOTA "!partition/sda4" (STORAGE 99999999)
        S: $D NO [LIMIT] Cannot change system limit`,
      run: async (client) => [
        await client.getQuota('!partition/sda4'),
        await client.getQuotaRoot(),
        await client.setQuota('#user/alice', { STORAGE: 510, MESSAGE: 100 }),
        (await rejection(client.setQuota('!partition/sda4', { STORAGE: 99999999 }))).message,
      ],
      result: [
        [{ root: '!partition/sda4', resource: 'STORAGE', usage: 104, limit: 10923847 }],
        {
          roots: ['#user/alice', '!partition/sda4'],
          quotas: [
            { root: '#user/alice', resource: 'MESSAGE', usage: 42, limit: 1000 },
            { root: '!partition/sda4', resource: 'STORAGE', usage: 104, limit: 10923847 },
            { root: '!partition/sda4', resource: 'X-OTHER', usage: 1, limit: 2 },
          ],
        },
        [
          { root: '#user/alice', resource: 'STORAGE', usage: 58, limit: 512 },
          { root: '#user/alice', resource: 'MESSAGE', usage: 5, limit: 100 },
        ],
        'SETQUOTA: NO [LIMIT] Cannot change system limit',
      ],
    },
  ]);
});

describe('RFC 5464: METADATA', () => {
  playDialogues([
    {
      name: 'values are read, with a limit on their size (4.2.1) and levels below (4.2.2), also of the server',
      capabilities: 'METADATA',
      transcript: `
        C: $A GETMETADATA "" ("/shared/comment")
        S: * METADATA "" (/shared/comment "Shared comment")
        S: $A OK GETMETADATA complete
        C: $B GETMETADATA (MAXSIZE 1024) "INBOX" ("/shared/comment" "/private/comment")
        S: * METADATA "INBOX" (/private/comment {14}
        S: My own comment /shared/comment NIL)
        S: $B OK [METADATA LONGENTRIES 2199] GETMETADATA complete
        C: $C GETMETADATA (MAXSIZE 9 DEPTH 1) "INBOX" ("/private/filters/values")
        S: * METADATA INBOX (/private/filters/values/small ~{2}
        S: \0x)
        S: * METADATA INBOX (/private/filters/values/boss "b")
        S: $C OK done`,
      run: async (client) => [
        await client.getMetadata('', '/shared/comment'),
        await client.getMetadata('INBOX', ['/shared/comment', '/private/comment'], { maxSize: 1024 }),
        await client.getMetadata('INBOX', ['/private/filters/values'], { maxSize: 9, depth: 1 }),
      ],
      result: [
        { entries: new Map([['/shared/comment', Buffer.from('Shared comment')]]), longestSkipped: null },
        {
          entries: new Map([
            ['/private/comment', Buffer.from('My own comment')],
            ['/shared/comment', null],
          ]),
          longestSkipped: 2199,
        },
        {
          entries: new Map([
            ['/private/filters/values/small', Buffer.from('\0x')],
            ['/private/filters/values/boss', Buffer.from('b')],
          ]),
          longestSkipped: null,
        },
      ],
    },
    {
      name: 'values are set and removed (4.3), and changes are news (4.4.2)',
      capabilities: 'METADATA LITERAL+',
      transcript: `
        C: $A SETMETADATA "INBOX" ("/private/comment" {4+}
        C: a
        C: b "/shared/comment" NIL "/private/x" ~{1+}
        C: \0)
        S: * METADATA "INBOX" /shared/comment /private/comment
        S: $A OK SETMETADATA complete
        C: $B SETMETADATA "INBOX" ("/private/comment" "x")
        S: $B NO [METADATA TOOMANY] SETMETADATA failed`,
      run: async (client) => {
        const news: Unsolicited[] = [];
        client.on('metadata', (each) => news.push(each));
        await client.setMetadata('INBOX', {
          '/private/comment': 'a\r\nb',
          '/shared/comment': null,
          '/private/x': Buffer.from('\0'),
        });
        const error = await rejection(client.setMetadata('INBOX', { '/private/comment': 'x' }));
        return [news, error instanceof CommandError && error.responseCodeText];
      },
      result: [
        [{ kind: 'metadata', rawName: 'INBOX', name: 'INBOX', entries: ['/shared/comment', '/private/comment'] }],
        'TOOMANY',
      ],
    },
  ]);

  it.each(['comment', '/a//b', '/a/', '/a*', '/%', '/a b', ''])('refuses the entry %j', async (entry) => {
    const { client, server } = await openScripted('', { capabilities: 'METADATA' });
    expect(await rejection(client.getMetadata('x', entry))).toBeInstanceOf(UsageError);
    expect(await rejection(client.setMetadata('x', { [entry]: null }))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });

  it('of folders is not asked of a server that keeps only its own', async () => {
    const { client } = await openScripted('', { capabilities: 'METADATA-SERVER' });
    expect(await rejection(client.getMetadata('x', '/private/a'))).toBeInstanceOf(CapabilityError);
  });
});

describe('ANNOTATEMORE', () => {
  playDialogues([
    {
      name: 'annotations are read and set',
      capabilities: 'ANNOTATEMORE',
      transcript: `
        C: $A GETANNOTATION "INBOX" "/comment" "value.shared"
        S: * ANNOTATION "INBOX" "/comment" ("value.shared" "hello" "size.shared" NIL)
        S: * ANNOTATION "INBOX" "/other" ("value.shared" {2}
        S: hi)
        S: $A OK done
        C: $B SETANNOTATION "INBOX" "/comment" ("value.priv" "mine" "value.shared" NIL)
        S: $B OK done`,
      run: async (client) => [
        await client.getannotation('INBOX', '/comment', 'value.shared'),
        await client.setannotation('INBOX', '/comment', { 'value.priv': 'mine', 'value.shared': null }),
      ],
      result: [
        [
          {
            rawFolder: 'INBOX',
            entry: '/comment',
            attributes: new Map([
              ['value.shared', Buffer.from('hello')],
              ['size.shared', null],
            ]),
          },
          { rawFolder: 'INBOX', entry: '/other', attributes: new Map([['value.shared', Buffer.from('hi')]]) },
        ],
        undefined,
      ],
    },
  ]);
});

describe('RFC 5465: NOTIFY', () => {
  playDialogues([
    {
      name: 'tells what happens in which folders, as news',
      capabilities: 'NOTIFY',
      transcript: `
        C: $A NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT)]) MessageExpunge)) (subtree ("Lists" "&AOk-") (MessageNew MessageExpunge MailboxName)) (inboxes NONE)
        S: * STATUS Lists/Lemonade (UIDVALIDITY 4 UIDNEXT 9999 MESSAGES 500)
        S: $A OK done
        C: $B NOOP
        S: * LIST (\\NonExistent) "." "INBOX.DeletedMailbox"
        S: * LIST () "." "Renamed" ("OLDNAME" ("Old"))
        S: * OK [NOTIFICATIONOVERFLOW] too much
        S: $B OK done
        C: $C NOTIFY NONE
        S: $C OK done`,
      run: async (client) => {
        const heard: Unsolicited[] = [];
        client.on('news', (news) => heard.push(news));
        const items = ['UID', 'BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT)]'];
        await client.notify(
          [
            { folders: 'selected', events: [{ messageNew: items }, 'MessageExpunge'] },
            { folders: { subtree: ['Lists', 'é'] }, events: ['MessageNew', 'MessageExpunge', 'MailboxName'] },
            { folders: 'inboxes', events: [] },
          ],
          { status: true },
        );
        const meanwhile = await client.noop();
        await client.notify(null);
        return [heard, meanwhile.length];
      },
      result: [
        [
          {
            kind: 'folderStatus',
            rawName: 'Lists/Lemonade',
            name: 'Lists/Lemonade',
            status: { uidValidity: 4, uidNext: 9999, messages: 500 },
          },
          {
            kind: 'folder',
            folder: expect.objectContaining({ name: 'INBOX.DeletedMailbox', attributes: ['\\NonExistent'] }),
          },
          { kind: 'folder', folder: expect.objectContaining({ name: 'Renamed', rawOldName: 'Old' }) },
          { kind: 'status', status: 'OK', code: { name: 'NOTIFICATIONOVERFLOW', text: '' }, text: 'too much' },
        ],
        3,
      ],
    },
  ]);

  it.each([
    [[]],
    [[{ folders: { mailboxes: [] }, events: [] }]],
    [[{ folders: 'personal', events: [{ messageNew: ['UID)\r\nA LOGOUT'] }] }]],
  ] as const)('refuses what cannot be said: %j', async (groups) => {
    const { client, server } = await openScripted('', { capabilities: 'NOTIFY' });
    expect(await rejection(client.notify(groups))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });
});

describe('command', () => {
  playDialogues([
    {
      name: 'says anything with its arguments quoted, and answers with what came, news aside',
      capabilities: 'LITERAL+',
      transcript: `${selecting(5)}
        C: $A X-FOO BAR "a \\"b\\"" 7 NIL (\\Seen ("x" 8)) {2+}
        C: \xc3\xa9
        S: * X-FOO (1 "two" NIL) three {4}
        S: four
        S: * 7 X-BAR
        S: * 6 EXISTS
        S: * X-TEXT words and an open (parenthesis
        S: * OK [X-CODE 5] by the way
        S: * 2 FETCH (UID 5 FLAGS ())
        S: $A OK [DONE] well
        C: $B UID THREAD REFERENCES UTF-8 ALL
        S: * THREAD (1)
        S: $B OK done
        C: $C X-FAIL
        S: $C NO [X] no`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const args = [atom('BAR'), 'a "b"', 7n, null, [atom('\\Seen'), ['x', 8]], Buffer.from('é')];
        const result = await client.command('X-Foo', ...args);
        const thread = await client.command('UID THREAD', atom('REFERENCES'), atom('UTF-8'), atom('ALL'));
        const error = await rejection(client.command('X-FAIL'));
        return [result, thread.responses, error.message, client.selected?.exists];
      },
      result: [
        {
          code: { name: 'DONE', text: '' },
          text: 'well',
          responses: [
            {
              kind: 'data',
              name: 'X-FOO',
              number: null,
              values: [[1, Buffer.from('two'), null], 'three', Buffer.from('four')],
            },
            { kind: 'data', name: 'X-BAR', number: 7, values: [] },
            { kind: 'data', name: 'X-TEXT', number: null, values: ['words and an open (parenthesis'] },
            { kind: 'status', status: 'OK', code: { name: 'X-CODE', text: '5' }, text: 'by the way' },
            { kind: 'fetch', message: { seq: 2, uid: 5, flags: [] } },
          ],
        },
        [{ kind: 'data', name: 'THREAD', number: null, values: [[1]] }],
        'X-FAIL: NO [X] no',
        6,
      ],
    },
  ]);

  it.each<[string, (client: ImapClient) => Promise<unknown>]>([
    ['a line end in the name', (client) => client.command('NOOP\r\nA LOGOUT')],
    ['arguments in the name', (client) => client.command('X {5}')],
    ['a name that is none', (client) => client.command('')],
    ['an argument that is half a character', (client) => client.command('X', '\ud800')],
    ['an argument with a NUL', (client) => client.command('X', 'a\0')],
    ['an atom made by hand', (client) => client.command('X', { kind: 'atom', text: 'a\r\n' })],
    ['a command with a method of its own', (client) => client.command('select', 'INBOX')],
  ])('refuses %s before anything is sent', async (_what, run) => {
    const { client, server } = await openScripted('');
    expect(await rejection(run(client))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });

  it.each(['', 'a\r\nb', 'é', '{5}', 'x{5+}'])('atom refuses %j', (text) => {
    expect(() => atom(text)).toThrow(UsageError);
  });
});

describe('events', () => {
  it('reach those who listen for their kind until they leave, and the end of the session is one', async () => {
    const { client, server } = await openScripted(`${selecting(5)}
      C: $A NOOP
      S: * 6 EXISTS
      S: * 1 RECENT
      S: $A OK done
      C: $B NOOP
      S: * 7 EXISTS
      S: * OK [READ-ONLY] now
      S: $B OK done
      X: close`);
    const heard: unknown[] = [];
    const leave = client.on('exists', ({ count }) => heard.push(count));
    const ended = new Promise<Error>((resolve) => client.on('close', resolve));
    await client.selectFolder('INBOX');
    expect(await client.noop()).toEqual([
      { kind: 'exists', count: 6 },
      { kind: 'recent', count: 1 },
    ]);
    leave();
    await client.noop();
    expect(heard).toEqual([6]);
    expect(client.selected).toMatchObject({ exists: 7, readOnly: true });
    await server.done;
    expect(await ended).toMatchObject({ code: 'CLOSED' });
  });
});
