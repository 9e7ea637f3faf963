/** The journal as JavaScript, for threads and processes: neither can load the sources on every Node that is supported. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface CompiledJournal {
  /** URL of the front door. */
  readonly url: string;
  load(): Promise<typeof import('../../src/journal/index.ts')>;
  remove(): void;
}

/** Compiles src/journal into a folder of its own inside the checkout, from where packages are found. */
export function compileJournal(): CompiledJournal {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'journal-'));
  const project = join(folder, 'tsconfig.json');
  const source = (file: string) => join(root, 'src', 'journal', file);
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { rootDir: join(root, 'src'), outDir: join(folder, 'out'), noEmit: false },
      include: [],
      files: [source('index.ts'), source('thread.ts'), source('manifest.ts')],
    }),
  );
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`src/journal does not compile:\n${stdout}`);
  const url = pathToFileURL(join(folder, 'out', 'journal', 'index.js')).href;
  return { url, load: () => import(url), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
