/**
 * The command line: argv in, one checked invocation out. The only file that knows yargs.
 */
import yargs, { type Argv } from 'yargs';
import { ConfigError } from '../errors.ts';
import { type CommandName, type OptionSpec, type OptionValues, optionSpecs, optionValues } from './options.ts';
import { suggest } from './suggestion.ts';

/** What was asked for. `text`: help or the version, to be printed as it is. */
export type Invocation =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: CommandName; readonly files: readonly string[]; readonly options: OptionValues };

export interface CommandLineOptions {
  readonly version: string;
  /** Columns for the help text. */
  readonly columns: number;
}

const program = 'imap-migrate';

const commands: readonly { readonly name: CommandName; readonly syntax: string; readonly describe: string }[] = [
  {
    name: 'migrate',
    syntax: '$0 <SRC> <DST>',
    describe: 'copy every message of SRC that DST does not have from it yet',
  },
  { name: 'check', syntax: 'check <ACCOUNT..>', describe: 'log in and show what the server can do and holds' },
  { name: 'plan', syntax: 'plan <SRC> <DST>', describe: 'show what would be copied where; writes nothing' },
  {
    name: 'verify',
    syntax: 'verify <SRC> <DST>',
    describe: 'compare both sides: counts, flags, dates, with --digest bodies',
  },
  { name: 'demo', syntax: 'demo', describe: 'try it: migrate and verify between two built-in servers on this machine' },
];

const namedCommands = commands.map((command) => command.name).filter((name) => name !== 'migrate');

/** Lines of at most 80 columns, so that no terminal breaks them. */
const epilogue = `SRC, DST and ACCOUNT are INI files, one account each (README.md shows one).

Exit codes:
    0  done
    1  internal error
    2  wrong usage or configuration
    3  finished, but some messages or folders failed
    4  no connection, or no trust in the other side (TLS)
    5  login refused
    6  over quota: somebody has to make room
    7  verify found differences
    8  another run holds the lock
    9  the journal is damaged
   10  the local disk is full or cannot be written
   75  parked until a known time (throttled, daily limit)
  130  interrupted (143: terminated); the same command goes on where it stopped`;

/**
 * Reads a command line. Throws ConfigError with one line that names the word that is wrong and, where one is near, the
 * word that was meant.
 */
export function parseCommandLine(argv: readonly string[], options: CommandLineOptions): Invocation {
  const words = scanWords(argv);
  const textOptions: readonly string[] = ['help', 'h', 'version'];
  const asksForText =
    words.names.some((name) => textOptions.includes(name)) || (argv.length === 1 && words.positionals[0] === 'help');
  if (!asksForText) checkWords(words);
  const parser = createParser(options);
  let invocation: Invocation | null = null;
  for (const command of commands) {
    parser.command(
      command.syntax,
      command.describe,
      (builder) => declareOptions(builder, command.name),
      (values) => {
        invocation = { kind: command.name, files: words.positionals, options: checkValues(values) };
      },
    );
  }
  let output = '';
  parser.parse([...words.plain], (_error: unknown, _values: unknown, text: string) => {
    output = text;
  });
  return invocation ?? { kind: 'text', text: `${output.trimEnd()}\n` };
}

function createParser(options: CommandLineOptions): Argv {
  return yargs()
    .scriptName(program)
    .locale('en')
    .exitProcess(false)
    .parserConfiguration({
      'dot-notation': false,
      'camel-case-expansion': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .strict()
    .wrap(Math.min(options.columns, 120))
    .help()
    .alias('help', 'h')
    .version(options.version)
    .fail((message: string, error: Error | undefined) => {
      // Returning from here would let the command run.
      throw error ?? new ConfigError(message);
    })
    .example('$0 old.ini new.ini', 'migrate; run it again and only what is new is copied')
    .example('$0 plan old.ini new.ini --exclude "\\Trash"', 'look before the leap')
    .example('$0 old.ini new.ini --map "Old Stuff=Archive/2019"', 'one folder elsewhere')
    .example('$0 verify old.ini new.ini --digest', 'prove it, byte for byte');
}

function declareOptions(parser: Argv, command: CommandName): Argv {
  for (const spec of optionSpecs) {
    if (!spec.commands.includes(command)) continue;
    parser.option(spec.name, {
      group: `${spec.group}:`,
      describe: spec.describe,
      ...(spec.alias === undefined ? {} : { alias: spec.alias }),
      // Values stay untyped strings: the schema of options.ts judges them, and says so in our words.
      ...(spec.kind === 'flag' ? { boolean: true } : { nargs: 1 }),
    });
  }
  // yargs forgets the epilogue of the program when it comes to a command.
  return parser.epilogue(epilogue);
}

function checkValues(values: Record<string, unknown>): OptionValues {
  const result = optionValues.safeParse(values);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `--${String(issue.path[0])}: ${issue.message}`);
  throw new ConfigError(`${[...new Set(lines)].join('; ')} (see ${program} --help)`);
}

/** A command line taken apart, before anything is made of it. */
interface Words {
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

function scanWords(argv: readonly string[]): Words {
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

/** Names the first word that cannot be right. yargs would refuse it too, but without a suggestion. */
function checkWords(words: Words): void {
  for (const name of words.names) {
    const spec = findSpec(name);
    if (spec === undefined) {
      const known = optionSpecs.filter((each) => each.commands.includes(words.command)).map((each) => each.name);
      const meant = suggest(name, known);
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
    const meant = suggest(first, [...namedCommands, 'migrate']);
    if (meant === 'migrate' && positionals.length === 3) {
      throw new ConfigError(`migrating needs no command word: ${program} SRC.ini DST.ini`);
    }
    if (meant !== null && meant !== 'migrate') {
      throw new ConfigError(`unknown command '${first}', did you mean '${meant}'? (a file of that name: ./${first})`);
    }
  }
  const extra = command === 'check' ? undefined : positionals[command === 'demo' ? 0 : 2];
  if (extra !== undefined) throw new ConfigError(`'${extra}' is one argument too many (see ${program} --help)`);
  if (command === 'check' && positionals.length === 0) {
    throw new ConfigError(`which account? ${program} check ACCOUNT.ini`);
  }
  if (command === 'check' || command === 'demo' || positionals.length === 2) return;
  const word = command === 'migrate' ? '' : ` ${command}`;
  if (positionals.length === 1) {
    throw new ConfigError(`one account file is missing: ${program}${word} SRC.ini DST.ini`);
  }
  throw new ConfigError(
    `which accounts? ${program}${word} SRC.ini DST.ini (${program} --help tells more, ${program} demo shows it)`,
  );
}
