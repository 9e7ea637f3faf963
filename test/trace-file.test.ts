import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AccountSettings } from '../src/account.ts';
import { ConfigError } from '../src/errors.ts';
import { openAccount } from '../src/open-account.ts';
import { ImapClient } from '../src/protocol/index.ts';
import { connectSandbox, ManualClock, SandboxServer } from '../src/testing/index.ts';
import { checkTraceFile, openTrace } from '../src/trace-file.ts';
import { makeAccount } from './cli/fake-io.ts';

const dir = mkdtempSync(join(tmpdir(), 'imap-migrate-trace-'));
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
const newFile = () => join(dir, `trace-${++files}`);
const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');
const wallClockMs = () => Date.UTC(2026, 0, 2, 3, 4, 5, 60);

describe('a trace file', () => {
  test('has time, connection, direction and text in each line, from the first on', () => {
    const file = newFile();
    const clock = new ManualClock();
    const sink = openTrace(file, { account: 'alice@old:993', clock, wallClockMs });
    sink({ direction: 'received', timeMs: clock.now() + 5, text: '* OK ready' });
    sink({ direction: 'sent', timeMs: clock.now() + 1500, text: 'A1 NOOP' });
    sink({ direction: 'sent', timeMs: clock.now() + 1500, text: '' });
    sink({ direction: 'note', timeMs: clock.now() + 86_400_000, text: 'TLS is up' });
    const lines = linesOf(file);
    const [, name = ''] = (lines[0] ?? '').split(' ');
    expect(name).toMatch(/^\d+\.\d+$/);
    expect(lines.map((line) => line.replace(` ${name} `, ' # '))).toEqual([
      '03:04:05.060 # -- alice@old:993, 2026-01-02T03:04:05.060Z',
      '03:04:05.065 # < * OK ready',
      '03:04:06.560 # > A1 NOOP',
      '03:04:06.560 # > (what was announced)',
      '03:04:05.060 # -- TLS is up',
    ]);
  });

  test('is for its owner only, and grows', () => {
    const file = newFile();
    const options = { account: 'a', clock: new ManualClock(), wallClockMs };
    openTrace(file, options);
    openTrace(file, options);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const names = linesOf(file).map((line) => line.split(' ')[1]);
    expect(new Set(names).size).toBe(2);
  });

  test.each([
    ['UTF-8', Buffer.from('* OK Grüße').toString('latin1'), '* OK Grüße'],
    ['bytes that are no UTF-8', '* OK Gr\xfc\xdfe', '* OK Grüße'],
    ['what a terminal would act on', '* OK \x1b[31m\u0007', '* OK \\x1b[31m\\x07'],
    ['what hides from the eye', Buffer.from('* OK \u202eevil').toString('latin1'), '* OK \\u{202e}evil'],
  ])('shows %s', (_what, text, shown) => {
    const file = newFile();
    openTrace(file, { account: 'a', clock: new ManualClock(), wallClockMs })({
      direction: 'received',
      timeMs: 0,
      text,
    });
    expect(linesOf(file).at(-1)).toMatch(/ < /);
    expect(linesOf(file).at(-1)?.split(' < ')[1]).toBe(shown);
  });

  test('that cannot be written is refused before anything is dialled', () => {
    expect(() => checkTraceFile(join(dir, 'missing', 'file'))).toThrow(ConfigError);
    expect(() => checkTraceFile(join(dir, 'missing', 'file'))).toThrow(/trace file .*ENOENT.*--trace-imap/);
    const file = newFile();
    checkTraceFile(file);
    expect(statSync(file)).toMatchObject({ size: 0 });
  });
});

test('openAccount writes what an account asks for: both directions, no password', async () => {
  const server = new SandboxServer({ disable: ['AUTH=PLAIN'] });
  server.addAccount({ user: 'alice', password: 'S3cr3t-MARK' });
  const file = newFile();
  const clock = new ManualClock();
  const account: AccountSettings = { ...makeAccount('a.ini'), auth: 'login', secret: 'S3cr3t-MARK', trace: file };
  const { client } = await openAccount(account, {
    clock,
    connect: ({ trace = '' }) =>
      ImapClient.connect({
        host: 'sandbox',
        tls: 'none',
        clock,
        transport: connectSandbox(server),
        trace: openTrace(trace, { account: 'alice', clock, wallClockMs }),
      }),
  });
  await client.append('INBOX', { body: Buffer.from('Subject: S3cr3t-MARK\r\n\r\n') });
  await client.logout();
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/ > \w+ LOGIN \*\*\*\n/);
  expect(text).toMatch(/ > \w+ APPEND "INBOX" \{24\+\}\n/);
  expect(text).toMatch(/ < \* BYE /);
  expect(text).not.toContain('S3cr3t-MARK');
});
