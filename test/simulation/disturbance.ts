import type { FaultAction, FaultPoint, Random } from '../../src/sandbox/index.ts';
import type { FolderPlan } from './scenario.ts';

export type Side = 'source' | 'target';

/** A moment of a run. */
export type Moment =
  /** The nth command of that name (`*`: any). */
  | { readonly side: Side; readonly command: string; readonly nth: number; readonly at: FaultPoint }
  /** So many deliveries after the run began. */
  | { readonly step: number };

/** What others do to the accounts. Folders and messages by number, modulo as many as there are. */
export type Change =
  | {
      readonly kind: 'deliver';
      readonly folder: number;
      readonly twinOf: number | null;
      readonly flags: readonly string[];
    }
  | { readonly kind: 'flags'; readonly folder: number; readonly message: number; readonly flags: readonly string[] }
  | { readonly kind: 'expunge'; readonly folder: number; readonly message: number }
  | { readonly kind: 'foreign'; readonly folder: number; readonly twinOf: number | null }
  | { readonly kind: 'uidvalidity'; readonly side: Side; readonly folder: number };

/** One thing that goes wrong, or happens, in one of the runs. */
export type Disturbance = { readonly act: number } & (
  | {
      readonly kind: 'fault';
      readonly side: Side;
      readonly trigger:
        | { readonly command: string; readonly nth: number; readonly times: number }
        | { readonly direction: 'in' | 'out'; readonly bytes: number };
      readonly action: Exclude<FaultAction, { readonly kind: 'run' }>;
    }
  /** `kill -9`. */
  | { readonly kind: 'kill'; readonly when: Moment }
  | { readonly kind: 'kill'; readonly commit: number; readonly mode: 'before' | 'after' | 'torn' }
  /** The thread of a lane dies. */
  | { readonly kind: 'lane-dies'; readonly when: Moment; readonly lane: number }
  /** SIGTERM. */
  | { readonly kind: 'stop'; readonly when: Moment }
  /** From the nth write of the journal on the disk takes nothing. */
  | { readonly kind: 'disk-full'; readonly commit: number }
  /** `when` `null`: before the run. */
  | { readonly kind: 'change'; readonly when: Moment | null; readonly change: Change }
);

const atSource = ['*', 'UID FETCH', 'FETCH', 'EXAMINE', 'STATUS', 'LIST', 'LOGIN', 'NOOP'];
const atTarget = [
  '*',
  ...Array.from({ length: 9 }, () => 'APPEND'),
  'CREATE',
  'SUBSCRIBE',
  'EXAMINE',
  'SELECT',
  'STATUS',
  'UID FETCH',
  'UID STORE',
  'LIST',
  'NOOP',
  'LOGIN',
];
const refusals = [
  '[UNAVAILABLE] try again later',
  '[INUSE] in use',
  '[LIMIT] too much of something',
  '[SERVERBUG] sorry',
  '[OVERQUOTA] full',
  '[CONTACTADMIN] no',
  'for no reason',
];

/** Longest time that a server goes on with what it was given: shorter than a target is watched before something counts as absent. */
const maxDelayMs = 9_000;

export function makeDisturbances(random: Random, acts: number, folders: readonly FolderPlan[]): Disturbance[] {
  const disturbances: Disturbance[] = [];
  for (let act = 0; act < acts; act++) {
    const count = random.pick([0, 1, 2, 2, 3, 4]);
    for (let index = 0; index < count; index++)
      disturbances.push({ act, ...makeDisturbance(random, folders) } as Disturbance);
    if (random.below(5) < 2) disturbances.push({ act, ...makeEnd(random) } as Disturbance);
    if (act > 0 && random.below(2) === 0) {
      disturbances.push({ act, kind: 'change', when: null, change: makeChange(random, folders) });
    }
  }
  return disturbances;
}

type Untimed<T> = T extends Disturbance ? Omit<T, 'act'> : never;

function makeDisturbance(random: Random, folders: readonly FolderPlan[]): Untimed<Disturbance> {
  if (random.below(4) === 0) return { kind: 'change', when: makeMoment(random), change: makeChange(random, folders) };
  const side = random.pick(['source', 'target', 'target'] as const);
  if (random.below(4) === 0) {
    const trigger = { direction: random.pick(['in', 'out'] as const), bytes: spread(random, 40_000) };
    const action = random.pick([
      { kind: 'cut', reset: true },
      { kind: 'cut', reset: false },
      { kind: 'stall' },
      { kind: 'bye', text: 'going down' },
    ] as const);
    return { kind: 'fault', side, trigger, action };
  }
  const command = random.pick(side === 'source' ? atSource : atTarget);
  const trigger = { command, nth: spread(random, 12), times: random.below(6) === 0 ? 3 : 1 };
  return { kind: 'fault', side, trigger, action: makeAction(random, command) };
}

function makeAction(random: Random, command: string): Exclude<FaultAction, { readonly kind: 'run' }> {
  switch (random.below(8)) {
    case 0:
    case 1:
      return { kind: 'cut', at: makePoint(random, command), reset: random.below(2) === 0 };
    case 2:
      return { kind: 'stall', at: makePoint(random, command) };
    case 3:
      return { kind: 'delay', delayMs: spread(random, maxDelayMs), at: random.pick(['before', 'after'] as const) };
    case 4:
      return {
        kind: 'bye',
        text: random.pick(['shutting down', '[UNAVAILABLE] too many']),
        at: makePoint(random, command),
      };
    case 5:
      return { kind: 'drop-tagged' };
    case 6: {
      const lines = [random.pick(['* OK [ALERT] hello', '* OK still here', '* FLAGS (\\Seen \\Deleted)'])];
      return { kind: 'inject', lines, at: random.pick(['before', 'after', 'after-tagged'] as const) };
    }
    default:
      return {
        kind: 'answer',
        answer: { status: random.pick(['NO', 'NO', 'NO', 'BAD'] as const), text: random.pick(refusals) },
      };
  }
}

function makePoint(random: Random, command: string): FaultPoint {
  const choice = random.below(4);
  if (choice === 0) return 'before';
  if (choice === 1) return 'after';
  if (choice === 2 || command !== 'APPEND') return { answerOctets: spread(random, 400) };
  return { literal: spread(random, 5), octets: random.below(3) === 0 ? Number.MAX_SAFE_INTEGER : spread(random, 300) };
}

function makeEnd(random: Random): Untimed<Disturbance> {
  const choice = random.below(12);
  if (choice > 9) return { kind: 'lane-dies', when: makeMoment(random), lane: random.below(3) };
  if (choice === 0) return { kind: 'disk-full', commit: spread(random, 12) };
  if (choice < 3) return { kind: 'stop', when: makeMoment(random) };
  if (choice < 6)
    return { kind: 'kill', commit: spread(random, 14), mode: random.pick(['before', 'after', 'torn'] as const) };
  return { kind: 'kill', when: makeMoment(random) };
}

function makeMoment(random: Random): Moment {
  if (random.below(3) === 0) return { step: spread(random, 3_000) };
  const side = random.pick(['source', 'target'] as const);
  const command = random.pick(side === 'source' ? atSource : atTarget);
  return { side, command, nth: spread(random, 10), at: makePoint(random, command) };
}

function makeChange(random: Random, folders: readonly FolderPlan[]): Change {
  const folder = random.below(folders.length);
  const message = random.below(300);
  const twinOf = random.below(4) === 0 ? message : null;
  const flags = ['\\Seen', '\\Flagged', '$Label1'].filter(() => random.below(2) === 0);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { kind: 'deliver', folder, twinOf, flags };
    case 2:
    case 3:
      return { kind: 'flags', folder, message, flags };
    case 4:
    case 5:
      return { kind: 'expunge', folder, message };
    case 6:
      return { kind: 'foreign', folder, twinOf };
    default:
      return { kind: 'uidvalidity', side: random.pick(['source', 'target'] as const), folder };
  }
}

/** From 1 to `most`, small ones more often. */
function spread(random: Random, most: number): number {
  return Math.max(1, Math.floor(most ** random.next()));
}
