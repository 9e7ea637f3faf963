/** Connections to real servers cut in the middle of an APPEND, and what the next connection makes of it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { dumpAccount } from '../support/compare.ts';
import { RawImap } from '../support/imap-raw.ts';
import { type Direction, FilterProxy } from '../support/proxy.ts';
import {
  type AccountAccess,
  accessTo,
  type ServerInstance,
  startCourier,
  startDovecot,
} from '../support/servers/index.ts';
import { availableServers, closeAfterAll } from './harness.ts';
import { copyInbox } from './job.ts';

const servers = availableServers();
const keep = closeAfterAll();

/** Cuts in each direction. */
const cuts = 12;
/** Time a server on this machine may take to store what it got, with everything else that goes on. */
const settleMs = 1_500;

/** LOGOUT, or BYE and the OK to it. */
const goodbyeBytes = 64;

describe.skipIf(!servers.dovecot)('three messages, two of them twins', () => {
  let source: AccountAccess;
  let expected: string[];
  let dovecot: ServerInstance;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    source = accessTo(dovecot, 'cut-source');
    await using client = await RawImap.open(source);
    const message = (subject: string) => Buffer.from(`Subject: ${subject}\r\n\r\n${'x'.repeat(60)}\r\n`);
    const bodies = [message('twin'), message('twin'), message('other')];
    const internalDate = '01-Feb-2003 04:05:06 +0700';
    await client.append(
      'INBOX',
      bodies.map((body) => ({ body, flags: ['\\Seen'], internalDate })),
    );
    expected = inOrder((await dumpAccount(source)).get('INBOX'));
  });

  test.each<Direction>(['to-server', 'to-client'])('to Dovecot, cut %s at any byte', async (direction) => {
    await expectCutsToCostNothing(accessTo(dovecot, `cut-${direction}`), direction);
  });

  describe.skipIf(servers.courierRoot === null)('to Courier, which takes one message at a time', () => {
    let courier: ServerInstance;

    beforeAll(async () => {
      courier = keep(await startCourier(servers.courierRoot ?? ''));
    });

    test.each<[Direction, string]>([
      ['to-server', 'alice'],
      ['to-client', 'bob'],
    ])('cut %s at any byte', async (direction, user) => {
      await expectCutsToCostNothing(accessTo(courier, user), direction, 'INBOX.');
    });
  });

  /** Copies to one folder for each cut, all at once, and compares what is there in the end. */
  async function expectCutsToCostNothing(target: AccountAccess, direction: Direction, prefix = ''): Promise<void> {
    const through = async (folder: string, afterBytes: number) => {
      await using proxy = await FilterProxy.start(target, { cut: { direction, afterBytes, since: 'APPEND' } });
      const there = { ...target, port: proxy.port };
      const report = await copyInbox({ source, target: there, folder: `${prefix}${folder}`, settleMs });
      return { report, cuts: proxy.cuts, bytes: proxy.traffic(direction) };
    };
    const whole = await through('whole', Number.POSITIVE_INFINITY);
    expect(whole).toMatchObject({ cuts: 0, report: { exitCode: 0 } });
    // Nobody waits for the goodbye at the end: it may be cut or not.
    const reliable = whole.bytes - goodbyeBytes;
    const offsets = Array.from({ length: cuts }, (_, index) => Math.ceil(((index + 1) * reliable) / cuts));
    const runs = await Promise.all(offsets.map((bytes) => through(`at ${bytes}`, bytes)));
    const dump = await dumpAccount(target);
    const found = offsets.map((bytes, index) => {
      const { exitCode, copied = 0, alreadyThere = 0 } = runs[index]?.report ?? {};
      const messages = inOrder(dump.get(`at ${bytes}`));
      return { bytes, cuts: runs[index]?.cuts, exitCode, dealtWith: copied + alreadyThere, messages };
    });
    expect(found).toEqual(offsets.map((bytes) => ({ bytes, cuts: 1, exitCode: 0, dealtWith: 3, messages: expected })));
  }
});

/** A folder as a multiset. */
function inOrder(messages: readonly { digest: string; flags: readonly string[]; time: number }[] = []): string[] {
  return messages.map(({ digest, flags, time }) => `${digest} ${flags.join(' ')} ${time}`).sort();
}
