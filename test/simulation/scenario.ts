import { Random } from '../../src/sandbox/index.ts';
import { type Disturbance, makeDisturbances } from './disturbance.ts';

/** A server, as far as a scenario decides about it. */
export interface ServerPlan {
  readonly disable: readonly string[];
  readonly delimiter: string;
  readonly personalPrefix: string;
  readonly commitAtLastOctet: boolean;
  readonly staleStatus: boolean;
  readonly selectTellsUidNext: boolean;
  readonly refuseAppendToExamined: boolean;
  readonly uidNotSticky: boolean;
  readonly unknownCommandAnswer: 'BAD' | 'NO';
  readonly headerFieldNames: 'as-asked' | 'quoted';
  readonly dateZone: 'keep' | 'utc';
  readonly announceCapabilities: boolean;
  /** Stores every line with CRLF. */
  readonly rewritesLines: boolean;
  readonly maxConnections: number | null;
}

/** `twin`: the same bytes as the message before it in the folder, and the same date. */
export type MessageKind =
  | 'plain'
  | 'twin'
  | 'no-id'
  | 'no-header'
  | 'bare-lf'
  | 'no-end'
  | 'binary'
  | 'long'
  | 'refused'
  | 'empty';

/** A message by number: equal numbers and kinds are equal bytes. */
export interface MessagePlan {
  readonly number: number;
  readonly kind: MessageKind;
  readonly flags: readonly string[];
  readonly internalDate: string;
}

export interface FolderPlan {
  readonly path: readonly string[];
  readonly messages: readonly MessagePlan[];
  /** Which of them the target holds from the start, as indexes. */
  readonly atTarget: readonly number[];
  /** The target holds mail of somebody else's, too. */
  readonly foreign: number;
}

/** Everything that is to happen, as data: the same seed, the same scenario. */
export interface Scenario {
  readonly seed: number;
  readonly source: ServerPlan;
  readonly target: ServerPlan;
  readonly folders: readonly FolderPlan[];
  readonly connections: number | 'auto';
  readonly order: 'auto' | 'source' | 'any';
  readonly latencyMs: { readonly source: number; readonly target: number };
  /** Longest delivery of the servers, in bytes; `null`: as they come. */
  readonly splitBytes: number | null;
  /** Messages of this size on are streamed from server to server; `null`: as the program sees fit. */
  readonly oversizeBytes: number | null;
  /** Runs that may be disturbed, before those that are not. */
  readonly acts: number;
  readonly disturbances: readonly Disturbance[];
}

const paths: readonly (readonly string[])[] = [
  ['Work'],
  ['Work', 'Deep'],
  ['Größe'],
  ['a b'],
  ['R&D'],
  ['Lists', 'one'],
  ['Empty'],
];
const optional = [
  'UIDPLUS',
  'MULTIAPPEND',
  'LITERAL+',
  'CONDSTORE',
  'LIST-STATUS',
  'STATUS=SIZE',
  'UNSELECT',
  'ESEARCH',
];
const flagPool = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '$Label1', 'Custom'];
const kinds: readonly MessageKind[] = [
  ...([
    'plain',
    'plain',
    'plain',
    'plain',
    'twin',
    'twin',
    'no-id',
    'no-header',
    'bare-lf',
    'no-end',
    'binary',
  ] as const),
  'long',
];

/** Deliveries that the bodies of an account may come in. */
const mostPieces = 10_000;

/** Makes the scenario of a seed. */
export function makeScenario(seed: number): Scenario {
  const random = new Random(seed);
  const target = makeServer(random);
  // Half of a batch is there although it was refused: no client can know of it.
  const refuses = !target.commitAtLastOctet && random.below(5) === 0;
  const folders = makeFolders(random, refuses);
  const acts = 1 + random.below(3);
  const isFar = random.below(3) === 0;
  const latencyMs = isFar ? { source: 1 + random.below(80), target: 1 + random.below(80) } : { source: 0, target: 0 };
  const bytes = folders.reduce((sum, { messages }) => messages.reduce((all, it) => all + bodyOf(it).length, sum), 0);
  return {
    seed,
    source: { ...makeServer(random), commitAtLastOctet: false, rewritesLines: false, uidNotSticky: false },
    target,
    folders,
    connections: random.pick([1, 1, 2, 3, 4, 'auto'] as const),
    order: random.pick(['auto', 'auto', 'source', 'any'] as const),
    latencyMs,
    splitBytes: isFar ? null : random.pick([null, null, ...[1_000, 60, 7].filter((size) => bytes / size < mostPieces)]),
    oversizeBytes: random.pick([null, null, 110, 5_000]),
    acts,
    disturbances: makeDisturbances(random, acts, folders),
  };
}

function makeServer(random: Random): ServerPlan {
  const disable = random.below(3) === 0 ? [] : optional.filter(() => random.below(3) === 0);
  const delimiter = random.pick(['/', '/', '.']);
  const chance = (oneIn: number) => random.below(oneIn) === 0;
  return {
    disable,
    delimiter,
    personalPrefix: chance(4) ? `INBOX${delimiter}` : '',
    commitAtLastOctet: chance(4),
    staleStatus: chance(3),
    selectTellsUidNext: !chance(5),
    refuseAppendToExamined: chance(6),
    uidNotSticky: disable.includes('UIDPLUS') && chance(6),
    unknownCommandAnswer: chance(3) ? 'NO' : 'BAD',
    headerFieldNames: chance(5) ? 'quoted' : 'as-asked',
    dateZone: chance(4) ? 'utc' : 'keep',
    announceCapabilities: !chance(4),
    rewritesLines: chance(5),
    maxConnections: chance(5) ? 1 + random.below(3) : null,
  };
}

function makeFolders(random: Random, refuses: boolean): FolderPlan[] {
  const chosen = [['INBOX'], ...paths.filter(() => random.below(3) === 0)];
  const counter = { next: 1 };
  return chosen.map((path) => {
    const count = path[0] === 'Empty' ? 0 : random.pick([0, 1, 3, 5, 8, 12, 30, random.below(4) === 0 ? 230 : 20]);
    const messages = makeMessages(random, count, counter, refuses);
    const adopts = random.below(4) === 0;
    return {
      path,
      messages,
      atTarget: adopts ? [...messages.keys()].filter((at) => isKept(messages[at]) && random.below(2) === 0) : [],
      foreign: random.below(4) === 0 ? 1 + random.below(3) : 0,
    };
  });
}

function isKept(message: MessagePlan | undefined): boolean {
  return message !== undefined && message.kind !== 'refused' && message.kind !== 'empty';
}

function makeMessages(random: Random, count: number, counter: { next: number }, refuses: boolean): MessagePlan[] {
  const messages: MessagePlan[] = [];
  for (let index = 0; index < count; index++) {
    const kind = refuses && random.below(8) === 0 ? random.pick(['refused', 'empty'] as const) : random.pick(kinds);
    const before = messages.at(-1);
    const flags = makeFlags(random);
    if (kind === 'twin' && before !== undefined && before.kind !== 'refused' && before.kind !== 'empty') {
      messages.push({ ...before, flags: random.below(2) === 0 ? before.flags : flags });
    } else {
      messages.push({
        number: counter.next++,
        kind: kind === 'twin' ? 'plain' : kind,
        flags,
        internalDate: makeDate(random),
      });
    }
  }
  return messages;
}

export function makeFlags(random: Random): string[] {
  return flagPool.filter(() => random.below(4) === 0);
}

function makeDate(random: Random): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const zone = random.pick(['+0000', '+0200', '-0730']);
  return `${two(1 + random.below(28))}-Mar-${2001 + random.below(20)} ${two(random.below(24))}:${two(random.below(60))}:07 ${zone}`;
}

/** The bytes of a message. */
export function bodyOf({ number, kind }: Pick<MessagePlan, 'number' | 'kind'>): Buffer {
  const header = [
    `Message-ID: <m${number}@sim.test>`,
    'Date: Sat, 01 Feb 2020 10:00:00 +0200',
    `Subject: message ${number}`,
  ];
  const text = `body ${number}\r\n`;
  switch (kind) {
    case 'plain':
    case 'twin':
      return Buffer.from(`${header.join('\r\n')}\r\n\r\n${text}`);
    case 'no-id':
      return Buffer.from(`${header.slice(1).join('\r\n')}\r\n\r\n${text}`);
    case 'no-header':
      return Buffer.from(`just a line, number ${number}\r\n`);
    case 'bare-lf':
      return Buffer.from(`${header.join('\n')}\n\nbody ${number}\nwith LF\n`);
    case 'no-end':
      return Buffer.from(`${header.join('\r\n')}\r\n\r\nno end ${number}`);
    case 'binary':
      return Buffer.concat([
        Buffer.from(`${header.join('\r\n')}\r\n\r\n`),
        new Random(number).bytes(300),
        Buffer.from('\r\n'),
      ]);
    case 'long':
      return Buffer.from(`${header.join('\r\n')}\r\n\r\n${`line of ${number}, and again\r\n`.repeat(1_500)}`);
    case 'refused':
      return Buffer.from(`${header.join('\r\n')}\r\nX-Refuse: yes\r\n\r\n${text}`);
    case 'empty':
      return Buffer.alloc(0);
    default:
      throw new RangeError(`no such kind: ${kind satisfies never}`);
  }
}

/** A scenario for people to read: what is usual is left out, messages are counted. */
export function describeScenario(scenario: Scenario): string {
  const { source, target, folders, disturbances, ...rest } = scenario;
  const lines = [
    `  ${JSON.stringify(rest)}`,
    `  source ${JSON.stringify(source)}`,
    `  target ${JSON.stringify(target)}`,
    ...folders.map(({ path, messages, atTarget, foreign }) => {
      return `  ${path.join('/')}: ${messages.length} messages, ${atTarget.length} at the target, ${foreign} of others`;
    }),
    ...disturbances.map((each) => `  ${JSON.stringify(each)}`),
  ];
  return lines.join('\n');
}
