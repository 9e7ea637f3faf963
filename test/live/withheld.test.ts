/** The real command and servers that store messages without ever saying so, or long after the client has gone. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type AccountDump, compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy, type Withheld } from '../support/proxy.ts';
import {
  type AccountAccess,
  accessTo,
  type ServerInstance,
  startCourier,
  startDovecot,
} from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const cases: readonly [happens: string, what: Withheld][] = [
  ['whose OK alone is lost', 'answer'],
  ['after which the server falls silent', 'all answers'],
  ['that the server gets to when the client has long gone', 'command'],
];

/** Every kind of server on this machine can store these as they are. */
const corpus = generateCorpus({ messages: 600, maxBytes: 10_000, emojiFolder: false, odd: false, keywords: false });
const [inbox] = corpus.folders;

describe.skipIf(!servers.dovecot)('an APPEND', () => {
  let dovecot: ServerInstance;
  let source: AccountAccess;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    source = accessTo(dovecot, 'withheld');
    await loadCorpus(source, { ...corpus, folders: inbox === undefined ? [] : [inbox] });
  });

  test.concurrent.each(cases)('to Dovecot %s costs neither a message nor a double', async (_, what) => {
    await expectOneCopy(accessTo(dovecot, 'withheld-target'), what.replace(' ', '-'), { what, nth: 2 });
  });

  describe.skipIf(servers.courierRoot === null)('to Courier', () => {
    let courier: ServerInstance;

    beforeAll(async () => {
      courier = keep(await startCourier(servers.courierRoot ?? ''));
    });

    test.concurrent.each(cases)('%s costs neither', async (_, what) => {
      await expectOneCopy(accessTo(courier), `INBOX.${what.replace(' ', '-')}`, { what, nth: 20 });
    });
  });

  /** Copies the INBOX to `folder`, while the n-th APPEND meets its fate. */
  async function expectOneCopy(
    target: AccountAccess,
    folder: string,
    { what, nth }: { readonly what: Withheld; readonly nth: number },
  ): Promise<void> {
    let asked = 0;
    await using proxy = await FilterProxy.start(target, {
      withhold: { command: 'APPEND', nth, what },
      // The server goes on while it is being waited for, after the first look: on the second connection.
      onCommand: ({ name, connection }, proxy) => {
        if (what !== 'command' || connection !== 2) return;
        if (/^(STATUS|EXAMINE)$/.test(name) && ++asked === 3) proxy.release();
      },
    });
    const there = { ...target, port: proxy.port };
    const options = [
      '--include',
      'INBOX',
      '--map',
      `INBOX=${folder}`,
      '--state',
      workspace.stateDir(),
      '--connections',
      '1',
    ];
    const args = (timeout: number) => [workspace.account(source), workspace.account(there, { timeout }), ...options];
    const { exitCode, report, stderr } = await migrateIn(preload('quick-time.mjs'), args(2));
    expect(proxy.withheld).toBe(true);
    const { verdict, warnings, copied, alreadyThere, folders } = report;
    expect({ exitCode, verdict, refused: refusals(report) }, stderr).toEqual({
      exitCode: 0,
      verdict: 'complete',
      refused: [],
    });
    expect(copied + alreadyThere).toBe(inbox?.messages.length);
    expect(warnings.join()).toMatch(/begun again after a lost connection: target .*no sign of life/);
    expect(folders.flatMap(({ notes }) => notes).join()).toMatch(/whose answer was lost were found at the target/);
    const only = (dump: AccountDump, name: string): AccountDump => new Map([['it', dump.get(name) ?? []]]);
    const stored = only(await dumpAccount(target), folder.replace('INBOX.', ''));
    expect(compareDumps(only(await dumpAccount(source), 'INBOX'), stored, { order: false })).toEqual([]);
    expect((await migrateIn({}, args(60))).report).toMatchObject({ exitCode: 0, copied: 0 });
  }
});
