/**
 * The client on real servers of four families. A case is a row of `client/*-cases.ts`; it runs on every server, and where a
 * server lacks what it needs, the client has to refuse.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AuthenticationError, CapabilityError, type ConnectOptions, ImapClient } from '../../src/protocol/index.ts';
import type { ServerInstance } from '../support/servers/index.ts';
import { adminCases } from './client/admin-cases.ts';
import { changeCases } from './client/change-cases.ts';
import { folderCases } from './client/folder-cases.ts';
import { messageCases } from './client/message-cases.ts';
import { type LiveCase, messageDate, type Scene } from './client/scene.ts';
import { searchCases } from './client/search-cases.ts';
import { testedServers } from './client/servers.ts';
import { sessionCases } from './client/session-cases.ts';
import { streamCases } from './client/stream-cases.ts';
import { closeAfterAll } from './harness.ts';

const keep = closeAfterAll();
const cases: readonly LiveCase[] = [
  ...[...sessionCases, ...folderCases, ...messageCases, ...streamCases, ...searchCases, ...changeCases, ...adminCases],
];

/** Those with TLS and more than one way to log in. */
const secure = testedServers.filter(({ name }) => name === 'Dovecot' || name === 'Cyrus');

describe.each(testedServers.map((each) => [each.name, each] as const))(
  'on %s the client',
  (_name, { missing, traits, start }) => {
    let server: ServerInstance;
    let names = 0;
    const open: ImapClient[] = [];

    beforeAll(async () => {
      if (!missing) server = keep(await start());
    });

    afterEach(async () => {
      for (const client of open.splice(0)) await client.logout();
    });

    const connect = async (options: Partial<ConnectOptions> = {}): Promise<ImapClient> => {
      const client = await ImapClient.connect({ host: server.host, port: server.port, tls: 'none', ...options });
      open.push(client);
      return client;
    };

    const openAs = async (user: string, options?: Partial<ConnectOptions>) => {
      const client = await connect(options);
      await client.login(user, server.password);
      return client;
    };
    const openAnother = (options?: Partial<ConnectOptions>) => openAs(server.users[0], options);

    const openScene = async (): Promise<Scene> => {
      const client = await openAnother();
      const newName = (words = 'case') => `${traits.prefix}${words} ${++names}`;
      return {
        server,
        traits,
        client,
        openAnother,
        openAs,
        newName,
        async fill(...messages) {
          const name = newName();
          await client.createFolder(name);
          for (const body of messages) await client.append(name, { body, internalDate: messageDate });
          return name;
        },
      };
    };

    test.skipIf(missing)('is offered what the table says, and nothing else that a case needs', async () => {
      const client = await openAnother();
      const needed = new Set([...cases.flatMap(({ needs = [] }) => needs), ...traits.offers]);
      const offered = [...needed].filter((name) => client.hasCapability(name));
      expect(offered.sort()).toEqual([...traits.offers].sort());
    });

    test.skipIf(missing).each(cases.map((each) => [each.name, each] as const))(
      '%s',
      async (_name, { needs = [], run }) => {
        const running = openScene().then(run);
        const lacking = needs.filter((name) => !traits.offers.includes(name));
        if (lacking.length === 0) await running;
        else await expect(running).rejects.toBeInstanceOf(CapabilityError);
      },
    );
  },
);

describe.each(secure.map((each) => [each.name, each] as const))('to %s the client', (_name, { missing, start }) => {
  let server: ServerInstance;

  beforeAll(async () => {
    if (!missing) server = keep(await start());
  });

  test.skipIf(missing).each([
    { tls: 'implicit', port: () => server.tlsPort },
    { tls: 'starttls', port: () => server.port },
  ] as const)('talks inside TLS ($tls), and only to a server it can trust', async ({ tls, port }) => {
    const place = { host: server.host, port: port() ?? 0, tls };
    await expect(ImapClient.connect(place)).rejects.toMatchObject({ code: 'TLS' });
    const ca = readFileSync(server.caFile ?? '', 'utf8');
    await using client = await ImapClient.connect({ ...place, tlsOptions: { ca } });
    expect(client.secure).toBe(true);
    await client.login(server.users[0], server.password);
    await client.selectFolder('INBOX');
  });

  const [user, password] = [() => server.users[0], () => server.password];
  test.skipIf(missing).each([
    { method: 'PLAIN', logIn: (client: ImapClient) => client.plainLogin(user(), password()) },
    { method: 'CRAM-MD5', logIn: (client: ImapClient) => client.cramMd5Login(user(), password()) },
    {
      method: 'SCRAM-SHA-1',
      logIn: (client: ImapClient) => client.scramLogin(user(), password(), { mechanism: 'SCRAM-SHA-1' }),
    },
    {
      method: 'SCRAM-SHA-256',
      logIn: (client: ImapClient) => client.scramLogin(user(), password(), { mechanism: 'SCRAM-SHA-256' }),
    },
  ])('logs in by $method', async ({ method, logIn }) => {
    await using client = await ImapClient.connect({ host: server.host, port: server.port, tls: 'none' });
    expect(client.hasCapability(`AUTH=${method}`)).toBe(true);
    await logIn(client);
    await client.selectFolder('INBOX');
  });

  test.skipIf(missing)('is refused with a wrong password, and can try again', async () => {
    await using client = await ImapClient.connect({ host: server.host, port: server.port, tls: 'none' });
    await expect(client.login(user(), 'wrong')).rejects.toBeInstanceOf(AuthenticationError);
    await client.login(user(), password());
  });
});
