import { expect, test } from 'vitest';
import type { SandboxAccount } from '../../src/sandbox/index.ts';
import { mail, openRaw, runTranscript, type TranscriptCase } from './raw-client.ts';

/** Three messages with gaps between their UIDs. */
function fill(alice: SandboxAccount): void {
  alice.inbox.append({ body: mail('one'), flags: ['\\Seen'], internalDate: '01-Feb-2020 10:00:00 +0100', uid: 3 });
  alice.inbox.append({ body: mail('two', 'Needle here.'), internalDate: '02-Feb-2020 23:30:00 -0800', uid: 5 });
  alice.inbox.append({
    body: mail('three'),
    flags: ['\\Flagged', 'Work'],
    internalDate: '03-Feb-2020 10:00:00 +0000',
    uid: 9,
  });
  alice.inbox.recentFrom = 10;
  alice.createMailbox('other');
}

/** A transcript that starts with INBOX selected, whose SELECT answer is left out. */
const cases: TranscriptCase[] = [
  {
    name: 'FETCH gives the plain items, by sequence number and by UID',
    send: [
      'a1 FETCH 2:3 (UID FLAGS INTERNALDATE RFC822.SIZE)',
      'a2 UID FETCH 4:* FLAGS',
      'a3 FETCH 1 FAST',
      'a4 UID FETCH 9:5,3,5 RFC822.SIZE',
    ],
    expect: [
      '* 2 FETCH (UID 5 FLAGS () INTERNALDATE "02-Feb-2020 23:30:00 -0800" RFC822.SIZE 82)',
      '* 3 FETCH (UID 9 FLAGS (\\Flagged Work) INTERNALDATE "03-Feb-2020 10:00:00 +0000" RFC822.SIZE 80)',
      'a1 OK Fetch completed.',
      '* 2 FETCH (UID 5 FLAGS ())',
      '* 3 FETCH (UID 9 FLAGS (\\Flagged Work))',
      'a2 OK Fetch completed.',
      '* 1 FETCH (FLAGS (\\Seen) INTERNALDATE "01-Feb-2020 10:00:00 +0100" RFC822.SIZE 76)',
      'a3 OK Fetch completed.',
      '* 1 FETCH (UID 3 RFC822.SIZE 76)',
      '* 2 FETCH (UID 5 RFC822.SIZE 82)',
      '* 3 FETCH (UID 9 RFC822.SIZE 80)',
      'a4 OK Fetch completed.',
    ],
  },
  {
    name: 'n:* above the last UID still names the last message, single UIDs that are not there name none',
    send: ['a1 UID FETCH 100:* UID', 'a2 UID FETCH 4,100 UID', 'a3 UID FETCH * UID'],
    expect: [
      '* 3 FETCH (UID 9)',
      'a1 OK Fetch completed.',
      'a2 OK Fetch completed.',
      '* 3 FETCH (UID 9)',
      'a3 OK Fetch completed.',
    ],
  },
  {
    name: 'a sequence number beyond the last message is BAD, and so is a malformed set',
    send: ['a1 FETCH 4 UID', 'a2 FETCH 1:4 UID', 'a3 FETCH 0 UID', 'a4 FETCH 1, UID', 'a5 FETCH x UID'],
    expect: ['a1', 'a2', 'a3', 'a4']
      .map((tag) => `${tag} BAD Invalid messageset`)
      .concat('a5 BAD Expected a message set'),
  },
  {
    name: 'bodies and their sections come as literals',
    send: [
      'a1 FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (SUBJECT X-NONE)] BODY.PEEK[HEADER.FIELDS.NOT (From Message-ID)])',
      'a2 FETCH 1 BODY.PEEK[]<5.10>',
      'a3 FETCH 1 BODY.PEEK[]<100.5>',
    ],
    expect: [
      '* 1 FETCH (BODY[] {76}',
      'From: a@example.org',
      'Subject: one',
      'Message-ID: <one@example.org>',
      '',
      'Hello.',
      ' BODY[TEXT] {8}',
      'Hello.',
      ' BODY[HEADER.FIELDS (SUBJECT X-NONE)] {16}',
      'Subject: one',
      '',
      ' BODY[HEADER.FIELDS.NOT (From Message-ID)] {16}',
      'Subject: one',
      '',
      ')',
      'a1 OK Fetch completed.',
      '* 1 FETCH (BODY[]<5> {10}',
      ' a@example)',
      'a2 OK Fetch completed.',
      '* 1 FETCH (BODY[]<100> {0}',
      ')',
      'a3 OK Fetch completed.',
    ],
  },
  {
    name: 'reading a body marks it seen and says so; PEEK and RFC822.HEADER do not',
    send: ['a1 FETCH 2 RFC822.HEADER', 'a2 FETCH 2 BODY.PEEK[TEXT]', 'a3 FETCH 2 BODY[TEXT]', 'a4 FETCH 2 RFC822.TEXT'],
    expect: [
      '* 2 FETCH (RFC822.HEADER {68}',
      'From: a@example.org',
      'Subject: two',
      'Message-ID: <two@example.org>',
      '',
      ')',
      'a1 OK Fetch completed.',
      '* 2 FETCH (BODY[TEXT] {14}',
      'Needle here.',
      ')',
      'a2 OK Fetch completed.',
      '* 2 FETCH (BODY[TEXT] {14}',
      'Needle here.',
      ' FLAGS (\\Seen))',
      'a3 OK Fetch completed.',
      '* 2 FETCH (RFC822.TEXT {14}',
      'Needle here.',
      ')',
      'a4 OK Fetch completed.',
    ],
  },
  {
    name: 'Courier quotes header names in its answer',
    options: { headerFieldNames: 'quoted' },
    send: ['a1 FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]'],
    expect: ['* 1 FETCH (BODY[HEADER.FIELDS ("Subject")] {16}', 'Subject: one', '', ')', 'a1 OK Fetch completed.'],
  },
  {
    name: 'dates may be given back in UTC',
    options: { dateZone: 'utc' },
    send: ['a1 FETCH 2 INTERNALDATE'],
    expect: ['* 2 FETCH (INTERNALDATE "03-Feb-2020 07:30:00 +0000")', 'a1 OK Fetch completed.'],
  },
  {
    name: 'CHANGEDSINCE and MODSEQ tell what changed',
    send: [
      'a1 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3)',
      'a2 UID STORE 3 +FLAGS.SILENT (\\Answered)',
      'a3 UID FETCH 1:* (UID) (CHANGEDSINCE 4)',
      'a4 UID STORE 3:5 (UNCHANGEDSINCE 4) -FLAGS (\\Seen)',
    ],
    expect: [
      '* 3 FETCH (UID 9 FLAGS (\\Flagged Work) MODSEQ (4))',
      'a1 OK Fetch completed.',
      '* 1 FETCH (UID 3 MODSEQ (5))',
      'a2 OK Store completed.',
      '* 1 FETCH (UID 3 MODSEQ (5))',
      'a3 OK Fetch completed.',
      '* 2 FETCH (UID 5 FLAGS () MODSEQ (3))',
      'a4 OK [MODIFIED 3] Conditional store failed.',
    ],
  },
  {
    name: 'STORE sets, adds and removes flags without regard to case',
    send: [
      'a1 STORE 1 FLAGS (\\answered)',
      'a2 STORE 1 +FLAGS (WORK \\Seen)',
      'a3 STORE 1 -FLAGS (\\ANSWERED work)',
      'a4 STORE 1:2 +FLAGS.SILENT \\Draft',
      'a5 STORE 1 +FLAGS (\\Recent)',
      'a6 FETCH 1:2 FLAGS',
    ],
    expect: [
      '* 1 FETCH (FLAGS (\\Answered))',
      'a1 OK Store completed.',
      '* 1 FETCH (FLAGS (\\Answered Work \\Seen))',
      'a2 OK Store completed.',
      '* 1 FETCH (FLAGS (\\Seen))',
      'a3 OK Store completed.',
      'a4 OK Store completed.',
      'a5 BAD Invalid system flag \\Recent',
      '* 1 FETCH (FLAGS (\\Seen \\Draft))',
      '* 2 FETCH (FLAGS (\\Draft))',
      'a6 OK Fetch completed.',
    ],
  },
  {
    name: 'a keyword the mailbox did not know is announced',
    send: ['a1 STORE 1 +FLAGS (Novel)'],
    expect: [
      '* 1 FETCH (FLAGS (\\Seen Novel))',
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Work Novel)',
      'a1 OK Store completed.',
    ],
  },
  {
    name: 'EXPUNGE counts as it goes, UID EXPUNGE spares what it is not told',
    send: ['a1 STORE 1:3 +FLAGS.SILENT (\\Deleted)', 'a2 UID EXPUNGE 5', 'a3 EXPUNGE'],
    expect: [
      'a1 OK Store completed.',
      '* 2 EXPUNGE',
      'a2 OK Expunge completed',
      '* 1 EXPUNGE',
      '* 1 EXPUNGE',
      'a3 OK Expunge completed',
    ],
  },
  {
    name: 'COPY tells the UIDs of both sides and keeps flags and dates',
    send: [
      'a1 UID COPY 3,9 other',
      'a2 COPY 1 nowhere',
      'a3 UID COPY 77 other',
      'a4 EXAMINE other',
      'a5 FETCH 1:2 (UID FLAGS INTERNALDATE)',
    ],
    expect: [
      'a1 OK [COPYUID 1600000002 3,9 1:2] Copy completed.',
      "a2 NO [TRYCREATE] Mailbox doesn't exist: nowhere",
      'a3 OK Copy completed.',
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Work)',
      '* OK [PERMANENTFLAGS ()] Flags permitted.',
      '* 2 EXISTS',
      '* 2 RECENT',
      '* OK [UNSEEN 2] First unseen.',
      '* OK [UIDVALIDITY 1600000002] UIDs valid',
      '* OK [UIDNEXT 3] Predicted next UID',
      '* OK [HIGHESTMODSEQ 3] Highest',
      'a4 OK [READ-ONLY] Examine completed',
      '* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) INTERNALDATE "01-Feb-2020 10:00:00 +0100")',
      '* 2 FETCH (UID 2 FLAGS (\\Flagged Work \\Recent) INTERNALDATE "03-Feb-2020 10:00:00 +0000")',
      'a5 OK Fetch completed.',
    ],
  },
  {
    name: 'MOVE tells the UIDs first and expunges then',
    send: ['a1 UID MOVE 3:5 other', 'a2 MOVE 1 other', 'a3 NOOP'],
    expect: [
      '* OK [COPYUID 1600000002 3,5 1:2] Moved UIDs.',
      '* 1 EXPUNGE',
      '* 1 EXPUNGE',
      'a1 OK Move completed.',
      '* OK [COPYUID 1600000002 9 3] Moved UIDs.',
      '* 1 EXPUNGE',
      'a2 OK Move completed.',
      'a3 OK Noop completed',
    ],
  },
  ...(
    [
      ['ALL', '1 2 3'],
      ['2:3', '2 3'],
      ['UID 5:9', '2 3'],
      ['SEEN', '1'],
      ['UNSEEN', '2 3'],
      ['FLAGGED', '3'],
      ['KEYWORD work', '3'],
      ['UNKEYWORD Work', '1 2'],
      ['SINCE 02-Feb-2020', '2 3'],
      ['BEFORE 2-Feb-2020', '1'],
      ['ON 2-Feb-2020', '2'],
      ['LARGER 80', '2'],
      ['SMALLER 80', '1'],
      ['SUBJECT T', '2 3'],
      ['FROM A@EXAMPLE', '1 2 3'],
      ['HEADER Message-ID "<two@"', '2'],
      ['HEADER X-None ""', ''],
      ['BODY needle', '2'],
      ['TEXT "Subject: three"', '3'],
      ['BODY "Subject"', ''],
      ['NOT SEEN', '2 3'],
      ['OR SEEN SUBJECT three', '1 3'],
      ['(UNSEEN NOT FLAGGED)', '2'],
      ['UNSEEN FLAGGED', '3'],
      ['RECENT', ''],
      ['OLD', '1 2 3'],
      ['CHARSET UTF-8 SUBJECT {3+}\r\ntwo', '2'],
    ] as const
  ).map(
    ([key, found]): TranscriptCase => ({
      name: `SEARCH ${key.replace('\r\n', ' ')}`,
      send: [`a1 SEARCH ${key}`],
      expect: [found === '' ? '* SEARCH' : `* SEARCH ${found}`, 'a1 OK Search completed'],
    }),
  ),
  {
    name: 'UID SEARCH gives UIDs, and ESEARCH what is asked for',
    send: [
      'a1 UID SEARCH UNSEEN',
      'a2 UID SEARCH RETURN (ALL COUNT MIN MAX) ALL',
      'a3 SEARCH RETURN () SEEN',
      'a4 UID SEARCH RETURN (ALL COUNT) DELETED',
      'a5 SEARCH RETURN (SAVE) ALL',
    ],
    expect: [
      '* SEARCH 5 9',
      'a1 OK Search completed',
      '* ESEARCH (TAG "a2") UID MIN 3 MAX 9 ALL 3,5,9 COUNT 3',
      'a2 OK Search completed',
      '* ESEARCH (TAG "a3") ALL 1',
      'a3 OK Search completed',
      '* ESEARCH (TAG "a4") UID COUNT 0',
      'a4 OK Search completed',
      'a5 BAD Unknown SEARCH return option SAVE',
    ],
  },
  {
    name: 'SEARCH MODSEQ tells the highest of what it found',
    send: [
      'a1 UID SEARCH MODSEQ 3',
      'a2 UID SEARCH RETURN (COUNT) MODSEQ "/flags/\\\\draft" all 4',
      'a3 SEARCH MODSEQ 100',
    ],
    expect: [
      '* SEARCH 5 9 (MODSEQ 4)',
      'a1 OK Search completed',
      '* ESEARCH (TAG "a2") UID COUNT 1 MODSEQ 4',
      'a2 OK Search completed',
      '* SEARCH',
      'a3 OK Search completed',
    ],
  },
  {
    name: 'SEARCH refuses unknown keys, charsets and dates',
    send: [
      'a1 SEARCH FROBBED',
      'a2 SEARCH CHARSET KOI8-R ALL',
      'a3 SEARCH SINCE yesterday',
      'a4 SEARCH',
      `a5 SEARCH ${'NOT '.repeat(60)}SEEN`,
    ],
    expect: [
      'a1 BAD Unknown argument FROBBED',
      'a2 NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset',
      'a3 BAD Invalid search date',
      'a4 BAD Missing argument',
      'a5 BAD Search is nested too deep',
    ],
  },
];

test.each(cases)('$name', (each) => {
  const selected = {
    ...each,
    prepare: fill,
    send: ['s SELECT INBOX', ...each.send],
  };
  const lines = runTranscript(selected);
  expect(lines.slice(lines.findIndex((line) => line.startsWith('s OK')) + 1)).toEqual(each.expect);
});

test('nothing is written to an examined mailbox', () => {
  const { alice, client } = openRaw();
  fill(alice);
  client.say('a1 EXAMINE INBOX');
  const readOnly = expect.stringContaining('NO [READ-ONLY] Mailbox is read-only');
  expect(client.say('a2 STORE 1 +FLAGS (x)')).toEqual([readOnly]);
  expect(client.say('a3 EXPUNGE')).toEqual([readOnly]);
  expect(client.say('a4 UID MOVE 3 other')).toEqual([readOnly]);
  expect(client.say('a5 FETCH 2 BODY[TEXT]').join()).not.toContain('Seen');
  expect(alice.inbox.find(5)?.flags.size).toBe(0);
});

test('a store on a server without free keywords drops them or is refused', () => {
  for (const [unknownFlags, answer] of [
    ['drop', '* 1 FETCH (FLAGS (\\Seen \\Draft))'],
    ['refuse', 'a2 BAD Unrecognized flag'],
  ] as const) {
    const { alice, client } = openRaw({ keepKeywords: false, unknownFlags, permanentKeywords: ['Known'] });
    fill(alice);
    client.say('a1 SELECT INBOX');
    expect(client.say('a2 STORE 1 +FLAGS (\\Draft Novel)')[0]).toBe(answer);
    expect(client.say('a3 STORE 1 +FLAGS (known)').at(-1)).toBe('a3 OK Store completed.');
  }
});
