/**
 * `imap-migrate list`, `search` and `index`: what is in a tree on this disk.
 */
import { parseTreeReference, type TreeReference } from '../archive/tree.ts';
import type { CatalogueEntry, WrittenIndex } from '../catalogue/index.ts';
import { toDisplay } from '../display.ts';
import { ConfigError, exitCodes } from '../errors.ts';
import { formatBytes, formatCount, formatMoment, formatNoun } from './format.ts';
import type { OptionValues } from './options.ts';
import type { Session } from './session.ts';
import { runStoppable } from './signals.ts';
import { renderTable, type TableColumn } from './table.ts';

/** A folder as the event `folder` tells it. */
export interface ListedFolder {
  /** Its names from the top. */
  readonly path: readonly string[];
  readonly messages: number;
  /** As they are stored. */
  readonly bytes: number;
}

/** A message as the event `message` tells it. */
export interface FoundMessage {
  readonly folder: readonly string[];
  /** `null`: it has none yet. */
  readonly uid: number | null;
  /** Relative to the tree. */
  readonly file: string;
  /** UTC, ISO 8601; `null`: not known. */
  readonly date: string | null;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
  readonly size: number;
  readonly attachments: readonly string[];
  /** `whole`, `cut`, `plain` or `unreadable`: how well it could be read. */
  readonly state: CatalogueEntry['state'];
}

/** A page as the event `indexed` tells it. */
export type WrittenPage = WrittenIndex;

/** Messages that were not known before, from which on it is said that it takes a moment. */
const manyMessages = 2_000;

/** Lists the folders of a tree, or the messages of one. */
export async function runList(session: Session, files: readonly string[], options: OptionValues): Promise<number> {
  const reference = referenceOf(files[0] ?? '');
  if (options.folder !== undefined) {
    const count = await tellMessages(session, reference, { words: null, options });
    session.verdict(formatNoun(count, 'message'), 'good');
    return exitCodes.ok;
  }
  const { folders, format } = await session.io.engine.summarizeTree(reference);
  for (const { path, messages, bytes } of folders) session.emit({ kind: 'folder', folder: { path, messages, bytes } });
  const total = folders.reduce((sum, { messages }) => sum + messages, 0);
  const bytes = folders.reduce((sum, folder) => sum + folder.bytes, 0);
  session.report(
    renderTable(
      [
        { title: 'Folder', shrinks: true },
        { title: 'Messages', align: 'right' },
        { title: 'Size', align: 'right' },
      ],
      folders.map((folder) => [nameOf(folder.path), formatCount(folder.messages), formatBytes(folder.bytes)]),
      {
        style: session.reportStyle,
        maxWidth: session.reportColumns,
        footer: [`${formatNoun(folders.length, 'folder')} (${format})`, formatCount(total), formatBytes(bytes)],
      },
    ),
  );
  return exitCodes.ok;
}

/** Searches a tree. Exit 3: nothing was found. */
export async function runSearch(session: Session, files: readonly string[], options: OptionValues): Promise<number> {
  const [tree = '', ...words] = files;
  const count = await tellMessages(session, referenceOf(tree), { words, options });
  if (count === 0) {
    session.verdict('nothing found', 'warning');
    return exitCodes.partial;
  }
  session.verdict(`${formatNoun(count, 'message')} found`, 'good');
  return exitCodes.ok;
}

/** Writes the page of a tree. */
export async function runIndex(session: Session, files: readonly string[], options: OptionValues): Promise<number> {
  const { io } = session;
  const reference = referenceOf(files[0] ?? '');
  const { result } = await runStoppable(session, (signal) =>
    io.engine.indexTree(reference, { expand: options.expand, now: io.wallTime() }, { signal, ...progressOf(session) }),
  );
  session.emit({ kind: 'indexed', index: result });
  const { messages, folders, bytes, unreadable, compressed } = result;
  if (unreadable > 0) {
    session.problem(`${formatNoun(unreadable, 'message')} could not be read: the page names them`);
  }
  if (compressed > 0) {
    session.problem(
      `${formatNoun(compressed, 'message')} stored compressed, which no browser opens: index --expand writes copies`,
    );
  }
  const size = `${formatNoun(messages, 'message')} in ${formatNoun(folders, 'folder')} (${formatBytes(bytes)})`;
  session.verdict(`${toDisplay(result.file)}: ${size}`, unreadable > 0 ? 'warning' : 'good');
  return unreadable > 0 ? exitCodes.partial : exitCodes.ok;
}

function referenceOf(word: string): TreeReference {
  const reference = parseTreeReference(word);
  if (reference === null) {
    throw new ConfigError(`${word} is no tree: a directory is wanted, or maildir:PATH, mbox:PATH or eml:PATH`);
  }
  return reference;
}

interface Asked {
  /** `null`: everything. */
  readonly words: readonly string[] | null;
  readonly options: OptionValues;
}

/** Tells of every message that fits, and answers how many there are. */
async function tellMessages(session: Session, reference: TreeReference, { words, options }: Asked): Promise<number> {
  const { engine } = session.io;
  const query = words === null ? null : await engine.parseQuery(words);
  const folder = options.folder ?? null;
  const rows: string[][] = [];
  await runStoppable(session, async (signal) => {
    const hooks = { signal, ...progressOf(session) };
    for await (const { path, entries } of engine.findMessages(reference, { query, folder }, hooks)) {
      for (const entry of entries) {
        session.emit({ kind: 'message', mail: toFound(path, entry) });
        rows.push(rowOf(path, entry, options.verbose));
      }
    }
  });
  const columns: TableColumn[] = [
    ...(folder === null ? [{ title: 'Folder', shrinks: true }] : []),
    { title: 'UID', align: 'right' },
    { title: 'Date' },
    { title: 'From', shrinks: true, cut: 'end' },
    { title: 'Subject', shrinks: true, cut: 'end' },
    { title: 'Size', align: 'right' },
    ...(options.verbose ? [{ title: 'File' }] : []),
  ];
  const shown = folder === null ? rows : rows.map((row) => row.slice(1));
  if (rows.length > 0) {
    session.report(renderTable(columns, shown, { style: session.reportStyle, maxWidth: session.reportColumns }));
  }
  return rows.length;
}

function rowOf(path: readonly string[], entry: CatalogueEntry, withFile: boolean): string[] {
  const { message, shownMs, state } = entry;
  return [
    nameOf(path),
    message.uid === null ? '' : String(message.uid),
    Number.isNaN(shownMs) ? '' : formatMoment(new Date(shownMs)),
    toDisplay(entry.from),
    state === 'unreadable' ? '(cannot be read)' : toDisplay(entry.subject),
    formatBytes(entry.size),
    ...(withFile ? [toDisplay(message.file)] : []),
  ];
}

function toFound(folder: readonly string[], entry: CatalogueEntry): FoundMessage {
  const { message, shownMs, from, to, subject, messageId, size, attachments, state } = entry;
  const date = Number.isNaN(shownMs) ? null : new Date(shownMs).toISOString();
  return { folder, uid: message.uid, file: message.file, date, from, to, subject, messageId, size, attachments, state };
}

function nameOf(path: readonly string[]): string {
  return toDisplay(path.join('/'));
}

/** Says once that it takes a moment. */
function progressOf(session: Session): { onProgress(read: number): void } {
  let told = false;
  return {
    onProgress(read) {
      if (told || read < manyMessages) return;
      told = true;
      session.notice('reading messages that were not known yet; the next time it is faster');
    },
  };
}
