import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { JobSettings } from '../../src/job.ts';
import { type Journal, type JournalRecord, openJournal } from '../../src/journal/index.ts';
import type { ImapClient } from '../../src/protocol/index.ts';
import type { Connect } from '../../src/worker/login.ts';
import type { Engine } from './engine.ts';

/** The moments at which a run may die. Those of the wire are struck by a fault of the sandbox. */
export type CrashPoint =
  | 'before intent'
  | 'after intent'
  | 'mid literal'
  | 'after the last octet'
  | 'after the final CRLF'
  | 'before the outcome is durable'
  | 'mid commit'
  | 'in recovery, before its verdicts'
  | 'in recovery, after its verdicts';

export interface CrashedRun {
  /** What a dead process leaves: its state directory as it was on the disk at that moment. */
  readonly stateDir: string;
  /** False: the run came to its end first. */
  readonly happened: boolean;
}

/**
 * Runs a job that dies at the `nth` occurrence of `point`: from that moment on it reaches no server and no disk, like a
 * process that was ended by `kill -9`. The servers live on, with whatever had reached them.
 */
export async function runUntilCrash(
  engine: Engine,
  point: CrashPoint,
  nth: number,
  settings: Partial<JobSettings> = {},
): Promise<CrashedRun> {
  const process = new DoomedProcess(engine, settings.stateDir ?? engine.stateDir);
  const { faults } = engine.servers.target;
  const die = () => process.die();
  const at = {
    'mid literal': { literal: 1, octets: 20 },
    'after the last octet': { literal: 1, octets: Number.POSITIVE_INFINITY },
    'after the final CRLF': 'after',
  } as const;
  const fault =
    point in at
      ? faults.add({ command: 'APPEND', nth }, { kind: 'run', run: die, at: at[point as keyof typeof at] })
      : null;
  await Promise.allSettled([
    engine.run(settings, { connect: process.connect, openJournal: (...args) => process.openJournal(point, nth, args) }),
  ]);
  fault?.disarm();
  return { stateDir: process.image, happened: process.dead };
}

class DoomedProcess {
  readonly image = mkdtempSync(join(tmpdir(), 'crashed-'));
  dead = false;
  readonly #engine: Engine;
  readonly #stateDir: string;
  readonly #clients: ImapClient[] = [];
  #journal: Journal | null = null;
  /** The log as it was after the last commit. */
  #log: Buffer = Buffer.alloc(0);

  constructor(engine: Engine, stateDir: string) {
    this.#engine = engine;
    this.#stateDir = stateDir;
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    cpSync(this.#stateDir, this.image, { recursive: true });
    for (const client of this.#clients) client.close(new Error('the process is dead'));
  }

  readonly connect: Connect = async (account, clock) => {
    if (this.dead) throw new Error('the process is dead');
    const client = await this.#engine.connect(account, clock);
    this.#clients.push(client);
    return client;
  };

  async openJournal(point: CrashPoint, nth: number, args: Parameters<typeof openJournal>): Promise<Journal> {
    const journal = await openJournal(...args);
    this.#journal = journal;
    this.#log = this.#readLog();
    let count = 0;
    const strikes = (records: readonly JournalRecord[]) => isAt(point, records) && ++count === nth;
    const alive = <T>(work: () => Promise<T>): Promise<T> =>
      this.dead ? Promise.reject(new Error('the process is dead')) : work();
    return {
      file: journal.file,
      state: journal.state,
      folders: () => journal.folders(),
      folder: (source, target) => journal.folder(source, target),
      openFolder: (folder) => alive(() => journal.openFolder(folder)),
      messages: (folderId) => alive(() => journal.messages(folderId)),
      intents: (folderId) => alive(() => journal.intents(folderId)),
      stats: () => journal.stats(),
      write: (...records) =>
        alive(async () => {
          const isStruck = strikes(records);
          const isAfter = ['after intent', 'mid commit', 'in recovery, after its verdicts'].includes(point);
          if (isStruck && !isAfter) this.die();
          if (this.dead) throw new Error('the process is dead');
          await journal.write(...records);
          if (this.dead) throw new Error('the process is dead');
          if (isStruck) {
            this.die();
            if (point === 'mid commit') this.#tear();
            throw new Error('the process is dead');
          }
          this.#log = this.#readLog();
        }),
      [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
    };
  }

  #readLog(): Buffer {
    const file = `${this.#journal?.file}-wal`;
    return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  }

  /** Undoes the second half of what the last commit wrote to the log: the process died in the middle of it. */
  #tear(): void {
    const file = join(this.image, `${basename(this.#journal?.file ?? '')}-wal`);
    writeFileSync(file, tornLog(this.#log, readFileSync(file)));
  }
}

/** A log of which only the first half of what was written last has reached the disk. */
export function tornLog(before: Buffer, after: Buffer): Buffer {
  const isOld = (at: number) => at < before.length && before[at] === after[at];
  let [first, last] = [0, after.length - 1];
  while (first < after.length && isOld(first)) first++;
  while (last > first && isOld(last)) last--;
  const middle = first + ((last - first) >> 1);
  return Buffer.concat([after.subarray(0, middle), before.subarray(middle)]);
}

function isAt(point: CrashPoint, records: readonly JournalRecord[]): boolean {
  const has = (kind: JournalRecord['kind']) => records.some((record) => record.kind === kind);
  switch (point) {
    case 'before intent':
    case 'after intent':
      return has('intents');
    case 'before the outcome is durable':
    case 'in recovery, before its verdicts':
    case 'in recovery, after its verdicts':
      return has('verdicts') || (point !== 'before the outcome is durable' && has('dropped'));
    case 'mid commit':
      return true;
    default:
      return false;
  }
}
