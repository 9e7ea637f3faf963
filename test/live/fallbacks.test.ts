/** The same account arrives when the servers lack, and refuse, what makes it fast. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type AccountDump, compareDumps, dumpAccount } from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { type ExtensionName, FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, refusals, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

const extensions = [
  'MULTIAPPEND',
  'LITERAL+',
  'UIDPLUS',
  'LIST-STATUS',
  'SPECIAL-USE',
  'UNSELECT',
  'LIST-EXTENDED',
  'CONDSTORE',
  'STATUS=SIZE',
  'NAMESPACE',
  'ESEARCH',
  'ENABLE',
  'SASL-IR',
  'ID',
] as const satisfies readonly ExtensionName[];

describe.skipIf(!servers.dovecot)('servers without', () => {
  let source: ServerInstance;
  let target: ServerInstance;
  let corpus: Corpus;
  let before: AccountDump;

  beforeAll(async () => {
    source = keep(await startDovecot());
    target = keep(await startDovecot({ createSpecialUse: true }));
    corpus = generateCorpus({ messages: 300, maxBytes: 400_000 });
    await loadCorpus(accessTo(source), corpus);
    before = await dumpAccount(accessTo(source));
  });

  const cases: { name: string; without: readonly ExtensionName[]; options?: readonly string[] }[] = [
    ...extensions.map((name) => ({ name, without: [name] })),
    { name: 'LITERAL+, in the order of the source', without: ['LITERAL+'], options: ['--order', 'source'] },
    { name: 'MULTIAPPEND and LITERAL+', without: ['MULTIAPPEND', 'LITERAL+'] },
    { name: 'any of them', without: extensions },
    { name: 'any of them, in the order of the source', without: extensions, options: ['--order', 'source'] },
  ];

  test.each(cases)('$name', async ({ name, without, options = [] }) => {
    const user = name.replace(/\W+/g, '-').toLowerCase();
    const to = accessTo(target, user);
    const sourceProxy = keep(await FilterProxy.start(source, { without }));
    const targetProxy = keep(await FilterProxy.start(target, { without }));
    const args = [
      workspace.account({ ...accessTo(source), port: sourceProxy.port }),
      workspace.account({ ...to, port: targetProxy.port }),
      '--state',
      workspace.stateDir(),
      ...options,
    ];
    const { exitCode, report, stderr } = await migrate(...args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(report).toMatchObject({ copied: corpus.messages, resent: 0 });
    for (const proxy of [sourceProxy, targetProxy]) {
      expect(proxy.outOfStep).toBe(0);
      // What a server does not offer is not tried.
      expect(proxy.commands().filter(({ refused }) => refused)).toEqual([]);
    }
    // Only where a message costs a round trip may lanes share a folder, and with it give up its order.
    const order = options.includes('source') || !without.some((each) => /^(MULTIAPPEND|LITERAL\+)$/.test(each));
    if (order) expect(report.keptOrder).toBe(true);
    expect(compareDumps(before, await dumpAccount(to), { order: report.keptOrder })).toEqual([]);

    targetProxy.forget();
    const second = await migrate(...args);
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.report).toMatchObject({ copied: 0, alreadyThere: corpus.messages });
    expect(targetProxy.commands('APPEND')).toEqual([]);
  });
});
