import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { toDisplay } from '../../src/display.ts';
import { ConfigError } from '../../src/errors.ts';
import type { JobEvent } from '../../src/job.ts';
import {
  createFakeIo,
  makeAccountReport,
  makeFolder,
  makePlan,
  makePlannedFolder,
  makeProgress,
  makeRefusal,
  makeReport,
  makeVerifyReport,
  migrating,
  run,
} from './fake-io.ts';

describe('what is told while a job runs', () => {
  const traits = {} as Extract<JobEvent, { kind: 'connected' }>['traits'];
  const job: readonly JobEvent[] = [
    {
      kind: 'connected',
      side: 'source',
      account: 'alice@old:993',
      server: 'Mailer 1.0',
      traits,
      warnings: ['certificate not checked'],
    },
    { kind: 'folder-started', folder: 'INBOX', target: 'INBOX', messages: 3, bytes: null },
    { kind: 'warning', folder: null, message: 'slow' },
    { kind: 'warning', folder: null, message: 'slow' },
    { kind: 'refused', refusal: makeRefusal() },
    { kind: 'folder-finished', report: makeFolder() },
  ];

  it('is who answered, and each warning once', async () => {
    const { stderr } = await run(['a', 'b'], migrating(makeReport([makeFolder()], { warnings: ['slow'] }), job));
    expect(stderr.split('\n').slice(0, 3)).toEqual(['source: alice@old:993 (Mailer 1.0)', 'warning: slow', '']);
    expect(stderr.match(/slow/g)).toHaveLength(1);
  });

  it('is which server is waited for, why and until when, in local time', async () => {
    const waiting = {
      side: 'source',
      account: 'alice@old:993',
      why: 'it throttles this account',
      words: 'Request is throttled.\u001b[2J',
      until: new Date(2026, 10, 22, 14, 5).toISOString(),
      parked: false,
    } as const;
    const events: readonly JobEvent[] = [
      { kind: 'waiting', waiting },
      { kind: 'waiting', waiting: { ...waiting, words: '', parked: true } },
      { kind: 'progress', progress: makeProgress({ waiting }) },
      { kind: 'resumed' },
    ];
    const { stderr } = await run(['a', 'b', '--quiet', '--progress', 'always'], migrating(makeReport([]), events));
    const sentence = 'waiting until 2026-11-22 14:05 (local time) for source alice@old:993: it throttles this account';
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      `${sentence} (Request is throttled.\\x1b[2J)`,
      'parked until 2026-11-22 14:05 (local time) for source alice@old:993: it throttles this account',
    ]);
    expect(stderr).toMatch(new RegExp(`^progress: .*, ${sentence.replace(/[()]/g, '\\$&')}`, 'm'));
  });

  it('is in the end what was waited for', async () => {
    const pause = {
      side: 'target',
      account: 'alice@new:993',
      why: 'it is too busy now',
      words: 'busy',
      times: 3,
      seconds: 14.5,
    } as const;
    const { stderr } = await run(['a', 'b'], migrating(makeReport([makeFolder()], { pauses: [pause] })));
    expect(stderr).toContain('target alice@new:993 was waited for 3 times, 15 s in all: it is too busy now.\n');
  });

  it('is each folder and each refusal with --verbose', async () => {
    const { stderr } = await run(['a', 'b', '--verbose'], migrating(makeReport([makeFolder()]), job));
    expect(stderr).toContain('INBOX: 3 messages to copy\n');
    expect(stderr).toContain('refused: INBOX, UID 77: NO [TOOBIG] message too big\n');
    expect(stderr).toContain('INBOX: done, 3 messages copied\n');
  });

  it('goes to the log file, progress only with --verbose', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'imap-migrate-run-'));
    try {
      const read = (file: string) => readFileSync(join(directory, file), 'utf8');
      const withProgress = [...job, { kind: 'progress', progress: makeProgress() } as const];
      await run(['a', 'b', '--log', join(directory, 'plain')], migrating(makeReport([makeFolder()]), withProgress));
      expect(read('plain')).toMatch(/"msg":"started"[\s\S]*"msg":"refused"[\s\S]*"msg":"exit"/);
      expect(read('plain')).not.toContain('"msg":"progress"');
      await run(
        ['a', 'b', '-v', '--log', join(directory, 'more')],
        migrating(makeReport([makeFolder()]), withProgress),
      );
      expect(read('more')).toContain('"msg":"progress"');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('progress', () => {
  const progress: readonly JobEvent[] = [{ kind: 'progress', progress: makeProgress() }];
  const report = makeReport([makeFolder()]);

  it.each([
    ['bars on a terminal', ['a', 'b'], { tty: true }, true, false],
    ['nothing on a pipe before 30 s', ['a', 'b'], {}, false, false],
    ['lines on a pipe with --progress always', ['a', 'b', '--progress=always'], {}, false, true],
    ['lines on a dumb terminal', ['a', 'b', '--progress=always'], { tty: true, env: { TERM: 'dumb' } }, false, true],
    ['nothing with --progress never', ['a', 'b', '--progress=never'], { tty: true }, false, false],
    ['nothing with --quiet', ['a', 'b', '-q'], { tty: true }, false, false],
    ['lines with --quiet and --progress always', ['a', 'b', '-q', '--progress=always'], {}, false, true],
    ['no bars among JSON on the same terminal', ['a', 'b', '--json', '--progress=always'], { tty: true }, false, true],
  ])('is %s', async (_name, argv, options, bars, lines) => {
    const { stderr } = await run(argv, migrating(report, progress), options);
    expect(stderr.includes('\u001b[?25l')).toBe(bars);
    expect(/^progress: 240 of 1,000/m.test(stderr)).toBe(lines);
  });

  it('is a line every 30 s on a pipe, and none after the end', async () => {
    const io = createFakeIo({
      async migrate(_settings, hooks) {
        for (const event of progress) hooks.onEvent(event);
        io.clock.advance(60_000);
        return report;
      },
    });
    await runCli(['a', 'b'], io);
    expect(io.clock.pending).toBe(0);
    expect(io.stderr.text.match(/^progress: /gm)).toHaveLength(2);
  });
});

describe('text from outside', () => {
  it('reaches neither terminal nor JSON raw, wherever it stands', async () => {
    const evil = 'x\u001b]0;owned\u0007\u009b31m\u202e\u200b\r\ny';
    const folder = makeFolder({
      source: evil,
      target: `${evil}2`,
      notes: [evil],
      lostFlags: { [evil]: 1 },
      refused: [makeRefusal({ folder: evil, code: evil, message: evil }), makeRefusal({ folder: evil, uid: null })],
    });
    const job: readonly JobEvent[] = [
      {
        kind: 'connected',
        side: 'target',
        account: evil,
        server: evil,
        traits: {} as never,
        warnings: [evil],
      },
      {
        kind: 'planned',
        plan: makePlan({
          folders: [makePlannedFolder({ source: evil, target: evil })],
          problems: [{ severity: 'note', code: 'ORDER', folder: evil, message: evil }],
        }),
      },
      { kind: 'folder-started', folder: evil, target: evil, messages: 1, bytes: 1 },
      { kind: 'progress', progress: makeProgress({ activeFolders: [{ name: evil, done: 1, total: 2 }] }) },
      { kind: 'refused', refusal: makeRefusal({ message: evil }) },
      { kind: 'warning', folder: evil, message: evil },
      { kind: 'folder-finished', report: folder },
    ];
    const account = makeAccountReport({
      account: evil,
      server: evil,
      auth: evil,
      capabilities: [evil],
      serverId: { [evil]: evil },
      namespaces: { personal: [{ prefix: evil, delimiter: evil }], other: [], shared: [] },
      quotas: [{ root: evil, resource: evil, usage: 1, limit: 2 }],
      folders: [{ name: evil, specialUse: null, selectable: true, subscribed: true, status: null }],
      warnings: [evil],
    });
    const verified = makeVerifyReport({
      verdict: 'different',
      folders: [{ source: evil, target: `${evil}2`, sourceMessages: 1, targetMessages: 1, foreign: 0, differences: 1 }],
      differences: [{ kind: 'flags', folder: evil, sourceUid: 1, targetUid: 1, message: evil }],
    });
    const failed = makeReport([folder], {
      verdict: 'failed',
      failure: { code: 'X', message: evil },
      warnings: [`${evil}!`],
    });
    const results = [
      await run(['a', 'b', '-v', '--progress=always'], migrating(makeReport([folder]), job)),
      await run(['a', 'b', '--json'], migrating(failed, job)),
      await run(['plan', 'a', 'b'], migrating(makeReport([]), job)),
      await run(['check', 'a', 'b', '--json'], { checkAccount: async () => account }),
      await run(['check', 'a'], { checkAccount: async () => account }),
      await run(['verify', 'a', 'b'], { verify: async () => verified }),
      await run(['verify', 'a', 'b', '--json'], {
        verify: async () => ({ ...verified, verdict: 'failed', failure: { code: 'X', message: evil } }),
      }),
      await run(['a', 'b'], { loadAccount: async () => Promise.reject(new ConfigError(evil)) }),
      await run(['a', 'b', '-v'], { loadAccount: async () => Promise.reject(new Error(evil)) }),
      await run([evil, evil, evil, '--json']),
      await run([`--${evil}`, 'a', 'b']),
      await run(['a', 'b', `--order=${evil}`]),
    ];
    for (const { stdout, stderr } of results) {
      for (const line of `${stdout}${stderr}`.split('\n')) expect(toDisplay(line)).toBe(line);
      expect(stdout + stderr).toContain('owned');
    }
  });
});
