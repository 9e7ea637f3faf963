/** SIGINT and SIGTERM in every phase of a run of the real command: it ends in time, and the next run completes the work. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compareDumps, dumpAccount } from '../support/compare.ts';
import { generateCorpus, loadCorpus } from '../support/corpus.ts';
import { FilterProxy, type ProxyOptions } from '../support/proxy.ts';
import { type AccountAccess, accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, migrateIn, preload, refusals, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const keep = closeAfterAll();
const workspace = new Workspace();

/** What the README promises, and a little for a machine that has other things to do. */
const endsWithinMs = 5_500;
const endsAtOnceMs = 1_500;
const pollMs = 5;
const patienceMs = 30_000;

/** A command whose servers it reaches through these. */
interface Running {
  readonly command: RunningCommand;
  readonly source: FilterProxy;
  readonly target: FilterProxy;
}

interface Phase {
  readonly phase: string;
  readonly source?: ProxyOptions;
  readonly target?: ProxyOptions;
  /** It begins in a journal with open intents. */
  readonly killedBefore?: boolean;
  isReached(running: Running): boolean;
}

const silentAt = (command: string, nth = 1): ProxyOptions => ({ withhold: { command, nth, what: 'all answers' } });
const targetIsSilent = ({ target }: Running) => target.withheld;

const phases: readonly Phase[] = [
  { phase: 'connecting', target: silentAt('AUTHENTICATE'), isReached: targetIsSilent },
  { phase: 'listing', target: silentAt('LIST'), isReached: targetIsSilent },
  { phase: 'preparing', target: silentAt('CREATE'), isReached: targetIsSilent },
  { phase: 'opening folders', source: silentAt('EXAMINE'), isReached: ({ source }) => source.withheld },
  { phase: 'copying', isReached: ({ target }) => target.commands('APPEND').length > 2 },
  { phase: 'copying to a silent server', target: silentAt('APPEND', 3), isReached: targetIsSilent },
  {
    phase: 'waiting for the target to settle',
    killedBefore: true,
    target: { withhold: { command: 'APPEND', nth: 1, what: 'command' } },
    isReached: ({ target }) => target.commands('STATUS').filter(({ line }) => line.includes('UIDNEXT')).length > 2,
  },
];

const codes = { SIGINT: 130, SIGTERM: 143 } as const;
const signals = ['SIGINT', 'SIGTERM'] as const;
/** The one or the other: what they do differs in the exit code only. */
const cases = phases.map((phase, index) => ({ ...phase, signal: signals[index % 2] ?? 'SIGINT' }));

describe.skipIf(!availableServers().dovecot)('a signal', () => {
  let dovecot: ServerInstance;
  let from: AccountAccess;
  let users = 0;

  beforeAll(async () => {
    dovecot = keep(await startDovecot());
    from = accessTo(dovecot, 'signals');
    await loadCorpus(from, generateCorpus({ messages: 300, maxBytes: 20_000 }));
  });

  /** Starts the command, waits for the phase, does what is to be done, and lets another run finish. */
  async function interrupt(phase: Phase, act: (running: Running) => Promise<void>): Promise<void> {
    const to = accessTo(dovecot, `signalled-${++users}`);
    await using source = await FilterProxy.start(dovecot, phase.source);
    await using target = await FilterProxy.start(dovecot, phase.target);
    const files = [
      { ...from, port: source.port },
      { ...to, port: target.port },
    ].map((it) => workspace.account(it));
    const args = [...files, '--state', workspace.stateDir(), '--connections', '2'];
    if (phase.killedBefore === true) {
      const killed = RunningCommand.start(args);
      await until(() => target.withheld, killed);
      killed.kill('SIGKILL');
      await killed.ended;
      target.forget();
    }
    const running = { command: RunningCommand.start([...args, '--json']), source, target };
    await until(() => phase.isReached(running), running.command);
    await act(running);
    // What the proxy still holds is let go of by no server.
    const { exitCode, report, stderr } = await migrateIn(preload('quick-time.mjs'), args);
    expect({ exitCode, refused: refusals(report) }, stderr).toEqual({ exitCode: 0, refused: [] });
    expect(compareDumps(await dumpAccount(from), await dumpAccount(to), { order: false })).toEqual([]);
  }

  test.concurrent.each(cases)('$signal while $phase ends the run within five seconds', async ({ signal, ...phase }) => {
    await interrupt(phase, async ({ command }) => {
      const sentAt = performance.now();
      command.kill(signal);
      const { code } = await command.ended;
      const tookMs = performance.now() - sentAt;
      const exitCode = codes[signal];
      const last = command.events.at(-1);
      expect({ code, last }, command.stderr).toMatchObject({ code: exitCode, last: { event: 'exit', exitCode } });
      expect(command.events).toContainEqual(expect.objectContaining({ event: 'stopping', signal }));
      expect(tookMs).toBeLessThan(endsWithinMs);
    });
  });

  test('a second one ends it at once', async () => {
    const phase = { phase: 'copying', target: silentAt('APPEND', 2), isReached: targetIsSilent };
    await interrupt(phase, async ({ command }) => {
      command.kill('SIGINT');
      await command.event(({ event }) => event === 'stopping');
      const sentAt = performance.now();
      command.kill('SIGINT');
      const { code } = await command.ended;
      expect(code).toBe(codes.SIGINT);
      expect(performance.now() - sentAt).toBeLessThan(endsAtOnceMs);
    });
  });
});

/** Waits for a condition. @throws when the command ends before, or nothing happens */
async function until(isSo: () => boolean, command: RunningCommand): Promise<void> {
  const deadline = performance.now() + patienceMs;
  let hasEnded = false;
  void command.ended.then(() => {
    hasEnded = true;
  });
  while (!isSo()) {
    if (hasEnded || performance.now() > deadline) {
      command.kill('SIGKILL');
      throw new Error(`the command never came to it:\n${command.stdout.slice(-3000)}\n${command.stderr.slice(-3000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
