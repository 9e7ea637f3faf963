import { internalDateToEpochMs } from '../protocol/datetime.ts';
import { decodeFolderName } from '../protocol/utf7.ts';
import type { SandboxAccount } from './account.ts';
import { type Answer, bad, no, ok, Refusal } from './answer.ts';
import { Arguments } from './arguments.ts';
import type { CommandTable, Intake, LiteralHeader } from './command.ts';
import { findSelectable } from './folder-names.ts';
import { type SandboxMailbox, systemFlags } from './mailbox.ts';
import type { SandboxSession } from './session.ts';
import { encodeSet } from './wire.ts';

/** APPEND and MULTIAPPEND (RFC 3501 6.3.11, RFC 3502), with APPENDUID (RFC 4315). */
export const appendCommands: CommandTable = {
  APPEND: {
    state: 'authenticated',
    run: () => {
      throw bad('Missing message literal');
    },
    intake: (session) => new AppendIntake(session, session.requireAccount()),
  },
};

interface Incoming {
  readonly flags: readonly string[];
  readonly internalDate: string | null;
  readonly body: Buffer;
}

/** Takes the messages of one APPEND as they arrive and stores all of them or none. */
class AppendIntake implements Intake {
  readonly #session: SandboxSession;
  readonly #account: SandboxAccount;
  #rawName: string | null = null;
  #mailbox: SandboxMailbox | null = null;
  /** What the next message's text said; `null` between messages. */
  #announced: { readonly flags: readonly string[]; readonly internalDate: string | null } | null = null;
  readonly #messages: Incoming[] = [];
  #pendingBytes = 0;
  readonly #storedUids: number[] = [];

  constructor(session: SandboxSession, account: SandboxAccount) {
    this.#session = session;
    this.#account = account;
  }

  text(text: string, literal: LiteralHeader | null): void {
    const args = new Arguments([text]);
    if (this.#rawName === null) {
      args.space();
      // `APPEND {5}`: the literal is the mailbox's name.
      if (args.atEnd && literal !== null && literal.size <= 1000) return;
      this.#rawName = args.astring();
    }
    if (literal === null) {
      if (this.#messages.length === 0) throw bad('Missing message literal');
      args.end();
      return;
    }
    if (this.#messages.length > 0 && !this.#session.has('MULTIAPPEND')) throw bad('Unknown or extra arguments');
    this.#announced = parseMessageArguments(args);
    this.#mailbox ??= findSelectable(this.#account, this.#rawName, 'TRYCREATE');
    const { selection, server } = this.#session;
    if (server.options.refuseAppendToExamined === true && selection?.readOnly && selection.mailbox === this.#mailbox) {
      throw no('Current box is selected READ-ONLY.');
    }
    this.#checkSize(literal.size);
  }

  literal(octets: Buffer): void {
    if (this.#rawName === null) {
      this.#rawName = octets.toString('latin1');
      return;
    }
    if (this.#announced === null || this.#mailbox === null) throw bad('Unexpected literal');
    const message = { ...this.#announced, body: octets };
    this.#announced = null;
    this.#messages.push(message);
    this.#pendingBytes += octets.length;
    this.#check(message, this.#mailbox);
    if (this.#session.server.options.commitAtLastOctet === true) this.#store(message, this.#mailbox);
  }

  finish(): Answer {
    const { options } = this.#session.server;
    // The mailbox may have gone while the messages arrived.
    const mailbox = findSelectable(this.#account, this.#rawName ?? '', 'TRYCREATE');
    if (options.commitAtLastOctet !== true) for (const message of this.#messages) this.#store(message, mailbox);
    if (!this.#session.has('UIDPLUS') || options.uidNotSticky === true) return ok('Append completed.');
    return ok('Append completed.', `APPENDUID ${mailbox.uidValidity} ${encodeSet(this.#storedUids)}`);
  }

  #checkSize(size: number): void {
    const limit = this.#session.server.options.appendLimit ?? null;
    if (limit !== null && size > limit) throw no(`Message size exceeds the limit of ${limit} bytes`, 'TOOBIG');
    const { quota } = this.#account;
    if (quota === null) return;
    const bytes = this.#account.totalBytes + this.#unstored(this.#pendingBytes) + size;
    const count = this.#account.messageCount + this.#unstored(this.#messages.length) + 1;
    if (
      (quota.storageBytes !== null && bytes > quota.storageBytes) ||
      (quota.messages !== null && count > quota.messages)
    ) {
      throw no('Quota exceeded (mailbox for user is full)', 'OVERQUOTA');
    }
  }

  /** With early commits everything that arrived is in the account's sums already. */
  #unstored(amount: number): number {
    return this.#session.server.options.commitAtLastOctet === true ? 0 : amount;
  }

  #check(message: Incoming, mailbox: SandboxMailbox): void {
    const { options } = this.#session.server;
    if (message.body.length === 0) throw no("Can't save a zero byte message.");
    if (options.keepKeywords === false && options.unknownFlags === 'refuse') {
      const unknown = message.flags.find((flag) => !isKept(flag, options.permanentKeywords ?? []));
      if (unknown !== undefined) throw bad(`Unrecognized flag ${unknown}`);
    }
    const name = decodeFolderName(mailbox.rawName) ?? mailbox.rawName;
    const refusal = options.refuse?.({ mailbox: name, ...message }) ?? null;
    if (refusal !== null) throw new Refusal(refusal);
  }

  #store(message: Incoming, mailbox: SandboxMailbox): void {
    const { options } = this.#session.server;
    const flags =
      options.keepKeywords === false
        ? message.flags.filter((flag) => isKept(flag, options.permanentKeywords ?? []))
        : message.flags;
    const internalDate = options.keepDates === false ? null : message.internalDate;
    const body = options.rewrite?.(message.body) ?? message.body;
    const stored = mailbox.append({ body, flags, ...(internalDate !== null && { internalDate }) });
    this.#storedUids.push(stored.uid);
  }
}

/** ` (flags) "date" ` before a message's literal. */
function parseMessageArguments(args: Arguments): { flags: string[]; internalDate: string | null } {
  args.space();
  let flags: string[] = [];
  let internalDate: string | null = null;
  if (args.next === '(') {
    flags = args.list(() => args.flag());
    checkFlags(flags);
    args.space();
  }
  if (args.next === '"') {
    internalDate = args.string();
    // The form is fixed: a day below ten is padded with a space or a zero (RFC 3501 9, date-day-fixed).
    if (internalDate.length !== 26 || internalDateToEpochMs(internalDate) === null) throw bad('Invalid internal date');
    args.space();
  }
  args.end();
  return { flags, internalDate };
}

/** @throws BAD for a system flag that no client may set (RFC 3501 2.3.2), `\Recent` first of all. */
export function checkFlags(flags: readonly string[]): void {
  for (const flag of flags) {
    if (flag.startsWith('\\') && !isSystemFlag(flag)) throw bad(`Invalid system flag ${flag}`);
  }
}

/** Whether a server without free keywords keeps this flag. */
export function isKept(flag: string, permanentKeywords: readonly string[]): boolean {
  return isSystemFlag(flag) || permanentKeywords.some((keyword) => keyword.toLowerCase() === flag.toLowerCase());
}

function isSystemFlag(flag: string): boolean {
  return systemFlags.some((known) => known.toLowerCase() === flag.toLowerCase());
}
