import { type AccountSettings, accountLabel } from '../account.ts';
import type { AccountReport } from '../job.ts';
import { CommandError } from '../protocol/index.ts';
import type { ImapEndpoint } from './imap-endpoint.ts';

/** Everything `check` tells about an account that is logged in. */
export async function reportAccount(endpoint: ImapEndpoint, account: AccountSettings): Promise<AccountReport> {
  const { client } = endpoint;
  const [facts, serverId, capabilities, namespaces, quotas, folders] = await Promise.all([
    endpoint.facts,
    endpoint.serverId,
    client.capabilities(),
    client.hasCapability('NAMESPACE') ? client.namespace().catch(unlessRefused) : null,
    endpoint.quotas(),
    endpoint.listFolders(),
  ]);
  return {
    account: accountLabel(account),
    server: facts.server,
    tls: client.secure,
    auth: endpoint.method,
    capabilities: [...capabilities].sort(),
    serverId,
    namespaces: namespaces ?? null,
    quotas,
    folders: folders.map(({ name, specialUse, selectable, subscribed, status }) => ({
      name,
      specialUse,
      selectable,
      subscribed,
      status,
    })),
    warnings: facts.warnings,
  };
}

function unlessRefused(error: unknown): null {
  if (error instanceof CommandError) return null;
  throw error;
}
