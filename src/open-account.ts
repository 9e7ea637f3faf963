import { type AccountSettings, accountLabel } from './account.ts';
import { type Clock, systemClock } from './clock.ts';
import { exitCodes, MigrateError } from './errors.ts';
import type { ImapClient } from './protocol/index.ts';
import { toWireError } from './worker/failure.ts';
import { type Connect, connectAccount, openSession, tlsWarnings } from './worker/login.ts';

export interface OpenedAccount {
  /** Logged in, nothing selected; the caller logs it out. */
  readonly client: ImapClient;
  /** What makes the connection less safe than it could be. */
  readonly warnings: readonly string[];
}

/**
 * Opens one session for an account, in this thread: dialled, inside TLS where the settings say so, logged in.
 * @throws MigrateError `LOGIN`, `CONNECT`, `TLS`, … with the exit code the command would end with
 */
export async function openAccount(
  account: AccountSettings,
  parts: { readonly connect?: Connect; readonly clock?: Clock } = {},
): Promise<OpenedAccount> {
  try {
    const { client } = await openSession(account, parts.connect ?? connectAccount, parts.clock ?? systemClock);
    return { client, warnings: tlsWarnings(account) };
  } catch (error) {
    const { code, exitCode, message } = toWireError(error, null);
    const text = `${accountLabel(account)} (${account.file}): ${message}`;
    // A server that refuses what every session begins with is as good as not there.
    throw new MigrateError(code, exitCode === exitCodes.partial ? exitCodes.connect : exitCode, text, { cause: error });
  }
}
