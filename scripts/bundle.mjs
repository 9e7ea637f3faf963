/**
 * Second half of `npm run build`: what a process of the command starts with (its main module and its three kinds of threads)
 * becomes a few files instead of a few hundred, over those the compiler wrote. Loading a module costs more than running it:
 * bundled, the command starts in about half the time. The library's modules stay as they are.
 */
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { projectRoot } from './setup.mjs';

const dist = join(projectRoot, 'dist');
for (const name of readdirSync(dist)) if (/^chunk-.*\.js$/.test(name)) rmSync(join(dist, name));

const source = (name) => join(projectRoot, 'src', name);
const bundle = await rolldown({
  input: {
    cli: source('cli.ts'),
    'worker/main': source('worker/main.ts'),
    'journal/thread': source('journal/thread.ts'),
    'catalogue/decoder-thread': source('catalogue/decoder-thread.ts'),
  },
  platform: 'node',
  // What the oldest Node knows; the compiler sees to the rest of the modules.
  transform: { target: 'es2023' },
  // With files of their own that they find beside them (threads, native code), or seldom needed and then loaded late.
  external: ['@photostructure/sqlite', 'piscina', 'pino', 'mailparser', 'openid-client'],
  onLog(level, log, next) {
    if (level === 'warn') throw new Error(log.message);
    next(level, log);
  },
});
// Chunks stand where the modules they are made of look for files: in `dist` itself.
await bundle.write({ dir: dist, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' });
await bundle.close();
chmodSync(join(dist, 'cli.js'), 0o755);
