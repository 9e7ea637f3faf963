/**
 * Where the modules are that threads start with. In the top folder, since the build puts what it joins there: paths relative
 * to this module hold for both.
 */
export const laneThread = new URL('./worker/main.cjs', import.meta.url);
export const journalThread = new URL('./journal/thread.cjs', import.meta.url);
export const decoderThread = new URL('./catalogue/decoder-thread.cjs', import.meta.url);
