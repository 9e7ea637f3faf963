import { expect, test } from 'vitest';
import { fillDemoAccount, type MailboxSnapshot, SandboxServer, snapshotAccount } from '../../src/sandbox/index.ts';

function makeDemo(options: ConstructorParameters<typeof SandboxServer>[0] = {}, seed?: number): MailboxSnapshot[] {
  const account = new SandboxServer(options).addAccount({ user: 'robin', password: 'x' });
  fillDemoAccount(account, seed === undefined ? {} : { seed });
  return snapshotAccount(account);
}

/** What must be the same on any server: all but the names on the wire. */
function comparable(snapshot: MailboxSnapshot[]): unknown {
  return snapshot.filter((mailbox) => !mailbox.noselect).map(({ rawName: _rawName, ...rest }) => rest);
}

test('the same seed makes the same account, another seed another one', () => {
  expect(makeDemo()).toEqual(makeDemo());
  expect(makeDemo({}, 7)).not.toEqual(makeDemo());
});

test('separator and prefix change nothing but the names', () => {
  const uidValidity = 0;
  const plain = makeDemo().map((mailbox) => ({ ...mailbox, uidValidity }));
  const dotted = makeDemo({ delimiter: '.', personalPrefix: 'INBOX.' }).map((mailbox) => ({ ...mailbox, uidValidity }));
  expect(comparable(dotted)).toEqual(comparable(plain));
  expect(dotted.map((mailbox) => mailbox.rawName)).toContain('INBOX.Projects.Kite [2021].Drawings &- Plans');
});

test('a flat server gets flat names', () => {
  expect(makeDemo({ delimiter: null }).map((mailbox) => mailbox.rawName)).toContain('Archive - 2017');
});

test('the account holds what real ones hold', () => {
  const account = new SandboxServer().addAccount({ user: 'robin', password: 'x' });
  fillDemoAccount(account);
  const messages = [...account.mailboxes.values()].flatMap((mailbox) => [...mailbox.messages]);
  const texts = messages.map((message) => message.body.toString('latin1'));
  const snapshot = snapshotAccount(account);
  const has = (pattern: RegExp) => texts.filter((text) => pattern.test(text)).length;
  expect(messages.length).toBeGreaterThan(300);
  expect(account.totalBytes).toBeGreaterThan(2e6);
  expect(account.totalBytes).toBeLessThan(8e6);
  expect(snapshot.map((mailbox) => mailbox.path.join('/'))).toEqual(
    expect.arrayContaining([
      '日本語/会議',
      'Projects/Kite [2021]/Drawings & Plans',
      'Vacances/Café de l’Été',
      'Empty so far',
    ]),
  );
  expect(snapshot.some((mailbox) => !mailbox.noselect && mailbox.messages.length === 0)).toBe(true);
  expect(snapshot.some((mailbox) => mailbox.noselect)).toBe(true);
  expect(snapshot.some((mailbox) => !mailbox.subscribed && mailbox.messages.length > 0)).toBe(true);
  expect(has(/^Content-Type: multipart\/alternative/m)).toBeGreaterThan(20);
  expect(has(/^Content-Disposition: attachment/m)).toBeGreaterThan(20);
  expect(texts.filter((text) => !/^Message-ID:/m.test(text)).length).toBeGreaterThan(3);
  expect(texts.filter((text) => !text.endsWith('\r\n')).length).toBeGreaterThan(0);
  expect(texts.filter((text) => /[\x80-\xff]/.test(text.slice(0, text.indexOf('\r\n\r\n')))).length).toBeGreaterThan(3);
  expect(Math.max(...texts.map((text) => Math.max(...text.split('\r\n').map((line) => line.length))))).toBeGreaterThan(
    10_000,
  );
  expect(texts.every((text) => !/(^|[^\r])\n/.test(text))).toBe(true);
  const digests = snapshot.flatMap((mailbox) =>
    mailbox.messages.map((message) => `${mailbox.rawName} ${message.digest}`),
  );
  expect(new Set(digests).size).toBeLessThan(digests.length);
  expect(new Set(messages.map((message) => message.internalDate.slice(-5))).size).toBeGreaterThan(5);
  expect(new Set(messages.map((message) => message.internalDate.slice(7, 11))).size).toBeGreaterThan(5);
  expect(new Set(messages.flatMap((message) => [...message.flags]))).toEqual(
    new Set([
      '\\Seen',
      '\\Answered',
      '\\Flagged',
      '\\Deleted',
      '\\Draft',
      '$Forwarded',
      '$MDNSent',
      '$Label1',
      'NonJunk',
      'Garden',
      'to-do',
    ]),
  );
  expect(account.inbox.uidNext).toBeGreaterThan(account.inbox.messages.length + 1);
});
