import { describe, expect, it } from 'vitest';
import { chooseMethod } from '../../src/worker/login.ts';

const choose = (
  capabilities: string,
  options: { secure?: boolean; host?: string; command?: string; authorizationId?: string } = {},
) =>
  chooseMethod(
    { hasCapability: (name) => capabilities.split(' ').includes(name), secure: options.secure ?? false },
    {
      host: options.host ?? 'imap.example.org',
      command: options.command ?? null,
      authorizationId: options.authorizationId ?? null,
    },
  );

describe('auth = auto', () => {
  const all = 'AUTH=PLAIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 SASL-IR';
  const cases: [name: string, capabilities: string, options: Parameters<typeof choose>[1], method: string][] = [
    ['takes the one round trip of PLAIN inside TLS', all, { secure: true }, 'plain'],
    ['takes it on loopback', all, { host: '127.0.0.1' }, 'plain'],
    ['takes it through a tunnel', all, { command: 'ssh host imapd' }, 'plain'],
    ['takes LOGIN where PLAIN would need two', 'AUTH=PLAIN', { secure: true }, 'login'],
    ['takes PLAIN where LOGIN is disabled', 'AUTH=PLAIN LOGINDISABLED', { secure: true }, 'plain'],
    ['does not show the password on a clear line where it need not', all, {}, 'scram-sha-256'],
    ['takes CRAM-MD5 before clear text', 'AUTH=PLAIN AUTH=CRAM-MD5', {}, 'cram-md5'],
    ['takes LOGIN where the server names no mechanism at all', '', {}, 'login'],
    [
      'acts as another user only by mechanisms that can',
      `${all} AUTH=LOGIN`,
      { secure: true, authorizationId: 'bob' },
      'plain',
    ],
    ['knows loopback in all its spellings', all, { host: '::1' }, 'plain'],
    ['does not take a name for loopback that only looks like it', all, { host: '127.evil.example' }, 'scram-sha-256'],
  ];
  it.each(cases)('%s', (_, capabilities, options, method) => {
    expect(choose(capabilities, options)).toBe(method);
  });

  it('says what may help where nothing is offered', () => {
    expect(() => choose('LOGINDISABLED', { secure: true })).toThrow(/OAuth/);
  });
});
