/** The programs in C, compiled by the system's compiler where there is one. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface CPrograms {
  /** `usage.c`: measures a process. */
  readonly usage: string;
  /** `floor.c`. */
  readonly floor: string;
}

/** Benches are run from the root of the checkout. */
const benchDir = join(process.cwd(), 'bench');

/** Compiles into `dir`; `null` where there is no `cc`. */
export function compileCPrograms(dir: string): CPrograms | null {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const compile = (name: string, source: string): string => {
    const program = join(dir, name);
    execFileSync('cc', ['-O2', '-o', program, join(benchDir, source)], { stdio: ['ignore', 'ignore', 'inherit'] });
    return program;
  };
  return { usage: compile('usage', 'support/usage.c'), floor: compile('floor', 'floor.c') };
}
