/**
 * Which messages are to be copied: those the journal does not know, minus those the target says it will refuse.
 */
import { follows } from './message-table.ts';
import type { PlanProblem, Quota } from './types.ts';

/**
 * The rows of `uids` whose UID is not in `known`. Both ascend; linear in the two of them, and a window of a big
 * folder only looks at the part of `known` it overlaps.
 * @throws RangeError where `uids` does not strictly ascend.
 */
export function selectMissing(uids: Uint32Array, known: Uint32Array): Uint32Array {
  if (!follows(uids, 0)) throw new RangeError('UIDs must ascend strictly');
  const rows = new Uint32Array(uids.length);
  let count = 0;
  let at = firstAtLeast(known, uids[0] ?? 0);
  for (let row = 0; row < uids.length; row += 1) {
    const uid = uids[row] ?? 0;
    while (at < known.length && (known[at] ?? 0) < uid) at += 1;
    if (known[at] === uid) continue;
    rows[count] = row;
    count += 1;
  }
  return rows.slice(0, count);
}

/** Rows split by what the target takes. */
export interface FittingRows {
  readonly fitting: Uint32Array;
  /** Above the target's limit: listed as refused, never sent. */
  readonly tooBig: Uint32Array;
}

/**
 * Splits `rows` of a table by the target's APPENDLIMIT (RFC 7889): a message of exactly `maxMessageBytes` fits.
 * `null` (no limit announced) lets everything through.
 */
export function selectFitting(rows: Uint32Array, sizes: Uint32Array, maxMessageBytes: number | null): FittingRows {
  if (maxMessageBytes === null) return { fitting: rows, tooBig: new Uint32Array(0) };
  return {
    fitting: rows.filter((row) => (sizes[row] ?? 0) <= maxMessageBytes),
    tooBig: rows.filter((row) => (sizes[row] ?? 0) > maxMessageBytes),
  };
}

/** What is going to be appended to the target. */
export interface Demand {
  readonly messages: number;
  /** `null`: the source tells no sizes. */
  readonly bytes: number | null;
  /** False where `bytes` or `messages` is an estimate. */
  readonly exact: boolean;
}

/** From this share of a quota on, the plan says so. */
const tightShare = 0.9;

/**
 * What the target's quotas (RFC 9208) have to say to `demand`: notes, since what fits is worth copying and a full account
 * ends the run resumably. Resources other than STORAGE and MESSAGE say nothing.
 */
export function checkQuotas(quotas: readonly Quota[], demand: Demand): PlanProblem[] {
  const problems: PlanProblem[] = [];
  for (const quota of quotas) {
    const need = neededOf(quota.resource, demand);
    if (need === null || need === 0) continue;
    const after = quota.usage + need;
    if (after <= quota.limit * tightShare) continue;
    const free = Math.max(0, quota.limit - quota.usage);
    const [needText, freeText] = [formatAmount(quota.resource, need), formatAmount(quota.resource, free)];
    const root = quota.root === '' ? 'The target' : `The target's quota root "${quota.root}"`;
    const message =
      after > quota.limit && demand.exact
        ? `${root} has room for ${freeText}, but ${needText} are to be copied: the run will stop when it is full; raise the quota, or leave folders out with --exclude.`
        : `${root} has room for ${freeText}, and about ${needText} are to be copied: the quota may have to be raised.`;
    problems.push({ severity: 'note', code: 'QUOTA', folder: null, message });
  }
  return problems;
}

function neededOf(resource: string, demand: Demand): number | null {
  if (resource === 'STORAGE') return demand.bytes === null ? null : Math.ceil(demand.bytes / 1024);
  if (resource === 'MESSAGE') return demand.messages;
  return null;
}

function formatAmount(resource: string, amount: number): string {
  if (resource === 'MESSAGE') return `${amount} messages`;
  return amount < 1024 ? `${amount} KiB` : `${(amount / 1024).toFixed(1)} MiB`;
}

/** The first index whose value is at least `value`, in an ascending array. */
function firstAtLeast(values: Uint32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
