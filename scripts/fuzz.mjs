/**
 * `npm run fuzz [-- --minutes N] [--seed S] [--only NAME]...`: compiles `src/` and `test/` and feeds damaged input to
 * everything that reads a stranger's bytes (`test/fuzz`). One minute unless told otherwise; exit 1 for a failure.
 */
import { runTestProgram } from './program.mjs';
import { runScript } from './setup.mjs';

await runScript(async () => {
  const { code, signal } = await runTestProgram('fuzz', 'The fuzz targets do not compile.', [
    '--expose-gc',
    '--max-old-space-size=1024',
  ]);
  // Be it the watchdog's or for want of memory.
  if (signal !== null) process.stderr.write(`imap-migrate: fuzzing was ended by ${signal}\n`);
  process.exitCode = code;
});
