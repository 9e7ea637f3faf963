import type { PlainResponse } from '../support/responses.ts';

/**
 * What servers send, in the form each of them sends it, and what it means. Written from their documented and reported
 * behaviour; a leniency of the parsers refers to the transcript here that needs it.
 */

export interface Transcript {
  readonly server: string;
  readonly what: string;
  /** Each line ends with CRLF; a literal's bytes continue on the next line. */
  readonly lines: readonly string[];
  readonly responses: readonly PlainResponse[];
}

const tagged = (tag: string, status: string, text: string, code?: [name: string, text: string]): PlainResponse => ({
  kind: 'tagged',
  tag,
  status,
  code: toCode(code),
  text,
});

const status = (word: string, text: string, code?: [name: string, text: string]): PlainResponse => ({
  kind: 'status',
  status: word,
  code: toCode(code),
  text,
});

const data = (name: string, rest: string, number: number | null = null): PlainResponse => ({
  kind: 'data',
  name,
  number,
  rest,
});

const fetch = (items: Extract<PlainResponse, { kind: 'fetch' }>['data']): PlainResponse => ({
  kind: 'fetch',
  data: items,
});

function toCode(code: [name: string, text: string] | undefined): { name: string; text: string } | null {
  return code === undefined ? null : { name: code[0], text: code[1] };
}

export const transcripts: readonly Transcript[] = [
  {
    server: 'Dovecot',
    what: 'greeting, EXAMINE, a body, MULTIAPPEND',
    lines: [
      '* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN] Dovecot (Debian) ready.',
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)',
      '* OK [PERMANENTFLAGS ()] Read-only mailbox.',
      '* 2 EXISTS',
      '* OK [UIDVALIDITY 1731400000] UIDs valid',
      '* OK [HIGHESTMODSEQ 17] Highest',
      '3 OK [READ-ONLY] Examine completed (0.001 + 0.000 secs).',
      '* 1 FETCH (UID 4 FLAGS (\\Seen $Forwarded) INTERNALDATE "07-Feb-2024 08:09:10 +0000" BODY[] {16}',
      'Subject: a',
      '',
      'hi)',
      '* 2 FETCH (UID 9 FLAGS () INTERNALDATE " 7-Feb-2024 08:09:10 +0000" BODY[] {0}',
      ')',
      '5 OK [APPENDUID 1731400001 3:4] Append completed (0.005 + 0.000 + 0.004 secs).',
    ],
    responses: [
      status('OK', 'Dovecot (Debian) ready.', ['CAPABILITY', 'IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN']),
      data('FLAGS', ' (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)'),
      status('OK', 'Read-only mailbox.', ['PERMANENTFLAGS', '()']),
      data('EXISTS', '', 2),
      status('OK', 'UIDs valid', ['UIDVALIDITY', '1731400000']),
      status('OK', 'Highest', ['HIGHESTMODSEQ', '17']),
      tagged('3', 'OK', 'Examine completed (0.001 + 0.000 secs).', ['READ-ONLY', '']),
      fetch({
        seq: 1,
        uid: 4,
        flags: ['\\Seen', '$Forwarded'],
        internalDate: '07-Feb-2024 08:09:10 +0000',
        body: 'Subject: a\r\n\r\nhi',
      }),
      fetch({ seq: 2, uid: 9, flags: [], internalDate: ' 7-Feb-2024 08:09:10 +0000', body: '' }),
      tagged('5', 'OK', 'Append completed (0.005 + 0.000 + 0.004 secs).', ['APPENDUID', '1731400001 3:4']),
    ],
  },
  {
    server: 'Dovecot',
    what: 'LIST with STATUS, names in quotes and as a literal',
    lines: [
      '* LIST (\\HasNoChildren \\Sent) "/" Sent',
      '* LIST (\\HasChildren) "/" "a \\"b\\" \\\\ c"',
      '* LIST (\\Noselect) NIL {5}',
      'x"y\\z',
      '* STATUS Sent (MESSAGES 3 HIGHESTMODSEQ 12 SIZE 5000000000)',
      '2 OK List completed (0.002 + 0.000 + 0.001 secs).',
    ],
    responses: [
      data('LIST', ' (\\HasNoChildren \\Sent) "/" Sent'),
      data('LIST', ' (\\HasChildren) "/" "a \\"b\\" \\\\ c"'),
      data('LIST', ' (\\Noselect) NIL x"y\\z'),
      data('STATUS', ' Sent (MESSAGES 3 HIGHESTMODSEQ 12 SIZE 5000000000)'),
      tagged('2', 'OK', 'List completed (0.002 + 0.000 + 0.001 secs).'),
    ],
  },
  {
    server: 'Cyrus',
    what: 'lower-case special use, MODSEQ, binary literal, NIL body, quoted body',
    lines: [
      '* LIST (\\HasNoChildren \\sent) "/" "Sent Items"',
      '* 7 FETCH (FLAGS (\\Recent \\Seen) UID 12 MODSEQ (18446744073709551615) RFC822.SIZE 310)',
      '* 8 FETCH (UID 13 BINARY[] ~{4}',
      'a\0b\x80)',
      '* 9 FETCH (UID 14 BODY[] NIL)',
      '* 10 FETCH (UID 15 BODY[] "short \\"one\\"" BODY[]<0> "" RFC822.HEADER NIL)',
      'a.1 NO [ALERT] Message contains invalid header',
    ],
    responses: [
      data('LIST', ' (\\HasNoChildren \\sent) "/" "Sent Items"'),
      fetch({ seq: 7, uid: 12, flags: ['\\Recent', '\\Seen'], modSeq: 18446744073709551615n, size: 310 }),
      fetch({ seq: 8, uid: 13, sections: new Map([['BINARY[]', 'a\0b\x80']]) }),
      fetch({ seq: 9, uid: 14, body: null }),
      fetch({
        seq: 10,
        uid: 15,
        body: 'short "one"',
        sections: new Map([
          ['BODY[]<0>', ''],
          ['RFC822.HEADER', null],
        ]),
      }),
      tagged('a.1', 'NO', 'Message contains invalid header', ['ALERT', '']),
    ],
  },
  {
    server: 'Courier',
    what: 'quoted header names, NO for an unknown command, BYE',
    lines: [
      '* OK [CAPABILITY IMAP4rev1 UIDPLUS CHILDREN NAMESPACE] Courier-IMAP ready. Copyright 1998-2022 Double Precision, Inc.',
      '* 1 FETCH (UID 1 BODY[HEADER.FIELDS ("MESSAGE-ID" "Date")] {21}',
      'Message-ID: <a@b>',
      '',
      ')',
      'A3 NO Error in IMAP command received by server.',
      '* BYE Courier-IMAP server shutting down',
      'A4 OK LOGOUT completed',
    ],
    responses: [
      status('OK', 'Courier-IMAP ready. Copyright 1998-2022 Double Precision, Inc.', [
        'CAPABILITY',
        'IMAP4rev1 UIDPLUS CHILDREN NAMESPACE',
      ]),
      fetch({
        seq: 1,
        uid: 1,
        sections: new Map([['BODY[HEADER.FIELDS (MESSAGE-ID DATE)]', 'Message-ID: <a@b>\r\n\r\n']]),
      }),
      tagged('A3', 'NO', 'Error in IMAP command received by server.'),
      status('BYE', 'Courier-IMAP server shutting down'),
      tagged('A4', 'OK', 'LOGOUT completed'),
    ],
  },
  {
    server: 'mailutils imap4d',
    what: 'upper-cased header names, TRYCREATE without a reason, BAD for an item',
    lines: [
      '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {2}',
      '',
      ')',
      'T1 NO APPEND [TRYCREATE] failed',
      'T2 NO [TRYCREATE] failed',
      'T3 BAD STATUS Invalid flag in list',
    ],
    responses: [
      fetch({ seq: 1, uid: 1, sections: new Map([['BODY[HEADER.FIELDS (MESSAGE-ID)]', '\r\n']]) }),
      tagged('T1', 'NO', 'APPEND [TRYCREATE] failed'),
      tagged('T2', 'NO', 'failed', ['TRYCREATE', '']),
      tagged('T3', 'BAD', 'STATUS Invalid flag in list'),
    ],
  },
  {
    server: 'Gmail',
    what: 'a code without text, keywords with brackets, its own items',
    lines: [
      '* FLAGS (\\Answered \\Seen $NotPhishing OIB-Seen-[Gmail]/Spam)',
      '* OK [PERMANENTFLAGS (\\Answered \\Seen $NotPhishing OIB-Seen-[Gmail]/Spam \\*)] Flags permitted.',
      '* OK [HIGHESTMODSEQ 4711]',
      '* 5 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 9278455344230334866 X-GM-LABELS (\\Inbox "a b" &ZeVnLIqe-) UID 77 FLAGS (OIB-Seen-[Gmail]/Spam))',
      'g7 OK [THROTTLED] Success',
      'g8 NO [OVERQUOTA] Account exceeded command or bandwidth limits. j16mb1',
    ],
    responses: [
      data('FLAGS', ' (\\Answered \\Seen $NotPhishing OIB-Seen-[Gmail]/Spam)'),
      status('OK', 'Flags permitted.', [
        'PERMANENTFLAGS',
        '(\\Answered \\Seen $NotPhishing OIB-Seen-[Gmail]/Spam \\*)',
      ]),
      status('OK', '', ['HIGHESTMODSEQ', '4711']),
      fetch({
        seq: 5,
        uid: 77,
        flags: ['OIB-Seen-[Gmail]/Spam'],
        items: {
          gmailThreadId: 1278455344230334865n,
          gmailMessageId: 9278455344230334866n,
          gmailLabels: ['\\Inbox', 'a b', '日本語'],
        },
      }),
      tagged('g7', 'OK', 'Success', ['THROTTLED', '']),
      tagged('g8', 'NO', 'Account exceeded command or bandwidth limits. j16mb1', ['OVERQUOTA', '']),
    ],
  },
  {
    server: 'Exchange',
    what: 'a space behind STATUS, throttling, BYE with a number',
    lines: [
      '* OK The Microsoft Exchange IMAP4 service is ready. [TABMAA==]',
      '* STATUS INBOX (MESSAGES 3 UIDNEXT 8 ) ',
      '7 BAD User is authenticated but not connected.',
      '8 BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds',
      '* BYE Connection is closed. 14',
    ],
    responses: [
      status('OK', 'The Microsoft Exchange IMAP4 service is ready. [TABMAA==]'),
      data('STATUS', ' INBOX (MESSAGES 3 UIDNEXT 8 ) '),
      tagged('7', 'BAD', 'User is authenticated but not connected.'),
      tagged('8', 'BAD', 'Request is throttled. Suggested Backoff Time: 299961 milliseconds'),
      status('BYE', 'Connection is closed. 14'),
    ],
  },
  {
    server: 'iCloud',
    what: 'a space behind the last flag, BYE without a word',
    lines: [
      '* 114905 FETCH (FLAGS (\\Seen $NotJunk ) MODSEQ (445400410166781) UID 1 RFC822.SIZE 35943)',
      '* BYE',
      'L1 OK',
    ],
    responses: [
      fetch({ seq: 114905, uid: 1, flags: ['\\Seen', '$NotJunk'], modSeq: 445400410166781n, size: 35943 }),
      status('BYE', ''),
      tagged('L1', 'OK', ''),
    ],
  },
  {
    server: 'SurgeMail',
    what: 'spaces inside flag lists, in a code too',
    lines: ['* FLAGS (\\Answered $Forwarded )', '* OK [PERMANENTFLAGS ( \\*)] Limited', '* 1 FETCH (FLAGS ( \\Seen ))'],
    responses: [
      data('FLAGS', ' (\\Answered $Forwarded )'),
      status('OK', 'Limited', ['PERMANENTFLAGS', '( \\*)']),
      fetch({ seq: 1, flags: ['\\Seen'] }),
    ],
  },
  {
    server: 'DavMail',
    what: 'two spaces where one belongs',
    lines: [
      '*  1843 EXISTS',
      '*  1 FETCH (UID 1989 FLAGS (\\Seen)  RFC822.HEADER {6}',
      'a: b',
      ')',
      'BB1 OK  [READ-WRITE] SELECT completed',
    ],
    responses: [
      data('EXISTS', '', 1843),
      fetch({ seq: 1, uid: 1989, flags: ['\\Seen'], sections: new Map([['RFC822.HEADER', 'a: b\r\n']]) }),
      tagged('BB1', 'OK', 'SELECT completed', ['READ-WRITE', '']),
    ],
  },
  {
    server: 'QQ Mail',
    what: 'a space before the last parenthesis',
    lines: ['* 11487 FETCH (UID 19436 )', '* 3 FETCH (UID 5 BODY[] {1}', 'x )'],
    responses: [fetch({ seq: 11487, uid: 19436 }), fetch({ seq: 3, uid: 5, body: 'x' })],
  },
  {
    server: 'a server that counts a literal two bytes short',
    what: 'a blank line behind the literal',
    lines: ['* 9 FETCH (UID 17 BODY[] {4}', 'body', ')', '', 'A9 OK FETCH completed'],
    responses: [fetch({ seq: 9, uid: 17, body: 'body' }), tagged('A9', 'OK', 'FETCH completed')],
  },
  {
    server: 'RFC 3501 and RFC 9051',
    what: 'the example session',
    lines: [
      '* OK IMAP4rev1 Service Ready',
      'a001 OK LOGIN completed',
      '* 18 EXISTS',
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
      '* 2 RECENT',
      '* OK [UNSEEN 17] Message 17 is the first unseen message',
      'a002 OK [READ-WRITE] SELECT completed',
      '* 12 FETCH (BODY[HEADER] {8}',
      'A: b',
      '',
      ')',
      '+ Ready for literal data',
      '* SEARCH 2 84 882',
      '* BAD Disk crash, attempting salvage to a new disk!',
      'a006 OK LOGOUT completed',
    ],
    responses: [
      status('OK', 'IMAP4rev1 Service Ready'),
      tagged('a001', 'OK', 'LOGIN completed'),
      data('EXISTS', '', 18),
      data('FLAGS', ' (\\Answered \\Flagged \\Deleted \\Seen \\Draft)'),
      data('RECENT', '', 2),
      status('OK', 'Message 17 is the first unseen message', ['UNSEEN', '17']),
      tagged('a002', 'OK', 'SELECT completed', ['READ-WRITE', '']),
      fetch({ seq: 12, sections: new Map([['BODY[HEADER]', 'A: b\r\n\r\n']]) }),
      { kind: 'continuation', code: null, text: 'Ready for literal data' },
      data('SEARCH', ' 2 84 882'),
      status('BAD', 'Disk crash, attempting salvage to a new disk!'),
      tagged('a006', 'OK', 'LOGOUT completed'),
    ],
  },
  {
    server: 'RFC 3501 and RFC 9051',
    what: 'words in lower case, items in any order',
    lines: [
      '* ok hello',
      '* 2 fetch (rfc822.size 9 body[header.fields (date)]<2> nil internaldate "x" flags (\\SEEN) uid 3)',
      'x bad no',
    ],
    responses: [
      status('OK', 'hello'),
      fetch({
        seq: 2,
        size: 9,
        sections: new Map([['BODY[HEADER.FIELDS (DATE)]<2>', null]]),
        internalDate: 'x',
        flags: ['\\SEEN'],
        uid: 3,
      }),
      tagged('x', 'BAD', 'no'),
    ],
  },
];
