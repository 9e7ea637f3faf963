/**
 * `npm run bench [-- NAME...] [OPTION...]`: compiles `src/` and `bench/` and runs every `bench/NAME.ts`, or the named ones.
 * From the first option on everything is passed on to them.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile.mjs';
import { ensureReady, projectRoot, runScript, SetupError, scratchDir } from './setup.mjs';

/** Takes too long to run without being asked for. */
const onRequest = ['peers', 'huge'];
/** A program that benches run beside the product. */
const competitor = 'floor';

await runScript(async () => {
  const args = process.argv.slice(2);
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  const nameCount = firstOption === -1 ? args.length : firstOption;
  const names = chooseBenches(args.slice(0, nameCount));
  const options = args.slice(nameCount);
  ensureReady();
  mkdirSync(scratchDir, { recursive: true });
  const outDir = mkdtempSync(join(scratchDir, 'bench-'));
  try {
    compile(outDir, 'bench', 'The benches do not compile.');
    process.exitCode = await runAll(outDir, names, options);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});

/** Benches lie directly in `bench/`; folders below it hold what they share. */
function chooseBenches(wanted) {
  const present = readdirSync(join(projectRoot, 'bench'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => name !== competitor)
    .sort();
  for (const name of wanted) {
    if (!present.includes(name)) throw new SetupError(`There is no bench '${name}'; there are: ${present.join(', ')}.`);
  }
  return wanted.length === 0 ? present.filter((name) => !onRequest.includes(name)) : wanted;
}

/** One after the other, in processes of their own. One that fails does not keep the others from running. */
async function runAll(outDir, names, options) {
  let running = null;
  let stoppedBy = null;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    // The terminal gives Ctrl-C to the bench too: stay alive until it is gone, then clean up.
    process.on(signal, () => {
      stoppedBy = signal;
      running?.kill(signal);
    });
  }
  let worst = 0;
  for (const name of names) {
    running = spawn(process.execPath, ['--expose-gc', join(outDir, 'bench', `${name}.js`), ...options], {
      cwd: projectRoot,
      stdio: 'inherit',
    });
    const code = await exitCodeOf(running);
    if (stoppedBy !== null) return stoppedBy === 'SIGINT' ? 130 : 143;
    if (code !== 0) process.stderr.write(`imap-migrate: the bench '${name}' failed\n`);
    worst = Math.max(worst, code);
  }
  return worst;
}

function exitCodeOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
