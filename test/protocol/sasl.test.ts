import { describe, expect, it } from 'vitest';
import {
  cramMd5Responder,
  externalResponder,
  loginResponder,
  oauth2Responder,
  oauthBearerResponder,
  plainResponder,
  type SaslResponder,
  type ScramOptions,
  scramResponder,
} from '../../src/protocol/sasl.ts';
import { saslPrep } from '../../src/protocol/sasl-prep.ts';

const text = (message: Buffer | null) => message?.toString('utf8') ?? null;
const base64 = (message: Buffer | null) => message?.toString('base64') ?? null;

describe('the first message', () => {
  it.each<[string, SaslResponder, string | null]>([
    ['PLAIN, RFC 4616 4', plainResponder('tim', 'tanstaaftanstaaf'), '\0tim\0tanstaaftanstaaf'],
    ['PLAIN for another user', plainResponder('Kurt', 'xipj3plmq', 'Ursel'), 'Ursel\0Kurt\0xipj3plmq'],
    ['PLAIN beyond ASCII', plainResponder('Jürgen', 'pässword'), '\0Jürgen\0pässword'],
    ['LOGIN', loginResponder('tim', 'secret'), null],
    ['CRAM-MD5', cramMd5Responder('tim', 'secret'), null],
    ['EXTERNAL', externalResponder(), ''],
    ['EXTERNAL for another user', externalResponder('fred'), 'fred'],
    ['XOAUTH2 with a vendor', oauth2Responder('u', 't', 'v'), 'user=u\x01auth=Bearer t\x01vendor=v\x01\x01'],
    ['OAUTHBEARER with an odd name', oauthBearerResponder('a=b,c', 't'), 'n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01'],
  ])('of %s', (_mechanism, responder, message) => {
    expect(text(responder.start())).toBe(message);
  });

  it('of XOAUTH2, as Google documents it', () => {
    const token = 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg';
    expect(base64(oauth2Responder('someuser@example.com', token).start())).toBe(
      'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==',
    );
  });

  it('of OAUTHBEARER, RFC 7628 4.1', () => {
    const options = { host: 'server.example.com', port: 143 };
    const responder = oauthBearerResponder('user@example.com', 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==', options);
    expect(base64(responder.start())).toBe(
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB',
    );
  });
});

describe('an answer', () => {
  it('of CRAM-MD5, RFC 2195 2', () => {
    const answer = cramMd5Responder('tim', 'tanstaaftanstaaf').answer(
      Buffer.from('<1896.697170952@postoffice.reston.mci.net>'),
    );
    expect(text(answer)).toBe('tim b913a602c7eda7a495b4e6e7334d3890');
  });

  it('of LOGIN is the user name, then the password, then nothing', () => {
    const responder = loginResponder('tim', 'secret');
    const answers = ['Username:', 'Password:', 'more?'].map((challenge) => responder.answer(Buffer.from(challenge)));
    expect(answers.map(text)).toEqual(['tim', 'secret', '']);
  });

  it.each<[string, SaslResponder, string]>([
    ['XOAUTH2 is empty', oauth2Responder('u', 't'), ''],
    ['OAUTHBEARER is a Ctrl-A', oauthBearerResponder('u', 't'), '\x01'],
  ])('to a refusal of %s, and the reason is kept', (_mechanism, responder, answer) => {
    expect(responder.refusalDetails?.()).toBeNull();
    const challenge = '{"status":"401","schemes":"bearer","scope":"https://mail.test/"}';
    expect(text(responder.answer(Buffer.from(challenge)))).toBe(answer);
    expect(responder.refusalDetails?.()).toBe('status 401, scope https://mail.test/');
  });

  it.each(['', 'nonsense', '[]', 'null', '{"status":{}}', '{"status":"a\\nb"}'])(
    'to the refusal %j finds no reason in it',
    (challenge) => {
      const responder = oauth2Responder('u', 't');
      responder.answer(Buffer.from(challenge));
      expect(responder.refusalDetails?.()).toBeNull();
    },
  );
});

interface ScramVector {
  readonly mechanism: ScramOptions['mechanism'];
  readonly nonce: string;
  readonly serverFirst: string;
  readonly clientFinal: string;
  readonly serverFinal: string;
}

// RFC 5802 5 and RFC 7677 3; the user is "user", the password "pencil".
const vectors: ScramVector[] = [
  {
    mechanism: 'SCRAM-SHA-1',
    nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    clientFinal: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    mechanism: 'SCRAM-SHA-256',
    nonce: 'rOprNGfwEbeRWgbNEkqO',
    serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
];

const sha1 = vectors[0] as ScramVector;

function scram(options: Partial<ScramOptions> = {}): SaslResponder {
  return scramResponder({
    mechanism: 'SCRAM-SHA-1',
    user: 'user',
    password: 'pencil',
    maxIterations: 600_000,
    nonce: sha1.nonce,
    ...options,
  });
}

const answer = (responder: SaslResponder, challenge: string) => text(responder.answer(Buffer.from(challenge)));

describe('SCRAM', () => {
  it.each(vectors)('$mechanism plays the exchange of its RFC', (vector) => {
    const responder = scram({ mechanism: vector.mechanism, nonce: vector.nonce });
    expect(text(responder.start())).toBe(`n,,n=user,r=${vector.nonce}`);
    expect(answer(responder, vector.serverFirst)).toBe(vector.clientFinal);
    expect(answer(responder, vector.serverFinal)).toBe('');
    responder.finish?.();
  });

  it('names the user it acts for, commas and equals signs escaped', () => {
    const responder = scram({ user: 'a,b', authorizationId: 'c=d' });
    expect(text(responder.start())).toBe(`n,a=c=3Dd,n=a=2Cb,r=${sha1.nonce}`);
    const final = answer(responder, sha1.serverFirst) ?? '';
    const header = /^c=([^,]*),/.exec(final)?.[1] ?? '';
    expect(Buffer.from(header, 'base64').toString()).toBe('n,a=c=3Dd,');
  });

  it('makes a new nonce each time', () => {
    const first = () =>
      text(scramResponder({ ...sha1, user: 'u', password: 'p', maxIterations: 4096, nonce: undefined }).start());
    expect(first()).not.toBe(first());
  });

  const nonce = `r=${sha1.nonce}x`;
  it.each([
    ['a nonce of its own', 'r=other,s=QSXCR+Q6sek8bf92,i=4096', /nonce/],
    ['our nonce alone', `r=${sha1.nonce},s=QSXCR+Q6sek8bf92,i=4096`, /nonce/],
    ['no nonce', 's=QSXCR+Q6sek8bf92,i=4096', /nonce/],
    ['no salt', `${nonce},i=4096`, /salt/],
    ['an empty salt', `${nonce},s=,i=4096`, /salt/],
    ['a salt that is no base64', `${nonce},s=????,i=4096`, /salt/],
    ['too few iterations', `${nonce},s=QSXCR+Q6sek8bf92,i=4095`, /fewer/],
    ['no iterations', `${nonce},s=QSXCR+Q6sek8bf92`, /fewer/],
    ['iterations that are no number', `${nonce},s=QSXCR+Q6sek8bf92,i=1e9`, /fewer/],
    ['too many iterations', `${nonce},s=QSXCR+Q6sek8bf92,i=600001`, /more than 600000/],
    ['iterations beyond numbers', `${nonce},s=QSXCR+Q6sek8bf92,i=99999999999999999999`, /fewer/],
    ['an extension', `m=x,${nonce},s=QSXCR+Q6sek8bf92,i=4096`, /extension/],
    ['nonsense', 'nonsense', /malformed/],
    ['nothing', '', /malformed/],
  ])('refuses a server that sends %s', (_what, challenge, words) => {
    const responder = scram();
    responder.start();
    expect(() => answer(responder, challenge)).toThrow(words);
    expect(() => responder.finish?.()).toThrow(/without proving/);
  });

  it.each([
    ['a wrong signature', 'v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=', /could not prove/],
    ['a short signature', 'v=AAAA', /could not prove/],
    ['no signature', 'x=1', /could not prove/],
    ['an error', 'e=invalid-proof', /invalid-proof/],
  ])('refuses a server that ends with %s', (_what, challenge, words) => {
    const responder = scram();
    responder.start();
    answer(responder, sha1.serverFirst);
    expect(() => answer(responder, challenge)).toThrow(words);
    expect(() => responder.finish?.()).toThrow(/without proving/);
  });

  it('refuses a server that goes on after its proof', () => {
    const responder = scram();
    responder.start();
    answer(responder, sha1.serverFirst);
    answer(responder, sha1.serverFinal);
    expect(() => answer(responder, sha1.serverFinal)).toThrow(/after the end/);
  });
});

describe('saslPrep', () => {
  // RFC 4013 3, and one case for each step of RFC 4013 2.
  it.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['a\u00a0b\u3000c', 'a b c'],
    ['a\u200bb', 'a b'],
    ['a\u200db', 'ab'],
    ['e\u0301', '\u00e9'],
    ['\u0627\u0628', '\u0627\u0628'],
    ['\u0627 1\u0628', '\u0627 1\u0628'],
    ['', ''],
  ])('makes %j into %j', (given, prepared) => {
    expect(saslPrep(given, 'password')).toBe(prepared);
  });

  it.each([
    '\u0007',
    'a\u007f',
    '\u0080',
    '\ue000',
    '\ufdd0',
    '\ufffd',
    'a\u2028',
    '\u202e',
    '\u{e0041}',
    '\u0627\u0031',
    'a\u0627b',
    '\ud800',
  ])('refuses %j without quoting it', (given) => {
    expect(() => saslPrep(given, 'password')).toThrow(/^The password/);
    expect(() => saslPrep(`${given}hunter2`, 'password')).not.toThrow(/hunter2/);
  });
});
