import { type Answer, bad } from './answer.ts';
import { Arguments, type CommandPart } from './arguments.ts';
import type { CommandRun, CommandSpec, Intake, LiteralHeader } from './command.ts';
import type { SandboxSession } from './session.ts';

/** Names, passwords and search words are small; only mail is not, and mail has an intake of its own. */
const longestArgument = 65_536;

/** Collects a whole command before it runs. */
export class CollectedArguments implements Intake {
  readonly #session: SandboxSession;
  readonly #spec: CommandSpec;
  readonly #parts: CommandPart[] = [];

  constructor(session: SandboxSession, spec: CommandSpec) {
    this.#session = session;
    this.#spec = spec;
  }

  text(text: string, literal: LiteralHeader | null): void {
    if (literal !== null && literal.size > longestArgument) throw bad('Argument too long');
    this.#parts.push(text);
  }

  literal(octets: Buffer): void {
    this.#parts.push(octets);
  }

  finish(): Answer | CommandRun {
    return this.#spec.run(this.#session, new Arguments(this.#parts));
  }
}
