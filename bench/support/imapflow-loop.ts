/**
 * What a short script makes of it: a message is fetched, then appended, then the next.
 *
 *     node imapflow-loop.js ACCOUNTS.json
 */
import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';
import type { AccountAccess } from '../../test/support/servers/instance.ts';

async function main(): Promise<void> {
  const accounts: { source: AccountAccess; target: AccountAccess } = JSON.parse(
    readFileSync(process.argv[2] ?? '', 'utf8'),
  );
  const [source, target] = await Promise.all([open(accounts.source), open(accounts.target)]);
  for (const { path } of await source.list()) {
    if (path !== 'INBOX') await target.mailboxCreate(path);
    const { exists } = await source.mailboxOpen(path, { readOnly: true });
    if (exists === 0) continue;
    for await (const message of source.fetch('1:*', { flags: true, internalDate: true, source: true })) {
      if (message.source === undefined) throw new Error(`no body of message ${message.seq} in ${path}`);
      const flags = [...(message.flags ?? [])].filter((flag) => flag !== '\\Recent');
      await target.append(path, message.source, flags, message.internalDate);
    }
  }
  await Promise.all([source.logout(), target.logout()]);
}

async function open({ host, port, user, password }: AccountAccess): Promise<ImapFlow> {
  const client = new ImapFlow({
    host,
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass: password },
    logger: false,
  });
  await client.connect();
  return client;
}

await main();
