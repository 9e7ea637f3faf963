/**
 * `npm test [-- ARGS]`: every test, live ones included. ARGS go to vitest.
 * The last line printed is `N passed, N failed, N skipped`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from './program.mjs';
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
async function runVitest(resultFile, args) {
  const { code } = await runNode([
    join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultFile}`,
    ...args,
  ]);
  return code;
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
