import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FolderAttributes,
  type Intent,
  type Journal,
  type JournalFolder,
  type JournalRecord,
  openJournal,
  verdictKinds,
} from '../../src/journal/index.ts';
import type { FolderStatus } from '../../src/plan/types.ts';
import * as records from './fixtures.ts';
import {
  contentOf,
  digestOf,
  inState,
  messageLines,
  opened,
  source,
  target,
  useStateDir,
  type Verdict,
} from './fixtures.ts';

const root = useStateDir();
const names = ['INBOX', 'Sent', 'Ä&-'];

type Fields<Kind extends JournalRecord['kind']> = Omit<Extract<JournalRecord, { kind: Kind }>, 'folderId' | 'kind'>;
/** Columns are rows here; one step may become several records. */
type Step = { readonly folder: number } & (
  | ({ readonly kind: 'folder' } & Fields<'folder'>)
  | { readonly kind: 'forget' }
  | { readonly kind: 'intents'; readonly rows: readonly Intent[] }
  | { readonly kind: 'verdicts'; readonly rows: readonly Verdict[]; readonly fence: number | undefined }
  | { readonly kind: 'dropped' | 'removed'; readonly uids: readonly number[] }
  | { readonly kind: 'flags'; readonly rows: readonly Pick<Verdict, 'uid' | 'flags'>[]; readonly modSeq: string | null }
  | { readonly kind: 'settled'; readonly fence: number | undefined }
  | ({ readonly kind: 'finished' } & Fields<'finished'>)
  /** Ends the run and begins the next. */
  | { readonly kind: 'reopen' }
);

const uid = fc.integer({ min: 1, max: 12 });
const optional = (arbitrary: fc.Arbitrary<number>) => fc.option(arbitrary, { nil: null });
const number = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 45 }));
const uidValidity = optional(fc.integer({ min: 1, max: 2 }));
const modSeq = fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String), { nil: null });
const flags = fc.oneof(
  fc.constantFrom('', '\\Seen', '\\Seen \\Flagged'),
  fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0')),
);
const digest = fc.option(fc.nat(255).map(digestOf), { nil: null });
const folder = fc.nat(names.length - 1);
const fence = fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined });
const intent: fc.Arbitrary<Intent> = fc.record({
  uid,
  batch: fc.nat(3),
  fence: optional(number),
  targetUidValidity: uidValidity,
  size: number,
  digest,
  internalDate: fc.option(
    fc.string({ maxLength: 5 }).filter((text) => !text.includes('\0')),
    { nil: null },
  ),
  flags,
});
const verdict: fc.Arbitrary<Verdict> = fc.record({
  uid,
  kind: fc.constantFrom(...verdictKinds),
  targetUid: optional(fc.integer({ min: 1, max: 2 ** 32 - 1 })),
  size: optional(number),
  digest,
  flags,
});
const status: fc.Arbitrary<FolderStatus> = fc.record({
  messages: number,
  uidNext: optional(number),
  uidValidity,
  highestModSeq: modSeq,
  size: optional(number),
});
const attributes: fc.Arbitrary<FolderAttributes> = fc.record({
  specialUse: fc.constantFrom('\\Sent', '\\Trash', null),
  subscribed: fc.constantFrom(true, false, null),
  sourceDelimiter: fc.constantFrom('/', '\\', '"', null),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('folder'),
    folder,
    sourceUidValidity: uidValidity,
    targetUidValidity: uidValidity,
    fence: optional(number),
    attributes,
  }),
  fc.record({ kind: fc.constant('forget'), folder }),
  {
    arbitrary: fc.record({ kind: fc.constant('intents'), folder, rows: fc.array(intent, { maxLength: 5 }) }),
    weight: 4,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('verdicts'), folder, rows: fc.array(verdict, { maxLength: 5 }), fence }),
    weight: 4,
  },
  fc.record({ kind: fc.constantFrom('dropped', 'removed'), folder, uids: fc.array(uid, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('flags'),
    folder,
    rows: fc.uniqueArray(fc.record({ uid, flags }), { maxLength: 4, selector: (row) => row.uid }),
    modSeq,
  }),
  fc.record({ kind: fc.constant('settled'), folder, fence }),
  fc.record({ kind: fc.constant('finished'), folder, status }),
  fc.record({ kind: fc.constant('reopen'), folder }),
);

function toRecords(one: Exclude<Step, { kind: 'reopen' }>): JournalRecord[] {
  const folderId = one.folder + 1;
  switch (one.kind) {
    case 'intents':
      return records.intents(folderId, one.rows);
    case 'verdicts':
      return records.verdicts(folderId, one.rows, one.fence);
    case 'dropped':
    case 'removed':
      return [{ kind: one.kind, folderId, uids: Uint32Array.from(new Set(one.uids)).sort() }];
    case 'flags':
      return [
        records.flags(
          folderId,
          one.rows.toSorted((a, b) => a.uid - b.uid),
          one.modSeq,
        ),
      ];
    case 'settled':
      return [
        one.fence === undefined ? { kind: 'settled', folderId } : { kind: 'settled', folderId, fence: one.fence },
      ];
    default: {
      const { folder: _, ...rest } = one;
      return [{ ...rest, folderId }];
    }
  }
}

interface ModelFolder {
  facts: JournalFolder;
  readonly messages: Map<number, Verdict>;
  readonly intents: Map<number, Intent>;
}

/** What a journal promises, in the plainest way to say it. `lastBatch` is the number of the batch before. */
function applyToModel(model: ModelFolder, record: Exclude<Step, { kind: 'reopen' }>, lastBatch: number): void {
  const { messages, intents } = model;
  const change = (facts: Partial<JournalFolder>) => {
    model.facts = { ...model.facts, ...facts };
  };
  const forget = () => {
    messages.clear();
    intents.clear();
    change({ finishedAt: null, flagsModSeq: null, fence: 1, inDoubt: true });
  };
  const raise = (value: number | undefined) => {
    if (value !== undefined) change({ fence: Math.max(value, model.facts.fence ?? 0) });
  };
  switch (record.kind) {
    case 'folder': {
      const { sourceUidValidity, targetUidValidity, attributes = model.facts.attributes } = record;
      const differs = (known: number | null, now: number | null) => known !== null && now !== null && known !== now;
      if (
        differs(model.facts.sourceUidValidity, sourceUidValidity) ||
        differs(model.facts.targetUidValidity, targetUidValidity)
      )
        forget();
      change({ sourceUidValidity, targetUidValidity, attributes, finishedAt: null });
      change({ fence: model.facts.fence ?? record.fence });
      break;
    }
    case 'forget':
      forget();
      break;
    case 'intents': {
      let at = 0;
      for (const [index, written] of toRecords(record).entries()) {
        const uids = written.kind === 'intents' ? written.messages.uids : [];
        for (const row of record.rows.slice(at, at + uids.length)) {
          intents.set(row.uid, { ...row, batch: lastBatch + index + 1 });
        }
        at += uids.length;
      }
      break;
    }
    case 'verdicts':
      for (const row of record.rows) {
        intents.delete(row.uid);
        const known = messages.get(row.uid);
        messages.set(row.uid, row.kind === 'gone' && known !== undefined ? { ...known, kind: 'gone' } : row);
      }
      raise(record.fence);
      break;
    case 'dropped':
      for (const row of record.uids) intents.delete(row);
      break;
    case 'removed':
      for (const row of record.uids) {
        const known = messages.get(row);
        if (known?.kind === 'gone') messages.set(row, { ...known, targetUid: null });
      }
      break;
    case 'flags':
      for (const row of record.rows) {
        const known = messages.get(row.uid);
        if (known !== undefined) messages.set(row.uid, { ...known, flags: row.flags });
      }
      change({ flagsModSeq: record.modSeq ?? model.facts.flagsModSeq });
      break;
    case 'settled':
      raise(record.fence);
      change({ inDoubt: false });
      break;
    case 'finished':
      change({ finishedAt: record.status, inDoubt: false });
      break;
    default:
      record satisfies never;
  }
  change({ messages: messages.size, intents: intents.size });
}

function contentOfModel(folders: readonly ModelFolder[]) {
  const byUid = (a: { uid: number }, b: { uid: number }) => a.uid - b.uid;
  return {
    folders: folders.map(({ facts }) => facts),
    messages: folders.map(({ messages }) =>
      [...messages.values()].sort(byUid).map((row) => `${row.uid} ${row.kind} ${row.targetUid ?? 0} ${row.flags}`),
    ),
    intents: folders.map(({ intents }) => [...intents.values()].sort((a, b) => a.batch - b.batch || byUid(a, b))),
  };
}

describe('the journal', () => {
  it('holds after any sequence of records and runs what a plain model of it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const dir = mkdtempSync(join(root.path, 'run-'));
        const open = () => openJournal(inState(dir), source, target, { inline: true });
        let journal: Journal = await open();
        const model: ModelFolder[] = [];
        let lastBatch = 0;
        for (const name of names) {
          model.push({ facts: await journal.openFolder(opened(name)), messages: new Map(), intents: new Map() });
        }
        for (const one of steps) {
          if (one.kind === 'reopen') {
            await journal[Symbol.asyncDispose]();
            journal = await open();
            lastBatch = Math.max(0, ...model.flatMap(({ intents }) => [...intents.values()].map(({ batch }) => batch)));
            continue;
          }
          const written = toRecords(one);
          // Not awaited: commits may hold several records.
          void journal.write(...written);
          const folderModel = model[one.folder];
          if (folderModel !== undefined) applyToModel(folderModel, one, lastBatch);
          if (one.kind === 'intents') lastBatch += written.length;
        }
        await journal[Symbol.asyncDispose]();
        journal = await open();
        expect(await contentOf(journal)).toEqual(contentOfModel(model));
        expect(journal.state).toBe(model.some(({ facts }) => facts.inDoubt) ? 'crash' : 'clean');
        await journal[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 60, seed: 20_240_101 },
    );
  }, 60_000);

  it('holds messages that come in any order, one by one or many at once, and change again', async () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 400 });
    const range = fc.record({ from: fc.integer({ min: 1, max: 1500 }), count: fc.integer({ min: 1, max: 300 }) });
    const uids = fc.oneof(
      some,
      range.map(({ from, count }) => Array.from({ length: count }, (_, index) => from + index)),
    );
    const change = fc.record({
      uids,
      kind: fc.constantFrom(...verdictKinds, 'flags'),
      flags: fc.constantFrom('', 'a', 'b c'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const dir = mkdtempSync(join(root.path, 'run-'));
        const open = () => openJournal(inState(dir), source, target, { inline: true });
        const model = new Map<number, string>();
        {
          await using journal = await open();
          const [before, { id }, after] = [
            await journal.openFolder(opened('before')),
            await journal.openFolder(opened()),
            await journal.openFolder(opened('after')),
          ];
          // Neighbours, which nothing may happen to.
          for (const folder of [before, after]) {
            await journal.write(...records.verdicts(folder.id, [records.verdict(1), records.verdict(0xffff_ffff)]));
          }
          for (const one of changes) {
            const rows = one.uids.toSorted((a, b) => a - b).map((row) => ({ uid: row, flags: one.flags }));
            if (one.kind === 'flags') await journal.write(records.flags(id, rows));
            else {
              const { kind } = one;
              const known = kind === 'gone' ? { digest: null, size: null } : {};
              await journal.write(
                ...records.verdicts(
                  id,
                  rows.map((row) => records.verdict(row.uid, { ...row, ...known, kind })),
                ),
              );
            }
            for (const { uid: row, flags: text } of rows) {
              const known = model.get(row);
              if (one.kind === 'flags') {
                if (known !== undefined) model.set(row, known.replace(/(?<=^\S+ \S+ \S+ ).*/, text));
              } else if (one.kind === 'gone' && known !== undefined) {
                model.set(row, known.replace(/(?<=^\S+ )\S+/, 'gone'));
              } else model.set(row, `${row} ${one.kind} ${row + 100} ${text}`);
            }
          }
        }
        await using journal = await open();
        const lines = [...model].sort(([a], [b]) => a - b).map(([, line]) => line);
        expect(await messageLines(journal, 2)).toEqual(lines);
        expect(journal.folder('INBOX', 'INBOX')?.messages).toBe(model.size);
        for (const id of [1, 3]) expect(await messageLines(journal, id)).toHaveLength(2);
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 40, seed: 20_240_102 },
    );
  }, 60_000);
});
