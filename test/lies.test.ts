/** Targets that do not keep what IMAP promises, and lose an answer on top of it: what is stored is found, by content. */
import { describe, expect, it } from 'vitest';
import type { FaultAction, NewMessage, SandboxAccount, SandboxOptions } from '../src/sandbox/index.ts';
import { Engine, needless } from './support/engine.ts';

const message = (n: number, lineEnd = '\r\n', end = lineEnd): NewMessage => ({
  body: ['Message-ID: <@x>', 'Date: Sat, 01 Feb 2020 10:00:00 +0200', 'Subject: @', '', 'body @']
    .map((line) => line.replace('@', `${n}`))
    .join(lineEnd)
    .concat(end),
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

const foreignBody = 'Subject: from somebody else\r\n\r\nforeign\r\n';
const isOurs = ({ body }: { readonly body: Buffer }) => !body.equals(Buffer.from(foreignBody));

/** A few hundred messages, some of them twins, of the INBOX as a multiset. */
const mail = (lineEnd?: string, end?: string) =>
  [...Array.from({ length: 230 }, (_, index) => index), 7, 7, 120].map((n) => message(n, lineEnd, end));

/** The INBOX with the line ends that every server has, without what others put there. */
function canonical({ inbox }: SandboxAccount): string[] {
  const text = ({ body }: { readonly body: Buffer }) => {
    const lines = body.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
    return lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  };
  return inbox.messages.filter(isOurs).map(text).sort();
}

const toCrLf = (body: Buffer) => Buffer.from(body.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
const ended = (body: Buffer) => (body.at(-1) === 0x0a ? body : Buffer.concat([body, Buffer.from('\r\n')]));

interface Lie {
  readonly lie: string;
  readonly target: SandboxOptions;
  readonly messages?: readonly NewMessage[];
}

const lies: readonly Lie[] = [
  { lie: 'makes every line end CRLF', target: { rewrite: toCrLf }, messages: mail('\n') },
  { lie: 'ends the last line', target: { rewrite: ended }, messages: mail('\r\n', '') },
  {
    lie: 'ends the last line and tells no UIDs',
    target: { rewrite: ended, disable: ['UIDPLUS'] },
    messages: mail('\r\n', ''),
  },
  { lie: 'gives other UIDs at each look', target: { disable: ['UIDPLUS'], uidNotSticky: true } },
  { lie: 'tells no UIDs and is not atomic', target: { disable: ['UIDPLUS'], commitAtLastOctet: true } },
  { lie: 'shows messages before they are complete', target: { disable: ['MULTIAPPEND'], commitAtLastOctet: true } },
  { lie: 'has no news in STATUS', target: { staleStatus: true, selectTellsUidNext: false } },
];

const fates: readonly { readonly fate: string; readonly action: FaultAction; readonly comesLate?: boolean }[] = [
  { fate: 'is lost with its connection', action: { kind: 'cut', at: 'after' } },
  { fate: 'never comes', action: { kind: 'drop-tagged' } },
  { fate: 'is for a part of the messages', action: { kind: 'cut', at: { literal: 3, octets: 20 } } },
  { fate: 'comes long after the first look', action: { kind: 'stall', at: 'before' }, comesLate: true },
];

describe.each(lies)('a target that $lie', ({ target, messages = mail() }) => {
  it.each(fates)('loses and doubles nothing where an answer $fate, among the mail of others', async (fated) => {
    const disable = [...needless, ...(target.disable ?? [])];
    using engine = new Engine({
      source: { disable: needless },
      target: { ...target, disable },
      idleMs: 40,
      settleMs: 15,
    });
    for (const it of messages) engine.source.inbox.append(it);
    const { faults } = engine.servers.target;
    // One at a time the first message is a literal of its own command.
    const at = disable.includes('MULTIAPPEND') && fated.fate.includes('part') ? { literal: 1, octets: 20 } : null;
    const fault = faults.add({ command: 'APPEND', nth: 2 }, at === null ? fated.action : { kind: 'cut', at });
    const deliver = () => void engine.target.inbox.append({ body: foreignBody });
    const arm = () => {
      for (const nth of [1, 2]) faults.add({ command: '*', nth }, { kind: 'run', run: deliver, at: 'before' });
      if (fated.comesLate !== true) return;
      // A second look: the first one has found nothing.
      const command = engine.target.inbox.observerCount > 0 ? 'UID FETCH' : '*';
      faults.add({ command, nth: 4 }, { kind: 'run', run: () => fault.release(), at: 'after' });
    };
    faults.add({ command: 'APPEND', nth: 2 }, { kind: 'run', run: arm, at: 'before' });
    const { report } = await engine.run({ connections: 1 });
    expect(fault.fired).toBe(1);
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(report.copied + report.alreadyThere).toBe(messages.length);
    expect(canonical(engine.target)).toEqual(canonical(engine.source));
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0, copied: 0 });
    expect(canonical(engine.target)).toEqual(canonical(engine.source));
  });
});

describe('a target whose UIDVALIDITY changes while an answer is lost', () => {
  const cases = [[], ['UIDPLUS']].flatMap((disable) =>
    ['STATUS', 'EXAMINE', 'UID FETCH'].map((command) => ({ disable, command })),
  );
  it.each(cases)('and its UIDs with it, at its $command, without $disable', async ({ disable, command }) => {
    const target = { disable: [...needless, ...disable] };
    using engine = new Engine({ source: { disable: needless }, target, settleMs: 20 });
    const { inbox } = engine.target;
    for (const it of mail()) engine.source.inbox.append(it);
    // Its UIDs are high, and low when they begin anew.
    for (let n = 1; n <= 400; n++) inbox.append(message(n));
    inbox.expunge([...inbox.messages]);
    const { faults } = engine.servers.target;
    const change = { kind: 'run', run: () => inbox.changeUidValidity(), at: 'before' } as const;
    const arm = () => void faults.add({ command }, change);
    faults.add({ command: 'APPEND', nth: 2 }, { kind: 'run', run: arm, at: 'before' });
    faults.add({ command: 'APPEND', nth: 2 }, { kind: 'cut', at: 'after' });
    const { report } = await engine.run({ connections: 1 });
    expect(report.exitCode).toBe(disable.length > 0 ? 0 : 3);
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(canonical(engine.target)).toEqual(canonical(engine.source));
  });
});

describe('a target that adds a header to every message', () => {
  const marked = (body: Buffer) => Buffer.concat([Buffer.from('X-Seen-By: gate\r\n'), body]);

  it('has each of them once, as long as it says what it stored', async () => {
    using engine = new Engine({ target: { rewrite: marked } });
    for (const it of mail()) engine.source.inbox.append(it);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 233 });
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 233 });
    expect(engine.target.inbox.messages).toHaveLength(233);
  });

  it('loses none where an answer is lost, and verify tells what was changed and how many are there', async () => {
    using engine = new Engine({ target: { rewrite: marked } });
    for (const it of mail()) engine.source.inbox.append(it);
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'cut', at: 'after' });
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0 });
    const text = ({ body }: { readonly body: Buffer }) => body.toString().replace(/^X-Seen-By.*\r\n/, '');
    const there = new Set(engine.target.inbox.messages.map(text));
    expect(engine.source.inbox.messages.filter((it) => !there.has(text(it)))).toEqual([]);
    const { differences, folders } = await engine.verify();
    expect(differences).toHaveLength(233);
    expect(differences.every(({ kind }) => kind === 'content')).toBe(true);
    expect(folders).toMatchObject([{ sourceMessages: 233, targetMessages: engine.target.inbox.messages.length }]);
  });
});
