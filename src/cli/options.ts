/**
 * Every option of the command: its name, who takes it, what it means, and which values are right.
 */
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { DeleteLimit, JobSettings } from '../job.ts';
import type { Environment } from './style.ts';

export type CommandName =
  | 'migrate'
  | 'plan'
  | 'verify'
  | 'check'
  | 'shell'
  | 'status'
  | 'demo'
  | 'list'
  | 'search'
  | 'export'
  | 'index';

export interface OptionSpec {
  readonly name: string;
  readonly alias?: string;
  /** `flag`: takes no value. `value`: takes one. `list`: takes one and may be given again. */
  readonly kind: 'flag' | 'value' | 'list';
  readonly group: 'Folders' | 'Copying' | 'Backups' | 'Accounts' | 'Output';
  readonly commands: readonly CommandName[];
  readonly describe: string;
  readonly choices?: readonly string[];
  /** A flag that is on unless `--no-…` is given. */
  readonly on?: boolean;
}

const copying = ['migrate', 'plan', 'verify'] as const;
const exporting = ['migrate', 'export'] as const;
const withLanes = [...copying, 'export', 'demo'] as const;
const withAccounts = [...copying, 'export', 'check', 'shell'] as const;
const reporting = [...withLanes, 'check', 'status'] as const;
const archives = ['list', 'search', 'index'] as const;
const everywhere = [...reporting, ...archives, 'shell'] as const;

/** In the order of `--help`. */
export const optionSpecs: readonly OptionSpec[] = [
  {
    name: 'map',
    kind: 'list',
    group: 'Folders',
    commands: copying,
    describe: '"A=B": folder A of SRC goes to B of DST, subfolders with it (write \\= for a = inside a name)',
  },
  {
    name: 'include',
    kind: 'list',
    group: 'Folders',
    commands: copying,
    describe: 'only folders that match: * stops at the delimiter, ** does not, \\Trash names a special use',
  },
  {
    name: 'exclude',
    kind: 'list',
    group: 'Folders',
    commands: copying,
    describe: 'not the folders that match, even if included',
  },
  {
    name: 'map-special-use',
    kind: 'flag',
    on: true,
    group: 'Folders',
    commands: copying,
    describe: 'Sent goes to Sent, whatever either side calls it; --no-map-special-use goes by name alone',
  },
  {
    name: 'subscriptions',
    kind: 'value',
    group: 'Folders',
    commands: ['migrate', 'plan', 'demo'],
    choices: ['copy', 'all', 'none'],
    describe: 'which folders to subscribe at DST: as SRC has it, all, or none (default: copy)',
  },
  {
    name: 'dry-run',
    alias: 'n',
    kind: 'flag',
    group: 'Copying',
    commands: ['migrate', 'plan'],
    describe: 'write nothing on either side, show the plan (the same as the command plan)',
  },
  {
    name: 'digest',
    kind: 'flag',
    group: 'Copying',
    commands: ['verify'],
    describe: 'read every message on both sides again and compare SHA-256 digests',
  },
  {
    name: 'order',
    kind: 'value',
    group: 'Copying',
    commands: ['migrate', 'plan', 'demo'],
    choices: ['auto', 'source', 'any'],
    describe: "keep SRC's order in a folder: where it is free, always, or never (default: auto)",
  },
  {
    name: 'flags',
    kind: 'value',
    group: 'Copying',
    commands: ['migrate', 'plan'],
    choices: ['mirror', 'merge', 'once'],
    describe:
      'flags of messages copied earlier: mirror what changed at SRC since, merge only what was set, or leave alone (default: mirror)',
  },
  {
    name: 'connections',
    kind: 'value',
    group: 'Copying',
    commands: withLanes,
    describe: 'connections to each side at once: 1 to 64, or as many as make it faster (default: auto)',
  },
  {
    name: 'threads',
    kind: 'value',
    group: 'Copying',
    commands: withLanes,
    describe: 'worker threads at most: 1 to 64, never more than connections (default: auto, one per two processors)',
  },
  {
    name: 'bwlimit',
    kind: 'value',
    group: 'Copying',
    commands: ['migrate', 'verify'],
    describe: 'bytes per second in each direction at most, all connections together: 2MB/s, 500k, 1.5MiB/s',
  },
  {
    name: 'rate',
    kind: 'value',
    group: 'Copying',
    commands: ['migrate'],
    describe: 'messages per second at most, all connections together: 4msg/s, 0.5, 90/min',
  },
  {
    name: 'compress',
    kind: 'value',
    group: 'Copying',
    commands: ['migrate', 'verify'],
    choices: ['auto', 'on', 'off'],
    describe: 'COMPRESS=DEFLATE: where the line turns out to be slow, wherever it is offered, or never (default: auto)',
  },
  {
    name: 'state',
    kind: 'value',
    group: 'Copying',
    commands: ['export', 'migrate', 'plan', 'status', 'shell'],
    describe:
      'directory of the journals, which know what is already copied, and of the history of shell (default: $XDG_STATE_HOME/imap-migrate or ~/.local/state/imap-migrate)',
  },
  {
    name: 'rebuild',
    kind: 'flag',
    group: 'Copying',
    commands: exporting,
    describe: 'put the journal aside and find out by comparing what DST holds already',
  },
  {
    name: 'wait',
    kind: 'flag',
    group: 'Copying',
    commands: ['migrate'],
    describe:
      'where a server wants to be left alone for long, wait and go on by itself, instead of ending with exit 75',
  },
  {
    name: 'format',
    kind: 'value',
    group: 'Backups',
    commands: [...copying, 'export'],
    choices: ['maildir', 'mbox', 'eml'],
    describe: 'the kind of tree that DST becomes, where it is a new directory (default: eml)',
  },
  {
    name: 'mirror',
    kind: 'flag',
    group: 'Backups',
    commands: ['migrate'],
    describe: 'delete from a tree as DST what SRC has no more; without it that is only marked',
  },
  {
    name: 'delete-limit',
    kind: 'value',
    group: 'Backups',
    commands: ['migrate'],
    describe:
      'with --mirror: if more than so many messages, or such a share, were to be deleted, none is (default: 10%)',
  },
  {
    name: 'index',
    kind: 'flag',
    group: 'Backups',
    commands: ['migrate'],
    describe: 'write the page index.html of the tree DST when all is well, as the command index does',
  },
  {
    name: 'with-gone',
    kind: 'flag',
    group: 'Backups',
    commands: [...copying, 'export'],
    describe: 'of a tree as SRC, messages too that were gone from the account before its last backup',
  },
  {
    name: 'layout',
    kind: 'value',
    group: 'Backups',
    commands: exporting,
    choices: ['maildir++', 'fs'],
    describe: 'folders of a new Maildir: .A.B (maildir++) or A/B (fs) (default: maildir++)',
  },
  {
    name: 'store-compress',
    kind: 'value',
    group: 'Backups',
    commands: exporting,
    choices: ['none', 'gzip', 'zstd'],
    describe: 'how messages that are new in an eml tree are compressed (default: none)',
  },
  {
    name: 'fsync',
    kind: 'value',
    group: 'Backups',
    commands: exporting,
    choices: ['batch', 'never'],
    describe:
      'batch: what counts as stored is on the disk, whatever happens to the machine; never: when the system likes (default: batch)',
  },
  {
    name: 'folder',
    kind: 'value',
    group: 'Backups',
    commands: ['list', 'search', 'export'],
    describe: 'only this folder, with slashes between its names; list shows its messages then',
  },
  {
    name: 'expand',
    kind: 'flag',
    group: 'Backups',
    commands: ['index'],
    describe: 'write copies of compressed messages, so that the page can open them',
  },
  {
    name: 'allow-readable-secrets',
    kind: 'flag',
    group: 'Accounts',
    commands: withAccounts,
    describe: 'accept an account file with a password in it that other users can read',
  },
  {
    name: 'json',
    kind: 'flag',
    group: 'Output',
    commands: [...reporting, ...archives],
    describe: 'one JSON object per line on stdout (docs/EVENTS.md); text for people goes to stderr',
  },
  {
    name: 'progress',
    kind: 'value',
    group: 'Output',
    commands: withLanes,
    choices: ['auto', 'always', 'never'],
    describe: 'bars on a terminal, else a line every 30 s; always: every 5 s, and with --quiet too (default: auto)',
  },
  {
    name: 'quiet',
    alias: 'q',
    kind: 'flag',
    group: 'Output',
    commands: everywhere,
    describe: 'say nothing while all is well; problems are still told',
  },
  {
    name: 'verbose',
    alias: 'v',
    kind: 'flag',
    group: 'Output',
    commands: everywhere,
    describe: 'say more: each folder, each refusal as it happens',
  },
  {
    name: 'trace-imap',
    kind: 'value',
    group: 'Output',
    commands: withAccounts,
    describe: 'append what goes over the wire to FILE, line by line: literals as their sizes, secrets masked',
  },
  {
    name: 'log',
    kind: 'value',
    group: 'Output',
    commands: everywhere,
    describe: 'append a log to FILE: JSON lines, without secrets',
  },
];

function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices, {
    error: (issue) => `${quote(issue.input)} is none of ${choices.join(', ')}`,
  });
}

function numberOrAuto(min: number, max: number) {
  const error = (issue: { readonly input?: unknown }): string =>
    `${quote(issue.input)} is neither auto nor a whole number from ${min} to ${max}`;
  const isOne = (value: string) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return z
    .string({ error: (issue) => (Array.isArray(issue.input) ? 'given more than once' : error(issue)) })
    .refine((value) => value === 'auto' || isOne(value), { error })
    .transform((value): number | 'auto' => (value === 'auto' ? value : Number(value)));
}

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
};

/** `2MB/s`, `500k`, `1.5MiB`: bytes per second; `B` and `/s` may be left out. */
const byteRate = rateOf('a number of bytes per second, as 2MB/s or 500k', (value) => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]i?)?b?(?:\/s)?$/i.exec(value) ?? [];
  return Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
});

const unitSeconds: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** `4msg/s`, `0.5`, `90/min`: messages per second. */
const messageRate = rateOf('a number of messages per second, as 4msg/s or 90/min', (value) => {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?) ?(?:msgs?)?(?:\/(s|min|h))?$/i.exec(value) ?? [];
  return Number(number) / (unitSeconds[unit.toLowerCase()] ?? Number.NaN);
});

/** `10%`, `500`: a share of the messages there are, or so many of them. */
const deleteLimit = z
  .string({ error: (issue) => (Array.isArray(issue.input) ? 'given more than once' : 'needs a value') })
  .transform((value, context): DeleteLimit => {
    const [, number = '', percent] = /^(\d{1,9}(?:\.\d+)?) ?(%?)$/.exec(value) ?? [];
    if (percent === '%' && Number(number) <= 100) return { share: Number(number) / 100 };
    if (percent === '' && /^\d+$/.test(number)) return { messages: Number(number) };
    context.addIssue({ code: 'custom', message: `'${value}' is neither a number of messages nor a share as 10%` });
    return z.NEVER;
  })
  .optional();

function rateOf(what: string, parse: (value: string) => number) {
  const error = (issue: { readonly input?: unknown }) => `${quote(issue.input)} is not ${what}`;
  return z
    .string({ error: (issue) => (Array.isArray(issue.input) ? 'given more than once' : error(issue)) })
    .refine((value) => parse(value) > 0 && parse(value) < Number.MAX_SAFE_INTEGER, { error })
    .transform(parse)
    .optional();
}

const text = z
  .string({ error: (issue) => (Array.isArray(issue.input) ? 'given more than once' : 'needs a value') })
  .min(1, { error: 'needs a value' });

const texts = z.union([text.transform((value) => [value]), z.array(text)], { error: 'needs a value' }).default([]);

function quote(input: unknown): string {
  return Array.isArray(input) ? 'more than one value' : `'${String(input)}'`;
}

/** `A=B` at the first `=` that no backslash protects. */
const folderMapping = z.string().transform((value, context) => {
  const match = /^((?:\\=|(?!\\=)[^=])+)=(.+)$/su.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) {
    context.addIssue({ code: 'custom', message: `'${value}' is not of the form "A=B"` });
    return z.NEVER;
  }
  return { from: match[1].replaceAll('\\=', '='), to: match[2].replaceAll('\\=', '=') };
});

const flag = z.boolean().default(false);

/** The values of all options, checked; what a command does not take has its default. */
export const optionValues = z
  .object({
    map: texts.pipe(z.array(folderMapping)),
    include: texts,
    exclude: texts,
    'map-special-use': z.boolean().default(true),
    subscriptions: oneOf(['copy', 'all', 'none']).default('copy'),
    'dry-run': flag,
    digest: flag,
    order: oneOf(['auto', 'source', 'any']).default('auto'),
    flags: oneOf(['mirror', 'merge', 'once']).default('mirror'),
    connections: numberOrAuto(1, 64).default('auto'),
    threads: numberOrAuto(1, 64).default('auto'),
    bwlimit: byteRate,
    rate: messageRate,
    compress: oneOf(['auto', 'on', 'off']).default('auto'),
    state: text.optional(),
    rebuild: flag,
    wait: flag,
    mirror: flag,
    index: flag,
    'delete-limit': deleteLimit,
    'with-gone': flag,
    format: oneOf(['maildir', 'mbox', 'eml']).optional(),
    layout: oneOf(['maildir++', 'fs']).default('maildir++'),
    'store-compress': oneOf(['none', 'gzip', 'zstd']).default('none'),
    fsync: oneOf(['batch', 'never']).default('batch'),
    folder: text.optional(),
    expand: flag,
    'allow-readable-secrets': flag,
    json: flag,
    progress: oneOf(['auto', 'always', 'never']).default('auto'),
    quiet: flag,
    verbose: flag,
    'trace-imap': text.optional(),
    log: text.optional(),
  })
  .superRefine((values, context) => {
    if (values.quiet && values.verbose) {
      context.addIssue({ code: 'custom', path: ['quiet'], message: 'contradicts --verbose' });
    }
    if (values.rebuild && values['dry-run']) {
      context.addIssue({ code: 'custom', path: ['rebuild'], message: 'contradicts --dry-run, which writes nothing' });
    }
    if (values['delete-limit'] !== undefined && !values.mirror) {
      context.addIssue({ code: 'custom', path: ['delete-limit'], message: 'means nothing without --mirror' });
    }
    if (values.wait && values['dry-run']) {
      context.addIssue({ code: 'custom', path: ['wait'], message: 'contradicts --dry-run, which ends with the plan' });
    }
    const sources = values.map.map(({ from }) => from);
    const twice = sources.find((from, index) => sources.indexOf(from) !== index);
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', path: ['map'], message: `'${twice}' is mapped more than once` });
    }
  });

export type OptionValues = z.output<typeof optionValues>;

/** Everything of a job's settings that the command line decides. */
export type JobOptions = Omit<JobSettings, 'source' | 'target' | 'dryRun'>;

/**
 * `parallelism`: processors to use. A lane is seldom what a copy waits for, and each thread compiles the code anew and keeps
 * its own heap: half as many threads by default.
 */
export function toJobOptions(
  values: OptionValues,
  surroundings: { readonly env: Environment; readonly homeDir: string; readonly parallelism: number },
): JobOptions {
  const { connections, threads } = values;
  const mostThreads = threads === 'auto' ? Math.floor(surroundings.parallelism / 2) : threads;
  return {
    mapping: {
      map: values.map,
      include: values.include,
      exclude: values.exclude,
      mapSpecialUse: values['map-special-use'],
    },
    order: values.order,
    flags: values.flags,
    connections,
    bytesPerSecond: values.bwlimit,
    messagesPerSecond: values.rate,
    compress: values.compress,
    threads: Math.max(1, connections === 'auto' ? mostThreads : Math.min(connections, mostThreads)),
    subscriptions: values.subscriptions,
    stateDir: toStateDir(values, surroundings),
    rebuild: values.rebuild,
    mirror: values.mirror ? (values['delete-limit'] ?? { share: 0.1 }) : undefined,
    wait: values.wait,
  };
}

/** Where the journals are: as `--state` says, made absolute, or where they are by default. */
export function toStateDir(
  { state }: Pick<OptionValues, 'state'>,
  surroundings: { readonly env: Environment; readonly homeDir: string },
): string {
  return state === undefined ? defaultStateDir(surroundings.env, surroundings.homeDir) : resolve(state);
}

/** XDG Base Directory: `$XDG_STATE_HOME`, which counts only if absolute, else `~/.local/state`. */
export function defaultStateDir(env: Environment, homeDir: string): string {
  const base = env.XDG_STATE_HOME ?? '';
  return join(isAbsolute(base) ? base : join(homeDir, '.local', 'state'), 'imap-migrate');
}
