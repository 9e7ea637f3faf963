import type { AccountSettings } from '../account.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import type { Naming, SpecialUse, Traits } from '../plan/types.ts';
import { CommandError, type ImapClient } from '../protocol/index.ts';

const specialUses: readonly SpecialUse[] = [
  '\\All',
  '\\Archive',
  '\\Drafts',
  '\\Flagged',
  '\\Important',
  '\\Junk',
  '\\Sent',
  '\\Trash',
];
const specialUseByName = new Map(specialUses.map((use) => [use.toLowerCase(), use]));

/** The special use (RFC 6154) among LIST attributes, in the RFC's own letter case (Cyrus lists `\sent`). */
export function specialUseOf(attributes: readonly string[]): SpecialUse | null {
  for (const attribute of attributes) {
    const use = specialUseByName.get(attribute.toLowerCase());
    if (use !== undefined) return use;
  }
  return null;
}

/**
 * Prefix and delimiter of the personal namespace: the account's own words, else NAMESPACE (RFC 2342), else LIST "" "".
 * @throws MigrateError where the server refuses to tell: another prefix means other folders
 */
export async function namingOf(client: ImapClient, account: AccountSettings): Promise<Naming> {
  const { delimiter, prefix } = account;
  if (delimiter !== null && prefix !== null) return { delimiter, prefix };
  const told = (await askNamespace(client, { isNeeded: prefix === null })) ?? (await askRoot(client));
  return { delimiter: delimiter ?? told.delimiter, prefix: prefix ?? told.prefix };
}

/** `null`: the server has no personal namespace to tell of. A refusal may be one for the moment, so it is asked twice. */
async function askNamespace(client: ImapClient, { isNeeded }: { readonly isNeeded: boolean }): Promise<Naming | null> {
  if (!client.hasCapability('NAMESPACE')) return null;
  let refusal: CommandError | null = null;
  for (let asked = 0; asked < 2; asked++) {
    try {
      const [personal] = (await client.namespace()).personal;
      return personal === undefined ? null : { delimiter: personal.delimiter, prefix: personal.prefix };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      refusal = error;
    }
  }
  if (!isNeeded || refusal === null) return null;
  const advice = 'run again later, or set prefix and delimiter in the account file';
  const message = `the server does not tell how its folders are named (${refusal.message}): ${advice}`;
  throw new MigrateError('NAMESPACE', exitCodes.connect, message, { cause: refusal });
}

async function askRoot(client: ImapClient): Promise<Naming> {
  const [root] = await client.listFolders('', '');
  return { delimiter: root?.delimiter ?? null, prefix: '' };
}

/** What an account can do, without how its folders are named. */
export type Abilities = Omit<Traits, keyof Naming>;

/** What the logged-in account can do, read off its capabilities. */
export function abilitiesOf(client: Pick<ImapClient, 'hasCapability'>, capabilities: ReadonlySet<string>): Abilities {
  const has = (name: string) => client.hasCapability(name);
  return {
    maxMessageBytes: appendLimitOf(capabilities),
    multiAppend: has('MULTIAPPEND'),
    nonSyncLiterals: has('LITERAL+') ? 'all' : has('LITERAL-') ? 'small' : 'none',
    reportsUids: has('UIDPLUS'),
    listStatus: has('LIST-EXTENDED') && has('LIST-STATUS'),
    specialUse: has('SPECIAL-USE'),
    createSpecialUse: has('CREATE-SPECIAL-USE'),
    condStore: has('CONDSTORE') || has('QRESYNC'),
  };
}

/** APPENDLIMIT=<bytes> (RFC 7889); a bare APPENDLIMIT means: differs by mailbox, ask there. */
function appendLimitOf(capabilities: ReadonlySet<string>): number | null {
  for (const capability of capabilities) {
    const digits = /^APPENDLIMIT=(\d{1,15})$/.exec(capability)?.[1];
    if (digits !== undefined) return Number(digits);
  }
  return null;
}
