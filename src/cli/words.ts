/**
 * The words of a command line: which are options, which are files, and whether there can be such words at all.
 */
import { ConfigError } from '../errors.ts';
import { nearNames } from '../plan/near-name.ts';
import { type CommandName, type OptionSpec, optionSpecs } from './options.ts';

export const program = 'imap-migrate';

/** The commands that are called by a word; migrating is not. */
const namedCommands = [
  'check',
  'plan',
  'verify',
  'status',
  'shell',
  'demo',
  'list',
  'search',
  'export',
  'index',
] as const satisfies readonly CommandName[];

/** Words a command takes at most, accounts as a rule; those of two need both. */
const mostFiles: Readonly<Record<CommandName, number>> = {
  migrate: 2,
  plan: 2,
  verify: 2,
  check: Number.POSITIVE_INFINITY,
  shell: 1,
  status: 0,
  demo: 0,
  list: 1,
  search: Number.POSITIVE_INFINITY,
  export: Number.POSITIVE_INFINITY,
  index: 1,
};

/** A command line taken apart, before anything is made of it. */
export interface Words {
  readonly command: CommandName;
  readonly positionals: readonly string[];
  /** The same command line without a `--`, for a parser that would keep files behind it to itself. */
  readonly plain: readonly string[];
  /** Options as written, without dashes and value. */
  readonly names: readonly string[];
  /** Options written with `=`. */
  readonly assigned: ReadonlySet<string>;
  /** Value options with nothing after them. */
  readonly lacking: readonly string[];
}

function findSpec(name: string): OptionSpec | undefined {
  return optionSpecs.find(
    (spec) => spec.name === name || spec.alias === name || (spec.on === true && `no-${spec.name}` === name),
  );
}

/** Splits a command line into its words. Any words: what is wrong with them is for `checkWords` to say. */
export function scanWords(argv: readonly string[]): Words {
  const positionals: string[] = [];
  let plain = argv;
  const names: string[] = [];
  const assigned = new Set<string>();
  const lacking: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      const files = argv.slice(index + 1).map((file) => (file.startsWith('-') ? `./${file}` : file));
      positionals.push(...files);
      plain = [...argv.slice(0, index), ...files];
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const long = /^--([^=]*)(=?)/s.exec(word);
    const found = long === null ? [...word.slice(1)] : [long[1] ?? ''];
    names.push(...found);
    const last = found.at(-1) ?? '';
    if (long?.[2] === '=') assigned.add(last);
    else if (findSpec(last)?.kind !== 'flag' && findSpec(last) !== undefined) {
      const value = argv[index + 1];
      if (value === undefined || (value.startsWith('-') && value !== '-')) lacking.push(last);
      else index++;
    }
  }
  const first = positionals[0];
  const command = namedCommands.find((name) => name === first);
  if (command !== undefined) positionals.shift();
  return { command: command ?? 'migrate', positionals, plain, names, assigned, lacking };
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/**
 * Throws ConfigError for the first word that cannot be right, with the word that was meant where one is near. yargs would
 * refuse most of them, too, but without a suggestion.
 */
export function checkWords(words: Words): void {
  for (const name of words.names) {
    const spec = findSpec(name);
    if (spec === undefined) {
      const known = optionSpecs.filter((each) => each.commands.includes(words.command)).map((each) => each.name);
      const meant = nearNames(name, known)[0] ?? null;
      throw new ConfigError(
        `unknown option ${dashed(name)}${meant === null ? '' : `, did you mean --${meant}?`} (see ${program} --help)`,
      );
    }
    if (!spec.commands.includes(words.command)) {
      const takers = spec.commands.map((each) => (each === 'migrate' ? `${program} SRC DST` : each)).join(', ');
      throw new ConfigError(`${dashed(name)} is not an option of ${words.command}: it belongs to ${takers}`);
    }
    if (spec.kind === 'flag' && words.assigned.has(name)) throw new ConfigError(`${dashed(name)} takes no value`);
    if (words.lacking.includes(name)) throw new ConfigError(`${dashed(name)} needs a value: ${spec.describe}`);
  }
  checkFiles(words);
}

function checkFiles({ command, positionals }: Words): void {
  const first = positionals[0];
  if (command === 'migrate' && first !== undefined && /^[\w-]+$/.test(first)) {
    const meant = nearNames(first, [...namedCommands, 'migrate'])[0] ?? null;
    if (meant === 'migrate' && positionals.length === 3) {
      throw new ConfigError(`migrating needs no command word: ${program} SRC.ini DST.ini`);
    }
    if (meant !== null && meant !== 'migrate') {
      throw new ConfigError(`unknown command '${first}', did you mean '${meant}'? (a file of that name: ./${first})`);
    }
  }
  const extra = positionals[mostFiles[command]];
  if (extra !== undefined) throw new ConfigError(`'${extra}' is one argument too many (see ${program} --help)`);
  if (positionals.length === 0 && (command === 'check' || command === 'shell')) {
    throw new ConfigError(`which account? ${program} ${command} ACCOUNT.ini`);
  }
  if (positionals.length === 0 && (command === 'list' || command === 'search' || command === 'index')) {
    throw new ConfigError(`which tree? ${program} ${command} DIRECTORY${command === 'search' ? ' WORDS' : ''}`);
  }
  if (positionals.length === 1 && command === 'search') {
    throw new ConfigError(`what to look for? ${program} search ${first} from:anna since:2024 invoice`);
  }
  if (positionals.length < 2 && command === 'export') {
    throw new ConfigError(`what goes where? ${program} export TREE DST, with WORDS to choose messages as search does`);
  }
  if (mostFiles[command] !== 2 || positionals.length === 2) return;
  // A backup is verified by itself.
  if (command === 'verify' && positionals.length === 1) return;
  const word = command === 'migrate' ? '' : ` ${command}`;
  if (positionals.length === 1) {
    if (command === 'migrate' && first !== undefined && /^[\w-]+$/.test(first))
      throw new ConfigError(
        `'${first}' is no command (${program} --help names them), and one account file alone is not enough: ${program} SRC.ini DST.ini`,
      );
    throw new ConfigError(`one account file is missing: ${program}${word} SRC.ini DST.ini`);
  }
  throw new ConfigError(
    `which accounts? ${program}${word} SRC.ini DST.ini (${program} --help tells more, ${program} demo shows it)`,
  );
}
