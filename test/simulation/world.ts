import type { Transport } from '../../src/protocol/types.ts';
import {
  connectSandbox,
  type IncomingMessage,
  randomSplitter,
  type SandboxAccount,
  type SandboxMailbox,
  type SandboxOptions,
} from '../../src/sandbox/index.ts';
import { Engine } from '../support/engine.ts';
import type { Change } from './disturbance.ts';
import { digestOf } from './process.ts';
import { bodyOf, type FolderPlan, type MessagePlan, type Scenario, type ServerPlan } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';

/** Not needed here, and dear: a login that hashes, extensions that nothing in a copy asks for. */
const unused = ['AUTH=SCRAM-SHA-1', 'AUTH=SCRAM-SHA-256', 'AUTH=CRAM-MD5', 'ID', 'QUOTA', 'STARTTLS', 'SPECIAL-USE'];

/** What has happened to one folder of the source, and to the folder of the target it goes to, besides the copying. */
export interface FolderHistory {
  readonly path: readonly string[];
  readonly source: SandboxMailbox;
  /** Digests of messages that were at the source once. */
  readonly expunged: string[];
  /** Digests of what others put into the target's folder, beside what it held at first. */
  readonly foreign: string[];
  /** Digests of what the target held at first. */
  readonly atFirst: readonly string[];
  /** Nobody knows any more which flags were applied to which copy. */
  flagsForgotten: boolean;
}

/** Two servers, their accounts, and the memory of everything that was done to them by others than the program. */
export class World implements Disposable {
  readonly engine: Engine;
  readonly folders: readonly FolderHistory[];
  /** Bodies of what was stored by APPEND although nobody had written down that it was going to be. */
  readonly unintended: string[] = [];
  /** Whether a message may be stored now; set by the run. */
  isIntended: (body: Buffer) => boolean = () => true;
  /** Digest of the bytes -> digest of the lines, of all that others have put anywhere or taken away. */
  readonly canonicalOf = new Map<string, string>();
  readonly #scenario: Scenario;
  readonly #scheduler: Scheduler;
  #nextNumber = 100_000;
  #connections = 0;
  #foreignStored = 0;

  constructor(scenario: Scenario, scheduler: Scheduler) {
    this.#scenario = scenario;
    this.#scheduler = scheduler;
    const { clock } = scheduler;
    this.engine = new Engine({
      source: { ...toOptions(scenario.source), clock },
      target: { ...toOptions(scenario.target), clock, refuse: (message) => this.#admit(message) },
    });
    this.folders = scenario.folders.map((plan) => this.#fill(plan));
  }

  /** Messages at the target that no APPEND brought there. */
  get storedByOthers(): number {
    return this.#foreignStored;
  }

  dial(host: string): Transport {
    const { latencyMs, splitBytes, seed } = this.#scenario;
    const side = host === 'source.test' ? 'source' : 'target';
    const number = ++this.#connections;
    return connectSandbox(this.engine.servers[side], {
      schedule: this.#scheduler.stream(latencyMs[side]),
      secure: true,
      ...(splitBytes === null ? {} : { split: randomSplitter(seed + number, splitBytes) }),
    });
  }

  apply(change: Change): void {
    const { folders } = this;
    const history = folders[change.folder % folders.length];
    if (history === undefined) return;
    const { source } = history;
    switch (change.kind) {
      case 'deliver':
        source.append({ ...this.#newMail(source, change.twinOf), flags: change.flags });
        return;
      case 'flags': {
        const message = pick(source, change.message);
        if (message !== null) source.setFlags(message, change.flags);
        return;
      }
      case 'expunge': {
        const message = pick(source, change.message);
        if (message === null) return;
        history.expunged.push(this.#digest(message.body));
        source.expunge([message]);
        return;
      }
      case 'foreign': {
        const target = this.targetOf(history);
        if (target === null) return;
        const mail = this.#newMail(source, change.twinOf);
        history.foreign.push(this.#digest(mail.body));
        target.append(mail);
        this.#foreignStored++;
        return;
      }
      case 'uidvalidity': {
        history.flagsForgotten = true;
        const mailbox = change.side === 'source' ? source : this.targetOf(history);
        mailbox?.changeUidValidity(mailbox.uidValidity + 1_000);
        return;
      }
      default:
        throw new RangeError(`no such change: ${change satisfies never}`);
    }
  }

  /** The folder at the target; `null`: there is none yet. */
  targetOf({ path }: Pick<FolderHistory, 'path'>): SandboxMailbox | null {
    try {
      return this.engine.target.mailbox(path);
    } catch {
      return null;
    }
  }

  [Symbol.dispose](): void {
    this.engine[Symbol.dispose]();
  }

  #digest(body: Buffer): string {
    const digest = digestOf(body);
    this.canonicalOf.set(digest, digestOf(withCrlf(body)));
    return digest;
  }

  #newMail(source: SandboxMailbox, twinOf: number | null): { body: Buffer; internalDate: string } {
    const twin = twinOf === null ? null : pick(source, twinOf);
    if (twin !== null && twin.body.length > 0 && !isRefused(twin.body)) {
      return { body: twin.body, internalDate: twin.internalDate };
    }
    return { body: bodyOf({ number: this.#nextNumber++, kind: 'plain' }), internalDate: '05-May-2021 10:00:00 +0000' };
  }

  #admit({ body }: IncomingMessage): { status: 'NO'; text: string } | null {
    if (isRefused(body)) return { status: 'NO', text: 'this message is not wanted' };
    if (!this.isIntended(body)) this.unintended.push(digestOf(body));
    return null;
  }

  #fill(plan: FolderPlan): FolderHistory {
    const { engine } = this;
    const source = open(engine.source, plan.path);
    for (const [index, message] of plan.messages.entries()) {
      if (index % 7 === 6) source.skipUids(3);
      source.append(toNew(message));
    }
    const atFirst: string[] = [];
    if (plan.atTarget.length > 0 || plan.foreign > 0) {
      const target = open(engine.target, plan.path);
      const add = (message: MessagePlan) => {
        const mail = toNew(message);
        const body = this.#scenario.target.rewritesLines ? withCrlf(mail.body) : mail.body;
        target.append({ ...mail, body });
        atFirst.push(this.#digest(mail.body));
        this.#foreignStored++;
      };
      for (const index of plan.atTarget) if (plan.messages[index] !== undefined) add(plan.messages[index]);
      for (let index = 0; index < plan.foreign; index++)
        add({
          number: this.#nextNumber++,
          kind: 'plain',
          flags: ['\\Flagged'],
          internalDate: '06-Jun-2022 10:00:00 +0000',
        });
    }
    return { path: plan.path, source, expunged: [], foreign: [], atFirst, flagsForgotten: false };
  }
}

export function isRefused(body: Buffer): boolean {
  return body.includes('X-Refuse: yes');
}

/** Every line ended by CRLF, the last one too where it has an end. */
export function withCrlf(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}

function toNew(message: MessagePlan): { body: Buffer; flags: readonly string[]; internalDate: string } {
  const { flags, internalDate } = message;
  return { body: bodyOf(message), flags, internalDate };
}

function open(account: SandboxAccount, path: readonly string[]): SandboxMailbox {
  return path[0] === 'INBOX' ? account.inbox : account.createMailbox(path);
}

function pick(mailbox: SandboxMailbox, at: number): SandboxMailbox['messages'][number] | null {
  const { messages } = mailbox;
  return messages[at % Math.max(1, messages.length)] ?? null;
}

function toOptions(plan: ServerPlan): SandboxOptions {
  const { rewritesLines, maxConnections, disable, ...options } = plan;
  return {
    ...options,
    disable: [...unused, ...disable],
    ...(maxConnections === null ? {} : { maxConnections }),
    ...(rewritesLines ? { rewrite: withCrlf } : {}),
  };
}
