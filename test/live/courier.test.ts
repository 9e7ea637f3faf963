/** Courier: no LITERAL+, no MULTIAPPEND, everything under `INBOX.`, sessions that fall out of step for good. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { type CorpusOptions, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startCourier, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, folderReport, migrate, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

/**
 * Courier drops bare CRs and ends the last line: the first are left out, the second is what `canonical` is for. The INBOX
 * is more than one batch.
 */
const corpusOptions: CorpusOptions = {
  messages: 450,
  maxBytes: 400_000,
  emojiFolder: false,
  without: ['bare CR', 'CR before the line end'],
};

describe.skipIf(!servers.dovecot || servers.courierRoot === null)('Courier', () => {
  let dovecot: ServerInstance;
  let courier: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    courier = keep(await startCourier(servers.courierRoot ?? ''));
    await loadCorpus(accessTo(dovecot, 'plain'), generateCorpus(corpusOptions));
    await loadCorpus(accessTo(courier, 'bob'), generateCorpus({ ...corpusOptions, seed: 3 }));
  });

  test('as target takes everything, one message at a time, and a second run adds nothing', async () => {
    const from = accessTo(dovecot, 'plain');
    const to = accessTo(courier, 'alice');
    const proxy = keep(await FilterProxy.start(courier));
    const args = [
      workspace.account(from),
      workspace.account({ ...to, port: proxy.port }),
      '--state',
      workspace.stateDir(),
    ];
    const { exitCode, report, stderr } = await migrate(...args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report).toMatchObject({ copied: corpusOptions.messages, resent: 0 });
    expect(proxy.commands('APPEND').filter(({ line }) => line.includes('+}'))).toEqual([]);
    expect(proxy.commands('APPEND')).toHaveLength(corpusOptions.messages);
    const canonical = true;
    expect(
      compareDumps(await dumpAccount(from, { canonical }), await dumpAccount(to, { canonical }), {
        order: report.keptOrder,
      }),
    ).toEqual([]);

    proxy.forget();
    const second = await migrate(...args);
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: corpusOptions.messages });
    expect(proxy.commands('APPEND')).toEqual([]);
  });

  test('as source gives everything, in order, without its prefix', async () => {
    const from = accessTo(courier, 'bob');
    const to = accessTo(dovecot, 'from-courier');
    const args = [workspace.account(from), workspace.account(to), '--state', workspace.stateDir()];
    const { exitCode, report, stderr } = await migrate(...args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to))).toEqual([]);
    expect(folderReport(report, 'INBOX.R&D').target).toBe('R&D');
    const second = await migrate(...args);
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: corpusOptions.messages });
  });

  test('a folder whose name it cannot take is reported, everything else arrives', async () => {
    const courierAlone = keep(await startCourier(servers.courierRoot ?? ''));
    const from = accessTo(dovecot, 'emoji');
    const corpus = generateCorpus({ ...corpusOptions, messages: 80, maxBytes: 20_000, emojiFolder: true });
    await loadCorpus(from, corpus);
    const { exitCode, report, stderr } = await migrate(
      workspace.account(from),
      workspace.account(accessTo(courierAlone)),
      '--state',
      workspace.stateDir(),
    );
    expect(exitCode, stderr).toBe(3);
    expect(report.verdict).toBe('partial');
    const lost = folderReport(report, '📦 Paket');
    expect(lost).toMatchObject({ copied: 0, refused: [{ uid: null, folder: '📦 Paket' }] });
    expect(lost.refused[0]?.message).toContain('Error in IMAP command');
    const expected = [...(await dumpAccount(from, { canonical: true }))].filter(([name]) => name !== '📦 Paket');
    const arrived = await dumpAccount(accessTo(courierAlone), { canonical: true });
    expect(compareDumps(new Map(expected), arrived, { order: report.keptOrder })).toEqual([]);
  });
});
