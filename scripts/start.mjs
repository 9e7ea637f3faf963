/** `npm start [-- ARGS]`: the command itself, built first when needed; without arguments the demo. */
import { pathToFileURL } from 'node:url';
import { commandFile, ensureReady, runScript } from './setup.mjs';

/** No person presses Ctrl-C twice within this time. */
const sameKeypressMs = 200;

await runScript(async () => {
  ensureReady();
  dropRepeatedInterrupts();
  const args = process.argv.slice(2);
  process.argv = [process.execPath, commandFile, ...(args.length === 0 ? ['demo'] : args)];
  // In this very process: exit code, signals and terminal are the command's own.
  await import(pathToFileURL(commandFile).href);
});

/**
 * A terminal sends Ctrl-C to every process of the job, and npm hands its own copy on to us as well.
 * The command must see one, as a second means "stop at once".
 */
function dropRepeatedInterrupts() {
  const emit = process.emit;
  let last = Number.NEGATIVE_INFINITY;
  process.emit = function emitOnce(name, ...rest) {
    if (name === 'SIGINT') {
      const now = performance.now();
      const repeated = now - last < sameKeypressMs;
      last = now;
      if (repeated) return true;
    }
    return emit.call(this, name, ...rest);
  };
}
