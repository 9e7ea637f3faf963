/** One mail on one line: every contender copies it, in turns, into accounts of its own that are read back and emptied. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AccountDump, compareDumps, dumpAccount } from '../../test/support/compare.ts';
import { type AccountAccess, accessTo, type ServerInstance } from '../../test/support/servers/index.ts';
import type { Contender, Errand } from './contender.ts';
import { type MeasuredRun, measureRun } from './measured-run.ts';

/** Where the mail is, and where it goes. */
export interface Servers {
  readonly source: ServerInstance;
  readonly target: ServerInstance;
}

/** How a contender reaches an account. */
export interface Line {
  readonly dial: (account: AccountAccess, side: keyof Servers) => AccountAccess;
  readonly caFile: string | null;
}

export interface Entrant {
  readonly contender: Contender;
  readonly runs: number;
  /** Run once more on the same accounts, with nothing to do. */
  readonly again: boolean;
}

export interface Entry {
  readonly name: string;
  readonly runs: readonly MeasuredRun[];
  /** With nothing to do. */
  readonly again: readonly MeasuredRun[];
  /** With one new message; absent: that was not tried. */
  readonly oneMore?: readonly MeasuredRun[];
}

export interface CellSurroundings {
  readonly name: string;
  readonly servers: Servers;
  /** What the source holds. */
  readonly original: AccountDump;
  readonly line: Line;
  readonly workDir: string;
  readonly usage: string | null;
  readonly onRun: (name: string, run: MeasuredRun) => void;
}

/** @throws Error when an account does not hold, afterwards, what its contender keeps of the source */
export async function measureCell(entrants: readonly Entrant[], cell: CellSurroundings): Promise<Entry[]> {
  const results = entrants.map(({ contender }) => ({
    name: contender.name,
    runs: [] as MeasuredRun[],
    again: [] as MeasuredRun[],
  }));
  const rounds = Math.max(...entrants.map(({ runs }) => runs));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entrants.length; turn++) {
      // Each round begins with another one.
      const index = (round + turn) % entrants.length;
      const entrant = entrants[index];
      const result = results[index];
      if (entrant === undefined || result === undefined || round >= entrant.runs) continue;
      const user = `${cell.name}-${index}-${round}`.replaceAll(/[^\w-]/g, '-');
      const { first, again } = await takeTurn(entrant, user, cell);
      result.runs.push(first);
      if (again !== null) result.again.push(again);
    }
  }
  return results;
}

async function takeTurn(
  { contender, again }: Entrant,
  user: string,
  cell: CellSurroundings,
): Promise<{ readonly first: MeasuredRun; readonly again: MeasuredRun | null }> {
  const { servers, line } = cell;
  const target = accessTo(servers.target, user);
  const dir = join(cell.workDir, user);
  mkdirSync(dir);
  const errand: Errand = {
    source: line.dial(accessTo(servers.source), 'source'),
    target: line.dial(target, 'target'),
    caFile: line.caFile,
    dir,
  };
  const run = async (name: string): Promise<MeasuredRun> => {
    const measured = await measureRun(contender.command(errand), cell.usage);
    const differences = compareDumps(cell.original, await dumpAccount(target, contender.reading), {
      order: false,
      ...contender.keeps,
    });
    if (differences.length > 0) {
      throw new Error(`${cell.name}, ${name}: not what was to be copied:\n${differences.join('\n')}`);
    }
    cell.onRun(name, measured);
    return measured;
  };
  try {
    const first = await run(contender.name);
    return { first, again: again ? await run(`${contender.name}, nothing to do`) : null };
  } finally {
    rmSync(dir, { recursive: true, force: true });
    rmSync(join(servers.target.process.dir, 'mail', user), { recursive: true, force: true });
  }
}
