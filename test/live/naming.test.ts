/** Folder names between servers that separate, prefix and label them differently. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type AccountDump, compareDumps, dumpAccount, dumpSubscriptions } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { accessTo, type DovecotOptions, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const layouts = {
  slash: { separator: '/' },
  dot: { separator: '.', storage: 'maildir' },
  'INBOX.': { separator: '.', prefix: 'INBOX.', storage: 'maildir' },
  'INBOX/': { separator: '/', prefix: 'INBOX/' },
} as const satisfies Record<string, DovecotOptions>;

type Layout = keyof typeof layouts;

describe.skipIf(!servers.dovecot)('folder names', () => {
  const running = new Map<Layout, ServerInstance>();
  const dumps = new Map<Layout, AccountDump>();

  beforeAll(async () => {
    const corpus = generateCorpus({ messages: 120, maxBytes: 50_000 });
    for (const layout of Object.keys(layouts) as Layout[]) {
      const server = keep(await startDovecot(layouts[layout]));
      running.set(layout, server);
      await loadCorpus(accessTo(server), corpus);
      dumps.set(layout, await dumpAccount(accessTo(server)));
    }
  });

  const on = (layout: Layout, user?: string) => {
    const server = running.get(layout);
    if (server === undefined) throw new Error(`no server ${layout}`);
    return accessTo(server, user);
  };
  const pairs = (Object.keys(layouts) as Layout[]).flatMap((from) =>
    (Object.keys(layouts) as Layout[]).map((to) => ({ from, to })),
  );

  test.each(pairs)('from $from to $to keep their place and their mail', async ({ from, to }) => {
    const user = `from-${Object.keys(layouts).indexOf(from)}`;
    const { exitCode, stderr } = await migrate(
      workspace.account(on(from)),
      workspace.account(on(to, user)),
      '--state',
      workspace.stateDir(),
    );
    expect(exitCode, stderr).toBe(0);
    expect(compareDumps(dumps.get(from) ?? new Map(), await dumpAccount(on(to, user)))).toEqual([]);
    expect(await dumpSubscriptions(on(to, user))).toEqual(await dumpSubscriptions(on(from)));
    await using client = await RawImap.open(on(to, user));
    const { prefix } = await client.namespace();
    const outside = (await client.list()).filter(({ rawName }) => rawName !== 'INBOX' && !rawName.startsWith(prefix));
    expect(outside).toEqual([]);
  });

  test('special-use folders meet whatever they are called, unless that is switched off', async () => {
    const german = keep(
      await startDovecot({ specialUse: { Gesendet: '\\Sent', Papierkorb: '\\Trash' }, createSpecialUse: true }),
    );
    const run = (user: string, ...options: string[]) =>
      migrate(
        workspace.account(on('slash')),
        workspace.account(accessTo(german, user)),
        '--state',
        workspace.stateDir(),
        ...options,
      );
    const before = dumps.get('slash') ?? new Map();
    const matched = await run('matched');
    expect(matched.exitCode, matched.stderr).toBe(0);
    const rename = (folder: string) => ({ Sent: 'Gesendet', Trash: 'Papierkorb' })[folder] ?? folder;
    expect(compareDumps(before, await dumpAccount(accessTo(german, 'matched')), { rename })).toEqual([]);
    expect(folderReport(matched.report, 'Sent').target).toBe('Gesendet');

    const byName = await run('byname', '--no-map-special-use');
    expect(byName.exitCode, byName.stderr).toBe(0);
    const there = await dumpAccount(accessTo(german, 'byname'));
    expect(compareDumps(before, new Map([...there].filter(([name]) => !/^(Gesendet|Papierkorb)$/.test(name))))).toEqual(
      [],
    );
  });

  test('--map sends a folder and its children elsewhere, --include and --exclude choose', async () => {
    const { exitCode, stderr } = await migrate(
      workspace.account(on('slash')),
      workspace.account(on('INBOX.', 'mapped')),
      ...['--state', workspace.stateDir()],
      ...['--map', 'Archive=INBOX.Alt', '--include', 'Archive/**', '--include', 'Archive', '--include', 'R&D'],
      ...['--exclude', '**/tief/**'],
    );
    expect(exitCode, stderr).toBe(0);
    const before = new Map(
      [...(dumps.get('slash') ?? [])].filter(([name]) => /^(Archive|R&D)/.test(name) && !name.includes('tief/')),
    );
    const after = await dumpAccount(on('INBOX.', 'mapped'));
    const rename = (folder: string) => folder.replace(/^Archive/, 'Alt');
    expect(compareDumps(before, new Map([...after].filter(([name]) => name !== 'INBOX')), { rename })).toEqual([]);
    expect(after.get('INBOX')).toEqual([]);
  });
});
