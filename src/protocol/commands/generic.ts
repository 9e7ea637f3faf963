import type { Answer, Command, Untagged } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { LimitError, ProtocolError, UsageError } from '../errors.ts';
import { type FetchedMessage, toFetchedMessage } from '../fetched-message.ts';
import type { Lexer, Value } from '../lexer.ts';
import type { ResponseCode } from '../types.ts';

/** A word that stands on the command line as it is: `atom('RETURN')`, `atom('1:*')`, `atom('\\Seen')`. */
export interface Atom {
  readonly kind: 'atom';
  readonly text: string;
}

/** @throws UsageError for what could be more than words: control characters, other scripts, the start of a literal. */
export function atom(text: string): Atom {
  if (!/^[\x20-\x7e]+$/.test(text) || /\{\d+\+?\}$/.test(text)) {
    throw new UsageError(`${JSON.stringify(text.slice(0, 40))} cannot stand in a command without quotes`);
  }
  return { kind: 'atom', text };
}

/** A string or Buffer goes as a string (quoted or literal), null as NIL, a list in parentheses. */
export type CommandArgument = string | number | bigint | Buffer | null | Atom | readonly CommandArgument[];

/** What a server said in answer to a command that this client does not know. */
export interface CommandResult {
  readonly code: ResponseCode | null;
  readonly text: string;
  readonly responses: readonly CommandResponse[];
}

export type CommandResponse =
  | {
      readonly kind: 'data';
      /** Upper case. */
      readonly name: string;
      readonly number: number | null;
      /** What followed the name; one string (latin1) where that is no list of values. */
      readonly values: readonly Value[];
    }
  | { readonly kind: 'fetch'; readonly message: FetchedMessage }
  | { readonly kind: 'status'; readonly status: string; readonly code: ResponseCode | null; readonly text: string };

/** These change what the client knows of the session: they have methods of their own. */
const ownMethods: Readonly<Record<string, string>> = {
  AUTHENTICATE: 'saslLogin',
  CLOSE: 'closeFolder',
  COMPRESS: 'compress',
  ENABLE: 'enable',
  EXAMINE: 'selectFolder',
  IDLE: 'idle',
  LOGIN: 'login',
  LOGOUT: 'logout',
  PROXYAUTH: 'proxyauth',
  SELECT: 'selectFolder',
  STARTTLS: 'connect',
  UNSELECT: 'unselectFolder',
};

/** News, whoever is asking: they are not part of an answer. */
const news: ReadonlySet<string> = new Set(['EXISTS', 'EXPUNGE', 'RECENT', 'VANISHED', 'CAPABILITY']);

/** Any command, for extensions. Has the line for itself: whatever comes is its answer, news aside. */
export function genericCommand(
  name: string,
  args: readonly CommandArgument[],
  maxResponses: number,
): Command<CommandResult> {
  const words = name.toUpperCase();
  const responses: CommandResponse[] = [];
  return {
    name: words,
    pipelining: 'barrier',
    changesState: true,
    write(out) {
      const method = ownMethods[words];
      if (method !== undefined) throw new UsageError(`${words} changes the session: use ${method}().`);
      if (!/^[A-Z][A-Z0-9.-]*( [A-Z][A-Z0-9.-]*)*$/.test(words)) {
        throw new UsageError(`${JSON.stringify(name.slice(0, 40))} is no command`);
      }
      out.raw(words);
      for (const argument of args) writeArgument(out.sp(), argument);
    },
    accept(response) {
      if (response.kind === 'data' && news.has(response.name)) return false;
      if (response.kind === 'status' && response.code?.name === 'CAPABILITY') return false;
      responses.push(toResponse(response));
      return true;
    },
    acceptFetch(data) {
      if (responses.length >= maxResponses) {
        throw new LimitError(`the answer to ${words} has more than ${maxResponses} parts`);
      }
      responses.push({ kind: 'fetch', message: toFetchedMessage(data) });
      return true;
    },
    finish: ({ code, text }: Answer) => ({ code, text, responses }),
  };
}

function writeArgument(out: Encoder, argument: CommandArgument): void {
  if (argument === null) out.raw('NIL');
  else if (typeof argument === 'number' || typeof argument === 'bigint') out.number(argument);
  else if (typeof argument === 'string' || Buffer.isBuffer(argument)) out.astring(argument);
  else if (isAtomArgument(argument)) out.raw(atom(argument.text).text);
  else {
    out.raw('(');
    argument.forEach((each, index) => {
      if (index > 0) out.sp();
      writeArgument(out, each);
    });
    out.raw(')');
  }
}

function isAtomArgument(argument: Atom | readonly CommandArgument[]): argument is Atom {
  return 'kind' in argument;
}

function toResponse(response: Untagged): CommandResponse {
  if (response.kind === 'status') {
    const { status, code, text } = response;
    return { kind: 'status', status, code, text };
  }
  const { name, number, lexer } = response;
  return { kind: 'data', name, number, values: readValues(lexer) };
}

function readValues(lexer: Lexer): Value[] {
  lexer.skipSpaces();
  const start = lexer.position;
  const values: Value[] = [];
  try {
    for (; !lexer.atEnd; lexer.skipSpaces()) values.push(lexer.value());
    return values;
  } catch (error) {
    // Behind a literal there is no way back to the start.
    if (!(error instanceof ProtocolError) || lexer.frame.literalCount > 0) throw error;
    lexer.position = start;
    return [lexer.text()];
  }
}
