import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type AccountSettings, accountLabel } from '../../src/account.ts';
import { type LoadOptions, loadAccount } from '../../src/config.ts';
import { ConfigError, MigrateError } from '../../src/errors.ts';
import { errorOf, everythingOf, ManualClock, tempDirectory, writeFile } from './fixtures.ts';

const marked = 'S3cr3t-MARK';
const base = 'host = imap.example.org\nusername = alice\n';
const full = `${base}password = ${marked}\n`;

const usual: Omit<AccountSettings, 'file'> = {
  host: 'imap.example.org',
  port: 993,
  tls: { mode: 'implicit', verify: true, checkHostname: true, ca: null },
  command: null,
  username: 'alice',
  secret: marked,
  auth: 'auto',
  authorizationId: null,
  timeoutMs: 60_000,
  prefix: null,
  delimiter: null,
};

/** Loads an account from a file of this content. */
async function load(content: string, options: LoadOptions = {}): Promise<AccountSettings> {
  return await loadAccount(writeFile(tempDirectory(), 'a.ini', content), options);
}

/** The message a file of this content is refused with, its directory left out. It never holds the secret. */
async function refusal(
  content: string | Uint8Array,
  options: LoadOptions & { mode?: number; section?: string } = {},
): Promise<string> {
  const directory = tempDirectory();
  const path = writeFile(directory, 'a.ini', content, options.mode ?? 0o600);
  const error = await errorOf(loadAccount(path + (options.section ?? ''), { env: {}, ...options }));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: 'CONFIG', exitCode: 2 });
  expect(error.message).not.toContain('\n');
  expect(everythingOf(error)).not.toContain(marked);
  return error.message.replaceAll(`${directory}/`, '');
}

describe('loadAccount', () => {
  it('needs a host, a user name and a password; the rest has defaults', async () => {
    const path = writeFile(tempDirectory(), 'a.ini', `[DEFAULT]\n${full}`);
    expect(await loadAccount(path)).toEqual({ ...usual, file: path });
  });

  it('reads a file of IMAPClient unchanged', async () => {
    const content = [
      '[DEFAULT]',
      'host: imap.example.org',
      'port = 1993',
      'username = alice',
      `password = ${marked}`,
      'ssl = True',
      'starttls = False',
      'ssl_check_hostname = true',
      'ssl_verify_cert = 1',
      'ssl_ca_file =',
      'timeout = 30',
      'stream = false',
      'oauth2 = off',
      'oauth2_client_id =',
      'oauth2_client_secret =',
      'oauth2_refresh_token =',
    ].join('\n');
    const account = await load(content);
    expect(account).toEqual({ ...usual, file: account.file, port: 1993, timeoutMs: 30_000 });
  });

  const starttls = { mode: 'starttls', verify: true, checkHostname: true, ca: null } as const;
  const none = { ...starttls, mode: 'none' } as const;

  it.each<[string, string, Partial<AccountSettings>]>([
    ['ssl = yes', 'ssl = yes', {}],
    ['ssl = no', 'ssl = no', { port: 143, tls: none }],
    ['starttls = yes', 'starttls = yes', { port: 143, tls: starttls }],
    ['starttls as IMAPClient wants it', 'ssl = false\nstarttls = true', { port: 143, tls: starttls }],
    ['starttls = no', 'starttls = off', {}],
    ['a port', 'port = 1993', { port: 1993 }],
    ['the highest port', 'port = 65535', { port: 65_535 }],
    ['an empty port', 'port =', {}],
    ['switches in capitals', 'SSL = FALSE\nStartTLS = On', { port: 143, tls: starttls }],
    ['switches as digits', 'ssl = 0\nstarttls = 1', { port: 143, tls: starttls }],
    ['ssl_check_hostname = no', 'ssl_check_hostname = no', { tls: { ...usual.tls, checkHostname: false } }],
    ['ssl_verify_cert = no', 'ssl_verify_cert = no', { tls: { ...usual.tls, verify: false, checkHostname: false } }],
    ['timeout', 'timeout = 2.5', { timeoutMs: 2_500 }],
    ['an empty timeout', 'timeout =', {}],
    ['the longest timeout', 'timeout = 86400', { timeoutMs: 86_400_000 }],
    ['prefix and delimiter', 'prefix = INBOX.\ndelimiter = .', { prefix: 'INBOX.', delimiter: '.' }],
    ['an empty prefix', 'prefix =', { prefix: '' }],
    ['auth', 'auth = SCRAM-SHA-256', { auth: 'scram-sha-256' }],
    ['authorization_id', 'auth = plain\nauthorization_id = bob', { auth: 'plain', authorizationId: 'bob' }],
    ['proxyauth', 'auth = proxyauth\nauthorization_id = bob', { auth: 'proxyauth', authorizationId: 'bob' }],
    ['a token as password', 'auth = xoauth2', { auth: 'xoauth2' }],
    ['oauth2 switched off, its keys left in', 'oauth2 = no\noauth2_client_id = x\noauth2_refresh_token = y', {}],
    ['oauth2 keys left empty', 'oauth2_client_id =\noauth2_refresh_token:', {}],
    ['a tunnel beside the host', 'command = ssh gw', { command: 'ssh gw', port: 143, tls: none }],
    ['a tunnel to a TLS port', 'command = ssh gw\nssl = yes', { command: 'ssh gw' }],
    ['stream = no', 'stream = no', {}],
  ])('understands %s', async (_, lines, changes) => {
    const account = await load(full + lines);
    expect(account).toEqual({ ...usual, file: account.file, ...changes });
  });

  it.each([
    ['imap.example.org', 'imap.example.org'],
    ['localhost', 'localhost'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['Bücher.example', 'xn--bcher-kva.example'],
    ['my_host', 'my_host'],
  ])('dials the host %s', async (written, expected) => {
    expect((await load(`host = ${written}\nusername = a\npassword = b`)).host).toBe(expected);
  });

  it.each([
    'p;w#1',
    'a=b',
    'a:b',
    '#1',
    ';',
    '%',
    '%%(host)s',
    '\\n\\\\',
    '"quoted"',
    "it's",
    '  ',
    'päss wörd',
    '日本語😀',
    '[x]',
    '$HOME',
    '$(id)',
  ])('takes the password %s literally', async (password) => {
    if (password.trim() !== '') {
      expect((await load(`${base}password = ${password}`)).secret).toBe(password);
    }
    expect((await load(`${base}password_env = PW`, { env: { PW: password } })).secret).toBe(password);
    const directory = tempDirectory();
    writeFile(directory, 'pw', `${password}\n`);
    const path = writeFile(directory, 'a.ini', `${base}password_file = pw`);
    expect((await loadAccount(path)).secret).toBe(password);
  });

  it('runs a password command', async () => {
    expect((await load(`${base}password_command = printf '%s\\n' 'a b' | tr a c`)).secret).toBe('c b');
  });

  it('takes the user name literally as well', async () => {
    const { username } = await load('host = h\nusername = ex\\alice;#1 "x"\npassword = b');
    expect(username).toBe('ex\\alice;#1 "x"');
  });

  it('reads a password file from the home directory, and where the path is absolute', async () => {
    const home = tempDirectory();
    const secret = writeFile(home, 'pw', 'from-home');
    const env = { HOME: home };
    expect((await load(`${base}password_file = ~/pw`, { env })).secret).toBe('from-home');
    expect((await load(`${base}password_file = ${secret}`, { env })).secret).toBe('from-home');
  });

  it('does not take passwords from variables nobody named', async () => {
    const env = { imapclient_password: marked, imapclient_username: 'eve' };
    expect(await refusal(base, { env })).toContain('no password is given');
  });

  describe('with a file of authorities', () => {
    const [first = '', second = ''] = rootCertificates;

    it('hands on its certificates, and finds the file beside the INI', async () => {
      const directory = tempDirectory();
      writeFile(directory, 'ca.pem', `# comment\n${first}\n${second}\n`, 0o644);
      const path = writeFile(directory, 'a.ini', `${full}ssl_ca_file = ca.pem`);
      const { tls } = await loadAccount(path);
      expect(tls).toEqual({
        mode: 'implicit',
        verify: true,
        checkHostname: true,
        ca: `# comment\n${first}\n${second}\n`,
      });
    });

    it.each([
      ['is no PEM', 'hello', 'holds no certificate: it needs PEM text with "-----BEGIN CERTIFICATE-----"'],
      ['is empty', '', 'holds no certificate: it needs PEM text with "-----BEGIN CERTIFICATE-----"'],
      [
        'is damaged',
        `${first}\n${second.replace(/.{40}\n/, '\n')}`,
        'certificate number 2 is damaged: copy the file again',
      ],
    ])('says so where the file %s', async (_, pem, message) => {
      const directory = tempDirectory();
      const ca = writeFile(directory, 'ca.pem', pem);
      const path = writeFile(directory, 'a.ini', `${full}ssl_ca_file = ca.pem`);
      const error = await errorOf(loadAccount(path));
      expect(error.message).toBe(`${path}:4: ssl_ca_file (${ca}): ${message}`);
    });

    it('says so where there is none', async () => {
      expect(await refusal(`${full}ssl_ca_file = ca.pem`)).toBe(
        'a.ini:4: ssl_ca_file (ca.pem): there is no such file: check the path',
      );
    });
  });

  describe('with a command in place of a connection', () => {
    it('runs the host, as IMAPClient does, and asks for no login', async () => {
      const account = await load('host = dovecot --exec-mail imap\nstream = true\nssl = false');
      expect(account).toEqual({
        ...usual,
        file: account.file,
        command: 'dovecot --exec-mail imap',
        host: 'localhost',
        port: 143,
        tls: none,
        username: '',
        secret: '',
      });
      expect(accountLabel(account)).toBe(`(command in ${account.file})`);
    });

    it('needs no host, and takes a login where there is one', async () => {
      const account = await load(`command = ssh gw imapd\nusername = alice\npassword = ${marked}`);
      expect(account).toMatchObject({ command: 'ssh gw imapd', host: 'localhost', username: 'alice', secret: marked });
      expect(accountLabel(account)).toBe(`alice@(command in ${account.file})`);
    });

    it('keeps the command as it is written', async () => {
      expect((await load('stream = on\nhost = [ -x imapd ] && exec ./imapd; false # [x]')).command).toBe(
        '[ -x imapd ] && exec ./imapd; false # [x]',
      );
    });
  });

  describe('with sections', () => {
    const content = `${full}\n[work]\nusername = bob\n[a@b.com]\npassword =\npassword_env = PW\n[broken]\nexpect_failure = x\n`;

    it.each([
      ['#work', { username: 'bob', secret: marked }],
      ['#a@b.com', { username: 'alice', secret: 'env' }],
      ['#DEFAULT', { username: 'alice', secret: marked }],
      ['#default', { username: 'alice', secret: marked }],
    ])('takes %s over DEFAULT', async (section, expected) => {
      const path = writeFile(tempDirectory(), 'a.ini', content);
      const account = await loadAccount(path + section, { env: { PW: 'env' } });
      expect(account).toMatchObject({ ...expected, host: 'imap.example.org', file: path + section });
    });

    it.each([
      [
        '',
        'a.ini:5: section [work] is not asked for: name it as "a.ini#work", or the account outside of it as "a.ini#DEFAULT"',
      ],
      ['#wrok', 'a.ini: there is no section [wrok]: did you mean [work]?'],
      ['#none-such', 'a.ini: there is no section [none-such]'],
      [
        '#broken',
        'a.ini:11: expect_failure belongs to the test suite of IMAPClient and means nothing here: remove the line',
      ],
    ])('refuses a reference that ends in "%s"', async (section, message) => {
      expect(await refusal(content, { section })).toBe(message);
    });

    it('reads a file that has a # in its name', async () => {
      const path = writeFile(tempDirectory(), 'a#b.ini', full);
      expect((await loadAccount(path)).username).toBe('alice');
    });
  });

  it.each([
    // Keys.
    ['an unknown key', `${full}pasword = x`, 'a.ini:4: unknown key pasword: did you mean password?'],
    ['a key of another tool', `${full}hostname = x`, 'a.ini:4: unknown key hostname: did you mean host?'],
    [
      'a key like nothing known',
      `${full}zzzzzz = x`,
      /^a\.ini:4: unknown key zzzzzz: the keys are host, port, username, /,
    ],
    [
      'a key of IMAPClient that means nothing here',
      `${full}expect_failure = x`,
      /^a\.ini:4: expect_failure belongs to the test suite/,
    ],
    ['a key twice', `${full}Host = x`, 'a.ini:4: host is there twice (first in line 1): keep one'],
    [
      'a piece of a secret that reads like a key',
      `${full}${'S3cr3t-MARK'.repeat(9)}==`,
      /^a\.ini:4: unknown key: the keys are host, /,
    ],
    // What has to be there.
    [
      'no host',
      `username = a\npassword = ${marked}`,
      'a.ini: host is missing: add a line such as "host = imap.example.org"',
    ],
    [
      'an empty host',
      `host =\nusername = a\npassword = ${marked}`,
      'a.ini: host is missing: add a line such as "host = imap.example.org"',
    ],
    [
      'no user name',
      `host = h\npassword = ${marked}`,
      'a.ini: username is missing: add a line such as "username = alice"',
    ],
    [
      'no password',
      base,
      'a.ini: no password is given: add one of password, password_command, password_file, password_env',
    ],
    [
      'an empty password',
      `${base}password =`,
      'a.ini: no password is given: add one of password, password_command, password_file, password_env',
    ],
    ['an empty file', '', 'a.ini: host is missing: add a line such as "host = imap.example.org"'],
    // Single values.
    [
      'a URL for a host',
      `host = imaps://h\nusername = a\npassword = b`,
      'a.ini:1: host must be a bare name such as imap.example.org: port and ssl have lines of their own',
    ],
    [
      'a port behind the host',
      `host = h:993\nusername = a\npassword = b`,
      'a.ini:1: host must be a name without a port: "port" has a line of its own',
    ],
    [
      'blanks in the host',
      `host = a b\nusername = a\npassword = b`,
      'a.ini:1: host is not a host name such as imap.example.org',
    ],
    ['port 0', `${full}port = 0`, 'a.ini:4: port must be a whole number from 1 to 65535'],
    ['a port too high', `${full}port = 65536`, 'a.ini:4: port must be a whole number from 1 to 65535'],
    ['a port that is no number', `${full}port = imaps`, 'a.ini:4: port must be a whole number from 1 to 65535'],
    ['a port in hexadecimal', `${full}port = 0x10`, 'a.ini:4: port must be a whole number from 1 to 65535'],
    ['a switch that is neither', `${full}ssl = maybe`, 'a.ini:4: ssl must be yes or no'],
    ['an empty switch', `${full}ssl =`, 'a.ini:4: ssl must be yes or no'],
    ['timeout = 0', `${full}timeout = 0`, /^a\.ini:4: timeout must be a number of seconds, more than 0/],
    ['timeout = none', `${full}timeout = none`, /^a\.ini:4: timeout must be a number of seconds/],
    ['a timeout longer than a day', `${full}timeout = 86401`, /^a\.ini:4: timeout must be a number of seconds/],
    ['an unknown auth', `${full}auth = ntlm`, /^a\.ini:4: auth must be one of auto, login, plain, /],
    ['two delimiters', `${full}delimiter = ..`, 'a.ini:4: delimiter must be one character, such as / or .'],
    ['an empty delimiter', `${full}delimiter =`, 'a.ini:4: delimiter must be one character, such as / or .'],
    // What does not go together.
    ['ssl and starttls', `${full}ssl = yes\nstarttls = yes`, /^a\.ini:5: starttls and ssl cannot both be yes/],
    ['two passwords', `${full}password_env = X`, 'a.ini:4: password_env and password are both set: keep one'],
    [
      'a CA file in clear text',
      `${full}ssl = no\nssl_ca_file = x`,
      'a.ini:5: ssl_ca_file has no effect without TLS: use ssl = yes or starttls = yes',
    ],
    [
      'a CA file that is not used',
      `${full}ssl_verify_cert = no\nssl_ca_file = x`,
      /^a\.ini:5: ssl_ca_file has no effect with ssl_verify_cert = no/,
    ],
    [
      'a name check without a certificate check',
      `${full}ssl_verify_cert = no\nssl_check_hostname = yes`,
      /^a\.ini:5: ssl_check_hostname cannot be yes with ssl_verify_cert = no/,
    ],
    ['stream with a port', `host = x\nstream = yes\nport = 1`, /^a\.ini:3: port cannot be used with stream = yes/],
    ['stream with ssl', `host = x\nstream = yes\nssl = yes`, /^a\.ini:3: ssl cannot be yes with stream = yes/],
    [
      'stream with starttls',
      `host = x\nstream = yes\nstarttls = yes`,
      /^a\.ini:3: starttls cannot be yes with stream = yes/,
    ],
    [
      'stream with a command',
      `host = x\nstream = yes\ncommand = y`,
      /^a\.ini:3: command cannot be used with stream = yes/,
    ],
    ['stream without a host', 'stream = yes', 'a.ini: host is missing: with stream = yes it holds the command to run'],
    [
      'a password for EXTERNAL',
      `${full}auth = external`,
      'a.ini:3: password has no effect with auth = external: remove it',
    ],
    [
      'proxyauth for nobody',
      `${full}auth = proxyauth`,
      'a.ini: authorization_id is missing: auth = proxyauth needs the user to act as',
    ],
    [
      'an identity LOGIN cannot send',
      `${full}auth = login\nauthorization_id = b`,
      /^a\.ini:5: authorization_id cannot be sent with auth = login/,
    ],
    [
      'an identity XOAUTH2 cannot send',
      `${full}auth = xoauth2\nauthorization_id = b`,
      'a.ini:5: authorization_id cannot be sent with OAuth: put the mailbox to open into username',
    ],
    [
      'an OAuth key alone',
      `${full}oauth2_client_id = x`,
      'a.ini:4: oauth2_client_id has no effect without oauth2 = yes',
    ],
    [
      'OAuth with a password',
      `${full}oauth2 = yes\noauth2_client_id = x\noauth2_refresh_token = ${marked}`,
      'a.ini:3: password cannot be used with oauth2 = yes: the refresh token takes its place',
    ],
    [
      'OAuth without a token',
      `${base}oauth2 = yes\noauth2_client_id = x`,
      'a.ini: oauth2_refresh_token is missing: oauth2 = yes needs it',
    ],
    [
      'OAuth without a client',
      `${base}oauth2 = yes\noauth2_refresh_token = ${marked}`,
      'a.ini: oauth2_client_id is missing: oauth2 = yes needs it',
    ],
    [
      'OAuth by a password method',
      `${base}oauth2 = yes\nauth = plain\noauth2_client_id = x\noauth2_refresh_token = ${marked}`,
      'a.ini:4: auth must be xoauth2 or oauthbearer with oauth2 = yes',
    ],
    [
      'OAuth at an unknown host',
      `${base}oauth2 = yes\noauth2_client_id = x\noauth2_refresh_token = ${marked}`,
      /^a\.ini: oauth2_token_url is missing: where imap\.example\.org has tokens renewed/,
    ],
    [
      'a token sent in clear text',
      `${base}oauth2 = yes\noauth2_client_id = x\noauth2_refresh_token = ${marked}\noauth2_token_url = http://example.org/`,
      'a.ini:6: oauth2_token_url must begin with https://, because the refresh token is sent there',
    ],
    // Lines.
    [
      'a secret that goes on in the next line',
      `${base}password = a\n  ${marked}`,
      /^a\.ini:4: is indented below the line above/,
    ],
    ['a stray line', `${full}${marked}`, 'a.ini:4: is neither "key = value" nor a [section] nor a comment'],
    [
      'a line that is not UTF-8',
      Buffer.from(`${full}x = \xe9`, 'latin1'),
      'a.ini:4: is not UTF-8 text: save the file as UTF-8',
    ],
    // The first of several.
    ['several mistakes', `${full}timeout = x\nport = y`, /^a\.ini:4: timeout must/],
  ])('refuses %s', async (_, content, message) => {
    expect(await refusal(content)).toMatch(message);
    if (typeof message === 'string') expect(await refusal(content)).toBe(message);
  });

  it('refuses a file that is not there', async () => {
    const path = join(tempDirectory(), 'none.ini');
    const error = await errorOf(loadAccount(path));
    expect(error).toMatchObject({ code: 'CONFIG', message: `${path}: there is no such file: check the path` });
  });

  describe('with a file others can read', () => {
    it.each([
      ['a password', full, 3, 'password'],
      [
        'a client secret',
        `${base}oauth2 = no\noauth2_client_secret = ${marked}\npassword_env = X`,
        4,
        'oauth2_client_secret',
      ],
      [
        'a refresh token',
        `${base}oauth2 = no\noauth2_refresh_token = ${marked}\npassword_env = X`,
        4,
        'oauth2_refresh_token',
      ],
    ])('refuses %s in it and names the command that helps', async (_, content, line, key) => {
      for (const mode of [0o640, 0o604, 0o644, 0o620, 0o602]) {
        expect(await refusal(content, { mode })).toBe(
          `a.ini:${line}: others can read or change this file, and ${key} is in it: run "chmod 600 a.ini"`,
        );
      }
    });

    it('quotes the path of the command where a shell would split it', async () => {
      const path = writeFile(tempDirectory(), "it's mine.ini", full, 0o644);
      const error = await errorOf(loadAccount(path));
      expect(error.message).toContain(`run "chmod 600 '${path.replace("'", "'\\''")}'"`);
    });

    it('refuses a password in a section that is not asked for', async () => {
      const content = `${base}password_env = X\n[other]\npassword = ${marked}`;
      expect(await refusal(content, { mode: 0o644, section: '#DEFAULT' })).toContain('a.ini:5: others can read');
    });

    it('takes it where that is allowed, and where there is no secret in it', async () => {
      const directory = tempDirectory();
      const path = writeFile(directory, 'a.ini', full, 0o644);
      expect((await loadAccount(path, { allowReadableSecrets: true })).secret).toBe(marked);
      const harmless = writeFile(directory, 'b.ini', `${base}password =\npassword_env = PW`, 0o644);
      expect((await loadAccount(harmless, { env: { PW: 'x' } })).secret).toBe('x');
    });

    it('checks the password file by itself', async () => {
      const directory = tempDirectory();
      const secret = writeFile(directory, 'pw', marked, 0o644);
      const path = writeFile(directory, 'a.ini', `${base}password_file = pw`);
      const error = await errorOf(loadAccount(path));
      expect(error.message).toBe(
        `${path}:3: password_file (${secret}): others can read or change the password in it: run "chmod 600 ${secret}"`,
      );
      expect((await loadAccount(path, { allowReadableSecrets: true })).secret).toBe(marked);
    });
  });

  describe('with oauth2', () => {
    it.each([
      ['', 'xoauth2'],
      ['auth = xoauth2', 'xoauth2'],
      ['auth = oauthbearer', 'oauthbearer'],
    ])('logs in with the token it redeems (%s)', async (line, auth) => {
      const server = createServer((_, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ access_token: 'fresh', token_type: 'Bearer' }));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const keys = `oauth2 = yes\noauth2_client_id = me\noauth2_refresh_token = ${marked}\noauth2_token_url = http://127.0.0.1:${port}/`;
        const account = await load(`${base}${keys}\n${line}`, { clock: new ManualClock() });
        expect(account).toEqual({ ...usual, renewable: true, file: account.file, secret: 'fresh', auth });
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });

    it('is a login failure, not a mistake in the file, where the provider says no', async () => {
      const server = createServer((_, response) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: 'invalid_grant' }));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const keys = `oauth2 = yes\noauth2_client_id = me\noauth2_refresh_token = ${marked}\noauth2_token_url = http://127.0.0.1:${port}/`;
        const error = await errorOf(load(base + keys));
        expect(error).toBeInstanceOf(MigrateError);
        expect(error).toMatchObject({ code: 'LOGIN', exitCode: 5 });
        expect(everythingOf(error)).not.toContain(marked);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
  });
});
