import { describe } from 'vitest';
import { addressesOf } from '../../../src/protocol/envelope.ts';
import { playDialogues } from '../../support/dialogue.ts';

const header = `Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev1 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII

`;
const literal = (text: string) => {
  const lines = text.split('\n');
  return `{${lines.join('\r\n').length}}\n${lines.map((line) => `        S: ${line}`).join('\n')}`;
};

describe('RFC 3501', () => {
  playDialogues([
    {
      name: 'the sample session of section 8',
      transcript: `
        C: $A LOGIN "mrc" "secret"
        S: $A OK LOGIN completed
        C: $Z CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: $Z OK done
        C: $B SELECT "INBOX"
        S: * 18 EXISTS
        S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
        S: * 2 RECENT
        S: * OK [UNSEEN 17] Message 17 is the first unseen message
        S: * OK [UIDVALIDITY 3857529045] UIDs valid
        S: $B OK [READ-WRITE] SELECT completed
        C: $C FETCH 12 FULL
        S: * 12 FETCH (FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700"
        S:  RFC822.SIZE 4286 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92))
        S: $C OK FETCH completed
        C: $D FETCH 12 (BODY[HEADER])
        S: * 12 FETCH (BODY[HEADER] ${literal(header)})
        S: $D OK FETCH completed
        C: $E STORE 12 +FLAGS (\\Deleted)
        S: * 12 FETCH (FLAGS (\\Seen \\Deleted))
        S: $E OK +FLAGS completed
        C: $F LOGOUT
        S: * BYE IMAP4rev1 server terminating connection
        S: $F OK LOGOUT completed`.replace('-0700"\n        S:  RFC822', '-0700" RFC822'),
      run: async (client) => {
        client.useUid = false;
        await client.login('mrc', 'secret');
        const { unseen, uidValidity } = await client.selectFolder('INBOX');
        const message = (await client.fetch(12, 'FULL')).get(12);
        const section = (await client.fetch(12, ['BODY[HEADER]'])).get(12)?.sections?.get('BODY[HEADER]');
        const stored = await client.addFlags(12, ['\\Deleted']);
        await client.logout();
        return {
          unseen,
          uidValidity,
          subject: message?.envelope?.subject,
          cc: addressesOf(message?.envelope?.cc ?? []).map(({ address }) => address),
          internalDate: message?.internalDate?.toISOString(),
          basic: message?.bodyBasic?.isMultipart === false && [message.bodyBasic.lines, message.bodyBasic.size],
          header: section?.toString() === header.replaceAll('\n', '\r\n'),
          flags: stored.values.get(12),
        };
      },
      result: {
        unseen: 17,
        uidValidity: 3857529045,
        subject: 'IMAP4rev1 WG mtg summary and minutes',
        cc: ['minutes@CNRI.Reston.VA.US', 'KLENSIN@MIT.EDU'],
        internalDate: '1996-07-17T09:44:25.000Z',
        basic: [92, 3028],
        header: true,
        flags: ['\\Seen', '\\Deleted'],
      },
    },
    {
      name: 'folders and subscriptions (6.3)',
      transcript: `
        C: $A CREATE "owatagusiam/"
        S: $A OK CREATE completed
        C: $B RENAME "blurdybloop" "sarasoop"
        S: $B OK RENAME completed
        C: $C DELETE "foo"
        S: $C NO Name "foo" has inferior hierarchical names
        C: $D SUBSCRIBE "#news.comp.mail.mime"
        S: $D OK SUBSCRIBE completed
        C: $E LSUB "#news." "comp.mail.*"
        S: * LSUB () "." #news.comp.mail.mime
        S: $E OK LSUB completed
        C: $F UNSUBSCRIBE "#news.comp.mail.mime"
        S: $F OK UNSUBSCRIBE completed
        C: $G LIST "/usr/staff/jones" ""
        S: * LIST (\\Noselect) "/" /
        S: $G OK LIST Completed
        C: $H STATUS "blurdybloop" (UIDNEXT MESSAGES)
        S: * STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)
        S: $H OK STATUS completed`,
      run: async (client) => {
        await client.createFolder('owatagusiam/');
        await client.renameFolder('blurdybloop', 'sarasoop');
        const refused = await client.deleteFolder('foo').catch((error: Error) => error.message);
        await client.subscribeFolder('#news.comp.mail.mime');
        const [subscribed] = await client.listSubFolders('#news.', 'comp.mail.*');
        await client.unsubscribeFolder('#news.comp.mail.mime');
        const [root] = await client.listFolders('/usr/staff/jones', '');
        return [
          refused,
          subscribed?.name,
          root?.delimiter,
          await client.folderStatus('blurdybloop', ['UIDNEXT', 'MESSAGES']),
        ];
      },
      result: [
        'DELETE: NO Name "foo" has inferior hierarchical names',
        '#news.comp.mail.mime',
        '/',
        { messages: 231, uidNext: 44292 },
      ],
    },
    {
      name: 'news at any point change no result (7)',
      transcript: `
        C: $A SELECT "INBOX"
        S: * OK [ALERT] System shutdown in 10 minutes
        S: * 10 EXISTS
        S: * LIST () "/" elsewhere
        S: * FLAGS (\\Seen)
        S: * OK still here
        S: $A OK done
        C: $B UID FETCH 5 (BODY[1])
        S: * 11 EXISTS
        S: * 3 FETCH (UID 5 FLAGS (\\Seen))
        S: * SEARCH 1 2 3
        S: * 4 FETCH (UID 6 BODY[1] "no")
        S: * 3 FETCH (UID 5 BODY[1] "yes")
        S: * 3 FETCH (UID 5 BODY[1] "twice")
        S: * 2 EXPUNGE
        S: $B OK done
        C: $C UID SEARCH ALL
        S: * 1 FETCH (FLAGS ())
        S: * SEARCH 7
        S: * STATUS INBOX (MESSAGES 3)
        S: * NO Disk is nearly full
        S: $C OK done
        C: $D STATUS "x" (MESSAGES)
        S: * STATUS y (MESSAGES 9)
        S: * STATUS X (MESSAGES 1)
        S: * X-WHAT (1 2
        S: $D OK done`.replace('S: * X-WHAT (1 2\n', 'S: * X-WHAT 1 2\n'),
      run: async (client) => {
        const { exists } = await client.selectFolder('INBOX');
        const text = (await client.fetch(5, 'BODY[1]')).get(5)?.sections?.get('BODY[1]')?.toString();
        return [
          exists,
          text,
          [...(await client.search())],
          await client.folderStatus('x', ['MESSAGES']),
          client.selected?.exists,
        ];
      },
      result: [10, 'yes', [7], { messages: 1 }, 10],
    },
  ]);
});

describe('RFC 9051', () => {
  playDialogues([
    {
      name: 'a session of IMAP4rev2 (8): names are UTF-8, searches answer with ESEARCH',
      capabilities: 'IMAP4rev2 SASL-IR LITERAL-',
      transcript: `
        C: $A ENABLE IMAP4rev2
        S: * ENABLED IMAP4rev2
        S: $A OK ENABLE completed
        C: $B LIST "" "*"
        S: * LIST (\\Sent) "/" "Gel\xc3\xb6scht"
        S: $B OK done
        C: $C SELECT {9+}
        C: Gel\xc3\xb6scht
        S: * 18 EXISTS
        S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
        S: * OK [UIDVALIDITY 3857529045] UIDs valid
        S: * OK [UIDNEXT 4392] next
        S: * LIST () "/" "Gel\xc3\xb6scht"
        S: $C OK [READ-WRITE] SELECT completed
        C: $D UID SEARCH RETURN (ALL) UNSEEN
        S: * ESEARCH (TAG "$D") UID ALL 4:18,21,28
        S: $D OK done
        C: $E UID MOVE 4 "x"
        S: * OK [COPYUID 432432 4 1202]
        S: * 1 EXPUNGE
        S: $E OK Done
        C: $F STATUS "x" (MESSAGES SIZE)
        S: * STATUS x (MESSAGES 3 SIZE 4711)
        S: $F OK done
        C: $G UNSELECT
        S: $G OK done`,
      run: async (client) => {
        await client.enable('IMAP4rev2');
        const [folder] = await client.listFolders();
        await client.selectFolder(folder?.name ?? '');
        const unseen = await client.search('UNSEEN');
        const moved = await client.move(4, 'x');
        const status = await client.folderStatus('x', ['MESSAGES', 'SIZE']);
        const left = client.selected?.exists;
        await client.unselectFolder();
        return [folder?.name, unseen.length, moved?.targetUids, status, left, client.selected];
      },
      result: ['Gelöscht', 17, Uint32Array.of(1202), { messages: 3, size: 4711 }, 17, null],
    },
  ]);
});

describe('RFC 6855: UTF8=ACCEPT', () => {
  playDialogues([
    {
      name: 'messages with UTF-8 in their header are stored as such (4)',
      capabilities: 'ENABLE UTF8=ACCEPT LITERAL+',
      transcript: `
        C: $A ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: $A OK done
        C: $B APPEND "sent" (\\Seen) UTF8 (~{15+}
        C: Subject: \xc3\xa9
        C: 
        C: )
        S: $B OK [APPENDUID 7 8] done`,
      run: async (client) => {
        await client.enable('UTF8=ACCEPT');
        return await client.append('sent', { body: 'Subject: é\n\n', content: 'utf8', flags: ['\\Seen'] });
      },
      result: { uidValidity: 7, uids: [8] },
    },
  ]);
});
