/**
 * `npm run docs [-- DIR]`: the reference of the public modules as web pages, in `.tmp/reference` or DIR. typedoc works
 * on TypeScript 6, whose compiler is a library; the project itself is compiled with version 7, whose is not.
 */
import { register } from 'node:module';
import { join } from 'node:path';
import { ensureReady, projectRoot, runScript, scratchDir } from './setup.mjs';

const resolver = `export const resolve = (name, context, next) => next(name === 'typescript' ? 'typescript-6' : name, context);`;

await runScript(async () => {
  ensureReady();
  register(`data:text/javascript,${encodeURIComponent(resolver)}`, import.meta.url);
  const { Application } = await import('typedoc');
  const entries = ['index.ts', 'protocol/index.ts', 'testing/index.ts'];
  const reference = await Application.bootstrap({
    name: 'imap-migrate',
    entryPoints: entries.map((name) => join(projectRoot, 'src', name)),
    tsconfig: join(projectRoot, 'tsconfig.build.json'),
    excludePrivate: true,
    excludeInternal: true,
    disableSources: true,
    highlightLanguages: ['typescript', 'javascript', 'json', 'ini', 'bash'],
  });
  const project = await reference.convert();
  const out = process.argv[2] ?? join(scratchDir, 'reference');
  if (project === undefined || reference.logger.hasErrors()) process.exitCode = 1;
  else await reference.generateDocs(project, out);
});
