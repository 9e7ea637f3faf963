/**
 * `npm run simulate [-- --seeds N] [--from N] [--seed N] [--jobs N]`: compiles `src/` and `test/` and plays whole migrations
 * with random accounts, servers, faults and deaths under one seeded scheduler (`test/simulation`). `--seed` plays one again.
 * A thousand seeds unless told otherwise; exit 1 for a broken guarantee.
 */
import { runTestProgram } from './program.mjs';
import { runScript } from './setup.mjs';

await runScript(async () => {
  const { code } = await runTestProgram('simulation', 'The simulation does not compile.', [
    '--max-old-space-size=1024',
  ]);
  process.exitCode = code;
});
