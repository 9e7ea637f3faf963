/**
 * The plan of a job: what goes where, how much of it is already there, and what will not work. The same function
 * feeds the dry run and the run.
 */
import { checkQuotas, type Demand } from './select.ts';
import type {
  FolderChange,
  FolderMap,
  FolderPair,
  FolderStatus,
  JobPlan,
  KnownFolder,
  OrderPolicy,
  PlannedFolder,
  PlanProblem,
  Quota,
  Traits,
} from './types.ts';

export interface PlanInput {
  /** How the accounts are named to people. */
  readonly source: string;
  readonly target: string;
  readonly map: FolderMap;
  readonly targetTraits: Traits;
  /** What the target says it has room for; empty where it does not tell. */
  readonly quotas: readonly Quota[];
  readonly order: OrderPolicy;
  /** How many lanes there may be at most. A single one keeps the order for nothing. */
  readonly lanes?: number;
  /** What the journal holds, by the source folder's `rawName`. Folders it never saw are missing. */
  readonly known: ReadonlyMap<string, KnownFolder>;
}

/** Joins the folder map, the folders' STATUS and the journal to a plan. Folders stay in the order of the map. */
export function buildPlan(input: PlanInput): JobPlan {
  const { map, known, order, targetTraits } = input;
  const keeps = input.lanes === 1 || keepsOrder(order, targetTraits);
  const folders = map.pairs.map((pair) => planFolder(pair, known.get(pair.source.rawName) ?? null));
  const problems: PlanProblem[] = [...map.problems, ...checkQuotas(input.quotas, demandOf(folders))];
  const { maxMessageBytes } = targetTraits;
  if (maxMessageBytes !== null) {
    const limit = `${(maxMessageBytes / 1024 / 1024).toFixed(1)} MiB`;
    const message = `The target takes messages of at most ${limit} (APPENDLIMIT): larger ones are not sent, and listed as refused.`;
    problems.push({ severity: 'note', code: 'TOO_BIG', folder: null, message });
  }
  if (!keeps && folders.some(({ action }) => action === 'copy' || action === 'create')) {
    problems.push(orderNote(order, targetTraits));
  }
  return { source: input.source, target: input.target, folders, problems, keepsOrder: keeps };
}

/** True where the plan holds an error: the run must not begin to write. */
export function isBlocked(plan: Pick<JobPlan, 'problems'>): boolean {
  return plan.problems.some(({ severity }) => severity === 'error');
}

/**
 * Whether messages keep the source's order within a folder, which takes one appending lane per folder. By `auto`
 * that is so where it costs nothing: the target takes many messages in one APPEND and none waits for a round trip.
 * A target that does not tell new UIDs gets one lane per folder, whatever was asked for: nobody could tell afterwards
 * which lane's message is which, and one such server (mailutils imap4d 3.15) loses mail when two sessions append at once.
 * A tree gets one as well: its messages have UIDs that the lane itself gives out.
 */
export function keepsOrder(
  order: OrderPolicy,
  targetTraits: Pick<Traits, 'multiAppend' | 'nonSyncLiterals' | 'reportsUids' | 'oneWriter'>,
): boolean {
  if (!targetTraits.reportsUids || targetTraits.oneWriter === true) return true;
  switch (order) {
    case 'source':
      return true;
    case 'any':
      return false;
    case 'auto':
      return targetTraits.multiAppend && targetTraits.nonSyncLiterals === 'all';
    default:
      throw new TypeError(`${order satisfies never} is no order policy`);
  }
}

/**
 * What a folder's STATUS shows to have happened between `before` and `now`: `messages` came or went, at most `flags`
 * changed, or nothing at all. Without CONDSTORE on both occasions (no HIGHESTMODSEQ) flags may always have changed; without
 * UIDVALIDITY or UIDNEXT anything may have.
 */
export function changeBetween(before: FolderStatus | null, now: FolderStatus | null): FolderChange {
  if (before === null || now === null) return 'messages';
  if (before.uidValidity === null || before.uidNext === null) return 'messages';
  if (before.uidValidity !== now.uidValidity || before.uidNext !== now.uidNext) return 'messages';
  if (before.messages !== now.messages) return 'messages';
  if (before.highestModSeq === null || now.highestModSeq === null) return now.messages === 0 ? 'none' : 'flags';
  return before.highestModSeq === now.highestModSeq ? 'none' : 'flags';
}

function planFolder(pair: FolderPair, known: KnownFolder | null): PlannedFolder {
  const { source } = pair;
  return {
    source: source.name,
    target: pair.targetName,
    action: actionOf(pair, known),
    reason: pair.reason,
    messages: pair.nameOnly ? null : (source.status?.messages ?? null),
    bytes: pair.nameOnly ? null : (source.status?.size ?? null),
    alreadyThere: known?.messages ?? 0,
    specialUse: source.specialUse,
  };
}

function actionOf(pair: FolderPair, known: KnownFolder | null): PlannedFolder['action'] {
  if (pair.nameOnly) return 'name-only';
  // A target folder that is gone has to be made again, whatever the journal remembers of it.
  if (pair.target === null) return 'create';
  if (known === null) return 'copy';
  return known.change === 'none' ? 'unchanged' : known.change === 'flags' ? 'flags' : 'copy';
}

/** What is still to be appended, by what STATUS says. */
function demandOf(folders: readonly PlannedFolder[]): Demand {
  let messages = 0;
  let bytes: number | null = 0;
  let exact = true;
  for (const folder of folders) {
    if (folder.action !== 'copy' && folder.action !== 'create') continue;
    if (folder.messages === null) {
      exact = false;
      continue;
    }
    const missing = Math.max(0, folder.messages - folder.alreadyThere);
    messages += missing;
    // Which of its messages are there is not known yet, only how many: the average stands for the rest.
    if (folder.alreadyThere > 0 && missing > 0) exact = false;
    if (folder.bytes === null) {
      if (missing > 0) bytes = null;
    } else if (bytes !== null && missing > 0) {
      bytes += (folder.bytes / folder.messages) * missing;
    }
  }
  return { messages, bytes: bytes === null ? null : Math.ceil(bytes), exact };
}

function orderNote(order: OrderPolicy, traits: Traits): PlanProblem {
  const lacking = traits.multiAppend ? 'LITERAL+' : 'MULTIAPPEND';
  const message =
    order === 'any'
      ? "Several lanes may fill one folder (--order any): messages may arrive in another order than the source's."
      : `The target has no ${lacking}, so several lanes fill one folder and messages may arrive in another order than the source's: --order source keeps it, more slowly.`;
  return { severity: 'note', code: 'ORDER', folder: null, message };
}
