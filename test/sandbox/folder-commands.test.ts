import { expect, test } from 'vitest';
import { mail, openRaw, RawClient, runTranscript, type TranscriptCase } from './raw-client.ts';

const cases: TranscriptCase[] = [
  {
    name: 'CREATE makes the parents as places that cannot be selected',
    send: ['a1 CREATE a/b/c', 'a2 LIST "" *', 'a3 SELECT a/b', 'a4 CREATE a/b', 'a5 LIST "" a/b'],
    expect: [
      'a1 OK Create completed',
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* LIST (\\Noselect \\HasChildren) "/" a',
      '* LIST (\\Noselect \\HasChildren) "/" a/b',
      '* LIST (\\HasNoChildren) "/" a/b/c',
      'a2 OK List completed',
      "a3 NO [NONEXISTENT] Mailbox isn't selectable: a/b",
      'a4 OK Create completed',
      '* LIST (\\HasChildren) "/" a/b',
      'a5 OK List completed',
    ],
  },
  {
    name: 'CREATE refuses what exists, what is malformed and INBOX in any case',
    send: [
      'a1 CREATE x',
      'a2 CREATE x',
      'a3 CREATE inbox',
      'a4 CREATE a//b',
      'a5 CREATE "&Jjo"',
      'a6 CREATE ""',
      'a7 CREATE x/',
    ],
    expect: [
      'a1 OK Create completed',
      'a2 NO [ALREADYEXISTS] Mailbox already exists',
      'a3 NO [ALREADYEXISTS] INBOX exists',
      'a4 NO [CANNOT] Invalid mailbox name',
      'a5 NO [CANNOT] Invalid mailbox name',
      'a6 NO [CANNOT] Invalid mailbox name',
      'a7 NO [ALREADYEXISTS] Mailbox already exists',
    ],
  },
  {
    name: 'a personal prefix must be kept',
    options: { delimiter: '.', personalPrefix: 'INBOX.' },
    send: ['a1 CREATE Sent', 'a2 CREATE INBOX.Sent', 'a3 CREATE inbox.Sent', 'a4 LIST "" %', 'a5 LIST "INBOX." %'],
    expect: [
      'a1 NO [CANNOT] Invalid mailbox name',
      'a2 OK Create completed',
      'a3 NO [ALREADYEXISTS] Mailbox already exists',
      '* LIST (\\HasChildren) "." INBOX',
      'a4 OK List completed',
      '* LIST (\\HasNoChildren) "." INBOX.Sent',
      'a5 OK List completed',
    ],
  },
  {
    name: 'single names can be forbidden',
    options: { forbidCreate: (name) => (name === 'Übersicht' ? 'Not that one' : null) },
    send: ['a1 CREATE "&ANw-bersicht"', 'a2 CREATE other'],
    expect: ['a1 NO [CANNOT] Not that one', 'a2 OK Create completed'],
  },
  {
    name: 'a server with nothing but INBOX refuses every CREATE',
    options: { inboxOnly: true },
    send: ['a1 CREATE x'],
    expect: ['a1 NO [NOPERM] Permission denied'],
  },
  {
    name: 'CREATE takes special uses it knows',
    send: ['a1 CREATE S (USE (\\Sent))', 'a2 CREATE T (USE (\\Fancy))', 'a3 CREATE T (COLOUR (red))', 'a4 LIST "" S'],
    expect: [
      'a1 OK Create completed',
      'a2 NO [USEATTR] Unsupported special use \\Fancy',
      'a3 BAD Unknown CREATE parameter',
      '* LIST (\\HasNoChildren \\Sent) "/" S',
      'a4 OK List completed',
    ],
  },
  {
    name: 'a flat server knows no levels',
    options: { delimiter: null },
    send: ['a1 CREATE a/b', 'a2 LIST "" *', 'a3 LIST "" ""'],
    expect: [
      'a1 OK Create completed',
      '* LIST (\\HasNoChildren) NIL INBOX',
      '* LIST (\\HasNoChildren) NIL a/b',
      'a2 OK List completed',
      '* LIST (\\Noselect) NIL ""',
      'a3 OK List completed',
    ],
  },
  {
    name: 'DELETE leaves a place for the children and takes it away with the last one',
    prepare: (alice) => {
      alice.createMailbox('a');
      alice.createMailbox('a/b');
    },
    send: [
      'a1 DELETE a',
      'a2 LIST "" a*',
      'a3 DELETE a',
      'a4 DELETE a/b',
      'a5 LIST "" a*',
      'a6 DELETE INBOX',
      'a7 DELETE nope',
    ],
    expect: [
      'a1 OK Delete completed',
      '* LIST (\\HasNoChildren) "/" a/b',
      '* LIST (\\Noselect \\HasChildren) "/" a',
      'a2 OK List completed',
      'a3 NO [HASCHILDREN] Mailbox has children',
      'a4 OK Delete completed',
      'a5 OK List completed',
      'a6 NO [CANNOT] INBOX cannot be deleted',
      "a7 NO [NONEXISTENT] Mailbox doesn't exist: nope",
    ],
  },
  {
    name: 'a server may count its UIDVALIDITYs from anywhere',
    options: { firstUidValidity: 7 },
    send: ['a1 CREATE x', 'a2 STATUS INBOX (UIDVALIDITY)', 'a3 STATUS x (UIDVALIDITY)'],
    expect: [
      'a1 OK Create completed',
      '* STATUS INBOX (UIDVALIDITY 7)',
      'a2 OK Status completed',
      '* STATUS x (UIDVALIDITY 8)',
      'a3 OK Status completed',
    ],
  },
  {
    name: 'a new mailbox of an old name has another UIDVALIDITY',
    send: ['a1 CREATE x', 'a2 STATUS x (UIDVALIDITY)', 'a3 DELETE x', 'a4 CREATE x', 'a5 STATUS x (UIDVALIDITY)'],
    expect: [
      'a1 OK Create completed',
      '* STATUS x (UIDVALIDITY 1600000002)',
      'a2 OK Status completed',
      'a3 OK Delete completed',
      'a4 OK Create completed',
      '* STATUS x (UIDVALIDITY 1600000003)',
      'a5 OK Status completed',
    ],
  },
  {
    name: 'RENAME takes the children along; RENAME INBOX moves its mail',
    prepare: (alice) => {
      alice.createMailbox('a/b').append({ body: mail('x') });
      alice.inbox.append({ body: mail('y') });
    },
    send: [
      'a1 RENAME a z/q',
      'a2 LIST "" *',
      'a3 RENAME z z/q/r',
      'a4 RENAME INBOX old',
      'a5 STATUS old (MESSAGES)',
      'a6 STATUS INBOX (MESSAGES UIDNEXT)',
      'a7 STATUS z/q/b (MESSAGES)',
    ],
    expect: [
      'a1 OK Rename completed',
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* LIST (\\Noselect \\HasChildren) "/" z',
      '* LIST (\\Noselect \\HasChildren) "/" z/q',
      '* LIST (\\HasNoChildren) "/" z/q/b',
      'a2 OK List completed',
      'a3 NO [CANNOT] A mailbox cannot be moved below itself',
      'a4 OK Rename completed',
      '* STATUS old (MESSAGES 1)',
      'a5 OK Status completed',
      '* STATUS INBOX (MESSAGES 0 UIDNEXT 2)',
      'a6 OK Status completed',
      '* STATUS z/q/b (MESSAGES 1)',
      'a7 OK Status completed',
    ],
  },
  {
    name: 'subscriptions outlive the mailbox, and LSUB stands in for parents with %',
    send: [
      'a1 CREATE a/b',
      'a2 SUBSCRIBE a/b',
      'a3 SUBSCRIBE gone',
      'a4 LSUB "" *',
      'a5 LSUB "" %',
      'a6 UNSUBSCRIBE gone',
      'a7 DELETE a/b',
      'a8 LSUB "" *',
    ],
    expect: [
      'a1 OK Create completed',
      'a2 OK Subscribe completed',
      'a3 OK Subscribe completed',
      '* LSUB () "/" a/b',
      '* LSUB () "/" gone',
      'a4 OK Lsub completed',
      '* LSUB () "/" gone',
      '* LSUB (\\Noselect) "/" a',
      'a5 OK Lsub completed',
      'a6 OK Unsubscribe completed',
      'a7 OK Delete completed',
      '* LSUB () "/" a/b',
      'a8 OK Lsub completed',
    ],
  },
  {
    name: 'LIST-EXTENDED selects and returns what is asked for',
    prepare: (alice) => {
      alice.createMailbox('a/b', { subscribed: true });
      alice.createMailbox('Sent', { specialUse: ['\\Sent'] });
      alice.subscriptions.add('ghost');
    },
    send: [
      'a1 LIST (SUBSCRIBED) "" *',
      'a2 LIST (SUBSCRIBED RECURSIVEMATCH) "" %',
      'a3 LIST (SPECIAL-USE) "" * RETURN (SUBSCRIBED)',
      'a4 LIST "" (INBOX a/%) RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT))',
      'a5 LIST (NOVEL) "" *',
      'a6 LIST "" * RETURN (NOVEL)',
    ],
    expect: [
      '* LIST (\\HasNoChildren \\Subscribed) "/" a/b',
      '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" ghost',
      'a1 OK List completed',
      '* LIST (\\Noselect \\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))',
      '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" ghost',
      'a2 OK List completed',
      '* LIST (\\HasNoChildren \\Sent) "/" Sent',
      'a3 OK List completed',
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* STATUS INBOX (MESSAGES 0 UIDNEXT 1)',
      '* LIST (\\HasNoChildren \\Subscribed) "/" a/b',
      '* STATUS a/b (MESSAGES 0 UIDNEXT 1)',
      'a4 OK List completed',
      'a5 BAD Unknown LIST option NOVEL',
      'a6 BAD Unknown LIST option NOVEL',
    ],
  },
  {
    name: 'names are atoms where they can be, quoted where they must be, literals where nothing else carries them',
    prepare: (alice) => {
      alice.createMailbox('Kite [2021]/Drawings & Plans');
      alice.createMailbox('日本語');
      alice.createMailbox('label', { rawName: 'caf\xe9"' });
    },
    send: ['a1 LIST "" *'],
    expect: [
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* LIST (\\Noselect \\HasChildren) "/" "Kite [2021]"',
      '* LIST (\\HasNoChildren) "/" "Kite [2021]/Drawings &- Plans"',
      '* LIST (\\HasNoChildren) "/" &ZeVnLIqe-',
      '* LIST (\\HasNoChildren) "/" {5}',
      'caf\xe9"',
      'a1 OK List completed',
    ],
  },
  {
    name: 'STATUS knows every item',
    options: { appendLimit: 5000 },
    prepare: (alice) => {
      alice.inbox.append({ body: 'x'.repeat(10), flags: ['\\Seen', '\\Deleted'] });
      alice.inbox.append({ body: 'x'.repeat(20), uid: 7, reportedSize: 99 });
    },
    send: [
      'a1 STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE APPENDLIMIT DELETED)',
      'a2 STATUS INBOX (NOVEL)',
      'a3 STATUS INBOX ()',
      'a4 STATUS nope (MESSAGES)',
    ],
    expect: [
      '* STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 8 UIDVALIDITY 1600000001 UNSEEN 1 HIGHESTMODSEQ 3 SIZE 109 APPENDLIMIT 5000 DELETED 1)',
      'a1 OK Status completed',
      'a2 BAD Invalid status item NOVEL',
      'a3 BAD Empty status list',
      "a4 NO [NONEXISTENT] Mailbox doesn't exist: nope",
    ],
  },
  {
    name: 'SELECT tells the state of a mailbox; EXAMINE permits no flag',
    prepare: (alice) => {
      alice.inbox.append({ body: mail('a'), flags: ['\\Seen', 'work'] });
      alice.inbox.append({ body: mail('b') });
    },
    send: ['a1 SELECT INBOX', 'a2 EXAMINE INBOX'],
    expect: [
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)] Flags permitted.',
      '* 2 EXISTS',
      '* 2 RECENT',
      '* OK [UNSEEN 2] First unseen.',
      '* OK [UIDVALIDITY 1600000001] UIDs valid',
      '* OK [UIDNEXT 3] Predicted next UID',
      '* OK [HIGHESTMODSEQ 3] Highest',
      'a1 OK [READ-WRITE] Select completed',
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)',
      '* OK [PERMANENTFLAGS ()] Flags permitted.',
      '* 2 EXISTS',
      '* 0 RECENT',
      '* OK [UNSEEN 2] First unseen.',
      '* OK [UIDVALIDITY 1600000001] UIDs valid',
      '* OK [UIDNEXT 3] Predicted next UID',
      '* OK [HIGHESTMODSEQ 3] Highest',
      'a2 OK [READ-ONLY] Examine completed',
    ],
  },
  {
    name: 'a server without free keywords permits only its own',
    options: { keepKeywords: false, permanentKeywords: ['$Forwarded'], disable: ['CONDSTORE'] },
    send: ['a1 SELECT INBOX'],
    expect: [
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)] Flags permitted.',
      '* 0 EXISTS',
      '* 0 RECENT',
      '* OK [UIDVALIDITY 1600000001] UIDs valid',
      '* OK [UIDNEXT 1] Predicted next UID',
      'a1 OK [READ-WRITE] Select completed',
    ],
  },
  {
    name: 'a failed SELECT leaves nothing selected',
    send: ['a1 SELECT nope', 'a2 FETCH 1 UID'],
    expect: ["a1 NO [NONEXISTENT] Mailbox doesn't exist: nope", 'a2 BAD No mailbox selected'],
  },
];

test.each(cases)('$name', (each) => {
  expect(runTranscript(each)).toEqual(each.expect);
});

test('CLOSE expunges what is marked, UNSELECT and an examined CLOSE do not', () => {
  const { alice, client } = openRaw();
  alice.inbox.append({ body: mail('a'), flags: ['\\Deleted'] });
  alice.inbox.append({ body: mail('b') });
  client.say('a1 SELECT INBOX');
  expect(client.say('a2 UNSELECT', 'a3 CHECK')).toEqual(['a2 OK Unselect completed', 'a3 BAD No mailbox selected']);
  client.say('a4 EXAMINE INBOX');
  expect(client.say('a5 CLOSE')).toEqual(['a5 OK Close completed']);
  expect(alice.inbox.messages.length).toBe(2);
  client.say('a6 SELECT INBOX');
  expect(client.say('a7 CLOSE')).toEqual(['a7 OK Close completed']);
  expect(alice.inbox.messages.map((message) => message.uid)).toEqual([2]);
});

test('STATUS of the selected mailbox is up to date, but not on a server like Dovecot', () => {
  const status = 'a2 STATUS INBOX (MESSAGES UIDNEXT)';
  for (const staleStatus of [false, true]) {
    const { alice, client } = openRaw({ staleStatus });
    client.say('a1 SELECT INBOX');
    alice.inbox.append({ body: mail('a') });
    const [told] = staleStatus ? ['(MESSAGES 0 UIDNEXT 1)'] : ['(MESSAGES 1 UIDNEXT 2)'];
    expect(client.say(status)[0]).toBe(`* STATUS INBOX ${told}`);
    expect(client.say(status)[0]).toBe(`* STATUS INBOX ${told}`);
    client.say('a3 NOOP');
    expect(client.say(status)[0]).toBe('* STATUS INBOX (MESSAGES 1 UIDNEXT 2)');
  }
});

test('SELECT tells UIDNEXT, but not on a server like Courier', () => {
  expect(openRaw().client.say('a1 SELECT INBOX').join()).toContain('[UIDNEXT 1]');
  expect(openRaw({ selectTellsUidNext: false }).client.say('a1 SELECT INBOX').join()).not.toContain('UIDNEXT');
});

test('with UIDs that do not stick, each SELECT of a mailbox nobody watches gives new ones', () => {
  const { alice, client, server } = openRaw({ uidNotSticky: true });
  alice.inbox.append({ body: mail('a'), uid: 9 });
  const first = client.say('a1 SELECT INBOX');
  expect(first).toContain('* OK [UIDVALIDITY 1600000002] UIDs valid');
  expect(first).toContain('* NO [UIDNOTSTICKY] Non-persistent UIDs');
  expect(client.say('a2 UID FETCH 1 UID')[0]).toBe('* 1 FETCH (UID 1)');
  const second = new RawClient(server);
  second.say('b0 LOGIN alice secret');
  expect(second.say('b1 SELECT INBOX')).toContain('* OK [UIDVALIDITY 1600000002] UIDs valid');
  expect(client.say('a3 APPEND INBOX {1+}', 'x').at(-1)).toBe('a3 OK Append completed.');
});
