import { type Answer, type Command, type Refused, simpleCommand, type Untagged } from '../command.ts';
import { AuthenticationError, CommandError, ProtocolError } from '../errors.ts';
import { Lexer, type Value } from '../lexer.ts';
import type { SaslResponder } from '../sasl.ts';

/** Capability names in upper case. */
export type Capabilities = ReadonlySet<string>;

/** CAPABILITY (RFC 9051 6.1.1). */
export function capabilityCommand(): Command<Capabilities> {
  let capabilities: Capabilities = new Set();
  return {
    ...simpleCommand('CAPABILITY', 'free', false),
    accept(response) {
      const offered = acceptCapabilities(response);
      if (offered === null) return false;
      capabilities = offered;
      return true;
    },
    finish: (answer) => (capabilities.size > 0 ? capabilities : (capabilitiesOf(answer) ?? capabilities)),
  };
}

/** The capabilities an OK carries in its code, null where it carries none. */
export function capabilitiesOf(answer: Answer): Capabilities | null {
  return answer.code?.name === 'CAPABILITY' ? parseCapabilities(Lexer.over(` ${answer.code.text}`)) : null;
}

/** The capabilities an untagged response carries, as data or as a code; null where it is about something else. */
export function acceptCapabilities(response: Untagged): Capabilities | null {
  if (response.kind === 'status') return capabilitiesOf(response);
  return response.name === 'CAPABILITY' ? parseCapabilities(response.lexer) : null;
}

function parseCapabilities(lexer: Lexer): Capabilities {
  const names = new Set<string>();
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) names.add(lexer.word());
  return names;
}

/** NOOP (RFC 9051 6.1.2). */
export function noopCommand(): Command<void> {
  return simpleCommand('NOOP', 'free', false);
}

/** LOGOUT (RFC 9051 6.1.3). */
export function logoutCommand(): Command<void> {
  return { ...simpleCommand('LOGOUT', 'barrier', false), expectsBye: true };
}

/** STARTTLS (RFC 9051 6.2.1). */
export function startTlsCommand(): Command<void> {
  return { ...simpleCommand('STARTTLS', 'barrier', false), endsPlainText: true };
}

/** COMPRESS DEFLATE (RFC 4978). */
export function compressCommand(): Command<void> {
  return {
    name: 'COMPRESS',
    pipelining: 'barrier',
    changesState: false,
    startsCompression: true,
    write: (out) => void out.raw('COMPRESS DEFLATE'),
    finish: () => {},
  };
}

/** LOGIN (RFC 9051 6.2.3); the result is the capabilities, where the server volunteered them. */
export function loginCommand(user: string, password: string): Command<Capabilities | null> {
  return {
    ...authenticating('LOGIN', () => null),
    write: (out) => void out.raw('LOGIN').sp().astring(user).sp().astring(password),
  };
}

/** PROXYAUTH of the Netscape family of servers: an administrator becomes `user`. */
export function proxyAuthCommand(user: string): Command<Capabilities | null> {
  return {
    ...authenticating('PROXYAUTH', () => null),
    write: (out) => void out.raw('PROXYAUTH').sp().astring(user),
  };
}

export interface AuthenticateOptions {
  readonly mechanism: string;
  readonly responder: SaslResponder;
  /** The server takes the first message with the command (RFC 4959). */
  readonly initialResponse: boolean;
  /** Told every message before it is sent, as none may ever be shown; asked before the server is quoted. */
  readonly secrets: { add(secret: string): void; redact(text: string): string };
}

/** No mechanism has more messages of the client than this. */
const maxMessages = 8;

/** AUTHENTICATE (RFC 9051 6.2.2); the result is the capabilities, where the server volunteered them. */
export function authenticateCommand(options: AuthenticateOptions): Command<Capabilities | null> {
  const { mechanism, responder } = options;
  let first: Buffer | null = null;
  let messages = 0;
  let abandoned: Error | null = null;

  function encode(message: Buffer): string {
    const text = message.toString('base64');
    options.secrets.add(text);
    return text;
  }

  function answer(challenge: string): string {
    if (++messages > maxMessages) throw new AuthenticationError('The server does not come to an end.');
    if (first !== null) {
      // Without RFC 4959 the server has to ask for the first message, too, and has nothing to say in doing so.
      const message = first;
      first = null;
      return encode(message);
    }
    return encode(responder.answer(decodeChallenge(challenge)));
  }

  const base = authenticating(`AUTHENTICATE ${mechanism}`, () => {
    const details = responder.refusalDetails?.() ?? null;
    return details === null ? null : options.secrets.redact(details);
  });
  return {
    ...base,
    write(out) {
      out.raw('AUTHENTICATE').sp().atom(mechanism);
      first = responder.start();
      if (first === null || !options.initialResponse) return;
      // RFC 4959 3: a message without content is `=`, because the argument has to be there.
      out.sp().raw(encode(first) || '=');
      first = null;
    },
    proceed(text) {
      if (abandoned !== null) throw new ProtocolError('the server goes on with an exchange that was cancelled');
      try {
        return Buffer.from(answer(text));
      } catch (error) {
        abandoned = error instanceof Error ? error : new AuthenticationError('The exchange failed.', { cause: error });
        return Buffer.from('*');
      }
    },
    finish(tagged) {
      if (abandoned !== null) throw abandoned;
      responder.finish?.();
      return base.finish(tagged);
    },
    refuse: (refused) => abandoned ?? base.refuse(refused),
  };
}

function decodeChallenge(text: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new AuthenticationError('The server sent a challenge that is not base64.');
  }
  return Buffer.from(text, 'base64');
}

/** What LOGIN, AUTHENTICATE and PROXYAUTH share: nothing of them is shown, and a refusal is about who we are. */
function authenticating(name: string, details: () => string | null) {
  let capabilities: Capabilities | null = null;
  return {
    name,
    pipelining: 'barrier',
    changesState: false,
    secret: true,
    accept(response: Untagged) {
      const offered = acceptCapabilities(response);
      capabilities = offered ?? capabilities;
      return offered !== null;
    },
    finish: (answer: Answer) => capabilitiesOf(answer) ?? capabilities,
    refuse(refused: Refused) {
      const cause = new CommandError(name, refused);
      const explained = details();
      return new AuthenticationError(explained === null ? cause.message : `${cause.message} (${explained})`, {
        cause,
        responseCode: refused.code?.name ?? null,
      });
    },
  } as const;
}

/** ENABLE (RFC 5161); the result is what the server enabled. */
export function enableCommand(capabilities: readonly string[]): Command<string[]> {
  const enabled: string[] = [];
  return {
    name: 'ENABLE',
    pipelining: 'barrier',
    changesState: false,
    write(out) {
      out.raw('ENABLE');
      for (const capability of capabilities) out.sp().atom(capability);
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'ENABLED') return false;
      enabled.push(...parseCapabilities(response.lexer));
      return true;
    },
    finish: () => enabled,
  };
}

/** Names and values of an ID answer; a value the server left out (NIL) is not in it. */
export type IdFields = Record<string, string>;

/** ID (RFC 2971). The result is null where the server tells nothing about itself. */
export function idCommand(fields: Readonly<IdFields> | null): Command<IdFields | null> {
  let answered: IdFields | null = null;
  return {
    name: 'ID',
    pipelining: 'free',
    changesState: false,
    write(out) {
      const entries = Object.entries(fields ?? {});
      out.raw('ID').sp();
      if (entries.length === 0) {
        out.raw('NIL');
        return;
      }
      out.raw('(');
      entries.forEach(([name, value], index) => {
        if (index > 0) out.sp();
        out.string(name).sp().string(value);
      });
      out.raw(')');
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'ID') return false;
      response.lexer.space();
      answered = toIdFields(response.lexer.value());
      return true;
    },
    finish: () => answered,
  };
}

function toIdFields(value: Value): IdFields | null {
  if (!Array.isArray(value)) return null;
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < value.length; index += 2) {
    const text = value[index + 1];
    if (text !== null) fields.set(toText(value[index]), toText(text));
  }
  // `fromEntries` defines properties: a field named `__proto__` is a field like any other.
  return Object.fromEntries(fields);
}

function toText(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}
