/** The real command, ended by itself at named points, against real servers; then one ordinary run. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandFile, ensureBuilt } from '../../scripts/setup.mjs';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { accessTo, type ServerInstance, startCourier, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();
const hook = fileURLToPath(new URL('../support/crash-hook.mjs', import.meta.url));

/** A user's or folder's name that any server takes. */
const nameOf = (name: string, point: string) => `${name}-${point.replace(':', '-')}`;

const points = [
  'before-intent:2',
  'after-intent:2',
  'mid-literal:2',
  'after-crlf:2',
  'before-outcome:2',
  'mid-commit:3',
  'mid-commit:6',
];

describe.skipIf(!servers.dovecot || servers.courierRoot === null)('a process that dies', () => {
  let dovecot: ServerInstance;
  let courier: ServerInstance;
  const without = ['bare CR', 'CR before the line end'] as const;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    courier = keep(await startCourier(servers.courierRoot ?? ''));
  });

  test.concurrent.each(points)(
    'at %s on its way to Dovecot has lost and doubled nothing after the next run',
    async (point) => {
      const [from, to] = [accessTo(dovecot, nameOf('from', point)), accessTo(dovecot, nameOf('to', point))];
      await loadCorpus(from, generateCorpus({ messages: 400, maxBytes: 40_000 }));
      await dieAndHeal([workspace.account(from), workspace.account(to), '--state', workspace.stateDir()], point);
      expect(compareDumps(await dumpAccount(from), await dumpAccount(to), { order: false })).toEqual([]);
    },
  );

  test.each(['mid-literal:5', 'after-crlf:5'])('at %s on its way to Courier neither', async (point) => {
    const [from, to] = [accessTo(dovecot, nameOf('plain', point)), accessTo(courier, 'alice')];
    await loadCorpus(from, generateCorpus({ messages: 60, maxBytes: 20_000, emojiFolder: false, without }));
    const map = `INBOX=${nameOf('INBOX.at', point)}`;
    const args = [workspace.account(from), workspace.account(to), '--include', 'INBOX', '--map', map];
    await dieAndHeal([...args, '--state', workspace.stateDir()], point);
    const verified = await migrate(...args, '--state', workspace.stateDir(), '--rebuild');
    expect(verified.report).toMatchObject({ exitCode: 0, copied: 0 });
  });
});

async function dieAndHeal(args: readonly string[], point: string): Promise<void> {
  ensureBuilt();
  const child = spawn(process.execPath, ['--import', hook, commandFile, ...args, '--connections', '1'], {
    stdio: 'ignore',
    env: { ...process.env, IMAP_MIGRATE_CRASH_AT: point },
  });
  const signal = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_code, name) => resolve(name));
  });
  expect(signal, point).toBe('SIGKILL');
  const { exitCode, report, stderr } = await migrate(...args);
  expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
}
