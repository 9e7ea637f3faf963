import { existsSync } from 'node:fs';
import { endpointLabel, type TreeSettings } from './account.ts';
import type { StoreFolder, TreeMessage } from './archive/store.ts';
import { openTree } from './archive/tree.ts';
import { TreeError } from './archive/tree-error.ts';
import { toTreeName } from './archive/tree-name.ts';
import { type Clock, systemClock } from './clock.ts';
import { exitCodes, worstExitCode } from './errors.ts';
import type { JobEvent, TreeDamage, TreeVerifyReport } from './job.ts';
import { type Manifest, type ManifestMessages, manifestFile, openManifest } from './journal/manifest.ts';
import { digestBytes } from './plan/message-facts.ts';
import { ProgressMeter } from './progress.ts';
import { BodyHash, CanonicalLines } from './worker/digest.ts';

const progressEveryMs = 250;
const noDigest = Buffer.alloc(digestBytes);

export interface TreeVerifyHooks {
  onEvent(event: JobEvent): void;
  /** Aborted: the report says how far it came. */
  readonly signal: AbortSignal;
}

/**
 * Reads every message of a backup and compares it with the SHA-256 digest that the manifest has of it. Writes nothing.
 * @throws MigrateError where the tree or its manifest cannot be read at all (exit 2, 9, 10)
 */
export async function verifyTree(
  tree: TreeSettings,
  hooks: TreeVerifyHooks,
  parts: { readonly clock?: Clock } = {},
): Promise<TreeVerifyReport> {
  const file = manifestFile(tree.stateDirectory);
  if (!existsSync(file)) {
    const advice = 'compare it with its account instead (verify ACCOUNT TREE --digest)';
    const message = `${endpointLabel(tree)} has no manifest (${file}) that its files could be compared with: ${advice}`;
    throw new TreeError('TREE', message);
  }
  const manifest = openManifest(file);
  try {
    return await new TreeVerification(tree, manifest, hooks, parts.clock ?? systemClock).run();
  } finally {
    manifest.close();
  }
}

/** The inbox, what is in it, and the rest by name. */
function inboxFirst(a: string, b: string): number {
  const rank = (name: string) => (/^INBOX(?:\/|$)/.test(name) ? 0 : 1);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

type FolderResult = TreeVerifyReport['folders'][number];

class TreeVerification {
  readonly #tree: TreeSettings;
  readonly #manifest: Manifest;
  readonly #hooks: TreeVerifyHooks;
  readonly #clock: Clock;
  readonly #progress: ProgressMeter;
  readonly #damages: TreeDamage[] = [];
  readonly #folders: FolderResult[] = [];

  constructor(tree: TreeSettings, manifest: Manifest, hooks: TreeVerifyHooks, clock: Clock) {
    this.#tree = tree;
    this.#manifest = manifest;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#progress = new ProgressMeter(clock);
  }

  async run(): Promise<TreeVerifyReport> {
    const startedAt = this.#clock.now();
    const { format, path, fsync, layout, storeCompress } = this.#tree;
    const store = await openTree({ format, root: path, fsync, layout, compress: storeCompress });
    const known = this.#manifest.folders();
    const there = new Map(
      (await store.listFolders()).flatMap((folder) =>
        folder.holdsMessages || known.some(({ targetName }) => targetName === toTreeName(folder.path))
          ? [[toTreeName(folder.path), folder.path]]
          : [],
      ),
    );
    const names = [...new Set([...known.map(({ targetName }) => targetName), ...there.keys()])].sort(inboxFirst);
    for (const { messages } of known) this.#progress.addTotal(messages, 0);
    const beat = setInterval(() => this.#emitProgress(), progressEveryMs);
    try {
      for (const name of names) {
        if (this.#hooks.signal.aborted) break;
        const path = there.get(name);
        const folder = path === undefined ? null : await store.openFolder(path, { forWriting: false });
        try {
          await this.#verifyFolder(name, folder);
        } finally {
          await folder?.close();
        }
      }
    } finally {
      clearInterval(beat);
    }
    this.#emitProgress();
    return this.#report(Math.round(this.#clock.now() - startedAt) / 1000);
  }

  async #verifyFolder(name: string, folder: StoreFolder | null): Promise<void> {
    const known = this.#manifest.messages(name);
    const messages = (await folder?.list()) ?? [];
    this.#progress.folderStarted(name, messages.length);
    const rowOf = new Map(Array.from(known.targetUids, (uid, row) => [uid, row]));
    const result = { folder: name, messages: messages.length, intact: 0, unproved: 0, foreign: 0, damages: 0 };
    for (const message of messages) {
      if (this.#hooks.signal.aborted) break;
      const row = message.uid === null ? undefined : rowOf.get(message.uid);
      if (folder === null || row === undefined) {
        result.foreign++;
        continue;
      }
      rowOf.delete(message.uid ?? 0);
      const finding = await this.#verifyMessage(folder, message, known, row);
      if (finding === 'intact' || finding === 'unproved') result[finding]++;
      else {
        result.damages++;
        this.#damages.push({ ...finding, folder: name, uid: message.uid, file: message.file });
      }
      this.#progress.done(name, 1, message.length);
    }
    if (!this.#hooks.signal.aborted) {
      for (const uid of rowOf.keys()) {
        result.damages++;
        this.#damages.push({
          kind: 'missing',
          folder: name,
          uid,
          file: null,
          message: 'it is not in the tree any more',
        });
      }
    }
    this.#folders.push(result);
  }

  async #verifyMessage(
    folder: StoreFolder,
    message: TreeMessage,
    { digests, sizes }: ManifestMessages,
    row: number,
  ): Promise<'intact' | 'unproved' | Pick<TreeDamage, 'kind' | 'message'>> {
    try {
      const exact = new BodyHash();
      const lines = new CanonicalLines();
      const { size, slices } = await folder.open(message);
      for await (const slice of slices) {
        exact.add(slice);
        lines.add(slice);
      }
      const digest = digests.subarray(row * digestBytes, (row + 1) * digestBytes);
      const announced = sizes[row] ?? Number.NaN;
      if (noDigest.equals(digest)) return 'unproved';
      // What was found there, and not put there, is known by its lines: they may end in another way.
      if (exact.digest().equals(digest) || lines.digest().equals(digest)) return 'intact';
      const length =
        Number.isNaN(announced) || announced === size ? '' : `: it has ${size} bytes instead of ${announced}`;
      return { kind: 'damaged', message: `its bytes are not those that were stored${length}` };
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      if (error.code === 'GONE') return { kind: 'missing', message: error.message };
      return { kind: 'damaged', message: error.message };
    }
  }

  #emitProgress(): void {
    this.#hooks.onEvent({ kind: 'progress', progress: this.#progress.snapshot() });
  }

  #report(seconds: number): TreeVerifyReport {
    const { aborted } = this.#hooks.signal;
    const codes: number[] = this.#damages.length > 0 ? [exitCodes.mismatch] : [];
    if (aborted) codes.push(exitCodes.interrupted);
    return {
      verdict: aborted ? 'stopped' : this.#damages.length > 0 ? 'damaged' : 'intact',
      exitCode: worstExitCode(codes),
      tree: endpointLabel(this.#tree),
      source: this.#manifest.source,
      folders: this.#folders,
      damages: this.#damages,
      seconds,
    };
  }
}
