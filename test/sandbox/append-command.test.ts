import { describe, expect, test } from 'vitest';
import { no } from '../../src/sandbox/answer.ts';
import type { SandboxAccount, SandboxOptions } from '../../src/sandbox/index.ts';
import { mail, openRaw, runTranscript, type TranscriptCase } from './raw-client.ts';

const one = mail('one');
const two = mail('two');

/** What INBOX holds, as far as these tests care. */
function stored(account: SandboxAccount): string[] {
  return account.inbox.messages.map(
    (message) => `${message.uid} ${[...message.flags].join(',')} ${message.internalDate} ${message.body.length}`,
  );
}

const cases: TranscriptCase[] = [
  {
    name: 'one message with a synchronising literal',
    send: [`a1 APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" {${one.length}}`, one],
    expect: ['+ OK', 'a1 OK [APPENDUID 1600000001 1] Append completed.'],
  },
  {
    name: 'one message with LITERAL+ and neither flags nor date',
    send: [`a1 APPEND INBOX {${one.length}+}`, one],
    expect: ['a1 OK [APPENDUID 1600000001 1] Append completed.'],
  },
  {
    name: 'the mailbox named by a literal',
    send: ['a1 APPEND {5}', `inbox (\\Seen) {${one.length}}`, one],
    expect: ['+ OK', '+ OK', 'a1 OK [APPENDUID 1600000001 1] Append completed.'],
  },
  {
    name: 'several messages, UIDs in order',
    send: [`a1 APPEND INBOX {${one.length}+}`, `${one} (\\Draft) {${two.length}}`, `${two} {${one.length}+}`, one],
    expect: ['+ OK', 'a1 OK [APPENDUID 1600000001 1:3] Append completed.'],
  },
  {
    name: 'a mailbox that does not exist is refused before the literal',
    send: [`a1 APPEND nope {${one.length}}`, 'a2 NOOP'],
    expect: ["a1 NO [TRYCREATE] Mailbox doesn't exist: nope", 'a2 OK Noop completed'],
  },
  {
    name: 'with LITERAL+ the literals are read before the refusal',
    send: [`a1 APPEND nope {${one.length}+}`, `${one} {${two.length}+}`, two, 'a2 NOOP'],
    expect: ["a1 NO [TRYCREATE] Mailbox doesn't exist: nope", 'a2 OK Noop completed'],
  },
  {
    name: 'a synchronising literal after a refusal is answered at once',
    send: [`a1 APPEND nope {${one.length}+}`, `${one} {${two.length}}`, 'a2 NOOP'],
    expect: ["a1 NO [TRYCREATE] Mailbox doesn't exist: nope", 'a2 OK Noop completed'],
  },
  {
    name: 'a bad date, an impossible flag and a missing literal are BAD',
    send: [
      `a1 APPEND INBOX "1996-07-17" {${one.length}}`,
      `a2 APPEND INBOX "7-Jul-1996 02:44:25 -0700" {${one.length}}`,
      `a3 APPEND INBOX (\\Recent) {${one.length}}`,
      'a4 APPEND INBOX',
      'a5 APPEND INBOX (x)',
      `a6 APPEND INBOX (x) now {${one.length}}`,
    ],
    expect: [
      'a1 BAD Invalid internal date',
      'a2 BAD Invalid internal date',
      'a3 BAD Invalid system flag \\Recent',
      'a4 BAD Missing message literal',
      'a5 BAD Missing message literal',
      'a6 BAD Unknown or extra arguments',
    ],
  },
  {
    name: 'an empty message is refused',
    send: ['a1 APPEND INBOX {0}', '', 'a2 NOOP'],
    expect: ['+ OK', "a1 NO Can't save a zero byte message.", 'a2 OK Noop completed'],
  },
  {
    name: 'a message above the limit is refused before it is sent',
    options: { appendLimit: 50 },
    send: [`a1 APPEND INBOX {${one.length}}`, `a2 APPEND INBOX {${one.length}+}`, one],
    expect: [
      'a1 NO [TOOBIG] Message size exceeds the limit of 50 bytes',
      'a2 NO [TOOBIG] Message size exceeds the limit of 50 bytes',
    ],
  },
  {
    name: 'a quota counts what came before in the same command',
    prepare: (alice) => {
      alice.quota = { storageBytes: one.length + 10, messages: null };
    },
    send: [
      `a1 APPEND INBOX {${one.length}+}`,
      `${one} {${two.length}+}`,
      two,
      `a2 APPEND INBOX {${one.length}+}`,
      one,
      `a3 APPEND INBOX {${one.length}}`,
    ],
    expect: [
      'a1 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)',
      'a2 OK [APPENDUID 1600000001 1] Append completed.',
      'a3 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)',
    ],
  },
  {
    name: 'a quota on the number of messages',
    prepare: (alice) => {
      alice.quota = { storageBytes: null, messages: 1 };
    },
    send: [`a1 APPEND INBOX {${one.length}+}`, `${one} {${two.length}+}`, two, `a2 APPEND INBOX {${one.length}+}`, one],
    expect: [
      'a1 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)',
      'a2 OK [APPENDUID 1600000001 1] Append completed.',
    ],
  },
  {
    name: '{n+} without LITERAL+ is refused, and the mail is read as commands',
    options: { disable: ['LITERAL+'] },
    send: [`a1 APPEND INBOX {${one.length}+}`, one, 'a2 NOOP'],
    expect: [
      'a1 BAD Non-synchronizing literals are not supported',
      'From: BAD Unknown command A',
      'Subject: BAD Unknown command ONE',
      '* BAD Invalid command',
      '* BAD Invalid command',
      '* BAD Invalid command',
      '* BAD Invalid command',
      'a2 OK Noop completed',
    ],
  },
  {
    name: 'LITERAL- takes small literals without waiting and refuses big ones',
    options: { enable: ['LITERAL-'] },
    send: [`a1 APPEND INBOX {${one.length}+}`, one, 'a2 APPEND INBOX {4097+}', 'a3 NOOP'],
    expect: [
      'a1 OK [APPENDUID 1600000001 1] Append completed.',
      'a2 BAD Non-synchronizing literals are not supported',
      'a3 OK Noop completed',
    ],
  },
  {
    name: 'a second message without MULTIAPPEND is BAD',
    options: { disable: ['MULTIAPPEND'] },
    send: [`a1 APPEND INBOX {${one.length}}`, `${one} {${two.length}}`, 'a2 STATUS INBOX (MESSAGES)'],
    expect: ['+ OK', 'a1 BAD Unknown or extra arguments', '* STATUS INBOX (MESSAGES 0)', 'a2 OK Status completed'],
  },
  {
    name: 'no APPENDUID without UIDPLUS',
    options: { disable: ['UIDPLUS'] },
    send: [`a1 APPEND INBOX {${one.length}+}`, one],
    expect: ['a1 OK Append completed.'],
  },
  {
    name: 'an append to the selected mailbox is announced before its OK',
    send: ['a0 SELECT INBOX', `a1 APPEND INBOX {${one.length}+}`, one],
    expect: [
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.',
      '* 0 EXISTS',
      '* 0 RECENT',
      '* OK [UIDVALIDITY 1600000001] UIDs valid',
      '* OK [UIDNEXT 1] Predicted next UID',
      '* OK [HIGHESTMODSEQ 1] Highest',
      'a0 OK [READ-WRITE] Select completed',
      '* 1 EXISTS',
      '* 1 RECENT',
      'a1 OK [APPENDUID 1600000001 1] Append completed.',
    ],
  },
];

test.each(cases)('$name', (each) => {
  expect(runTranscript(each)).toEqual(each.expect);
});

test('an expunge makes room in the quota again', () => {
  const { alice, client } = openRaw();
  alice.quota = { storageBytes: one.length, messages: 1 };
  const append = () => client.say(`a1 APPEND INBOX {${one.length}+}`, one)[0]?.slice(0, 5);
  expect([append(), append()]).toEqual(['a1 OK', 'a1 NO']);
  alice.inbox.expunge([...alice.inbox.messages]);
  expect(append()).toBe('a1 OK');
});

describe('what is stored', () => {
  const append = (options: SandboxOptions, text: string) => {
    const { alice, client } = openRaw(options);
    const lines = client.say(text);
    return { messages: stored(alice), answer: lines.at(-1), alice };
  };
  const command = `a1 APPEND INBOX (\\seen Known Novel) "17-Jul-1996 02:44:25 -0700" {${one.length}+}\r\n${one}`;

  test('bytes, flags and the date with its zone, as they came', () => {
    const { messages, alice } = append({}, command);
    expect(messages).toEqual([`1 \\Seen,Known,Novel 17-Jul-1996 02:44:25 -0700 ${one.length}`]);
    expect(alice.inbox.messages[0]?.body.toString()).toBe(one);
  });

  test('the server’s own date where it keeps none', () => {
    expect(append({ keepDates: false, now: () => Date.UTC(2030, 4, 6) }, command).messages).toEqual([
      `1 \\Seen,Known,Novel 06-May-2030 00:00:00 +0000 ${one.length}`,
    ]);
  });

  test('only the keywords the server keeps', () => {
    const options = { keepKeywords: false, permanentKeywords: ['known'] } as const;
    expect(append(options, command).messages).toEqual([`1 \\Seen,Known 17-Jul-1996 02:44:25 -0700 ${one.length}`]);
    const refused = append({ ...options, unknownFlags: 'refuse' }, command);
    expect(refused).toMatchObject({ messages: [], answer: 'a1 BAD Unrecognized flag Novel' });
  });

  test('what the server makes of it, where it alters messages', () => {
    const { alice } = append({ rewrite: (body) => Buffer.concat([Buffer.from('X-Touched: yes\r\n'), body]) }, command);
    expect(alice.inbox.messages[0]?.body.toString()).toBe(`X-Touched: yes\r\n${one}`);
  });
});

describe('several messages are stored all or not at all', () => {
  const cases: [string, SandboxOptions, string[], string][] = [
    [
      'a refused message',
      { refuse: ({ body }) => (body.includes('two') ? no('contains two').answer : null) },
      [one, two, one],
      'a1 NO contains two',
    ],
    ['an empty one', {}, [one, '', one], "a1 NO Can't save a zero byte message."],
    [
      'one above the limit',
      { appendLimit: 100 },
      [one, 'x'.repeat(101)],
      'a1 NO [TOOBIG] Message size exceeds the limit of 100 bytes',
    ],
  ];
  for (const literal of ['+', '']) {
    test.each(cases)(`%s spoils the batch (literals {n${literal}})`, (_name, options, bodies, answer) => {
      const { alice, client } = openRaw(options);
      client.take();
      client.send('a1 APPEND INBOX');
      for (const body of bodies) {
        client.send(` {${body.length}${literal}}\r\n`);
        const refused = client.session.tag === '';
        if (refused) break;
        client.send(body);
      }
      if (client.session.tag !== '') client.send('\r\n');
      expect(client.takeLines().at(-1)).toBe(answer);
      expect(alice.inbox.messages.length).toBe(0);
      expect(client.say('a2 NOOP')).toEqual(['a2 OK Noop completed']);
    });
  }

  test('a bad date in the second message', () => {
    const { alice, client } = openRaw();
    expect(client.say(`a1 APPEND INBOX {${one.length}+}`, `${one} "yesterday" {${two.length}+}`, two)).toEqual([
      'a1 BAD Invalid internal date',
    ]);
    expect(alice.inbox.messages.length).toBe(0);
  });

  test('the refusal hook sees each message', () => {
    const seen: unknown[] = [];
    const { client, alice } = openRaw({
      refuse: ({ mailbox, body, flags, internalDate }) => {
        seen.push([mailbox, body.length, flags, internalDate]);
        return null;
      },
    });
    alice.createMailbox('Übersicht');
    client.say(
      `a1 APPEND "&ANw-bersicht" (x) "17-Jul-1996 02:44:25 -0700" {${one.length}+}`,
      `${one} {${two.length}+}`,
      two,
    );
    expect(seen).toEqual([
      ['Übersicht', one.length, ['x'], '17-Jul-1996 02:44:25 -0700'],
      ['Übersicht', two.length, [], null],
    ]);
  });
});

test('a mailbox opened with EXAMINE takes messages, but not on a server like Courier', () => {
  const append = [`a2 APPEND INBOX {${one.length}+}`, one];
  expect(
    openRaw()
      .client.say('a1 EXAMINE INBOX', ...append)
      .at(-1),
  ).toMatch(/^a2 OK/);
  const { client } = openRaw({ refuseAppendToExamined: true });
  expect(client.say('a1 EXAMINE INBOX', ...append).at(-1)).toBe('a2 NO Current box is selected READ-ONLY.');
  expect(client.say('a1 SELECT INBOX', ...append).at(-1)).toMatch(/^a2 OK/);
});

describe('the moment of storing', () => {
  const begin = `a1 APPEND INBOX {${one.length}+}\r\n`;

  test('is the end of the command', () => {
    const { alice, client } = openRaw();
    client.send(begin + one);
    expect(alice.inbox.messages.length).toBe(0);
    client.send('\r\n');
    expect(alice.inbox.messages.length).toBe(1);
  });

  test('is the last octet on a server like Courier', () => {
    const { alice, client } = openRaw({ commitAtLastOctet: true });
    client.send(begin + one.slice(0, -1));
    expect(alice.inbox.messages.length).toBe(0);
    client.send(one.slice(-1));
    expect(alice.inbox.messages.length).toBe(1);
    client.take();
    client.send('\r\n');
    expect(client.takeLines()).toEqual(['a1 OK [APPENDUID 1600000001 1] Append completed.']);
  });
});
