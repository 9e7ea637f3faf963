/**
 * `npm run simulate [-- --seeds N] [--from N] [--seed N] [--jobs N]`: compiles `src/` and `test/` and plays whole migrations
 * with random accounts, servers, faults and deaths under one seeded scheduler (`test/simulation`). `--seed` plays one again.
 * A thousand seeds unless told otherwise; exit 1 for a broken guarantee.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { ensureReady, projectRoot, runScript, scratchDir } from './setup.mjs';

await runScript(async () => {
  ensureReady();
  mkdirSync(scratchDir, { recursive: true });
  const outDir = mkdtempSync(join(scratchDir, 'simulate-'));
  try {
    compile(outDir, 'test', 'The simulation does not compile.');
    process.exitCode = await run(join(outDir, 'test', 'simulation', 'main.js'), process.argv.slice(2));
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});

/** Resolves with the exit code; a signal is a failure. */
function run(file, args) {
  const child = spawn(process.execPath, ['--max-old-space-size=1024', file, ...args], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  // The terminal gives Ctrl-C to the child too: stay alive until it is gone, then clean up.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
