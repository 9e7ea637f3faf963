import { describe, expect, it } from 'vitest';
import type { EngineHooks, SignalName } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';
import { createFakeIo, type FakeIo, makeFolder, makeProgress, makeReport, makeVerifyReport } from './fake-io.ts';

/** Runs a job during which `during` happens; it ends as stopped where it was told to stop. */
async function runWith(during: (io: FakeIo, hooks: EngineHooks) => void, argv: readonly string[] = ['a', 'b']) {
  const io = createFakeIo({
    async migrate(_settings, hooks) {
      during(io, hooks);
      const stopped = hooks.signal.aborted;
      return makeReport([makeFolder()], { verdict: stopped ? 'stopped' : 'complete', exitCode: stopped ? 130 : 0 });
    },
  });
  return { io, exitCode: await runCli(argv, io) };
}

describe('a first signal', () => {
  it.each([
    ['SIGINT', 130, true],
    ['SIGTERM', 143, false],
  ] as const)('%s lets the job finish what is in flight and says so', async (name, code, mentionsKey) => {
    const { io, exitCode } = await runWith((io, hooks) => {
      expect(hooks.signal.aborted).toBe(false);
      expect(io.send(name)).toBe(true);
      expect(hooks.signal.aborted).toBe(true);
    });
    expect(exitCode).toBe(code);
    expect(io.exits).toEqual([]);
    expect(io.stderr.text).toMatch(
      /^Stopping: what is in flight is finished first.*run the same command again to go on\.$/m,
    );
    expect(io.stderr.text.includes('Press Ctrl-C again')).toBe(mentionsKey);
    expect(io.stderr.text).toMatch(/^! stopped: /m);
  });

  it('is told in JSON', async () => {
    const { io } = await runWith((io) => io.send('SIGTERM'), ['a', 'b', '--json']);
    expect(io.stdout.lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ event: 'stopping', signal: 'SIGTERM' }),
    );
    expect(JSON.parse(io.stdout.lines.at(-1) ?? '')).toMatchObject({ event: 'exit', exitCode: 143 });
  });

  it('changes nothing about a job that came to its end all the same', async () => {
    const io = createFakeIo({
      async migrate() {
        io.send('SIGINT');
        return makeReport([makeFolder()]);
      },
    });
    expect(await runCli(['a', 'b'], io)).toBe(0);
  });

  it('makes a comparison prove nothing', async () => {
    const io = createFakeIo({
      async verify() {
        io.send('SIGINT');
        return makeVerifyReport();
      },
    });
    expect(await runCli(['verify', 'a', 'b'], io)).toBe(130);
    expect(io.stderr.text).toContain('stopped: 3 messages in 1 folder compared so far, nothing is proved');
    expect(io.stderr.text).not.toContain('identical');
  });

  it('keeps check from going on to the next account', async () => {
    const checked: string[] = [];
    const io = createFakeIo({
      async checkAccount(account) {
        checked.push(account.file);
        io.send('SIGINT');
        throw new Error('aborted');
      },
    });
    expect(await runCli(['check', 'a', 'b'], io)).toBe(130);
    expect(checked).toEqual(['a']);
  });
});

describe('a second signal', () => {
  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('%s, then %s ends the process at once', async (first, second, code) => {
    const { io } = await runWith((io) => {
      io.send(first);
      io.send(second);
      expect(io.exits).toEqual([code]);
    });
    expect(io.stderr.text).toContain('Stopped at once.');
  });

  it('is not needed where the job does not come to its end within five seconds', async () => {
    const { io } = await runWith((io) => {
      io.send('SIGTERM');
      io.clock.advance(4_500);
      expect(io.exits).toEqual([]);
      io.clock.advance(500);
      expect(io.exits).toEqual([143]);
    });
    expect(io.stderr.text).toContain('Stopped at once.');
  });

  it('leaves no timer behind', async () => {
    const { io } = await runWith((io) => io.send('SIGINT'));
    expect(io.clock.pending).toBe(0);
    expect(io.exits).toEqual([]);
  });

  it('gives the terminal back before', async () => {
    const io = createFakeIo(
      {
        async migrate(_settings, hooks) {
          hooks.onEvent({ kind: 'progress', progress: makeProgress() });
          io.send('SIGINT');
          io.send('SIGINT');
          expect(io.stderr.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(io.stderr.text.lastIndexOf('\u001b[?25l'));
          return makeReport([makeFolder()], { verdict: 'stopped', exitCode: 130 });
        },
      },
      { tty: true },
    );
    await runCli(['a', 'b'], io);
  });
});

describe('signals outside a job', () => {
  const listening = (io: FakeIo) =>
    (['SIGINT', 'SIGTERM', 'SIGUSR1'] as const).filter((name: SignalName) => io.send(name));

  it('do what they always do while accounts are read, and after the end', async () => {
    const io = createFakeIo({
      async loadAccount() {
        expect(listening(io)).toEqual(['SIGUSR1']);
        throw new Error('enough');
      },
    });
    await runCli(['a', 'b'], io);
    expect(listening(io)).toEqual([]);
  });
});

describe('SIGUSR1', () => {
  it('prints where the job stands, even to a quiet one', async () => {
    const { io } = await runWith(
      (io, hooks) => {
        io.send('SIGUSR1');
        hooks.onEvent({ kind: 'progress', progress: makeProgress() });
        io.send('SIGUSR1');
      },
      ['a', 'b', '--quiet'],
    );
    expect(io.stderr.lines).toEqual([
      'status: nothing copied yet',
      expect.stringMatching(/^status: 240 of 1,000 messages \(24 %\)/),
    ]);
  });
});
