import { cpSync, rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openJournal } from '../src/journal/index.ts';
import type { OpenedFolder } from '../src/journal/types.ts';
import type { FaultAction, FaultTrigger, NewMessage, SandboxAccount, SandboxOptions } from '../src/sandbox/index.ts';
import { Engine, multisets, needless, within } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  ...more,
});

/** A few hundred messages with twins, some of which differ in flags, and messages without a Message-ID. */
function fill(account: SandboxAccount): void {
  for (let n = 1; n <= 230; n++) account.inbox.append(message(n));
  for (let n = 1; n <= 3; n++) account.inbox.append(message(7, { flags: n === 2 ? ['\\Seen'] : [] }));
  for (let n = 1; n <= 2; n++)
    account.inbox.append({ body: 'no header at all\r\n', internalDate: '01-Feb-2021 10:00:00 +0000' });
}

const appends = (engine: Engine) => engine.commands('target').filter((name) => name === 'APPEND').length;

const source = { disable: needless };
const targets: [name: string, disable: string[], more: SandboxOptions][] = [
  ['everything', [], {}],
  ['no UIDPLUS', ['UIDPLUS'], {}],
  ['no MULTIAPPEND', ['MULTIAPPEND'], {}],
  ['no LITERAL+', ['LITERAL+'], {}],
  ['none of them', ['UIDPLUS', 'MULTIAPPEND', 'LITERAL+'], {}],
  ['no MULTIAPPEND, committing at the last octet', ['MULTIAPPEND', 'LITERAL+'], { commitAtLastOctet: true }],
  ['a MULTIAPPEND that is not atomic', [], { commitAtLastOctet: true }],
];

describe('an APPEND whose answer never came', () => {
  const points: [name: string, action: FaultAction][] = [
    ['before it began', { kind: 'cut', at: 'before' }],
    ['in the middle of a literal', { kind: 'cut', at: { literal: 1, octets: 20 } }],
    ['at the end of a literal', { kind: 'cut', at: { literal: 1, octets: Number.POSITIVE_INFINITY } }],
    ['when it was done and not answered', { kind: 'cut', at: 'after' }],
    ['in the middle of its answer', { kind: 'cut', at: { answerOctets: 5 } }],
    ['with a BYE when it was done', { kind: 'bye', text: 'going down', at: 'after' }],
  ];
  const cases = points.flatMap(([when, action]) =>
    targets.map(([target, disable, more]) => [when, target, action, disable, more] as const),
  );
  it.each(cases)(
    '%s, at a target with %s, costs neither a message nor a double',
    async (_, __, action, disable, more) => {
      using engine = new Engine({ source, target: { disable: [...needless, ...disable], ...more }, settleMs: 20 });
      fill(engine.source);
      const faults = [2, 5].map((nth) => engine.servers.target.faults.add({ command: 'APPEND', nth }, action));
      const { report } = await engine.run({ connections: 1 });
      expect(faults[0]?.fired).toBe(1);
      expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
      expect(multisets(engine.target)).toEqual(multisets(engine.source));
      engine.commands('target');
      expect((await engine.run()).report).toMatchObject({ copied: 0, exitCode: 0 });
      expect(appends(engine)).toBe(0);
      expect(multisets(engine.target)).toEqual(multisets(engine.source));
    },
  );

  it('in a run that could not go on is settled by the next', async () => {
    using engine = new Engine();
    for (let round = 0; round < 4; round++) fill(engine.source);
    const fault = engine.servers.target.faults.add(
      { command: 'APPEND', times: Number.POSITIVE_INFINITY },
      { kind: 'cut', at: 'after' },
    );
    const { report } = await engine.run({ connections: 1 });
    expect(report.exitCode).toBe(4);
    fault.disarm();
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('does not take what was there before for its own, however much alike', async () => {
    using engine = new Engine({ source, target: { disable: needless } });
    engine.source.inbox.append(message(1));
    expect((await engine.run()).report).toMatchObject({ copied: 1, exitCode: 0 });
    for (const account of [engine.source, engine.target]) account.inbox.append(message(2));
    const cut = engine.servers.target.faults.add({ command: 'APPEND' }, { kind: 'cut', at: 'before' });
    const { report } = await engine.run();
    expect(cut.fired).toBe(1);
    expect(report).toMatchObject({ copied: 1, exitCode: 0 });
    expect(multisets(engine.target).INBOX).toHaveLength(3);
  });

  it('does not take mail of others for its own', async () => {
    using engine = new Engine();
    fill(engine.source);
    const { target } = engine;
    engine.servers.target.faults.add(
      { command: 'APPEND', nth: 2 },
      { kind: 'run', run: () => void target.inbox.append(message(5_000)), at: 'before' },
    );
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'cut', at: 'before' });
    await engine.run({ connections: 1 });
    expect(target.inbox.messages).toHaveLength(engine.source.messageCount + 1);
  });
});

describe('a lane that is lost while the journal is opening the folder it has listed', () => {
  it('leaves the folder to another, which copies all of it, once', async () => {
    using engine = new Engine({ source, target: { disable: needless } });
    const archive = engine.source.createMailbox('Archive');
    for (let n = 1; n <= 3; n++) {
      engine.source.inbox.append(message(n));
      archive.append(message(n));
    }
    const cut = engine.servers.source.faults.add({ command: 'EXAMINE', nth: 2 }, { kind: 'cut', at: 'before' });
    let begunAgain = () => {};
    const isBegunAgain = new Promise<void>((resolve) => {
      begunAgain = resolve;
    });
    const { report } = await within(
      10_000,
      engine.run(
        { connections: 1 },
        {
          onEvent: (event) => event.kind === 'warning' && /begun again/.test(event.message) && begunAgain(),
          openJournal: async (...args) => {
            const journal = await openJournal(...args);
            const openFolder = journal.openFolder.bind(journal);
            return Object.assign(journal, {
              openFolder: async (folder: OpenedFolder) => {
                await isBegunAgain;
                // Long enough for another lane to log in and to get the folder, if it were given out already.
                for (let turn = 0; turn < 2_000; turn++) await setImmediate();
                return openFolder(folder);
              },
            });
          },
        },
      ),
    );
    expect(cut.fired).toBe(1);
    expect(report).toMatchObject({ exitCode: 0, copied: 6, alreadyThere: 0 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

it('a thread that dies while others are joining has no work any more', async () => {
  using engine = new Engine({ source, target: { disable: needless } });
  for (let n = 1; n <= 300; n++) engine.source.inbox.append(message(n));
  for (const name of ['2024', '2025']) engine.source.createMailbox(name).append(message(1));
  const run = () => engine.killLane(0);
  const killed = engine.servers.target.faults.add({ command: 'APPEND' }, { kind: 'run', run, at: 'before' });
  let begunAgain = () => {};
  const isBegunAgain = new Promise<void>((resolve) => {
    begunAgain = resolve;
  });
  let connections = 0;
  const { report } = await within(
    10_000,
    engine.run(
      { connections: 3 },
      {
        onEvent: (event) => event.kind === 'warning' && /begun again/.test(event.message) && begunAgain(),
        connect: async (account, clock) => {
          connections++;
          if (connections > 2) await isBegunAgain;
          return engine.connect(account, clock);
        },
      },
    ),
  );
  expect(killed.fired).toBe(1);
  expect(report.exitCode).toBe(0);
  expect(report.copied + report.alreadyThere).toBe(302);
  expect(multisets(engine.target)).toEqual(multisets(engine.source));
});

describe('a target that falls silent', () => {
  const silences: [when: string, action: FaultAction, released: boolean][] = [
    ['when it has stored the messages', { kind: 'drop-tagged' }, false],
    ['when it has stored the messages, for all that follows', { kind: 'stall', at: 'after' }, false],
    ['before it stores anything', { kind: 'stall', at: 'before' }, false],
    ['in the middle of a literal', { kind: 'stall', at: { literal: 1, octets: 20 } }, false],
    ['in the middle of its answer', { kind: 'stall', at: { answerOctets: 5 } }, false],
    ['and stores the messages when the client has long gone', { kind: 'stall', at: 'before' }, true],
  ];
  const cases = silences.flatMap(([when, action, released]) =>
    targets.map(([target, disable, more]) => [when, target, action, released, disable, more] as const),
  );
  it.each(cases)(
    '%s, with %s, costs neither a message nor a double',
    async (_, __, action, released, disable, more) => {
      using engine = new Engine({
        source,
        target: { disable: [...needless, ...disable], ...more },
        idleMs: 40,
        settleMs: 10,
      });
      fill(engine.source);
      const { faults } = engine.servers.target;
      const silence = faults.add({ command: 'APPEND', nth: 2 }, action);
      const arrives = { kind: 'run', run: () => silence.release(), at: 'after' } as const;
      if (released) faults.add({ command: 'STATUS' }, arrives);
      const { report } = await engine.run({ connections: 1 });
      expect(silence.fired).toBe(1);
      expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
      expect(report.copied + report.alreadyThere).toBe(engine.source.messageCount);
      expect(report.warnings.join()).toMatch(/begun again after a lost connection: target .* no sign of life/);
      expect(multisets(engine.target)).toEqual(multisets(engine.source));
    },
  );
});

describe('a journal as a crash left it', () => {
  it.each([
    ['with UIDPLUS', []],
    ['without UIDPLUS', ['UIDPLUS']],
  ])('is brought up to the target, twins included (%s)', async (_, disable) => {
    using engine = new Engine({ target: { disable } });
    for (let round = 0; round < 3; round++) fill(engine.source);
    const crashed = `${engine.stateDir}-crashed`;
    // What is on the disk at this moment is what a kill -9 would leave: the run goes on, its journal stays behind.
    const run = () => cpSync(engine.stateDir, crashed, { recursive: true });
    engine.servers.target.faults.add({ command: 'APPEND', nth: 4 }, { kind: 'run', run, at: 'before' });
    await engine.run({ connections: 1 });
    const { inbox } = engine.target;
    inbox.expunge(inbox.messages.filter((_message, index) => index >= 400 && index % 3 === 0));
    const { report } = await engine.run({ stateDir: crashed });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    rmSync(crashed, { recursive: true });
  });
});

describe('a journal that is gone', () => {
  it('is made anew from what the target holds: nothing is appended, and what is ambiguous is compared', async () => {
    using engine = new Engine();
    fill(engine.source);
    await engine.run();
    rmSync(engine.stateDir, { recursive: true });
    engine.commands('target');
    const { report } = await engine.run();
    expect(appends(engine)).toBe(0);
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: engine.source.messageCount });
    // Four equal messages under number 7, and two without any header.
    expect(report.folders[0]?.notes.join()).toMatch(
      /235 messages were at the target already \(6 of them compared byte for byte\)/,
    );
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('adopts what is there, and copies what is not', async () => {
    using engine = new Engine();
    fill(engine.source);
    for (const n of [3, 4, 7]) engine.target.inbox.append(message(n));
    engine.target.inbox.append(
      message(9, {
        body: 'Message-ID: <9@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: 9\r\n\r\nchanged\r\n',
      }),
    );
    engine.target.inbox.append(message(9_000));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 232, alreadyThere: 3 });
    expect(engine.target.inbox.messages).toHaveLength(237);
    expect((await engine.verify()).differences).toEqual([]);
  });
});

describe('an adoption', () => {
  /** Both sides hold the same mail, and no journal tells of it. */
  function fillBoth(engine: Engine, rounds: number): void {
    for (const account of [engine.source, engine.target]) for (let round = 0; round < rounds; round++) fill(account);
  }
  const asksForBodies = (line: string) => line.includes('BODY.PEEK[]');

  const moments: [when: string, fault: FaultTrigger, rounds: number][] = [
    ['while the target is listed', { command: 'FETCH' }, 1],
    ['while headers are read', { command: 'UID FETCH' }, 1],
    ['while bodies are compared', { command: 'UID FETCH', matches: asksForBodies }, 4],
  ];
  it.each(moments)(
    'that is stopped %s is continued by the next run, which appends nothing',
    async (_, fault, rounds) => {
      using engine = new Engine();
      fillBoth(engine, rounds);
      const stop = new AbortController();
      engine.servers.target.faults.add(fault, { kind: 'run', run: () => stop.abort() });
      const { report } = await engine.run({ connections: 1 }, { signal: stop.signal });
      expect(report).toMatchObject({ exitCode: 130, verdict: 'stopped', copied: 0 });
      const again = await engine.run();
      expect(again.report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: engine.source.messageCount });
      expect(appends(engine)).toBe(0);
    },
  );

  it('that ended in the middle is continued where it was', async () => {
    using engine = new Engine();
    fillBoth(engine, 1);
    const crashed = `${engine.stateDir}-crashed`;
    const run = () => cpSync(engine.stateDir, crashed, { recursive: true });
    engine.servers.target.faults.add({ command: 'UID FETCH', matches: asksForBodies }, { kind: 'run', run });
    await engine.run({ connections: 1 });
    const { report } = await engine.run({ stateDir: crashed });
    rmSync(crashed, { recursive: true });
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: engine.source.messageCount });
    // What was certain was written down before bodies were read.
    expect(report.folders[0]?.notes.join()).toMatch(
      /^6 messages were at the target already \(6 of them compared byte for byte\)/,
    );
    expect(appends(engine)).toBe(0);
  });

  it('of thousands of twins ends as soon as any other', async () => {
    using engine = new Engine();
    for (const account of [engine.source, engine.target]) {
      for (let n = 1; n <= 3_000; n++) account.inbox.append(message(1, { flags: n % 2 === 0 ? ['\\Seen'] : [] }));
      for (let n = 1; n <= 3_000; n++) account.inbox.append(message(1_000 + (n % 1_500)));
    }
    engine.source.inbox.append(message(1));
    engine.target.inbox.append(message(1_001));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 6_000 });
    expect(engine.target.messageCount).toBe(6_002);
    expect((await engine.verify()).differences).toMatchObject([{ kind: 'extra' }]);
  });
});

describe('a UIDVALIDITY that changed', () => {
  it.each(['source', 'target'] as const)('at the %s makes that folder be matched by content', async (side) => {
    using engine = new Engine();
    fill(engine.source);
    engine.source.createMailbox(['B']).append(message(1));
    await engine.run();
    engine[side].inbox.changeUidValidity();
    engine.source.inbox.append(message(500));
    engine.commands('target');
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 1 });
    expect(appends(engine)).toBe(1);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

describe('two runs on one pair', () => {
  it('at once: the second refuses with exit 8', async () => {
    using engine = new Engine();
    fill(engine.source);
    let second: Promise<unknown> | null = null;
    const onEvent = (event: { kind: string }) => {
      if (event.kind === 'planned') second ??= engine.run().catch((error: unknown) => error);
    };
    await engine.run({}, { onEvent });
    expect(await second).toMatchObject({ exitCode: 8, message: expect.stringContaining(String(process.pid)) });
  });
});
