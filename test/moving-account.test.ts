/** Accounts in which others are at work while they are copied: at any command, and what the next run makes of it. */
import { describe, expect, it } from 'vitest';
import type { NewMessage, SandboxAccount, SandboxMailbox } from '../src/sandbox/index.ts';
import { sampled } from './support/effort.ts';
import { contents, Engine, needless, within } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  flags: n % 3 === 0 ? ['\\Flagged'] : [],
  ...more,
});

/** Time that one run may take, with a machine that has other things to do. */
const patienceMs = 15_000;
/** Of the commands of a session, one in so many is struck where there is no time for all. */
const stride = 8;

function add(mailbox: SandboxMailbox, from: number, count: number): void {
  for (let n = from; n < from + count; n++) mailbox.append(message(n));
}

/** Three folders, of which the middle one moves. It is more than one batch. */
function start(condStore: boolean): Engine {
  const disable = needless.filter((it) => !condStore || it !== 'CONDSTORE');
  const engine = new Engine({ source: { disable }, target: { disable: needless } });
  add(engine.source.inbox, 1, 110);
  add(engine.source.createMailbox('Moving'), 1_001, 250);
  add(engine.source.createMailbox('Other'), 2_001, 110);
  return engine;
}

type Move = (account: SandboxAccount, moving: SandboxMailbox) => void;

const atEitherSide: readonly [what: string, move: Move][] = [
  ['gets new mail', (_, moving) => add(moving, 9_001, 2)],
  ['is renamed', (account, moving) => account.renameMailbox(moving, 'Moved')],
  ['is deleted', (account, moving) => account.removeMailbox(moving)],
  [
    'is deleted and made anew with other mail',
    (account, moving) => {
      account.removeMailbox(moving);
      add(account.createMailbox('Moving'), 7_001, 40);
    },
  ],
  ['gets another UIDVALIDITY', (_, moving) => moving.changeUidValidity()],
];

const atTheSource: readonly [what: string, move: Move][] = [
  ['loses mail at its start', (_, moving) => moving.expunge(moving.messages.slice(0, 7))],
  [
    'loses mail everywhere and gets some',
    (_, moving) => {
      moving.expunge(moving.messages.filter((_message, index) => index % 5 === 0));
      add(moving, 9_003, 1);
    },
  ],
  ['loses all its mail', (_, moving) => moving.expunge([...moving.messages])],
  [
    'gets other flags',
    (_, moving) => {
      for (const it of moving.messages) if (it.uid % 2 === 0) moving.setFlags(it, ['\\Answered', '$Moved']);
    },
  ],
  [
    'gets another UIDVALIDITY and other UIDs',
    (_, moving) => {
      moving.expunge(moving.messages.slice(0, 1));
      moving.changeUidValidity();
    },
  ],
];

const sides = [
  ['source', [...atEitherSide, ...atTheSource]],
  ['target', atEitherSide],
] as const;
const situations = [true, false].flatMap((condStore) => ['first', 'second'].map((run) => ({ run, condStore })));
let tests = 0;

describe.each(sides)('a folder of the %s', (side, moves) => {
  describe.each(moves)('that %s', (_, move) => {
    it.each(situations)(
      'at any command of the $run run is up to date after the next (CONDSTORE: $condStore)',
      async ({ run, condStore }) => {
        for (const nth of sampled(tests++, stride)) if (!(await survives(side, move, { nth, run, condStore }))) break;
      },
      120_000,
    );
  });
});

/** False: there is no such command. */
async function survives(
  side: 'source' | 'target',
  move: Move,
  { nth, run, condStore }: { readonly nth: number; readonly run: string; readonly condStore: boolean },
): Promise<boolean> {
  using engine = start(condStore);
  const copy = () => within(patienceMs, engine.run({ connections: 1 }));
  if (run === 'second') {
    await copy();
    const moving = engine.source.mailbox('Moving');
    for (const it of moving.messages.slice(0, 3)) moving.setFlags(it, [...it.flags, '\\Seen']);
    add(moving, 8_001, 5);
  }
  const account = engine[side];
  const strike = () => {
    const moving = account.mailboxes.get('Moving');
    if (moving !== undefined) move(account, moving);
  };
  const fault = engine.servers[side].faults.add({ command: '*', nth }, { kind: 'run', run: strike, at: 'before' });
  const { exitCode, folders } = (await copy()).report;
  fault.disarm();
  // Another folder's trouble is none of theirs.
  const others = folders.filter(({ source }) => source !== 'Moving' && source !== 'Moved');
  expect({ nth, exitCode: exitCode === 0 || exitCode === 3, refused: others.flatMap((it) => it.refused) }).toEqual({
    nth,
    exitCode: true,
    refused: [],
  });
  expect({ nth, ...missing(engine, ['INBOX', 'Other']) }).toEqual({ nth });
  const { report } = await copy();
  expect({ nth, exitCode: report.exitCode, folders: report.folders.flatMap((it) => it.refused) }).toEqual({
    nth,
    exitCode: 0,
    folders: [],
  });
  expect({ nth, ...missing(engine, Object.keys(contents(engine.source))) }).toEqual({ nth });
  return fault.fired > 0;
}

/** Folder -> its messages that the target lacks, or has with other flags or dates, and whether it holds something twice. */
function missing(engine: Engine, folders: readonly string[]): Record<string, unknown> {
  const [source, target] = [contents(engine.source), contents(engine.target)];
  const wrong: Record<string, unknown> = {};
  for (const folder of folders) {
    const there = (target[folder] ?? []).map((it) => JSON.stringify(it));
    const absent = (source[folder] ?? []).filter((it) => !there.includes(JSON.stringify(it)));
    const digests = (target[folder] ?? []).map((it) => (it as { digest: string }).digest);
    const twice = digests.length - new Set(digests).size;
    if (absent.length > 0 || twice > 0) wrong[folder] = { absent: absent.slice(0, 3), twice };
  }
  return wrong;
}
