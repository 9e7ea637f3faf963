import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../src/protocol/client.ts';
import { AuthenticationError } from '../../src/protocol/errors.ts';
import { loginResponder, scramResponder } from '../../src/protocol/sasl.ts';
import type { TraceLine } from '../../src/protocol/trace.ts';
import { openScripted, rejection } from '../support/scripted-session.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const welcome = 'S: $A OK [CAPABILITY IMAP4rev1] welcome';
const password = 'correct "horse" b\\ttery';
const token = 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg';

interface Case {
  readonly name: string;
  readonly capabilities?: string;
  readonly transcript: string;
  readonly run: (client: ImapClient) => Promise<void>;
}

/** The nonce has to be known for a transcript. */
const scram = (client: ImapClient) =>
  client.saslLogin(
    'SCRAM-SHA-1',
    scramResponder({
      mechanism: 'SCRAM-SHA-1',
      user: 'user',
      password: 'pencil',
      maxIterations: 4096,
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    }),
  );
const scramFirst = encode('n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL');
const scramServerFirst = encode('r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096');
const scramFinal = encode('c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=');
const scramServerFinal = encode('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=');

describe('logging in', () => {
  const cases: Case[] = [
    {
      name: 'by LOGIN quotes what needs it',
      transcript: `C: $A LOGIN "al\\\\ice" "correct \\"horse\\" b\\\\ttery"\n${welcome}`,
      run: (client) => client.login('al\\ice', password),
    },
    {
      name: 'by LOGIN sends other scripts as literals',
      transcript: `C: $A LOGIN "u" {6}\nS: + go\nC: gr\xc3\xbcn!\n${welcome}`,
      run: (client) => client.login('u', 'grün!'),
    },
    {
      name: 'by PLAIN sends everything at once where the server takes it',
      capabilities: 'SASL-IR AUTH=PLAIN',
      transcript: `C: $A AUTHENTICATE PLAIN ${encode('\0u\0p')}\n${welcome}`,
      run: (client) => client.plainLogin('u', 'p'),
    },
    {
      name: 'by PLAIN waits for the go-ahead elsewhere',
      transcript: `C: $A AUTHENTICATE PLAIN\nS: + \nC: ${encode('boss\0u\0p')}\n${welcome}`,
      run: (client) => client.plainLogin('u', 'p', 'boss'),
    },
    {
      name: 'by EXTERNAL sends an empty message as =',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE EXTERNAL =\n${welcome}`,
      run: (client) => client.externalLogin(),
    },
    {
      name: 'by EXTERNAL sends an empty line when asked',
      transcript: `C: $A AUTHENTICATE EXTERNAL\nS: +\nC: \n${welcome}`,
      run: (client) => client.externalLogin(),
    },
    {
      name: 'by CRAM-MD5 answers the challenge',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE CRAM-MD5
        S: + ${encode('<1896.697170952@postoffice.reston.mci.net>')}
        C: ${encode('tim b913a602c7eda7a495b4e6e7334d3890')}
        ${welcome}`,
      run: (client) => client.cramMd5Login('tim', 'tanstaaftanstaaf'),
    },
    {
      name: 'by the LOGIN mechanism answers both questions',
      transcript: `C: $A AUTHENTICATE LOGIN
        S: + ${encode('Username:')}
        C: ${encode('u')}
        S: + ${encode('Password:')}
        C: ${encode('p')}
        ${welcome}`,
      run: (client) => client.saslLogin('login', loginResponder('u', 'p')),
    },
    {
      name: 'by SCRAM plays the whole exchange',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE SCRAM-SHA-1 ${scramFirst}
        S: + ${scramServerFirst}
        C: ${scramFinal}
        S: + ${scramServerFinal}
        C: 
        ${welcome}`,
      run: scram,
    },
    {
      name: 'by SCRAM without an initial response',
      transcript: `C: $A AUTHENTICATE SCRAM-SHA-1
        S: +
        C: ${scramFirst}
        S: + ${scramServerFirst}
        C: ${scramFinal}
        S: + ${scramServerFinal}
        C: 
        ${welcome}`,
      run: scram,
    },
    {
      name: 'by XOAUTH2',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE XOAUTH2 ${encode(`user=u\x01auth=Bearer ${token}\x01\x01`)}\n${welcome}`,
      run: (client) => client.oauth2Login('u', token),
    },
    {
      name: 'by OAUTHBEARER',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE OAUTHBEARER ${encode(`n,a=u,\x01host=h\x01port=993\x01auth=Bearer ${token}\x01\x01`)}\n${welcome}`,
      run: (client) => client.oauthbearerLogin('u', token, { host: 'h', port: 993 }),
    },
  ];
  it.each(cases)('$name', async ({ capabilities, transcript, run }) => {
    const { client, server } = await openScripted(transcript, { capabilities: capabilities ?? '' });
    await run(client);
    await server.done;
    expect(server.unexpected).toBe('');
  });

  it('by SCRAM draws a nonce of its own', async () => {
    const { client, server } = await openScripted('', { capabilities: 'SASL-IR' });
    await server.done;
    void rejection(client.scramLogin('user', 'pencil', { mechanism: 'SCRAM-SHA-256' }));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const first = / SCRAM-SHA-256 (\S+)\r\n$/.exec(server.unexpected)?.[1] ?? '';
    expect(Buffer.from(first, 'base64').toString()).toMatch(/^n,,n=user,r=[\w+/=]{20,}$/);
    client.close();
  });
});

describe('a refused login', () => {
  it.each<Case & { readonly words: RegExp; readonly code: string | null }>([
    {
      name: 'by LOGIN',
      transcript: 'C: $A LOGIN "u" "p"\nS: $A NO [AUTHENTICATIONFAILED] sorry',
      run: (client) => client.login('u', 'p'),
      words: /sorry/,
      code: 'AUTHENTICATIONFAILED',
    },
    {
      name: 'with BAD',
      transcript: 'C: $A AUTHENTICATE X\nS: $A BAD what',
      run: (client) => client.saslLogin('X', loginResponder('u', 'p')),
      words: /what/,
      code: null,
    },
    {
      name: 'by XOAUTH2, explained in a challenge',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE XOAUTH2 ${encode('user=u\x01auth=Bearer ya29\x01\x01')}
        S: + ${encode('{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}')}
        C: 
        S: $A NO SASL authentication failed`,
      run: (client) => client.oauth2Login('u', 'ya29'),
      words: /SASL authentication failed.*status 400, scope https:\/\/mail\.google\.com\//,
      code: null,
    },
    {
      name: 'by OAUTHBEARER, explained in a challenge',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE OAUTHBEARER ${encode('n,a=u,\x01auth=Bearer ya29\x01\x01')}
        S: + ${encode('{"status":"invalid_token"}')}
        C: AQ==
        S: $A NO [AUTHORIZATIONFAILED] no`,
      run: (client) => client.oauthbearerLogin('u', 'ya29'),
      words: /status invalid_token/,
      code: 'AUTHORIZATIONFAILED',
    },
    {
      name: 'by ourselves, because the challenge is no base64',
      transcript: 'C: $A AUTHENTICATE CRAM-MD5\nS: + ???\nC: *\nS: $A BAD cancelled',
      run: (client) => client.cramMd5Login('u', 'p'),
      words: /not base64/,
      code: null,
    },
    {
      name: 'by ourselves, because the server cannot prove itself',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE SCRAM-SHA-1 ${scramFirst}
        S: + ${scramServerFirst}
        C: ${scramFinal}
        S: + ${encode('v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=')}
        C: *
        S: $A NO cancelled`,
      run: scram,
      words: /could not prove/,
      code: null,
    },
  ])('$name is an AuthenticationError, and the session goes on', async (test) => {
    const { client, server } = await openScripted(`${test.transcript}\nC: $B NOOP\nS: $B OK done`, {
      capabilities: test.capabilities ?? '',
    });
    const error = await rejection(test.run(client));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.message).toMatch(test.words);
    expect(error).toMatchObject({ code: 'AUTH', responseCode: test.code, outcomeUnknown: false });
    await client.noop();
    await server.done;
  });

  it('that never comes to an end is abandoned, and when that does not help, the session', async () => {
    const { client } = await openScripted(
      `C: $A AUTHENTICATE PLAIN AHUAcA==\n${'S: +\nC: \n'.repeat(8)}S: +\nC: *\nS: +\nX: gone`,
      { capabilities: 'SASL-IR' },
    );
    const error = await rejection(client.plainLogin('u', 'p'));
    expect(error).toMatchObject({ name: 'ProtocolError' });
    expect(client.closed).toBe(true);
  });

  it('is not believed to have gone well when we had given up', async () => {
    const { client } = await openScripted('C: $A AUTHENTICATE CRAM-MD5\nS: + ???\nC: *\nS: $A OK welcome\nX: gone');
    expect(await rejection(client.cramMd5Login('u', 'p'))).toBeInstanceOf(AuthenticationError);
    expect(client.closed).toBe(true);
  });

  it.each([
    ['without its proof', `C: $A AUTHENTICATE SCRAM-SHA-1 ${scramFirst}\nS: + ${scramServerFirst}\nC: ${scramFinal}`],
    ['at once', `C: $A AUTHENTICATE SCRAM-SHA-1 ${scramFirst}`],
    ['although we gave up', `C: $A AUTHENTICATE SCRAM-SHA-1 ${scramFirst}\nS: + ${encode('i=1')}\nC: *`],
  ])('a SCRAM server that says OK %s is not believed', async (_when, transcript) => {
    const { client } = await openScripted(`${transcript}\nS: $A OK welcome\nX: gone`, { capabilities: 'SASL-IR' });
    expect(await rejection(scram(client))).toBeInstanceOf(AuthenticationError);
    expect(client.closed).toBe(true);
  });
});

describe('secrets', () => {
  const plain = encode(`\0u\0${password}`);
  const escaped = password.replace(/["\\]/g, '\\$&');
  const bearer = encode(`user=u\x01auth=Bearer ${token}\x01\x01`);
  it.each<Case & { readonly secrets: readonly string[] }>([
    {
      name: 'a LOGIN line echoed by a NO',
      transcript: `C: $A LOGIN "u" "${escaped}"\nS: $A NO [X ${escaped}] bad line: $A LOGIN "u" "${escaped}" or ${password}`,
      run: (client) => client.login('u', password),
      secrets: [password, escaped],
    },
    {
      name: 'a LOGIN line echoed in base64 by a BYE',
      transcript: `C: $A LOGIN "u" "${escaped}"\nS: * BYE ${encode(password)}`,
      run: (client) => client.login('u', password),
      secrets: [encode(password)],
    },
    {
      name: 'a LOGIN line echoed as a response',
      transcript: `C: $A LOGIN "u" "${escaped}"\nS: "u" "${escaped}"`,
      run: (client) => client.login('u', password),
      secrets: [escaped],
    },
    {
      name: 'a LOGIN line echoed in an OK that makes no sense',
      transcript: `C: $A LOGIN "u" "${escaped}"\nS: $A OK [CAPABILITY "${escaped}"] done`,
      run: (client) => client.login('u', password),
      secrets: [escaped],
    },
    {
      name: 'a LOGIN line echoed in news',
      transcript: `C: $A LOGIN "u" "${escaped}"\nS: * NO [ALERT] ${password} is weak\nS: $A NO no`,
      run: (client) => client.login('u', password),
      secrets: [password],
    },
    {
      name: 'a SASL message echoed whole',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE PLAIN ${plain}\nS: $A BAD unknown: AUTHENTICATE PLAIN ${plain}`,
      run: (client) => client.plainLogin('u', password),
      secrets: [plain],
    },
    {
      name: 'a SASL message echoed in part',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE XOAUTH2 ${bearer}\nS: $A BAD unknown: AUTHENTICATE XOAUTH2 ${bearer.slice(0, 60)}`,
      run: (client) => client.oauth2Login('u', token),
      secrets: [bearer.slice(20, 60)],
    },
    {
      name: 'a token echoed in a challenge',
      capabilities: 'SASL-IR',
      transcript: `C: $A AUTHENTICATE XOAUTH2 ${bearer}
        S: + ${encode(JSON.stringify({ status: '401', scope: token }))}
        C: 
        S: $A NO no`,
      run: (client) => client.oauth2Login('u', token),
      secrets: [token, encode(token)],
    },
  ])('of $name appear nowhere', async ({ capabilities, transcript, run, secrets }) => {
    const lines: TraceLine[] = [];
    const { client } = await openScripted(transcript, {
      capabilities: capabilities ?? '',
      connect: { trace: (line) => lines.push(line) },
    });
    const news: unknown[] = [];
    client.onUnsolicited = (data) => news.push(data);
    const error = await rejection(run(client));
    const shown = [describeError(error), JSON.stringify(lines), JSON.stringify(news)].join('\n');
    // A word of the password betrays it in whatever way the rest was escaped.
    for (const secret of [...secrets, 'horse']) expect(shown).not.toContain(secret);
    expect(lines.some(({ direction }) => direction === 'sent')).toBe(true);
  });
});

/** Everything an error has to say, its causes included. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.stack, JSON.stringify({ ...error }), error.cause === undefined ? '' : describeError(error.cause)].join(
    '\n',
  );
}
