/** Where the servers keep the mail, and what a commit of the journal costs where it is kept. */
import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerInstance, startDovecot } from '../../test/support/servers/index.ts';
import { spreadOf } from './spread.ts';

const memoryDir = '/dev/shm';
const commits = 50;
const commitBytes = 4096;

/** True where `bytes` of mail fit into memory, and into it once more as a copy. */
export function fitsIntoMemory(bytes: number): boolean {
  if (!existsSync(memoryDir)) return false;
  const { bavail, bsize } = statfsSync(memoryDir);
  return bavail * bsize > 2.5 * bytes;
}

/** A server with its mail in memory, or on the disk of temporary files. */
export async function startServerFor(inMemory: boolean): Promise<ServerInstance> {
  const usual = process.env.TMPDIR;
  if (inMemory) process.env.TMPDIR = memoryDir;
  try {
    return await startDovecot();
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
  }
}

/** The median time in ms of a small write that has to reach the disk of `dir`. */
export function measureCommit(dir: string): number {
  const file = join(dir, 'commit');
  const descriptor = openSync(file, 'w');
  try {
    const times = Array.from({ length: commits }, () => {
      const start = performance.now();
      writeSync(descriptor, Buffer.alloc(commitBytes, 'x'));
      fdatasyncSync(descriptor);
      return performance.now() - start;
    });
    return spreadOf(times).median;
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
