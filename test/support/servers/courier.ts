/** Private Courier IMAP instances: no LITERAL+, no MULTIAPPEND, everything below `INBOX.`. Needs root. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyRoot, hashPassword, mailUid, writeRootFile } from './chroot.ts';
import type { ServerInstance } from './instance.ts';
import { ServerProcess, startServer } from './process.ts';

const users = ['alice', 'bob'] as const;
const password = 'Passw0rd-c4e1';

/**
 * Runs inside the root. IMAP_EMPTYTRASH must be empty: Courier else deletes old mail from a folder named Trash. Without a
 * GAM_CLIENT_ID of its own an instance would talk to another's file monitor, and hang in every login once that one's root
 * is removed. IDLE looks for news every second instead of every minute.
 */
const startScript = `
set -a
. /etc/courier/imapd
IMAP_ULIMITD=0 IMAP_EMPTYTRASH= IMAP_IDLE_TIMEOUT=1 GAM_CLIENT_ID="$1" LD_LIBRARY_PATH=/usr/lib/courier-authlib
set +a
umask 022
/usr/lib/courier/courier-authlib/authdaemond &
exec couriertcpd -address=127.0.0.1 -maxprocs=80 -maxperip=80 -nodnslookup -noidentlookup \\
  "$1" /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
`;

const authConfig = `
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=4
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
`;

/** Starts an instance in a copy of the unpacked `root`. */
export async function startCourier(root: string): Promise<ServerInstance> {
  return startServer('courier', 1, async (dir, [port = 0]) => {
    const copy = copyRoot(root, dir);
    writeRootFile(copy, 'etc/courier/authdaemonrc', authConfig);
    writeRootFile(copy, 'start.sh', startScript);
    mkdirSync(join(copy, 'run/courier/authdaemon'), { recursive: true });
    for (const user of users) makeMaildir(copy, user);
    const fields = (user: string) =>
      `uid=${mailUid}|gid=${mailUid}|home=/home/${user}|shell=/bin/false|mail=/home/${user}/Maildir|_=`;
    writeUserTable(copy, 'userdb', fields);
    writeUserTable(copy, 'userdbshadow', () => `systempw=${hashPassword(password)}`);
    const process = ServerProcess.start(dir, ['chroot', copy, '/bin/sh', '/start.sh', String(port)], {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    });
    await process.ready(port);
    const stop = () => process.stop();
    return {
      kind: 'courier',
      host: '127.0.0.1',
      port,
      tlsPort: null,
      caFile: null,
      users,
      password,
      process,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  });
}

function makeMaildir(copy: string, user: string): void {
  for (const name of ['', 'Maildir', 'Maildir/cur', 'Maildir/new', 'Maildir/tmp']) {
    const place = join(copy, 'home', user, name);
    mkdirSync(place);
    chownSync(place, mailUid, mailUid);
  }
}

/** Courier reads its users from a database file, which its own tool makes from lines of name, tab, fields. */
function writeUserTable(copy: string, name: string, fields: (user: string) => string): void {
  const table = users.map((user) => `${user}\t${fields(user)}\n`).join('');
  execFileSync(
    'chroot',
    [copy, '/usr/lib/courier/courier-authlib/makedatprog', '-', `/etc/courier/${name}.tmp`, `/etc/courier/${name}.dat`],
    { input: `${table}.\n`, stdio: ['pipe', 'pipe', 'pipe'] },
  );
}
