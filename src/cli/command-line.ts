/**
 * The command line: argv in, one checked invocation out. The only file that knows yargs.
 */
import yargs, { type Argv } from 'yargs';
import { ConfigError } from '../errors.ts';
import { type CommandName, type OptionValues, optionSpecs, optionValues } from './options.ts';
import { checkWords, program, scanWords } from './words.ts';

/** What was asked for. `text`: help or the version, to be printed as it is. */
export type Invocation =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: CommandName; readonly files: readonly string[]; readonly options: OptionValues };

export interface CommandLineOptions {
  readonly version: string;
  /** Columns for the help text. */
  readonly columns: number;
}

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
    syntax: 'verify <SRC> [DST]',
    describe: 'compare both sides: counts, flags, dates, with --digest bodies; or a backup with its own manifest',
  },
  { name: 'shell', syntax: 'shell <ACCOUNT>', describe: 'log in and type commands, with JavaScript around them' },
  { name: 'status', syntax: 'status', describe: 'show what the journals know; asks no server' },
  { name: 'list', syntax: 'list <TREE>', describe: 'show what is in a tree: its folders, or the messages of one' },
  { name: 'search', syntax: 'search <TREE> <WORD..>', describe: 'find messages in a tree' },
  {
    name: 'export',
    syntax: 'export <TREE> <DST> [WORD..]',
    describe: 'copy a folder of a tree, or what a search finds, to another tree or an account',
  },
  { name: 'index', syntax: 'index <TREE>', describe: 'write index.html, a page to find and open its messages with' },
  { name: 'demo', syntax: 'demo', describe: 'try it: migrate and verify between two built-in servers on this machine' },
];

/** Lines of at most 80 columns, so that no terminal breaks them. */
const epilogue = `SRC, DST and ACCOUNT are INI files, one account each (README.md shows one). SRC and
DST may also be trees of files: DIRECTORY/, maildir:PATH, mbox:PATH or eml:PATH.
TREE is a directory of mail, or maildir:PATH, mbox:PATH, eml:PATH.
WORD is from:, to:, subject:, text:, since:, before:, larger: with a value,
has:attachment, or what stands in any field of a header.

Exit codes:
    0  done
    1  internal error
    2  wrong usage or configuration
    3  finished, but some messages or folders failed (search: found nothing)
    4  no connection, or no trust in the other side (TLS)
    5  login refused
    6  over quota: somebody has to make room
    7  verify found differences or damages
    8  another run holds the lock
    9  the journal is damaged
   10  the local disk is full or cannot be written
   75  parked: a server wants to be left alone until a time that was told (--wait)
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
    .example('$0 verify old.ini new.ini --digest', 'prove it, byte for byte')
    .example('$0 old.ini backup/', 'back up into files; again, and only what changed is written')
    .example('$0 backup/ new.ini', 'restore them into an account');
}

function declareOptions(parser: Argv, command: CommandName): Argv {
  for (const spec of optionSpecs) {
    if (!spec.commands.includes(command)) continue;
    parser.option(spec.name, {
      group: `${spec.group}:`,
      describe: spec.choices === undefined ? spec.describe : `${spec.describe} [${spec.choices.join(', ')}]`,
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
