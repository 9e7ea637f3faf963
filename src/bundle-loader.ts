/**
 * Loads what the build joined, from compiled code where that was kept: V8 takes longer to compile a short run's code than
 * to run it, and Node 20 keeps nothing from one start to the next.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Each file is run once in a thread, as by `require`. */
const loaded = new Map<string, { exports: unknown }>();

/** Runs a CommonJS file, and those that it requires beside itself, and answers its exports. @throws what they throw */
export function loadBundle(file: string): unknown {
  const known = loaded.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  loaded.set(file, module);
  const folder = dirname(file);
  const requireFrom = createRequire(file);
  const require = (name: string) => (name.startsWith('./') ? loadBundle(join(folder, name)) : requireFrom(name));
  const run = scriptOf(file, keptCode(file)).runInThisContext();
  run.call(module.exports, module.exports, require, module, file, folder, importModule);
  return module.exports;
}

/**
 * What bundles import late. Not by an `import` of their own: V8 does not keep with its code that somebody answers to it, and
 * refuses it where the code was kept.
 */
const importModule = (name: string): Promise<unknown> => import(name);

/**
 * Compiles a file and keeps the code beside it, for this very Node: all of it, where `compileAll` has V8 do so for what it
 * calls. @throws what the file system throws
 */
export function keepCode(file: string, compileAll: (compile: () => Script) => Script): void {
  const script = compileAll(() => scriptOf(file, undefined));
  writeFileSync(codeFile(file), script.createCachedData());
}

/** V8 refuses what another version of it wrote, or was made of a text of another length; it knows nothing of processors. */
function codeFile(file: string): string {
  return `${file}.${process.version}-${process.arch}.code`;
}

/** `undefined`: none was kept, or the file has been changed since. */
function keptCode(file: string): Buffer | undefined {
  const code = codeFile(file);
  const writtenMs = statSync(code, { throwIfNoEntry: false })?.mtimeMs;
  return writtenMs !== undefined && writtenMs >= statSync(file).mtimeMs ? readFileSync(code) : undefined;
}

function scriptOf(file: string, cachedData: Buffer | undefined): Script {
  const source = readFileSync(file, 'utf8');
  const text = `(function (exports, require, module, __filename, __dirname, importModule) {${source}\n})`;
  return new Script(text, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
}
