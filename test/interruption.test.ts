/** A run that is stopped, or that dies, at every single command of its sessions; then an ordinary one. */
import { cpSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ArmedFault, NewMessage } from '../src/sandbox/index.ts';
import { Engine, multisets, needless, within } from './support/engine.ts';

/** Time that one run of a few messages may take, with a machine that has other things to do. */
const patienceMs = 15_000;

const message = (n: number, flags: readonly string[] = []): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  flags,
});

const mail = [1, 2, 3, 4, 4, 4].map((n, index) => message(n, index === 4 ? ['\\Seen'] : []));

/** What a run meets, before it is interrupted. */
const situations: readonly [name: string, prepare: (engine: Engine) => void, disable?: readonly string[]][] = [
  ['copies everything', () => {}],
  [
    'adopts what is there already',
    ({ target }) => {
      for (const it of [...mail.slice(0, 2), ...mail.slice(3, 5), message(1_000)]) target.inbox.append(it);
    },
  ],
  [
    'looks for what was stored and not answered',
    ({ servers }) => void servers.target.faults.add({ command: 'APPEND' }, { kind: 'cut', at: 'after' }),
  ],
  [
    'looks for what was stored and not answered, where the target tells no UIDs',
    ({ servers }) => void servers.target.faults.add({ command: 'APPEND' }, { kind: 'cut', at: 'after' }),
    ['UIDPLUS'],
  ],
  [
    'looks for what was not stored',
    ({ servers }) =>
      void servers.target.faults.add({ command: 'APPEND' }, { kind: 'cut', at: { literal: 2, octets: 10 } }),
  ],
];

interface Strike {
  readonly side: 'source' | 'target';
  readonly nth: number;
  readonly at: 'before' | 'after';
}

/** Interrupts a run at that command, then lets one finish. False: there is no such command. */
type Interrupt = (engine: Engine, strike: Strike) => Promise<boolean>;

const stop: Interrupt = async (engine, { side, nth, at }) => {
  const controller = new AbortController();
  const run = () => controller.abort();
  const fault = engine.servers[side].faults.add({ command: '*', nth }, { kind: 'run', run, at });
  const { signal } = controller;
  await within(patienceMs, engine.run({ connections: 1 }, { signal })).catch(ignoreNotBegun);
  expectAll(engine, (await within(patienceMs, engine.run({ connections: 1 }))).report, { side, nth, at });
  return fault.fired > 0;
};

/** What is on the disk at that moment is what `kill -9` would leave, and nothing the run does afterwards reaches a server. */
const die: Interrupt = async (engine, { side, nth, at }) => {
  const stateDir = `${engine.stateDir}-dead`;
  const dead: ArmedFault[] = [];
  const controller = new AbortController();
  const run = () => {
    cpSync(engine.stateDir, stateDir, { recursive: true });
    for (const { faults } of Object.values(engine.servers)) {
      dead.push(faults.add({ command: '*', times: Number.POSITIVE_INFINITY }, { kind: 'cut', at: 'before' }));
    }
    controller.abort();
  };
  const { faults } = engine.servers[side];
  const fault = faults.add({ command: '*', nth }, { kind: 'run', run, at });
  faults.add({ command: '*', nth }, { kind: 'cut', at });
  const { signal } = controller;
  await within(patienceMs, engine.run({ connections: 1 }, { signal })).catch(ignoreNotBegun);
  for (const it of dead) it.disarm();
  if (fault.fired === 0) return false;
  expectAll(engine, (await within(patienceMs, engine.run({ connections: 1, stateDir }))).report, { side, nth, at });
  rmSync(stateDir, { recursive: true });
  return true;
};

function ignoreNotBegun(error: unknown): void {
  expect(error).toMatchObject({ exitCode: 4 });
}

function expectAll(engine: Engine, report: object, strike: Strike): void {
  expect({ ...strike, ...report }).toMatchObject({ ...strike, exitCode: 0, verdict: 'complete', refused: 0 });
  const foreign = engine.target.inbox.messages.filter((it) => it.body.includes('<1000@x>'));
  engine.target.inbox.expunge(foreign);
  expect({ ...strike, ...multisets(engine.target) }).toEqual({ ...strike, ...multisets(engine.source) });
}

describe.each([
  ['is stopped', stop],
  ['dies', die],
] as const)('a run that %s', (_, interrupt) => {
  describe.each(situations)('while it %s', (_name, prepare, disable = []) => {
    it.each([
      ['source', 'before'],
      ['source', 'after'],
      ['target', 'before'],
      ['target', 'after'],
    ] as const)(
      'at any command to the %s, %s its work is done, costs neither a message nor a double',
      async (side, at) => {
        let nth = 0;
        let isThere = true;
        while (isThere) {
          const target = { disable: [...needless, ...disable] };
          using engine = new Engine({ source: { disable: needless }, target, settleMs: 4 });
          for (const it of mail) engine.source.inbox.append(it);
          engine.source.createMailbox(['Sent']).append(message(50));
          prepare(engine);
          nth++;
          isThere = await interrupt(engine, { side, nth, at });
        }
        expect(nth).toBeGreaterThan(6);
      },
    );
  });
});
