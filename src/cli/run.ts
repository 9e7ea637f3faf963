/**
 * One run of the command from argv to exit code, without touching the process.
 */

import { runIndex, runList, runSearch } from './archive.ts';
import { type Invocation, parseCommandLine } from './command-line.ts';
import { runCheck, runExport, runMigrate, runVerify } from './commands.ts';
import { runDemo } from './demo.ts';
import type { CliIo } from './io.ts';
import { runStatus } from './journal-report.ts';
import { Session } from './session.ts';

type Command = Exclude<Invocation, { readonly kind: 'text' }>;

const defaultColumns = 100;

/**
 * Runs the command line `argv` (without node and script) and resolves with the exit code. Never rejects: whatever ends the
 * command early is one line on stderr, and an `error` event with `--json`.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parseCommandLine(argv, { version: io.version, columns: io.stdout.columns ?? defaultColumns });
  } catch (error) {
    // The options cannot be trusted, but a program that reads JSON must still hear why.
    const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length).includes('--json');
    const session = new Session(io, { json, progress: 'never', quiet: false, verbose: false });
    return endSession(session, session.fail(error));
  }
  if (invocation.kind === 'text') {
    io.stdout.write(invocation.text);
    return 0;
  }
  const session = new Session(io, invocation.options);
  const unlisten = io.onSignal('SIGUSR1', () => session.status());
  try {
    await session.openLog();
    session.emit({ kind: 'started', command: invocation.kind, version: io.version });
    return endSession(session, await runCommand(session, invocation));
  } catch (error) {
    return endSession(session, session.fail(error));
  } finally {
    unlisten();
  }
}

function endSession(session: Session, exitCode: number): number {
  session.close(exitCode);
  return exitCode;
}

async function runCommand(session: Session, { kind, files, options }: Command): Promise<number> {
  switch (kind) {
    case 'migrate':
      return runMigrate(session, files, options, options['dry-run']);
    case 'plan':
      return runMigrate(session, files, options, true);
    case 'verify':
      return runVerify(session, files, options);
    case 'check':
      return runCheck(session, files, options);
    case 'shell': {
      // The one command that needs the client in this thread.
      const { runShell } = await import('./shell.ts');
      return runShell(session, files, options);
    }
    case 'status':
      return runStatus(session, options);
    case 'list':
      return runList(session, files, options);
    case 'export':
      return runExport(session, files, options);
    case 'search':
      return runSearch(session, files, options);
    case 'index':
      return runIndex(session, files, options);
    case 'demo':
      return runDemo(session, options);
    default:
      return kind satisfies never;
  }
}
