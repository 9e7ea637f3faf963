import { describe, expect, it } from 'vitest';
import { accountLabel } from '../src/account.ts';
import type { JobEvent } from '../src/job.ts';
import { readJournalStatus } from '../src/journal-status.ts';
import { fillDemoAccount, type NewMessage, randomSplitter, type SandboxAccount } from '../src/sandbox/index.ts';
import { contents, Engine, multisets, password } from './support/engine.ts';

const date = '01-Feb-2020 10:00:00 +0200';
const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: date,
  ...more,
});

function fill(account: SandboxAccount, messages: number): void {
  for (let n = 1; n <= messages; n++) account.inbox.append(message(n));
}

function expunge(account: SandboxAccount, ...uids: number[]): void {
  account.inbox.expunge(account.inbox.messages.filter(({ uid }) => uids.includes(uid)));
}

const bodyCommands = (commands: readonly string[]) => commands.filter((name) => /FETCH|APPEND/.test(name));

describe('a copy', () => {
  it('of a whole account is exact, in order, and verified', async () => {
    using engine = new Engine();
    fillDemoAccount(engine.source);
    const { report } = await engine.run();
    expect(report).toMatchObject({ verdict: 'complete', exitCode: 0, refused: 0, keptOrder: true });
    expect(contents(engine.target)).toEqual(contents(engine.source));
    expect(await engine.verify()).toMatchObject({ verdict: 'identical', exitCode: 0, differences: [] });
  });

  it('is the same however the servers cut their bytes', async () => {
    using engine = new Engine({ split: randomSplitter(7, 40) });
    fill(engine.source, 150);
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('sends INTERNALDATE exactly as it came', async () => {
    using engine = new Engine();
    engine.source.inbox.append(message(1, { internalDate: ' 7-Feb-1994 22:43:04 -0800' }));
    await engine.run();
    expect(engine.target.inbox.messages.map(({ internalDate }) => internalDate)).toEqual([
      ' 7-Feb-1994 22:43:04 -0800',
    ]);
  });

  it('carries subscriptions, special uses and empty folders', async () => {
    using engine = new Engine();
    engine.source.createMailbox(['Gesendet'], { specialUse: ['\\Sent'], subscribed: true });
    engine.source.createMailbox(['Leer']);
    await engine.run();
    expect(engine.target.mailbox(['Gesendet']).specialUse).toEqual(['\\Sent']);
    expect(engine.target.mailbox(['Leer']).messages).toEqual([]);
    expect([...engine.target.subscriptions]).toEqual(['Gesendet']);
  });

  it('finds messages at sparse UIDs', async () => {
    using engine = new Engine();
    for (const uid of [5, 4_000_000_000, 70_000]) {
      if (uid > (engine.source.inbox.messages.at(-1)?.uid ?? 0)) engine.source.inbox.append(message(uid, { uid }));
    }
    const { report } = await engine.run();
    expect(report.copied).toBe(2);
  });

  it('does not touch the source: EXAMINE and PEEK only', async () => {
    using engine = new Engine();
    fill(engine.source, 3);
    const before = contents(engine.source);
    await engine.run();
    expect(contents(engine.source)).toEqual(before);
    expect(
      engine.commands('source').filter((name) => /STORE|SELECT|CLOSE|EXPUNGE|APPEND|CREATE|SUBSCRIBE/.test(name)),
    ).toEqual([]);
  });

  it('never closes or expunges the target', async () => {
    using engine = new Engine();
    engine.target.inbox.append(message(99, { flags: ['\\Deleted'] }));
    fill(engine.source, 3);
    await engine.run();
    expect(engine.target.inbox.messages).toHaveLength(4);
    expect(engine.commands('target').filter((name) => /CLOSE|EXPUNGE|STORE/.test(name))).toEqual([]);
  });
});

describe('a second run', () => {
  it('appends nothing and sends no command for an unchanged folder', async () => {
    using engine = new Engine();
    fillDemoAccount(engine.source);
    await engine.run();
    engine.commands('source');
    engine.commands('target');
    const { report } = await engine.run();
    expect(report).toMatchObject({ verdict: 'complete', copied: 0, alreadyThere: engine.source.messageCount });
    const commands = [...engine.commands('source'), ...engine.commands('target')];
    expect(commands.filter((name) => /FETCH|APPEND|SELECT|EXAMINE|STATUS|CREATE/.test(name))).toEqual([]);
  });

  it('copies only what is new', async () => {
    using engine = new Engine();
    fill(engine.source, 20);
    await engine.run();
    engine.source.inbox.append(message(21));
    engine.commands('target');
    const { report } = await engine.run();
    expect(report).toMatchObject({ copied: 1, alreadyThere: 20 });
    expect(bodyCommands(engine.commands('target')).filter((name) => name === 'APPEND')).toHaveLength(1);
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('asks STATUS folder by folder where LIST-STATUS is refused, and still copies nothing', async () => {
    const disable = ['LIST-STATUS', 'LIST-EXTENDED'];
    using engine = new Engine({ source: { disable }, target: { disable } });
    fill(engine.source, 5);
    await engine.run();
    engine.commands('source');
    const { report } = await engine.run();
    expect(report.copied).toBe(0);
    expect(engine.commands('source').filter((name) => /FETCH/.test(name))).toEqual([]);
  });

  it('copies a folder again whose copy was deleted at the target', async () => {
    using engine = new Engine();
    engine.source.createMailbox(['A']).append(message(1));
    await engine.run();
    engine.target.removeMailbox(engine.target.mailbox(['A']));
    const { report } = await engine.run();
    expect(report.copied).toBe(1);
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});

describe('servers that lack extensions', () => {
  const lacking = [
    'MULTIAPPEND',
    'LITERAL+',
    'UIDPLUS',
    'LIST-STATUS',
    'SPECIAL-USE',
    'UNSELECT',
    'CONDSTORE',
    'NAMESPACE',
    'ID',
    'SASL-IR',
    'ESEARCH',
  ];
  const cases: [name: string, disable: string[]][] = [
    ...lacking.map((name): [string, string[]] => [
      `no ${name}`,
      name === 'SPECIAL-USE' ? [name, 'CREATE-SPECIAL-USE'] : [name],
    ]),
    [
      'none of them',
      [...lacking, 'CREATE-SPECIAL-USE', 'LIST-EXTENDED', 'STATUS=SIZE', 'QUOTA', 'ENABLE', 'CHILDREN', 'MOVE', 'IDLE'],
    ],
  ];
  it.each(cases)('%s: the copy is the same', async (_, disable) => {
    using engine = new Engine({ source: { disable }, target: { disable } });
    fillDemoAccount(engine.source);
    const { report } = await engine.run({ order: 'source' });
    expect(report).toMatchObject({ verdict: 'complete', refused: 0 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
    expect(await engine.verify()).toMatchObject({ verdict: 'identical' });
  });

  it('a folder of several batches is filled where what was examined takes no messages and cannot be left', async () => {
    using engine = new Engine({ target: { disable: ['UNSELECT', 'MULTIAPPEND'], refuseAppendToExamined: true } });
    fill(engine.source, 250);
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0, copied: 250 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it.each([
    ['with UNSELECT', []],
    ['without UNSELECT', ['UNSELECT']],
    ['without UNSELECT and UIDPLUS', ['UNSELECT', 'UIDPLUS']],
  ])('a late answer does not disturb the look into the next folder (%s)', async (_, disable) => {
    using engine = new Engine({ target: { disable } });
    const [big, small] = [engine.source.createMailbox(['Big']), engine.source.createMailbox(['Small'])];
    for (let n = 1; n <= 30; n++) big.append(message(n));
    for (let n = 11; n <= 20; n++) small.append(message(n));
    const there = engine.target.createMailbox(['Small']);
    for (let n = 11; n <= 12; n++) there.append(message(n));
    // The next folder is being compared by then.
    engine.servers.target.faults.add({ command: 'APPEND' }, { kind: 'delay', delayMs: 60, at: 'after' });
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ exitCode: 0, copied: 38, alreadyThere: 2 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('LITERAL- is used up to 4096 bytes', async () => {
    using engine = new Engine({ target: { disable: ['LITERAL+'], enable: ['LITERAL-'] } });
    engine.source.inbox.append(message(1));
    engine.source.inbox.append(message(2, { body: `Subject: big\r\n\r\n${'x'.repeat(5000)}\r\n` }));
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
    const lines = engine.servers.target.commandLog.filter(({ name }) => name === 'APPEND').map(({ line }) => line);
    expect(lines.join('\n')).toMatch(/\{\d+\+\}/);
  });

  it('several lanes share a folder where order costs round trips, and nothing is lost or doubled', async () => {
    using engine = new Engine({ target: { disable: ['MULTIAPPEND', 'LITERAL+'] } });
    fill(engine.source, 3_000);
    const { report } = await engine.run({ connections: 4 });
    expect(report).toMatchObject({ copied: 3_000, keptOrder: false });
    const connections = engine.servers.target.commandLog
      .filter(({ name }) => name === 'APPEND')
      .map(({ connection }) => connection);
    expect(new Set(connections).size).toBeGreaterThan(1);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

describe('names', () => {
  const styles = [
    { delimiter: '/', personalPrefix: '' },
    { delimiter: '.', personalPrefix: '' },
    { delimiter: '.', personalPrefix: 'INBOX.' },
    { delimiter: '/', personalPrefix: 'INBOX/' },
  ];
  const pairs = styles.flatMap((source) =>
    styles.map(
      (target) =>
        [
          `${source.personalPrefix}a${source.delimiter}b`,
          `${target.personalPrefix}a${target.delimiter}b`,
          source,
          target,
        ] as const,
    ),
  );
  it.each(pairs)('%s becomes %s', async (_, __, source, target) => {
    using engine = new Engine({ source, target });
    engine.source.inbox.append(message(1));
    for (const path of [['Arbeit'], ['Arbeit', 'Müller & Söhne'], ['日本語', '[2020]']])
      engine.source.createMailbox(path).append(message(2));
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
    expect(await engine.verify()).toMatchObject({ verdict: 'identical' });
  });
});

describe('a message that is refused', () => {
  const words = 'NO [ALERT] Message contains invalid header';
  const refuse = ({ body }: { body: Buffer }) =>
    body.includes('body 37\r\n') ? { status: 'NO' as const, text: 'Message contains invalid header' } : null;

  it('leaves its 99 neighbours untouched, and is named with the words of the server', async () => {
    using engine = new Engine({ target: { refuse } });
    fill(engine.source, 100);
    const { report } = await engine.run();
    expect(report).toMatchObject({ verdict: 'partial', exitCode: 3, copied: 99, refused: 1 });
    const [refusal] = report.folders.flatMap((folder) => folder.refused);
    expect(refusal).toMatchObject({
      folder: 'INBOX',
      uid: 37,
      code: 'NO',
      subject: '37',
      message: 'Message contains invalid header',
    });
    expect(words).toContain(refusal?.message);
    expect(report.resent).toBe(99);
    expect(engine.target.inbox.messages).toHaveLength(99);
    const known = { state: 'clean', messages: 99, intents: 0, finished: 0 };
    expect(await readJournalStatus(engine.stateDir)).toMatchObject([known]);
  });

  it('is tried again by the next run, and only it', async () => {
    let refusing = true;
    using engine = new Engine({ target: { refuse: (incoming) => (refusing ? refuse(incoming) : null) } });
    fill(engine.source, 100);
    await engine.run();
    refusing = false;
    const { report } = await engine.run();
    expect(report).toMatchObject({ verdict: 'complete', exitCode: 0, copied: 1, alreadyThere: 99 });
  });

  it('costs nothing but itself where messages go one by one', async () => {
    using engine = new Engine({ target: { refuse, disable: ['MULTIAPPEND'] } });
    fill(engine.source, 100);
    const { report } = await engine.run();
    expect(report).toMatchObject({ copied: 99, refused: 1, resent: 0 });
  });

  it('with all others of its folder costs no more than one try each', async () => {
    using engine = new Engine({ target: { refuse: () => ({ status: 'NO', text: 'we are closed' }) } });
    fill(engine.source, 1_000);
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 3, refused: 1_000 });
    expect(engine.servers.target.countCommands('APPEND')).toBeLessThan(1_700);
  });

  it('does not keep later ones from arriving, in this run or the next', async () => {
    let refusing = true;
    const isBad = (body: Buffer) => Number(/body (\d+)/.exec(body.toString())?.[1]) <= 600;
    const refuseMany = ({ body }: { body: Buffer }) =>
      refusing && isBad(body) ? { status: 'NO' as const, text: 'bad header' } : null;
    using engine = new Engine({ target: { refuse: refuseMany } });
    fill(engine.source, 900);
    expect((await engine.run()).report).toMatchObject({ copied: 300, refused: 600, exitCode: 3 });
    for (let n = 901; n <= 950; n++) engine.source.inbox.append(message(n));
    expect((await engine.run()).report).toMatchObject({ copied: 50, refused: 600 });
    refusing = false;
    expect((await engine.run()).report).toMatchObject({ copied: 600, refused: 0, exitCode: 0 });
  });

  it('by a code that means the folder ends the folder at once', async () => {
    using engine = new Engine({ target: { refuse: () => ({ status: 'NO', code: 'NOPERM', text: 'read only' }) } });
    fill(engine.source, 500);
    const { report } = await engine.run();
    expect(report.folders[0]?.refused.map(({ uid, code }) => [uid, code])).toEqual([[null, 'REFUSES']]);
    expect(engine.servers.target.countCommands('APPEND')).toBeLessThan(5);
  });

  it('for its size is known before it is sent', async () => {
    using engine = new Engine({ target: { appendLimit: 1000 } });
    fill(engine.source, 2);
    engine.source.inbox.append(message(3, { body: `Subject: big\r\n\r\n${'x'.repeat(2000)}` }));
    const { report } = await engine.run();
    expect(report).toMatchObject({ copied: 2, refused: 1, exitCode: 3 });
    expect(report.folders[0]?.refused[0]).toMatchObject({ uid: 3, code: 'TOO_BIG' });
    expect(report.resent).toBe(0);
  });
});

describe('a target that is full', () => {
  it('stops the account with exit 6, and goes on after a raise', async () => {
    using engine = new Engine();
    engine.target.quota = { storageBytes: null, messages: 30 };
    fill(engine.source, 300);
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 6, verdict: 'failed' });
    expect(report.failure?.message).toMatch(/full/);
    engine.target.quota = null;
    const second = await engine.run();
    expect(second.report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});

describe('flags', () => {
  it('the target does not keep are named with how many messages lost them', async () => {
    using engine = new Engine({ target: { keepKeywords: false, unknownFlags: 'refuse' } });
    engine.source.inbox.append(message(1, { flags: ['\\Seen', '$Forwarded', 'Work'] }));
    engine.source.inbox.append(message(2, { flags: ['Work'] }));
    const { report } = await engine.run();
    expect(report).toMatchObject({ copied: 2, exitCode: 0 });
    expect(report.folders[0]?.lostFlags).toEqual({ $Forwarded: 1, Work: 2 });
  });
});

describe('a keyword that no client may send', () => {
  it('is lost and named; its message and all others arrive', async () => {
    using engine = new Engine();
    engine.source.inbox.append(message(1, { flags: ['50%', '\\Seen'] }));
    engine.source.inbox.append(message(2, { flags: ['Pri\xf6'] }));
    engine.source.createMailbox(['B']).append(message(3));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 3 });
    expect(report.folders.find(({ source }) => source === 'INBOX')?.lostFlags).toEqual({ '50%': 1, 'Pri\xf6': 1 });
  });
});

describe('a target that ignores dates', () => {
  it('is noticed and named', async () => {
    using engine = new Engine({ target: { keepDates: false } });
    fill(engine.source, 3);
    const { report } = await engine.run();
    expect(report.warnings.join()).toMatch(/does not keep the date/);
  });

  it('is not suspected when it keeps them', async () => {
    using engine = new Engine({ target: { dateZone: 'utc' } });
    fill(engine.source, 3);
    const { report } = await engine.run();
    expect(report.warnings).toEqual([]);
  });
});

describe('a source that moves', () => {
  it('refuses a part of its list: that folder fails, and no other folder gets its messages', async () => {
    using engine = new Engine();
    const first = engine.source.createMailbox(['AAA']);
    for (let n = 1; n <= 2_500; n++)
      first.append(message(n, { body: `Subject: ${n}\r\n\r\n${'a'.repeat(n <= 500 ? 20_000 : 20)}` }));
    const second = engine.source.createMailbox(['BBB']);
    for (let n = 1; n <= 2_100; n++) second.append(message(10_000 + n));
    engine.servers.source.faults.add(
      { command: 'FETCH', nth: 2 },
      { kind: 'answer', answer: { status: 'NO', text: 'try later' }, at: 'before' },
    );
    const { report } = await engine.run({ connections: 1 });
    expect(report.exitCode).toBe(3);
    expect(report.folders.find(({ source }) => source === 'AAA')?.refused.at(-1)?.message).toMatch(
      /^source .*try later/,
    );
    const subjects = new Set(first.messages.map(({ body }) => body.toString().slice(0, 20)));
    const strangers = engine.target
      .mailbox(['AAA'])
      .messages.filter(({ body }) => !subjects.has(body.toString().slice(0, 20)));
    expect(strangers).toEqual([]);
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('loses a message during the run: gone, not a failure', async () => {
    using engine = new Engine();
    fill(engine.source, 50);
    engine.servers.source.faults.add(
      // The first one is the list.
      { command: 'UID FETCH', nth: 2 },
      { kind: 'run', run: () => expunge(engine.source, 10, 11), at: 'before' },
    );
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 48, gone: 2 });
  });

  it('lists a message it will not give out: refused with its words, the neighbours arrive', async () => {
    using engine = new Engine();
    fill(engine.source, 5);
    engine.source.inbox.append(message(6, { quirk: 'error' }));
    engine.source.inbox.append(message(7, { quirk: 'nil' }));
    fill(engine.source, 2);
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 3, copied: 7, refused: 2 });
    expect(report.folders[0]?.refused.map(({ uid, code }) => [uid, code])).toEqual([
      [6, 'UNREADABLE'],
      [7, 'UNREADABLE'],
    ]);
  });

  it('reports sizes that are wrong: what it serves is what counts', async () => {
    using engine = new Engine();
    engine.source.inbox.append(message(1, { reportedSize: 0 }));
    engine.source.inbox.append(message(2, { reportedSize: 100_000 }));
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});

describe('a folder that cannot be had', () => {
  it('at the target fails alone, with the words of the server', async () => {
    using engine = new Engine({ target: { forbidCreate: (name) => (name.includes('Verboten') ? 'not here' : null) } });
    engine.source.createMailbox(['Verboten']).append(message(1));
    engine.source.createMailbox(['Gut']).append(message(2));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 3, verdict: 'partial', copied: 1 });
    const refusal = report.folders.flatMap((folder) => folder.refused)[0];
    expect(refusal).toMatchObject({ folder: 'Verboten', uid: null, code: 'CREATE' });
    expect(refusal?.message).toMatch(/not here/);
  });
});

describe('a lost connection', () => {
  it.each([1, 2, 3, 5])('to the source, in fetch %i, costs neither a message nor a double', async (nth) => {
    using engine = new Engine();
    fill(engine.source, 700);
    engine.source.createMailbox(['B']).append(message(1));
    const fault = engine.servers.source.faults.add({ command: 'UID FETCH', nth }, { kind: 'cut', at: 'before' });
    const { report } = await engine.run({ connections: 1 });
    expect(fault.fired).toBe(1);
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete', copied: 701, alreadyThere: 0 });
    expect(report.warnings.join()).toMatch(/source .*begun again|begun again .*source/);
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('of one lane leaves its folders to the others', async () => {
    using engine = new Engine();
    for (const name of ['A', 'B', 'C', 'D']) {
      const mailbox = engine.source.createMailbox([name]);
      for (let n = 1; n <= 150; n++) mailbox.append(message(n));
    }
    engine.servers.source.faults.add({ command: 'EXAMINE', nth: 2 }, { kind: 'cut', at: 'before' });
    const { report } = await engine.run({ connections: 3 });
    expect(report).toMatchObject({ exitCode: 0, copied: 600 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});

describe('a login', () => {
  it('that is refused ends the job with exit 5 after one attempt, without the password in any word', async () => {
    using engine = new Engine();
    engine.target.password = 'other';
    await expect(engine.run()).rejects.toMatchObject({ exitCode: 5, message: expect.not.stringContaining(password) });
    expect(engine.target.failedLogins).toBe(1);
  });

  it('that only the second lane is refused costs a lane, not the job', async () => {
    using engine = new Engine({ target: { maxConnections: 1 } });
    fill(engine.source, 300);
    engine.source.createMailbox(['B']).append(message(1));
    const { report } = await engine.run({ connections: 3 });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(report.warnings.join()).toMatch(/one connection fewer/);
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('that only the second lane is refused is no trouble where nobody asked for a second one', async () => {
    using engine = new Engine({ target: { maxConnections: 1 } });
    fill(engine.source, 300);
    engine.source.createMailbox(['B']).append(message(1));
    const { report, events } = await engine.run({ connections: 'auto' });
    const reason = expect.stringMatching(/^another one was refused: target .*Maximum number of connections/);
    expect(report).toMatchObject({ exitCode: 0, warnings: [], connections: { most: 1, reason } });
    expect(events.filter(({ kind }) => kind === 'connections')).toEqual([
      { kind: 'connections', connections: 2, reason: 'there is nothing to do for more' },
      { kind: 'connections', connections: 1, reason },
    ]);
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('that is refused to all but the first lane is tried by two, however many were asked for', async () => {
    using engine = new Engine();
    for (const name of ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']) engine.source.createMailbox([name]).append(message(1));
    const onEvent = ({ kind }: JobEvent) => {
      if (kind === 'planned') engine.target.password = 'other';
    };
    const { report } = await engine.run({ connections: 8 }, { onEvent });
    expect(report).toMatchObject({ exitCode: 0, copied: 8 });
    expect(engine.target.failedLogins).toBe(2);
  });
});

describe('a dry run', () => {
  it('writes nothing on either side and tells the plan', async () => {
    using engine = new Engine();
    fillDemoAccount(engine.source);
    const { events } = await engine.run({ dryRun: true });
    const plan = events.find(
      (event): event is Extract<JobEvent, { kind: 'planned' }> => event.kind === 'planned',
    )?.plan;
    expect(plan?.folders.length).toBeGreaterThan(5);
    expect(engine.target.messageCount).toBe(0);
    expect(engine.commands('target').filter((name) => /CREATE|SUBSCRIBE|APPEND|SELECT/.test(name))).toEqual([]);
  });

  it('shows a collision as an error, and the run stops before the first write', async () => {
    using engine = new Engine();
    engine.source.createMailbox(['A']).append(message(1));
    engine.source.createMailbox(['B']).append(message(2));
    const { report } = await engine.run({
      mapping: { map: [{ from: 'A', to: 'B' }], include: [], exclude: [], mapSpecialUse: true },
    });
    expect(report).toMatchObject({ exitCode: 2, verdict: 'failed', failure: { code: 'COLLISION' } });
    expect(engine.target.messageCount).toBe(0);
  });
});

describe('a stop', () => {
  it('finishes what is in flight, and the next run completes it', async () => {
    using engine = new Engine();
    fill(engine.source, 2_000);
    const stop = new AbortController();
    const onEvent = (event: JobEvent) => {
      if (event.kind === 'folder-started') stop.abort();
    };
    const { report } = await engine.run({}, { signal: stop.signal, onEvent });
    expect(report).toMatchObject({ verdict: 'stopped', exitCode: 130 });
    expect(report.copied).toBeLessThan(500);
    expect(engine.target.inbox.messages).toHaveLength(report.copied);
    await engine.run();
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});

describe('a stop in the middle', () => {
  it('leaves nothing open: what was stored is known, and what was about to be sent is known not to be', async () => {
    using engine = new Engine();
    fill(engine.source, 2_000);
    const stop = new AbortController();
    const { faults } = engine.servers.target;
    faults.add({ command: 'APPEND', nth: 3 }, { kind: 'run', run: () => stop.abort(), at: 'before' });
    const { report } = await engine.run({ connections: 1 }, { signal: stop.signal });
    expect(report).toMatchObject({ verdict: 'stopped', exitCode: 130 });
    expect(report.copied).toBeGreaterThanOrEqual(200);
    expect(report.copied).toBeLessThan(2_000);
    expect(engine.target.inbox.messages).toHaveLength(report.copied);
    const known = { state: 'clean', messages: report.copied, intents: 0 };
    expect(await readJournalStatus(engine.stateDir)).toMatchObject([known]);
  });
});

describe('a signal that came before the job', () => {
  it('stops it before the first connection', async () => {
    using engine = new Engine();
    fill(engine.source, 5);
    const { report } = await engine.run({}, { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ verdict: 'stopped', exitCode: 130, copied: 0 });
    expect(engine.servers.source.connectionCount).toBe(0);
  });

  it.each(['connected', 'planned'] as const)('or while it is being %s ends it as a stop', async (kind) => {
    using engine = new Engine();
    fill(engine.source, 5);
    const stop = new AbortController();
    const { report } = await engine.run(
      {},
      { signal: stop.signal, onEvent: (event) => event.kind === kind && stop.abort() },
    );
    expect(report).toMatchObject({ verdict: 'stopped', exitCode: 130, copied: 0 });
  });
});

describe('two accounts behind one administrator', () => {
  it('have a journal each', async () => {
    using engine = new Engine();
    fill(engine.source, 5);
    const { source, target } = engine.settings();
    const labels = ['bob', 'carol'].map((authorizationId) => accountLabel({ ...source, authorizationId }));
    expect(new Set(labels).size).toBe(2);
    expect(accountLabel({ ...target, command: 'ssh a imapd' })).not.toBe(
      accountLabel({ ...target, command: 'ssh b', file: 'b.ini' }),
    );
  });
});

describe('verify', () => {
  it('finds exactly what was planted', async () => {
    using engine = new Engine();
    for (let n = 1; n <= 200; n++) engine.source.inbox.append(message(n, { flags: n % 2 ? ['\\Seen'] : [] }));
    await engine.run();
    const { inbox } = engine.target;
    const bodyOf = (uid: number) => inbox.messages.find((stored) => stored.uid === uid)?.body ?? Buffer.alloc(0);
    inbox.append({ body: bodyOf(20), internalDate: date });
    const changed = Buffer.from(bodyOf(30));
    changed[changed.length - 4] = 0x21;
    inbox.append({ body: changed, internalDate: date });
    inbox.append({ body: bodyOf(41), internalDate: date, flags: ['\\Seen', 'Work'] });
    inbox.append({ body: bodyOf(51), internalDate: '02-Feb-2020 10:00:00 +0200', flags: ['\\Seen'] });
    expunge(engine.target, 10, 30, 41, 51);
    const { verdict, exitCode, differences } = await engine.verify();
    expect({ verdict, exitCode }).toEqual({ verdict: 'different', exitCode: 7 });
    expect(differences.map(({ kind, sourceUid }) => [kind, sourceUid]).sort()).toEqual(
      [
        ['missing', 10],
        ['extra', null],
        ['content', 30],
        ['flags', 41],
        ['date', 51],
      ].sort(),
    );
  });

  it('reads no body without --digest', async () => {
    using engine = new Engine();
    fill(engine.source, 20);
    await engine.run();
    engine.servers.source.commandLog.length = 0;
    expect(await engine.verify({ digest: false })).toMatchObject({ verdict: 'identical', compared: 20 });
    expect(engine.servers.source.commandLog.filter(({ line }) => /BODY(\.PEEK)?\[\]/.test(line))).toEqual([]);
  });
});
