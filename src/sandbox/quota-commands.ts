import type { SandboxAccount } from './account.ts';
import { no, ok } from './answer.ts';
import type { CommandTable } from './command.ts';
import { findMailbox } from './folder-names.ts';
import { encodeMailbox, encodeString } from './wire.ts';

/** The one quota root every account has. */
const rootName = 'User quota';

/** GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). STORAGE counts units of 1024 octets. */
export const quotaCommands: CommandTable = {
  GETQUOTA: {
    state: 'authenticated',
    requires: 'QUOTA',
    run(session, args) {
      args.space();
      const root = args.astring();
      args.end();
      if (root !== rootName) throw no('Quota root does not exist', 'NONEXISTENT');
      session.untagged(quotaLine(session.requireAccount()));
      return ok('Getquota completed');
    },
  },
  GETQUOTAROOT: {
    state: 'authenticated',
    requires: 'QUOTA',
    run(session, args) {
      args.space();
      const account = session.requireAccount();
      const mailbox = findMailbox(account, args.astring());
      args.end();
      const name = encodeMailbox(mailbox.rawName);
      if (account.quota === null) {
        session.untagged(`QUOTAROOT ${name}`);
      } else {
        session.untagged(`QUOTAROOT ${name} ${encodeString(rootName)}`);
        session.untagged(quotaLine(account));
      }
      return ok('Getquotaroot completed');
    },
  },
  SETQUOTA: {
    state: 'authenticated',
    requires: 'QUOTA',
    run(session, args) {
      args.space();
      const root = args.astring();
      args.space();
      const limits = args.list(() => {
        const resource = args.keyword();
        args.space();
        return { resource, limit: args.number() };
      });
      args.end();
      const account = session.requireAccount();
      if (!account.admin) throw no('Permission denied', 'NOPERM');
      if (root !== rootName) throw no('Quota root does not exist', 'NONEXISTENT');
      const find = (resource: string) => limits.find((limit) => limit.resource === resource)?.limit;
      const storage = find('STORAGE');
      account.quota = {
        storageBytes: storage === undefined ? null : storage * 1024,
        messages: find('MESSAGE') ?? null,
      };
      session.untagged(quotaLine(account));
      return ok('Setquota completed');
    },
  },
};

function quotaLine(account: SandboxAccount): string {
  const { storageBytes, messages } = account.quota ?? { storageBytes: null, messages: null };
  const limits: string[] = [];
  if (storageBytes !== null)
    limits.push(`STORAGE ${Math.ceil(account.totalBytes / 1024)} ${Math.floor(storageBytes / 1024)}`);
  if (messages !== null) limits.push(`MESSAGE ${account.messageCount} ${messages}`);
  return `QUOTA ${encodeString(rootName)} (${limits.join(' ')})`;
}
