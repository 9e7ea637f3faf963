import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/index.ts';
import { openRaw, RawClient, runTranscript, type TranscriptCase } from './raw-client.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const loggedIn = expect.stringMatching(/^a\d OK \[CAPABILITY IMAP4rev1 .*UIDPLUS.*\] Logged in$/);
const refused = (tag: string) => `${tag} NO [AUTHENTICATIONFAILED] Authentication failed.`;

const cases: TranscriptCase[] = [
  { name: 'LOGIN with atoms', send: ['a1 LOGIN alice secret'], expect: [loggedIn] },
  { name: 'LOGIN with quoted strings', send: ['a1 LOGIN "alice" "secret"'], expect: [loggedIn] },
  {
    name: 'LOGIN with synchronising literals',
    send: ['a1 LOGIN {5}', 'alice {6}', 'secret'],
    expect: ['+ OK', '+ OK', loggedIn],
  },
  { name: 'LOGIN with LITERAL+', send: ['a1 LOGIN {5+}', 'alice {6+}', 'secret'], expect: [loggedIn] },
  {
    name: 'a wrong password and an unknown user get the same answer',
    send: ['a1 LOGIN alice wrong', 'a2 LOGIN bob secret', 'a3 LOGIN alice secret'],
    expect: [refused('a1'), refused('a2'), loggedIn],
  },
  {
    name: 'PLAIN with an initial response',
    send: [`a1 AUTHENTICATE PLAIN ${base64('\0alice\0secret')}`],
    expect: [loggedIn],
  },
  {
    name: 'PLAIN after an empty challenge',
    send: ['a1 AUTHENTICATE PLAIN', base64('\0alice\0secret')],
    expect: ['+ ', loggedIn],
  },
  {
    name: 'PLAIN may name its own user as the one to act as, and nobody else',
    prepare: (_alice, server) => {
      server.addAccount({ user: 'bob', password: 'other' });
    },
    send: [
      `a1 AUTHENTICATE PLAIN ${base64('bob\0alice\0secret')}`,
      `a2 AUTHENTICATE PLAIN ${base64('alice\0alice\0secret')}`,
    ],
    expect: [refused('a1'), loggedIn],
  },
  {
    name: 'LOGIN as a mechanism',
    send: ['a1 AUTHENTICATE LOGIN', base64('alice'), base64('secret')],
    expect: [`+ ${base64('Username:')}`, `+ ${base64('Password:')}`, loggedIn],
  },
  {
    name: 'a cancelled exchange is BAD',
    send: ['a1 AUTHENTICATE PLAIN', '*', 'a2 NOOP'],
    expect: ['+ ', 'a1 BAD Authentication cancelled', 'a2 OK Noop completed'],
  },
  {
    name: 'base64 must be base64',
    send: ['a1 AUTHENTICATE PLAIN', '!!!'],
    expect: ['+ ', 'a1 BAD Invalid base64 data'],
  },
  {
    name: 'an unknown mechanism is NO',
    send: ['a1 AUTHENTICATE NTLM'],
    expect: ['a1 NO Unsupported authentication mechanism NTLM'],
  },
  {
    name: 'XOAUTH2 with the right token',
    send: [`a1 AUTHENTICATE XOAUTH2 ${base64('user=alice\x01auth=Bearer tok\x01\x01')}`],
    expect: [loggedIn],
  },
  {
    name: 'XOAUTH2 with a wrong token is told why before the NO',
    send: [`a1 AUTHENTICATE XOAUTH2 ${base64('user=alice\x01auth=Bearer old\x01\x01')}`, ''],
    expect: [`+ ${base64('{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}')}`, refused('a1')],
  },
  {
    name: 'OAUTHBEARER with the right token',
    send: [`a1 AUTHENTICATE OAUTHBEARER ${base64('n,a=alice,\x01host=h\x01port=1\x01auth=Bearer tok\x01\x01')}`],
    expect: [loggedIn],
  },
  {
    name: 'OAUTHBEARER with a wrong token is told why before the NO',
    send: [`a1 AUTHENTICATE OAUTHBEARER ${base64('n,a=alice,\x01auth=Bearer old\x01\x01')}`, base64('\x01')],
    expect: [`+ ${base64('{"status":"invalid_token"}')}`, refused('a1')],
  },
  {
    name: 'EXTERNAL is off until it is enabled',
    send: [`a1 AUTHENTICATE EXTERNAL ${base64('alice')}`],
    expect: ['a1 NO Unsupported authentication mechanism EXTERNAL'],
  },
  {
    name: 'EXTERNAL with no name means the first account',
    options: { enable: ['AUTH=EXTERNAL'] },
    send: ['a1 AUTHENTICATE EXTERNAL ='],
    expect: [loggedIn],
  },
  {
    name: 'an initial response needs SASL-IR',
    options: { disable: ['SASL-IR'] },
    send: [`a1 AUTHENTICATE PLAIN ${base64('\0alice\0secret')}`],
    expect: ['a1 BAD Initial responses are not supported'],
  },
];

test.each(cases)('$name', (each) => {
  expect(runTranscript({ ...each, login: false })).toEqual(each.expect);
});

test('CRAM-MD5 is checked against the challenge', () => {
  const server = new SandboxServer();
  server.addAccount({ user: 'alice', password: 'secret' });
  for (const [password, ok] of [
    ['secret', true],
    ['wrong', false],
  ] as const) {
    const client = new RawClient(server);
    const [challenge = ''] = client.say('a1 AUTHENTICATE CRAM-MD5');
    const digest = createHmac('md5', password)
      .update(Buffer.from(challenge.slice(2), 'base64'))
      .digest('hex');
    expect(client.say(base64(`alice ${digest}`))[0]?.startsWith('a1 OK')).toBe(ok);
  }
});

describe('an administrator', () => {
  function openAdmin() {
    const server = new SandboxServer({ announceCapabilities: false });
    const alice = server.addAccount({ user: 'alice', password: 'secret' });
    const root = server.addAccount({ user: 'root', password: 'toor', admin: true });
    const client = new RawClient(server);
    client.take();
    return { alice, root, client };
  }

  test('acts as another user through PLAIN', () => {
    const { alice, client } = openAdmin();
    expect(client.say(`a1 AUTHENTICATE PLAIN ${base64('alice\0root\0toor')}`)).toEqual(['a1 OK Logged in']);
    client.say('a2 CREATE made');
    expect([...alice.mailboxes.keys()]).toEqual(['INBOX', 'made']);
  });

  test('acts as another user through PROXYAUTH', () => {
    const { alice, root, client } = openAdmin();
    client.say('a1 LOGIN root toor');
    expect(client.say('a2 PROXYAUTH nobody')).toEqual(['a2 NO [NOPERM] Permission denied']);
    expect(client.say('a3 PROXYAUTH alice')).toEqual(['a3 OK Proxyauth completed']);
    client.say('a4 CREATE made');
    expect([...alice.mailboxes.keys()]).toEqual(['INBOX', 'made']);
    expect({ alice: alice.connections, root: root.connections }).toEqual({ alice: 1, root: 0 });
  });

  test('is the only one who may', () => {
    const { client } = openRaw();
    expect(client.say('a1 PROXYAUTH alice')).toEqual(['a1 NO [NOPERM] Permission denied']);
  });
});

test('logins and failures are counted per account', () => {
  const { alice, client } = openRaw();
  client.say('a1 LOGOUT');
  const again = new RawClient(client.session.server);
  again.say('a1 LOGIN alice no', 'a2 LOGIN alice never');
  expect({ logins: alice.logins, failed: alice.failedLogins, connections: alice.connections }).toEqual({
    logins: 1,
    failed: 2,
    connections: 0,
  });
});

test('too many failures end the connection with BYE', () => {
  const server = new SandboxServer({ maxLoginFailures: 2, announceCapabilities: false });
  const client = new RawClient(server);
  expect(client.say('a1 LOGIN x y')).toEqual(['a1 NO [AUTHENTICATIONFAILED] Authentication failed.']);
  expect(client.say('a2 LOGIN x y')).toEqual(['* BYE Too many login failures']);
  expect(client.ended).toBe('end');
});

test('the connection limit is worded as Dovecot words it, and ends with the connection that goes', () => {
  const { server, client } = openRaw({ maxConnections: 1, announceCapabilities: false });
  const second = new RawClient(server);
  expect(second.say('a1 LOGIN alice secret')).toEqual([
    'a1 NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)',
  ]);
  client.say('b1 LOGOUT');
  expect(second.say('a2 LOGIN alice secret')).toEqual(['a2 OK Logged in']);
});

test('the connection limit may be worded otherwise, or be a BYE', () => {
  const { server } = openRaw({
    maxConnections: 1,
    connectionLimitAnswer: { status: 'BYE', code: 'LIMIT', text: 'Enough' },
  });
  const second = new RawClient(server);
  expect(second.say('a1 LOGIN alice secret')).toEqual(['* BYE [LIMIT] Enough']);
  expect(second.ended).toBe('end');
});

test('a server that requires TLS offers no password login before it', () => {
  const server = new SandboxServer({ requireTls: true });
  server.addAccount({ user: 'alice', password: 'secret' });
  const client = new RawClient(server, { startTls: () => client.session.tlsStarted() });
  expect(client.take()).toMatch(/STARTTLS LOGINDISABLED\]/);
  expect(client.say('a1 LOGIN alice secret')[0]).toMatch(/^a1 NO \[PRIVACYREQUIRED\]/);
  expect(client.say(`a2 AUTHENTICATE PLAIN ${base64('\0alice\0secret')}`)[0]).toMatch(/^a2 NO \[PRIVACYREQUIRED\]/);
  client.say('a3 STARTTLS');
  expect(client.say('a4 LOGIN alice secret')[0]).toMatch(/^a4 OK/);
});

test('the command log shows no secret', () => {
  const { server } = openRaw();
  const client = new RawClient(server);
  client.say(`a1 AUTHENTICATE PLAIN ${base64('\0alice\0secret')}`, 'a2 NOOP');
  expect(server.commandLog.map(({ connection, user, line }) => [connection, user, line])).toEqual([
    [1, null, 'LOGIN'],
    [2, null, 'AUTHENTICATE'],
    [2, 'alice', 'NOOP'],
  ]);
});
