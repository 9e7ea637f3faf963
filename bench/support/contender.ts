/** Who takes part: each as the command a user would type, with default options. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompareOptions, DumpOptions } from '../../test/support/compare.ts';
import type { AccountAccess } from '../../test/support/servers/instance.ts';
import type { FloorSettings } from './floor-settings.ts';
import type { Command } from './measured-run.ts';

/** What one run is about. */
export interface Errand {
  readonly source: AccountAccess;
  readonly target: AccountAccess;
  /** With a file both ports speak TLS from the first byte. */
  readonly caFile: string | null;
  /** For the run's own files, on disk. The run after it, with nothing to do, gets the same. */
  readonly dir: string;
}

export interface Contender {
  readonly name: string;
  readonly command: (errand: Errand) => Command;
  /** What of the source has to be at the target; bodies, flags and dates where nothing is said. */
  readonly keeps?: CompareOptions;
  readonly reading?: DumpOptions;
  /** False: it speaks clear text only. */
  readonly tls?: boolean;
  /** It takes a round trip or more for every message. */
  readonly slow?: boolean;
  /** It knows, when it runs again, what it copied. */
  readonly again?: boolean;
}

/** Benches are run from the root of the checkout. */
export const commandFile = join(process.cwd(), 'dist', 'cli.cjs');
/** The compiled programs beside this one. */
const programFile = (...path: readonly string[]) => join(import.meta.dirname, ...path);

/** Its journal is on disk, in the errand's folder. */
export const ours: Contender = {
  name: 'imap-migrate',
  again: true,
  command: ({ source, target, caFile, dir }) => {
    const files = [
      secretFile(dir, 'source.ini', accountFile(source, caFile)),
      secretFile(dir, 'target.ini', accountFile(target, caFile)),
    ];
    return [process.execPath, commandFile, ...files, '--state', join(dir, 'state'), '--progress', 'never'];
  },
};

/** MULTIAPPENDs a floor leaves unanswered: with any number of them it is hardly faster at 80 ms. */
const unanswered = 16;

export function nodeFloor(pairs: 1 | 2): Contender {
  return {
    name: pairs === 1 ? 'Node floor' : `Node floor, ${pairs} pairs`,
    command: ({ source, target, caFile, dir }) => {
      const settings: FloorSettings = { source, target, caFile, pairs, unanswered };
      return [process.execPath, programFile('..', 'floor.js'), secretFile(dir, 'floor.json', JSON.stringify(settings))];
    },
  };
}

export function cFloor(program: string): Contender {
  const words = ({ host, port, user, password }: AccountAccess) => [host, String(port), user, password];
  return {
    name: 'C floor',
    tls: false,
    command: ({ source, target }) => [program, ...words(source), ...words(target), String(unanswered)],
  };
}

export const imapflowLoop: Contender = {
  name: 'imapflow loop',
  slow: true,
  tls: false,
  command: ({ source, target, dir }) => [
    process.execPath,
    programFile('imapflow-loop.js'),
    secretFile(dir, 'imapflow.json', JSON.stringify({ source, target })),
  ],
};

/** mbsync 1.4: pipelined as it is by default, everything pulled, folders created. */
export function mbsync(program: Command): Contender {
  return {
    name: 'mbsync',
    again: true,
    // Its own mark stays in the messages.
    reading: { withoutHeader: 'X-TUID' },
    command: ({ source, target, caFile, dir }) => {
      const channel = `
Channel copy
Far :source:
Near :target:
Patterns *
Create Near
Sync Pull New
CopyArrivalDate yes
SyncState ${dir}/mbsync-
`;
      const config = farStore('source', source, caFile) + farStore('target', target, caFile) + channel;
      return [...program, '-q', '-c', secretFile(dir, 'mbsyncrc', config), 'copy'];
    },
  };
}

/** The Perl program a path was given to. */
export function imapsync(program: string): Contender {
  const side = (number: 1 | 2, { host, port, user, password }: AccountAccess, tls: boolean) => [
    ...[`--host${number}`, host, `--port${number}`, String(port), `--user${number}`, user],
    ...[`--password${number}`, password],
    ...(tls ? [`--ssl${number}`] : [`--nossl${number}`, `--notls${number}`]),
  ];
  return {
    name: 'imapsync',
    slow: true,
    again: true,
    command: ({ source, target, caFile, dir }) => [
      program,
      ...side(1, source, caFile !== null),
      ...side(2, target, caFile !== null),
      ...['--nolog', '--noreleasecheck', '--tmpdir', dir],
    ],
  };
}

/** An account as mbsync's configuration describes it. */
export function farStore(name: string, { host, port, user, password }: AccountAccess, caFile: string | null): string {
  // It checks a certificate against names only, never against an address.
  return `
IMAPAccount ${name}
Host ${caFile === null ? host : 'localhost'}
Port ${port}
User ${user}
Pass ${password}
AuthMechs LOGIN
${caFile === null ? 'SSLType None' : `SSLType IMAPS\nSystemCertificates no\nCertificateFile ${caFile}`}

IMAPStore ${name}
Account ${name}
`;
}

/** An account as our own files describe it. */
export function accountFile({ host, port, user, password }: AccountAccess, caFile: string | null): string {
  const trust = caFile === null ? 'ssl = no' : `ssl_ca_file = ${caFile}`;
  return `[DEFAULT]\nhost = ${host}\nport = ${port}\nusername = ${user}\npassword = ${password}\n${trust}\n`;
}

export function secretFile(dir: string, name: string, content: string): string {
  const file = join(dir, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}
