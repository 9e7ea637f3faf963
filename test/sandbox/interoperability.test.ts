import { describe, expect, test } from 'vitest';
import { AuthenticationError, ImapClient } from '../../src/protocol/index.ts';
import {
  allFeatures,
  connectSandbox,
  fillDemoAccount,
  randomSplitter,
  type SandboxOptions,
  SandboxServer,
} from '../../src/sandbox/index.ts';
import { mail } from './raw-client.ts';

/** A server with alice and an administrator, and this project's client connected to it in memory. */
async function dial(options: SandboxOptions = {}) {
  const server = new SandboxServer({ enable: ['AUTH=EXTERNAL'], ...options });
  const alice = server.addAccount({ user: 'alice', password: 'sécret, =', accessToken: 'token' });
  server.addAccount({ user: 'root', password: 'toor', admin: true });
  const client = await ImapClient.connect({ host: 'sandbox', tls: 'none', transport: connectSandbox(server) });
  return { server, alice, client };
}

describe('every way to log in', () => {
  const ways: [string, (client: ImapClient, password: string, token: string) => Promise<void>][] = [
    ['LOGIN', (client, password) => client.login('alice', password)],
    ['PLAIN', (client, password) => client.plainLogin('alice', password)],
    ['CRAM-MD5', (client, password) => client.cramMd5Login('alice', password)],
    ['SCRAM-SHA-1', (client, password) => client.scramLogin('alice', password, { mechanism: 'SCRAM-SHA-1' })],
    ['SCRAM-SHA-256', (client, password) => client.scramLogin('alice', password, { mechanism: 'SCRAM-SHA-256' })],
    ['XOAUTH2', (client, _password, token) => client.oauth2Login('alice', token)],
    ['OAUTHBEARER', (client, _password, token) => client.oauthbearerLogin('alice', token)],
  ];

  test.each(ways)('%s, good and bad, with and without SASL-IR', async (_name, login) => {
    for (const disable of [[], ['SASL-IR']]) {
      const { alice, client } = await dial({ disable });
      await expect(login(client, 'wrong', 'stale')).rejects.toBeInstanceOf(AuthenticationError);
      await login(client, 'sécret, =', 'token');
      expect({ logins: alice.logins, failed: alice.failedLogins }).toEqual({ logins: 1, failed: 1 });
      await client.logout();
    }
  });

  test('EXTERNAL', async () => {
    const { alice, client } = await dial();
    await client.externalLogin('alice');
    expect(alice.logins).toBe(1);
    client.close();
  });

  test('as another user, through PLAIN, SCRAM and PROXYAUTH', async () => {
    const ways: ((client: ImapClient) => Promise<void>)[] = [
      (client) => client.plainLogin('root', 'toor', 'alice'),
      (client) => client.scramLogin('root', 'toor', { mechanism: 'SCRAM-SHA-256', authorizationId: 'alice' }),
      async (client) => {
        await client.login('root', 'toor');
        await client.proxyauth('alice');
      },
    ];
    for (const login of ways) {
      const { alice, client } = await dial();
      await login(client);
      await client.createFolder('made');
      expect([...alice.mailboxes.keys()]).toEqual(['INBOX', 'made']);
      client.close();
    }
  });
});

describe('this project’s client', () => {
  const everything = allFeatures.filter((feature) => feature !== 'LOGIN' && !feature.startsWith('LITERAL'));

  test.each<[string, SandboxOptions]>([
    ['with all extensions', {}],
    ['without LITERAL+', { disable: ['LITERAL+'] }],
    ['with LITERAL-', { enable: ['LITERAL-'] }],
    ['without any', { disable: [...everything, 'LITERAL+'] }],
  ])('copies the demo account %s, whatever the chunks', async (_name, options) => {
    const source = new SandboxServer();
    const robin = source.addAccount({ user: 'robin', password: 'x' });
    fillDemoAccount(robin);
    const target = new SandboxServer(options);
    const copy = target.addAccount({ user: 'copy', password: 'x' });
    const connect = (server: SandboxServer, seed: number) =>
      ImapClient.connect({
        host: 'sandbox',
        tls: 'none',
        transport: connectSandbox(server, { split: randomSplitter(seed, 20_000) }),
      });
    const [reader, writer] = await Promise.all([connect(source, 1), connect(target, 2)]);
    await Promise.all([reader.login('robin', 'x'), writer.login('copy', 'x')]);
    for (const folder of ['INBOX', 'Projects/Kite [2021]/Drawings & Plans', '日本語/会議']) {
      if (folder !== 'INBOX') await writer.createFolder(folder);
      await reader.selectFolder(folder, { readOnly: true });
      const messages = await reader.fetch('1:*', ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]']);
      for (const { body, flags = [], rawInternalDate: internalDate } of messages.values()) {
        if (body === null || body === undefined || internalDate === undefined) throw new Error('incomplete answer');
        await writer.append(folder, { body, flags: flags.filter((flag) => flag !== '\\Recent'), internalDate });
      }
      const contents = (account: typeof robin) =>
        account
          .mailbox(folder)
          .messages.map(({ body, flags, internalDate }) => [body.toString('base64'), [...flags].sort(), internalDate]);
      expect(contents(copy)).toEqual(contents(robin));
    }
    await Promise.all([reader.logout(), writer.logout()]);
  });

  test('appends several messages at once and is told their UIDs', async () => {
    const { alice, client } = await dial();
    await client.login('alice', 'sécret, =');
    const bodies = ['one', 'two', 'three'].map((name) => Buffer.from(mail(name)));
    const result = await client.multiappend(
      'INBOX',
      bodies.map((body) => ({ body })),
    );
    expect(result).toEqual({ uidValidity: alice.inbox.uidValidity, uids: [1, 2, 3] });
    expect(alice.inbox.messages.map(({ body }) => body)).toEqual(bodies);
    await client.logout();
  });
});
