/**
 * Errors people see, and the exit code each one ends with.
 */

/** Exit codes of the command. Several at once: the one that stands first in `exitPriority` wins. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  partial: 3,
  connect: 4,
  login: 5,
  quota: 6,
  mismatch: 7,
  locked: 8,
  journal: 9,
  disk: 10,
  parked: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const exitPriority: readonly number[] = [1, 10, 9, 8, 2, 7, 6, 5, 4, 75, 143, 130, 3, 0];

/** The one exit code that speaks for all of `codes`; 0 where there is none. */
export function worstExitCode(codes: Iterable<number>): number {
  let worst = exitPriority.length - 1;
  for (const code of codes) {
    const rank = exitPriority.indexOf(code);
    worst = Math.min(worst, rank === -1 ? 0 : rank);
  }
  return exitPriority[worst] ?? 0;
}

/** An error with a stable code and one line that says what, where and what to do. Its message never holds a secret. */
export class MigrateError extends Error {
  override readonly name: string = 'MigrateError';
  /** Stable, upper case: `CONFIG`, `CONNECT`, `LOGIN`, … */
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, exitCode: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A file, key, option or value the user gave is wrong. */
export class ConfigError extends MigrateError {
  override readonly name = 'ConfigError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONFIG', exitCodes.usage, message, options);
  }
}

/** An error as it crosses threads: structured clone loses classes and codes. */
export interface WireError {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
}

/** Any error as it is reported and carried across threads. */
export function wireErrorOf(error: unknown): WireError {
  if (error instanceof MigrateError) return { code: error.code, exitCode: error.exitCode, message: error.message };
  return {
    code: 'INTERNAL',
    exitCode: exitCodes.internal,
    message: error instanceof Error ? error.message : String(error),
  };
}
