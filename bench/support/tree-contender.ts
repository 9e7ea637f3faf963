/** Who backs an account up into a tree of files, each as the command a user would type. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TreeFormat, treeFormats } from '../../src/archive/store.ts';
import type { AccountAccess } from '../../test/support/servers/instance.ts';
import { accountFile, commandFile, farStore, secretFile } from './contender.ts';
import type { Command } from './measured-run.ts';

/** Whether what was stored has to be on the disk when the program says so. */
export const fsyncPolicies = ['fsync', 'no fsync'] as const;

export type FsyncPolicy = (typeof fsyncPolicies)[number];

/** What one backup is about. */
export interface BackupErrand {
  readonly source: AccountAccess;
  /** For the tree and the run's own files. Further runs get the same. */
  readonly dir: string;
}

export interface TreeContender {
  readonly name: string;
  readonly format: TreeFormat;
  readonly fsync: FsyncPolicy;
  readonly command: (errand: BackupErrand) => Command;
  /** Where the mail is, below the errand's folder. */
  readonly tree: string;
  /** A header line of its own, which counts for nothing. */
  readonly mark: string | null;
  /** It waits for the disk once or more for every message. */
  readonly slow: boolean;
}

/** As tables and requirements name them. */
export function backupName(program: string, format: TreeFormat, fsync: FsyncPolicy): string {
  return `${program} to ${format}, ${fsync}`;
}

/** With default options where it says fsync. The journal is in the tree. */
export const ourBackups: readonly TreeContender[] = treeFormats.flatMap((format) =>
  fsyncPolicies.map((fsync) => ({
    name: backupName('imap-migrate', format, fsync),
    format,
    fsync,
    tree: 'tree',
    mark: null,
    slow: false,
    command: ({ source, dir }) => {
      const account = secretFile(dir, 'source.ini', accountFile(source, null));
      const policy = fsync === 'fsync' ? [] : ['--fsync', 'never'];
      const tree = `${format}:${join(dir, 'tree')}`;
      return [process.execPath, commandFile, account, tree, ...policy, '--progress', 'never'];
    },
  })),
);

/** Brings such a tree back into an account. */
export function ourRestore(tree: string, target: AccountAccess, dir: string): Command {
  const account = secretFile(dir, 'target.ini', accountFile(target, null));
  const state = ['--state', join(dir, 'state'), '--progress', 'never'];
  return [process.execPath, commandFile, tree, account, ...state];
}

/** mbsync 1.4 to a Maildir, everything pulled, folders created; `FSync yes` is its default. */
export function mbsyncBackups(program: Command): TreeContender[] {
  return fsyncPolicies.map((fsync) => ({
    name: backupName('mbsync', 'maildir', fsync),
    format: 'maildir',
    fsync,
    tree: 'tree',
    mark: 'X-TUID',
    slow: fsync === 'fsync',
    command: ({ source, dir }) => {
      const tree = join(dir, 'tree');
      mkdirSync(tree, { recursive: true });
      const config = `FSync ${fsync === 'fsync' ? 'yes' : 'no'}
${farStore('source', source, null)}
MaildirStore tree
Path ${tree}/
Inbox ${tree}/INBOX
SubFolders Verbatim

Channel backup
Far :source:
Near :tree:
Patterns *
Create Near
Sync Pull New
CopyArrivalDate yes
SyncState ${dir}/mbsync-
`;
      return [...program, '-q', '-c', secretFile(dir, 'mbsyncrc', config), 'backup'];
    },
  }));
}
