import { describe, expect, it } from 'vitest';
import { exitCodes, MigrateError } from '../../src/errors.ts';
import type { JournalFolder } from '../../src/journal/index.ts';
import type { JournalStatus } from '../../src/journal-status.ts';
import { run } from './fake-io.ts';

const folder: JournalFolder = {
  id: 1,
  sourceRawName: 'INBOX',
  targetName: 'INBOX',
  sourceUidValidity: 1,
  targetUidValidity: 1,
  finishedAt: null,
  flagsModSeq: null,
  attributes: { specialUse: null, subscribed: null, sourceDelimiter: null },
  fence: null,
  messages: 1_200,
  intents: 3,
  inDoubt: false,
};

const crashed: JournalStatus = {
  kind: 'readable',
  file: '/srv/j/a.db',
  source: 'alice@old:993',
  target: 'alice@new:993',
  state: 'crash',
  holder: null,
  // Told in the time of this machine.
  lastWrite: new Date(2026, 0, 2, 3, 4, 5).toISOString(),
  folders: [folder, { ...folder, id: 2 }],
  messages: 2_400,
  intents: 6,
  finished: 1,
};

const running: JournalStatus = {
  ...crashed,
  file: '/srv/j/b.db',
  source: 'bob@old:993',
  state: 'running',
  holder: { pid: 4711, since: '2026-01-02T03:00:00.000Z', source: 'bob@old:993', target: 'alice@new:993' },
};

const damaged: JournalStatus = {
  kind: 'unreadable',
  file: '/srv/j/c.db',
  problem: 'the journal /srv/j/c.db is damaged',
  exitCode: exitCodes.journal,
};

const knowing = (...journals: readonly JournalStatus[]) => ({ readJournalStatus: async () => journals });

describe('imap-migrate status', () => {
  it('shows a row per journal on stdout', async () => {
    const { exitCode, stdout, stderr } = await run(['status'], knowing(crashed, running));
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'Source         Target         State                   Folders finished  Messages  Open intents  Last write',
      'alice@old:993  alice@new:993  crash                             1 of 2     2,400             6  2026-01-02 03:04',
      'bob@old:993    alice@new:993  running (process 4711)            1 of 2     2,400             6  2026-01-02 03:04',
      '',
    ]);
  });

  it.each([
    [['--state=/srv/j'], '/srv/j'],
    [[], '/home/alice/.local/state/imap-migrate'],
  ])('with %j reads %s and says so where there is no journal', async (options, stateDir) => {
    const asked: string[] = [];
    const readJournalStatus = async (directory: string) => {
      asked.push(directory);
      return [];
    };
    const { exitCode, stdout, stderr } = await run(['status', ...options], { readJournalStatus });
    expect(asked).toEqual([stateDir]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`no journals in ${stateDir}: nothing was migrated with this --state yet\n`);
  });

  it('names a damaged journal, even if quiet, shows the others and ends with its code', async () => {
    const { exitCode, stdout, stderr } = await run(['status'], knowing(crashed, damaged));
    expect([exitCode, stderr]).toEqual([exitCodes.journal, 'the journal /srv/j/c.db is damaged\n']);
    expect(stdout).toContain('alice@old:993  alice@new:993  crash');
    const quiet = await run(['status', '-q'], knowing(crashed, damaged));
    expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([exitCodes.journal, '', stderr]);
  });

  it('cannot be made to write control characters to a terminal', async () => {
    const { stdout } = await run(['status'], knowing({ ...crashed, source: '\u001b[2J' }));
    expect(stdout).not.toContain('\u001b');
  });

  it('tells every journal as an event with --json', async () => {
    const { stdout } = await run(['status', '--json'], knowing(running, damaged));
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual(['started', 'status', 'status', 'exit']);
    const { kind: _, ...known } = running;
    expect(lines[1]?.journal).toEqual({ ...known, folders: 2 });
    expect(lines[2]?.journal).toEqual({
      file: damaged.file,
      state: 'unreadable',
      problem: damaged.problem,
      exitCode: exitCodes.journal,
    });
  });

  it('ends in one line where the directory cannot be read', async () => {
    const error = new MigrateError('STATE', exitCodes.disk, 'cannot read the state directory /srv/j: denied');
    const { exitCode, stderr } = await run(['status'], { readJournalStatus: async () => Promise.reject(error) });
    expect([exitCode, stderr]).toEqual([exitCodes.disk, `imap-migrate: ${error.message}\n`]);
  });
});
