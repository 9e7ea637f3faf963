/**
 * The client on real servers of four families. A case is a row of `client/*-cases.ts`; it runs on every server, and where a
 * server lacks what it needs, the client has to refuse.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AuthenticationError, CapabilityError, type ConnectOptions, ImapClient } from '../../src/protocol/index.ts';
import { RawImap } from '../support/imap-raw.ts';
import {
  accessTo,
  cyrusAdmin,
  type ServerInstance,
  startCourier,
  startCyrus,
  startDovecot,
  startImap4d,
} from '../support/servers/index.ts';
import { folderCases } from './client/folder-cases.ts';
import { messageCases } from './client/message-cases.ts';
import { type LiveCase, messageDate, type Scene, type ServerTraits } from './client/scene.ts';
import { sessionCases } from './client/session-cases.ts';
import { availableServers, closeAfterAll } from './harness.ts';

const available = availableServers();
const keep = closeAfterAll();
const cases: readonly LiveCase[] = [...sessionCases, ...folderCases, ...messageCases];

const basics = ['UIDPLUS', 'IDLE', 'NAMESPACE', 'ID'];
const rich = [
  ...[
    ...basics,
    'LITERAL+',
    'ENABLE',
    'UNSELECT',
    'CHILDREN',
    'MULTIAPPEND',
    'MOVE',
    'ESEARCH',
    'CONDSTORE',
    'QRESYNC',
  ],
  ...['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'QUOTA', 'BINARY', 'PREVIEW', 'STATUS=SIZE', 'SAVEDATE'],
];

interface TestedServer {
  readonly name: string;
  readonly missing: boolean;
  readonly traits: ServerTraits;
  /** With a quota of 10 MiB for the first user, where the server has quotas. */
  start(): Promise<ServerInstance>;
}

const tested: readonly TestedServer[] = [
  {
    name: 'Dovecot',
    missing: !available.dovecot,
    traits: { offers: [...rich], prefix: '', delimiter: '/', exactBytes: true, keywords: true, quotaKiB: 10_240 },
    start: () => startDovecot({ createSpecialUse: true, quota: '10M' }),
  },
  {
    name: 'Cyrus',
    missing: available.cyrusRoot === null,
    traits: {
      offers: [...rich, 'CREATE-SPECIAL-USE', 'OBJECTID'],
      prefix: '',
      delimiter: '/',
      exactBytes: true,
      keywords: true,
      quotaKiB: 10_240,
    },
    async start() {
      const server = await startCyrus(available.cyrusRoot ?? '');
      // Its INBOX comes into being at the first login.
      await using first = await RawImap.open(accessTo(server));
      await first.command('NOOP');
      await using admin = await RawImap.open(accessTo(server, cyrusAdmin));
      await admin.command(`SETQUOTA user/${server.users[0]} (STORAGE 10240)`);
      return server;
    },
  },
  {
    name: 'Courier',
    missing: available.courierRoot === null,
    traits: {
      offers: ['UIDPLUS', 'IDLE', 'NAMESPACE', 'QUOTA', 'ENABLE', 'CHILDREN'],
      prefix: 'INBOX.',
      delimiter: '.',
      exactBytes: true,
      keywords: true,
      quotaKiB: null,
    },
    start: () => startCourier(available.courierRoot ?? ''),
  },
  {
    name: 'imap4d',
    missing: available.imap4dRoot === null,
    traits: {
      offers: ['LITERAL+', 'IDLE', 'NAMESPACE', 'ID', 'UNSELECT'],
      prefix: '',
      delimiter: '/',
      exactBytes: false,
      keywords: false,
      quotaKiB: null,
    },
    start: () => startImap4d(available.imap4dRoot ?? ''),
  },
];

/** Those with TLS and more than one way to log in. */
const secure = tested.filter(({ name }) => name === 'Dovecot' || name === 'Cyrus');

describe.each(tested.map((each) => [each.name, each] as const))(
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

    const openAnother = async () => {
      const client = await connect();
      await client.login(server.users[0], server.password);
      return client;
    };

    const openScene = async (): Promise<Scene> => {
      const client = await openAnother();
      const newName = (words = 'case') => `${traits.prefix}${words} ${++names}`;
      return {
        server,
        traits,
        client,
        openAnother,
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
