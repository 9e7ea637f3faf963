/** Servers that push back, in their own words: what the job does, how long it waits by its clock, and what it has at the end. */
import { cpSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../src/errors.ts';
import type { JobEvent, JobReport, VerifyReport, Waiting } from '../src/job.ts';
import type { FaultAction, NewMessage, SandboxOptions } from '../src/sandbox/index.ts';
import { ManualClock } from '../src/testing/index.ts';
import { Engine, type JobRun, multisets, needless, wallClockMs } from './support/engine.ts';

const message = (n: number): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

type Answer = Extract<FaultAction, { kind: 'answer' }>['answer'];
type RunArguments = Parameters<Engine['run']>;

/** Of the FETCH commands those for whole messages; every other command. */
const isAboutMessages = (line: string): boolean => !line.includes('FETCH') || line.includes('BODY');

/** Two accounts whose time passes as fast as nothing happens: five folders of four messages. */
class Stage implements Disposable {
  readonly engine: Engine;
  readonly #clock = new ManualClock();

  constructor(
    options: {
      readonly source?: SandboxOptions;
      readonly target?: SandboxOptions;
      readonly oversizeBytes?: number;
    } = {},
  ) {
    const sandbox = (more: SandboxOptions = {}): SandboxOptions => ({ disable: needless, ...more });
    this.engine = new Engine({
      clock: this.#clock,
      settleMs: 4,
      ...(options.oversizeBytes === undefined ? {} : { oversizeBytes: options.oversizeBytes }),
      source: sandbox(options.source),
      target: sandbox(options.target),
    });
    let n = 0;
    for (const name of ['INBOX', 'a', 'b', 'c', 'd']) {
      const mailbox = name === 'INBOX' ? this.engine.source.inbox : this.engine.source.createMailbox([name]);
      for (let each = 0; each < 4; each++) mailbox.append(message(++n));
    }
  }

  /** The server answers the command so, `times` in a row. */
  answer(side: 'source' | 'target', command: string, answer: Answer, times = 1, nth = 1): void {
    this.engine.servers[side].faults.add({ command, times, nth, matches: isAboutMessages }, { kind: 'answer', answer });
  }

  bye(side: 'source' | 'target', command: string, text: string, times = 1): void {
    this.engine.servers[side].faults.add({ command, times, matches: isAboutMessages }, { kind: 'bye', text });
  }

  async run(...[settings = {}, hooks = {}]: RunArguments): Promise<JobRun> {
    return await this.#clock.during(this.engine.run({ connections: 1, ...settings }, hooks));
  }

  async verify(events: JobEvent[]): Promise<VerifyReport> {
    const hooks = { clock: this.#clock, onEvent: (event: JobEvent) => void events.push(event) };
    return await this.#clock.during(this.engine.verify({}, hooks));
  }

  expectAllCopied(report: JobReport): void {
    expect(report).toMatchObject({ verdict: 'complete', exitCode: 0, refused: 0, copied: 20 });
    expect(multisets(this.engine.target)).toEqual(multisets(this.engine.source));
  }

  [Symbol.dispose](): void {
    this.engine[Symbol.dispose]();
  }
}

const waits = ({ events }: JobRun): Waiting[] => events.flatMap((it) => (it.kind === 'waiting' ? [it.waiting] : []));

/** How long each wait was said to be, in seconds. */
const seconds = (run: JobRun): number[] => waits(run).map(({ until }) => (Date.parse(until) - wallClockMs) / 1000);

const no = (text: string, code?: string): Answer => ({ status: 'NO', text, ...(code === undefined ? {} : { code }) });
const bad = (text: string): Answer => ({ status: 'BAD', text });
const throttled = bad('Request is throttled. Suggested Backoff Time: 92415 milliseconds');
const forEver = Number.POSITIVE_INFINITY;

describe('a server that wants something later', () => {
  const commands: [side: 'source' | 'target', command: string][] = [
    ['source', 'UID FETCH'],
    ['source', 'EXAMINE'],
    ['source', 'LIST'],
    ['target', 'LIST'],
    ['target', 'CREATE'],
    ['target', 'SELECT'],
    ['target', 'APPEND'],
  ];
  const answers: [server: string, answer: Answer, waited: number][] = [
    ['Microsoft 365', throttled, 92.415],
    ['Yahoo', no('UID FETCH Rate limit hit.', 'LIMIT'), 2],
    ['Stalwart', no('Too many requests', 'LIMIT'), 2],
    ['Microsoft 365, busy', no('Server Unavailable. 15'), 2],
  ];
  const cases = commands.flatMap(([side, command]) => answers.map((it) => [side, command, ...it] as const));
  it.each(cases)('at the %s, at %s: %s', async (side, command, _, answer, waited) => {
    using stage = new Stage();
    stage.answer(side, command, answer);
    const run = await stage.run();
    expect(seconds(run)).toContain(waited);
    expect(new Set(waits(run).map((it) => it.side))).toEqual(new Set([side]));
    stage.expectAllCopied(run.report);
    expect(run.report.pauses).toMatchObject([{ side, words: answer.text }]);
  });

  const byes: [server: string, text: string, waited: number][] = [
    ['Zimbra', 'Zimbra IMAP4rev1 server closing connection; service busy', 2],
    ['Microsoft 365', 'Connection closed. 14', 2],
    ['Gmail', '[UNAVAILABLE] Temporary System Error', 2],
    ['Microsoft 365, throttled', 'Request is throttled. Suggested Backoff Time: 5000 milliseconds', 5],
  ];
  const endings = (['UID FETCH', 'EXAMINE', 'LIST', 'LOGIN'] as const).flatMap((command) =>
    byes.map((it) => [command, ...it] as const),
  );
  it.each(endings)('and ends the session at %s: %s', async (command, _, text, waited) => {
    using stage = new Stage();
    stage.bye('source', command, text);
    const run = await stage.run();
    expect(seconds(run)).toContain(waited);
    stage.expectAllCopied(run.report);
  });

  it('gets the same batch again, whole, and counts no message as failed', async () => {
    using stage = new Stage();
    stage.answer('target', 'APPEND', throttled, 2);
    const run = await stage.run({ mapping: { map: [], include: ['INBOX'], exclude: [], mapSpecialUse: true } });
    expect(seconds(run)).toEqual([92.415, 92.415]);
    expect(run.report).toMatchObject({ verdict: 'complete', copied: 4, refused: 0 });
    expect(stage.engine.commands('target').filter((name) => name === 'APPEND')).toHaveLength(3);
  });

  it('is waited for longer each time where it says no time, and the job is parked when nothing helps', async () => {
    using stage = new Stage();
    stage.answer('source', 'UID FETCH', no('Rate limit hit', 'LIMIT'), forEver);
    const run = await stage.run();
    expect(seconds(run)).toEqual([2, 4, 8, 16, 32, 64, 128, 256]);
    expect(run.report).toMatchObject({
      verdict: 'parked',
      exitCode: exitCodes.parked,
      parkedUntil: new Date(wallClockMs + 30 * 60_000).toISOString(),
    });
    expect(run.report.folders.flatMap((it) => it.refused)).toEqual([]);
  });

  it('is not always waited for as long as might be: the dice decide', async () => {
    using stage = new Stage();
    stage.answer('source', 'UID FETCH', no('Rate limit hit', 'LIMIT'), 2);
    const run = await stage.run({}, { random: () => 0.25 });
    expect(seconds(run)).toEqual([0.5, 1]);
  });
});

describe('a message that is streamed', () => {
  const strikes: [side: 'source' | 'target', command: string, answer: Answer][] = [
    ['source', 'UID FETCH', throttled],
    ['target', 'APPEND', throttled],
    ['target', 'APPEND', bad('User is authenticated but not connected.')],
    ['target', 'APPEND', no('Unexpected exception')],
  ];
  it.each(strikes)('is sent again after a push-back (%s %s %s)', async (side, command, answer) => {
    using stage = new Stage({ oversizeBytes: 1 });
    stage.answer(side, command, answer, 1, 2);
    const run = await stage.run();
    expect(waits(run)).toHaveLength(1);
    stage.expectAllCopied(run.report);
  });

  it('is left for later where the job is parked', async () => {
    using stage = new Stage({ oversizeBytes: 1 });
    stage.answer('target', 'APPEND', bad('Request is throttled. Suggested Backoff Time: 3000000 milliseconds'), 1, 3);
    expect((await stage.run()).report).toMatchObject({ verdict: 'parked', exitCode: 75, refused: 0 });
    expect((await stage.run()).report).toMatchObject({ verdict: 'complete', refused: 0 });
    expect(multisets(stage.engine.target)).toEqual(multisets(stage.engine.source));
  });

  it('is refused alone where it is refused for ever', async () => {
    using stage = new Stage({
      oversizeBytes: 1,
      target: { refuse: ({ body }) => (body.includes('<2@x>') ? no('Unexpected exception') : null) },
    });
    const run = await stage.run();
    expect(run.report).toMatchObject({ verdict: 'partial', copied: 19, refused: 1 });
    expect(seconds(run)).toEqual([2, 4]);
  });
});

describe('a limit that lasts', () => {
  const limits: [server: string, strike: (stage: Stage) => void, hours: number][] = [
    [
      'Gmail, at a FETCH',
      (stage) =>
        stage.answer('source', 'UID FETCH', no('Account exceeded command or bandwidth limits. (Failure)', 'OVERQUOTA')),
      1,
    ],
    [
      'Gmail, at an APPEND: that is no full account',
      (stage) =>
        stage.answer('target', 'APPEND', no('Account exceeded command or bandwidth limits. (Failure)', 'OVERQUOTA')),
      1,
    ],
    [
      'Gmail, at the login',
      (stage) =>
        stage.answer('source', 'LOGIN', no('Account exceeded command or bandwidth limits. (Failure)', 'ALERT')),
      1,
    ],
    [
      'Gmail, with a BYE',
      (stage) => stage.bye('source', 'UID FETCH', '[OVERQUOTA] Account exceeded command or bandwidth limits.'),
      1,
    ],
    [
      'Microsoft 365, for fifty minutes',
      (stage) =>
        stage.answer('target', 'APPEND', bad('Request is throttled. Suggested Backoff Time: 3000000 milliseconds')),
      3000 / 3600,
    ],
  ];
  it.each(limits)(
    'parks the job, which says until when, and goes on when it is run again: %s',
    async (_, strike, hours) => {
      using stage = new Stage();
      strike(stage);
      const { report } = await stage.run({ connections: 3 });
      const until = new Date(wallClockMs + hours * 3600_000).toISOString();
      expect(report).toMatchObject({ verdict: 'parked', exitCode: 75, refused: 0, parkedUntil: until });
      expect(report.failure?.message).toMatch(
        /^(source|target) alice@\w+\.test:143 is parked until 20\d\d-\d\d-\d\d \d\d:\d\d \(local time\): /,
      );
      const again = await stage.run();
      expect(again.report).toMatchObject({ verdict: 'complete', refused: 0 });
      expect(multisets(stage.engine.target)).toEqual(multisets(stage.engine.source));
    },
  );

  it.each(limits)('is waited for with --wait: %s', async (_, strike, hours) => {
    using stage = new Stage();
    strike(stage);
    const run = await stage.run({ connections: 3, wait: true });
    expect(waits(run).filter(({ parked }) => parked)).toMatchObject([
      { until: new Date(wallClockMs + hours * 3600_000).toISOString() },
    ]);
    stage.expectAllCopied(run.report);
    expect(run.report.pauses).toMatchObject([{ times: 1, seconds: hours * 3600 }]);
  });

  it('is waited for longer each time, and not for ever', async () => {
    using stage = new Stage();
    stage.answer('source', 'LOGIN', no('Account exceeded command or bandwidth limits.', 'OVERQUOTA'), forEver);
    const run = await stage.run({ wait: true });
    const hours = seconds(run).map((it) => it / 3600);
    expect(hours).toEqual([1, 2, 4, 8, 16, 24, 24, 24, 24, 24, 24, 24]);
    expect(run.report).toMatchObject({ verdict: 'parked', exitCode: 75 });
  });

  it('can be stopped while it is waited for, and costs nothing', async () => {
    using stage = new Stage();
    const controller = new AbortController();
    stage.answer('target', 'APPEND', bad('Request is throttled. Suggested Backoff Time: 3000000 milliseconds'));
    const onEvent = ({ kind }: { kind: string }) => {
      if (kind === 'waiting') controller.abort();
    };
    const { report } = await stage.run({ wait: true }, { signal: controller.signal, onEvent });
    expect(report).toMatchObject({ verdict: 'stopped', exitCode: 130 });
    await stage.run();
    expect(multisets(stage.engine.target)).toEqual(multisets(stage.engine.source));
  });

  it('can be died in, and costs neither a message nor a double', async () => {
    using stage = new Stage();
    const stateDir = `${stage.engine.stateDir}-dead`;
    stage.answer('target', 'APPEND', throttled, 1, 2);
    const controller = new AbortController();
    const onEvent = ({ kind }: { kind: string }) => {
      if (kind !== 'waiting') return;
      cpSync(stage.engine.stateDir, stateDir, { recursive: true });
      controller.abort();
    };
    await stage.run({}, { signal: controller.signal, onEvent });
    const { report } = await stage.run({ stateDir });
    rmSync(stateDir, { recursive: true });
    expect(report).toMatchObject({ verdict: 'complete', refused: 0 });
    expect(multisets(stage.engine.target)).toEqual(multisets(stage.engine.source));
  });
});

describe('a server that takes no more connections', () => {
  const words: [server: string, answer: Answer][] = [
    [
      'Dovecot',
      no('Maximum number of connections from user+IP exceeded (mail_max_userip_connections=2)', 'UNAVAILABLE'),
    ],
    ['Gmail, iCloud', no('Too many simultaneous connections. (Failure)', 'ALERT')],
    ['Stalwart', no('Too many concurrent connections', 'LIMIT')],
  ];

  it.each(words)('gets no more than it took: %s', async (_, answer) => {
    using stage = new Stage();
    stage.answer('source', 'LOGIN', answer, forEver, 3);
    const run = await stage.run({ connections: 5 });
    stage.expectAllCopied(run.report);
    expect(run.report.connections).toMatchObject({ most: 2, reason: expect.stringContaining(answer.text) });
    // Two may be under way when the first of them is refused.
    expect(stage.engine.commands('source').filter((it) => it === 'LOGIN').length).toBeLessThanOrEqual(4);
  });

  it.each(words)('is asked for the first one again a few times: %s', async (_, answer) => {
    using stage = new Stage();
    stage.answer('source', 'LOGIN', answer, 2);
    const run = await stage.run();
    expect(seconds(run)).toEqual([5, 10]);
    stage.expectAllCopied(run.report);
  });

  it.each(words)('is believed in the end: %s', async (_, answer) => {
    using stage = new Stage();
    stage.answer('source', 'LOGIN', answer, forEver);
    await expect(stage.run()).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/^source alice@source\.test:143 .*the server lets nobody in now: .*connections/),
    });
    expect(stage.engine.commands('source').filter((it) => it === 'LOGIN')).toHaveLength(6);
  });

  it('is believed in the end in the middle, too', async () => {
    using stage = new Stage();
    stage.answer('source', 'UID FETCH', no('Too many simultaneous connections'), forEver, 2);
    const run = await stage.run();
    expect(seconds(run)).toEqual([5, 10, 20, 40, 80]);
    expect(run.report).toMatchObject({ verdict: 'failed', exitCode: 4, refused: 0 });
    expect(run.report.failure?.message).toContain('Too many simultaneous connections');
  });

  it('gets fewer when it says so in the middle (Amazon WorkMail at SELECT)', async () => {
    using stage = new Stage();
    stage.answer('source', 'EXAMINE', no('Too many simultaneous connections'), 1, 3);
    const run = await stage.run({ connections: 3 });
    stage.expectAllCopied(run.report);
    expect(run.events).toContainEqual(expect.objectContaining({ kind: 'connections', connections: 2 }));
  });
});

describe('a server that asks for less at a time', () => {
  it('gets half as many lanes (Gmail: OK Success [THROTTLED])', async () => {
    using stage = new Stage();
    const { faults } = stage.engine.servers.source;
    faults.add(
      { command: 'UID FETCH', nth: 4 },
      { kind: 'answer', answer: { status: 'OK', text: 'Success [THROTTLED]' }, at: 'after' },
    );
    const run = await stage.run({ connections: 4 });
    stage.expectAllCopied(run.report);
    expect(run.events).toContainEqual({
      kind: 'connections',
      connections: 2,
      reason: 'the source wants fewer: it throttles this account (Success [THROTTLED])',
    });
  });

  it('gets pauses where there is only one lane', async () => {
    using stage = new Stage();
    const { faults } = stage.engine.servers.source;
    faults.add(
      { command: 'UID FETCH', times: forEver },
      { kind: 'answer', answer: { status: 'OK', text: 'Success [THROTTLED]' }, at: 'after' },
    );
    const run = await stage.run();
    stage.expectAllCopied(run.report);
    expect(seconds(run)[0]).toBe(10);
  });
});

describe('a login', () => {
  it.each([
    ['AUTHENTICATIONFAILED', 'Invalid credentials (Failure)'],
    ['AUTHORIZATIONFAILED', 'No such authorization-ID'],
    ['CONTACTADMIN', 'Ask your administrator'],
    ['EXPIRED', 'That password is not good any more'],
    [undefined, 'LOGIN failed.'],
  ])('that is refused is not tried again (%s)', async (code, text) => {
    using stage = new Stage();
    stage.answer('target', 'LOGIN', no(text, code), forEver);
    await expect(stage.run({ connections: 4 })).rejects.toMatchObject({ exitCode: 5 });
    expect(stage.engine.commands('target').filter((it) => it === 'LOGIN')).toHaveLength(1);
  });

  it('that is refused to those who join is tried twice, and the job goes on without them', async () => {
    using stage = new Stage();
    stage.answer('target', 'LOGIN', no('Invalid credentials (Failure)', 'AUTHENTICATIONFAILED'), forEver, 2);
    const { report } = await stage.run({ connections: 5 });
    stage.expectAllCopied(report);
    expect(stage.engine.commands('target').filter((it) => it === 'LOGIN')).toHaveLength(3);
  });

  const expiries: [name: string, strike: (stage: Stage) => void][] = [
    ['with a BYE', (stage) => stage.bye('source', 'UID FETCH', 'Session invalidated - AccessTokenExpired')],
    ['in an answer', (stage) => stage.answer('source', 'EXAMINE', no('The token has expired', 'EXPIRED'))],
    [
      'in the middle of storing',
      (stage) => stage.answer('source', 'UID FETCH', no('Session expired, please login again.')),
    ],
  ];
  it.each(expiries)('that has expired is renewed once: %s', async (_, strike) => {
    using stage = new Stage();
    strike(stage);
    const { source } = stage.engine.settings();
    let renewed = 0;
    const renew = async () => {
      renewed++;
      return { ...source, renewable: true };
    };
    const { report } = await stage.run({ source: { ...source, renewable: true } }, { renew });
    stage.expectAllCopied(report);
    expect(renewed).toBe(1);
  });

  it('that has expired and whose new token is refused ends the job', async () => {
    using stage = new Stage();
    stage.bye('source', 'UID FETCH', 'Session invalidated - AccessTokenExpired');
    stage.answer('source', 'LOGIN', no('Invalid credentials', 'EXPIRED'), forEver, 2);
    const { source } = stage.engine.settings();
    const account = { ...source, renewable: true };
    const { report } = await stage.run({ source: account }, { renew: async () => account });
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 5 });
    expect(stage.engine.commands('source').filter((it) => it === 'LOGIN')).toHaveLength(2);
  });

  it('that has expired with nowhere to get a token from ends the job', async () => {
    using stage = new Stage();
    stage.bye('source', 'UID FETCH', 'Session invalidated - AccessTokenExpired');
    const { source } = stage.engine.settings();
    const connect: NonNullable<RunArguments[1]>['connect'] = (account, clock) =>
      stage.engine.connect(account, clock).then((client) => {
        client.oauth2Login = (user) => client.login(user, source.secret);
        return client;
      });
    const { report } = await stage.run({ source: { ...source, auth: 'xoauth2' } }, { connect });
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 5 });
    expect(report.failure?.message).toContain('get a new token');
  });

  it('with a password is made anew where a session expires (Gmail)', async () => {
    using stage = new Stage();
    stage.bye('source', 'UID FETCH', 'Session expired, please login again.');
    const { report } = await stage.run();
    stage.expectAllCopied(report);
  });
});

describe('a session that is of no more use', () => {
  it.each([
    ['source', 'UID FETCH'],
    ['source', 'EXAMINE'],
    ['target', 'APPEND'],
  ] as const)('is left for another one (Microsoft 365, %s %s)', async (side, command) => {
    using stage = new Stage();
    stage.answer(side, command, bad('User is authenticated but not connected.'));
    const run = await stage.run();
    stage.expectAllCopied(run.report);
    expect(stage.engine.commands(side).filter((it) => it === 'LOGIN')).toHaveLength(2);
  });
});

describe('what may be the fault of one message', () => {
  it('is tried again, then refused alone, at the source (Yahoo)', async () => {
    using stage = new Stage();
    const text = 'UID FETCH Server error - Please try again later';
    stage.engine.servers.source.faults.add(
      {
        command: 'UID FETCH',
        times: forEver,
        matches: (line) => line.includes('BODY') && covers(line, 2) && !line.includes('SIZE'),
      },
      { kind: 'answer', answer: no(text, 'UNAVAILABLE') },
    );
    const run = await stage.run({ mapping: { map: [], include: ['INBOX'], exclude: [], mapSpecialUse: true } });
    expect(seconds(run)).toEqual([2, 4]);
    expect(run.report).toMatchObject({ verdict: 'partial', exitCode: 3, copied: 3 });
    expect(run.report.folders[0]?.refused).toMatchObject([{ uid: 2, code: 'UNREADABLE', message: text }]);
  });

  it.each([
    ['iCloud', no('Unexpected exception')],
    ['Dovecot', no('Internal error occurred. Refer to server log for more information.', 'SERVERBUG')],
  ])('is tried again, then refused alone, at the target (%s)', async (_, answer) => {
    const refuse = ({ body }: { body: Buffer }) => (body.includes('<2@x>') ? answer : null);
    using stage = new Stage({ target: { refuse } });
    const run = await stage.run();
    expect(seconds(run)).toEqual([2, 4]);
    expect(run.report).toMatchObject({ verdict: 'partial', exitCode: 3, copied: 19, refused: 1 });
    expect(run.report.folders[0]?.refused).toMatchObject([{ uid: 2, message: answer.text }]);
  });

  it.each([
    ['Fastmail', no('Too many identical emails', 'LIMIT')],
    ['Zimbra', no('APPEND failed')],
    ['Microsoft 365', bad('Command Argument Error. 11')],
  ])('is refused at once where waiting is of no use (%s)', async (_, answer) => {
    const refuse = ({ body }: { body: Buffer }) => (body.includes('<2@x>') ? answer : null);
    using stage = new Stage({ target: { refuse } });
    const run = await stage.run();
    expect(waits(run)).toEqual([]);
    expect(run.report).toMatchObject({ verdict: 'partial', copied: 19, refused: 1 });
  });
});

describe('what may be the fault of one folder', () => {
  const isOf = (name: string) => (line: string) => line.includes(`"${name}"`) || line.includes(` ${name}`);
  it.each([
    ['source', 'EXAMINE', no('Timeout while waiting for lock', 'INUSE')],
    ['source', 'EXAMINE', no('Failed to open mailbox', 'UNAVAILABLE')],
    ['target', 'SELECT', no('Timeout while waiting for lock', 'INUSE')],
    ['target', 'APPEND', no('Timeout while waiting for lock', 'INUSE')],
  ] as const)('fails alone, after a few tries (%s %s)', async (side, command, answer) => {
    using stage = new Stage();
    stage.engine.servers[side].faults.add({ command, times: forEver, matches: isOf('b') }, { kind: 'answer', answer });
    const run = await stage.run();
    expect(waits(run).length).toBeGreaterThan(1);
    expect(run.report).toMatchObject({ verdict: 'partial', exitCode: 3, copied: 16 });
    expect(run.report.folders.filter((it) => it.refused.length > 0)).toMatchObject([
      { source: 'b', refused: [{ uid: null, message: expect.stringContaining(answer.text) }] },
    ]);
  });

  it.each([
    ['source', 'EXAMINE'],
    ['target', 'APPEND'],
  ] as const)('is waited for, and passes (%s %s)', async (side, command) => {
    using stage = new Stage();
    stage.answer(side, command, no('Timeout while waiting for lock', 'INUSE'));
    const run = await stage.run();
    expect(seconds(run)).toEqual([2]);
    stage.expectAllCopied(run.report);
  });
});

it('an account that is full stops the job: waiting makes no room', async () => {
  using stage = new Stage();
  stage.answer('target', 'APPEND', no('Quota exceeded (mailbox for user is full)', 'OVERQUOTA'), forEver);
  const run = await stage.run();
  expect(waits(run)).toEqual([]);
  expect(run.report).toMatchObject({ verdict: 'failed', exitCode: 6 });
});

/** True where the set of a UID FETCH names that UID. */
function covers(line: string, uid: number): boolean {
  const set = /UID FETCH ([\d:,]+)/.exec(line)?.[1] ?? '';
  return set.split(',').some((range) => {
    const [from = 0, to = from] = range.split(':').map(Number);
    return from <= uid && uid <= to;
  });
}

describe('a comparison', () => {
  it.each(['source', 'target'] as const)('waits for a %s that throttles, and reads again', async (side) => {
    using stage = new Stage();
    await stage.run();
    stage.answer(side, 'UID FETCH', throttled, 2, 2);
    const events: JobEvent[] = [];
    const report = await stage.verify(events);
    expect(report).toMatchObject({ verdict: 'identical', exitCode: 0, compared: 20 });
    expect(events.flatMap((it) => (it.kind === 'waiting' ? [it.waiting] : []))).toMatchObject([{ side }, { side }]);
  });

  it('proves nothing where the source wants to be left alone for long', async () => {
    using stage = new Stage();
    await stage.run();
    stage.answer('source', 'UID FETCH', no('Account exceeded command or bandwidth limits.', 'OVERQUOTA'), forEver, 3);
    const report = await stage.verify([]);
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 75, failure: { code: 'PARKED' } });
  });
});
