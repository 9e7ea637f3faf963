import { describe, expect, it } from 'vitest';
import { checkAccount } from '../src/check.ts';
import { systemClock } from '../src/clock.ts';
import { MigrateError } from '../src/errors.ts';
import type { VerifyReport } from '../src/job.ts';
import type { LaneHandle, LaneHost } from '../src/lanes.ts';
import { ImapClient } from '../src/protocol/index.ts';
import { connectSandbox, fillDemoAccount, type MessageQuirk, type SandboxMailbox } from '../src/sandbox/index.ts';
import { ManualClock, turns } from '../src/testing/index.ts';
import { verify } from '../src/verify.ts';
import type { LaneResult, ToLane } from '../src/worker/contract.ts';
import type { Connect } from '../src/worker/login.ts';
import { Engine } from './support/engine.ts';
import { InlineHost } from './support/inline-host.ts';

const body = (n: number) => `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`;

function fill(inbox: SandboxMailbox, ...numbers: number[]): void {
  for (const n of numbers) inbox.append({ body: body(n), internalDate: '01-Feb-2020 10:00:00 +0200' });
}

/** Both accounts hold the same three messages, and the second one of `side` misbehaves. */
function spoiledEngine(side: 'source' | 'target', quirk: MessageQuirk): Engine {
  const engine = new Engine();
  fill(engine.source.inbox, 1, 2, 3);
  fill(engine.target.inbox, 1, 2, 3);
  for (const message of engine[side].inbox.messages) if (message.uid === 2) message.quirk = quirk;
  return engine;
}

const hostOf = ({ servers }: Engine): InlineHost => {
  const connect: Connect = ({ host }, clock) => {
    const server = host === 'source.test' ? servers.source : servers.target;
    return ImapClient.connect({ host, tls: 'none', transport: connectSandbox(server), clock });
  };
  return new InlineHost(connect);
};

/** A lane that answers nothing and ends only when its host is closed, as a stuck thread would. */
class StuckHost implements LaneHost {
  readonly posted: ToLane['kind'][] = [];
  closed = 0;
  #end: (result: LaneResult) => void = () => {};

  start(): LaneHandle {
    const done = new Promise<LaneResult>((resolve) => {
      this.#end = resolve;
    });
    const post = (message: ToLane) => void this.posted.push(message.kind);
    return { channel: { post, onMessage: () => {}, close: () => {} }, done };
  }

  async close(): Promise<void> {
    this.closed++;
    this.#end({ failure: null });
  }
}

describe('a comparison', () => {
  it('of equal accounts says so, and counts other mail at the target without calling it a difference', async () => {
    using engine = new Engine();
    fillDemoAccount(engine.source);
    fillDemoAccount(engine.target);
    fill(engine.target.inbox, 991, 992);
    const report = await engine.verify();
    expect(report).toMatchObject({ verdict: 'identical', exitCode: 0, differences: [] });
    const foreign = report.folders.filter((folder) => folder.foreign > 0);
    expect(foreign).toEqual([expect.objectContaining({ source: 'INBOX', foreign: 2, differences: 0 })]);
  });

  const quirks: MessageQuirk[] = ['absent', 'phantom', 'nil', 'error'];
  const sides = ['source', 'target'] as const;
  it.each(sides.flatMap((side) => quirks.map((quirk) => [side, quirk] as const)))(
    'never calls identical what the %s does not send (%s)',
    async (side, quirk) => {
      using engine = spoiledEngine(side, quirk);
      const report = await engine.verify();
      expect(report).toMatchObject({ verdict: 'different', exitCode: 7, compared: 2 });
      expect(report.differences).toContainEqual({
        kind: 'unreadable',
        folder: 'INBOX',
        sourceUid: side === 'source' ? 2 : null,
        targetUid: side === 'target' ? 2 : null,
        message: `the ${side} does not give this message out`,
      });
    },
  );

  it('finds a hidden message on both sides, where rows alone would be equal', async () => {
    using engine = spoiledEngine('source', 'phantom');
    for (const message of engine.target.inbox.messages) if (message.uid === 2) message.quirk = 'phantom';
    expect((await engine.verify()).differences.map(({ kind }) => kind)).toEqual(['unreadable', 'unreadable']);
  });

  it.each(sides)('says how many messages the %s counts and does not list', async (side) => {
    using engine = spoiledEngine(side, 'phantom');
    const answer = { kind: 'answer', answer: { status: 'OK', text: 'Nothing found.' } } as const;
    engine.servers[side].faults.add({ command: 'UID SEARCH', times: Number.POSITIVE_INFINITY }, answer);
    const report = await engine.verify();
    expect(report.verdict).toBe('different');
    expect(report.differences).toContainEqual({
      kind: 'unreadable',
      folder: 'INBOX',
      sourceUid: null,
      targetUid: null,
      message: `the ${side} counts 1 message more than it lists`,
    });
    expect(report.folders[0]).toMatchObject({ sourceMessages: 3, targetMessages: 3 });
  });
});

describe('a signal', () => {
  const stopped: Partial<VerifyReport> = { verdict: 'failed', exitCode: 130, failure: null };

  function start(engine: Engine, signal: AbortSignal): Promise<VerifyReport> {
    const settings = { ...engine.settings(), digest: true };
    const parts = { host: hostOf(engine), clock: systemClock };
    return verify(settings, { onEvent: () => {}, signal }, parts);
  }

  it('stops a comparison inside a folder: the other side is not read any more', async () => {
    using engine = new Engine();
    fill(engine.source.inbox, 1, 2, 3);
    fill(engine.target.inbox, 1, 2, 3);
    const controller = new AbortController();
    engine.servers.source.faults.add({ command: 'UID FETCH' }, { kind: 'run', run: () => controller.abort() });
    expect(await start(engine, controller.signal)).toMatchObject({ ...stopped, folders: [], differences: [] });
    expect(engine.commands('target')).not.toContain('UID FETCH');
  });

  it('does not turn half a folder into differences', async () => {
    using engine = new Engine();
    const numbers = Array.from({ length: 450 }, (_, index) => index + 1);
    fill(engine.source.inbox, ...numbers);
    fill(engine.target.inbox, ...numbers);
    const controller = new AbortController();
    engine.servers.target.faults.add({ command: 'UID FETCH' }, { kind: 'run', run: () => controller.abort() });
    expect(await start(engine, controller.signal)).toMatchObject({ ...stopped, differences: [] });
  });

  it('stops a comparison before its first folder', async () => {
    using engine = new Engine();
    fill(engine.source.inbox, 1);
    expect(await start(engine, AbortSignal.abort())).toMatchObject({ ...stopped, folders: [] });
    expect(engine.commands('source')).not.toContain('UID FETCH');
  });

  it('ends a comparison whose lane is stuck after four seconds', async () => {
    using engine = new Engine();
    const [host, clock, controller] = [new StuckHost(), new ManualClock(), new AbortController()];
    const settings = { ...engine.settings(), digest: true };
    let report: VerifyReport | null = null;
    const done = verify(settings, { onEvent: () => {}, signal: controller.signal }, { host, clock }).then((result) => {
      report = result;
    });
    controller.abort();
    expect(host.posted).toEqual(['list', 'drain']);
    await clock.advance(3_999);
    expect([report, host.closed]).toEqual([null, 0]);
    await clock.advance(1);
    await done;
    expect(report).toMatchObject({ ...stopped, folders: [] });
    expect(clock.pending).toBe(0);
  });

  it('ends a check whose lane is stuck after four seconds', async () => {
    using engine = new Engine();
    const [host, clock, controller] = [new StuckHost(), new ManualClock(), new AbortController()];
    let error: unknown = null;
    const hooks = { onEvent: () => {}, signal: controller.signal };
    const done = checkAccount(engine.settings().source, hooks, { host, clock }).catch((reason: unknown) => {
      error = reason;
    });
    controller.abort();
    expect(host.posted).toEqual(['drain']);
    await clock.advance(3_999);
    expect([error, host.closed]).toEqual([null, 0]);
    await clock.advance(1);
    await done;
    expect(error).toBeInstanceOf(MigrateError);
    await turns(1);
    expect(clock.pending).toBe(0);
  });

  it('that came before the check began ends it too', async () => {
    using engine = new Engine();
    const host = new StuckHost();
    const clock = new ManualClock();
    const hooks = { onEvent: () => {}, signal: AbortSignal.abort() };
    const done = checkAccount(engine.settings().source, hooks, { host, clock });
    const refused = expect(done).rejects.toBeInstanceOf(MigrateError);
    expect(host.posted).toEqual(['drain']);
    await clock.advance(4_000);
    await refused;
  });
});
