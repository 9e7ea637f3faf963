/** A second run costs what changed, not what is there: counted at the wire. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { type ExtensionName, FilterProxy } from '../support/proxy.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

/** What may be said once per connection or account, however much mail there is. */
const perAccount = /^(CAPABILITY|LOGIN|AUTHENTICATE|ID|NAMESPACE|ENABLE|LIST|LSUB|GETQUOTAROOT|GETQUOTA|NOOP|LOGOUT)$/;
const perMessage = /^(UID )?(FETCH|STORE|SEARCH|COPY|MOVE|EXPUNGE)$|^APPEND$/;
const perFolder = /^(SELECT|EXAMINE|STATUS|CREATE|SUBSCRIBE|CLOSE|UNSELECT)$/;

describe.skipIf(!servers.dovecot)('the second run', () => {
  let source: ServerInstance;
  let target: ServerInstance;
  let corpus: Corpus;

  beforeAll(async () => {
    source = keep(await startDovecot());
    target = keep(await startDovecot());
    corpus = generateCorpus({ messages: 300, maxBytes: 100_000 });
  });

  /** A migrated pair of accounts behind recording proxies, and a way to run again. */
  async function migrated(user: string, without: readonly ExtensionName[] = []) {
    const from = accessTo(source, user);
    const to = accessTo(target, user);
    await loadCorpus(from, corpus);
    const sourceProxy = keep(await FilterProxy.start(source, { without }));
    const targetProxy = keep(await FilterProxy.start(target, { without }));
    const args = [
      workspace.account({ ...from, port: sourceProxy.port }),
      workspace.account({ ...to, port: targetProxy.port }),
      '--state',
      workspace.stateDir(),
    ];
    const first = await migrate(...args);
    expect(first.exitCode, first.stderr).toBe(0);
    expect(first.report.copied).toBe(corpus.messages);
    const again = () => {
      sourceProxy.forget();
      targetProxy.forget();
      return migrate(...args);
    };
    return { from, to, again, sourceProxy, targetProxy, proxies: [sourceProxy, targetProxy] };
  }

  test('appends nothing and says nothing per message or per folder', async () => {
    const { from, to, again, proxies } = await migrated('unchanged');
    const { exitCode, report, stderr } = await again();
    expect(exitCode, stderr).toBe(0);
    expect(report).toMatchObject({ verdict: 'complete', copied: 0, alreadyThere: corpus.messages, refused: 0 });
    for (const proxy of proxies) {
      const unexpected = proxy.commands().filter(({ name }) => !perAccount.test(name));
      expect(unexpected.map(({ line }) => line)).toEqual([]);
      // One LIST for what there is, one each for namespace and subscriptions; only the first connection needs them.
      expect(proxy.commands(/^(LIST|LSUB)$/).length).toBeLessThanOrEqual(4);
    }
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
  });

  test('without LIST-STATUS asks each folder once, and no message', async () => {
    const { again, proxies } = await migrated('no-list-status', ['LIST-STATUS']);
    const { exitCode, report, stderr } = await again();
    expect(exitCode, stderr).toBe(0);
    expect(report).toMatchObject({ copied: 0, alreadyThere: corpus.messages });
    for (const proxy of proxies) {
      expect(proxy.commands(perMessage).map(({ line }) => line)).toEqual([]);
      expect(proxy.commands(perFolder).length).toBeLessThanOrEqual(corpus.folders.length);
    }
  });

  test('carries one new message, touching only its folder', async () => {
    const { from, to, again, sourceProxy, targetProxy } = await migrated('one-more');
    await append(from, 'R&-D', 'Subject: the new one\r\n\r\nhello\r\n');
    const { exitCode, report, stderr } = await again();
    expect(exitCode, stderr).toBe(0);
    expect(report).toMatchObject({ copied: 1, alreadyThere: corpus.messages });
    expect(folderReport(report, 'R&D')).toMatchObject({ copied: 1 });
    expect(targetProxy.commands('APPEND').map(({ literals }) => literals)).toEqual([1]);
    for (const proxy of [sourceProxy, targetProxy]) {
      // UNSELECT names no folder: it follows the SELECT of this one.
      const elsewhere = proxy.commands(perFolder).filter(({ line }) => !line.includes('R&-D') && line !== 'UNSELECT');
      expect(elsewhere.map(({ line }) => line)).toEqual([]);
    }
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
  });

  test('carries a new folder, even an empty one', async () => {
    const { from, to, again, targetProxy } = await migrated('new-folder');
    await using client = await RawImap.open(from);
    await client.command('CREATE "Neu"');
    const { exitCode, report, stderr } = await again();
    expect(exitCode, stderr).toBe(0);
    expect(report).toMatchObject({ copied: 0, alreadyThere: corpus.messages });
    expect(targetProxy.commands('CREATE').map(({ line }) => line.replaceAll('"', ''))).toEqual(['CREATE Neu']);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
  });

  test('does not bring back what was deleted at the target', async () => {
    const { to, again, targetProxy } = await migrated('deleted-there');
    await using client = await RawImap.open(to);
    await client.command('SELECT INBOX');
    await client.command('STORE 1:5 +FLAGS.SILENT (\\Deleted)');
    await client.command('UID EXPUNGE 1:5');
    const { exitCode, report, stderr } = await again();
    expect(exitCode, stderr).toBe(0);
    expect(report.copied).toBe(0);
    expect(targetProxy.commands('APPEND')).toEqual([]);
  });
});

async function append(access: AccountAccess, rawName: string, text: string): Promise<void> {
  await using client = await RawImap.open(access);
  await client.append(rawName, [{ body: Buffer.from(text), flags: [], internalDate: '01-Jan-2020 00:00:00 +0000' }]);
}
