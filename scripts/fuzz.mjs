/**
 * `npm run fuzz [-- --minutes N] [--seed S] [--only NAME]...`: compiles `src/` and `test/` and feeds damaged input to
 * everything that reads a stranger's bytes (`test/fuzz`). One minute unless told otherwise; exit 1 for a failure.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { ensureReady, projectRoot, runScript, scratchDir } from './setup.mjs';

await runScript(async () => {
  ensureReady();
  mkdirSync(scratchDir, { recursive: true });
  const outDir = mkdtempSync(join(scratchDir, 'fuzz-'));
  try {
    compile(outDir, 'test', 'The fuzz targets do not compile.');
    process.exitCode = await run(join(outDir, 'test', 'fuzz', 'main.js'), process.argv.slice(2));
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});

/** Resolves with the exit code; a signal, be it the watchdog's or for want of memory, is a failure. */
function run(file, args) {
  const child = spawn(process.execPath, ['--expose-gc', '--max-old-space-size=1024', file, ...args], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  // The terminal gives Ctrl-C to the child too: stay alive until it is gone, then clean up.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal !== null) process.stderr.write(`imap-migrate: fuzzing was ended by ${signal}\n`);
      resolve(code ?? 1);
    });
  });
}
