import type { AccountSettings } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { AccountReport, Side } from '../job.ts';
import type { FolderInfo, FolderStatus } from '../plan/types.ts';
import {
  CommandError,
  type FolderStatusItems,
  type ImapClient,
  ImapError,
  type ListedFolder,
  type StatusItem,
} from '../protocol/index.ts';
import type {
  EndpointFacts,
  FlagTable,
  FolderFacts,
  FolderTask,
  PrepareResult,
  PrepareTask,
  QuotaFacts,
  StoredFlags,
  StoreFlagsTask,
} from './contract.ts';
import { CurrentFolder, passerBy, type Visitor } from './current-folder.ts';
import type { Endpoint, ReadableFolder, RefusedWords, WritableFolder } from './endpoint.ts';
import { isConnectionLost, pushedBackBy, SideError, toWireError } from './failure.ts';
import { FlagFilter } from './flag-filter.ts';
import { ImapReader } from './imap-reader.ts';
import { type Abilities, abilitiesOf, namingOf, specialUseOf } from './imap-traits.ts';
import { type AppendMode, ImapWriter } from './imap-writer.ts';
import { type Connect, openSession, tlsWarnings } from './login.ts';
import { judge } from './push-back.ts';
import { reportAccount } from './report.ts';

/** STATUS commands on the line at once where LIST-STATUS is not offered. */
const statusWindow = 64;
/** Folders created and subscribed at once. */
const prepareWindow = 100;
/** Changes of flags on the line at once. */
const storeWindow = 100;

/** An account reached over IMAP. */
export class ImapEndpoint implements Endpoint {
  readonly abilities: Abilities;
  readonly facts: Promise<EndpointFacts>;
  /** The login method that was used. */
  readonly method: string;
  /** What the server said to ID (RFC 2971); `null`: nothing. */
  readonly serverId: Promise<Readonly<Record<string, string>> | null>;
  /** The client below, for what only `check` asks. */
  readonly client: ImapClient;
  readonly #current: CurrentFolder;
  readonly #appendMode: AppendMode;
  #storing: Promise<unknown> = Promise.resolve();
  /** An account's mail is nobody's to delete but its owner's. */
  readonly remove = null;
  onSlowDown: ((why: string, words: string) => void) | null = null;
  readonly #where: { readonly side: Side; readonly account: AccountSettings };

  /**
   * Connects and logs in. What else there is to know of the account is asked for, and not waited for.
   * @throws SideError around what went wrong.
   */
  static async open(side: Side, account: AccountSettings, connect: Connect, clock: Clock): Promise<ImapEndpoint> {
    try {
      const { client, method } = await openSession(account, connect, clock);
      return new ImapEndpoint(client, method, await client.capabilities(), { side, account });
    } catch (error) {
      throw new SideError(side, account, error);
    }
  }

  private constructor(
    client: ImapClient,
    method: string,
    capabilities: ReadonlySet<string>,
    where: { side: Side; account: AccountSettings },
  ) {
    this.client = client;
    this.method = method;
    this.#where = where;
    this.#current = new CurrentFolder(client);
    client.onCompleted = ({ code, text }) => {
      const verdict = judge({ status: 'OK', code: code?.name ?? null, text, during: 'other' });
      if (verdict.kind === 'slower') this.onSlowDown?.(verdict.why, text);
    };
    this.abilities = abilitiesOf(client, capabilities);
    const { multiAppend, nonSyncLiterals } = this.abilities;
    this.#appendMode = { multiAppend, nonSyncLiterals };
    // First of all: some servers (NetEase) open no folder for a client that has not introduced itself.
    this.serverId = this.#introduce();
    this.facts = this.#learn();
    // A connection that is lost shows in everything else, too.
    for (const learnt of [this.serverId, this.facts]) learnt.catch(() => {});
  }

  async #introduce(): Promise<Readonly<Record<string, string>> | null> {
    if (!this.client.hasCapability('ID')) return null;
    return (await this.client.id({ name: 'imap-migrate' }).catch(toleratesRefusal)) ?? null;
  }

  async #learn(): Promise<EndpointFacts> {
    const { client } = this;
    const { account } = this.#where;
    const [serverId, naming] = await Promise.all([this.serverId, namingOf(client, account)]);
    const name = [serverId?.name, serverId?.version].filter(Boolean).join(' ');
    const traits = { ...naming, ...this.abilities };
    return { traits, server: name || client.greeting.text, warnings: tlsWarnings(account) };
  }

  get roundTripMs(): number {
    return this.client.roundTripMs;
  }

  async report(): Promise<AccountReport> {
    return await reportAccount(this, this.#where.account);
  }

  async listFolders(): Promise<FolderInfo[]> {
    const items = this.#statusItems();
    const { folders, subscribed } = await this.#list(items);
    const infos = folders
      .filter((folder) => !hasAttribute(folder, '\\nonexistent'))
      .map((folder): FolderInfo => {
        const selectable = !hasAttribute(folder, '\\noselect');
        return {
          rawName: folder.rawName,
          name: folder.name,
          delimiter: folder.delimiter,
          specialUse: specialUseOf(folder.attributes),
          selectable,
          subscribed: subscribed.has(folder.rawName),
          status: folder.status === null || !selectable ? null : toStatus(folder.status),
        };
      });
    await this.#fillStatus(infos, items);
    return infos;
  }

  /** LIST with everything in one command where the server takes it; plainly, with LSUB, where it does not. */
  async #list(items: readonly StatusItem[]): Promise<{ folders: ListedFolder[]; subscribed: Set<string> }> {
    const { client } = this;
    if (client.hasCapability('LIST-EXTENDED')) {
      try {
        const folders = await client.listFolders('', '*', {
          returnSubscribed: true,
          returnSpecialUse: this.abilities.specialUse,
          ...(this.abilities.listStatus ? { returnStatus: items } : {}),
        });
        const subscribed = folders.filter((folder) => hasAttribute(folder, '\\subscribed'));
        return { folders, subscribed: new Set(subscribed.map((folder) => folder.rawName)) };
      } catch (error) {
        // iCloud announces LIST-STATUS and answers its syntax with a parse error: ask again in plain words.
        if (!(error instanceof CommandError)) throw error;
      }
    }
    const [folders, subscriptions] = await Promise.all([
      client.listFolders('', '*'),
      client.listSubFolders('', '*').catch(toleratesRefusal),
    ]);
    return { folders, subscribed: new Set((subscriptions ?? []).map((folder) => folder.rawName)) };
  }

  #statusItems(): StatusItem[] {
    const items: StatusItem[] = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'];
    if (this.abilities.condStore) items.push('HIGHESTMODSEQ');
    if (this.client.hasCapability('STATUS=SIZE')) items.push('SIZE');
    return items;
  }

  /** STATUS for every selectable folder LIST did not tell about, a window of commands at a time. */
  async #fillStatus(infos: FolderInfo[], items: readonly StatusItem[]): Promise<void> {
    const missing = infos.flatMap((info, index) => (info.selectable && info.status === null ? [index] : []));
    for (let start = 0; start < missing.length; start += statusWindow) {
      await Promise.all(
        missing.slice(start, start + statusWindow).map(async (index) => {
          const info = infos[index];
          if (info === undefined) return;
          const status = await this.client.folderStatus(rawFolder(info.rawName), items).catch(toleratesFinalRefusal);
          if (status !== undefined) infos[index] = { ...info, status: toStatus(status) };
        }),
      );
    }
  }

  async quotas(): Promise<QuotaFacts[]> {
    if (!this.client.hasCapability('QUOTA')) return [];
    const answer = await this.client.getQuotaRoot('INBOX').catch(toleratesRefusal);
    return answer === undefined ? [] : [...answer.quotas];
  }

  async prepare(tasks: readonly PrepareTask[]): Promise<PrepareResult[]> {
    const results: PrepareResult[] = [];
    for (let start = 0; start < tasks.length; start += prepareWindow) {
      const window = tasks.slice(start, start + prepareWindow).map((task) => this.#prepareOne(task));
      results.push(...(await Promise.all(window)));
    }
    return results;
  }

  async #prepareOne(task: PrepareTask): Promise<PrepareResult> {
    const { client } = this;
    const notes: string[] = [];
    let made = false;
    const done = (refused: Refusal | null): PrepareResult => ({
      folderId: task.folderId,
      created: made,
      failure: refused === null ? null : { ...toWireError(refused.error, this.#where), code: 'CREATE' },
      pushedBack: refused === null ? null : pushedBackBy(refused.error, 'other'),
      notes,
    });
    const subscribe = () => client.subscribeFolder(task.targetName).then(() => null, refusalOf);
    const use = task.specialUse !== null && this.abilities.createSpecialUse ? { specialUse: [task.specialUse] } : {};
    const created = task.create ? client.createFolder(task.targetName, use).then(() => null, refusalOf) : null;
    // Both leave in one packet; the server does them in this order.
    const subscribed = task.subscribe ? subscribe() : null;
    // A lost connection is told by the first of them.
    subscribed?.catch(() => {});
    const refusal = await created;
    made = task.create && refusal === null;
    let late = await subscribed;
    if (refusal !== null) {
      const cured = await this.#createAgain(task, refusal);
      if (cured === null) return done(refusal);
      notes.push(...cured);
      if (task.subscribe) late = await subscribe();
    }
    if (late !== null) notes.push(`the target did not subscribe ${task.targetName}: ${late.text}`);
    return done(null);
  }

  /** After a refused CREATE: the folder may be there already, or the server may not take the USE attribute. Notes, or `null`: no cure. */
  async #createAgain(task: PrepareTask, refusal: Refusal): Promise<string[] | null> {
    const found = await this.client.folderStatus(task.targetName, ['UIDVALIDITY']).catch(toleratesRefusal);
    if (found !== undefined) return [];
    if (task.specialUse === null || !this.abilities.createSpecialUse) return null;
    const second = await this.client.createFolder(task.targetName).then(() => null, refusalOf);
    return second === null ? [`created without the attribute ${task.specialUse}: ${refusal.text}`] : null;
  }

  async openForReading(name: FolderTask['targetName'], listFrom: number | null): Promise<ReadableFolder> {
    return await ImapReader.open(this.#current, toFolder(name), { condStore: this.abilities.condStore, listFrom });
  }

  async readFlags(name: FolderTask['targetName'], since: string | null): Promise<FlagTable> {
    return await ImapReader.readFlags(this.#current, toFolder(name), { since, condStore: this.abilities.condStore });
  }

  async statusOf(name: FolderTask['targetName']): Promise<FolderFacts | null> {
    const { client } = this;
    const folder = toFolder(name);
    // STATUS of the selected folder may be stale (RFC 9051 6.3.11): Dovecot never tells there what others have stored since.
    if (!this.#current.isLeft) await this.#current.leave();
    if (this.#current.isLeft) {
      const asked = client.folderStatus(folder, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']);
      const { messages, uidNext = null, uidValidity = null } = (await asked.catch(toleratesRefusal)) ?? {};
      if (messages !== undefined) return { messages, uidNext, uidValidity };
    }
    try {
      const opened = await this.#current.select(passerBy, folder, { readOnly: true });
      await this.#current.leave();
      return { messages: opened.exists, uidNext: opened.uidNext, uidValidity: opened.uidValidity };
    } catch (error) {
      // A server that does not answer today has not said that there is nothing.
      if (error instanceof CommandError && error.responseCode === 'NONEXISTENT') return null;
      throw error;
    }
  }

  async storeFlags(task: StoreFlagsTask): Promise<StoredFlags> {
    // Two at once would take the folder from each other for ever.
    const stored = this.#storing.then(() => this.#store(task));
    this.#storing = stored.catch(() => {});
    return await stored;
  }

  async #store({ folder, uidValidity, changes }: StoreFlagsTask): Promise<StoredFlags> {
    const { client } = this;
    const visitor: Visitor = { hear: () => {} };
    let filter = new FlagFilter([]);
    let refusal: string | null = null;
    let changed = 0;
    const lost = new Set<string>();
    const refused = (words: string): StoredFlags => ({ refusal: words, changed, lost: [...lost] });
    for (let start = 0; start < changes.length; start += storeWindow) {
      // Another folder's business may have come between: nothing is changed by UID but in the folder they belong to.
      while (!this.#current.isOf(visitor)) {
        const selected = await this.#current.select(visitor, toFolder(folder));
        if (selected.readOnly) return refused('the folder is read-only');
        if (uidValidity !== null && selected.uidValidity !== uidValidity)
          return refused('its UIDVALIDITY changed meanwhile');
        filter = new FlagFilter(selected.permanentFlags);
      }
      const stores = changes.slice(start, start + storeWindow).flatMap(({ add, remove, uids }) => {
        const { kept: toAdd, lost: cannotAdd } = filter.split(add);
        const toRemove = filter.split(remove).kept;
        for (const flag of cannotAdd) lost.add(flag);
        if (toAdd.length + toRemove.length > 0) changed += uids.length;
        return [
          ...(toAdd.length > 0 ? [client.addFlags(uids, toAdd, { silent: true })] : []),
          ...(toRemove.length > 0 ? [client.removeFlags(uids, toRemove, { silent: true })] : []),
        ];
      });
      for (const answer of await Promise.allSettled(stores)) {
        if (answer.status === 'fulfilled') continue;
        toleratesFinalRefusal(answer.reason);
        refusal ??= refusalOf(answer.reason).text;
      }
    }
    if (this.#current.isOf(visitor)) await this.#current.leave();
    return { refusal, changed, lost: [...lost] };
  }

  async openForWriting(name: FolderTask['targetName']): Promise<WritableFolder> {
    return await ImapWriter.open(this.#current, toFolder(name), this.#appendMode);
  }

  async compress(): Promise<boolean> {
    const { client } = this;
    if (client.compressed || !client.hasCapability('COMPRESS=DEFLATE')) return client.compressed;
    try {
      await client.compress();
      return true;
    } catch (error) {
      if (!(error instanceof ImapError)) throw error;
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A tunnel is ended with its connection, before it has passed on what was said last.
    await (this.#where.account.command === null ? this.client.leave() : this.client.logout());
  }
}

/** A raw listed name as commands take it. */
function rawFolder(rawName: string): Buffer {
  return Buffer.from(rawName, 'latin1');
}

function toFolder(name: FolderTask['targetName']): Buffer | string {
  return 'raw' in name ? rawFolder(name.raw) : name.unicode;
}

interface Refusal extends RefusedWords {
  readonly error: CommandError;
}

/** The server's words of a refused command. @throws whatever else went wrong */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof CommandError)) throw error;
  return { kind: 'refused', code: error.status, responseCode: error.responseCode, text: error.text, error };
}

/** For questions whose answer is optional: a refusal is no answer, a lost connection still is an error. */
function toleratesRefusal(error: unknown): undefined {
  if (isConnectionLost(error)) throw error;
  return undefined;
}

/** The same, but where the whole account is put off everything is to be asked again: the answer would have decided something. */
function toleratesFinalRefusal(error: unknown): undefined {
  const what = pushedBackBy(error, 'other')?.what;
  if (what !== undefined && !(what.kind === 'wait' && what.about !== 'account')) throw error;
  return toleratesRefusal(error);
}

function hasAttribute(folder: ListedFolder, attribute: string): boolean {
  return folder.attributes.some((other) => other.toLowerCase() === attribute);
}

function toStatus(items: FolderStatusItems): FolderStatus {
  return {
    messages: items.messages ?? 0,
    uidNext: items.uidNext ?? null,
    uidValidity: items.uidValidity ?? null,
    highestModSeq: toModSeq(items.highestModSeq),
    size: items.size ?? null,
  };
}

/** Zero means that the mailbox keeps no mod-sequences (RFC 7162 3.1.2.2). */
export function toModSeq(value: bigint | null | undefined): string | null {
  return value === undefined || value === null || value === 0n ? null : value.toString();
}
