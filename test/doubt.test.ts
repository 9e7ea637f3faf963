import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../src/job.ts';
import type { NewMessage, SandboxMailbox } from '../src/sandbox/index.ts';
import { Engine, multisets } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  ...more,
});

function fill(mailbox: SandboxMailbox, count = 3, more: Partial<NewMessage> = {}): void {
  for (let n = 1; n <= count; n++) mailbox.append(message(n, more));
}

/** Runs `change` when both sides have been listed and nothing else was done. */
const whenPlanned = (change: () => void) => ({
  onEvent: (event: JobEvent) => {
    if (event.kind === 'planned') change();
  },
});

const unavailable = { kind: 'answer', answer: { status: 'NO', text: '[UNAVAILABLE] try later' } } as const;
const first = (mailbox: SandboxMailbox) => {
  const [message] = mailbox.messages;
  if (message === undefined) throw new RangeError('the folder is empty');
  return message;
};

describe('what a target holds', () => {
  it('is not taken for granted when its folder is made anew between the listing and the copy', async () => {
    using engine = new Engine();
    const work = engine.source.createMailbox('Work');
    fill(work);
    await engine.run();
    work.append(message(4));
    const change = () => {
      engine.target.removeMailbox(engine.target.mailbox('Work'));
      engine.target.createMailbox('Work');
    };
    expect((await engine.run({}, whenPlanned(change))).report.exitCode).toBe(3);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 4 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('is looked up where STATUS is refused for once', async () => {
    using engine = new Engine({ target: { disable: ['LIST-STATUS'] } });
    fill(engine.source.inbox);
    fill(engine.target.inbox);
    engine.servers.target.faults.add({ command: 'STATUS' }, unavailable);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 3 });
    engine.source.inbox.changeUidValidity();
    engine.servers.target.faults.add({ command: 'STATUS' }, unavailable);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0 });
    expect(engine.target.inbox.messages).toHaveLength(3);
  });

  it('is adopted where its folder turns up only when it is to be made', async () => {
    using engine = new Engine();
    fill(engine.source.createMailbox('Work'));
    const { report } = await engine.run(
      {},
      whenPlanned(() => fill(engine.target.createMailbox('Work'))),
    );
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 3 });
    expect(engine.target.mailbox('Work').messages).toHaveLength(3);
  });

  it.each(['STATUS', 'EXAMINE'])('stays in doubt while the target does not tell: %s refused', async (also) => {
    using engine = new Engine();
    fill(engine.source.inbox);
    const { faults } = engine.servers.target;
    faults.add({ command: 'APPEND' }, { kind: 'cut', at: 'after' });
    const refusals = ['STATUS', also].map((command) =>
      faults.add({ command, times: Number.POSITIVE_INFINITY }, unavailable),
    );
    await engine.run({ connections: 1 });
    expect(engine.target.inbox.messages).toHaveLength(3);
    for (const refusal of refusals) refusal.disarm();
    expect((await engine.run()).report.exitCode).toBe(0);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('can be added to where every look gives other UIDs', async () => {
    using engine = new Engine({ target: { disable: ['UIDPLUS'], uidNotSticky: true } });
    fill(engine.source.inbox);
    fill(engine.target.inbox, 2);
    await engine.run();
    engine.source.inbox.append(message(4));
    engine.source.inbox.setFlags(first(engine.source.inbox), ['\\Flagged']);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 1, flagsChanged: 1 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

describe('a flag that changed', () => {
  it('arrives although the source counts its changes from the start again', async () => {
    using engine = new Engine();
    const work = engine.source.createMailbox('Work');
    fill(work);
    for (let n = 0; n < 20; n++) work.setFlags(first(work), n % 2 === 0 ? ['\\Seen'] : []);
    await engine.run();
    const { uidValidity } = work;
    engine.source.removeMailbox(work);
    const again = engine.source.createMailbox('Work', { uidValidity });
    for (let n = 1; n <= 3; n++) again.append(message(n, { flags: n === 1 ? ['\\Flagged'] : [] }));
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0, flagsChanged: 1 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('arrives with mirror after a run with once', async () => {
    using engine = new Engine();
    fill(engine.source.inbox);
    await engine.run();
    engine.source.inbox.setFlags(first(engine.source.inbox), ['\\Flagged']);
    engine.source.inbox.append(message(4));
    await engine.run({ flags: 'once' });
    expect((await engine.run()).report.flagsChanged).toBe(1);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it.each([[[]], [['CONDSTORE']]])(
    'is removed by mirror after a run with merge (source without %j)',
    async (disable) => {
      using engine = new Engine({ source: { disable } });
      fill(engine.source.inbox, 3, { flags: ['\\Flagged'] });
      await engine.run();
      engine.source.inbox.setFlags(first(engine.source.inbox), ['\\Seen']);
      await engine.run({ flags: 'merge' });
      expect([...first(engine.target.inbox).flags].sort()).toEqual(['\\Flagged', '\\Seen']);
      engine.source.inbox.append(message(9));
      await engine.run({ flags: 'mirror' });
      expect(multisets(engine.target)).toEqual(multisets(engine.source));
    },
  );

  it('and that the target does not keep is named, and not counted', async () => {
    using engine = new Engine({ target: { keepKeywords: false } });
    fill(engine.source.inbox);
    await engine.run();
    engine.source.inbox.setFlags(first(engine.source.inbox), ['$Foo']);
    const { report } = await engine.run();
    expect(report.flagsChanged).toBe(0);
    expect(report.folders[0]?.notes.join()).toContain('$Foo');
  });

  it('in a folder that waits while the account becomes full is no internal error', async () => {
    let full = false;
    const refusal = { status: 'NO', text: '[OVERQUOTA] full' } as const;
    using engine = new Engine({ target: { refuse: ({ mailbox }) => (full && mailbox === 'A' ? refusal : null) } });
    const [a, b] = [engine.source.createMailbox('A'), engine.source.createMailbox('B')];
    fill(a);
    fill(b, 30);
    await engine.run();
    full = true;
    a.append(message(4));
    b.setFlags(first(b), ['\\Flagged']);
    const matches = (line: string) => line.includes('FLAGS') && !line.includes('BODY');
    engine.servers.source.faults.add({ command: 'UID FETCH', matches }, { kind: 'delay', delayMs: 300 });
    expect((await engine.run({ connections: 2 })).report.exitCode).toBe(6);
  });
});
