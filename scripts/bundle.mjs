/**
 * Second half of `npm run build`: what a process of the command starts with (its main module and its three kinds of threads)
 * becomes a few files instead of a few hundred, compiled beforehand, beside those the compiler wrote. Loading a module costs
 * more than running it: so the command starts in about half the time. The library's modules stay as they are.
 */
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { rolldown } from 'rolldown';
import { projectRoot } from './setup.mjs';

const dist = join(projectRoot, 'dist');
const source = (name) => join(projectRoot, 'src', name);
/** What threads and users start, and the modules behind it. */
const entries = {
  cli: source('cli.ts'),
  'worker/main': source('worker/main.ts'),
  'journal/thread': source('journal/thread.ts'),
  'catalogue/decoder-thread': source('catalogue/decoder-thread.ts'),
};
/** With files of their own that they find beside them (threads, native code), or seldom needed and then loaded late. */
const external = ['@photostructure/sqlite', 'piscina', 'pino', 'mailparser', 'openid-client'];
const loader = 'bundle-loader.cjs';

/** What yargs measures its help with tables of all emoji for, which takes longer to load than all of yargs. */
const ownWidths = {
  name: 'own-widths',
  resolveId: (name, importer) =>
    name === 'string-width' && /[\\/](yargs|cliui|wrap-ansi)[\\/]/.test(importer ?? '') ? '\0string-width' : null,
  load: (id) =>
    id === '\0string-width'
      ? `import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from ${JSON.stringify(source('cli/width.ts'))};
export default (text) => displayWidth(stripVTControlCharacters(text));`
      : null,
};

for (const name of readdirSync(dist)) if (/^bundle-.*\.(cjs|code)$/.test(name)) rmSync(join(dist, name));
await joinModules({ loader: source('bundle-loader.ts') }, { entryFileNames: loader });
const { keepCode } = createRequire(import.meta.url)(join(dist, loader));
// They stand where the modules they are made of look for files: in `dist` itself.
const bundled = await joinModules(entries, {
  entryFileNames: ({ name }) => `bundle-${name.replace('/', '-')}-[hash].cjs`,
  chunkFileNames: 'bundle-[hash].cjs',
});
for (const { fileName, isEntry, name } of bundled) {
  useLoader(join(dist, fileName));
  keepCode(join(dist, fileName), withAllFunctions);
  if (isEntry) writeEntry(join(dist, `${name}.cjs`), fileName);
}
chmodSync(join(dist, 'cli.cjs'), 0o755);

/** Has the loader import what is imported late: see `importModule` there. */
function useLoader(file) {
  const text = readFileSync(file, 'utf8').replace(/\bimport\((?="[\w@/-]+"\))/g, 'importModule(');
  if (/\bimport\(/.test(text)) throw new Error(`${file} imports what the loader cannot know`);
  writeFileSync(file, text);
}

/** Has V8 compile what nobody has called, too. */
function withAllFunctions(compile) {
  const flags = ['lazy', 'flush-bytecode'];
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  const script = compile();
  // Code is taken only where every flag is as it was when it was kept.
  for (const flag of flags) setFlagsFromString(`--${flag}`);
  return script;
}

/** Joins modules to CommonJS files in `dist`, and answers what was written. */
async function joinModules(input, names) {
  const bundle = await rolldown({
    input,
    platform: 'node',
    // What the oldest Node knows; the compiler sees to the rest of the modules.
    transform: { target: 'es2023' },
    plugins: [ownWidths],
    external,
    onLog(level, log, next) {
      // Asked for by yargs in functions that nobody calls.
      if (level === 'warn' && !(log.code === 'EMPTY_IMPORT_META' && log.id?.includes('yargs')))
        throw new Error(log.message);
      if (level !== 'warn') next(level, log);
    },
  });
  try {
    const { output } = await bundle.write({ dir: dist, format: 'cjs', ...names });
    return output;
  } finally {
    await bundle.close();
  }
}

function writeEntry(file, bundleFile) {
  const from = (name) => `./${relative(dirname(file), join(dist, name))}`.replace('/./', '/').replace('./..', '..');
  writeFileSync(
    file,
    `#!/usr/bin/env node
'use strict';
const { join } = require('node:path');
const { loadBundle } = require('${from(loader)}');
module.exports = loadBundle(join(__dirname, '${from(bundleFile)}'));
`,
  );
}
