import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Intent,
  type Journal,
  type JournalFolder,
  type JournalRecord,
  openJournal,
  type Verdict,
  verdictKinds,
} from '../../src/journal/index.ts';
import { packEntries, unpackEntries } from '../../src/journal/packet.ts';
import type { FolderStatus } from '../../src/plan/types.ts';
import { contentOf, digestOf, opened, source, target, useStateDir } from './fixtures.ts';

const root = useStateDir();
const names = ['INBOX', 'Sent', 'Ä&-'];

type Fields<Kind extends JournalRecord['kind']> = Omit<Extract<JournalRecord, { kind: Kind }>, 'folderId' | 'kind'>;
type Step =
  | {
      [Kind in JournalRecord['kind']]: { readonly kind: Kind; readonly folder: number } & Fields<Kind>;
    }[JournalRecord['kind']]
  /** Ends the run and begins the next. */
  | { readonly kind: 'reopen' };

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
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('folder'),
    folder,
    sourceUidValidity: uidValidity,
    targetUidValidity: uidValidity,
    fence: optional(number),
  }),
  fc.record({ kind: fc.constant('forget'), folder }),
  {
    arbitrary: fc.record({ kind: fc.constant('intents'), folder, intents: fc.array(intent, { maxLength: 5 }) }),
    weight: 4,
  },
  {
    arbitrary: fc
      .record({ kind: fc.constant('verdicts'), folder, verdicts: fc.array(verdict, { maxLength: 5 }), fence })
      .map(withoutUndefined),
    weight: 4,
  },
  fc.record({ kind: fc.constant('dropped'), folder, uids: fc.array(uid, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('flags'),
    folder,
    flags: fc.array(fc.record({ uid, flags }), { maxLength: 4 }),
    modSeq,
  }),
  fc.record({ kind: fc.constant('settled'), folder, fence }).map(withoutUndefined),
  fc.record({ kind: fc.constant('finished'), folder, status }),
  fc.constant({ kind: 'reopen' } as const),
);

/** Leaves `fence` out where there is none. */
function withoutUndefined<Fields extends { readonly fence: number | undefined }>({ fence: value, ...rest }: Fields) {
  return value === undefined ? rest : { ...rest, fence: value };
}

interface ModelFolder {
  facts: JournalFolder;
  readonly messages: Map<number, Verdict>;
  readonly intents: Map<number, Intent>;
}

/** What a journal promises, in the plainest way to say it. */
function applyToModel(model: ModelFolder, record: Exclude<Step, { kind: 'reopen' }>): void {
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
      const { sourceUidValidity, targetUidValidity } = record;
      const differs = (known: number | null, now: number | null) => known !== null && now !== null && known !== now;
      if (
        differs(model.facts.sourceUidValidity, sourceUidValidity) ||
        differs(model.facts.targetUidValidity, targetUidValidity)
      )
        forget();
      change({ sourceUidValidity, targetUidValidity, finishedAt: null, fence: model.facts.fence ?? record.fence });
      break;
    }
    case 'forget':
      forget();
      break;
    case 'intents':
      for (const row of record.intents) intents.set(row.uid, row);
      break;
    case 'verdicts':
      for (const row of record.verdicts) {
        intents.delete(row.uid);
        messages.set(row.uid, row);
      }
      raise(record.fence);
      break;
    case 'dropped':
      for (const row of record.uids) intents.delete(row);
      break;
    case 'flags':
      for (const row of record.flags) {
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

function toRecord({ folder: index, ...rest }: Exclude<Step, { kind: 'reopen' }>): JournalRecord {
  return { ...rest, folderId: index + 1 } as JournalRecord;
}

describe('the journal', () => {
  it('holds after any sequence of records and runs what a plain model of it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const dir = mkdtempSync(join(root.path, 'run-'));
        const open = () => openJournal(dir, source, target, { inline: true });
        let journal: Journal = await open();
        const model: ModelFolder[] = [];
        for (const name of names) {
          model.push({ facts: await journal.openFolder(opened(name)), messages: new Map(), intents: new Map() });
        }
        for (const one of steps) {
          if (one.kind === 'reopen') {
            await journal[Symbol.asyncDispose]();
            journal = await open();
            continue;
          }
          // Not awaited: commits may hold several records.
          void journal.write(toRecord(one));
          const folderModel = model[one.folder];
          if (folderModel !== undefined) applyToModel(folderModel, one);
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

  it('gets its records from another thread as they were given', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const records = steps.flatMap((one) => (one.kind === 'reopen' ? [] : [toRecord(one)]));
        expect(unpackEntries(structuredClone(packEntries(records)))).toEqual(records);
      }),
    );
  });
});
