import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type ListenOptions,
  listenSandbox,
  type SandboxListener,
  SandboxServer,
  snapshotAccount,
} from '../../src/sandbox/index.ts';
import { mail } from './raw-client.ts';

const certificate = (name: string) => readFileSync(new URL(`../support/certs/${name}.pem`, import.meta.url), 'utf8');
const tls = { key: certificate('rsa-key'), cert: certificate('rsa-cert') };

const open: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function listen(
  options: ListenOptions = {},
  server = new SandboxServer(),
): Promise<{ server: SandboxServer; listener: SandboxListener }> {
  server.addAccount({ user: 'alice', password: 'secret' });
  const listener = await listenSandbox(server, options);
  open.push(() => listener.close());
  return { server, listener };
}

/** What arrives on a socket until its end, or until `pattern` is seen. */
function read(socket: Socket, pattern: RegExp = /$^/): Promise<{ text: string; error: Error | null }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = (error: Error | null) => resolve({ text: Buffer.concat(chunks).toString('latin1'), error });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (pattern.test(Buffer.concat(chunks.slice(-2)).toString('latin1').slice(-2000))) done(null);
    });
    socket.once('error', done);
    socket.once('end', () => done(null));
  });
}

function dial(listener: SandboxListener): Socket {
  const socket = connectTcp(listener.port, '127.0.0.1');
  open.push(() => socket.destroy());
  return socket;
}

function dialTls(listener: SandboxListener): TLSSocket {
  const socket = connectTls({
    host: '127.0.0.1',
    port: listener.port,
    ca: tls.cert,
    checkServerIdentity: () => undefined,
  });
  open.push(() => socket.destroy());
  return socket;
}

async function dialFlow(
  listener: SandboxListener,
  options: { secure?: boolean; doSTARTTLS?: boolean } = {},
): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: listener.port,
    secure: false,
    doSTARTTLS: false,
    ...options,
    tls: { ca: tls.cert, checkServerIdentity: () => undefined },
    auth: { user: 'alice', pass: 'secret' },
    logger: false,
  });
  await client.connect();
  open.push(() => client.close());
  return client;
}

describe('on a TCP port', () => {
  test('sessions are independent and end with LOGOUT', async () => {
    const { listener, server } = await listen();
    const sockets = [dial(listener), dial(listener)];
    for (const socket of sockets) socket.write('a1 NOOP\r\na2 LOGOUT\r\n');
    for (const { text, error } of await Promise.all(sockets.map((socket) => read(socket)))) {
      expect(text).toMatch(/^\* OK .*\r\na1 OK Noop completed\r\n\* BYE Logging out\r\na2 OK Logout completed\r\n$/);
      expect(error).toBe(null);
    }
    expect(server.connectionCount).toBe(2);
  });

  test('an orderly cut lets exactly the bytes before it through', async () => {
    const { listener, server } = await listen();
    server.faults.add({ direction: 'out', bytes: 4 }, { kind: 'cut', reset: false });
    expect(await read(dial(listener))).toEqual({ text: '* OK', error: null });
  });

  test.each([
    ['in clear text', {}],
    ['inside TLS', { tls: { ...tls, mode: 'implicit' } }],
  ] as const)('a cut %s arrives as a reset', async (_name, options) => {
    const { listener, server } = await listen(options);
    const socket = 'tls' in options ? dialTls(listener) : dial(listener);
    server.faults.add({ command: 'NOOP' }, { kind: 'cut' });
    await read(socket, /\r\n/);
    const ended = read(socket);
    socket.write('a1 NOOP\r\n');
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('closing ends the connections and frees the port', async () => {
    const { listener, server } = await listen();
    const socket = dial(listener);
    await read(socket, /\r\n/);
    const ended = read(socket);
    await listener.close();
    await ended;
    expect(server.sessions.size).toBe(0);
    await listener.close();
  });

  test('a client that vanishes leaves no session behind', async () => {
    const { listener, server } = await listen();
    const socket = dial(listener);
    socket.write('a1 LOGIN alice secret\r\na2 IDLE\r\n');
    await read(socket, /idling/);
    const gone = new Promise<void>((resolve) => {
      const session = [...server.sessions][0];
      if (session === undefined) throw new Error('no session');
      const { closed } = session;
      session.closed = () => {
        closed.call(session);
        resolve();
      };
    });
    socket.resetAndDestroy();
    await gone;
    expect(server.sessions.size).toBe(0);
    expect(server.accounts.get('alice')?.connections).toBe(0);
  });

  test('a big answer waits for a slow reader and arrives whole', async () => {
    const { listener, server } = await listen();
    const body = Buffer.alloc(1 << 20, 'x');
    const inbox = server.accounts.get('alice')?.inbox;
    for (let index = 0; index < 20; index++) inbox?.append({ body });
    const socket = dial(listener);
    socket.write('a1 LOGIN alice secret\r\na2 EXAMINE INBOX\r\n');
    await read(socket, /a2 OK/);
    let finished = false;
    server.faults.add({ command: 'FETCH' }, { kind: 'run', at: 'after', run: () => (finished = true) });
    const begun = new Promise<void>((resolve) =>
      server.faults.add({ command: 'FETCH' }, { kind: 'run', run: resolve }),
    );
    socket.removeAllListeners('data').pause();
    socket.write('a3 FETCH 1:* BODY.PEEK[]\r\n');
    await begun;
    expect(finished).toBe(false);
    const answer = read(socket, /a3 OK/);
    socket.resume();
    const { text } = await answer;
    expect(finished).toBe(true);
    expect(text.length).toBeGreaterThan(20 << 20);
  });
});

describe('with TLS', () => {
  test('from the first byte', async () => {
    const { listener } = await listen({ tls: { ...tls, mode: 'implicit' } });
    const socket = dialTls(listener);
    socket.write('a1 CAPABILITY\r\n');
    const { text } = await read(socket, /a1 OK/);
    expect(text).not.toContain('STARTTLS');
    expect(socket.authorized).toBe(true);
  });

  test('after STARTTLS', async () => {
    const { listener, server } = await listen({ tls }, new SandboxServer({ requireTls: true }));
    const client = await dialFlow(listener, { doSTARTTLS: true });
    expect(client.secureConnection).toBe(true);
    expect(server.commandLog.map(({ name }) => name)).toContain('STARTTLS');
    await client.logout();
  });
});

describe('another client, imapflow,', () => {
  test.each([
    ['a complete server', {}],
    ['a server with dots and a prefix', { delimiter: '.', personalPrefix: 'INBOX.' }],
    [
      'a server without extensions',
      {
        disable: [
          'LITERAL+',
          'UIDPLUS',
          'LIST-STATUS',
          'LIST-EXTENDED',
          'SPECIAL-USE',
          'CONDSTORE',
          'ESEARCH',
          'NAMESPACE',
          'ID',
          'ENABLE',
          'SASL-IR',
          'MOVE',
          'IDLE',
          'QUOTA',
          'CHILDREN',
          'UNSELECT',
          'STATUS=SIZE',
        ],
      },
    ],
  ])('works with %s', async (_name, options) => {
    const { listener, server } = await listen({}, new SandboxServer(options));
    const alice = server.accounts.get('alice');
    if (alice === undefined) throw new Error('no account');
    const name = alice.nameOf(['Projects', 'Übersicht & 会議']);
    const client = await dialFlow(listener);
    await client.mailboxCreate(name);
    const date = new Date('2019-07-17T02:44:25-07:00');
    await client.append(name, mail('one'), ['\\Seen', 'Work'], date);
    await client.append(name, mail('two'));
    const listed = await client.list();
    expect(listed.map((folder) => folder.path)).toContain(name);
    const lock = await client.getMailboxLock(name);
    const messages = await client.fetchAll('1:*', {
      uid: true,
      flags: true,
      internalDate: true,
      envelope: true,
      bodyStructure: true,
      source: true,
      size: true,
    });
    expect(
      messages.map((message) => [
        message.uid,
        [...(message.flags ?? [])].filter((flag) => flag !== '\\Recent'),
        message.envelope?.subject,
        message.bodyStructure?.type,
        message.source?.toString(),
        message.size,
      ]),
    ).toEqual([
      [1, ['\\Seen', 'Work'], 'one', 'text/plain', mail('one'), 76],
      [2, [], 'two', 'text/plain', mail('two'), 76],
    ]);
    expect(new Date(messages[0]?.internalDate ?? 0).getTime()).toBe(date.getTime());
    expect(await client.search({ subject: 'two' }, { uid: true })).toEqual([2]);
    await client.messageFlagsAdd('2', ['\\Flagged'], { uid: true });
    await client.messageMove('2', 'INBOX', { uid: true });
    lock.release();
    expect(await client.status('INBOX', { messages: true, uidNext: true })).toMatchObject({ messages: 1, uidNext: 2 });
    await client.logout();
    expect(
      snapshotAccount(alice).map((mailbox) => [mailbox.path.at(-1), mailbox.messages.map((message) => message.flags)]),
    ).toEqual([
      ['INBOX', [['\\Flagged']]],
      ['Projects', []],
      ['Übersicht & 会議', [['Work', '\\Seen']]],
    ]);
  });
});
