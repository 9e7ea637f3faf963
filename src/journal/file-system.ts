/**
 * Which file systems a journal cannot live on. SQLite's write-ahead log needs memory that all users of the file share and
 * locks that hold: over a network there is neither.
 */

import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import type { FileSystem } from './types.ts';

/** Magic numbers of statfs(2) on Linux. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff53_4d42, 'CIFS'],
  [0xfe53_4d42, 'SMB'],
  [0x0102_1997, '9p'],
  [0x5346_414f, 'AFS'],
  [0x6b41_4653, 'AFS'],
  [0x7375_7245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c3_6400, 'Ceph'],
  [0x0bd0_0bd0, 'Lustre'],
  [0x4750_4653, 'GPFS'],
  [0x7461_636f, 'OCFS2'],
  [0x0116_1970, 'GFS2'],
  [0x786f_4256, 'a VirtualBox shared folder'],
]);

const fuseType = 0x6573_5546;

/** What stands behind FUSE shows in the mount table only. */
const networkNames =
  /^(?:fuse\.)?(sshfs|rclone|s3fs|s3ql|goofys|gcsfuse|blobfuse2?|davfs2?|curlftpfs|glusterfs|ceph(?:-fuse)?|juicefs|seaweedfs|moosefs|mfs|smbnetfs|gvfsd-fuse|google-drive-ocamlfuse|onedriver|virtiofs)$/;

/** A person's word for the file system, where it is one that other machines share; `null`: it is local, as far as one can tell. */
export function networkName({ type, name }: FileSystem): string | null {
  return networkTypes.get(type >>> 0) ?? (name === null ? null : (networkNames.exec(name)?.[1] ?? null));
}

/** The file system of an existing directory. @throws what Node throws */
export function fileSystemOf(directory: string): FileSystem {
  const type = statfsSync(directory).type >>> 0;
  return { type, name: type === fuseType ? mountType(realpathSync(directory)) : null };
}

/** Type of the mount that holds `path`, from the kernel's table; `null` where there is none. */
function mountType(path: string): string | null {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return null;
  }
  return mountTypeIn(table, path);
}

/** Type of the mount that holds `path` in a table as proc(5) describes mountinfo: the longest mount point above it, the last of equals. */
export function mountTypeIn(table: string, path: string): string | null {
  let best = '';
  let type: string | null = null;
  for (const line of table.split('\n')) {
    const [mount, facts] = line.split(' - ');
    const point = unescapeOctal(mount?.split(' ')[4] ?? '');
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    if (facts === undefined || point === '' || !holds || point.length < best.length) continue;
    best = point;
    type = facts.split(' ')[0] ?? null;
  }
  return type;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
