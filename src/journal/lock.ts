/**
 * One run per target account and state directory, and per tree. The lock is an open exclusive transaction on an empty database: the
 * system ends it with the process, however that dies, so nothing is ever left behind that would have to be judged stale.
 */

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { exitCodes, MigrateError } from '../errors.ts';
import { Database } from './database.ts';
import { databaseProblem } from './database-problem.ts';
import { lockFiles } from './names.ts';
import type { JournalPlace } from './types.ts';

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  /** UTC, ISO 8601. */
  readonly since: string;
  readonly source: string;
  readonly target: string;
}

/** Enough to outlast somebody who only looks whether the lock is held. */
const busyMs = 250;

export class TargetLock {
  readonly #db: Database;
  readonly #holderFile: string;

  private constructor(db: Database, holderFile: string) {
    this.#db = db;
    this.#holderFile = holderFile;
  }

  /**
   * Takes the lock of the target.
   * @throws MigrateError (exit 8) where another run has it; what Node and SQLite throw where the files cannot be made
   */
  static take(place: JournalPlace, source: string, target: string): TargetLock {
    const { lock, holder } = lockFiles(place, target);
    // SQLite makes the file: opening and closing it by other means would free every lock this process has on it.
    const db = new Database(lock, { busyMs });
    try {
      // Nothing is ever written, so no rollback journal need be made either.
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      chmodSync(lock, 0o600);
      const facts: LockHolder = { pid: process.pid, since: new Date().toISOString(), source, target };
      rmSync(holder, { force: true });
      writeFileSync(holder, toText(facts), { mode: 0o600 });
    } catch (error) {
      db.close();
      throw databaseProblem(error) === 'busy' ? lockedError(source, target, readHolder(holder)) : error;
    }
    return new TargetLock(db, holder);
  }

  /** Frees the lock. */
  release(): void {
    rmSync(this.#holderFile, { force: true });
    this.#db.close();
  }
}

/** Who is copying to the target right now; `null`: nobody. Creates nothing. */
export function lockHolder(place: JournalPlace, target: string): LockHolder | 'unknown' | null {
  const { lock, holder } = lockFiles(place, target);
  if (!existsSync(lock)) return null;
  const db = new Database(lock, { busyMs: 0, readOnly: true });
  try {
    db.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    return null;
  } catch (error) {
    if (databaseProblem(error) !== 'busy') throw error;
    return readHolder(holder) ?? 'unknown';
  } finally {
    db.close();
  }
}

function lockedError(source: string, target: string, holder: LockHolder | null): MigrateError {
  const who = holder === null ? 'another process' : `process ${holder.pid}, since ${holder.since},`;
  const what =
    // The lock is that of the target, whatever a tree was called by whoever holds it.
    holder === null || holder.source === source
      ? `${who} is at work on ${source} -> ${target}`
      : `${who} is copying ${holder.source} to the same target ${target}, one run at a time may do that`;
  const end = holder === null ? 'stop it' : `stop it with "kill ${holder.pid}"`;
  return new MigrateError('LOCKED', exitCodes.locked, `${what}: wait until it is done, or ${end}`);
}

function toText({ pid, since, source, target }: LockHolder): string {
  return `pid ${pid}\nsince ${since}\nsource ${source}\ntarget ${target}\n`;
}

/** What a holder wrote about itself; `null` where it has not come to that yet, or is dead and its lock in other hands. */
function readHolder(file: string): LockHolder | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const [, pid, since, source, target] = /^pid (\d+)\nsince (.*)\nsource (.*)\ntarget (.*)\n$/.exec(text) ?? [];
  if (pid === undefined || since === undefined || source === undefined || target === undefined) return null;
  return isAlive(Number(pid)) ? { pid: Number(pid), since, source, target } : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signalled, and is alive.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
