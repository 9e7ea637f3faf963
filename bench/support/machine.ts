/** What a measurement depends on, and what it needs. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { findDovecot } from '../../test/support/servers/dovecot.ts';

export interface Machine {
  /** Cores this process may use. */
  readonly cores: number;
  readonly processor: string;
  /** Operating system, its release, processor family. */
  readonly platform: string;
  readonly memoryBytes: number;
  readonly node: string;
  readonly dovecot: string;
  /** Processes that wanted a core in the minute before: more than a few tenths, and times are worth less. */
  readonly loadAverage: number;
}

export function describeMachine(dovecot: string): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() || 'unknown processor',
    platform: `${process.platform} ${release()} ${process.arch}`,
    memoryBytes: totalmem(),
    node: process.versions.node,
    dovecot,
    loadAverage: loadavg()[0] ?? Number.NaN,
  };
}

/** The same for people. */
export function machineLines(machine: Machine): string[] {
  const { cores, processor, platform, memoryBytes, node, dovecot, loadAverage } = machine;
  return [
    `${cores} cores, shared with the servers (${processor}), ${(memoryBytes / 1e9).toFixed(0)} GB, ${platform}`,
    `Node ${node}, Dovecot ${dovecot}; load average before: ${loadAverage.toFixed(2)}`,
  ];
}

/** The version of the Dovecot that can be started here, or what is missing for one. */
export function usableDovecot(): { readonly version: string } | { readonly missing: string } {
  const binary = findDovecot();
  const version = binary === null ? null : outputOf(binary, ['--version'])?.split(' ')[0];
  if (version === null || version === undefined || outputOf('openssl', ['version']) === null) {
    return { missing: 'it needs Dovecot 2.3 and openssl on this machine (apt-get install dovecot-imapd openssl)' };
  }
  if (!version.startsWith('2.3.')) return { missing: `it needs Dovecot 2.3, and ${binary} is ${version}` };
  return { version };
}

/** What a program prints; `null` where it cannot be run. */
function outputOf(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
