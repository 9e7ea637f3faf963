/** Cyrus: MULTIAPPEND, UIDPLUS and CONDSTORE by another family of servers, with other ideas of what a folder may be called. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { VerifyReport } from '../../src/job.ts';
import { compareDumps, dumpAccount, dumpSubscriptions } from '../support/compare.ts';
import { type CorpusOptions, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { RawImap } from '../support/imap-raw.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startCyrus, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, refusals, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const corpusOptions: CorpusOptions = { messages: 400, maxBytes: 400_000 };
const refusedFolder = '[brackets] (and) {braces}';

describe.skipIf(!servers.dovecot || servers.cyrusRoot === null)('Cyrus', () => {
  let dovecot: ServerInstance;
  let cyrus: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    cyrus = keep(await startCyrus(servers.cyrusRoot ?? ''));
    await loadCorpus(accessTo(dovecot, 'alice'), generateCorpus(corpusOptions));
    // Dovecot as target makes one line end of CR CR LF.
    const odd = { bracketFolder: false, without: ['CR before the line end'] };
    await loadCorpus(accessTo(cyrus, 'bob'), generateCorpus({ ...corpusOptions, ...odd, seed: 3 }));
  });

  test('as target takes all but a folder whose name it refuses, many messages in one command, and a second run adds nothing', async () => {
    const from = accessTo(dovecot, 'alice');
    const to = accessTo(cyrus, 'alice');
    const proxy = keep(await FilterProxy.start(cyrus));
    const args = [
      workspace.account(from),
      workspace.account({ ...to, port: proxy.port }),
      '--state',
      workspace.stateDir(),
    ];
    const { exitCode, report, stderr } = await migrate(...args);
    expect(exitCode, stderr).toBe(3);
    expect(refusals(report)).toEqual([expect.stringContaining('CREATE refused: Invalid mailbox name')]);
    expect(folderReport(report, refusedFolder).refused).toHaveLength(1);
    const before = await dumpAccount(from);
    const lost = before.get(refusedFolder)?.length ?? 0;
    expect(report).toMatchObject({ copied: corpusOptions.messages - lost, resent: 0, keptOrder: true });
    expect(proxy.commands('APPEND').length).toBeLessThan(report.copied / 5);

    const arrived = await dumpAccount(to);
    const extra = [...arrived.keys()].filter((name) => !before.has(name));
    // Two it has from the start, and two parents that hold folders only at the source.
    expect(extra.sort()).toEqual(['Archive/2019/Q1 & Q2/tief', 'Drafts', 'Junk', '日本語']);
    const withoutExtra = new Map([...arrived].filter(([name, messages]) => before.has(name) || messages.length > 0));
    const expected = new Map([...before].filter(([name]) => name !== refusedFolder));
    expect(compareDumps(expected, withoutExtra)).toEqual([]);

    proxy.forget();
    const second = await migrate(...args);
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: report.copied });
    expect(proxy.commands('APPEND')).toEqual([]);
  });

  test('as source gives everything, with order and subscriptions', async () => {
    const from = accessTo(cyrus, 'bob');
    const to = accessTo(dovecot, 'from-cyrus');
    const args = [workspace.account(from), workspace.account(to), '--state', workspace.stateDir()];
    const { exitCode, report, stderr } = await migrate(...args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report.copied).toBe(corpusOptions.messages);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
    expect(await dumpSubscriptions(to)).toEqual(await dumpSubscriptions(from));
    const second = await migrate(...args);
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: corpusOptions.messages });
  });

  test.each([
    { way: 'TLS', keys: () => ({ ssl: 'yes', port: cyrus.tlsPort ?? 0 }) },
    { way: 'STARTTLS', keys: () => ({ ssl: 'no', starttls: 'yes' }) },
  ])('is read over $way', async ({ way, keys }) => {
    const from = accessTo(cyrus, 'bob');
    const to = accessTo(dovecot, `over-${way}`);
    const secured = workspace.account(from, { ...keys(), ssl_ca_file: cyrus.caFile ?? '' });
    const { exitCode, stderr } = await migrate(secured, workspace.account(to), '--state', workspace.stateDir());
    expect(exitCode, stderr).toBe(0);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
  });

  test('that crosses out bytes in headers, as it does unless told otherwise, is found out by verify', async () => {
    const munging = keep(await startCyrus(servers.cyrusRoot ?? '', { munge8bit: true }));
    const body = (header: string) =>
      Buffer.from(`From: a@example.org\r\nSubject: one\r\nX-Town: ${header}\r\n\r\nK\xf6ln\r\n`, 'latin1');
    const from = accessTo(dovecot, 'eight-bit');
    {
      await using client = await RawImap.open(from);
      const internalDate = '01-Feb-2003 04:05:06 +0700';
      await client.append(
        'INBOX',
        [body('plain'), body('K\xf6ln')].map((body) => ({ body, flags: [], internalDate })),
      );
    }
    const accounts = [workspace.account(from), workspace.account(accessTo(munging))];
    const { exitCode, stderr } = await migrate(...accounts, '--state', workspace.stateDir());
    expect(exitCode, stderr).toBe(0);
    const verified = await runCommand(['verify', ...accounts, '--digest', '--json']);
    expect(verified.exitCode, verified.stderr).toBe(7);
    const report = verified.events.find(({ event }) => event === 'verified')?.report as VerifyReport;
    expect(report.differences).toMatchObject([{ kind: 'content', folder: 'INBOX', sourceUid: 2, targetUid: 2 }]);
  });
});
