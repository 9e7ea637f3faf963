import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../../src/protocol/client.ts';
import { AuthenticationError, CapabilityError, StateError } from '../../../src/protocol/errors.ts';
import { turns } from '../../../src/testing/index.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

describe('RFC 2971: ID', () => {
  playDialogues([
    {
      name: 'who we are and who the server is (3.1)',
      capabilities: 'ID',
      transcript: `
        C: $A ID ("name" "sodr" "version" "19.34" "vendor" "Pink Floyd Music Limited")
        S: * ID NIL
        S: $A OK ID completed
        C: $B ID NIL
        S: * ID ("name" "Cyrus" "version" "1.5" "os" NIL "support-url" {4}
        S: mail)
        S: $B OK ID command completed`,
      run: async (client) => [
        await client.id({ name: 'sodr', version: '19.34', vendor: 'Pink Floyd Music Limited' }),
        await client.id(null),
      ],
      result: [null, { name: 'Cyrus', version: '1.5', 'support-url': 'mail' }],
    },
  ]);
});

describe('RFC 4959: SASL-IR, RFC 4616: PLAIN', () => {
  playDialogues([
    {
      name: 'the first message goes along (4), also an empty one',
      capabilities: 'SASL-IR',
      transcript: `
        C: $A AUTHENTICATE PLAIN ${base64('admin\0test\0test')}
        S: $A OK [CAPABILITY IMAP4rev1 SASL-IR] Success (tls protection)
        C: $B AUTHENTICATE EXTERNAL =
        S: $B OK [CAPABILITY IMAP4rev1] Success`,
      run: async (client) => {
        await client.plainLogin('test', 'test', 'admin');
        await client.externalLogin();
        return client.hasCapability('SASL-IR');
      },
      result: false,
    },
    {
      name: 'without SASL-IR the server asks first, and any mechanism may be a function',
      transcript: `
        C: $A AUTHENTICATE PLAIN
        S: + 
        C: ${base64('\0test\0test')}
        S: $A OK [CAPABILITY IMAP4rev1] Success
        C: $B AUTHENTICATE X-TWICE
        S: + ${base64('one')}
        C: ${base64('ONE')}
        S: +
        C: ${base64('')}
        S: $B OK [CAPABILITY IMAP4rev1] Success`,
      run: async (client) => {
        await client.plainLogin('test', 'test');
        await client.saslLogin('x-twice', (challenge) => challenge.toString().toUpperCase());
      },
      result: undefined,
    },
  ]);

  it('a function that throws cancels the exchange', async () => {
    const { client, server } = await openScripted(`
      C: $A AUTHENTICATE X
      S: + ${base64('?')}
      C: *
      S: $A BAD cancelled`);
    const failure = new Error('I do not know');
    const login = client.saslLogin('X', () => {
      throw failure;
    });
    expect(await rejection(login)).toBe(failure);
    await server.done;
  });
});

describe('RFC 7628: OAUTHBEARER, and XOAUTH2', () => {
  const bearer = base64(
    'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmT\x01\x01',
  );
  playDialogues([
    {
      name: 'a token that is taken (4.1)',
      capabilities: 'AUTH=OAUTHBEARER SASL-IR',
      transcript: `
        C: $A AUTHENTICATE OAUTHBEARER ${bearer}
        S: $A OK [CAPABILITY IMAP4rev1] SASL authentication succeeded`,
      run: (client) =>
        client.oauthbearerLogin('user@example.com', 'vF9dft4qmT', { host: 'server.example.com', port: 143 }),
      result: undefined,
    },
    {
      name: 'a token that is not (4.3)',
      capabilities: 'AUTH=OAUTHBEARER SASL-IR',
      transcript: `
        C: $A AUTHENTICATE OAUTHBEARER ${base64('n,a=u,\x01auth=Bearer zzyzx9\x01\x01')}
        S: + ${base64('{"status":"invalid_token","scope":"example_scope"}')}
        C: AQ==
        S: $A NO SASL authentication failed`,
      run: async (client) => {
        const error = await rejection(client.oauthbearerLogin('u', 'zzyzx9'));
        return [error instanceof AuthenticationError, error.message.includes('status invalid_token')];
      },
      result: [true, true],
    },
    {
      name: "XOAUTH2 with Yahoo's vendor field",
      capabilities: 'AUTH=XOAUTH2 SASL-IR',
      transcript: `
        C: $A AUTHENTICATE XOAUTH2 ${base64('user=u\x01auth=Bearer t\x01vendor=v\x01\x01')}
        S: $A OK [CAPABILITY IMAP4rev1] in`,
      run: (client) => client.oauth2Login('u', 't', { vendor: 'v' }),
      result: undefined,
    },
  ]);
});

describe('RFC 5802: SCRAM', () => {
  it.each([
    ['AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256', 'SCRAM-SHA-256'],
    ['AUTH=SCRAM-SHA-1', 'SCRAM-SHA-1'],
  ])('with %s is %s', async (capabilities, mechanism) => {
    const { client, server } = await openScripted(`C: $A AUTHENTICATE ${mechanism}\nS: $A NO no`, { capabilities });
    expect(await rejection(client.scramLogin('u', 'p'))).toBeInstanceOf(AuthenticationError);
    await server.done;
  });
});

describe('RFC 4978: COMPRESS', () => {
  const compressed = `
    C: $A LOGIN "u" "p"
    S: $A OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in
    C: $B COMPRESS DEFLATE
    X: compress $B OK DEFLATE active`;
  playDialogues([
    {
      name: 'everything behind the OK is compressed (4)',
      transcript: `${compressed}
        ${selecting(3).trim()}
        C: $C UID FETCH 1 (BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {10}
        S: 12345
        S: 789)
        S: $C OK done
        C: $D APPEND "x" {3}
        S: + go
        C: abc
        S: $D OK done`,
      run: async (client) => {
        await client.login('u', 'p');
        const before = client.compressed;
        await client.compress();
        await client.selectFolder('INBOX');
        const body = (await client.fetch(1, 'BODY.PEEK[]')).get(1)?.body?.toString();
        await client.append('x', Buffer.from('abc'));
        return [before, client.compressed, body];
      },
      result: [false, true, '12345\r\n789'],
    },
    {
      name: 'a refusal leaves the session as it was (3)',
      capabilities: 'COMPRESS=DEFLATE',
      transcript: `
        C: $A COMPRESS DEFLATE
        S: $A NO [COMPRESSIONACTIVE] DEFLATE active via TLS
        C: $B NOOP
        S: $B OK done`,
      run: async (client) => {
        const error = await rejection(client.compress());
        await client.noop();
        return [(error as { responseCode?: string }).responseCode, client.compressed];
      },
      result: ['COMPRESSIONACTIVE', false],
    },
  ]);

  async function start(
    connect: Parameters<typeof openScripted>[1] = {},
  ): Promise<Awaited<ReturnType<typeof openScripted>>> {
    const session = await openScripted(compressed, connect);
    await session.client.login('u', 'p');
    await session.client.compress();
    await session.server.done;
    return session;
  }

  it('a server that inflates to too much is hung up on', async () => {
    const limits = { maxInflateRatio: 10, inflateSlackBytes: 100_000, maxTextBytes: 1e9 };
    const { client, server } = await start({ connect: { limits } });
    const ended = new Promise<Error>((resolve) => client.on('close', resolve));
    server.send(deflateRawSync(Buffer.alloc(10_000_000, 'a')));
    expect(await ended).toMatchObject({ code: 'LIMIT' });
  });

  it('bytes that are not compressed end the session', async () => {
    const { client, server } = await start();
    const ended = new Promise<Error>((resolve) => client.on('close', resolve));
    server.send(Buffer.from('* OK this is plain text, is it not?\r\n'));
    expect(await ended).toMatchObject({ code: 'PROTOCOL' });
  });

  it("a server's last words are heard", async () => {
    const { client } = await openScripted(`${compressed}
      S: * BYE enough
      X: close`);
    const ended = new Promise<Error>((resolve) => client.on('close', resolve));
    await client.login('u', 'p');
    await client.compress();
    expect(await ended).toMatchObject({ code: 'BYE' });
  });

  it('a big upload and a paused reader lose nothing', async () => {
    const size = 2_000_000;
    const lines = Buffer.alloc(size, 'abcdefghij\r\n').toString('latin1');
    const { client, server } = await openScripted(`${compressed}
      C: $C APPEND "x" {${size}}
      S: + go
      ${lines
        .split('\r\n')
        .map((line) => `C: ${line}`)
        .join('\n')}
      S: $C OK done
      C: $D LIST "" "*"
      ${Array.from({ length: 20_000 }, (_, at) => `S: * LIST () "/" folder-${at}`).join('\n')}
      S: $D OK done`);
    await client.login('u', 'p');
    await client.compress();
    await client.append('x', Buffer.from(lines));
    const listed = client.listFolders();
    client.pause();
    await turns(50);
    client.resume();
    expect(await listed).toHaveLength(20_000);
    await server.done;
  });

  it('is not asked for twice, nor of a server that does not offer it', async () => {
    const { client } = await start();
    expect(await rejection(client.compress())).toBeInstanceOf(StateError);
    const { client: other } = await openScripted('');
    expect(await rejection(other.compress())).toBeInstanceOf(CapabilityError);
  });
});

describe('RFC 5161: ENABLE', () => {
  playDialogues([
    {
      name: 'resolves with what is on now (3.1)',
      capabilities: 'ENABLE CONDSTORE',
      transcript: `
        C: $A ENABLE CONDSTORE X-GOOD-IDEA
        S: * ENABLED X-GOOD-IDEA
        S: $A OK enabled
        C: $B ENABLE X
        S: * ENABLED
        S: $B OK`,
      run: async (client) => [await client.enable('CONDSTORE', 'X-GOOD-IDEA'), await client.enable('X')],
      result: [['X-GOOD-IDEA'], []],
    },
  ]);
});

describe('the session itself', () => {
  it('tells its welcome and, in memory, no socket; shutdown ends it at once', async () => {
    const { client, server } = await openScripted('C: $A NOOP\nX: gone');
    expect([client.welcome, client.socket]).toEqual(['ready', null]);
    const pending = rejection(client.noop());
    client.shutdown();
    expect(await pending).toMatchObject({ code: 'CLOSED' });
    await server.done;
  });

  it.each<[string, (client: ImapClient) => Promise<unknown>, string]>([
    ['proxyauth', (client) => client.proxyauth('bob'), 'C: $A PROXYAUTH "bob"\nS: $A NO [AUTHORIZATIONFAILED] no'],
    ['login', (client) => client.login('u', 'p'), 'C: $A LOGIN "u" "p"\nS: $A NO [AUTHENTICATIONFAILED] no'],
  ])('%s that is refused says why in a code', async (_name, run, transcript) => {
    const { client } = await openScripted(transcript);
    const error = await rejection(run(client));
    expect(error).toMatchObject({ code: 'AUTH', responseCode: expect.stringMatching(/FAILED$/) });
  });
});
