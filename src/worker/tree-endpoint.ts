import { existsSync, statfsSync } from 'node:fs';
import { endpointLabel, messageKey, type TreeSettings } from '../account.ts';
import type { StoreFolder, TreeMessage, TreeStore } from '../archive/store.ts';
import { openTree } from '../archive/tree.ts';
import { TreeError } from '../archive/tree-error.ts';
import { toTreeName, toTreePath } from '../archive/tree-name.ts';
import { ensureTreeState, readTreeState } from '../archive/tree-state.ts';
import { exitCodes } from '../errors.ts';
import type { AccountReport, Side } from '../job.ts';
import type { FolderInfo, FolderStatus } from '../plan/types.ts';
import type {
  EndpointFacts,
  FlagTable,
  FolderFacts,
  FolderTask,
  PrepareResult,
  PrepareTask,
  QuotaFacts,
  RemoveTask,
  StoredFlags,
  StoreFlagsTask,
} from './contract.ts';
import type { Endpoint, ReadableFolder, WritableFolder } from './endpoint.ts';
import { toWireError } from './failure.ts';
import type { Abilities } from './imap-traits.ts';
import { TreeListing } from './tree-listing.ts';
import { nameOf, toRawName, treeNaming } from './tree-names.ts';
import { TreeReader } from './tree-reader.ts';
import { type FolderRecords, noRecords, TreeRecords } from './tree-records.ts';
import { TreeWriter } from './tree-writer.ts';

/** A disk takes whatever it is given, as fast as it can. */
const abilities: Abilities = {
  maxMessageBytes: null,
  multiAppend: true,
  nonSyncLiterals: 'all',
  reportsUids: true,
  oneWriter: true,
  listStatus: true,
  specialUse: false,
  createSpecialUse: false,
  condStore: false,
};

/** A tree of folders on the disk. */
export class TreeEndpoint implements Endpoint {
  readonly abilities = abilities;
  readonly facts: Promise<EndpointFacts>;
  readonly roundTripMs = 0;
  onSlowDown = null;
  readonly #side: Side;
  readonly #settings: TreeSettings;
  readonly #store: TreeStore;
  /** Of a tree that gives UIDs itself; `null`: other programs made it. */
  readonly #uidValidity: number | null;
  #records: TreeRecords | null = null;
  #uidFloors: Map<string, number> | null = null;
  readonly #open = new Set<{ close(): Promise<void> }>();

  /** @throws TreeError */
  static async open(
    side: Side,
    settings: TreeSettings,
    { readOnly }: { readonly readOnly: boolean },
  ): Promise<TreeEndpoint> {
    const { format, path, fsync, layout, storeCompress, stateDirectory } = settings;
    const state =
      side === 'target' && !readOnly
        ? await ensureTreeState(stateDirectory, format, Date.now())
        : readTreeState(stateDirectory);
    const store = await openTree({ format, root: path, fsync, compress: storeCompress, layout });
    return new TreeEndpoint(side, settings, store, state?.uidValidity ?? null);
  }

  private constructor(side: Side, settings: TreeSettings, store: TreeStore, uidValidity: number | null) {
    this.#side = side;
    this.#settings = settings;
    this.#store = store;
    this.#uidValidity = uidValidity;
    const traits = { ...treeNaming, ...abilities };
    this.facts = Promise.resolve({ traits, server: `${settings.format} tree`, warnings: [] });
  }

  async listFolders(): Promise<FolderInfo[]> {
    const infos: FolderInfo[] = [];
    const known = new Map(
      this.#known()
        ?.folders()
        .map((folder) => [folder.targetName, folder]),
    );
    for (const { path, holdsMessages } of await this.#store.listFolders()) {
      const name = toTreeName(path);
      if (this.#isLeftOut(name)) continue;
      const record = known.get(name);
      const selectable = holdsMessages || record !== undefined;
      infos.push({
        rawName: toRawName(name),
        name,
        delimiter: treeNaming.delimiter,
        specialUse: record?.specialUse ?? null,
        selectable,
        subscribed: record?.subscribed ?? false,
        status: selectable ? await this.#status(name) : null,
      });
    }
    return infos;
  }

  #isLeftOut(name: string): boolean {
    const { only } = this.#settings;
    return only !== undefined && !only.some(({ folder }) => folder === name);
  }

  async #status(name: string): Promise<FolderStatus> {
    if (this.#side === 'target' && this.#uidValidity !== null) {
      const uids = await this.#look(name, (folder) => folder.uids());
      const uidNext = (uids.at(-1) ?? 0) + 1;
      // How big it all is would take a look at each of them.
      return { messages: uids.length, uidNext, uidValidity: this.#uidValidity, highestModSeq: null, size: null };
    }
    const listing = await this.#look(name, (folder) => this.#list(folder, name));
    const { length: messages, uidValidity, totalBytes: size } = listing;
    // As many others may be chosen the next time.
    const uidNext = this.#settings.only === undefined ? listing.uidNext : null;
    return { messages, uidNext, uidValidity, highestModSeq: null, size };
  }

  async #list(folder: StoreFolder, name: string): Promise<TreeListing> {
    if (this.#side === 'target' && this.#uidValidity !== null)
      return await TreeListing.forWriting(folder, this.#uidValidity);
    const all = await TreeListing.forReading(folder, this.#uidValidity);
    const { only, includeGone } = this.#settings;
    if (only !== undefined) {
      const chosen = only.find(({ folder }) => folder === name)?.messages;
      return all.filter((message) => chosen?.has(messageKey(message)) === true);
    }
    if (includeGone || all.uidValidity !== this.#uidValidity) return all;
    const records = this.#recordsOf(name);
    return all.filter((_, uid) => records.find(uid)?.gone !== true);
  }

  async #look<Result>(name: string, look: (folder: StoreFolder) => Promise<Result>): Promise<Result> {
    const folder = await this.#store.openFolder(toTreePath(name), { forWriting: false });
    try {
      return await look(folder);
    } finally {
      await folder.close();
    }
  }

  /** What the manifest tells: it is written while it is read here, if the tree is the target. */
  #known(): TreeRecords | null {
    this.#records ??= TreeRecords.open(this.#settings.stateDirectory);
    return this.#records;
  }

  #recordsOf(name: string): FolderRecords {
    return this.#known()?.messages(name) ?? noRecords;
  }

  async quotas(): Promise<QuotaFacts[]> {
    if (this.#side === 'source' || !existsSync(this.#settings.path)) return [];
    const { bsize, blocks, bavail } = statfsSync(this.#settings.path);
    const inKiB = (count: number) => Math.floor((count * bsize) / 1024);
    return [{ root: 'the disk', resource: 'STORAGE', usage: inKiB(blocks - bavail), limit: inKiB(blocks) }];
  }

  async report(): Promise<AccountReport> {
    const { server, warnings } = await this.facts;
    return {
      account: endpointLabel(this.#settings),
      server,
      tls: false,
      auth: 'none',
      capabilities: [],
      serverId: null,
      namespaces: null,
      quotas: await this.quotas(),
      folders: await this.listFolders(),
      warnings,
    };
  }

  async compress(): Promise<boolean> {
    return false;
  }

  async prepare(tasks: readonly PrepareTask[]): Promise<PrepareResult[]> {
    const results: PrepareResult[] = [];
    for (const { folderId, targetName, create } of tasks) {
      const done = { folderId, created: false, failure: null, pushedBack: null, notes: [] };
      try {
        results.push({ ...done, created: create && (await this.#store.createFolder(toTreePath(targetName))) });
      } catch (error) {
        const failure = toWireError(error, { side: this.#side, account: this.#settings });
        if (failure.exitCode !== exitCodes.partial && failure.exitCode !== exitCodes.internal) throw error;
        results.push({ ...done, failure: { ...failure, code: 'CREATE' } });
      }
    }
    return results;
  }

  async openForReading(name: FolderTask['targetName']): Promise<ReadableFolder> {
    const text = nameOf(name);
    const folder = await this.#store.openFolder(toTreePath(text), { forWriting: false });
    return this.#keep(await this.#reader(folder, text));
  }

  async readFlags(name: FolderTask['targetName']): Promise<FlagTable> {
    const text = nameOf(name);
    return await this.#look(text, async (folder) => (await this.#reader(folder, text)).flags());
  }

  async #reader(folder: StoreFolder, name: string): Promise<TreeReader> {
    const listing = await this.#list(folder, name);
    // Of messages that are counted through, the manifest knows nothing by their numbers.
    const records = listing.uidValidity === this.#uidValidity ? this.#recordsOf(name) : noRecords;
    return new TreeReader(folder, listing, records);
  }

  async openForWriting(name: FolderTask['targetName']): Promise<WritableFolder> {
    const text = nameOf(name);
    const folder = await this.#store.openFolder(toTreePath(text), { forWriting: true });
    const uidValidity = this.#uidValidity ?? (await this.#list(folder, text)).uidValidity;
    return this.#keep(new TreeWriter(folder, await folder.uids(), uidValidity, this.#uidFloor(text)));
  }

  /** No message gets a lower UID: those that were deleted had them. */
  #uidFloor(name: string): number {
    // While a run writes, the manifest is another one at every look.
    this.#uidFloors ??= new Map(
      this.#known()
        ?.folders()
        .map(({ targetName, uidNext }) => [targetName, uidNext ?? 1]),
    );
    return this.#uidFloors.get(name) ?? 1;
  }

  #keep<Folder extends { close(): Promise<void> }>(folder: Folder): Folder {
    this.#open.add(folder);
    return folder;
  }

  async storeFlags({ folder: name, uidValidity, changes }: StoreFlagsTask): Promise<StoredFlags> {
    const text = nameOf(name);
    const folder = await this.#store.openFolder(toTreePath(text), { forWriting: true });
    try {
      const listing = await this.#list(folder, text);
      if (uidValidity !== null && uidValidity !== listing.uidValidity)
        return { refusal: 'its UIDVALIDITY changed meanwhile', changed: 0, lost: [] };
      const wanted: { message: TreeMessage; flags: readonly string[] }[] = [];
      for (const { add, remove, uids } of changes) {
        for (const uid of uids) {
          const message = listing.find(uid);
          if (message !== null) wanted.push({ message, flags: changeFlags(message.flags ?? [], add, remove) });
        }
      }
      await folder.setFlags(wanted);
      return { refusal: null, changed: wanted.length, lost: [] };
    } finally {
      await folder.close();
    }
  }

  readonly remove = async ({ folder: name, uidValidity, uids }: RemoveTask): Promise<number> => {
    const text = nameOf(name);
    const folder = await this.#store.openFolder(toTreePath(text), { forWriting: true });
    try {
      const listing = await this.#list(folder, text);
      if (uidValidity !== listing.uidValidity) throw new TreeError('TREE', `${text} is another folder than it was`);
      const messages = Array.from(uids, (uid) => listing.find(uid)).filter((message) => message !== null);
      await folder.remove(messages);
      this.#uidFloors = null;
      return messages.length;
    } finally {
      await folder.close();
    }
  };

  async statusOf(name: FolderTask['targetName']): Promise<FolderFacts | null> {
    try {
      const { messages, uidNext, uidValidity } = await this.#status(nameOf(name));
      return { messages, uidNext, uidValidity };
    } catch (error) {
      if (error instanceof TreeError && error.code === 'NO_FOLDER') return null;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#records?.close();
    for (const folder of this.#open) await folder.close().catch(() => {});
  }
}

function changeFlags(flags: readonly string[], add: readonly string[], remove: readonly string[]): readonly string[] {
  const changed = new Map(flags.map((flag) => [flag.toLowerCase(), flag]));
  for (const flag of remove) changed.delete(flag.toLowerCase());
  for (const flag of add) changed.set(flag.toLowerCase(), flag);
  return [...changed.values()];
}
