import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { Feature } from './features.ts';
import type { SandboxSession } from './session.ts';

/** Where a running command pauses. */
export type Step =
  /** Let the output drain before producing more. */
  | { readonly kind: 'drain' }
  /** Send `+ text` and resume with the client's next line. `idle`: changes are announced while waiting. */
  | { readonly kind: 'prompt'; readonly text: string; readonly idle?: true };

/** A command that takes several steps. Resumed with the line it prompted for, or `''`. */
export type CommandRun = Generator<Step, Answer, string>;

/** What follows a piece of command text. */
export interface LiteralHeader {
  readonly size: number;
  /** Spelled `{n+}`: the client does not wait. */
  readonly nonSync: boolean;
}

/** Takes a command's pieces as they arrive. Any method may throw a Refusal, which ends the command. */
export interface Intake {
  /** A piece of text, and the literal it announces. Throwing here refuses the literal before it is sent. */
  text(text: string, literal: LiteralHeader | null): void;
  literal(octets: Buffer): void;
  /** The last line has arrived. */
  finish(): Answer | CommandRun;
}

/** One command of the server. */
export interface CommandSpec {
  readonly state: 'any' | 'not-authenticated' | 'authenticated' | 'selected';
  /** Unknown to the server while this feature is off. */
  readonly requires?: Feature;
  /** Message sequence numbers are in use: nobody's EXPUNGE may be announced (RFC 3501 7.4.1). */
  readonly holdsExpunges?: true;
  /** The log must not show its arguments. */
  readonly secret?: true;
  run(session: SandboxSession, args: Arguments): Answer | CommandRun;
  /** For the command that cannot wait until its last line: APPEND. */
  intake?(session: SandboxSession): Intake;
}

export type CommandTable = Readonly<Record<string, CommandSpec>>;
