import { describe, expect, it } from 'vitest';
import type { CatalogueEntry, CatalogueFolder, Query } from '../../src/catalogue/index.ts';
import { parseQuery } from '../../src/catalogue/index.ts';
import { exitCodes } from '../../src/errors.ts';
import { run } from './fake-io.ts';

const entry: CatalogueEntry = {
  from: 'Anna <anna@example.org>',
  to: 'bob@example.org',
  subject: '\u001b[2J\u202eHello',
  messageId: '<1@example.org>',
  dateMs: Number.NaN,
  shownMs: new Date(2026, 0, 2, 3, 4).getTime(),
  size: 2_210,
  attachments: ['plan.pdf'],
  state: 'whole',
  message: { uid: 7, file: 'Work/Old/7.eml', offset: 0, length: 9, size: 9, dateMs: Number.NaN, flags: null },
};

const nameless: CatalogueEntry = {
  ...entry,
  subject: '',
  shownMs: Number.NaN,
  state: 'unreadable',
  message: { ...entry.message, uid: null, file: 'Work/Old/x.eml' },
};

/** An engine that answers `found`, and remembers what it was asked for. */
function finding(...found: readonly CatalogueFolder[]) {
  const asked: { readonly query: Query | null; readonly folder: string | null }[] = [];
  return {
    asked,
    parseQuery: async (words: readonly string[]) => parseQuery(words),
    async *findMessages(_: unknown, what: { readonly query: Query | null; readonly folder: string | null }) {
      asked.push(what);
      yield* found;
    },
  };
}

const hits: CatalogueFolder = { path: ['Work', 'Old'], entries: [entry, nameless] };

describe('imap-migrate search', () => {
  it('shows a row per message on stdout, printable', async () => {
    const { exitCode, stdout, stderr } = await run(['search', 'eml:/mail', 'from:anna', 'hello'], finding(hits));
    expect([exitCode, stderr]).toEqual([0, '✓ 2 messages found\n']);
    expect(stdout.split('\n')).toEqual([
      'Folder    UID  Date              From                     Subject                 Size',
      'Work/Old    7  2026-01-02 03:04  Anna <anna@example.org>  \\x1b[2J\\u{202e}Hello  2.2 kB',
      'Work/Old                         Anna <anna@example.org>  (cannot be read)      2.2 kB',
      '',
    ]);
  });

  it('hands on words and folder', async () => {
    const engine = finding(hits);
    await run(['search', 'eml:/mail', 'from:anna', 'hello', '--folder', 'Work/Old'], engine);
    expect(engine.asked).toEqual([{ query: parseQuery(['from:anna', 'hello']), folder: 'Work/Old' }]);
  });

  it('ends with 3 where nothing was found', async () => {
    const { exitCode, stdout, stderr } = await run(['search', 'eml:/mail', 'x'], finding());
    expect([exitCode, stdout, stderr]).toEqual([exitCodes.partial, '', '! nothing found\n']);
  });

  it('names the file with --verbose', async () => {
    expect((await run(['search', 'eml:/mail', 'x', '-v'], finding(hits))).stdout).toContain('Work/Old/7.eml');
  });

  it('tells every message as an event with --json', async () => {
    const { stdout } = await run(['search', 'eml:/mail', 'x', '--json'], finding(hits));
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['started', 'message', 'message', 'exit']);
    expect(events[1]?.mail).toEqual({
      folder: ['Work', 'Old'],
      uid: 7,
      file: 'Work/Old/7.eml',
      date: new Date(2026, 0, 2, 3, 4).toISOString(),
      from: entry.from,
      to: entry.to,
      subject: entry.subject,
      messageId: entry.messageId,
      size: 2_210,
      attachments: ['plan.pdf'],
      state: 'whole',
    });
    expect(events[2]?.mail).toMatchObject({ uid: null, date: null, state: 'unreadable' });
  });

  it.each([
    [['search'], 'which tree? imap-migrate search DIRECTORY WORDS'],
    [['search', 'eml:/mail'], 'what to look for? imap-migrate search eml:/mail from:anna since:2024 invoice'],
    [['search', 'account.ini', 'x'], 'account.ini is no tree: a directory is wanted, or maildir:PATH'],
    [['search', 'eml:/mail', 'since:soon'], "'since:soon' names no date"],
    [['list'], 'which tree? imap-migrate list DIRECTORY'],
    [['list', 'eml:/a', 'eml:/b'], "'eml:/b' is one argument too many"],
    [['index', 'account.ini'], 'account.ini is no tree'],
  ])('%j is wrong usage', async (argv, message) => {
    const { exitCode, stderr } = await run(argv, finding());
    expect(exitCode).toBe(exitCodes.usage);
    expect(stderr).toContain(message);
  });
});

describe('imap-migrate list', () => {
  const summary = {
    format: 'eml',
    root: '/mail',
    folders: [
      { path: ['INBOX'], messages: 1_200, bytes: 5_000_000 },
      { path: ['Work', 'Old'], messages: 2, bytes: 4_420 },
    ],
  } as const;

  it('shows a row per folder', async () => {
    const { exitCode, stdout } = await run(['list', 'eml:/mail'], { summarizeTree: async () => summary });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'Folder           Messages    Size',
      'INBOX               1,200  5.0 MB',
      'Work/Old                2  4.4 kB',
      '2 folders (eml)     1,202  5.0 MB',
      '',
    ]);
  });

  it('tells every folder as an event with --json', async () => {
    const { stdout } = await run(['list', 'eml:/mail', '--json'], { summarizeTree: async () => summary });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['started', 'folder', 'folder', 'exit']);
    expect(events[2]?.folder).toEqual(summary.folders[1]);
  });

  it('shows the messages of one folder, without its name', async () => {
    const engine = finding(hits);
    const { exitCode, stdout } = await run(['list', 'eml:/mail', '--folder', 'Work/Old'], engine);
    expect(exitCode).toBe(0);
    expect(engine.asked).toEqual([{ query: null, folder: 'Work/Old' }]);
    expect(stdout).toMatch(/^UID {2}Date/);
  });
});

describe('imap-migrate index', () => {
  const written = { file: '/mail/index.html', bytes: 28_000, folders: 2, messages: 5, unreadable: 0, compressed: 0 };

  it('says what was written, and when it was', async () => {
    const asked: unknown[] = [];
    const indexTree = async (reference: unknown, options: unknown) => {
      asked.push(reference, options);
      return written;
    };
    const { exitCode, stderr } = await run(['index', 'eml:/mail', '--expand'], { indexTree });
    expect([exitCode, stderr]).toEqual([0, '✓ /mail/index.html: 5 messages in 2 folders (28 kB)\n']);
    expect(asked).toEqual([
      { format: 'eml', path: '/mail' },
      { expand: true, now: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) },
    ]);
  });

  it('ends with 3 where a message could not be read, and names what cannot be opened', async () => {
    const indexTree = async () => ({ ...written, unreadable: 1, compressed: 2 });
    const { exitCode, stderr } = await run(['index', 'eml:/mail', '-q'], { indexTree });
    expect(exitCode).toBe(exitCodes.partial);
    expect(stderr).toContain('1 message could not be read');
    expect(stderr).toContain('index --expand writes copies');
  });
});
