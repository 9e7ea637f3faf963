import { expect, test } from 'vitest';
import { SandboxServer } from '../../src/sandbox/index.ts';
import { RawClient, runTranscript } from './raw-client.ts';

test('the quota is told in units of 1024 octets, with what is used', () => {
  const lines = runTranscript({
    name: '',
    prepare: (alice) => {
      alice.quota = { storageBytes: 10 * 1024, messages: 5 };
      alice.inbox.append({ body: 'x'.repeat(1500) });
    },
    send: [
      'a1 GETQUOTAROOT inbox',
      'a2 GETQUOTA "User quota"',
      'a3 GETQUOTA other',
      'a4 GETQUOTAROOT nope',
      'a5 SETQUOTA "User quota" (STORAGE 1)',
    ],
    expect: [],
  });
  expect(lines).toEqual([
    '* QUOTAROOT INBOX "User quota"',
    '* QUOTA "User quota" (STORAGE 2 10 MESSAGE 1 5)',
    'a1 OK Getquotaroot completed',
    '* QUOTA "User quota" (STORAGE 2 10 MESSAGE 1 5)',
    'a2 OK Getquota completed',
    'a3 NO [NONEXISTENT] Quota root does not exist',
    "a4 NO [NONEXISTENT] Mailbox doesn't exist: nope",
    'a5 NO [NOPERM] Permission denied',
  ]);
});

test('an account without a quota has no root', () => {
  expect(runTranscript({ name: '', send: ['a1 GETQUOTAROOT INBOX'], expect: [] })).toEqual([
    '* QUOTAROOT INBOX',
    'a1 OK Getquotaroot completed',
  ]);
});

test('an administrator sets his own limits', () => {
  const server = new SandboxServer();
  const root = server.addAccount({ user: 'root', password: 'toor', admin: true });
  const client = new RawClient(server);
  client.say('a1 LOGIN root toor');
  expect(client.say('a2 SETQUOTA "User quota" (STORAGE 7)')).toEqual([
    '* QUOTA "User quota" (STORAGE 0 7)',
    'a2 OK Setquota completed',
  ]);
  expect(root.quota).toEqual({ storageBytes: 7168, messages: null });
});
