/** Whole test accounts: deterministic, varied, and loaded in seconds. */
import { internalDate, oddMessages, ordinaryMessage, Random } from './corpus-messages.ts';
import { encodeUtf7, quote, RawImap } from './imap-raw.ts';
import type { AccountAccess } from './servers/instance.ts';

export interface CorpusMessage {
  readonly body: Buffer;
  /** System flags and keywords. */
  readonly flags: readonly string[];
  readonly internalDate: string;
}

export interface CorpusFolder {
  /** Names from the top down, Unicode; `['INBOX']` is the INBOX. */
  readonly path: readonly string[];
  readonly subscribed: boolean;
  readonly messages: readonly CorpusMessage[];
}

export interface Corpus {
  readonly folders: readonly CorpusFolder[];
  readonly messages: number;
  readonly bytes: number;
}

export interface CorpusOptions {
  readonly seed?: number;
  /** Messages in all folders together, odd ones and twins included. */
  readonly messages: number;
  /** Size of the one biggest message; no other is bigger. Default 5 MB. */
  readonly maxBytes?: number;
  /** False: system flags only. */
  readonly keywords?: boolean;
  /** False: no message of unusual shape. */
  readonly odd?: boolean;
  /** Names of odd messages to leave out. */
  readonly without?: readonly string[];
  /** False: no folder name beyond the basic plane, which Courier cannot name. */
  readonly emojiFolder?: boolean;
  /** False: no folder name with brackets and braces, which Cyrus does not take. */
  readonly bracketFolder?: boolean;
  /** False: top-level folders only, as imap4d cannot put one folder into another that holds messages. */
  readonly nested?: boolean;
}

const emojiFolder = '📦 Paket';
const bracketFolder = '[brackets] (and) {braces}';

/** Names that have broken folder mappings; none holds a `/` or a `.`, so that every separator can carry them. */
const folderPaths: readonly { readonly path: readonly string[]; readonly weight: number }[] = [
  { path: ['INBOX'], weight: 30 },
  { path: ['Archive'], weight: 12 },
  { path: ['Archive', '2019'], weight: 9 },
  { path: ['Archive', '2019', 'Q1 & Q2'], weight: 5 },
  { path: ['Archive', '2019', 'Q1 & Q2', 'tief', 'tiefer'], weight: 2 },
  { path: ['R&D'], weight: 5 },
  { path: [bracketFolder], weight: 4 },
  { path: ['日本語', '受信箱'], weight: 6 },
  { path: ['Été à Zürich'], weight: 5 },
  { path: [emojiFolder], weight: 3 },
  { path: ["O'Brien, Smith + Söhne"], weight: 3 },
  { path: ['Leer'], weight: 0 },
  { path: ['Sent'], weight: 12 },
  { path: ['Trash'], weight: 4 },
];

const unsubscribed = new Set(['Trash', 'R&D']);
const systemFlags = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const;
const keywords = ['$Forwarded', 'NonJunk', 'Projekt-7', '$MDNSent', 'custom_label'] as const;
const medianBytes = 8 * 1024;
const minBytes = 512;
const sigma = 1.5;

/** An account of `options.messages` messages in 14 folders, one of them empty. The same options give the same bytes. */
export function generateCorpus(options: CorpusOptions): Corpus {
  const random = new Random(options.seed ?? 1);
  const maxBytes = options.maxBytes ?? 5 * 1024 * 1024;
  const special = options.odd === false ? [] : specialMessages(random, options);
  const ordinary = Math.max(0, options.messages - special.length);
  const paths = folderPaths.filter(
    ({ path }) =>
      (options.emojiFolder !== false || path[0] !== emojiFolder) &&
      (options.bracketFolder !== false || path[0] !== bracketFolder) &&
      (options.nested !== false || path.length === 1),
  );
  const totalWeight = paths.reduce((sum, folder) => sum + folder.weight, 0);
  const filled = paths.filter((folder) => folder.weight > 0);
  const contents = new Map(paths.map((folder) => [folder, [] as CorpusMessage[]]));
  for (const [index, message] of special.entries()) {
    const folder = filled[Math.floor(index / 4) % filled.length];
    if (folder !== undefined) contents.get(folder)?.push(message);
  }
  let made = 0;
  for (const [index, folder] of filled.entries()) {
    const share = index === filled.length - 1 ? ordinary - made : Math.round((ordinary * folder.weight) / totalWeight);
    for (let count = 0; count < share && made < ordinary; count++, made++) {
      const size = made === 0 ? maxBytes : Math.min(maxBytes, Math.max(minBytes, random.logNormal(medianBytes, sigma)));
      contents.get(folder)?.push({
        body: ordinaryMessage(random, `message-${made}`, Math.round(size)),
        flags: randomFlags(random, options),
        internalDate: internalDate(random),
      });
    }
  }
  const folders = paths.map((folder) => ({
    path: folder.path,
    subscribed: !unsubscribed.has(folder.path[0] ?? ''),
    messages: contents.get(folder) ?? [],
  }));
  const all = folders.flatMap((folder) => folder.messages);
  return { folders, messages: all.length, bytes: all.reduce((sum, message) => sum + message.body.length, 0) };
}

/** Odd shapes, and twins that only a multiset comparison tells apart. */
function specialMessages(random: Random, options: CorpusOptions): CorpusMessage[] {
  const wanted = oddMessages(random).filter(({ name }) => !options.without?.includes(name));
  const odd = wanted.map(({ body }) => ({
    body,
    flags: randomFlags(random, options),
    internalDate: internalDate(random),
  }));
  const twin = {
    body: ordinaryMessage(random, 'twin', 2000),
    flags: ['\\Seen'],
    internalDate: internalDate(random),
  };
  const twins = [twin, twin, { ...twin, flags: ['\\Flagged'] }, { ...twin, internalDate: internalDate(random) }];
  // Four go to one folder, the next four to the next one: twins stand together and in another folder.
  return [...twins, ...odd.slice(0, 12), ...twins, ...odd.slice(12), twin];
}

function randomFlags(random: Random, options: CorpusOptions): string[] {
  const flags: string[] = systemFlags.filter((flag) => random.next() < (flag === '\\Seen' ? 0.6 : 0.12));
  if (options.keywords !== false) flags.push(...keywords.filter(() => random.next() < 0.1));
  return flags;
}

/** Loads `corpus` into an account, under the account's own prefix and separator; folders that are there are used. */
export async function loadCorpus(access: AccountAccess, corpus: Corpus): Promise<void> {
  await using client = await RawImap.open(access);
  const { prefix, separator } = await client.namespace();
  const present = new Set((await client.list()).map((folder) => folder.rawName));
  for (const folder of corpus.folders) {
    const rawName = rawFolderName(folder.path, prefix, separator);
    if (rawName !== 'INBOX' && !present.has(rawName)) await client.command(`CREATE ${quote(rawName)}`);
    if (folder.subscribed) await client.command(`SUBSCRIBE ${quote(rawName)}`);
    await client.append(rawName, folder.messages);
  }
}

/** A folder's name on the wire. */
export function rawFolderName(path: readonly string[], prefix: string, separator: string): string {
  const name = path.map(encodeUtf7).join(separator);
  return name === 'INBOX' ? name : prefix + name;
}
