/**
 * The least a copy can do: one connection to each side, FETCH answers handed to MULTIAPPEND as they come. No journal, no
 * digests, no plan, no limit on memory, and nothing to recover with. What the product needs beyond its time pays for those.
 *
 *     node floor.js ACCOUNTS.json
 */
import { readFileSync } from 'node:fs';
import { quote, type RawAppend, RawImap } from '../../test/support/imap-raw.ts';
import type { AccountAccess } from '../../test/support/servers/instance.ts';

export interface FloorAccounts {
  readonly source: AccountAccess;
  readonly target: AccountAccess;
}

const batchMessages = 100;
const batchBytes = 4 * 1024 * 1024;

async function main(): Promise<void> {
  const accounts: FloorAccounts = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
  const [source, target] = await Promise.all([RawImap.open(accounts.source), RawImap.open(accounts.target)]);
  const present = new Set((await target.list()).map((folder) => folder.rawName));
  /** Appends run one after the other, while the source goes on reading. */
  let stored = Promise.resolve();
  for (const { rawName, attributes } of await source.list()) {
    if (attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute))) continue;
    if (!present.has(rawName)) stored = stored.then(() => create(target, rawName));
    if ((await source.examine(rawName)).exists === 0) continue;
    let batch: RawAppend[] = [];
    let bytes = 0;
    const flush = (): void => {
      const full = batch;
      if (full.length > 0) stored = stored.then(() => target.append(rawName, full));
      batch = [];
      bytes = 0;
    };
    await source.fetchEach(({ body, flags, internalDate }) => {
      if (batch.length > 0 && bytes + body.length > batchBytes) flush();
      batch.push({ body, flags: flags.filter((flag) => flag !== '\\Recent'), internalDate });
      bytes += body.length;
      if (batch.length === batchMessages) flush();
    });
    flush();
  }
  await stored;
  await Promise.all([source.close(), target.close()]);
}

async function create(target: RawImap, rawName: string): Promise<void> {
  await target.command(`CREATE ${quote(rawName)}`);
}

await main();
