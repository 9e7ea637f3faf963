/**
 * `npm run bench [-- NAME...] [--json]`: compiles `src/` and `bench/` and runs every `bench/NAME.ts`, or the named ones.
 * Other options are passed on to them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureReady, projectRoot, runScript, SetupError, scratchDir } from './setup.mjs';

await runScript(() => {
  ensureReady();
  const args = process.argv.slice(2);
  const options = args.filter((arg) => arg.startsWith('-'));
  const names = chooseBenches(args.filter((arg) => !arg.startsWith('-')));
  const outDir = mkdtempSync(join(scratchDir, 'bench-'));
  try {
    compile(outDir);
    for (const name of names) {
      const file = join(outDir, 'bench', `${name}.js`);
      const result = spawnSync(process.execPath, ['--expose-gc', file, ...options], {
        cwd: projectRoot,
        stdio: 'inherit',
      });
      if (result.status !== 0) {
        process.exitCode = result.status ?? 1;
        return;
      }
    }
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});

/** Benches lie directly in `bench/`; folders below it hold what they share. */
function chooseBenches(wanted) {
  const present = readdirSync(join(projectRoot, 'bench'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
  for (const name of wanted) {
    if (!present.includes(name)) throw new SetupError(`There is no bench '${name}'; there are: ${present.join(', ')}.`);
  }
  return wanted.length === 0 ? present : wanted;
}

function compile(outDir) {
  // A project of its own: same rules as the build, rooted one level higher so that bench/ can import src/.
  const project = join(outDir, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(projectRoot, 'tsconfig.json'),
      compilerOptions: { rootDir: projectRoot, outDir, noEmit: false, declaration: false },
      include: [join(projectRoot, 'src'), join(projectRoot, 'bench')],
    }),
  );
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', project], { cwd: projectRoot, encoding: 'utf8' });
  if (result.status !== 0) throw new SetupError(`The benches do not compile.\n${result.stdout}${result.stderr}`);
}
