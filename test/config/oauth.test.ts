import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type RefreshRequest, redeemRefreshToken, tokenUrlOf } from '../../src/config/oauth.ts';
import { MigrateError } from '../../src/errors.ts';
import { errorOf, everythingOf, ManualClock } from './fixtures.ts';

const refreshToken = 'refresh-MARK-1';
const clientSecret = 'client-MARK-2';
const accessToken = 'access-MARK-3';

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: Readonly<Record<string, string>>;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A token endpoint on loopback; `seen` gathers what it is asked. */
async function serve(answer: (response: ServerResponse) => void): Promise<{ url: URL; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
      seen.push({ path: request.url ?? '', headers: request.headers, form });
      answer(response);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/token`), seen, server };
}

function json(status: number, body: unknown): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

function request(tokenUrl: URL, changes: Partial<RefreshRequest> = {}): RefreshRequest {
  return {
    where: 'a.ini',
    tokenUrl,
    clientId: 'me',
    clientSecret,
    refreshToken,
    clock: new ManualClock(),
    signal: null,
    ...changes,
  };
}

describe('redeemRefreshToken', () => {
  const granted = { access_token: accessToken, token_type: 'Bearer', expires_in: 3600 };

  it('asks as RFC 6749 says and returns the access token', async () => {
    const { url, seen } = await serve(json(200, granted));
    const clock = new ManualClock();
    expect(await redeemRefreshToken(request(url, { clock }))).toBe(accessToken);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.path).toBe('/token');
    expect(seen[0]?.headers['content-type']).toContain('application/x-www-form-urlencoded');
    expect(seen[0]?.form).toEqual({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'me',
      client_secret: clientSecret,
    });
    expect(clock.pending).toBe(0);
  });

  it('sends no secret for a client that has none', async () => {
    const { url, seen } = await serve(json(200, granted));
    expect(await redeemRefreshToken(request(url, { clientSecret: null }))).toBe(accessToken);
    expect(seen[0]?.form).not.toHaveProperty('client_secret');
  });

  it('takes an answer with an ID token, and with members of odd types that do not matter', async () => {
    const { url } = await serve(json(200, { ...granted, id_token: 'not.a.jwt', scope: ['x'], refresh_token: 7 }));
    expect(await redeemRefreshToken(request(url))).toBe(accessToken);
  });

  it.each([
    [
      'refuses the token',
      json(400, { error: 'invalid_grant', error_description: `${refreshToken} ${clientSecret}` }),
      'LOGIN',
      5,
      /refused the refresh token \(invalid_grant\): the refresh token has expired or was revoked/,
    ],
    [
      'refuses the client',
      json(401, { error: 'invalid_client' }),
      'LOGIN',
      5,
      /\(invalid_client\): check oauth2_client_id and oauth2_client_secret$/,
    ],
    [
      'refuses with a code of its own',
      json(400, { error: 'AADSTS70000' }),
      'LOGIN',
      5,
      /\(AADSTS70000\): look the code up/,
    ],
    [
      'says the token back as its code',
      json(400, { error: refreshToken }),
      'LOGIN',
      5,
      /gave no access token for the refresh token \(HTTP 400\): check oauth2_token_url$/,
    ],
    [
      'has a sentence for a code',
      json(400, { error: 'no way\u001b[2J' }),
      'LOGIN',
      5,
      /\(HTTP 400\): check oauth2_token_url$/,
    ],
    ['answers with a page', (response: ServerResponse) => response.end('<html>'), 'LOGIN', 5, /\(HTTP 200\)/],
    ['answers with a list', json(200, [accessToken]), 'LOGIN', 5, /\(HTTP 200\)/],
    ['answers without a token', json(200, { token_type: 'Bearer' }), 'LOGIN', 5, /\(HTTP 200\)/],
    ['gives a token of another type', json(200, { ...granted, token_type: 'mac' }), 'LOGIN', 5, /\(HTTP 200\)/],
    [
      'gives a token with a line end in it',
      json(200, { ...granted, access_token: `${accessToken}\r\nx` }),
      'LOGIN',
      5,
      /\(HTTP 200\)/,
    ],
    ['answers without end', json(200, { ...granted, filler: 'x'.repeat(300_000) }), 'LOGIN', 5, /\(HTTP 200\)/],
    [
      'is out of order',
      json(503, { error: 'temporarily_unavailable' }),
      'CONNECT',
      4,
      /is out of order \(HTTP 503\): try again later$/,
    ],
    ['is asked too often', json(429, {}), 'CONNECT', 4, /is out of order \(HTTP 429\)/],
    [
      'hangs up',
      (response: ServerResponse) => response.destroy(),
      'CONNECT',
      4,
      /could not be asked for an access token: [A-Z_]+$/,
    ],
  ])('says in one line why there is no token where the provider %s', async (_, answer, code, exitCode, message) => {
    const { url } = await serve(answer);
    const error = await errorOf(redeemRefreshToken(request(url)));
    expect(error).toBeInstanceOf(MigrateError);
    expect(error).toMatchObject({ code, exitCode });
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(`a.ini: ${url.host} `)).toBe(true);
    expect(error.message).not.toContain('\n');
    expect(everythingOf(error)).not.toContain('MARK');
  });

  it('says so where nobody listens', async () => {
    const { url, server } = await serve(json(200, granted));
    server.close();
    await once(server, 'close');
    const error = await errorOf(redeemRefreshToken(request(url)));
    expect(error).toMatchObject({ code: 'CONNECT', exitCode: 4 });
    expect(error.message).toBe(`a.ini: ${url.host} could not be asked for an access token: ECONNREFUSED`);
  });

  it('follows no redirect: the token is for this host alone', async () => {
    const other = await serve(json(200, granted));
    const { url } = await serve((response) => {
      response.writeHead(307, { location: other.url.href });
      response.end();
    });
    const error = await errorOf(redeemRefreshToken(request(url)));
    expect(error).toMatchObject({ code: 'LOGIN', message: expect.stringContaining('(HTTP 307)') });
    expect(other.seen).toEqual([]);
  });

  it('gives up after thirty seconds', async () => {
    const clock = new ManualClock();
    const { url } = await serve(() => clock.advance(30_000));
    const error = await errorOf(redeemRefreshToken(request(url, { clock })));
    expect(error).toMatchObject({ code: 'CONNECT', message: expect.stringMatching(/no answer within 30 seconds$/) });
  });

  it('gives up when it is told to', async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort(new Error('stopped')));
    expect((await errorOf(redeemRefreshToken(request(url, { signal: stop.signal })))).message).toBe('stopped');
    const { url: unasked, seen } = await serve(json(200, granted));
    await errorOf(redeemRefreshToken(request(unasked, { signal: stop.signal })));
    expect(seen).toEqual([]);
  });
});

describe('tokenUrlOf', () => {
  it.each([
    ['imap.gmail.com', 'oauth2.googleapis.com'],
    ['IMAP.googlemail.com.', 'oauth2.googleapis.com'],
    ['imap.mail.yahoo.com', 'api.login.yahoo.com'],
    ['outlook.office365.com', 'login.microsoftonline.com'],
    ['imap-mail.outlook.com', 'login.microsoftonline.com'],
  ])('knows where %s has tokens renewed', (host, expected) => {
    const url = tokenUrlOf(host, null, 'a.ini');
    expect([url.protocol, url.host]).toEqual(['https:', expected]);
  });

  it.each([
    'https://id.example.org/token',
    'http://127.0.0.1:8080/token',
    'http://localhost/token',
    'http://[::1]:8080/token',
  ])('takes %s', (text) => {
    expect(tokenUrlOf('imap.gmail.com', text, 'a.ini:2: oauth2_token_url').href).toBe(text);
  });

  it.each([
    [
      'http://id.example.org/token',
      'a.ini:2: oauth2_token_url must begin with https://, because the refresh token is sent there',
    ],
    [
      'http://127.0.0.1.example.org/',
      'a.ini:2: oauth2_token_url must begin with https://, because the refresh token is sent there',
    ],
    [
      'http://localhost.example.org/',
      'a.ini:2: oauth2_token_url must begin with https://, because the refresh token is sent there',
    ],
    ['ftp://127.0.0.1/', 'a.ini:2: oauth2_token_url must begin with https://, because the refresh token is sent there'],
    [
      'id.example.org/token',
      'a.ini:2: oauth2_token_url is not the URL of a token endpoint, such as https://login.example.org/token',
    ],
    [
      'https://me:MARK@id.example.org/',
      'a.ini:2: oauth2_token_url is not the URL of a token endpoint, such as https://login.example.org/token',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => tokenUrlOf('x', text, 'a.ini:2: oauth2_token_url')).toThrow(message);
  });

  it('says what is missing for a host it does not know', () => {
    expect(() => tokenUrlOf('mail.example.org', null, 'a.ini')).toThrow(
      'a.ini: oauth2_token_url is missing: where mail.example.org has tokens renewed is not known here',
    );
  });
});
