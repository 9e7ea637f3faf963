/** Trouble on this side: a disk that takes no more at any moment, a clock that jumps. */
import { cpSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exitCodes, MigrateError } from '../src/errors.ts';
import { type Journal, type JournalRecord, openJournal } from '../src/journal/index.ts';
import type { OpenedFolder } from '../src/journal/types.ts';
import type { NewMessage } from '../src/sandbox/index.ts';
import { sampled } from './support/effort.ts';
import { Engine, multisets, needless, within } from './support/engine.ts';

const message = (n: number): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
});

const patienceMs = 15_000;

function start(): Engine {
  const engine = new Engine({ source: { disable: needless }, target: { disable: needless }, settleMs: 10 });
  for (let n = 1; n <= 230; n++) engine.source.inbox.append(message(n));
  for (let n = 1; n <= 5; n++) engine.source.createMailbox(`F${n}`).append(message(1_000 + n));
  return engine;
}

/** A journal on a disk that is full from its n-th write on, and what it was told before. */
class FullDisk {
  /** Source UIDs of the INBOX's messages of which it is durable that they were about to be sent. */
  readonly intended = new Set<number>();
  isFull = false;
  readonly #nth: number;
  #writes = 0;

  constructor(nth: number) {
    this.#nth = nth;
  }

  readonly open: typeof openJournal = async (...args) => {
    const journal = await openJournal(...args);
    const write = <Result>(work: () => Promise<Result>): Promise<Result> => {
      this.isFull ||= ++this.#writes >= this.#nth;
      if (!this.isFull) return work();
      return Promise.reject(new MigrateError('STATE', exitCodes.disk, 'the disk is full: make room, and run again'));
    };
    return new Proxy(journal, {
      get: (_, name: keyof Journal) => {
        if (name === 'write') {
          return (...records: readonly JournalRecord[]) =>
            write(async () => {
              await journal.write(...records);
              const inbox = journal.folder('INBOX', 'INBOX');
              for (const record of records) {
                if (record.kind !== 'intents' || record.folderId !== inbox?.id) continue;
                for (const uid of record.messages.uids) this.intended.add(uid);
              }
            });
        }
        if (name === 'openFolder') {
          return (folder: OpenedFolder) => write(() => journal.openFolder(folder));
        }
        const value = journal[name];
        return typeof value === 'function' ? value.bind(journal) : value;
      },
    });
  };
}

describe('a disk that is full', () => {
  it('from any write on ends the run before the next message leaves; when there is room the next one goes on', async () => {
    for (const nth of sampled(0, 4)) {
      using engine = start();
      const disk = new FullDisk(nth);
      const run = () => within(patienceMs, engine.run({ connections: 2 }, { openJournal: disk.open }));
      const { report } = await run();
      if (!disk.isFull) {
        expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
        expect(nth).toBeGreaterThan(8);
        break;
      }
      expect({ nth, ...report }).toMatchObject({
        nth,
        exitCode: 10,
        verdict: 'failed',
        failure: { code: 'STATE', message: expect.stringContaining('make room') },
      });
      // The INBOX's messages have the numbers of their UIDs.
      const sent = engine.target.inbox.messages.map(({ body }) => Number(/<(\d+)@x>/.exec(body.toString())?.[1]));
      expect({ nth, notWrittenDown: sent.filter((uid) => !disk.intended.has(uid)) }).toEqual({
        nth,
        notWrittenDown: [],
      });
      const healed = (await within(patienceMs, engine.run({ connections: 2 }))).report;
      expect({ nth, ...healed }).toMatchObject({ nth, exitCode: 0, verdict: 'complete' });
      expect({ nth, ...multisets(engine.target) }).toEqual({ nth, ...multisets(engine.source) });
    }
  }, 120_000);
});

describe('a clock that jumps', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const day = 24 * 3600_000;
  it.each([
    ['forward', (n: number) => n * 400 * day],
    ['back', (n: number) => -n * 400 * day],
    ['to and fro', (n: number) => (n % 2 === 0 ? 1 : -1) * 9_000 * day],
  ])('%s with every command changes neither a wait nor a word', async (_, offset) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const real = Date.now();
    using engine = new Engine({
      source: { disable: needless },
      target: { disable: needless },
      idleMs: 150,
      settleMs: 40,
    });
    for (let n = 1; n <= 230; n++) engine.source.inbox.append(message(n));
    let commands = 0;
    for (const { faults } of Object.values(engine.servers)) {
      const run = () => void vi.setSystemTime(real + offset(++commands));
      faults.add({ command: '*', times: Number.POSITIVE_INFINITY }, { kind: 'run', run, at: 'before' });
    }
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'drop-tagged' });
    const killed = `${engine.stateDir}-killed`;
    const keep = () => cpSync(engine.stateDir, killed, { recursive: true });
    engine.servers.target.faults.add({ command: 'APPEND', nth: 3 }, { kind: 'run', run: keep });
    const begun = performance.now();
    const { report } = await within(patienceMs, engine.run({ connections: 1 }));
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(report.seconds * 1000).toBeLessThanOrEqual(Math.ceil(performance.now() - begun));
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    // The journal of a run that died, and whose clock was another one.
    const again = await within(patienceMs, engine.run({ connections: 1, stateDir: killed }));
    rmSync(killed, { recursive: true });
    expect(again.report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    expect(commands).toBeGreaterThan(10);
  });
});
