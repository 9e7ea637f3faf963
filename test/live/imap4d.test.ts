/** mailutils imap4d: no UIDPLUS, no keywords, and messages that come back with other bytes than they were sent with. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { type CorpusOptions, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot, startImap4d } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

/** A folder of its mbox files holds mail or folders, not both. */
const corpusOptions: CorpusOptions = { messages: 150, maxBytes: 100_000, nested: false, odd: false };

describe.skipIf(!servers.dovecot || servers.imap4dRoot === null)('imap4d', () => {
  let dovecot: ServerInstance;
  let imap4d: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    imap4d = keep(await startImap4d(servers.imap4dRoot ?? ''));
    await loadCorpus(accessTo(dovecot, 'flat'), generateCorpus(corpusOptions));
    await loadCorpus(accessTo(imap4d, imap4d.users[1]), generateCorpus({ ...corpusOptions, keywords: false, seed: 3 }));
  });

  test('as target takes every message with its system flags and date, lost keywords are reported, nothing twice', async () => {
    const from = accessTo(dovecot, 'flat');
    const to = accessTo(imap4d);
    const proxy = keep(await FilterProxy.start(imap4d));
    const args = [
      workspace.account(from),
      workspace.account({ ...to, port: proxy.port }),
      '--state',
      workspace.stateDir(),
    ];
    const { exitCode, report, stderr } = await migrate(...args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report).toMatchObject({ copied: corpusOptions.messages, resent: 0 });
    const before = await dumpAccount(from);
    const options = { bodies: false, keywords: false, order: report.keptOrder };
    expect(compareDumps(before, await dumpAccount(to), options)).toEqual([]);
    const withKeyword = [...before.values()].flat().filter(({ keywords }) => keywords.includes('Projekt-7')).length;
    const reported = report.folders.reduce((sum, folder) => sum + (folder.lostFlags['Projekt-7'] ?? 0), 0);
    expect(reported).toBe(withKeyword);

    proxy.forget();
    const second = await migrate(...args);
    expect({ exitCode: second.exitCode, refused: refusals(second.report) }, second.stderr).toEqual({
      exitCode: 0,
      refused: [],
    });
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: corpusOptions.messages });
    expect(proxy.commands('APPEND')).toEqual([]);
  });

  test('as source gives every message as it serves it', async () => {
    const from = accessTo(imap4d, imap4d.users[1]);
    const to = accessTo(dovecot, 'from-imap4d');
    const { exitCode, report, stderr } = await migrate(
      workspace.account(from),
      workspace.account(to),
      '--state',
      workspace.stateDir(),
    );
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report.copied).toBe(corpusOptions.messages);
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
  });

  test('a folder it cannot put into another one is reported, everything else arrives', async () => {
    const alone = keep(await startImap4d(servers.imap4dRoot ?? ''));
    const from = accessTo(dovecot, 'nested');
    await loadCorpus(from, generateCorpus({ messages: 60, maxBytes: 20_000, odd: false, keywords: false }));
    const { exitCode, report, stderr } = await migrate(
      workspace.account(from),
      workspace.account(accessTo(alone)),
      '--state',
      workspace.stateDir(),
    );
    expect(exitCode, stderr).toBe(3);
    expect(folderReport(report, 'Archive/2019').refused).toMatchObject([{ uid: null, folder: 'Archive/2019' }]);
    const refused = new Set(report.folders.filter(({ refused: each }) => each.length > 0).map(({ source }) => source));
    const expected = [...(await dumpAccount(from))].filter(([name]) => !refused.has(name));
    expect(refused.size).toBeLessThanOrEqual(3);
    const arrived = await dumpAccount(accessTo(alone));
    expect(
      compareDumps(new Map(expected), arrived, { bodies: false, keywords: false, order: report.keptOrder }),
    ).toEqual([]);
  });
});
