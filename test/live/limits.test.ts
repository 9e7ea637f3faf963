/** `--bwlimit`, `--rate` and `--compress` between real servers, by what went over the wire and how long it took. */
import { beforeAll, describe, expect, test } from 'vitest';
import { CountingProxy } from '../support/counting-proxy.ts';
import { RawImap } from '../support/imap-raw.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, Workspace } from './harness.ts';

const keep = closeAfterAll();
const workspace = new Workspace();

const messages = 40;
const messageBytes = 500_000;
const totalBytes = messages * messageBytes;
/** Dovecot's own words for COMPRESS=DEFLATE, where the plugin is installed. */
const withCompression =
  'mail_plugins = $mail_plugins zlib\nprotocol imap {\n  mail_plugins = $mail_plugins imap_zlib\n}';

describe.skipIf(!availableServers().dovecot)('a copy of 20 MB in 40 messages', () => {
  let dovecot: ServerInstance;
  let users = 0;

  beforeAll(async () => {
    dovecot = keep(await startDovecot({ extraConfig: withCompression }));
    await using client = await RawImap.open(accessTo(dovecot, 'source'));
    expect(client.has('COMPRESS=DEFLATE')).toBe(true);
    for (const folder of ['one', 'two']) {
      await client.command(`CREATE ${folder}`);
      const body = Buffer.alloc(messageBytes, 'Text that could be shorter, line after line.\r\n');
      body.write(`Subject: in ${folder}\r\n\r\n`);
      const message = { body, flags: [], internalDate: '01-Feb-2003 04:05:06 +0700' };
      await client.append(
        folder,
        Array.from({ length: messages / 2 }, () => message),
      );
    }
  });

  /** Copies to a new account; answers the report and the bytes on both lines, in MB. */
  async function copy(options: readonly string[], delayMs = 0) {
    await using from = await CountingProxy.start(dovecot, delayMs);
    await using to = await CountingProxy.start(dovecot, delayMs);
    const source = workspace.account({ ...accessTo(dovecot, 'source'), port: from.port });
    const target = workspace.account({ ...accessTo(dovecot, `target-${++users}`), port: to.port });
    const result = await migrate(source, target, '--state', workspace.stateDir(), ...options);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.report).toMatchObject({ verdict: 'complete', copied: messages, bytes: totalBytes });
    return { seconds: result.report.seconds, megabytes: { source: from.bytes / 1e6, target: to.bytes / 1e6 } };
  }

  test.each([
    ['on one connection', ['--connections', '1']],
    ['on two of two threads', ['--connections', '2', '--threads', '2']],
  ])('keeps to --bwlimit %s', async (_name, connections) => {
    const { seconds } = await copy(['--bwlimit', '5MB/s', '--compress', 'off', ...connections]);
    const megabytesPerSecond = totalBytes / 1e6 / seconds;
    expect(megabytesPerSecond).toBeLessThan(5 * 1.1);
    // Logging in takes its time, and so do the first batch and the last one.
    expect(megabytesPerSecond).toBeGreaterThan(5 * 0.65);
  });

  test('keeps to --rate', async () => {
    const { seconds } = await copy(['--rate', '10msg/s']);
    const perSecond = messages / seconds;
    expect(perSecond).toBeLessThan(10 * 1.1);
    expect(perSecond).toBeGreaterThan(10 * 0.65);
  });

  test('compresses with --compress on, and not with off or on a line that is near', async () => {
    const { megabytes: on } = await copy(['--compress', 'on']);
    expect(Math.max(on.source, on.target)).toBeLessThan(2);
    for (const choice of ['off', 'auto']) {
      const { megabytes } = await copy(['--compress', choice]);
      expect(Math.min(megabytes.source, megabytes.target)).toBeGreaterThan(20);
    }
  });

  test('compresses by itself on a line that turns out to be slow', async () => {
    const { megabytes } = await copy(['--bwlimit', '2MB/s', '--connections', '1'], 5);
    expect(Math.max(megabytes.source, megabytes.target)).toBeLessThan(17);
  });
});
