import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ImapClient } from '../../src/protocol/client.ts';
import type { ConnectOptions } from '../../src/protocol/connect-options.ts';
import { ManualClock } from '../../src/testing/index.ts';
import { rejection } from '../support/scripted-session.ts';

const peer = fileURLToPath(new URL('../support/stdio-peer.mjs', import.meta.url));
const certificate = readFileSync(new URL('../support/certs/rsa-cert.pem', import.meta.url), 'utf8');

function connect(command: string, options: Partial<ConnectOptions> = {}): Promise<ImapClient> {
  return ImapClient.connect({ host: 'localhost', command, ...options });
}

/** A server in a process of its own: see `stdio-peer.mjs`. */
function runPeer(behaviour: string): string {
  return `exec "${process.execPath}" "${peer}" ${behaviour}`;
}

describe('a command', () => {
  it('carries a session on its standard input and output', async () => {
    const client = await connect(runPeer('session'));
    expect([client.secure, client.preauthenticated]).toEqual([false, true]);
    await client.noop();
    await client.logout();
    expect(client.closed).toBe(true);
  });

  it('takes a large message and gives it back', async () => {
    const client = await connect(runPeer('session'));
    const body = Buffer.alloc(5_000_000, 'abcdefghij\r\n');
    await client.append('t', { body });
    await client.selectFolder('t');
    const messages = await client.fetch([1], ['UID', 'BODY.PEEK[]']);
    expect(messages.get(1)?.body?.equals(body)).toBe(true);
    client.close();
  });

  it('carries TLS where that is asked for', async () => {
    const client = await connect(runPeer('tls'), { tls: 'implicit', tlsOptions: { ca: certificate } });
    expect(client.secure).toBe(true);
    await client.noop();
    await client.logout();
  });

  it('that carries TLS with a certificate nobody trusts is a TlsError', async () => {
    expect(await rejection(connect(runPeer('tls'), { tls: 'implicit' }))).toMatchObject({ name: 'TlsError' });
  });

  it.each<[string, string, RegExp]>([
    [
      'fails',
      'echo one >&2; echo "no route to host" >&2; exit 3',
      /^command: echo ended with exit status 3: one \/ no route to host$/,
    ],
    ['is killed', 'kill -SEGV $$', /^command: kill was ended by SIGSEGV$/],
    ['does not exist', '/no/such/program --password hunter2', /^command: program ended with exit status 127/],
    ['ends at once', 'true', /^command: true: the server closed the connection, before any greeting\.$/],
    ['says something else', 'echo SSH-2.0', /^command: echo is an SSH server/],
    ['is no line of text', 'a\0b', /could not be started/],
  ])('that %s is a ConnectError', async (_what, command, words) => {
    const error = await rejection(connect(command));
    expect(error).toMatchObject({ name: 'ConnectError', code: 'CONNECT' });
    expect(error.message).toMatch(words);
  });

  it('that says nothing is given up after the connect timeout', async () => {
    const clock = new ManualClock();
    const connecting = rejection(connect('sleep 60', { clock }));
    await clock.advance(30_000);
    expect(await connecting).toMatchObject({ name: 'ConnectError' });
  });

  it('that fails later says so in what waits', async () => {
    const client = await connect(runPeer('dies'));
    const error = await rejection(client.noop());
    expect(error).toMatchObject({ name: 'ConnectionClosedError' });
    expect(error.message).toMatch(/exit status 7: tunnel broke/);
  });

  it('is not named with its arguments: they may be secret', async () => {
    const error = await rejection(connect('PASSWORD=hunter2 true hunter2'));
    expect(error.message).not.toContain('hunter2');
  });

  it('is ended with all its children when the session is closed', async () => {
    // The child would live for a minute; its process id is the greeting.
    const client = await connect(String.raw`sleep 60 & printf "* PREAUTH [CAPABILITY IMAP4rev1] $!\r\n"; wait`);
    const pid = Number(client.greeting.text);
    expect(() => process.kill(pid, 0)).not.toThrow();
    client.close();
    while (isAlive(pid)) await new Promise(setImmediate);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that ended stays visible until init has waited for it.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
