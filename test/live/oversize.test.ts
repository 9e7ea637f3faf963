/** A message of a gigabyte between real servers, by the real command: in little memory, and byte for byte. */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RawImap } from '../support/imap-raw.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const keep = closeAfterAll();
const workspace = new Workspace();

const gigabyte = 1024 * 1024 * 1024;
/** On both sides, with what a server writes beside it. */
const roomBytes = 5 * gigabyte;
const memoryDir = '/dev/shm';
const maxPeakBytes = 200e6;
const pollMs = 20;

describe.skipIf(!availableServers().dovecot || process.platform !== 'linux')('a message of a gigabyte', () => {
  test('is copied and compared in 200 MB', { timeout: 240_000 }, async () => {
    const dovecot = keep(await startInMemory());
    const [source, target] = [accessTo(dovecot, 'big-source'), accessTo(dovecot, 'big-target')];
    await fill(source);
    const files = [workspace.account(source), workspace.account(target)];
    const copied = await peakOf([...files, '--state', workspace.stateDir(), '--json']);
    expect(copied).toMatchObject({ code: 0, report: { verdict: 'complete', copied: 3 } });
    const verified = await peakOf(['verify', ...files, '--digest', '--json']);
    expect(verified).toMatchObject({ code: 0, report: { verdict: 'identical', compared: 3, digest: true } });
    console.log(`peak RSS: copy ${copied.peakBytes / 1e6} MB, verify ${verified.peakBytes / 1e6} MB`);
    expect(copied.peakBytes).toBeLessThan(maxPeakBytes);
    expect(verified.peakBytes).toBeLessThan(maxPeakBytes);
  });
});

/** Mail in memory where there is room: a disk has better things to do. */
async function startInMemory(): Promise<ServerInstance> {
  const usual = process.env.TMPDIR;
  const hasRoom = existsSync(memoryDir) && statfsSync(memoryDir).bavail * statfsSync(memoryDir).bsize > roomBytes;
  if (hasRoom) process.env.TMPDIR = memoryDir;
  try {
    return await startDovecot();
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
  }
}

/** A small message on either side of one of a gigabyte. */
async function fill(access: Parameters<typeof RawImap.open>[0]): Promise<void> {
  await using client = await RawImap.open(access);
  const header = (subject: string) => Buffer.from(`Subject: ${subject}\r\nMessage-ID: <${subject}@big>\r\n\r\n`);
  const line = Buffer.from(`${'All of these lines are the same, and there are many. '.repeat(19)}\r\n`);
  const lines = Buffer.alloc(Math.ceil(gigabyte / line.length) * line.length, line);
  const bodies = [header('before'), Buffer.concat([header('big'), lines]), header('behind')];
  const internalDate = '01-Feb-2003 04:05:06 +0700';
  for (const body of bodies) await client.append('INBOX', [{ body, flags: ['\\Seen'], internalDate }]);
}

/** Runs the command; answers its report and the most memory it had. */
async function peakOf(args: readonly string[]) {
  const command = RunningCommand.start(args);
  const file = `/proc/${command.pid}/status`;
  let peakBytes = 0;
  const look = () => {
    const kilobytes = existsSync(file) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
    peakBytes = Math.max(peakBytes, 1024 * Number(kilobytes ?? 0));
  };
  const timer = setInterval(look, pollMs);
  const { code } = await command.ended.finally(() => clearInterval(timer));
  const report = command.events.find(({ event }) => event === 'finished' || event === 'verified')?.report;
  return { code, report, peakBytes };
}
