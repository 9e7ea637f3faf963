import { describe, expect, it } from 'vitest';
import { ImapClient } from '../../src/protocol/index.ts';
import { connectSandbox, type SandboxMailbox, type SandboxOptions, SandboxServer } from '../../src/sandbox/index.ts';
import { CurrentFolder, passerBy } from '../../src/worker/current-folder.ts';
import { ImapReader } from '../../src/worker/imap-reader.ts';

interface Setup {
  readonly server: SandboxServer;
  readonly current: CurrentFolder;
  readonly inbox: SandboxMailbox;
  readonly other: SandboxMailbox;
  readonly names: () => string[];
}

/** An INBOX and a folder Other, each with `messages` messages that say where they are. */
async function setUp(messages: number, options: SandboxOptions = {}): Promise<Setup> {
  const server = new SandboxServer(options);
  const account = server.addAccount({ user: 'alice', password: 'secret' });
  const other = account.createMailbox('Other');
  for (const [mailbox, name] of [[account.inbox, 'INBOX'] as const, [other, 'Other'] as const]) {
    for (let n = 1; n <= messages; n++) mailbox.append({ body: `Subject: ${name} ${n}\r\n\r\n` });
  }
  const client = await ImapClient.connect({ host: 'x.test', tls: 'none', transport: connectSandbox(server) });
  await client.login('alice', 'secret');
  server.commandLog.length = 0;
  const names = () => server.commandLog.splice(0).map(({ line }) => line);
  return { server, current: new CurrentFolder(client), inbox: account.inbox, other, names };
}

const open = (current: CurrentFolder, folder: string, listFrom: number | null = null) =>
  ImapReader.open(current, folder, { condStore: false, listFrom });

async function subjectsOf(reader: ImapReader, uids: readonly number[]): Promise<string[]> {
  const fetched = await reader.fetch(Uint32Array.from(uids));
  return fetched.map((it) =>
    it.kind === 'message' ? (it.message.body.chunks[0]?.toString().slice(9, 16) ?? '') : it.kind,
  );
}

async function listOf(reader: ImapReader): Promise<number[]> {
  const listed: number[] = [];
  for await (const { uids } of reader.scan()) listed.push(...uids);
  return listed;
}

describe('two folders on one connection', () => {
  it('are read side by side, each from its own', async () => {
    const { current, names } = await setUp(2);
    const [inbox, other] = await Promise.all([open(current, 'INBOX', 1), open(current, 'Other', 1)]);
    const read = await Promise.all([
      subjectsOf(inbox, [1]),
      subjectsOf(other, [1]),
      subjectsOf(inbox, [2]),
      listOf(other),
    ]);
    expect(read).toEqual([['INBOX 1'], ['Other 1'], ['INBOX 2'], [1, 2]]);
    const item = '(UID FLAGS INTERNALDATE BODY.PEEK[])';
    expect(names()).toEqual([
      ...['EXAMINE "INBOX"', 'UID FETCH 1:* (UID RFC822.SIZE)', 'EXAMINE "Other"', 'UID FETCH 1:* (UID RFC822.SIZE)'],
      ...['EXAMINE "INBOX"', `UID FETCH 1 ${item}`, 'EXAMINE "Other"', `UID FETCH 1 ${item}`],
      ...['EXAMINE "INBOX"', `UID FETCH 2 ${item}`],
    ]);
  });

  it('cannot be confused when one of them is not there any more', async () => {
    const { current, server } = await setUp(2);
    const inbox = await open(current, 'INBOX');
    const other = await open(current, 'Other');
    const refuses = { kind: 'answer', answer: { status: 'NO', text: 'gone' }, at: 'before' } as const;
    server.faults.add({ command: 'EXAMINE' }, refuses);
    await expect(inbox.fetch(Uint32Array.of(1))).rejects.toThrow('gone');
    expect(await subjectsOf(other, [2])).toEqual(['Other 2']);
  });

  it('cannot be confused when one of them is another one by now', async () => {
    const { current, inbox: mailbox } = await setUp(2);
    const inbox = await open(current, 'INBOX');
    const other = await open(current, 'Other');
    mailbox.changeUidValidity(99);
    await expect(inbox.fetch(Uint32Array.of(1))).rejects.toMatchObject({ code: 'UIDVALIDITY', exitCode: 3 });
    expect(await subjectsOf(other, [2])).toEqual(['Other 2']);
  });

  it('hear each of its own news', async () => {
    const { current, inbox: mailbox } = await setUp(600);
    const inbox = await open(current, 'INBOX');
    const other = await open(current, 'Other', 1);
    // The connection is in the other folder: nobody tells that the numbers of the first move.
    mailbox.expunge(mailbox.messages.slice(0, 3));
    mailbox.append({ body: 'Subject: new\r\n\r\n' });
    expect((await listOf(other)).length).toBe(600);
    expect((await listOf(inbox)).sort((a, b) => a - b)).toEqual([...Array.from({ length: 597 }, (_, n) => n + 4), 601]);
    expect(inbox.unlisted()).toBe(0);
  });

  it('do not lose a message when numbers move between two windows of a list', async () => {
    const { current, inbox: mailbox } = await setUp(600);
    const inbox = await open(current, 'INBOX');
    const listed: number[] = [];
    for await (const { uids } of inbox.scan()) {
      // The second window has been asked for; what follows it goes to another folder and comes back.
      if (listed.length === 0) {
        mailbox.expunge(mailbox.messages.slice(0, 1));
        mailbox.append({ body: 'Subject: new\r\n\r\n' });
        await open(current, 'Other');
      }
      listed.push(...uids);
    }
    expect(listed.sort((a, b) => a - b).filter((uid) => uid > 1 && uid <= 600)).toEqual(
      Array.from({ length: 599 }, (_, n) => n + 2),
    );
  });
});

describe('a connection that has left its folder', () => {
  it('knows so at once', async () => {
    const { current } = await setUp(1);
    const selected = current.select(passerBy, 'INBOX');
    expect(current.isLeft).toBe(false);
    const left = current.leave();
    expect(current.isLeft).toBe(true);
    await Promise.all([selected, left]);
    expect(current.isLeft).toBe(true);
  });

  it('has not where the server has no command for it, or refuses', async () => {
    const without = (await setUp(1, { disable: ['UNSELECT'] })).current;
    await without.select(passerBy, 'INBOX');
    await without.leave();
    expect(without.isLeft).toBe(false);
    const { current, server } = await setUp(1);
    await current.select(passerBy, 'INBOX');
    server.faults.add({ command: 'UNSELECT' }, { kind: 'answer', answer: { status: 'NO', text: 'no' }, at: 'before' });
    await current.leave();
    expect(current.isLeft).toBe(false);
  });
});
