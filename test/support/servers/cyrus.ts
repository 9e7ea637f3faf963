/**
 * Private Cyrus 3.6 instances: MULTIAPPEND, QRESYNC, ACL, METADATA and quotas as another family of servers understands them.
 * Needs root.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { copyRoot, mailUid, writeRootFile } from './chroot.ts';
import type { ServerInstance } from './instance.ts';
import { ServerProcess, startServer } from './process.ts';

export interface CyrusOptions {
  /** Login names; default alice and bob. */
  readonly users?: readonly [string, ...string[]];
  /** True: bytes above 127 in headers are replaced by X, as it does by itself; here they are kept. */
  readonly munge8bit?: boolean;
  /** More lines for the end of imapd.conf. */
  readonly extraConfig?: string;
}

/** May log in beside the users, owns no mail, and may change the quota and the rights of everybody. */
export const cyrusAdmin = 'cyrus';

const password = 'Passw0rd-e6b8';

/** Starts an instance in a copy of the unpacked `root`. INBOX, Sent, Drafts, Trash and Junk appear at a user's first login. */
export async function startCyrus(root: string, options: CyrusOptions = {}): Promise<ServerInstance> {
  const users = options.users ?? ['alice', 'bob'];
  return startServer('cyrus', 2, async (dir, [port = 0, tlsPort = 0]) => {
    const copy = copyRoot(root, dir);
    for (const place of ['conf', 'spool', 'tls']) makeOwnFolder(copy, place);
    for (const place of ['db', 'log', 'proc', 'socket']) makeOwnFolder(copy, `conf/${place}`);
    const certificate = makeCertificate(dir);
    for (const [from, to] of [
      [certificate.certFile, 'tls/cert.pem'],
      [certificate.keyFile, 'tls/key.pem'],
    ] as const) {
      copyFileSync(from, join(copy, to));
      chownSync(join(copy, to), mailUid, mailUid);
    }
    writeRootFile(copy, 'imapd.conf', imapdConfig(options));
    writeRootFile(copy, 'cyrus.conf', masterConfig(port, tlsPort));
    for (const user of [...users, cyrusAdmin]) addUser(copy, user);
    const process = ServerProcess.start(dir, [
      ...asMailUser(copy),
      ...['/usr/lib/cyrus/bin/master', '-C', '/imapd.conf', '-M', '/cyrus.conf', '-p', '/conf/master.pid', '-D'],
    ]);
    await process.ready(port);
    const stop = () => process.stop();
    return {
      kind: 'cyrus',
      host: '127.0.0.1',
      port,
      tlsPort,
      caFile: certificate.certFile,
      users,
      password,
      process,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  });
}

/** As root its imapd ends at once. */
function asMailUser(copy: string): [string, ...string[]] {
  return ['chroot', `--userspec=${mailUid}:${mailUid}`, copy];
}

function makeOwnFolder(copy: string, name: string): void {
  mkdirSync(join(copy, name));
  chownSync(join(copy, name), mailUid, mailUid);
}

function addUser(copy: string, user: string): void {
  const [program, ...args] = asMailUser(copy);
  execFileSync(
    program,
    [...args, '/usr/sbin/saslpasswd2', '-c', '-p', '-f', '/conf/sasldb2', '-u', 'localhost', user],
    {
      input: password,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
}

function imapdConfig(options: CyrusOptions): string {
  return `
configdirectory: /conf
partition-default: /spool
defaultpartition: default
cyrus_user: mailuser
admins: ${cyrusAdmin}
servername: localhost
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /conf/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
allowplaintext: yes
failedloginpause: 0
imapidlepoll: 1
tls_server_cert: /tls/cert.pem
tls_server_key: /tls/key.pem
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent | Drafts | Trash | Junk
autocreate_subscribe_folders: Sent | Drafts | Trash | Junk
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
annotation_allow_undefined: yes
munge8bit: ${options.munge8bit === true ? 'yes' : 'no'}
${options.extraConfig ?? ''}
`;
}

function masterConfig(port: number, tlsPort: number): string {
  const imapd = '/usr/lib/cyrus/bin/imapd -C /imapd.conf';
  return `
START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C /imapd.conf -r"
}
SERVICES {
  imap cmd="${imapd}" listen="127.0.0.1:${port}" proto="tcp4" prefork=0 maxchild=100
  imaps cmd="${imapd} -s" listen="127.0.0.1:${tlsPort}" proto="tcp4" prefork=0 maxchild=100
}
EVENTS {
}
`;
}
