import { describe, expect, it } from 'vitest';
import { StateError, UsageError } from '../../../src/protocol/errors.ts';
import { chooseSpecialFolder, specialUses } from '../../../src/protocol/special-use.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection } from '../../support/scripted-session.ts';

const folder = (rawName: string, attributes: string[], more: object = {}) => {
  return { rawName, name: rawName, delimiter: '/', attributes, status: null, ...more };
};

describe('RFC 2342: NAMESPACE', () => {
  playDialogues([
    {
      name: 'a personal namespace, and one for other users and two that are shared (5, examples 3 and 5)',
      capabilities: 'NAMESPACE',
      transcript: `
        C: $A NAMESPACE
        S: * NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/")("#public/" "/" "X-PARAM" ("FLAG1" "FLAG2")))
        S: $A OK NAMESPACE command completed`,
      run: (client) => client.namespace(),
      result: {
        personal: [{ prefix: '', rawPrefix: '', delimiter: '/' }],
        other: [{ prefix: '~', rawPrefix: '~', delimiter: '/' }],
        shared: [
          { prefix: '#shared/', rawPrefix: '#shared/', delimiter: '/' },
          { prefix: '#public/', rawPrefix: '#public/', delimiter: '/' },
        ],
      },
    },
    {
      name: 'no namespace at all (5, example 2)',
      capabilities: 'NAMESPACE',
      transcript: 'C: $A NAMESPACE\nS: * NAMESPACE NIL NIL (("" "."))\nS: $A OK done',
      run: (client) => client.namespace(),
      result: { personal: [], other: [], shared: [{ prefix: '', rawPrefix: '', delimiter: '.' }] },
    },
  ]);
});

describe('RFC 3348: CHILDREN', () => {
  playDialogues([
    {
      name: 'attributes tell who has children (3)',
      capabilities: 'CHILDREN',
      transcript: `
        C: $A LIST "" "*"
        S: * LIST (\\HasNoChildren) "/" INBOX
        S: * LIST (\\HasChildren) "/" Foo
        S: * LIST (\\Noselect \\HasChildren) "/" "Baz Baz"
        S: $A OK LIST Completed`,
      run: (client) => client.listFolders(),
      result: [
        folder('INBOX', ['\\HasNoChildren']),
        folder('Foo', ['\\HasChildren']),
        folder('Baz Baz', ['\\Noselect', '\\HasChildren']),
      ],
    },
  ]);
});

describe('RFC 5258: LIST-EXTENDED', () => {
  playDialogues([
    {
      name: 'subscribed folders, those that are gone included (5, example 2)',
      capabilities: 'LIST-EXTENDED',
      transcript: `
        C: $A LIST (SUBSCRIBED) "" "*"
        S: * LIST (\\Marked \\NoInferiors \\Subscribed) "/" "inbox"
        S: * LIST (\\Subscribed \\NonExistent) "/" "Fruit/Peach"
        S: $A OK done`,
      run: (client) => client.listFolders('', '*', { subscribed: true }),
      result: [
        folder('inbox', ['\\Marked', '\\NoInferiors', '\\Subscribed']),
        folder('Fruit/Peach', ['\\Subscribed', '\\NonExistent']),
      ],
    },
    {
      name: 'children are told of (5, example 3) and remote folders asked for (5, example 5)',
      capabilities: 'LIST-EXTENDED',
      transcript: `
        C: $A LIST "" "%" RETURN (CHILDREN)
        S: * LIST (\\HasChildren) "/" "Fruit"
        S: $A OK done
        C: $B LIST (REMOTE) "" "%" RETURN (CHILDREN)
        S: * LIST (\\Remote \\HasNoChildren) "/" "Bread"
        S: $B OK done`,
      run: async (client) => [
        ...(await client.listFolders('', '%', { returnChildren: true })),
        ...(await client.listFolders('', '%', { remote: true, returnChildren: true })),
      ],
      result: [folder('Fruit', ['\\HasChildren']), folder('Bread', ['\\Remote', '\\HasNoChildren'])],
    },
    {
      name: 'subscribed and remote with the subscription in the answer (5, example 6)',
      capabilities: 'LIST-EXTENDED',
      transcript: `
        C: $A LIST (SUBSCRIBED REMOTE) "" "*" RETURN (SUBSCRIBED)
        S: * LIST (\\Remote \\Subscribed) "/" "Bread"
        S: $A OK done`,
      run: (client) => client.listFolders('', '*', { subscribed: true, remote: true, returnSubscribed: true }),
      result: [folder('Bread', ['\\Remote', '\\Subscribed'])],
    },
    {
      name: 'several patterns (5, example 7)',
      capabilities: 'LIST-EXTENDED',
      transcript: `
        C: $A LIST "" ("INBOX" "Drafts" "Sent/%")
        S: * LIST () "/" "INBOX"
        S: * LIST (\\NoInferiors) "/" "Drafts"
        S: * LIST () "/" "Sent/March2004"
        S: $A OK done`,
      run: (client) => client.listFolders('', ['INBOX', 'Drafts', 'Sent/%']),
      result: [folder('INBOX', []), folder('Drafts', ['\\NoInferiors']), folder('Sent/March2004', [])],
    },
    {
      name: 'parents of what matches say why they are listed (5, example 8)',
      capabilities: 'LIST-EXTENDED',
      transcript: `
        C: $A LIST (SUBSCRIBED RECURSIVEMATCH) "" "*"
        S: * LIST (\\NonExistent) "/" "foo" ("CHILDINFO" ("SUBSCRIBED"))
        S: * LIST () "/" Renamed ("OLDNAME" ("was this") "X-OTHER" (1 (2)))
        S: $A OK done`,
      run: (client) => client.listFolders('', '*', { subscribed: true, recursiveMatch: true }),
      result: [
        folder('foo', ['\\NonExistent'], { childInfo: ['SUBSCRIBED'] }),
        folder('Renamed', [], { rawOldName: 'was this' }),
      ],
    },
  ]);
});

describe('RFC 5819: LIST-STATUS, RFC 8440: LIST-MYRIGHTS', () => {
  playDialogues([
    {
      name: 'counts come with the names, and not for a folder that cannot be selected (RFC 5819 2)',
      capabilities: 'LIST-STATUS',
      transcript: `
        C: $A LIST "" "%" RETURN (STATUS (MESSAGES UNSEEN))
        S: * LIST () "." "INBOX"
        S: * STATUS "INBOX" (MESSAGES 17 UNSEEN 16)
        S: * LIST () "." "foo"
        S: * STATUS "foo" (MESSAGES 30 UNSEEN 29)
        S: * LIST (\\NoSelect) "." "bar"
        S: $A OK List completed.`,
      run: async (client) => {
        const folders = await client.listFolders('', '%', { returnStatus: ['MESSAGES', 'UNSEEN'] });
        return folders.map(({ name, status }) => [name, status]);
      },
      result: [
        ['INBOX', { messages: 17, unseen: 16 }],
        ['foo', { messages: 30, unseen: 29 }],
        ['bar', null],
      ],
    },
    {
      name: 'rights come with the names (RFC 8440 4)',
      capabilities: 'LIST-MYRIGHTS',
      transcript: `
        C: $A LIST "" "%" RETURN (MYRIGHTS)
        S: * LIST () "." "INBOX"
        S: * MYRIGHTS "INBOX" lrswipkxtecda
        S: * LIST (\\NonExistent) "." "bar"
        S: $A OK List completed.`,
      run: async (client) => {
        const folders = await client.listFolders('', '%', { returnMyRights: true });
        return folders.map(({ name, rights }) => [name, rights]);
      },
      result: [
        ['INBOX', 'lrswipkxtecda'],
        ['bar', undefined],
      ],
    },
  ]);
});

describe('RFC 6154: SPECIAL-USE', () => {
  playDialogues([
    {
      name: 'uses are returned (5.1), asked for alone (5.3) and given to a new folder (5.4)',
      capabilities: 'SPECIAL-USE CREATE-SPECIAL-USE',
      transcript: `
        C: $A LIST "" "%" RETURN (SPECIAL-USE)
        S: * LIST (\\Marked) "/" Inbox
        S: * LIST (\\Sent) "/" SentMail
        S: $A OK done
        C: $B LIST (SPECIAL-USE) "" "*"
        S: * LIST (\\Trash) "/" Trash
        S: $B OK done
        C: $C CREATE "MySpecial" (USE (\\Drafts \\Sent))
        S: $C OK MySpecial created`,
      run: async (client) => [
        ...(await client.listFolders('', '%', { returnSpecialUse: true })),
        ...(await client.listFolders('', '*', { specialUse: true })),
        await client.createFolder('MySpecial', { specialUse: [specialUses.drafts, specialUses.sent] }),
      ],
      result: [
        folder('Inbox', ['\\Marked']),
        folder('SentMail', ['\\Sent']),
        folder('Trash', ['\\Trash']),
        { mailboxId: null },
      ],
    },
    {
      name: 'a use that the server refuses (5.4)',
      capabilities: 'CREATE-SPECIAL-USE',
      transcript: `
        C: $A CREATE "Everything" (USE (\\All))
        S: $A NO [USEATTR] \\All not supported`,
      run: async (client) => {
        const error = await rejection(client.createFolder('Everything', { specialUse: ['\\All'] }));
        return [error.name, (error as { responseCode?: unknown }).responseCode];
      },
      result: ['CommandError', 'USEATTR'],
    },
  ]);
});

describe('findSpecialFolder', () => {
  playDialogues([
    {
      name: 'believes the server first',
      capabilities: 'SPECIAL-USE',
      transcript: `
        C: $A LIST "" "*" RETURN (SPECIAL-USE)
        S: * LIST () "/" Sent
        S: * LIST (\\HasNoChildren \\sent) "/" Elsewhere
        S: $A OK done`,
      run: async (client) => (await client.findSpecialFolder(specialUses.sent))?.name,
      result: 'Elsewhere',
    },
    {
      name: 'asks by XLIST where there is only that, and knows its words',
      capabilities: 'XLIST',
      transcript: `
        C: $A XLIST "" "*"
        S: * XLIST (\\HasNoChildren \\Inbox) "/" Posteingang
        S: * XLIST (\\HasNoChildren \\Spam) "/" "[Gmail]/Werbung"
        S: $A OK done`,
      run: async (client) => (await client.findSpecialFolder(specialUses.junk))?.name,
      result: '[Gmail]/Werbung',
    },
  ]);
});

describe('chooseSpecialFolder', () => {
  const choose = (use: string, ...names: string[]) =>
    chooseSpecialFolder(
      names.map((name) => ({ ...folder(name, []), rawName: name })),
      use,
    )?.name ?? null;

  it.each([
    [specialUses.sent, 'Gesendete Objekte'],
    [specialUses.sent, 'Éléments envoyés'],
    [specialUses.sent, 'E\u0301le\u0301ments envoye\u0301s'],
    [specialUses.sent, 'ОТПРАВЛЕННЫЕ'],
    [specialUses.sent, '送信済み'],
    [specialUses.drafts, 'Rascunhos'],
    [specialUses.trash, 'Papierkorb'],
    [specialUses.trash, 'Kosz'],
    [specialUses.junk, '垃圾邮件'],
    [specialUses.archive, 'Arkisto'],
    [specialUses.all, 'All Mail'],
  ])('knows for %s the name %s', (use, name) => {
    expect(choose(use, 'INBOX', 'Other', name)).toBe(name);
  });

  it('prefers the outermost folder, then the likelier name', () => {
    expect(choose('\\Sent', 'Work/Sent', 'INBOX/Gesendet')).toBe('INBOX/Gesendet');
    expect(choose('\\Sent', 'Gesendet', 'Sent Items', 'Sent')).toBe('Sent');
  });

  it('finds none where there is none, or only a name without a folder', () => {
    expect(choose('\\Sent', 'Sentinel', 'Sent/2020')).toBeNull();
    expect(choose('\\Flagged', 'Flagged')).toBeNull();
    expect(chooseSpecialFolder([folder('Sent', ['\\Noselect'])], '\\Sent')).toBeNull();
  });
});

describe('XLIST', () => {
  playDialogues([
    {
      name: 'lists with the attributes of its time',
      capabilities: 'XLIST',
      transcript: `
        C: $A XLIST "" "%"
        S: * XLIST (\\HasNoChildren \\Inbox) "/" Inbox
        S: $A OK done`,
      run: (client) => client.xlistFolders('', '%'),
      result: [folder('Inbox', ['\\HasNoChildren', '\\Inbox'])],
    },
  ]);
});

describe('folderExists', () => {
  playDialogues([
    {
      name: 'is true only for the very name that LIST lists as existing',
      transcript: `
        C: $A LIST "" "a*b"
        S: * LIST () "/" axb
        S: * LIST () "/" "a*b"
        S: $A OK done
        C: $B LIST "" "a*b"
        S: * LIST () "/" axb
        S: $B OK done
        C: $C LIST "" "INBOX"
        S: * LIST () "/" Inbox
        S: $C OK done
        C: $D LIST "" "gone"
        S: * LIST (\\NonExistent) "/" gone
        S: $D OK done
        C: $E LIST "" "&AOk-"
        S: * LIST () "/" &AOk-
        S: $E OK done`,
      run: async (client) => [
        await client.folderExists('a*b'),
        await client.folderExists('a*b'),
        await client.folderExists('inbox'),
        await client.folderExists('gone'),
        await client.folderExists('é'),
      ],
      result: [true, false, true, false, true],
    },
  ]);
});

describe('folder names', () => {
  playDialogues([
    {
      name: 'RFC 6855: are UTF-8 once UTF8=ACCEPT is enabled, and a search names no charset',
      capabilities: 'ENABLE UTF8=ACCEPT LITERAL+',
      transcript: `
        C: $A ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: $A OK ENABLE completed
        C: $B LIST "" "*"
        S: * LIST () "/" "caf\xc3\xa9/\xe2\x98\x85"
        S: * LIST () "/" "&AOk-"
        S: * LIST () "/" {1}
        S: \xff
        S: $B OK done
        C: $C SELECT {5+}
        C: caf\xc3\xa9
        S: * 3 EXISTS
        S: * FLAGS ()
        S: $C OK done
        C: $D UID SEARCH SUBJECT {5+}
        C: caf\xc3\xa9
        S: * SEARCH
        S: $D OK done`,
      run: async (client) => {
        await client.enable('UTF8=ACCEPT');
        const names = (await client.listFolders()).map(({ name }) => name);
        const { name } = await client.selectFolder('café');
        return [names, name, [...(await client.search(['SUBJECT', 'café']))]];
      },
      result: [['café/★', '&AOk-', '\xff'], 'café', []],
    },
    {
      name: 'go out and come in as they are where folderEncode is off',
      capabilities: 'LITERAL+',
      connect: { folderEncode: false },
      transcript: `
        C: $A CREATE "&AOk-"
        S: $A OK done
        C: $B CREATE {1+}
        C: \xe9
        S: $B OK done
        C: $C LSUB "" "*"
        S: * LSUB () "/" &AOk-
        S: $C OK done
        C: $D LSUB "" "*"
        S: * LSUB () "/" &AOk-
        S: $D OK done`,
      run: async (client) => {
        await client.createFolder('&AOk-');
        await client.createFolder('\xe9');
        const raw = (await client.listSubFolders()).map(({ name }) => name);
        client.folderEncode = true;
        return [...raw, ...(await client.listSubFolders()).map(({ name }) => name)];
      },
      result: ['&AOk-', 'é'],
    },
  ]);

  it('that hold a character that is no byte are refused where folderEncode is off', async () => {
    const { client, server } = await openScripted('', { connect: { folderEncode: false } });
    expect(await rejection(client.selectFolder('日'))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });
});

describe('RFC 8474: OBJECTID', () => {
  playDialogues([
    {
      name: 'CREATE, SELECT and STATUS tell the mailbox id (4), FETCH those of mails and threads (5)',
      capabilities: 'OBJECTID',
      transcript: `
        C: $A CREATE "foo"
        S: $A OK [MAILBOXID (F2212ea87-6097-4256-9d51-71338625)] Completed
        C: $B SELECT "foo"
        S: * 3 EXISTS
        S: * FLAGS ()
        S: * OK [MAILBOXID (F2212ea87-6097-4256-9d51-71338625)] Ok
        S: * NO [UIDNOTSTICKY] not kept
        S: $B OK [READ-WRITE] Completed
        C: $C STATUS "foo" (MAILBOXID)
        S: * STATUS foo (MAILBOXID (F2212ea87-6097-4256-9d51-71338625))
        S: $C OK Completed
        C: $D FETCH 1:3 (EMAILID THREADID)
        S: * 1 FETCH (EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9))
        S: * 2 FETCH (EMAILID (M288836c4c7a762) THREADID NIL)
        S: $D OK Completed
        C: $E UID SEARCH EMAILID M6d99ac3275bb4e
        S: * SEARCH 4
        S: $E OK done`,
      run: async (client) => {
        const { mailboxId: created } = await client.createFolder('foo');
        const { mailboxId: selected, uidNotSticky } = await client.selectFolder('foo');
        const { mailboxId: status } = await client.folderStatus('foo', ['MAILBOXID']);
        const messages = await client.fetch('1:3', ['EMAILID', 'THREADID'], { useUid: false });
        const found = [...(await client.search(['EMAILID', 'M6d99ac3275bb4e']))];
        return [new Set([created, selected, status]), uidNotSticky, [...messages.values()], found];
      },
      result: [
        new Set(['F2212ea87-6097-4256-9d51-71338625']),
        false,
        [
          { seq: 1, emailId: 'M6d99ac3275bb4e', threadId: 'T64b478a75b7ea9' },
          { seq: 2, emailId: 'M288836c4c7a762', threadId: null },
        ],
        [4],
      ],
    },
  ]);
});

describe('RFC 8438: STATUS=SIZE, RFC 7889: APPENDLIMIT, RFC 9208: DELETED-STORAGE', () => {
  playDialogues([
    {
      name: 'STATUS tells sizes and limits',
      capabilities: 'STATUS=SIZE APPENDLIMIT QUOTA=RES-STORAGE',
      transcript: `
        C: $A STATUS "frop" (MESSAGES SIZE)
        S: * STATUS "frop" (MESSAGES 17 SIZE 16234)
        S: $A OK STATUS completed
        C: $B STATUS "INBOX" (APPENDLIMIT DELETED DELETED-STORAGE)
        S: * STATUS INBOX (APPENDLIMIT 257890 DELETED 4 DELETED-STORAGE 8)
        S: $B OK STATUS completed
        C: $C STATUS "INBOX" (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)
        S: * STATUS INBOX (UNSEEN 1 MESSAGES 2 UIDNEXT 3 UIDVALIDITY 4 RECENT 0)
        S: $C OK STATUS completed`,
      run: async (client) => [
        await client.folderStatus('frop', ['MESSAGES', 'SIZE']),
        await client.folderStatus('INBOX', ['APPENDLIMIT', 'DELETED', 'DELETED-STORAGE']),
        await client.folderStatus('INBOX'),
        client.appendLimit,
      ],
      result: [
        { messages: 17, size: 16234 },
        { appendLimit: 257890, deleted: 4, deletedStorage: 8 },
        { unseen: 1, messages: 2, uidNext: 3, uidValidity: 4, recent: 0 },
        null,
      ],
    },
  ]);
});

describe('RFC 3691: UNSELECT', () => {
  playDialogues([
    {
      name: 'UNSELECT leaves without expunging, CLOSE with, and CHECK stays',
      capabilities: 'UNSELECT',
      transcript: `
        C: $A EXAMINE "INBOX"
        S: * 2 EXISTS
        S: * OK [UNSEEN 2] first
        S: * FLAGS ()
        S: $A OK [READ-ONLY] done
        C: $B UNSELECT
        S: $B OK Returned to authenticated state.
        C: $C SELECT "INBOX"
        S: * 2 EXISTS
        S: * FLAGS ()
        S: $C OK done
        C: $D CHECK
        S: $D OK done
        C: $E CLOSE
        S: $E OK done`,
      run: async (client) => {
        const { readOnly, unseen } = await client.selectFolder('INBOX', { readOnly: true });
        await client.unselectFolder();
        const between = client.selected;
        await client.selectFolder('INBOX');
        await client.check();
        await client.closeFolder();
        return [readOnly, unseen, between, client.selected];
      },
      result: [true, 2, null, null],
    },
  ]);
});

describe('a folder that was not enabled for QRESYNC', () => {
  it('is not asked what happened since', async () => {
    const { client, server } = await openScripted('', { capabilities: 'QRESYNC' });
    const asked = client.selectFolder('x', { qresync: { uidValidity: 1, modSeq: 1n } });
    expect(await rejection(asked)).toBeInstanceOf(StateError);
    expect(server.unexpected).toBe('');
  });
});
