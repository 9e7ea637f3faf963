/**
 * `npm test [-- ARGS]`: every test, live ones included. ARGS go to vitest.
 * The last line printed is `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureReady, projectRoot, runScript, scratchDir } from './setup.mjs';

await runScript(async () => {
  ensureReady();
  const resultDir = mkdtempSync(join(scratchDir, 'test-'));
  const resultFile = join(resultDir, 'results.json');
  try {
    const code = await runVitest(resultFile, process.argv.slice(2));
    const { passed, failed, skipped } = readCounts(resultFile);
    process.exitCode = code !== 0 ? code : failed > 0 || passed === 0 ? 1 : 0;
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  } finally {
    rmSync(resultDir, { recursive: true, force: true });
  }
});

/** Resolves with vitest's exit code; 1 where a signal ended it. */
function runVitest(resultFile, args) {
  const child = spawn(
    process.execPath,
    [
      join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${resultFile}`,
      ...args,
    ],
    { cwd: projectRoot, stdio: 'inherit' },
  );
  // The terminal gives Ctrl-C to vitest too: stay alive until it has cleaned up, then print the count.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Counts of vitest's JSON report. A file that could not even be loaded counts as one failure, as does a missing report. */
function readCounts(resultFile) {
  let report;
  try {
    report = JSON.parse(readFileSync(resultFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = report.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function isFailed(result) {
  return result.status === 'failed';
}
