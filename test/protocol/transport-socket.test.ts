import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ImapClient } from '../../src/protocol/client.ts';
import type { ConnectOptions } from '../../src/protocol/connect-options.ts';
import { ImapError, TlsError } from '../../src/protocol/errors.ts';
import type { TlsOptions } from '../../src/protocol/transport.ts';
import { StreamTransport } from '../../src/protocol/transport-stream.ts';
import {
  listenScripted,
  ManualClock,
  type ScriptedListener,
  type ScriptedListenOptions,
} from '../../src/testing/index.ts';
import { rejection } from '../support/scripted-session.ts';

const read = (name: string) => readFileSync(new URL(`../support/certs/${name}.pem`, import.meta.url), 'utf8');
/** Made out to `localhost` and 127.0.0.1. */
const rsa = { cert: read('rsa-cert'), key: read('rsa-key') };
/** Made out to `localhost` alone. */
const ec = { cert: read('ec-cert'), key: read('ec-key') };

const session = `
  S: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
  C: $A NOOP
  S: $A OK done
  C: $B LOGOUT
  S: * BYE
  S: $B OK done`;

const listeners: ScriptedListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function listen(transcript: string, options: ScriptedListenOptions = {}): Promise<ScriptedListener> {
  const listener = await listenScripted(transcript, options);
  listeners.push(listener);
  return listener;
}

function connect(listener: ScriptedListener, options: Partial<ConnectOptions> = {}): Promise<ImapClient> {
  return ImapClient.connect({ host: '127.0.0.1', port: listener.port, ...options });
}

async function playSession(listener: ScriptedListener, options: Partial<ConnectOptions>): Promise<ImapClient> {
  const client = await connect(listener, options);
  await client.noop();
  await client.logout();
  await listener.done;
  return client;
}

/** The names a server may be told to expect: IMAP words in clear text. */
const clearText = /NOOP|LOGIN|CAPABILITY/;

describe('a socket', () => {
  it('in clear text, asked for explicitly, carries a session', async () => {
    const listener = await listen(session);
    const client = await playSession(listener, { tls: 'none' });
    expect(client.secure).toBe(false);
  });

  it.each(['127.0.0.1', 'localhost'])('under TLS to %s carries a session, and nothing readable', async (host) => {
    const listener = await listen(session, { tls: { ...rsa, implicit: true } });
    const client = await playSession(listener, { host, tlsOptions: { ca: rsa.cert } });
    expect(client.secure).toBe(true);
    expect(listener.received().toString('latin1')).not.toMatch(clearText);
  });

  it('under TLS takes large messages whole', async () => {
    const body = Buffer.alloc(3_000_000, 'abcdefghij\r\n');
    const lines = body.toString('latin1').split('\r\n');
    const listener = await listen(
      `
      S: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
      C: $A APPEND "t" {3000000+}
      ${lines.map((line) => `C: ${line}`).join('\n')}
      S: $A OK done`,
      { tls: { ...ec, implicit: true } },
    );
    const client = await connect(listener, { host: 'localhost', tlsOptions: { ca: ec.cert } });
    const chunks = Array.from({ length: 30 }, (_, index) => body.subarray(index * 100_000, (index + 1) * 100_000));
    await client.append('t', { body: { size: body.length, chunks } });
    await listener.done;
    client.close();
  });

  it('after STARTTLS carries a session; only the asking is readable', async () => {
    const listener = await listen(
      `
      S: * OK [CAPABILITY IMAP4rev1 STARTTLS CLEARTEXT] ready
      C: $S STARTTLS
      X: starttls $S OK go ahead
      C: $C CAPABILITY
      S: * CAPABILITY IMAP4rev1 AFTERTLS
      S: $C OK done
      C: $A NOOP
      S: $A OK done
      C: $B LOGOUT
      S: * BYE
      S: $B OK done`,
      { tls: rsa },
    );
    const client = await playSession(listener, { tls: 'starttls', tlsOptions: { ca: rsa.cert } });
    expect(client.secure).toBe(true);
    expect([client.hasCapability('AFTERTLS'), client.hasCapability('CLEARTEXT')]).toEqual([true, false]);
    expect(listener.received().toString('latin1')).toMatch(/^\w+ STARTTLS\r\n$/);
  });
});

describe('TLS options', () => {
  it.each<[string, Partial<ConnectOptions>, typeof rsa]>([
    ['verify off accepts a certificate of unknown origin', { tlsOptions: { verify: false } }, rsa],
    ['verify off accepts other names, too', { tlsOptions: { verify: false, serverName: 'elsewhere.test' } }, rsa],
    ['checkHostname off accepts other names', { tlsOptions: { ca: ec.cert, checkHostname: false } }, ec],
    ['serverName says which name to expect', { tlsOptions: { ca: ec.cert, serverName: 'localhost' } }, ec],
  ])('%s', async (_what, options, certificate) => {
    const listener = await listen(session, { tls: { ...certificate, implicit: true } });
    expect((await playSession(listener, options)).secure).toBe(true);
  });

  it.each<[string, Partial<ConnectOptions>, RegExp]>([
    ['an unknown authority', {}, /not signed by a trusted authority/],
    ['another authority', { tlsOptions: { ca: ec.cert } }, /not signed by a trusted authority/],
    ['an unknown authority, without the name check', { tlsOptions: { checkHostname: false } }, /trusted authority/],
    [
      'another name',
      { tlsOptions: { ca: rsa.cert, serverName: 'elsewhere.test' } },
      /other names than elsewhere\.test/,
    ],
    ['a CA file that is none', { tlsOptions: { ca: 'nonsense' } }, /trusted authority|PEM/],
  ])('%s: TlsError, and not a byte of IMAP is said', async (_what, options, words) => {
    for (const mode of ['implicit', 'starttls'] as const) {
      const transcript =
        mode === 'implicit'
          ? 'S: * OK [CAPABILITY IMAP4rev1] ready'
          : 'S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: $S STARTTLS\nX: starttls $S OK go';
      const listener = await listen(transcript, { tls: { ...rsa, implicit: mode === 'implicit' } });
      const error = await rejection(connect(listener, { ...options, tls: mode }));
      expect(error).toMatchObject({ name: 'TlsError', code: 'TLS' });
      expect(error.message).toMatch(words);
      expect(error.message).toContain(`127.0.0.1:${listener.port}`);
      expect(listener.received().toString('latin1')).not.toMatch(clearText);
    }
  });

  it('a certificate without the address is not for the address', async () => {
    const listener = await listen(session, { tls: { ...ec, implicit: true } });
    const error = await rejection(connect(listener, { tlsOptions: { ca: ec.cert } }));
    expect(error).toMatchObject({ name: 'TlsError' });
    expect(error.message).toMatch(/other names than 127\.0\.0\.1/);
  });
});

describe('the wrong port', () => {
  it('that speaks IMAP without TLS is a TlsError that says so', async () => {
    const listener = await listen('S: * OK ready', { mayRunAhead: true });
    const error = await rejection(connect(listener));
    expect(error).toMatchObject({ name: 'TlsError' });
    expect(error.message).toMatch(/speaks no TLS/);
  });

  it('that hangs up during the handshake is a TlsError', async () => {
    const listener = await listen('X: close', { mayRunAhead: true });
    const error = await rejection(connect(listener));
    expect(error).toMatchObject({ name: 'TlsError' });
  });

  it('that speaks another protocol is a ConnectError', async () => {
    const listener = await listen('S: SSH-2.0-OpenSSH_9.2p1');
    const error = await rejection(connect(listener, { tls: 'none' }));
    expect(error).toMatchObject({ name: 'ConnectError' });
    expect(error.message).toContain(`127.0.0.1:${listener.port}`);
  });

  it('that hangs up is a ConnectError', async () => {
    const listener = await listen('X: close');
    expect(await rejection(connect(listener, { tls: 'none' }))).toMatchObject({ name: 'ConnectError' });
  });

  it.each(['none', 'implicit'] as const)(
    'that says nothing is given up after the connect timeout (%s)',
    async (tls) => {
      const clock = new ManualClock();
      const listener = await listen('C: never said', { mayRunAhead: true });
      const connecting = rejection(connect(listener, { tls, clock }));
      await listener.servers[0];
      await clock.advance(30_000);
      const error = await connecting;
      expect(error).toMatchObject({ name: 'ConnectError' });
      expect(error.message).toMatch(/did not answer.*30 s/);
      expect(clock.pending).toBe(0);
    },
  );

  it('that nobody listens on is a ConnectError naming host and port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    const error = await rejection(ImapClient.connect({ host: '127.0.0.1', port }));
    expect(error).toMatchObject({ name: 'ConnectError', code: 'CONNECT' });
    expect(error.message).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} refused the connection`));
  });

  it('of a host that does not exist is a ConnectError', async () => {
    const error = await rejection(ImapClient.connect({ host: 'nowhere.invalid' }));
    expect(error).toMatchObject({ name: 'ConnectError' });
    expect(error.message).toMatch(/^nowhere\.invalid (is not a known host|cannot be looked up)/);
  });

  it('of no host at all is a ConnectError', async () => {
    expect(await rejection(ImapClient.connect({ host: '' }))).toMatchObject({ name: 'ConnectError' });
  });
});

describe('STARTTLS', () => {
  it.each<[string, string, RegExp]>([
    ['is not offered', 'S: * OK [CAPABILITY IMAP4rev1] ready', /does not offer STARTTLS/],
    [
      'is refused',
      'S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: $S STARTTLS\nS: $S NO not now',
      /refused STARTTLS.*not now/,
    ],
    [
      'is answered with more than the OK in one chunk',
      String.raw`S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
        C: $S STARTTLS
        X: raw "$S OK go\r\n* CAPABILITY EVIL\r\n"`,
      /clear text between STARTTLS and TLS/,
    ],
    [
      'is answered with the beginning of more',
      String.raw`S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
        C: $S STARTTLS
        X: raw "$S OK go\r\n* CAPA"`,
      /clear text between STARTTLS and TLS/,
    ],
    [
      'is answered with more in a second chunk',
      'S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: $S STARTTLS\nS: $S OK go\nX: wait\nS: * CAPABILITY EVIL',
      /speaks no TLS/,
    ],
    ['is too late, the session being logged in', 'S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi', /PREAUTH/],
  ])('that %s: TlsError, never clear text', async (_what, transcript, words) => {
    const listener = await listen(transcript, { tls: rsa, mayRunAhead: true });
    const error = await rejection(connect(listener, { tls: 'starttls', tlsOptions: { ca: rsa.cert } }));
    expect(error).toMatchObject({ name: 'TlsError', code: 'TLS' });
    expect(error.message).toMatch(words);
    expect(listener.received().toString('latin1')).not.toMatch(/LOGIN|NOOP/);
  });

  it('that hangs is given up after the connect timeout', async () => {
    const clock = new ManualClock();
    const listener = await listen('S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: $S STARTTLS\nS: $S OK go');
    const connecting = rejection(connect(listener, { tls: 'starttls', clock }));
    await listener.done;
    await clock.advance(30_000);
    expect(await connecting).toMatchObject({ name: 'ConnectError' });
  });
});

describe('a socket that is connected already', () => {
  it.each(['none', 'implicit', 'starttls'] as const)('carries a session with tls: %s', async (tls) => {
    const greeting = 'S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready';
    const upgrade = 'C: $S STARTTLS\nX: starttls $S OK go\nC: $C CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: $C OK done';
    const listener = await listen(
      `${greeting}\n${tls === 'starttls' ? upgrade : ''}\nC: $A NOOP\nS: $A OK done`,
      tls === 'none' ? {} : { tls: { ...rsa, implicit: tls === 'implicit' } },
    );
    const socket = createConnection(listener.port, '127.0.0.1');
    const client = await ImapClient.connect({ host: '127.0.0.1', socket, tls, tlsOptions: { ca: rsa.cert } });
    await client.noop();
    expect([client.secure, client.socket === socket]).toEqual([tls !== 'none', tls === 'none']);
    client.close();
    await listener.done;
  });
});

describe('authorities and certificates', () => {
  const certs = fileURLToPath(new URL('../support/certs/', import.meta.url));

  it.each<[string, TlsOptions]>([
    ['a file', { caFile: join(certs, 'rsa-cert.pem') }],
    ['a directory', { caDirectory: certs }],
    ['a list', { ca: [ec.cert, Buffer.from(rsa.cert)] }],
  ])('name authorities by %s', async (_what, tlsOptions) => {
    const listener = await listen(session, { tls: { ...rsa, implicit: true } });
    expect((await playSession(listener, { tlsOptions })).secure).toBe(true);
  });

  it.each<[string, TlsOptions]>([
    ['a file that is not there', { caFile: join(certs, 'none.pem') }],
    ['a directory that is not there', { caDirectory: join(certs, 'none') }],
    ['a directory without certificates', { caDirectory: fileURLToPath(new URL('.', import.meta.url)) }],
  ])('that name %s connect to nobody', async (_what, tlsOptions) => {
    const listener = await listen(session, { tls: { ...rsa, implicit: true } });
    expect(await rejection(connect(listener, { tlsOptions }))).toBeInstanceOf(TlsError);
  });

  it('carry our own certificate to a server that asks for one', async () => {
    const seen: boolean[] = [];
    const settings = { ...rsa, ca: ec.cert, requestCert: true, rejectUnauthorized: true };
    const server = createTlsServer(settings, (socket) => {
      seen.push(socket.authorized);
      socket.on('error', () => {});
      socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const tlsOptions = { ca: rsa.cert };
      const client = await ImapClient.connect({
        host: '127.0.0.1',
        port,
        tlsOptions: { ...tlsOptions, cert: ec.cert, key: ec.key },
      });
      client.close();
      expect(await rejection(ImapClient.connect({ host: '127.0.0.1', port, tlsOptions }))).toBeInstanceOf(ImapError);
      expect(seen).toEqual([true]);
    } finally {
      server.close();
    }
  });
});

describe('a lost connection', () => {
  it.each([false, true])('fails what waits (TLS: %s)', async (implicit) => {
    const transcript = 'S: * OK [CAPABILITY IMAP4rev1] ready\nC: $A NOOP\nX: close';
    const listener = await listen(transcript, implicit ? { tls: { ...rsa, implicit } } : {});
    const client = await connect(listener, { tls: implicit ? 'implicit' : 'none', tlsOptions: { ca: rsa.cert } });
    expect(await rejection(client.noop())).toMatchObject({ name: 'ConnectionClosedError' });
    expect(client.closed).toBe(true);
  });

  it('is noticed while nothing waits', async () => {
    const listener = await listen('S: * OK [CAPABILITY IMAP4rev1] ready\nX: close');
    const client = await connect(listener, { tls: 'none' });
    while (!client.closed) await new Promise(setImmediate);
    expect(await rejection(client.noop())).toMatchObject({ name: 'ConnectionClosedError' });
  });
});

describe('a stream transport', () => {
  it('does not start TLS over bytes that nobody has read', async () => {
    const listener = await listen('S: * OK hi');
    const socket = createConnection(listener.port, '127.0.0.1');
    const transport = new StreamTransport(socket, { description: 'there', host: 'there', tls: {} });
    const events: string[] = [];
    transport.start({
      onData: () => events.push('data'),
      onDrain: () => {},
      onClose: () => events.push('close'),
    });
    transport.pause();
    while (socket.readableLength === 0) await new Promise(setImmediate);
    expect((await rejection(transport.upgrade())).message).toMatch(/clear text/);
    while (events.length === 0) await new Promise(setImmediate);
    expect(events).toEqual(['close']);
  });

  it('that closed before it was started still tells, once', async () => {
    const listener = await listen('X: close');
    const socket = createConnection(listener.port, '127.0.0.1');
    const transport = new StreamTransport(socket, { description: 'there', host: 'there', tls: {} });
    transport.close();
    while (!socket.closed) await new Promise(setImmediate);
    const events: (Error | null)[] = [];
    transport.start({ onData: () => {}, onDrain: () => {}, onClose: (error) => events.push(error) });
    while (events.length === 0) await new Promise(setImmediate);
    transport.close();
    await new Promise(setImmediate);
    expect(events).toEqual([null]);
  });
});
