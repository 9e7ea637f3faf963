/** Faults of chance for one job: a seed gives the same plan on every machine. */
import { Random } from '../../src/sandbox/random.ts';
import type { ExtensionName } from './proxy-extensions.ts';
import type { ByteAction, CommandAction, Direction, ProxyFault } from './proxy-faults.ts';

export interface FaultPlan {
  /** Of the job. */
  readonly connections: 'auto' | '1' | '2' | '3';
  /** What the target does not have. */
  readonly without: readonly ExtensionName[];
  /** The proxies cannot read what passes, and only bytes can be struck. */
  readonly tls: boolean;
  readonly source: readonly ProxyFault[];
  readonly target: readonly ProxyFault[];
}

/** How much passes each side of a job that meets no fault. */
export interface JobTraffic {
  readonly source: Readonly<Record<Direction, number>>;
  readonly target: Readonly<Record<Direction, number>>;
}

const mostFaults = 4;
/** About as long as the client waits: less is slow, more is lost and comes all the same. */
const delaysMs = [50, 500, 1_500, 2_500, 4_000];

const answers = [
  'NO [UNAVAILABLE] try again later',
  'NO [INUSE] somebody else has it',
  'NO [LIMIT] too much of it',
  'NO [SERVERBUG] internal error',
  'NO [OVERQUOTA] no room',
  'NO not today',
  'BAD what was that',
];
const byes = ['going down', '[UNAVAILABLE] overloaded', 'Too many connections', 'Idle for too long'];
const lines = ['* OK [ALERT] the disk is nearly full', '* NO odd', '* 0 RECENT', '* STATUS Elsewhere (MESSAGES 3)'];

const names = {
  source: ['AUTHENTICATE', 'CAPABILITY', 'LIST', 'EXAMINE', 'FETCH', 'UID FETCH', 'UID FETCH', 'UID FETCH'],
  target: ['AUTHENTICATE', 'LIST', 'CREATE', 'SUBSCRIBE', 'EXAMINE', 'STATUS', 'APPEND', 'APPEND', 'APPEND', 'APPEND'],
} as const;

/** One to four faults on either side or both. */
export function faultPlan(seed: number, traffic: JobTraffic): FaultPlan {
  const random = new Random(seed);
  const tls = random.below(5) === 0;
  const faults: Record<'source' | 'target', ProxyFault[]> = { source: [], target: [] };
  for (let left = 1 + random.below(mostFaults); left > 0; left--) {
    const side = random.pick(['source', 'target', 'target'] as const);
    const isAtByte = tls || random.below(3) === 0;
    faults[side].push(isAtByte ? byteFault(random, traffic[side], tls) : commandFault(random, names[side]));
  }
  return {
    ...faults,
    tls,
    connections: random.pick(['auto', '1', '2', '3'] as const),
    without: tls ? [] : (['MULTIAPPEND', 'LITERAL+', 'UIDPLUS'] as const).filter(() => random.below(4) === 0),
  };
}

function byteFault(random: Random, traffic: JobTraffic['source'], tls: boolean): ProxyFault {
  const direction = random.pick(['to-server', 'to-client'] as const);
  const kinds = ['cut', 'cut', 'stall', 'delay', 'throttle', ...(tls ? ['corrupt', 'corrupt'] : [])] as const;
  const actions: Record<string, () => ByteAction> = {
    cut: () => ({ kind: 'cut' }),
    stall: () => ({ kind: 'stall' }),
    delay: () => ({ kind: 'stall', delayMs: random.pick(delaysMs) }),
    throttle: () => ({ kind: 'throttle', bytes: random.below(100_000), bytesPerSecond: 20_000 + random.below(80_000) }),
    corrupt: () => ({ kind: 'corrupt' }),
  };
  const action = actions[random.pick(kinds)]?.() ?? { kind: 'cut' };
  return { direction, byte: random.below(traffic[direction]), action };
}

function commandFault(random: Random, commands: readonly string[]): ProxyFault {
  const actions: readonly (() => CommandAction)[] = [
    () => ({ kind: 'cut' }),
    () => ({ kind: 'stall' }),
    () => ({ kind: 'stall', delayMs: random.pick(delaysMs) }),
    () => ({ kind: 'withhold', what: 'answer' }),
    () => ({ kind: 'withhold', what: 'all answers' }),
    () => ({ kind: 'withhold', what: 'command' }),
    () => ({ kind: 'answer', text: random.pick(answers) }),
    () => ({ kind: 'answer', text: random.pick(answers) }),
    () => ({ kind: 'bye', text: random.pick(byes), at: random.pick(['before', 'after'] as const) }),
    () => ({ kind: 'inject', lines: [random.pick(lines), random.pick(lines)] }),
  ];
  const command = random.pick(commands);
  const nth = 1 + random.below(command === 'APPEND' || command === 'UID FETCH' ? 12 : 3);
  return { command, nth, action: random.pick(actions)() };
}
