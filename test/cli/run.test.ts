import { describe, expect, it } from 'vitest';
import { ConfigError, exitCodes, MigrateError } from '../../src/errors.ts';
import type { JobEvent } from '../../src/job.ts';
import {
  makeAccountReport,
  makeFolder,
  makePlan,
  makeProgress,
  makeRefusal,
  makeReport,
  makeVerifyReport,
  migrating,
  run,
} from './fake-io.ts';

const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown> & { event: string });

describe('errors', () => {
  it.each([
    [new ConfigError('a.ini:3: unknown key hots, did you mean host?'), 2],
    [new MigrateError('CONNECT', exitCodes.connect, 'imap.example.org:993: no such host'), 4],
    [new MigrateError('LOGIN', exitCodes.login, 'alice@imap.example.org:993: login refused'), 5],
    [new MigrateError('LOCKED', exitCodes.locked, 'process 4711 holds the lock'), 8],
  ])('are one line and an exit code: %s', async (error, code) => {
    const { exitCode, stdout, stderr } = await run(['a', 'b'], { loadAccount: async () => Promise.reject(error) });
    expect([exitCode, stdout, stderr]).toEqual([code, '', `imap-migrate: ${error.message}\n`]);
  });

  it('of our own are called so, and show a stack only with --verbose', async () => {
    const engine = { migrate: async () => Promise.reject(new TypeError('x is not a function')) };
    const plain = await run(['a', 'b'], engine);
    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toBe(
      'imap-migrate: internal error: x is not a function (a fault of this program: please report it)\n',
    );
    const verbose = await run(['a', 'b', '--verbose'], engine);
    expect(verbose.stderr).toMatch(/^TypeError: x is not a function\n {4}at /m);
  });

  it('never repeat a secret, whoever says it', async () => {
    const error = new MigrateError('LOGIN', exitCodes.login, 'refused: LOGIN alice "correct horse"');
    const { stdout, stderr } = await run(['a', 'b', '--json'], { migrate: async () => Promise.reject(error) });
    expect(stderr).toBe('imap-migrate: refused: LOGIN alice "[secret]"\n');
    expect(stdout).toContain('LOGIN alice \\"[secret]\\"');
    expect(stdout + stderr).not.toContain('correct horse');
  });

  it('of the command line are one line, too', async () => {
    const { exitCode, stdout, stderr } = await run(['a', 'b', '--conections', '3']);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'imap-migrate: unknown option --conections, did you mean --connections? (see imap-migrate --help)\n',
    );
  });
});

describe('--json', () => {
  it('writes every event as one object per line, from start to exit', async () => {
    const report = makeReport([makeFolder()]);
    const { stdout, exitCode } = await run(
      ['a', 'b', '--json'],
      migrating(report, [
        { kind: 'planned', plan: makePlan() },
        { kind: 'progress', progress: makeProgress() },
      ]),
    );
    const lines = events(stdout);
    expect(exitCode).toBe(0);
    expect(lines.map((line) => line.event)).toEqual(['started', 'planned', 'progress', 'finished', 'exit']);
    expect(lines[0]).toEqual({
      schema: 1,
      time: '2026-01-02T03:04:05.000Z',
      event: 'started',
      command: 'migrate',
      version: '9.8.7',
    });
    expect(lines[1]?.plan).toEqual(makePlan());
    expect(lines[3]?.report).toEqual(report);
    expect(lines[4]).toMatchObject({ event: 'exit', exitCode: 0 });
  });

  it.each([
    [['check', 'a', '--json'], 'account'],
    [['verify', 'a', 'b', '--json'], 'verified'],
  ])('holds the report of %j, and leaves the table to stderr', async (argv, event) => {
    const { stdout, stderr } = await run(argv, {
      checkAccount: async () => makeAccountReport(),
      verify: async () => makeVerifyReport(),
    });
    expect(events(stdout).map((line) => line.event)).toEqual(['started', event, 'exit']);
    expect(stderr).toMatch(/^Folder /m);
  });

  it.each([
    [['a', 'b', '--json', '--order=x'], 2, ['error', 'exit']],
    [['a', '--json'], 2, ['error', 'exit']],
    [['a', 'b', '--json'], 5, ['started', 'error', 'exit']],
  ])('tells the error of %j', async (argv, code, kinds) => {
    const { exitCode, stdout } = await run(argv, {
      migrate: async () => Promise.reject(new MigrateError('LOGIN', exitCodes.login, 'refused')),
    });
    expect(exitCode).toBe(code);
    expect(events(stdout).map((line) => line.event)).toEqual(kinds);
    expect(events(stdout).at(-1)).toMatchObject({ exitCode: code });
  });

  it('takes a --json behind -- for a file', async () => {
    const { stdout } = await run(['a', '--order=x', '--', '--json']);
    expect(stdout).toBe('');
  });
});

describe('--quiet', () => {
  it('says nothing while all is well', async () => {
    const job: readonly JobEvent[] = [
      { kind: 'planned', plan: makePlan() },
      { kind: 'progress', progress: makeProgress() },
    ];
    const migrated = await run(['a', 'b', '-q'], migrating(makeReport([makeFolder()]), job), { tty: true });
    const verified = await run(['verify', 'a', 'b', '-q'], { verify: async () => makeVerifyReport() });
    const planned = await run(['plan', 'a', 'b', '-q'], migrating(makeReport([]), job));
    const checked = await run(['check', 'a', '-q'], { checkAccount: async () => makeAccountReport() });
    for (const { exitCode, stdout, stderr } of [migrated, verified, planned, checked]) {
      expect([exitCode, stdout, stderr]).toEqual([0, '', '']);
    }
  });

  it('tells problems all the same', async () => {
    const report = makeReport([makeFolder({ refused: [makeRefusal()] })]);
    const warning: JobEvent = { kind: 'warning', folder: 'INBOX', message: 'odd' };
    const { stderr } = await run(['a', 'b', '-q'], migrating(report, [warning]));
    expect(stderr.split('\n')).toEqual([
      'warning: INBOX: odd',
      'Refused: 1 NO',
      '  INBOX, UID 77: NO [TOOBIG] message too big',
      '! partial: 3 messages copied (3.0 kB in 2.0 s), 0 already there, 1 refused',
      '',
    ]);
  });
});
