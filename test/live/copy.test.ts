/** A whole account from one real server to another, judged by clients that are not ours. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpSubscriptions, dumpWithImapflow } from '../support/compare.ts';
import { type Corpus, generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy } from '../support/proxy.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrate, runCommand, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();

describe.skipIf(!servers.dovecot)('Dovecot to Dovecot', () => {
  let source: ServerInstance;
  let target: ServerInstance;
  let corpus: Corpus;
  let small: Corpus;

  beforeAll(async () => {
    [source, target] = await Promise.all([startDovecot(), startDovecot({ createSpecialUse: true })]);
    keep(source);
    keep(target);
    corpus = generateCorpus({ messages: 2100 });
    small = generateCorpus({ messages: 250, maxBytes: 300_000, seed: 2 });
    await loadCorpus(accessTo(source, 'alice'), corpus);
    await loadCorpus(accessTo(source, 'small'), small);
  });

  test('over 2,000 varied messages arrive with bytes, flags, keywords, dates and order', async () => {
    const from = accessTo(source, 'alice');
    const to = accessTo(target, 'alice');
    const { exitCode, report, stderr } = await migrate(
      workspace.account(from),
      workspace.account(to),
      '--state',
      workspace.stateDir(),
    );
    expect({ exitCode, warnings: report.warnings }, stderr).toEqual({ exitCode: 0, warnings: [] });
    expect(report).toMatchObject({
      verdict: 'complete',
      copied: corpus.messages,
      alreadyThere: 0,
      refused: 0,
      resent: 0,
      keptOrder: true,
    });
    const before = await dumpWithImapflow(from);
    const messages = [...before.values()].flat();
    expect(messages).toHaveLength(corpus.messages);
    expect(report.bytes).toBe(messages.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(compareDumps(before, await dumpWithImapflow(to))).toEqual([]);
    expect(await dumpSubscriptions(to)).toEqual(await dumpSubscriptions(from));
  });

  test.each([
    { way: 'TLS', port: 'tlsPort', keys: { ssl: 'yes' } },
    { way: 'STARTTLS', port: 'port', keys: { ssl: 'no', starttls: 'yes' } },
  ] as const)('an account arrives whole over $way', async ({ way, port, keys }) => {
    const from = accessTo(source, 'small');
    const to = accessTo(target, `over-${way}`);
    const secured = (server: ServerInstance) => ({
      ...keys,
      port: server[port] ?? 0,
      ssl_ca_file: server.caFile ?? '',
    });
    const { exitCode, stderr } = await migrate(
      workspace.account(from, secured(source)),
      workspace.account(to, secured(target)),
      '--state',
      workspace.stateDir(),
    );
    expect(exitCode, stderr).toBe(0);
    expect(compareDumps(await dumpWithImapflow(from), await dumpWithImapflow(to))).toEqual([]);
    expect(target.process.logTail(20_000)).toMatch(new RegExp(`Login: user=<over-${way}>.*, TLS`, 'i'));
  });

  describe('a server that cannot prove who it is', () => {
    let elsewhere: ServerInstance;

    beforeAll(async () => {
      elsewhere = keep(await startDovecot({ certificateNames: ['DNS:mail.example.test'] }));
    });

    const check = async (keys: Record<string, string | number>, user: string) => {
      const account = { ...accessTo(elsewhere, user), host: 'localhost' };
      return runCommand(['check', workspace.account(account, keys)]);
    };
    const implicit = () => ({ ssl: 'yes', port: elsewhere.tlsPort ?? 0 });
    const starttls = () => ({ ssl: 'no', starttls: 'yes', port: elsewhere.port });

    test.each([
      { why: 'an unknown authority', user: 'mallory1', keys: () => implicit() },
      { why: 'another authority', user: 'mallory2', keys: () => ({ ...implicit(), ssl_ca_file: source.caFile ?? '' }) },
      {
        why: 'another host name',
        user: 'mallory3',
        keys: () => ({ ...implicit(), ssl_ca_file: elsewhere.caFile ?? '' }),
      },
      { why: 'an unknown authority at STARTTLS', user: 'mallory4', keys: () => starttls() },
      {
        why: 'another host name at STARTTLS',
        user: 'mallory5',
        keys: () => ({ ...starttls(), ssl_ca_file: elsewhere.caFile ?? '' }),
      },
    ])('$why ends with exit 4 and without a login', async ({ user, keys }) => {
      const { exitCode, stdout, stderr } = await check(keys(), user);
      expect(exitCode, stderr).toBe(4);
      expect(stderr).toMatch(/certificate|host ?name|authority/i);
      expect(stdout + stderr).not.toContain(elsewhere.password);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(elsewhere.process.logTail(20_000)).not.toContain(user);
    });

    test.each([
      { key: 'ssl_check_hostname', keys: () => ({ ssl_ca_file: elsewhere.caFile ?? '', ssl_check_hostname: 'no' }) },
      { key: 'ssl_verify_cert', keys: () => ({ ssl_verify_cert: 'no' }) },
    ])('$key = no lets it pass, and says so', async ({ keys }) => {
      const { exitCode, stderr, stdout } = await check({ ...implicit(), ...keys() }, 'careless');
      expect(exitCode, stderr).toBe(0);
      expect(stdout + stderr).toMatch(/certificate|host ?name/i);
    });

    test('a server that no longer offers STARTTLS gets no password', async () => {
      const proxy = keep(await FilterProxy.start(elsewhere));
      const { exitCode, stderr } = await runCommand([
        'check',
        workspace.account(
          { ...accessTo(elsewhere, 'stripped'), port: proxy.port },
          { starttls: 'yes', ssl_ca_file: elsewhere.caFile ?? '' },
        ),
      ]);
      expect(exitCode, stderr).toBe(4);
      expect(stderr).toMatch(/STARTTLS/);
      expect(proxy.commands(/^(LOGIN|AUTHENTICATE)$/)).toEqual([]);
    });
  });
});
