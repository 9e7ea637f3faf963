import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type {
  Intent,
  Journal,
  JournalPlace,
  JournalRecord,
  OpenedFolder,
  VerdictColumns,
  VerdictKind,
} from '../../src/journal/index.ts';
import { verdictKinds } from '../../src/journal/index.ts';
import type { FlagColumns } from '../../src/plan/flag-changes.ts';

export const source = 'anna@old.example:993';
export const target = 'anna@new.example:993';

/** A directory for every test of the file, removed behind it. */
export function useStateDir(): { readonly path: string } {
  const state = { path: '' };
  beforeEach(() => {
    state.path = mkdtempSync(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rmSync(state.path, { recursive: true, force: true }));
  return state;
}

/** The place of the journals of a state directory. */
export function inState(directory: string): JournalPlace {
  return { kind: 'state', directory };
}

export function digestOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => (seed * 31 + index * 7) & 0xff);
}

export function opened(name = 'INBOX', changes: Partial<OpenedFolder> = {}): OpenedFolder {
  return { sourceRawName: name, targetName: name, sourceUidValidity: 1, targetUidValidity: 2, fence: 100, ...changes };
}

export function intent(uid: number, changes: Partial<Intent> = {}): Intent {
  const date = '01-Jan-2024 12:00:00 +0100';
  return {
    uid,
    batch: 1,
    fence: 100,
    targetUidValidity: 2,
    size: 1000 + uid,
    digest: digestOf(uid),
    internalDate: date,
    flags: '\\Seen',
    ...changes,
  };
}

/** The verdict on one message. */
export interface Verdict {
  readonly uid: number;
  readonly kind: VerdictKind;
  readonly targetUid: number | null;
  readonly size: number | null;
  readonly digest: Uint8Array | null;
  readonly flags: string;
  /** Absent: the journal keeps none. */
  readonly internalDate?: string | null;
}

export function verdict(uid: number, changes: Partial<Verdict> = {}): Verdict {
  return {
    uid,
    kind: 'copied',
    targetUid: uid + 100,
    size: 1000 + uid,
    digest: digestOf(uid),
    flags: '\\Seen',
    ...changes,
  };
}

/** The records that write these intents: one for each run of rows that one record can hold. */
export function intents(folderId: number, rows: readonly Intent[]): JournalRecord[] {
  const headOf = ({ batch, fence, targetUidValidity, digest }: Intent) =>
    JSON.stringify([batch, fence, targetUidValidity, digest === null]);
  return runsOf(rows, headOf).map((run) => ({
    kind: 'intents',
    folderId,
    fence: run[0].fence,
    targetUidValidity: run[0].targetUidValidity,
    messages: {
      ...flagColumns(run),
      sizes: Float64Array.from(run, ({ size }) => size),
      digests: joinDigests(run),
      internalDates: run.map(({ internalDate }) => internalDate),
    },
  }));
}

/** The records that write these verdicts; a `fence` stands in the last one. */
export function verdicts(folderId: number, rows: readonly Verdict[], fence?: number): JournalRecord[] {
  const headOf = ({ kind, size, digest, internalDate }: Verdict) =>
    JSON.stringify([kind, size === null, digest === null, internalDate === undefined]);
  const records = runsOf(rows, headOf).map((run): JournalRecord => {
    return { kind: 'verdicts', folderId, verdict: run[0].kind, messages: verdictColumns(run) };
  });
  if (fence === undefined) return records;
  return [...records, { kind: 'verdicts', folderId, verdict: 'copied', messages: verdictColumns([]), fence }];
}

function verdictColumns(run: readonly Verdict[]): VerdictColumns {
  return {
    ...flagColumns(run),
    targetUids: Uint32Array.from(run, ({ targetUid }) => targetUid ?? 0),
    sizes: run.some(({ size }) => size === null) ? null : Float64Array.from(run, ({ size }) => size ?? 0),
    digests: joinDigests(run),
    internalDates: run.some(({ internalDate }) => internalDate === undefined)
      ? null
      : run.map(({ internalDate = null }) => internalDate),
  };
}

/** The record that writes these flags. */
export function flags(
  folderId: number,
  rows: readonly { readonly uid: number; readonly flags: string }[],
  modSeq: string | null = null,
): JournalRecord {
  return { kind: 'flags', folderId, messages: flagColumns(rows), modSeq };
}

function flagColumns(rows: readonly { readonly uid: number; readonly flags: string }[]): FlagColumns {
  const flagSets = [...new Set(rows.map((row) => row.flags))];
  return {
    uids: Uint32Array.from(rows, ({ uid }) => uid),
    flags: Uint32Array.from(rows, (row) => flagSets.indexOf(row.flags)),
    flagSets,
  };
}

function joinDigests(rows: readonly { readonly digest: Uint8Array | null }[]): Uint8Array | null {
  return rows.some(({ digest }) => digest === null)
    ? null
    : Uint8Array.from(rows.flatMap(({ digest }) => [...(digest ?? [])]));
}

type Run<Row> = readonly [Row, ...Row[]];

/** Cuts rows where the head changes, or where the UIDs do not ascend. */
function runsOf<Row extends { readonly uid: number }>(rows: readonly Row[], headOf: (row: Row) => string): Run<Row>[] {
  const runs: [Row, ...Row[]][] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run === undefined || last === undefined || headOf(last) !== headOf(row) || last.uid >= row.uid)
      runs.push([row]);
    else run.push(row);
  }
  return runs;
}

/** Everything a journal holds, as plain values that compare. */
export interface Content {
  readonly folders: readonly unknown[];
  readonly messages: readonly (readonly string[])[];
  readonly intents: readonly (readonly Intent[])[];
}

export async function contentOf(journal: Journal): Promise<Content> {
  const folders = journal.folders();
  const messages: string[][] = [];
  const intents: (readonly Intent[])[] = [];
  for (const { id } of folders) {
    messages.push(await messageLines(journal, id));
    intents.push(await journal.intents(id));
  }
  return { folders, messages, intents };
}

/** One line per message: source UID, verdict, target UID, flags. */
export async function messageLines(journal: Journal, folderId: number): Promise<string[]> {
  const { uids, targetUids, verdicts, flags, flagSets } = await journal.messages(folderId);
  return [...uids].map((uid, row) => {
    const kind = verdictKinds[verdicts[row] ?? 0];
    return `${uid} ${kind} ${targetUids[row]} ${flagSets[flags[row] ?? 0]}`;
  });
}
