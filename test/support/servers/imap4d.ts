/** Private mailutils imap4d instances: no UIDPLUS, no keywords, messages rewritten by its mbox files. Needs root. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyRoot, hashPassword, mailUid, writeRootFile } from './chroot.ts';
import type { ServerInstance } from './instance.ts';
import { ServerProcess, startServer } from './process.ts';

const domain = 'example.test';
const names = ['alice', 'bob'] as const;
const password = 'Passw0rd-d92b';

/** Starts an instance in a copy of the unpacked `root`. */
export async function startImap4d(root: string): Promise<ServerInstance> {
  return startServer('imap4d', 1, async (dir, [port = 0]) => {
    const copy = copyRoot(root, dir);
    const hash = hashPassword(password);
    for (const place of ['mail', 'passwd']) mkdirSync(join(copy, place));
    for (const place of ['mail', 'run']) chmodSync(join(copy, place), 0o1777);
    for (const name of names) makeMailbox(copy, name);
    const table = names.map((name) => `${name}:${hash}:${mailUid}:${mailUid}::/home/${name}:/bin/false\n`).join('');
    writeRootFile(copy, `passwd/${domain}`, table);
    writeRootFile(copy, 'imap4d.conf', imap4dConfig(port));
    const process = ServerProcess.start(dir, ['chroot', copy, '/usr/sbin/imap4d', '--config-file=/imap4d.conf'], {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    });
    await process.ready(port);
    const stop = () => process.stop();
    return {
      kind: 'imap4d',
      host: '127.0.0.1',
      port,
      tlsPort: null,
      caFile: null,
      users: [`alice@${domain}`, `bob@${domain}`],
      password,
      process,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  });
}

/** Without an INBOX file in the home folder APPEND to INBOX is refused. */
function makeMailbox(copy: string, name: string): void {
  mkdirSync(join(copy, 'home', name));
  writeRootFile(copy, `mail/${name}`, '');
  writeRootFile(copy, `home/${name}/INBOX`, '');
  for (const place of [`home/${name}`, `home/${name}/INBOX`, `mail/${name}`]) {
    chownSync(join(copy, place), mailUid, mailUid);
  }
}

function imap4dConfig(port: number): string {
  return `
mode daemon;
foreground yes;
pidfile /run/pid;
max-children 40;
login-disabled no;
auth { authentication "generic:virtdomain"; authorization "virtdomain"; };
virtdomain { passwd-dir /passwd; };
mailbox { mail-spool /mail; mailbox-type mbox; };
logging { syslog no; };
server 127.0.0.1:${port} { tls-mode no; };
`;
}
