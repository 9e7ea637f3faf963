/** Hands this process to `runCli`, and its exit code back. */
import { readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { systemClock } from '../clock.ts';
import { toDisplay } from '../display.ts';
import { exitCodes } from '../errors.ts';
import { manifestFile } from '../program-files.ts';
import { engine } from './engine.ts';
import type { CliIo, Output } from './io.ts';
import { runCli } from './run.ts';

const manifest: { readonly version: string } = JSON.parse(readFileSync(manifestFile, 'utf8'));

/** A reader that went away (`| head`) ends the reading, not the migration. */
function ignoreLostReader(stream: Output): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

ignoreLostReader(process.stdout);
ignoreLostReader(process.stderr);
process.on('uncaughtException', (error) => {
  // Bars may have hidden the cursor and switched wrapping off.
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\u001b[?7h');
  process.stderr.write(`imap-migrate: ${toDisplay(`internal error: ${error.message}`)} (please report it)\n`);
  if (/^(-v|--verbose)$/m.test(process.argv.join('\n'))) {
    process.stderr.write(`${(error.stack ?? '').split('\n').map(toDisplay).join('\n')}\n`);
  }
  process.exit(exitCodes.internal);
});
// Node would open a debugger port at SIGUSR1 as long as nobody listens.
process.on('SIGUSR1', () => {});

const io: CliIo = {
  // Not before it is asked for: a terminal that is opened for reading keeps the process alive.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  wallTime: () => new Date(),
  onSignal(name, handler) {
    process.on(name, handler);
    return () => process.removeListener(name, handler);
  },
  exit: (code) => process.exit(code),
  homeDir: homedir(),
  parallelism: availableParallelism(),
  version: manifest.version,
  engine,
};

// Should everything that is waited for vanish, the process must not end as if all were well.
process.exitCode = exitCodes.internal;
void runCli(process.argv.slice(2), io).then((exitCode) => {
  process.exitCode = exitCode;
});
