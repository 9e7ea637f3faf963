/** A private copy of an unpacked root directory for one server instance. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The user all mail in these roots belongs to. */
export const mailUid = 1;

/**
 * Copies `root` to `dir`/root, as hard links where both are on one file system: files are only ever replaced, never written to.
 * Returns the copy's path.
 */
export function copyRoot(root: string, dir: string): string {
  const copy = join(dir, 'root');
  try {
    execFileSync('cp', ['-al', root, copy], { stdio: 'pipe' });
  } catch {
    rmSync(copy, { recursive: true, force: true });
    execFileSync('cp', ['-a', root, copy], { stdio: 'pipe' });
  }
  chmodSync(join(copy, 'tmp'), 0o1777);
  try {
    execFileSync('mknod', ['-m', '666', join(copy, 'dev/null'), 'c', '1', '3'], { stdio: 'pipe' });
  } catch {
    // Without the right to make devices an empty file does: the servers only throw output away in it.
    writeFileSync(join(copy, 'dev/null'), '', { mode: 0o666 });
  }
  writeRootFile(copy, 'etc/passwd', `root:x:0:0::/:/bin/sh\nmailuser:x:${mailUid}:${mailUid}::/:/bin/false\n`);
  writeRootFile(copy, 'etc/group', `root:x:0:\nmailuser:x:${mailUid}:\nmail:x:8:\n`);
  return copy;
}

/** Replaces a file of the copy without touching the original it may be a hard link of. */
export function writeRootFile(copy: string, name: string, content: string, mode = 0o644): void {
  const file = join(copy, name);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, content, { mode });
}

/** `crypt(3)` form of a password, for servers that read one. */
export function hashPassword(password: string): string {
  return execFileSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' }).trim();
}
