/** Private Dovecot 2.3 instances: the everyday server of the live tests. */

import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import type { ServerInstance } from './instance.ts';
import { ServerProcess, startServer } from './process.ts';

export interface DovecotOptions {
  readonly storage?: 'sdbox' | 'maildir' | 'mdbox';
  readonly separator?: '/' | '.';
  /** Prefix of the personal namespace with its separator: `INBOX.`. */
  readonly prefix?: string;
  /** Folder name (without prefix) -> special-use attribute. They are listed once they exist. */
  readonly specialUse?: Readonly<Record<string, string>>;
  /** Make the special-use folders exist from the start. */
  readonly createSpecialUse?: boolean;
  /** Connections one user may hold at a time. */
  readonly maxConnections?: number;
  /** Storage quota per user, as Dovecot writes it: `10M`. */
  readonly quota?: string;
  /** Subject alternative names of the certificate; default localhost and 127.0.0.1. */
  readonly certificateNames?: readonly string[];
  /** More lines for the end of dovecot.conf. */
  readonly extraConfig?: string;
}

/** Unlike anything else, so that tests can look for it where no secret may be. */
const password = 'Passw0rd-7f3a';

/** Where the server binary is, or `null`. */
export function findDovecot(): string | null {
  const places = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', ...(process.env.PATH ?? '').split(':')];
  return places.map((place) => join(place, 'dovecot')).find((file) => existsSync(file)) ?? null;
}

/** Starts an instance with empty mailboxes. As root mail belongs to user `mail`; else everything runs as the caller. */
export async function startDovecot(options: DovecotOptions = {}): Promise<ServerInstance> {
  const binary = findDovecot();
  if (binary === null) throw new Error('Dovecot is not installed');
  return startServer('dovecot', 2, async (dir, [port = 0, tlsPort = 0]) => {
    for (const name of ['base', 'state', 'mail', 'tls']) mkdirSync(join(dir, name));
    const owner = mailOwner();
    chownSync(join(dir, 'mail'), owner.uid, owner.gid);
    const certificate = makeCertificate(join(dir, 'tls'), options.certificateNames);
    const configFile = join(dir, 'dovecot.conf');
    const config = { dir, port, tlsPort, owner, ...certificate };
    writeFileSync(configFile, dovecotConfig(config, options), { mode: 0o644 });
    const process = ServerProcess.start(dir, [binary, '-F', '-c', configFile]);
    await process.ready(port);
    const stop = () => process.stop();
    return {
      kind: 'dovecot',
      host: '127.0.0.1',
      port,
      tlsPort,
      caFile: certificate.certFile,
      users: ['alice', 'bob'],
      password,
      process,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  });
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** Login and group name when not root; `null` as root. */
  readonly self: { readonly user: string; readonly group: string } | null;
}

function mailOwner(): Owner {
  const me = userInfo();
  if (me.uid !== 0) {
    const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
    return { uid: me.uid, gid: me.gid, self: { user: me.username, group } };
  }
  const id = (flag: string) => Number(execFileSync('id', [flag, 'mail'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g'), self: null };
}

interface ConfigParts {
  readonly dir: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly owner: Owner;
  readonly certFile: string;
  readonly keyFile: string;
}

function dovecotConfig(parts: ConfigParts, options: DovecotOptions): string {
  const { dir, owner } = parts;
  const quota = options.quota !== undefined;
  const specialUse = Object.entries(options.specialUse ?? { Sent: '\\Sent', Trash: '\\Trash' });
  const maxConnections = options.maxConnections ?? 1000;
  return `
base_dir = ${dir}/base
state_dir = ${dir}/state
log_path = ${dir}/server.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${parts.certFile}
ssl_key = <${parts.keyFile}
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
auth_verbose = yes
first_valid_uid = 1
mail_uid = ${owner.uid}
mail_gid = ${owner.gid}
mail_location = ${options.storage ?? 'sdbox'}:~/mail
mail_fsync = never
mail_plugins =${quota ? ' quota' : ''}
default_vsz_limit = 0
${owner.self === null ? '' : rootlessConfig(owner.self)}
passdb {
  driver = static
  args = password={PLAIN}${password}
}
userdb {
  driver = static
  args = uid=${owner.uid} gid=${owner.gid} home=${dir}/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = ${options.separator ?? '/'}
  prefix = ${options.prefix ?? ''}
${specialUse.map(([name, attribute]) => mailboxConfig(name, attribute, options.createSpecialUse === true)).join('\n')}
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  service_count = 0
  client_limit = 2000
  inet_listener imap {
    port = ${parts.port}
  }
  inet_listener imaps {
    port = ${parts.tlsPort}
    ssl = yes
  }
}
service imap {
  process_limit = 1000
}
protocol imap {
  mail_plugins =${quota ? ' quota imap_quota' : ''}
  mail_max_userip_connections = ${maxConnections}
}
${quota ? `plugin {\n  quota = count:User\n  quota_vsizes = yes\n  quota_rule = *:storage=${options.quota}\n}` : ''}
${options.extraConfig ?? ''}
`;
}

function mailboxConfig(name: string, attribute: string, create: boolean): string {
  return `  mailbox "${name}" {\n    special_use = ${attribute}\n    auto = ${create ? 'create' : 'no'}\n  }`;
}

/** Without root nothing may change user or root directory. */
function rootlessConfig(self: { readonly user: string; readonly group: string }): string {
  return `
default_internal_user = ${self.user}
default_internal_group = ${self.group}
default_login_user = ${self.user}
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
service stats {
  chroot =
}`;
}
