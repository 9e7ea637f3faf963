/**
 * Runs a script as if Node had been given it, and writes to file descriptor 3, at the very end, what the process has used.
 * Only the process itself can tell for every platform: once it is gone, so are its counters.
 *
 *     node measured-process.js SCRIPT ARGS...
 */
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { ProcessUsage } from './measured-run.ts';

const usageDescriptor = 3;

const [script = '', ...args] = process.argv.slice(2);
process.argv = [process.execPath, script, ...args];
process.on('exit', () => {
  writeSync(usageDescriptor, JSON.stringify(usage()));
});
await import(pathToFileURL(script).href);

/** All threads together, ended ones included. */
function usage(): ProcessUsage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    userSeconds: userCPUTime / 1e6,
    systemSeconds: systemCPUTime / 1e6,
    peakRssBytes: peakRssOnLinux() ?? maxRSS * 1024,
  };
}

/** On Linux `maxRSS` begins with the size of the parent at the fork, which may be more than this process ever needs. */
function peakRssOnLinux(): number | null {
  if (process.platform !== 'linux') return null;
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
