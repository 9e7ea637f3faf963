/**
 * The lock that mail programs put beside an mbox while they write to it: a file of its name and `.lock`, which Dovecot, mutt
 * and procmail respect. Ours holds the process and the machine it runs on, as Dovecot's does.
 */
import { closeSync, lstatSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFile, writeAll } from './files.ts';
import { systemCode, TreeError, writeError } from './tree-error.ts';

const retryMs = 50;

/** A lock that nobody has touched for so long is nobody's any more. */
const staleMs = 10 * 60_000;

/** Whoever holds one for long says so that often. */
const touchMs = 60_000;

export class DotLock {
  readonly #path: string;
  #touchedAt = performance.now();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Waits for others, `patienceMs` at most. @throws TreeError `DISK` when it is still held then */
  static async take(file: string, patienceMs = 10_000): Promise<DotLock> {
    const path = `${file}.lock`;
    const deadline = performance.now() + patienceMs;
    for (;;) {
      if (tryLock(path)) return new DotLock(path);
      if (isAbandoned(path)) {
        putAway(path);
      } else if (performance.now() < deadline) {
        await sleep(retryMs);
      } else {
        throw new TreeError(
          'DISK',
          `cannot write ${file}: another program (${holderOf(path) ?? 'unknown'}) has locked it; ` +
            `end that, or delete ${path} if there is none`,
        );
      }
    }
  }

  /** Removes what a process has left behind that was killed while it took such a lock away. */
  static tidy(file: string): void {
    rmSync(asideOf(`${file}.lock`), { force: true });
  }

  /** To be called now and then by whoever holds it for long. */
  touch(): void {
    if (performance.now() - this.#touchedAt < touchMs) return;
    this.#touchedAt = performance.now();
    const now = new Date();
    utimesSync(this.#path, now, now);
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}

function tryLock(path: string): boolean {
  let handle: number;
  try {
    handle = createFile(path);
  } catch (error) {
    if (error instanceof TreeError && systemCode(error.cause) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeAll(handle, [Buffer.from(`${process.pid}:${hostname()}\n`)]);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw writeError(path, error);
  } finally {
    closeSync(handle);
  }
}

/** What the lock says; `null`: it is gone, or says nothing. */
function holderOf(path: string): string | null {
  try {
    return /^\d+(?::\S+)?/.exec(readFileSync(path, 'latin1').slice(0, 300))?.[0] ?? null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw writeError(path, error);
  }
}

/** True when nobody can hold it any more: its process is gone, or the machine was started since, or it is very old. */
function isAbandoned(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return false;
  const ageMs = Date.now() - stat.mtimeMs;
  if (ageMs > staleMs) return true;
  const [pid, host = ''] = holderOf(path)?.split(':') ?? [];
  if (pid === undefined || (host !== '' && host !== hostname())) return false;
  // A number that was given out again, to us.
  if (Number(pid) === process.pid) return ageMs > process.uptime() * 1000;
  return !isAlive(Number(pid));
}

/** True while there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

function asideOf(path: string): string {
  return `${path}.old`;
}

/** Takes an abandoned lock away. Of several who try, the rename lets one have it, and each then competes for a new one. */
function putAway(path: string): void {
  const aside = asideOf(path);
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw writeError(path, error);
  }
}
