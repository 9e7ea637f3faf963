import { describe, expect, test } from 'vitest';
import { allFeatures, SandboxServer } from '../../src/sandbox/index.ts';
import { mail, openRaw, RawClient, runTranscript, type TranscriptCase } from './raw-client.ts';

const body = mail('one');

/** For each feature: what a client that uses it anyway is told, and nothing of the feature in it. */
const refused: (Omit<TranscriptCase, 'name'> & { readonly off: string })[] = [
  { off: 'ID', send: ['a1 ID NIL'], expect: ['a1 BAD Unknown command ID'] },
  { off: 'ENABLE', send: ['a1 ENABLE CONDSTORE'], expect: ['a1 BAD Unknown command ENABLE'] },
  { off: 'IDLE', send: ['a1 IDLE'], expect: ['a1 BAD Unknown command IDLE'] },
  { off: 'NAMESPACE', send: ['a1 NAMESPACE'], expect: ['a1 BAD Unknown command NAMESPACE'] },
  { off: 'UNSELECT', send: ['s EXAMINE INBOX', 'a1 UNSELECT'], expect: ['a1 BAD Unknown command UNSELECT'] },
  {
    off: 'MOVE',
    send: ['s SELECT INBOX', 'a1 MOVE 1 INBOX', 'a2 UID MOVE 1 INBOX'],
    expect: ['a1 BAD Unknown command MOVE', 'a2 BAD Unknown command UID MOVE'],
  },
  { off: 'PROXYAUTH', send: ['a1 PROXYAUTH bob'], expect: ['a1 BAD Unknown command PROXYAUTH'] },
  {
    off: 'QUOTA',
    send: ['a1 GETQUOTAROOT INBOX', 'a2 GETQUOTA ""', 'a3 STATUS INBOX (DELETED)'],
    expect: [
      'a1 BAD Unknown command GETQUOTAROOT',
      'a2 BAD Unknown command GETQUOTA',
      'a3 BAD Invalid status item DELETED',
    ],
  },
  {
    off: 'CHILDREN',
    send: ['a1 LIST "" *'],
    expect: ['* LIST () "/" INBOX', '* LIST (\\Sent) "/" Sent', 'a1 OK List completed'],
  },
  {
    off: 'LIST-EXTENDED',
    send: [
      'a1 LIST (SUBSCRIBED) "" *',
      'a2 LIST "" (a b)',
      'a3 LIST "" * RETURN (SUBSCRIBED)',
      'a4 LIST "" INBOX RETURN (STATUS (MESSAGES))',
    ],
    expect: [
      'a1 BAD LIST options are not supported',
      'a2 BAD Several patterns are not supported',
      'a3 BAD Unknown LIST option SUBSCRIBED',
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* STATUS INBOX (MESSAGES 1)',
      'a4 OK List completed',
    ],
  },
  {
    off: 'LIST-STATUS',
    send: ['a1 LIST "" * RETURN (STATUS (MESSAGES))'],
    expect: ['a1 BAD Unknown LIST return option STATUS'],
  },
  {
    off: 'SPECIAL-USE',
    send: ['a1 LIST "" Sent', 'a2 LIST "" * RETURN (SPECIAL-USE)', 'a3 CREATE x (USE (\\Sent))'],
    expect: [
      '* LIST (\\HasNoChildren) "/" Sent',
      'a1 OK List completed',
      'a2 BAD Unknown LIST option SPECIAL-USE',
      'a3 BAD Unknown or extra arguments',
    ],
  },
  {
    off: 'CREATE-SPECIAL-USE',
    send: ['a1 CREATE x (USE (\\Sent))', 'a2 LIST "" Sent'],
    expect: ['a1 BAD Unknown or extra arguments', '* LIST (\\HasNoChildren \\Sent) "/" Sent', 'a2 OK List completed'],
  },
  {
    off: 'STATUS=SIZE',
    send: ['a1 STATUS INBOX (SIZE)', 'a2 LIST "" * RETURN (STATUS (SIZE))'],
    expect: ['a1 BAD Invalid status item SIZE', 'a2 BAD Invalid status item SIZE'],
  },
  {
    off: 'APPENDLIMIT',
    options: { appendLimit: 10 },
    send: ['a1 STATUS INBOX (APPENDLIMIT)', 'a2 APPEND INBOX {11}'],
    expect: ['a1 BAD Invalid status item APPENDLIMIT', 'a2 NO [TOOBIG] Message size exceeds the limit of 10 bytes'],
  },
  {
    off: 'CONDSTORE',
    send: [
      'a0 SELECT INBOX (CONDSTORE)',
      's SELECT INBOX',
      'a1 STATUS INBOX (HIGHESTMODSEQ)',
      'a2 FETCH 1 (MODSEQ)',
      'a3 FETCH 1 (UID) (CHANGEDSINCE 1)',
      'a4 STORE 1 (UNCHANGEDSINCE 1) FLAGS (x)',
      'a5 SEARCH MODSEQ 1',
      'a6 ENABLE CONDSTORE',
    ],
    expect: [
      'a1 BAD Invalid status item HIGHESTMODSEQ',
      'a2 BAD Unknown parameter MODSEQ',
      'a3 BAD Unknown or extra arguments',
      'a4 BAD Unknown STORE modifier',
      'a5 BAD Unknown argument MODSEQ',
      '* ENABLED',
      'a6 OK Enabled',
    ],
  },
  {
    off: 'ESEARCH',
    send: ['s SELECT INBOX', 'a1 UID SEARCH RETURN (ALL) ALL'],
    expect: ['a1 BAD Unknown argument RETURN'],
  },
  {
    off: 'UIDPLUS',
    send: [
      's SELECT INBOX',
      'a1 UID EXPUNGE 1',
      `a2 APPEND Sent {${body.length}+}`,
      body,
      'a3 COPY 1 Sent',
      'a4 MOVE 1 Sent',
    ],
    expect: [
      'a1 BAD Unknown command UID EXPUNGE',
      'a2 OK Append completed.',
      'a3 OK Copy completed.',
      '* 1 EXPUNGE',
      'a4 OK Move completed.',
    ],
  },
];

test.each(refused)('$off switched off is refused and leaves no trace', ({ off, options, send, expect: expected }) => {
  const lines = runTranscript({
    name: off,
    options: { ...options, disable: [off] },
    prepare: (alice) => {
      alice.inbox.append({ body });
      alice.createMailbox('Sent', { specialUse: ['\\Sent'] });
    },
    send,
    expect: [],
  });
  expect(lines.slice(lines.findIndex((line) => line.startsWith('s OK')) + 1)).toEqual(expected);
  if (off === 'CONDSTORE') expect(lines.join()).not.toContain('MODSEQ ');
});

describe('a feature that is off', () => {
  const advertised = allFeatures.filter(
    (feature) => !['LITERAL-', 'STARTTLS', 'LOGIN', 'PROXYAUTH', 'AUTH=EXTERNAL'].includes(feature),
  );

  test.each(advertised)('is not advertised: %s', (feature) => {
    const word = (off: string[]) => {
      const server = new SandboxServer({ disable: off, appendLimit: 5 });
      server.addAccount({ user: 'alice', password: 'secret' });
      const client = new RawClient(server);
      const lines = [...client.takeLines(), ...client.say('a1 CAPABILITY', 'a2 LOGIN alice secret', 'a3 CAPABILITY')];
      return lines
        .join(' ')
        .split(/[ \]]/)
        .some((each) => each === feature || each.startsWith(`${feature}=`));
    };
    expect(word([])).toBe(true);
    expect(word([feature])).toBe(false);
  });

  test('must exist', () => {
    expect(() => new SandboxServer({ disable: ['MULTIAPEND'] })).toThrow('MULTIAPEND');
    expect(() => new SandboxServer({ enable: ['toString'] })).toThrow('toString');
  });
});

test('LOGIN and single mechanisms can be switched off', () => {
  const server = new SandboxServer({ disable: ['LOGIN', 'AUTH=PLAIN'] });
  server.addAccount({ user: 'alice', password: 'secret' });
  const client = new RawClient(server);
  expect(client.say('a1 LOGIN alice secret', 'a2 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==')).toEqual([
    'a1 BAD Unknown command LOGIN',
    'a2 NO Unsupported authentication mechanism PLAIN',
  ]);
});

test('LITERAL- replaces LITERAL+', () => {
  const { client } = openRaw({ enable: ['LITERAL-'] });
  const [line = ''] = client.say('a1 CAPABILITY');
  expect(line).toContain(' LITERAL- ');
  expect(line).not.toContain('LITERAL+');
});

test('everything off at once leaves a plain RFC 3501 server that still works', () => {
  const { alice, client } = openRaw({ disable: allFeatures.filter((feature) => feature !== 'LOGIN') });
  expect(client.say('a1 CAPABILITY')).toEqual(['* CAPABILITY IMAP4rev1', 'a1 OK Capability completed']);
  client.say('a2 CREATE x', `a3 APPEND x {${body.length}}`, body, 'a4 SELECT x');
  expect(client.say('a5 UID FETCH 1:* (FLAGS RFC822.SIZE)')).toEqual([
    `* 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE ${body.length})`,
    'a5 OK Fetch completed.',
  ]);
  expect(alice.mailbox('x').messages.length).toBe(1);
});
