/** The examples of docs/testing.md: word for word, and run. */
import { readFileSync } from 'node:fs';
import { ImapClient } from 'imap-migrate/protocol';
import { connectSandbox, listenSandbox, listenScripted, openScripted, SandboxServer } from 'imap-migrate/testing';
import { expect, test } from 'vitest';
import { codeBlocks } from '../support/code-blocks.ts';

test('every example of the page stands here', () => {
  const here = readFileSync(new URL(import.meta.url), 'utf8');
  const examples = codeBlocks(new URL('../../docs/testing.md', import.meta.url), 'ts');
  expect(examples.length).toBeGreaterThan(5);
  expect(examples.filter((code) => !here.includes(code))).toEqual([]);
});

/** Marks what arrived before a day as read; resolves with the number of messages. */
async function markOldAsRead(client: ImapClient, day: Date): Promise<number> {
  await client.selectFolder('INBOX');
  const uids = await client.search(['UNSEEN', 'BEFORE', day]);
  await client.addFlags(uids, ['\\Seen'], { silent: true });
  return uids.length;
}

test('old mail is found by date and marked in one command', async () => {
  const { client, server } = await openScripted(`
    C: $A SELECT "INBOX"
    S: * 9 EXISTS
    S: $A OK [READ-WRITE] selected
    C: $B UID SEARCH UNSEEN BEFORE 1-Feb-2026
    S: * SEARCH 4 7
    S: $B OK done
    C: $C UID STORE 4,7 +FLAGS.SILENT (\\Seen)
    S: $C OK done
  `);
  expect(await markOldAsRead(client, new Date(2026, 1, 1))).toBe(2);
  await server.done;
});

test('a server that falls silent is given up after a minute', async () => {
  const { client, clock } = await openScripted('C: $A SELECT "INBOX"\nX: gone');
  const marked = expect(markOldAsRead(client, new Date(2026, 1, 1))).rejects.toMatchObject({ code: 'TIMEOUT' });
  await clock.advance(60_000);
  await marked;
});

test('a refused login is not tried again', async () => {
  await using server = await listenScripted(`
    S: * OK [CAPABILITY IMAP4rev1] ready
    C: $A LOGIN "alice" "wrong"
    S: $A NO [AUTHENTICATIONFAILED] no such user or password
    C: $B LOGOUT
    S: * BYE
    S: $B OK done
  `);
  await using client = await ImapClient.connect({ host: server.host, port: server.port, tls: 'none' });
  await expect(client.login('alice', 'wrong')).rejects.toMatchObject({ code: 'AUTH' });
  await client.logout();
  await server.done;
});

test('only old mail is marked', async () => {
  const server = new SandboxServer();
  const { inbox } = server.addAccount({ user: 'alice', password: 'secret' });
  inbox.append({ body: 'Subject: old\r\n\r\n', internalDate: '07-Jan-2026 12:00:00 +0000' });
  inbox.append({ body: 'Subject: new\r\n\r\n', internalDate: '07-Feb-2026 12:00:00 +0000' });

  const client = await ImapClient.connect({ host: 'sandbox', tls: 'none', transport: connectSandbox(server) });
  await client.login('alice', 'secret');
  expect(await markOldAsRead(client, new Date(2026, 1, 1))).toBe(1);
  await client.logout();

  expect(inbox.messages.map(({ flags }) => [...flags])).toEqual([['\\Seen'], []]);
  expect(server.countCommands('UID STORE')).toBe(1);
});

test('the same over a socket', async () => {
  const server = new SandboxServer({ disable: ['ESEARCH', 'LITERAL+'], delimiter: '.' });
  server.addAccount({ user: 'alice', password: 'secret' });
  await using listener = await listenSandbox(server);
  await using client = await ImapClient.connect({ host: '127.0.0.1', port: listener.port, tls: 'none' });
  await client.login('alice', 'secret');
  expect(client.hasCapability('ESEARCH')).toBe(false);
  expect(await markOldAsRead(client, new Date(2026, 1, 1))).toBe(0);
});

test('a connection that breaks after the work was done leaves the outcome open', async () => {
  const server = new SandboxServer();
  const { inbox } = server.addAccount({ user: 'alice', password: 'secret' });
  inbox.append({ body: 'Subject: old\r\n\r\n', internalDate: '07-Jan-2026 12:00:00 +0000' });
  const cut = server.faults.add({ command: 'UID STORE' }, { kind: 'cut', at: 'after' });

  const client = await ImapClient.connect({ host: 'sandbox', tls: 'none', transport: connectSandbox(server) });
  await client.login('alice', 'secret');
  await expect(markOldAsRead(client, new Date(2026, 1, 1))).rejects.toMatchObject({ outcomeUnknown: true });
  expect(cut.fired).toBe(1);
  expect([...(inbox.messages[0]?.flags ?? [])]).toEqual(['\\Seen']);
});
