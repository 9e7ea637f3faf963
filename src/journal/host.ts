/**
 * Where the writer runs: on a thread of its own, or inline where that cannot be.
 */

import { Worker } from 'node:worker_threads';
import { exitCodes, MigrateError, type WireError } from '../errors.ts';
import { journalThread } from '../program-files.ts';
import type { CallName, Calls, JournalService } from './service.ts';

/** A call on its way to the thread. */
export type CallMessage = {
  [Name in CallName]: { readonly id: number; readonly name: Name; readonly request: Calls[Name]['request'] };
}[CallName];

/** Its answer. */
export type AnswerMessage =
  | { readonly id: number; readonly reply: Calls[CallName]['reply'] }
  | { readonly id: number; readonly error: WireError };

export interface JournalHost {
  /** Calls are done one by one, in order. @throws MigrateError */
  call<Name extends CallName>(name: Name, request: Calls[Name]['request']): Promise<Calls[Name]['reply']>;
  /** Ends the thread. To be called once, after every call is answered. */
  end(): Promise<void>;
}

/** Started before anybody asked for it. */
let ahead: ThreadHost | null = null;

/** Starts the thread of the next journal, which is loaded by the time there is one. It keeps no process from ending. */
export function startJournalThread(): void {
  ahead ??= new ThreadHost({ holdsProcess: false });
}

function takeThread(): ThreadHost {
  const host = ahead ?? new ThreadHost({ holdsProcess: true });
  ahead = null;
  host.holdProcess();
  return host;
}

/** `inline: null`: a thread, but for sources run as TypeScript, which a thread may not be able to load. */
export function startHost(inline: boolean | null): JournalHost {
  return (inline ?? import.meta.url.endsWith('.ts')) ? new InlineHost() : takeThread();
}

class InlineHost implements JournalHost {
  #service: JournalService | null = null;

  async call<Name extends CallName>(name: Name, request: Calls[Name]['request']): Promise<Calls[Name]['reply']> {
    // Loaded where it runs: a main thread whose journal has a thread does without SQLite.
    const { JournalService } = await import('./service.ts');
    this.#service ??= new JournalService();
    return this.#service.handlers[name](request);
  }

  async end(): Promise<void> {}
}

interface Pending {
  resolve(reply: Calls[CallName]['reply']): void;
  reject(error: unknown): void;
}

class ThreadHost implements JournalHost {
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #failure: MigrateError | null = null;

  constructor({ holdsProcess }: { readonly holdsProcess: boolean }) {
    // The thread needs none of the process's Node options, and some of them forbid threads.
    this.#thread = new Worker(journalThread, { name: 'journal', execArgv: [] });
    this.#thread.on('message', (answer: AnswerMessage) => this.#hear(answer));
    this.#thread.on('error', (error) => this.#fail(error));
    this.#thread.on('exit', (code) => this.#fail(new Error(`exit code ${code}`)));
    if (!holdsProcess) this.#thread.unref();
  }

  /** From now on the process does not end before the thread. */
  holdProcess(): void {
    this.#thread.ref();
  }

  call<Name extends CallName>(name: Name, request: Calls[Name]['request']): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#thread.postMessage({ id, name, request } as CallMessage);
    });
  }

  async end(): Promise<void> {
    this.#thread.removeAllListeners('exit');
    await this.#thread.terminate();
  }

  #hear(answer: AnswerMessage): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) pending?.reject(toMigrateError(answer.error));
    else pending?.resolve(answer.reply);
  }

  /** The thread is gone: what it was asked is not known to be durable. */
  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the journal's thread ended: ${reason}; run again, nothing that was confirmed is lost`;
    this.#failure ??= new MigrateError('THREAD', exitCodes.internal, message, { cause: error });
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

/** Errors lose class and code between threads: they travel as plain objects. */
export function toWireError(error: unknown): WireError {
  if (error instanceof MigrateError) return { code: error.code, exitCode: error.exitCode, message: error.message };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'INTERNAL', exitCode: exitCodes.internal, message: `the journal failed: ${message}` };
}

function toMigrateError({ code, exitCode, message }: WireError): MigrateError {
  return new MigrateError(code, exitCode, message);
}
