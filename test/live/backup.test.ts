/** Backups with the real command: from Dovecot into each kind of tree and into a new account; the second run; new mail. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { treeFormats } from '../../src/archive/store.ts';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, refusals, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const kinds = [
  ...treeFormats.map((format) => [format]),
  ['eml', '--store-compress', 'gzip'],
  ['maildir', '--layout', 'fs'],
];

describe.skipIf(!servers.dovecot)('a backup', () => {
  let server: ServerInstance;
  let corpus: Corpus;

  beforeAll(async () => {
    server = keep(await startDovecot());
    corpus = generateCorpus({ messages: 300, maxBytes: 200_000 });
    await loadCorpus(accessTo(server, 'owner'), corpus);
  });

  test.each(kinds)('as %s, brought into a new account, is what the old one serves', async (format = '', ...options) => {
    const tree = `${format}:${join(workspace.dir, ['tree', format, ...options].join('-'))}`;
    const owner = accessTo(server, 'owner');
    const saved = await migrate(workspace.account(owner), tree, ...options);
    expect({ exitCode: saved.exitCode, refused: refusals(saved.report) }, saved.stderr).toEqual({
      exitCode: 0,
      refused: [],
    });
    expect(saved.report.copied).toBe(corpus.messages);
    const heir = accessTo(server, ['heir', format, ...options].join('-'));
    const restored = await migrate(tree, workspace.account(heir), '--state', workspace.stateDir());
    expect({ exitCode: restored.exitCode, refused: refusals(restored.report) }, restored.stderr).toEqual({
      exitCode: 0,
      refused: [],
    });
    expect(compareDumps(await dumpAccount(owner), await dumpAccount(heir))).toEqual([]);
    const verified = await runCommand(['verify', workspace.account(owner), tree, '--digest']);
    expect(verified.exitCode, verified.stderr + verified.stdout).toBe(0);
  });

  test.each(treeFormats)(
    'as %s costs nothing where nothing has changed, and one body for one message',
    async (format) => {
      const owner = accessTo(server, `owner-${format}`);
      await loadCorpus(owner, corpus);
      const proxy = keep(await FilterProxy.start(server, { without: [] }));
      const root = join(workspace.dir, `again-${format}`);
      const args = [workspace.account({ ...owner, port: proxy.port }), `${format}:${root}`];
      expect((await migrate(...args)).exitCode).toBe(0);
      const before = bytesBelow(root);
      proxy.forget();
      const second = await migrate(...args);
      expect(second.exitCode, second.stderr).toBe(0);
      expect(second.report).toMatchObject({ verdict: 'complete', copied: 0, alreadyThere: corpus.messages });
      expect(proxy.commands(/FETCH|SELECT|EXAMINE|SEARCH/).map(({ line }) => line)).toEqual([]);
      expect(proxy.commands().length).toBeLessThan(20);

      const body = 'Subject: one more\r\n\r\nhello\r\n';
      const raw = await RawImap.open(owner);
      await raw.append('INBOX', [{ body: Buffer.from(body), flags: [], internalDate: '20-Nov-2026 09:30:00 +0100' }]);
      await raw.close();
      proxy.forget();
      const third = await migrate(...args);
      expect(folderReport(third.report, 'INBOX').copied).toBe(1);
      expect(proxy.commands(/FETCH/).filter(({ line }) => line.includes('BODY'))).toHaveLength(1);
      expect(bytesBelow(root) - before).toBeLessThan(200_000);
    },
  );
});

function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).size;
  }
  return bytes;
}
