import { describe, expect, test } from 'vitest';
import { mail, openRaw, RawClient } from './raw-client.ts';

/** Two clients of one account, both with INBOX selected, holding `count` messages, all \Recent for the first. */
function openPair(count: number, options: Parameters<typeof openRaw>[0] = {}) {
  const { alice, client, server } = openRaw(options);
  for (let index = 1; index <= count; index++) alice.inbox.append({ body: mail(`m${index}`) });
  client.say('s SELECT INBOX');
  const other = new RawClient(server);
  other.say('l LOGIN alice secret', 's SELECT INBOX');
  return { alice, client, other };
}

describe('what another session does', () => {
  test('an append is announced at the end of the next command', () => {
    const { client, other } = openPair(1);
    other.say('o1 APPEND INBOX {1+}', 'x');
    expect(client.say('a1 NOOP')).toEqual(['* 2 EXISTS', '* 2 RECENT', 'a1 OK Noop completed']);
    expect(client.say('a2 NOOP')).toEqual(['a2 OK Noop completed']);
  });

  test('new flags are announced to others, and to the doer once', () => {
    const { client, other } = openPair(2);
    expect(other.say('o1 STORE 2 +FLAGS (\\Seen)')).toEqual(['* 2 FETCH (FLAGS (\\Seen))', 'o1 OK Store completed.']);
    expect(client.say('a1 NOOP')).toEqual(['* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))', 'a1 OK Noop completed']);
    expect(other.say('o2 NOOP')).toEqual(['o2 OK Noop completed']);
  });

  test('flags that were shown meanwhile are not announced again', () => {
    const { client, other } = openPair(1);
    other.say('o1 STORE 1 +FLAGS.SILENT (\\Seen)');
    expect(client.say('a1 FETCH 1 FLAGS')).toEqual(['* 1 FETCH (FLAGS (\\Seen \\Recent))', 'a1 OK Fetch completed.']);
  });

  test('a client that knows mod-sequences is told them', () => {
    const { client, other } = openPair(1);
    client.say('a1 ENABLE CONDSTORE');
    other.say('o1 STORE 1 +FLAGS (\\Seen)');
    expect(client.say('a2 NOOP')[0]).toBe('* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (3))');
  });

  test('an expunge is held back while sequence numbers are in use, and the message is passed over', () => {
    const { alice, client } = openPair(3);
    alice.inbox.expunge([alice.inbox.messages[0]].flatMap((message) => message ?? []));
    expect(client.say('a1 FETCH 1:3 UID')).toEqual([
      '* 2 FETCH (UID 2)',
      '* 3 FETCH (UID 3)',
      'a1 OK [EXPUNGEISSUED] Some messages were already expunged.',
    ]);
    expect(client.say('a2 STORE 1 +FLAGS (x)')).toEqual(['a2 OK Store completed.']);
    expect(client.say('a3 SEARCH ALL')).toEqual(['* SEARCH 2 3', 'a3 OK Search completed']);
    expect(client.say('a4 UID FETCH 2 UID')).toEqual(['* 2 FETCH (UID 2)', '* 1 EXPUNGE', 'a4 OK Fetch completed.']);
    expect(client.say('a5 FETCH 1 UID')).toEqual(['* 1 FETCH (UID 2)', 'a5 OK Fetch completed.']);
  });

  test('many expunges at once are numbered as they go', () => {
    const { alice, client } = openPair(20);
    alice.inbox.expunge(alice.inbox.messages.filter((message) => message.uid % 2 === 1));
    expect(client.say('a1 NOOP')).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => `* ${number} EXPUNGE`).concat('a1 OK Noop completed'),
    );
    expect(client.say('a2 FETCH * UID')).toEqual(['* 10 FETCH (UID 20)', 'a2 OK Fetch completed.']);
  });

  test('a message that came and went in between is never mentioned', () => {
    const { alice, client } = openPair(1);
    alice.inbox.expunge([alice.inbox.append({ body: 'x' })]);
    expect(client.say('a1 NOOP')).toEqual(['a1 OK Noop completed']);
  });

  test('arrivals and departures together are told in an order that adds up', () => {
    const { alice, client } = openPair(3);
    alice.inbox.append({ body: 'x' });
    alice.inbox.expunge(alice.inbox.messages.filter((message) => message.uid === 2));
    expect(client.say('a1 NOOP')).toEqual(['* 2 EXPUNGE', '* 3 EXISTS', '* 3 RECENT', 'a1 OK Noop completed']);
  });

  test('an idling client is told at once', () => {
    const { alice, client, other } = openPair(2);
    expect(client.say('a1 IDLE')).toEqual(['+ idling']);
    other.say('o1 STORE 1 +FLAGS.SILENT (\\Deleted)', 'o2 EXPUNGE');
    expect(client.takeLines()).toEqual(['* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))', '* 1 EXPUNGE']);
    alice.inbox.append({ body: 'x' });
    expect(client.takeLines()).toEqual(['* 2 EXISTS', '* 2 RECENT']);
    expect(client.say('DONE')).toEqual(['a1 OK Idle completed']);
  });

  test('a change from before IDLE is told when it begins', () => {
    const { alice, client } = openPair(1);
    alice.inbox.append({ body: 'x' });
    expect(client.say('a1 IDLE')).toEqual(['+ idling', '* 2 EXISTS', '* 2 RECENT']);
  });

  test('a deleted mailbox ends the sessions that have it selected, except the one that deleted it', () => {
    const { alice, client, server } = openRaw();
    alice.createMailbox('x');
    client.say('a1 SELECT x');
    const other = new RawClient(server);
    other.say('o1 LOGIN alice secret', 'o2 SELECT x');
    other.take();
    expect(client.say('a2 DELETE x', 'a3 CHECK')).toEqual(['a2 OK Delete completed', 'a3 BAD No mailbox selected']);
    expect(other.takeLines()).toEqual(['* BYE IMAP session state is inconsistent, please relogin.']);
    expect(other.ended).toBe('end');
  });
});

describe('\\Recent', () => {
  test('goes to the first session that selects for writing, not to one that examines', () => {
    const { alice, client, server } = openRaw();
    alice.inbox.append({ body: 'x' });
    const other = new RawClient(server);
    expect(client.say('a1 EXAMINE INBOX')).toContain('* 1 RECENT');
    expect(client.say('a2 SELECT INBOX')).toContain('* 1 RECENT');
    expect(other.say('o1 LOGIN alice secret', 'o2 SELECT INBOX')).toContain('* 0 RECENT');
    expect(other.say('o3 FETCH 1 FLAGS')[0]).toBe('* 1 FETCH (FLAGS ())');
    expect(client.say('a3 FETCH 1 FLAGS')[0]).toBe('* 1 FETCH (FLAGS (\\Recent))');
  });
});

test('sets in any order name each message once', () => {
  const { client } = openPair(6);
  const uids = (lines: string[]) =>
    lines
      .slice(0, -1)
      .map((line) => /UID (\d+)/.exec(line)?.[1])
      .join(' ');
  expect(uids(client.say('a1 UID FETCH 5:2,3,6:4,2 UID'))).toBe('2 3 4 5 6');
  expect(uids(client.say('a2 FETCH *:3,1 UID'))).toBe('1 3 4 5 6');
  expect(uids(client.say('a3 UID FETCH *:5 UID'))).toBe('5 6');
  expect(uids(client.say('a4 UID FETCH 2:4294967295 UID'))).toBe('2 3 4 5 6');
});

test('an empty mailbox has no message to name', () => {
  const { client } = openPair(0);
  expect(client.say('a1 FETCH 1:* UID', 'a2 UID FETCH 1:* UID', 'a3 FETCH * UID')).toEqual([
    'a1 BAD Invalid messageset',
    'a2 OK Fetch completed.',
    'a3 OK Fetch completed.',
  ]);
});

test('20,000 messages are appended, listed, flagged and expunged one by one without the time exploding', () => {
  const { alice, client } = openPair(0);
  const count = 20_000;
  const started = process.cpuUsage();
  for (let index = 0; index < count; index++) client.send('a APPEND INBOX {1+}\r\nx\r\n');
  expect(client.say('b UID FETCH 1:* (UID FLAGS)').length).toBe(count + 1);
  for (let uid = 1; uid <= count; uid++) client.send(`c UID STORE ${uid} +FLAGS.SILENT (\\Deleted)\r\n`);
  for (let uid = 1; uid <= count; uid++) client.send(`d UID EXPUNGE ${uid}\r\n`);
  expect(client.take().match(/ EXPUNGE\r\n/g)?.length).toBe(count);
  expect(alice.inbox.messages.length).toBe(0);
  const { user, system } = process.cpuUsage(started);
  // Linear work takes well under a second here; quadratic work takes minutes.
  expect((user + system) / 1e6).toBeLessThan(15);
});
