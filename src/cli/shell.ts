/**
 * `imap-migrate shell ACCOUNT`: a logged-in client at a JavaScript prompt.
 */
import { Console } from 'node:console';
import { createInterface } from 'node:readline';
import { type REPLServer, start } from 'node:repl';
import { PassThrough, Writable } from 'node:stream';
import { types } from 'node:util';
import { type AccountSettings, accountLabel } from '../account.ts';
import { toDisplay } from '../display.ts';
import { exitCodes } from '../errors.ts';
import * as imap from '../protocol/index.ts';
import { loadAccount } from './commands.ts';
import { type OptionValues, toStateDir } from './options.ts';
import type { Session } from './session.ts';
import { keepHistory } from './shell-history.ts';
import { ShellOutput } from './shell-output.ts';
import { errorLine, valueLines } from './shell-value.ts';

/** A call on the client: its result is awaited without being asked. */
const clientCall = /^\s*c\.\w+\s*\(/;
const clientMember = /(?:^|[^\w$.])c\.(\w*)$/;

/** Runs until `.exit`, the end of the input or a signal; then logs out. 3 when commands from a pipe failed. */
export async function runShell(
  session: Session,
  [file = '']: readonly string[],
  options: OptionValues,
): Promise<number> {
  const account = await loadAccount(session, file, options);
  const { client, warnings } = await session.io.engine.openAccount(account);
  session.remindOf(warnings);
  const shell = new Shell(session, account, client);
  try {
    return await shell.run(toStateDir(options, session.io));
  } finally {
    await shell.client.logout();
  }
}

class Shell {
  readonly #session: Session;
  readonly #account: AccountSettings;
  readonly #interactive: boolean;
  readonly #output: ShellOutput;
  client: imap.ImapClient;
  #failures = 0;
  /** Resolves when the line under way has been evaluated. */
  #evaluated: Promise<void> = Promise.resolve();
  #evaluationEnded: () => void = () => {};

  constructor(session: Session, account: AccountSettings, client: imap.ImapClient) {
    this.#session = session;
    this.#account = account;
    this.client = client;
    const { stdin, stdout } = session.io;
    this.#interactive = stdin.isTTY === true && stdout.isTTY === true;
    this.#output = new ShellOutput({
      stream: stdout,
      interactive: this.#interactive,
      onError: (line) => this.#onError(line),
    });
  }

  async run(stateDir: string): Promise<number> {
    const { io } = this.#session;
    if (this.#interactive) this.#session.notice(...this.#welcome());
    const server = start({
      // The REPL itself would not wait for one line's answer before it takes the next line of a pipe.
      input: this.#interactive ? io.stdin : new PassThrough(),
      output: this.#output,
      terminal: this.#interactive,
      prompt: this.#interactive ? 'imap> ' : '',
      ignoreUndefined: true,
      // Shows values in its own way, control characters included.
      preview: false,
      breakEvalOnSigint: this.#interactive,
      writer: (value) => this.#show(value),
    });
    const ended = new Promise<void>((resolve) => server.once('exit', resolve));
    this.#prepare(server);
    let stoppedWith: number | null = null;
    const stop = (code: number) => {
      stoppedWith = code;
      server.close();
    };
    const cancels = [
      io.onSignal('SIGTERM', () => stop(exitCodes.terminated)),
      ...(this.#interactive ? [] : [io.onSignal('SIGINT', () => stop(exitCodes.interrupted))]),
    ];
    try {
      if (this.#interactive) {
        const problem = await keepHistory(server, stateDir, this.#account.secret);
        if (problem !== null) this.#session.problem(toDisplay(problem));
      }
      if (!this.#interactive) await this.#typeInput(server);
      await ended;
    } finally {
      for (const cancel of cancels) cancel();
    }
    if (stoppedWith !== null) return stoppedWith;
    return this.#failures > 0 && !this.#interactive ? exitCodes.partial : exitCodes.ok;
  }

  /** Hands the lines of a pipe or file to the REPL, each when the one before it is done. */
  async #typeInput(server: REPLServer): Promise<void> {
    const lines = createInterface({ input: this.#session.io.stdin });
    let open = true;
    server.once('exit', () => {
      open = false;
      lines.close();
      this.#evaluationEnded();
    });
    for await (const line of lines) {
      if (!open) return;
      server.write(`${line}\n`);
      await this.#evaluated;
      // `.exit` takes effect a turn later.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (open) server.close();
  }

  #welcome(): string[] {
    const { style } = this.#session;
    const tls = this.client.secure ? 'TLS' : 'not encrypted';
    return [
      style.bold(toDisplay(`${accountLabel(this.#account)}: ${this.client.greeting.text} (${tls})`)),
      'c is the client: type c. and press Tab. Calls on c are awaited. imap holds the rest of the library.',
      style.dim('c.listFolders()   c.selectFolder("INBOX")   c.search(["UNSEEN"])   .help   .exit'),
    ];
  }

  #prepare(server: REPLServer): void {
    const reset = () => {
      Object.assign(server.context, { c: this.client, imap, console: this.#createConsole() });
      server.context.reconnect = async () => {
        await this.client.logout();
        this.client = (await this.#session.io.engine.openAccount(this.#account)).client;
        server.context.c = this.client;
      };
    };
    reset();
    server.on('reset', reset);
    const evaluate = server.eval;
    const evaluateLine: typeof evaluate = (code, context, file, done) => {
      this.#evaluated = new Promise((resolve) => {
        this.#evaluationEnded = resolve;
      });
      evaluate.call(server, clientCall.test(code) ? `await ${code}` : code, context, file, (error, result) => {
        done(error, result);
        this.#evaluationEnded();
      });
    };
    Object.assign(server, { eval: evaluateLine, completer: completeWith(server.completer, () => this.client) });
  }

  #show(value: unknown): string {
    if (types.isNativeError(value)) return errorLine(value);
    const { reportStyle: style, reportColumns: columns } = this.#session;
    if (value === this.client) return this.#describeClient();
    return valueLines(value, { style, columns }).join('\n');
  }

  #describeClient(): string {
    const { selected, closed } = this.client;
    const name = Buffer.isBuffer(selected?.name) ? selected.name.toString('latin1') : selected?.name;
    const folder = selected === null ? 'no folder selected' : `${name} selected, ${selected.exists} messages`;
    return toDisplay(`${accountLabel(this.#account)}: ${closed ? 'closed; await reconnect()' : folder}`);
  }

  #onError(line: string): void {
    this.#failures++;
    // What is thrown goes past the callback of the evaluation.
    this.#evaluationEnded();
    const hint = this.client.closed ? ' The connection is closed: await reconnect()' : '';
    this.#session.problem(`${this.#session.style.symbols.bad}${this.#session.clean({ message: line }).message}${hint}`);
  }

  /** The console of the context: what it is given goes through the same door as everything else. */
  #createConsole(): Console {
    const { stdout } = this.#session.io;
    const printable = new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        stdout.write(`${String(chunk).trimEnd().split('\n').map(toDisplay).join('\n')}\n`);
        done();
      },
    });
    return new Console({ stdout: printable, stderr: printable, colorMode: false });
  }
}

type Completer = REPLServer['completer'];

/** Completes members of the client without what every object has; leaves the rest to `others`. */
export function completeWith(others: Completer, client: () => object): Completer {
  return (line: string, callback: (error?: null | Error, result?: [string[], string]) => void) => {
    const typed = clientMember.exec(line)?.[1];
    if (typed === undefined) {
      others(line, callback);
      return;
    }
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(client()));
    const hits = names.filter((name) => name !== 'constructor' && name.startsWith(typed)).sort();
    callback(null, [hits, typed]);
  };
}
