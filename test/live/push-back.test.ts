/** A real server that pushes back: Dovecot, with fewer connections for one user than a job would like. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();
const messages = 400;

describe.skipIf(!servers.dovecot)('a limit of connections', () => {
  let source: ServerInstance;
  let target: ServerInstance;

  beforeAll(async () => {
    [source, target] = await Promise.all([startDovecot(), startDovecot({ maxConnections: 2 })]);
    keep(source);
    keep(target);
    await loadCorpus(accessTo(source, 'alice'), generateCorpus({ messages, maxBytes: 50_000 }));
  });

  async function expectAll(to: AccountAccess): Promise<void> {
    expect(compareDumps(await dumpAccount(accessTo(source, 'alice')), await dumpAccount(to))).toEqual([]);
  }

  const args = (to: AccountAccess): string[] => [
    workspace.account(accessTo(source, 'alice')),
    workspace.account(to),
    '--state',
    workspace.stateDir(),
  ];

  test.each([
    ['six', ['--connections', '6']],
    ['as many as help', []],
  ])('is found, kept to and told where %s were asked for', async (name, options) => {
    const to = accessTo(target, `limited-${name.replaceAll(' ', '-')}`);
    const { exitCode, report, stderr } = await migrate(...args(to), ...options);
    expect(exitCode, stderr).toBe(0);
    expect(report).toMatchObject({ verdict: 'complete', copied: messages, refused: 0 });
    // Dovecot asks how many there are before it lets one in: of two at the same moment both may come in.
    expect(report.connections.most).toBeGreaterThanOrEqual(2);
    expect(report.connections.most).toBeLessThanOrEqual(3);
    if (options.length > 0) expect(report.connections.reason).toContain('mail_max_userip_connections=2');
    await expectAll(to);
  });

  /** Takes every place there is. */
  async function crowd(to: AccountAccess): Promise<RawImap[]> {
    return [await RawImap.open(to), await RawImap.open(to)];
  }

  const isWaiting = ({ event }: { event: string }) => event === 'waiting';

  test('that others have reached is waited for at the first login', async () => {
    const to = accessTo(target, 'crowded');
    const others = await crowd(to);
    const command = RunningCommand.start([...args(to), '--json']);
    await command.event(isWaiting);
    for (const other of others) await other[Symbol.asyncDispose]();
    expect((await command.ended).code, command.stderr).toBe(0);
    expect(command.stderr).toMatch(/waiting until .* for target crowded@.*: it takes no more connections/);
    await expectAll(to);
  });

  test('can be stopped while it is waited for', async () => {
    const to = accessTo(target, 'stopped');
    const others = await crowd(to);
    const command = RunningCommand.start([...args(to), '--json']);
    await command.event(isWaiting);
    command.kill('SIGTERM');
    expect((await command.ended).code, command.stderr).toBe(143);
    for (const other of others) await other[Symbol.asyncDispose]();
    expect((await migrate(...args(to))).exitCode).toBe(0);
    await expectAll(to);
  });
});
