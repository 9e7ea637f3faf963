import { type Answer, bad, encodeAnswer, no, Refusal } from './answer.ts';
import type { CommandRun, CommandSpec, Intake, LiteralHeader } from './command.ts';
import { commands } from './commands.ts';
import type { ArmedFault, FaultPoint } from './faults.ts';
import { CollectedArguments } from './intake.ts';
import type { SandboxSession } from './session.ts';

/** A command whose pieces are being read or whose answer is being made. */
interface CurrentCommand {
  readonly tag: string;
  readonly name: string;
  readonly spec: CommandSpec | null;
  readonly intake: Intake | null;
  readonly faults: readonly ArmedFault[];
  /** Decided early: literals still to come are swallowed. */
  refusal: Answer | null;
  literals: number;
}

/** A literal on its way in, and the octets at which faults strike, in order. */
interface PendingLiteral {
  readonly size: number;
  taken: number;
  complete: boolean;
  readonly swallow: boolean;
  readonly slices: Buffer[];
  readonly strikes: { readonly octets: number; readonly fault: ArmedFault }[];
}

/** Reads commands from a session's input and answers them one after the other. */
export class CommandLoop {
  readonly #session: SandboxSession;
  #current: CurrentCommand | null = null;
  #literal: PendingLiteral | null = null;
  #run: { readonly run: CommandRun; waitsForLine: boolean; idle: boolean } | null = null;
  #deferred: (() => void) | null = null;
  #afterAnswer: (() => void) | null = null;
  #skippingLine = false;
  #busy = false;

  constructor(session: SandboxSession) {
    this.#session = session;
  }

  /** Tag of the command that runs, `''` between commands. */
  get tag(): string {
    return this.#current?.tag ?? '';
  }

  /** Does everything that can be done with what is there, and sends it. */
  work(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (!this.#session.channel.blocked && this.#step());
    } finally {
      this.#busy = false;
    }
    // Changes may have waited for a hold to end.
    if (this.#run?.idle === true && !this.#session.channel.blocked) this.#announceChanges(true);
    this.#session.channel.flush();
  }

  /** To be done once the current command has been answered OK. */
  afterAnswer(action: () => void): void {
    this.#afterAnswer = action;
  }

  /** Another session changed the selected mailbox: an idling client is told at once, others with their next command. */
  announceWhileIdle(): void {
    if (this.#busy || this.#run?.idle !== true || this.#session.channel.blocked) return;
    this.#announceChanges(true);
    this.#session.channel.flush();
  }

  flushUnlessBusy(): void {
    if (!this.#busy) this.#session.channel.flush();
  }

  /** One step; false when nothing can be done now. */
  #step(): boolean {
    const { channel, server } = this.#session;
    if (!channel.writable) return false;
    if (this.#deferred !== null) {
      const deferred = this.#deferred;
      this.#deferred = null;
      deferred();
      return true;
    }
    if (this.#run !== null && !this.#run.waitsForLine) {
      channel.flush();
      if (channel.writable && !channel.blocked) this.#advance('');
      return true;
    }
    if (this.#literal !== null) return this.#takeLiteral(this.#literal);
    const line = channel.input.takeLine();
    const longest = server.options.maxLineBytes ?? 65_536;
    // An unfinished line may still turn out to be of the longest length, with half of its CRLF here.
    if (line === null ? channel.input.length > longest + 1 : line.length > longest) {
      this.#refuseLongLine(line, longest);
      return true;
    }
    if (line === null) return false;
    if (this.#skippingLine) this.#skippingLine = false;
    else if (this.#run !== null) this.#advance(line.toString('latin1'));
    else if (this.#current !== null) this.#continueCommand(this.#current, line.toString('latin1'));
    else this.#beginCommand(line.toString('latin1'));
    return true;
  }

  /** Answers BAD once and passes over the rest of the line. */
  #refuseLongLine(line: Buffer | null, longest: number): void {
    const { channel } = this.#session;
    const start = (line ?? Buffer.concat(channel.input.take(longest))).toString('latin1', 0, 100);
    if (!this.#skippingLine) {
      const tag = this.#current?.tag ?? /^[^\s(){%*"\\+]+(?= )/.exec(start)?.[0] ?? '*';
      channel.text(`${tag} BAD Command line too long\r\n`);
      this.#current = null;
      this.#run = null;
    }
    this.#skippingLine = line === null;
  }

  #beginCommand(text: string): void {
    const { server, number, account, channel } = this.#session;
    const match = /^([!#$&',-[\]^-z|}~]+) ((?:UID )?[A-Z0-9_.-]+)/i.exec(text);
    if (match === null) {
      channel.text('* BAD Invalid command\r\n');
      return;
    }
    const tag = match[1] as string;
    const name = (match[2] as string).toUpperCase();
    const line = text.slice(tag.length + 1);
    const spec = this.#lookUp(name);
    server.commandLog.push({
      connection: number,
      user: account?.user ?? null,
      name,
      line: spec?.secret === true ? name : line,
    });
    let refusal: Answer | null = null;
    let intake: Intake | null = null;
    try {
      intake = this.#admit(spec, name);
    } catch (error) {
      refusal = answerOf(error);
    }
    const faults = server.faults.onCommand(name, line, number);
    const current: CurrentCommand = { tag, name, spec, intake, faults, refusal, literals: 0 };
    this.#current = current;
    for (const fault of faults) this.#strikeAtBegin(fault, current);
    if (channel.closing) return;
    const goOn = () => this.#continueCommand(current, text.slice((match[0] as string).length));
    if (channel.blocked) this.#deferred = goOn;
    else goOn();
  }

  #lookUp(name: string): CommandSpec | null {
    const spec = Object.hasOwn(commands, name) ? (commands[name] as CommandSpec) : null;
    return spec?.requires !== undefined && !this.#session.has(spec.requires) ? null : spec;
  }

  /** What takes the command's arguments. @throws Refusal when it may not run now. */
  #admit(spec: CommandSpec | null, name: string): Intake {
    if (spec === null) {
      const refuse = this.#session.server.options.unknownCommandAnswer === 'NO' ? no : bad;
      throw refuse(`Unknown command ${name}`);
    }
    if (spec.state === 'not-authenticated' && this.#session.account !== null) throw bad('Already logged in');
    if (spec.state === 'authenticated' || spec.state === 'selected') this.#session.requireAccount();
    if (spec.state === 'selected') this.#session.requireSelection();
    return spec.intake?.(this.#session) ?? new CollectedArguments(this.#session, spec);
  }

  #continueCommand(current: CurrentCommand, text: string): void {
    const header = parseLiteralHeader(text);
    if (header?.nonSync === true && !this.#allowsNonSync(header.size)) {
      // What the client sends next is mail, and will be read as commands: so do servers that never heard of {n+}.
      this.#finish(current, bad('Non-synchronizing literals are not supported').answer);
      return;
    }
    if (current.refusal === null) {
      try {
        current.intake?.text(header === null ? text : text.slice(0, text.lastIndexOf('{')), header);
        if (header === null) this.#start(current);
      } catch (error) {
        current.refusal = answerOf(error);
      }
    }
    if (current.refusal !== null && (header === null || !header.nonSync)) this.#finish(current, current.refusal);
    else if (header !== null) this.#expectLiteral(current, header);
  }

  #expectLiteral(current: CurrentCommand, header: LiteralHeader): void {
    current.literals += 1;
    this.#literal = {
      size: header.size,
      taken: 0,
      swallow: current.refusal !== null,
      slices: [],
      complete: false,
      strikes: literalStrikes(current.faults, current.literals, header.size),
    };
    if (!header.nonSync) this.#session.channel.text('+ OK\r\n');
  }

  /** Takes what has arrived of a literal, up to the octet at which a fault strikes; false when there is nothing to take. */
  #takeLiteral(literal: PendingLiteral): boolean {
    const { channel } = this.#session;
    const strike = literal.strikes[0];
    const end = strike?.octets ?? literal.size;
    if (literal.taken < end && channel.input.length === 0) return false;
    for (const slice of channel.input.take(end - literal.taken)) {
      literal.taken += slice.length;
      if (!literal.swallow) literal.slices.push(slice);
    }
    if (literal.taken < end) return false;
    if (literal.taken === literal.size && !literal.complete) {
      literal.complete = true;
      this.#passLiteral(literal);
    }
    if (strike !== undefined) {
      literal.strikes.shift();
      channel.flush();
      channel.strike(strike.fault, this.#current?.name ?? null);
    } else {
      this.#literal = null;
    }
    return true;
  }

  #passLiteral(literal: PendingLiteral): void {
    const current = this.#current;
    if (current === null || literal.swallow) return;
    try {
      const [only] = literal.slices;
      current.intake?.literal(literal.slices.length === 1 && only !== undefined ? only : Buffer.concat(literal.slices));
    } catch (error) {
      current.refusal = answerOf(error);
    }
  }

  #allowsNonSync(size: number): boolean {
    return this.#session.has('LITERAL+') || (this.#session.has('LITERAL-') && size <= 4096);
  }

  /** The command is complete: do it. */
  #start(current: CurrentCommand): void {
    const result = current.intake?.finish();
    if (result === undefined) return;
    if ('status' in result) {
      this.#finish(current, result);
      return;
    }
    this.#run = { run: result, waitsForLine: false, idle: false };
    this.#advance('');
  }

  /** Runs a command of several steps up to its next pause. */
  #advance(line: string): void {
    const current = this.#current;
    const running = this.#run;
    if (current === null || running === null) return;
    try {
      const step = running.run.next(line);
      if (step.done === true) {
        this.#finish(current, step.value);
        return;
      }
      running.waitsForLine = step.value.kind === 'prompt';
      running.idle = step.value.kind === 'prompt' && step.value.idle === true;
      if (step.value.kind === 'prompt') this.#session.channel.text(`+ ${step.value.text}\r\n`);
      if (running.idle) this.#announceChanges(true);
    } catch (error) {
      this.#finish(current, answerOf(error));
    }
  }

  #finish(current: CurrentCommand, answer: Answer): void {
    const { channel } = this.#session;
    this.#run = null;
    const bringsNews = current.name !== 'STATUS' || this.#session.server.options.staleStatus !== true;
    if (bringsNews) this.#announceChanges(current.spec?.holdsExpunges !== true);
    let final: Answer | null = answer;
    for (const fault of current.faults) if (!channel.closing) final = this.#strikeAtEnd(fault, current, final);
    this.#current = null;
    const afterAnswer = this.#afterAnswer;
    this.#afterAnswer = null;
    if (channel.closing) return;
    if (final !== null) channel.text(`${current.tag} ${encodeAnswer(final)}\r\n`);
    for (const fault of current.faults) this.#strikeAfterTagged(fault, current);
    // A fault may have told the client otherwise.
    if (answer.status === 'OK' && final?.status !== 'NO' && final?.status !== 'BAD') afterAnswer?.();
  }

  #announceChanges(expunges: boolean): void {
    const session = this.#session;
    if (session.selection === null) return;
    const modSeq = session.condstoreAware && session.has('CONDSTORE');
    for (const line of session.selection.takeChanges({ expunges, modSeq })) session.untagged(line);
  }

  #strikeAtBegin(fault: ArmedFault, current: CurrentCommand): void {
    const { channel, server, number } = this.#session;
    if (channel.closing) return;
    const { action } = fault;
    const at = faultPoint(fault);
    if (typeof at === 'object') {
      if ('answerOctets' in at) channel.gates.set('out', channel.queuedOutput + at.answerOctets, fault);
    } else if (at !== 'before') {
      return;
    } else if (action.kind === 'answer' || action.kind === 'inject') {
      server.faults.record(fault, number, current.name);
      if (action.kind === 'answer') current.refusal = action.answer;
      else this.#inject(action.lines);
    } else {
      channel.flush();
      channel.strike(fault, current.name);
    }
  }

  /** Faults between a command's work and its tagged line; returns what that line will be, `null` for none. */
  #strikeAtEnd(fault: ArmedFault, current: CurrentCommand, answer: Answer | null): Answer | null {
    const { channel, server, number } = this.#session;
    const { action } = fault;
    if (faultPoint(fault) !== 'after') return answer;
    if (action.kind === 'answer' || action.kind === 'drop-tagged' || action.kind === 'inject') {
      server.faults.record(fault, number, current.name);
      if (action.kind === 'inject') this.#inject(action.lines);
      return action.kind === 'inject' ? answer : action.kind === 'answer' ? action.answer : null;
    }
    channel.flush();
    channel.strike(fault, current.name);
    return answer;
  }

  #strikeAfterTagged(fault: ArmedFault, current: CurrentCommand): void {
    const { channel, server, number } = this.#session;
    if (fault.action.kind === 'inject' && fault.action.at === 'after-tagged') {
      server.faults.record(fault, number, current.name);
      this.#inject(fault.action.lines);
    }
    // A gate beyond the end of this answer must not catch the next one.
    channel.flush();
    channel.gates.unset(fault);
  }

  #inject(lines: readonly string[]): void {
    for (const line of lines) this.#session.channel.text(`${line}\r\n`);
  }
}

/** Where a command fault strikes; what says nothing strikes before, except what only makes sense after the work. */
function faultPoint(fault: ArmedFault): FaultPoint | 'after-tagged' {
  if (fault.action.kind === 'drop-tagged') return 'after';
  return fault.action.at ?? 'before';
}

function literalStrikes(
  faults: readonly ArmedFault[],
  ordinal: number,
  size: number,
): { octets: number; fault: ArmedFault }[] {
  const strikes: { octets: number; fault: ArmedFault }[] = [];
  for (const fault of faults) {
    const at = faultPoint(fault);
    if (typeof at === 'object' && 'literal' in at && at.literal === ordinal) {
      strikes.push({ octets: Math.min(at.octets, size), fault });
    }
  }
  return strikes.sort((a, b) => a.octets - b.octets);
}

function parseLiteralHeader(text: string): LiteralHeader | null {
  const match = /\{(\d{1,15})(\+?)\}$/.exec(text);
  return match === null ? null : { size: Number(match[1]), nonSync: match[2] === '+' };
}

/** What a command's exception means to the client. Anything but a refusal is a defect and goes up. */
function answerOf(error: unknown): Answer {
  if (error instanceof Refusal) return error.answer;
  throw error;
}
