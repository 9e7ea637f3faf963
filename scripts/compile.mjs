/** Compiles `src/` and one folder beside it, for programs that are run and not shipped. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, SetupError } from './setup.mjs';

/** Writes `src/` and `folder` as JavaScript to `outDir`; throws `SetupError` with `complaint` where they do not compile. */
export function compile(outDir, folder, complaint) {
  // A project of its own: same rules as the build, rooted one level higher so that the folder can import src/.
  const project = join(outDir, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(projectRoot, 'tsconfig.json'),
      compilerOptions: { rootDir: projectRoot, outDir, noEmit: false, declaration: false },
      include: [join(projectRoot, 'src'), join(projectRoot, folder)],
    }),
  );
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', project], { cwd: projectRoot, encoding: 'utf8' });
  if (result.status !== 0) throw new SetupError(`${complaint}\n${result.stdout}${result.stderr}`);
}
