import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exitCodes, MigrateError } from '../../src/errors.ts';
import { type Journal, type JournalRecord, openJournal } from '../../src/journal/index.ts';
import { ImapClient } from '../../src/protocol/index.ts';
import type { Transport, TransportHandlers } from '../../src/protocol/types.ts';
import type { Connect } from '../../src/worker/login.ts';
import { tornLog } from '../support/crash.ts';

/** What may end a process, or its disk, at a write of its journal. */
export interface JournalFaults {
  readonly killAt: { readonly commit: number; readonly mode: 'before' | 'after' | 'torn' } | null;
  readonly fullAt: number | null;
}

/** How a simulated process is defective on purpose, to show that the simulation notices. */
export type Defect = 'forgets intents' | 'forgets doubts' | 'counts intents as copied' | 'changes flags' | null;

/**
 * One run's process: its connections and its journal can be taken from it at any moment, as by `kill -9`. What its state
 * directory held at that moment is copied to `imageDir`.
 */
export class SimulatedProcess {
  /** SHA-256 (hex) of every message that the journal knows to be about to be stored, or its size where it is not read before. */
  readonly #intended = new Set<string | number>();
  dead = false;
  readonly #stateDir: string;
  readonly #imageDir: string;
  readonly #faults: JournalFaults;
  readonly #defect: Defect;
  readonly #transports = new Set<MortalTransport>();
  #journal: Journal | null = null;
  #log: Buffer = Buffer.alloc(0);
  #writes = 0;

  constructor(stateDir: string, imageDir: string, faults: JournalFaults, defect: Defect) {
    this.#stateDir = stateDir;
    this.#imageDir = imageDir;
    this.#faults = faults;
    this.#defect = defect;
  }

  isIntended(body: Buffer): boolean {
    return this.#intended.has(digestOf(body)) || this.#intended.has(body.length);
  }

  /** From now on it reaches no server and no disk. What the system had taken from it before still arrives. */
  die(): void {
    if (this.dead) return;
    this.dead = true;
    cpSync(this.#stateDir, this.#imageDir, { recursive: true });
    for (const transport of this.#transports) transport.die();
  }

  /** Dials by what `dial` gives for a host. Bodies of `oversizeBytes` on are streamed. */
  connector(dial: (host: string) => Transport, oversizeBytes: number | null): Connect {
    const limits = oversizeBytes === null ? {} : { streamLiteralBytes: oversizeBytes };
    return ({ host }, clock) => {
      if (this.dead) return Promise.reject(new Error('the process is dead'));
      const transport = new MortalTransport(dial(host), this.#defect === 'changes flags' ? deleteFlagged : null);
      this.#transports.add(transport);
      return ImapClient.connect({ host, tls: 'none', transport, clock, limits });
    };
  }

  readonly openJournal = async (
    ...[dir, source, target, options]: Parameters<typeof openJournal>
  ): Promise<Journal> => {
    const journal = await openJournal(dir, source, target, { ...options, inline: true });
    this.#journal = journal;
    this.#log = this.#readLog();
    const alive = <T>(work: () => Promise<T>): Promise<T> =>
      this.dead ? Promise.reject(new Error('the process is dead')) : work();
    return {
      file: journal.file,
      state: journal.state,
      folders: () => journal.folders(),
      folder: (source, target) => journal.folder(source, target),
      openFolder: (folder) => alive(() => this.#during([], () => journal.openFolder(folder))),
      messages: (folderId) => alive(() => journal.messages(folderId)),
      intents: (folderId) =>
        alive(async () => (this.#defect === 'forgets doubts' ? [] : await journal.intents(folderId))),
      stats: () => journal.stats(),
      write: (...given) => {
        const records = this.#withDefect(given);
        return alive(() => this.#during(records, () => journal.write(...records)));
      },
      [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
    };
  };

  async #during<Result>(records: readonly JournalRecord[], write: () => Promise<Result>): Promise<Result> {
    const count = ++this.#writes;
    const { killAt, fullAt } = this.#faults;
    if (fullAt !== null && count >= fullAt)
      throw new MigrateError('STATE', exitCodes.disk, 'the simulated disk is full');
    const mode = killAt?.commit === count ? killAt.mode : null;
    if (mode === 'before') this.die();
    if (this.dead) throw new Error('the process is dead');
    const result = await write();
    if (this.dead) throw new Error('the process is dead');
    if (mode !== null) {
      this.die();
      if (mode === 'torn') this.#tear();
      throw new Error('the process is dead');
    }
    this.#log = this.#readLog();
    this.#note(records);
    return result;
  }

  #withDefect(records: readonly JournalRecord[]): readonly JournalRecord[] {
    if (this.#defect === 'forgets intents') return records.filter(({ kind }) => kind !== 'intents');
    if (this.#defect !== 'counts intents as copied') return records;
    return records.flatMap((record): JournalRecord[] => {
      if (record.kind !== 'intents') return [record];
      const { folderId, messages } = record;
      const targetUids = new Uint32Array(messages.uids.length);
      return [record, { kind: 'verdicts', folderId, verdict: 'copied', messages: { ...messages, targetUids } }];
    });
  }

  #note(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind !== 'intents') continue;
      const { digests, sizes } = record.messages;
      if (digests === null) {
        for (const size of sizes) this.#intended.add(size);
        continue;
      }
      for (let at = 0; at < digests.length; at += 32) {
        this.#intended.add(Buffer.from(digests.subarray(at, at + 32)).toString('hex'));
      }
    }
  }

  #readLog(): Buffer {
    const file = `${this.#journal?.file}-wal`;
    return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  }

  #tear(): void {
    const file = join(this.#imageDir, `${basename(this.#journal?.file ?? '')}-wal`);
    writeFileSync(file, tornLog(this.#log, readFileSync(file)));
  }
}

export function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function deleteFlagged(part: Buffer): Buffer {
  return Buffer.from(part.toString('latin1').replaceAll('\\Flagged', '\\Deleted'), 'latin1');
}

/** A connection that a dead process has no hold on any more. */
class MortalTransport implements Transport {
  readonly #near: Transport;
  readonly #change: ((part: Buffer) => Buffer) | null;
  #handlers: TransportHandlers | null = null;
  #dead = false;

  /** `change`: what becomes of everything that is sent. */
  constructor(near: Transport, change: ((part: Buffer) => Buffer) | null) {
    this.#near = near;
    this.#change = change;
  }

  get description(): string {
    return this.#near.description;
  }

  get secure(): boolean {
    return this.#near.secure;
  }

  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#near.close();
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#near.start({
      onData: (chunk) => {
        if (!this.#dead) handlers.onData(chunk);
      },
      onDrain: () => handlers.onDrain(),
      onClose: (error) => this.#handlers?.onClose(this.#dead ? new Error('the process is dead') : error),
    });
  }

  write(parts: readonly Buffer[]): boolean {
    return this.#dead || this.#near.write(this.#change === null ? parts : parts.map(this.#change));
  }

  pause(): void {
    this.#near.pause();
  }

  resume(): void {
    this.#near.resume();
  }

  upgrade(): Promise<void> {
    return this.#near.upgrade();
  }

  close(): void {
    this.#near.close();
  }

  end(): void {
    this.#near.end();
  }
}
