import { describe, expect, it } from 'vitest';
import { exitCodes, MigrateError } from '../../src/errors.ts';
import type { JobSettings, VerifySettings } from '../../src/job.ts';
import {
  makeAccount,
  makeAccountReport,
  makeDemo,
  makeFolder,
  makePlan,
  makePlannedFolder,
  makeRefusal,
  makeReport,
  makeVerifyReport,
  migrating,
  run,
} from './fake-io.ts';

describe('imap-migrate SRC DST', () => {
  it('loads both accounts and hands the engine what the options say', async () => {
    const loaded: unknown[] = [];
    let settings: JobSettings | null = null;
    const { exitCode } = await run(
      [
        'old.ini',
        'new.ini',
        '--map',
        'A=B',
        '--order=any',
        '--connections=8',
        '--state=/srv/j',
        '--allow-readable-secrets',
      ],
      {
        async loadAccount(file, options) {
          loaded.push([file, options]);
          return makeAccount(file);
        },
        async migrate(given) {
          settings = given;
          return makeReport([makeFolder()]);
        },
      },
    );
    expect(exitCode).toBe(0);
    expect(loaded).toEqual([
      ['old.ini', { allowReadableSecrets: true }],
      ['new.ini', { allowReadableSecrets: true }],
    ]);
    expect(settings).toEqual({
      source: makeAccount('old.ini'),
      target: makeAccount('new.ini'),
      mapping: { map: [{ from: 'A', to: 'B' }], include: [], exclude: [], mapSpecialUse: true },
      order: 'any',
      flags: 'mirror',
      compress: 'auto',
      connections: 8,
      threads: 1,
      subscriptions: 'copy',
      stateDir: '/srv/j',
      rebuild: false,
      dryRun: false,
      wait: false,
    });
  });

  it('ends with a table per folder and one verdict, all on stderr', async () => {
    const report = makeReport([
      makeFolder({ copied: 1_204, bytes: 12_300_000 }),
      makeFolder({ source: '下書き', target: 'Drafts', copied: 2, alreadyThere: 5 }),
    ]);
    const { exitCode, stdout, stderr } = await run(['a', 'b'], migrating(report));
    expect(exitCode).toBe(0);
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toEqual([
      '',
      'From       To      Copied  Already there    Size   Time',
      'INBOX      INBOX    1,204              0   12 MB  1.5 s',
      '下書き     Drafts       2              5  3.0 kB  1.5 s',
      '2 folders           1,206              5   12 MB  2.0 s',
      '',
      '✓ complete: 1,206 messages copied (12 MB in 2.0 s), 5 already there, none refused',
      '',
    ]);
  });

  it('needs no symbol and no colour to be understood', async () => {
    const { stderr } = await run(['a', 'b'], migrating(makeReport([makeFolder()])), { env: { LANG: 'C' } });
    expect(stderr).toMatch(/^complete: 3 messages copied/m);
    expect(stderr).not.toMatch(/[^\n\x20-\x7e]/);
  });

  it('lists what was refused, in the words of the server, and counts the rest', async () => {
    const refused = [
      ...Array.from({ length: 231 }, (_, index) => makeRefusal({ uid: index + 1 })),
      makeRefusal({ uid: null, folder: 'Archive', code: 'CREATE', message: 'not allowed' }),
    ];
    const { exitCode, stderr } = await run(['a', 'b'], migrating(makeReport([makeFolder({ refused })])));
    expect(exitCode).toBe(exitCodes.partial);
    expect(stderr).toContain(
      'Refused: 231 NO, 1 CREATE\n  INBOX, UID 1: NO [TOOBIG] message too big\n  Archive (the whole folder): CREATE not allowed\n',
    );
    expect(stderr).toContain('\n  and 212 more: see --json\n');
    expect(stderr.match(/UID \d+:/g)).toHaveLength(19);
    expect(stderr).toMatch(/^! partial: .* 232 refused$/m);
  });

  it('tells what else is worth knowing', async () => {
    const report = makeReport(
      [
        makeFolder({ lostFlags: { $Junk: 2, '\\Flagged': 1 }, resent: 17, notes: ['the target ignores dates'] }),
        makeFolder({ source: 'Sent', lostFlags: { $Junk: 1 }, gone: 1 }),
      ],
      { keptOrder: false, warnings: ['certificate not checked'] },
    );
    const { stderr } = await run(['a', 'b'], migrating(report));
    expect(stderr).toContain('The target does not keep these flags: $Junk (3 messages), \\Flagged (1 message)\n');
    expect(stderr).toContain('17 messages had to be sent again after a refused batch');
    expect(stderr).toContain('INBOX: the target ignores dates\n');
    expect(stderr).toContain('1 message disappeared from the source');
    expect(stderr).toContain('order of messages inside a folder was not kept');
    expect(stderr).toContain('warning: certificate not checked\n');
    expect(stderr).toMatch(/^From +To +Copied +Gone +Size/m);
  });

  it('folds folders without news into one row', async () => {
    const idle = Array.from({ length: 4 }, (_, index) =>
      makeFolder({ source: `F${index}`, target: `F${index}`, copied: 0, alreadyThere: 10 }),
    );
    const folders = [...idle, makeFolder()];
    const { stderr } = await run(['a', 'b'], migrating(makeReport(folders)));
    expect(stderr).toMatch(/^\(4 folders without news\) +0 +40$/m);
    expect(stderr).not.toContain('F3');
    const verbose = await run(['a', 'b', '-v'], migrating(makeReport(folders)));
    expect(verbose.stderr).toContain('F3');
  });

  it.each([
    ['failed', exitCodes.quota, /^✗ failed: the target is over quota \(3 messages copied/m],
    [
      'parked',
      exitCodes.parked,
      /^! parked: 3 messages copied .*; the target is over quota\. The same command goes on then/m,
    ],
    ['stopped', exitCodes.interrupted, /^! stopped: 3 messages copied .*; run the same command again to go on$/m],
  ] as const)('says why a job %s', async (verdict, exitCode, line) => {
    const failure = { code: 'QUOTA', message: 'the target is over quota' };
    const report = makeReport([makeFolder()], { verdict, exitCode, failure });
    const result = await run(['a', 'b'], migrating(report));
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toMatch(line);
  });

  it('shows the plan with its problems when there is nothing else to show', async () => {
    const plan = makePlan({
      problems: [
        { severity: 'note', code: 'ORDER', folder: null, message: 'order is not kept' },
        { severity: 'error', code: 'COLLISION', folder: 'a.b', message: 'a.b goes where a/b goes: use --map' },
      ],
    });
    const report = makeReport([], { verdict: 'failed', exitCode: 2, failure: { code: 'PLAN', message: 'bad plan' } });
    const { exitCode, stderr } = await run(['a', 'b'], migrating(report, [{ kind: 'planned', plan }]));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^note: order is not kept\nerror: a\.b goes where a\/b goes: use --map$/m);
    expect(stderr).toMatch(/^✗ plan: it cannot be carried out as it stands. Nothing was written.$/m);
    expect(stderr).not.toContain('failed');
  });

  it('refuses to copy an account onto itself', async () => {
    const { exitCode, stderr } = await run(['a', 'b'], { loadAccount: async () => makeAccount('same') });
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'imap-migrate: a and b name the same account (alice@imap.same.example.org:993): nothing to copy. Is one of them the wrong file?\n',
    );
  });

  it('tells two tunnels apart by their commands', async () => {
    const { exitCode } = await run(['a', 'b'], {
      loadAccount: async (file) => makeAccount(file, { host: '', command: `ssh ${file} imapd` }),
      migrate: async () => makeReport([makeFolder()]),
    });
    expect(exitCode).toBe(0);
  });
});

describe('plan', () => {
  const plan = makePlan({
    folders: [
      makePlannedFolder({ alreadyThere: 1 }),
      makePlannedFolder({
        source: 'Sent',
        target: 'Gesendet',
        action: 'create',
        reason: 'special-use',
        specialUse: '\\Sent',
      }),
      makePlannedFolder({
        source: 'Old',
        target: 'Old',
        action: 'name-only',
        reason: 'name',
        messages: null,
        bytes: null,
      }),
    ],
  });

  it.each([[['plan', 'a', 'b']], [['a', 'b', '-n']], [['a', 'b', '--dry-run']]])(
    'shows on stdout what %j would do',
    async (argv) => {
      let dryRun = false;
      const { exitCode, stdout, stderr } = await run(argv, {
        async migrate(settings, hooks) {
          ({ dryRun } = settings);
          hooks.onEvent({ kind: 'planned', plan });
          return makeReport([]);
        },
      });
      expect([exitCode, dryRun]).toEqual([0, true]);
      expect(stdout.split('\n')).toEqual([
        'From       To        Action     Because of  Messages  Already there    Size',
        'INBOX      INBOX     copy       INBOX              3              1  3.0 kB',
        'Sent       Gesendet  create     \\Sent              3              0  3.0 kB',
        'Old        Old       name only  same name                         0',
        '3 folders                                          6              1  6.0 kB',
        '',
      ]);
      expect(stderr).toBe(
        '✓ plan: 3 folders, 6 messages (6.0 kB), 1 of them already there, 1 folder to create; the order inside folders is kept. Nothing was written.\n',
      );
    },
  );

  it('says that a plan with errors cannot be carried out', async () => {
    const problems = [{ severity: 'error', code: 'BAD_NAME', folder: 'x', message: 'x cannot be named' }] as const;
    const report = makeReport([], { exitCode: 2 });
    const result = await run(['plan', 'a', 'b'], migrating(report, [{ kind: 'planned', plan: { ...plan, problems } }]));
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toBe(
      'error: x cannot be named\n✗ plan: it cannot be carried out as it stands. Nothing was written.\n',
    );
  });
});

describe('verify', () => {
  it('hands --digest on and shows the comparison on stdout', async () => {
    let settings: VerifySettings | null = null;
    const { exitCode, stdout, stderr } = await run(['verify', 'a', 'b', '--digest'], {
      async verify(given) {
        settings = given;
        return makeVerifyReport({ digest: true });
      },
    });
    expect(exitCode).toBe(0);
    expect(settings).toMatchObject({ digest: true, dryRun: true, source: { file: 'a' }, target: { file: 'b' } });
    expect(stdout).toBe('Folder  Source  Target  Differences\nINBOX        3       3            0\n');
    expect(stderr).toBe(
      '✓ identical: 3 messages in 1 folder compared by flags, dates and SHA-256 of every body in 1.0 s\n',
    );
  });

  it('counts other mail at the target only where there is some', async () => {
    const folder = {
      source: 'INBOX',
      target: 'INBOX',
      sourceMessages: 3,
      targetMessages: 5,
      foreign: 2,
      differences: 0,
    };
    const report = makeVerifyReport({ folders: [folder, { ...folder, source: 'A', target: 'A', foreign: 0 }] });
    const { exitCode, stdout } = await run(['verify', 'a', 'b'], { verify: async () => report });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'Folder  Source  Target  Other mail  Differences',
      'INBOX        3       5           2            0',
      'A            3       5           0            0',
    ]);
  });

  it('says when bodies were not looked at', async () => {
    const { stderr } = await run(['verify', 'a', 'b'], { verify: async () => makeVerifyReport() });
    expect(stderr).toContain('; bodies were not read (--digest does)\n');
  });

  it('lists differences and exits with 7', async () => {
    const difference = {
      kind: 'missing',
      folder: 'INBOX',
      sourceUid: 3,
      targetUid: null,
      message: 'not found',
    } as const;
    const report = makeVerifyReport({
      verdict: 'different',
      exitCode: 7,
      differences: [
        { ...difference, kind: 'flags', targetUid: 9, message: '\\Seen is missing' },
        ...Array.from({ length: 20 }, () => difference),
      ],
    });
    const { exitCode, stderr } = await run(['verify', 'a', 'b'], { verify: async () => report });
    expect(exitCode).toBe(7);
    expect(stderr).toContain('  INBOX, UID 3, target UID 9: \\Seen is missing\n');
    expect(stderr).toContain('  INBOX, UID 3: not found\n');
    expect(stderr).toContain('  and 1 more: see --json\n');
    expect(stderr).toMatch(/^✗ different: 21 differences; 3 messages in 1 folder/m);
  });

  it('says why a comparison failed', async () => {
    const failure = { code: 'CLOSED', message: 'the server went away' };
    const report = makeVerifyReport({ verdict: 'failed', exitCode: 4, failure });
    const { exitCode, stderr } = await run(['verify', 'a', 'b'], { verify: async () => report });
    expect([exitCode, stderr]).toEqual([4, '✗ failed: the server went away\n']);
  });
});

describe('check', () => {
  it('shows what the account is and holds', async () => {
    const { exitCode, stdout, stderr } = await run(['check', 'a'], { checkAccount: async () => makeAccountReport() });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'alice@old:993',
      '  Server        Mailer 1.0',
      '  Connection    encrypted (TLS)',
      '  Login         PLAIN',
      '  Server ID     name=Mailer',
      '  Capabilities  IMAP4REV1 MULTIAPPEND',
      '  Namespace     own: prefix "", delimiter /',
      '  Quota         STORAGE (user): 512 kB of 1.0 MB used, 50 %',
      '  Folders       1 with 3 messages, 3.0 kB',
      '',
      'Folder  Special use  Subscribed  Messages    Size',
      'INBOX                yes                3  3.0 kB',
      '',
    ]);
    expect(stderr).toBe('✓ alice@old:993: the account can be used\n');
  });

  it('breaks long lists of capabilities and names what is not known', async () => {
    const report = makeAccountReport({
      tls: false,
      capabilities: Array.from({ length: 40 }, (_, index) => `CAPABILITY${index}`),
      namespaces: null,
      serverId: null,
      quotas: [],
      folders: [
        { name: 'Parent', specialUse: null, selectable: false, subscribed: false, status: null },
        { name: 'Odd', specialUse: '\\Junk', selectable: true, subscribed: true, status: null },
      ],
      warnings: ['the password crosses the network in clear text'],
    });
    const { stdout, stderr } = await run(['check', 'a'], { checkAccount: async () => report });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).toContain('NOT encrypted');
    expect(stdout).toContain('not told by the server');
    expect(stdout).toMatch(/^Parent +no +name only$/m);
    expect(stdout).toMatch(/^Odd +\\Junk +yes +\?$/m);
    expect(stderr).toContain('warning: the password crosses the network in clear text\n');
  });

  it('goes through all accounts and exits with the worst code', async () => {
    const { exitCode, stdout, stderr } = await run(['check', 'good', 'bad', 'fine'], {
      async checkAccount(account) {
        if (account.file === 'bad') throw new MigrateError('LOGIN', exitCodes.login, 'login refused');
        return makeAccountReport({ account: account.file });
      },
    });
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/^good\n[\s\S]*^fine\n/m);
    expect(stderr).toContain('imap-migrate: login refused\n');
  });
});

describe('demo', () => {
  it('migrates, verifies bodies, says what to type, and cleans up', async () => {
    let closed = 0;
    const seen: unknown[] = [];
    const { exitCode, stderr } = await run(['demo'], {
      openDemo: async () => makeDemo(() => closed++),
      async migrate(settings) {
        seen.push([settings.stateDir, settings.dryRun, closed]);
        return makeReport([makeFolder()]);
      },
      async verify(settings) {
        seen.push([settings.stateDir, settings.digest, closed]);
        return makeVerifyReport({ digest: true });
      },
    });
    expect([exitCode, closed]).toEqual([0, 1]);
    expect(seen).toEqual([
      ['/state/demo', false, 0],
      ['/state/demo', true, 0],
    ]);
    expect(stderr).toMatch(
      /321 messages[\s\S]*complete: [\s\S]*identical: [\s\S]*\[DEFAULT\]\n {2}host = [\s\S]*imap-migrate check old.ini/,
    );
  });

  it.each([
    ['migration', { verdict: 'stopped', exitCode: 130 }, {}, ['migrate']],
    ['verification', {}, { verdict: 'failed', exitCode: 130 }, ['migrate', 'verify']],
  ] as const)('ends with a stopped %s, without advice', async (_what, job, comparison, steps) => {
    const done: string[] = [];
    const { exitCode, stderr } = await run(['demo'], {
      openDemo: async () => makeDemo(() => done.push('close')),
      async migrate() {
        done.push('migrate');
        return makeReport([makeFolder()], job);
      },
      async verify() {
        done.push('verify');
        return makeVerifyReport(comparison);
      },
    });
    expect(exitCode).toBe(130);
    expect(done).toEqual([...steps, 'close']);
    expect(stderr).not.toContain('Your own accounts');
  });

  it('cleans up after a failure, too', async () => {
    let closed = 0;
    const { exitCode } = await run(['demo'], {
      openDemo: async () => makeDemo(() => closed++),
      migrate: async () => Promise.reject(new MigrateError('DISK', exitCodes.disk, 'no room')),
    });
    expect([exitCode, closed]).toEqual([10, 1]);
  });
});
