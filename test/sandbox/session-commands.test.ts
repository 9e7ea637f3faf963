import { expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/index.ts';
import { openRaw, RawClient, runTranscript, type TranscriptCase } from './raw-client.ts';

const cases: TranscriptCase[] = [
  {
    name: 'CAPABILITY before login names what is offered then, with the mechanisms',
    login: false,
    send: ['a1 CAPABILITY'],
    expect: [
      '* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE SASL-IR AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=XOAUTH2 AUTH=OAUTHBEARER',
      'a1 OK Capability completed',
    ],
  },
  {
    name: 'CAPABILITY after login names the rest, without the mechanisms',
    options: { appendLimit: 1000, disable: ['QUOTA', 'MOVE'] },
    send: ['a1 CAPABILITY'],
    expect: [
      '* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MULTIAPPEND LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE CONDSTORE ESEARCH APPENDLIMIT=1000',
      'a1 OK Capability completed',
    ],
  },
  {
    name: 'a stated capability list is advertised instead of the true one',
    options: { capabilitiesAfterLogin: ['IMAP4rev1', 'X-BOAST'] },
    send: ['a1 CAPABILITY'],
    expect: ['* CAPABILITY IMAP4rev1 X-BOAST', 'a1 OK Capability completed'],
  },
  {
    name: 'NOOP does nothing in any state',
    login: false,
    send: ['a1 NOOP', 'a2 noop'],
    expect: ['a1 OK Noop completed', 'a2 OK Noop completed'],
  },
  {
    name: 'a command that does not exist, an argument too many and a line without a tag are BAD',
    send: ['a1 FROBNICATE', 'a2 NOOP now', 'nonsense', '', 'a3 LIST "" "x', '+ NOOP', 'a4'],
    expect: [
      'a1 BAD Unknown command FROBNICATE',
      'a2 BAD Unknown or extra arguments',
      '* BAD Invalid command',
      '* BAD Invalid command',
      'a3 BAD Unfinished quoted string',
      '* BAD Invalid command',
      '* BAD Invalid command',
    ],
  },
  {
    name: 'an unknown command is NO on a server like Courier',
    options: { unknownCommandAnswer: 'NO', disable: ['ID'] },
    send: ['a1 ID NIL', 'a2 NOOP now'],
    expect: ['a1 NO Unknown command ID', 'a2 BAD Unknown or extra arguments'],
  },
  {
    name: 'commands out of their state are BAD',
    login: false,
    send: [
      'a1 LIST "" *',
      'a2 FETCH 1 UID',
      'a3 LOGIN alice secret',
      'a4 LOGIN alice secret',
      'a5 FETCH 1 UID',
      'a6 STARTTLS',
    ],
    expect: [
      'a1 BAD Log in first',
      'a2 BAD Log in first',
      expect.stringMatching(/^a3 OK \[CAPABILITY .*\] Logged in$/),
      'a4 BAD Already logged in',
      'a5 BAD No mailbox selected',
      'a6 BAD Already logged in',
    ],
  },
  {
    name: 'ID answers with the server’s name, to NIL and to fields, and refuses half a pair',
    send: ['a1 ID NIL', 'a2 ID ("name" "x" "version" NIL)', 'a3 ID ("name")'],
    expect: [
      '* ID ("name" "imap-migrate sandbox")',
      'a1 OK ID completed',
      '* ID ("name" "imap-migrate sandbox")',
      'a2 OK ID completed',
      'a3 BAD ID fields come in pairs',
    ],
  },
  {
    name: 'ENABLE enables what it knows and passes over the rest',
    send: ['a1 ENABLE CONDSTORE X-NONE', 'a2 ENABLE X-NONE'],
    expect: ['* ENABLED CONDSTORE', 'a1 OK Enabled', '* ENABLED', 'a2 OK Enabled'],
  },
  {
    name: 'NAMESPACE tells prefix and separator',
    options: { delimiter: '.', personalPrefix: 'INBOX.' },
    send: ['a1 NAMESPACE'],
    expect: ['* NAMESPACE (("INBOX." ".")) NIL NIL', 'a1 OK Namespace completed'],
  },
  {
    name: 'NAMESPACE of a flat server has no separator',
    options: { delimiter: null },
    send: ['a1 NAMESPACE'],
    expect: ['* NAMESPACE (("" NIL)) NIL NIL', 'a1 OK Namespace completed'],
  },
  {
    name: 'IDLE waits for DONE and refuses anything else',
    send: ['a1 IDLE', 'done', 'a2 IDLE', 'a3 NOOP', 'a4 NOOP'],
    expect: ['+ idling', 'a1 OK Idle completed', '+ idling', 'a2 BAD Expected DONE', 'a4 OK Noop completed'],
  },
  {
    name: 'LOGOUT says BYE, answers, and reads nothing more',
    send: ['a1 LOGOUT', 'a2 NOOP'],
    expect: ['* BYE Logging out', 'a1 OK Logout completed'],
  },
];

test.each(cases)('$name', (each) => {
  expect(runTranscript(each)).toEqual(each.expect);
});

test('the greeting carries the capabilities, unless the server keeps them back', () => {
  expect(new RawClient(new SandboxServer()).take()).toMatch(
    /^\* OK \[CAPABILITY IMAP4rev1 .*AUTH=PLAIN.*\] Sandbox ready\.\r\n$/,
  );
  expect(new RawClient(new SandboxServer({ announceCapabilities: false, greetingText: 'Hello' })).take()).toBe(
    '* OK Hello\r\n',
  );
});

test('a preauthenticated connection needs no login', () => {
  const server = new SandboxServer({ preauthUser: 'alice', announceCapabilities: false });
  server.addAccount({ user: 'alice', password: 'secret' });
  const client = new RawClient(server);
  expect(client.take()).toBe('* PREAUTH Sandbox ready.\r\n');
  expect(client.say('a1 STATUS INBOX (MESSAGES)')).toEqual(['* STATUS INBOX (MESSAGES 0)', 'a1 OK Status completed']);
});

test('a server that wants nobody says BYE and ends', () => {
  const client = new RawClient(new SandboxServer({ greetingBye: 'Too many connections' }));
  expect(client.take()).toBe('* BYE Too many connections\r\n');
  expect(client.ended).toBe('end');
});

test('a line beyond the limit is BAD, and the next command is read again', () => {
  const { client } = openRaw({ maxLineBytes: 100 });
  const long = `a1 NOOP ${'x'.repeat(500)}`;
  expect(client.say(long, 'a2 NOOP')).toEqual(['a1 BAD Command line too long', 'a2 OK Noop completed']);
  client.take();
  client.send(`${long}\r\na2 NOOP\r\n`, 30);
  expect(client.takeLines()).toEqual(['a1 BAD Command line too long', 'a2 OK Noop completed']);
});

test.each([99, 100, 101, 102])('a line of %d bytes is judged the same however it arrives', (length) => {
  const lines = [1, 50, Number.POSITIVE_INFINITY].map((pieceBytes) => {
    const { client } = openRaw({ maxLineBytes: 100 });
    client.take();
    client.send(`${'a1 LSUB "" '.padEnd(length, 'x')}\r\na2 NOOP\r\n`, pieceBytes);
    return client.takeLines();
  });
  const first = length <= 100 ? 'a1 OK Lsub completed' : 'a1 BAD Command line too long';
  expect(lines).toEqual(Array(3).fill([first, 'a2 OK Noop completed']));
});

test('LOGOUT ends the connection in an orderly way', () => {
  const { client, server } = openRaw();
  client.say('a1 LOGOUT');
  expect(client.ended).toBe('end');
  expect(server.sessions.size).toBe(0);
});

test('STARTTLS is offered where the wire can do it, and clear text sent ahead is thrown away', () => {
  const server = new SandboxServer({ announceCapabilities: false });
  let started = 0;
  const client = new RawClient(server, {
    startTls: () => {
      started += 1;
    },
  });
  expect(client.say('a1 CAPABILITY')[0]).toContain(' STARTTLS');
  client.send('a2 STARTTLS\r\na3 NOOP\r\n');
  expect(client.takeLines()).toEqual(['a2 OK Begin TLS negotiation now']);
  expect(started).toBe(1);
  client.send('a4 NOOP\r\n');
  expect(client.take()).toBe('');
  client.session.tlsStarted();
  expect(client.takeLines()).toEqual(['a4 OK Noop completed']);
  expect(client.session.secure).toBe(true);
  expect(client.say('a5 CAPABILITY')[0]).not.toContain('STARTTLS');
  expect(client.say('a6 STARTTLS')).toEqual(['a6 BAD TLS is not available']);
});

test('a client that hangs up in the middle of STARTTLS leaves no session behind', () => {
  const server = new SandboxServer();
  const client = new RawClient(server, { startTls: () => {} });
  client.say('a1 STARTTLS');
  client.session.closed();
  expect(server.sessions.size).toBe(0);
});
