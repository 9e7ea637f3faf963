/**
 * Where files are that the program finds beside itself: modules that threads start with, and its manifest. In the top folder,
 * since the build puts what it joins there: paths relative to this module hold for both.
 */
import { existsSync } from 'node:fs';

export const laneThread = threadFile('./worker/main');
export const journalThread = threadFile('./journal/thread');
export const decoderThread = threadFile('./catalogue/decoder-thread');
export const manifestFile = new URL('../package.json', import.meta.url);

/** As the build joined it; where it did not, as it was compiled. */
function threadFile(name: string): URL {
  const joined = new URL(`${name}.cjs`, import.meta.url);
  return existsSync(joined) ? joined : new URL(`${name}.js`, import.meta.url);
}
