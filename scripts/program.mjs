/** Programs that scripts run: a child process that ends before its script does. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { ensureReady, projectRoot, scratchDir } from './setup.mjs';

/** Runs Node with `args`; resolves with its exit code, 1 where a signal ended it, and that signal. */
export function runNode(args) {
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: 'inherit' });
  // The terminal gives Ctrl-C to the child too: stay alive until it is gone, then clean up.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code: code ?? 1, signal }));
  });
}

/** Compiles `test/` and runs `test/NAME/main.ts` with this script's own arguments; resolves as `runNode`. */
export async function runTestProgram(name, complaint, nodeOptions) {
  ensureReady();
  mkdirSync(scratchDir, { recursive: true });
  const outDir = mkdtempSync(join(scratchDir, `${name}-`));
  try {
    compile(outDir, 'test', complaint);
    return await runNode([...nodeOptions, join(outDir, 'test', name, 'main.js'), ...process.argv.slice(2)]);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
