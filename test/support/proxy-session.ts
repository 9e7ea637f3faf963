/** One proxied connection: reads commands and responses, lets pass, rewrites or refuses, and keeps the books. */
import type { CommandText, MissingExtensions } from './proxy-extensions.ts';
import type { CommandAction, LineAction, Withheld } from './proxy-faults.ts';
import type { Link } from './proxy-link.ts';
import { ByteQueue, type LiteralHeader, lineText, literalHeader } from './proxy-stream.ts';

/** One command line as it came from the client. */
export interface ProxyCommand {
  readonly connection: number;
  readonly tag: string;
  /** Upper case, with `UID ` in front where it was sent. */
  readonly name: string;
  /** The command after its tag, literals as `{n}`; without what LOGIN and AUTHENTICATE carry. */
  line: string;
  /** Literals: for APPEND its messages. */
  literals: number;
  literalBytes: number;
  /** The proxy answered it; the server never saw it. */
  refused: boolean;
  /** `null`: no tagged answer (yet). */
  status: 'OK' | 'NO' | 'BAD' | null;
}

/** One message of an APPEND that was complete before any of it was passed on. */
export interface AppendedMessage {
  readonly command: ProxyCommand;
  readonly body: Buffer;
}

/** What becomes of a command, besides what becomes of its connection. */
export type Fate = Exclude<CommandAction, LineAction>;

export interface SessionRules {
  readonly missing: MissingExtensions;
  /** The rest of a tagged answer (`NO [LIMIT] too big`) to refuse the whole APPEND; `null` lets it pass. */
  readonly refuseMessage: ((message: AppendedMessage) => string | null) | null;
  /** The same for any command, seen complete. */
  readonly refuseCommand: ((command: ProxyCommand) => string | null) | null;
  /** Called when a command begins, before any of it is passed on. */
  readonly onCommand: (command: ProxyCommand) => Fate | null;
  /** The client sent `{n+}` to a server that does not know it. */
  readonly onOutOfStep: () => void;
}

/** A command that is still coming in. */
interface Incoming {
  readonly record: ProxyCommand;
  /** Text before and between literals, each without CRLF. */
  readonly lines: string[];
  readonly bodies: Buffer[];
  /** Kept back until it is complete; else passed on as it comes. */
  readonly held: boolean;
  readonly fate: Fate | null;
}

type ClientState =
  | { readonly kind: 'command' }
  /** `{n}` was passed on: the server's word decides whether a literal or a new command follows. */
  | { readonly kind: 'awaiting-go'; readonly incoming: Incoming; readonly size: number }
  | { readonly kind: 'literal'; readonly incoming: Incoming; remaining: number; readonly chunks: Buffer[] }
  | { readonly kind: 'rest'; readonly incoming: Incoming }
  /** AUTHENTICATE and IDLE: lines belong to the command until its tagged answer. */
  | { readonly kind: 'dialogue'; readonly tag: string }
  | { readonly kind: 'out-of-step' };

export class ProxySession {
  readonly #connection: number;
  readonly #rules: SessionRules;
  readonly #toServer: Link;
  readonly #toClient: Link;
  readonly #fromClient = new ByteQueue();
  readonly #fromServer = new ByteQueue();
  #client: ClientState = { kind: 'command' };
  #serverLiteral = 0;
  /** Inside a response, after a literal. */
  #serverContinues = false;
  #serverTakesNonSync = false;
  /** In the order they came; `own`: the proxy's answer, which waits for the server's answers to what came before. */
  readonly #unanswered: { readonly record: ProxyCommand; readonly own: string | null }[] = [];
  /** By tag. */
  readonly #fates = new Map<string, Fate>();

  constructor(connection: number, rules: SessionRules, toServer: Link, toClient: Link) {
    this.#connection = connection;
    this.#rules = rules;
    this.#toServer = toServer;
    this.#toClient = toClient;
  }

  /** Bytes from the client. False: the server is slow. */
  clientData(chunk: Buffer): boolean {
    this.#fromClient.push(chunk);
    return this.#pumpClient();
  }

  /** Bytes from the server. False: the client is slow. */
  serverData(chunk: Buffer): boolean {
    this.#fromServer.push(chunk);
    let flowing = true;
    for (;;) {
      if (this.#serverLiteral > 0) {
        const bytes = this.#fromServer.take(this.#serverLiteral);
        if (bytes.length === 0) break;
        this.#serverLiteral -= bytes.length;
        flowing = this.#toClient.write(bytes) && flowing;
        continue;
      }
      const bytes = this.#fromServer.line();
      if (bytes === null) break;
      flowing = this.#serverLine(bytes) && flowing;
    }
    // The server's word may have decided what the client's waiting bytes are.
    this.#pumpClient();
    return flowing;
  }

  #serverLine(bytes: Buffer): boolean {
    const line = lineText(bytes);
    const first = !this.#serverContinues;
    const mark = first ? (line.split(' ', 1)[0] ?? '') : '';
    // Only data responses carry literals; the text of a status response may look like one.
    const isData = !first || (mark === '*' && !/^\* (OK|NO|BAD|BYE|PREAUTH)\b/i.test(line));
    const literal = isData ? literalHeader(line) : null;
    this.#serverContinues = literal !== null;
    this.#serverLiteral = literal?.size ?? 0;
    if (!first) return this.#toClient.write(bytes);
    if (mark === '+') {
      if (this.#client.kind === 'awaiting-go') {
        const { incoming, size } = this.#client;
        this.#client = { kind: 'literal', incoming, remaining: size, chunks: [] };
      }
      return this.#toClient.write(bytes);
    }
    if (/CAPABILITY.*\bLITERAL\+/i.test(line)) this.#serverTakesNonSync = true;
    const fate = mark === '*' ? undefined : this.#fates.get(mark);
    if (fate?.kind === 'bye') {
      this.#sayBye(fate.text);
      return true;
    }
    if (isWithheld(fate, 'all answers')) this.#toClient.hold();
    if (fate?.kind === 'inject') this.#toClient.write(fate.lines.map((each) => `${each}\r\n`).join(''));
    const rewritten = isWithheld(fate, 'answer') ? null : this.#rules.missing.rewrite(line);
    const flowing = rewritten === null || this.#toClient.write(rewritten === line ? bytes : `${rewritten}\r\n`);
    if (mark !== '*') this.#answered(mark, line);
    return flowing;
  }

  #answered(tag: string, line: string): void {
    const at = this.#unanswered.findIndex(({ record, own }) => own === null && record.tag === tag);
    const [entry] = at === -1 ? [] : this.#unanswered.splice(at, 1);
    if (entry !== undefined) entry.record.status = statusOf(line.slice(tag.length + 1));
    const state = this.#client;
    if (state.kind === 'dialogue' && state.tag === tag) this.#client = { kind: 'command' };
    if (state.kind === 'awaiting-go' && state.incoming.record.tag === tag) this.#client = { kind: 'command' };
    this.#flushOwnAnswers();
  }

  #flushOwnAnswers(): void {
    for (;;) {
      const [next] = this.#unanswered;
      if (next === undefined || next.own === null) return;
      this.#unanswered.shift();
      next.record.status = statusOf(next.own);
      this.#toClient.write(`${next.record.tag} ${next.own}\r\n`);
    }
  }

  #pumpClient(): boolean {
    let flowing = true;
    for (;;) {
      const state = this.#client;
      if (state.kind === 'awaiting-go') return flowing;
      if (state.kind === 'literal' && state.remaining > 0) {
        const bytes = this.#fromClient.take(state.remaining);
        if (bytes.length === 0) return flowing;
        state.remaining -= bytes.length;
        if (state.incoming.held) state.chunks.push(bytes);
        else flowing = this.#toServer.write(bytes) && flowing;
        continue;
      }
      if (state.kind === 'literal') {
        if (state.incoming.held) state.incoming.bodies.push(Buffer.concat(state.chunks));
        this.#client = { kind: 'rest', incoming: state.incoming };
        continue;
      }
      const bytes = this.#fromClient.line();
      if (bytes === null) return flowing;
      const line = lineText(bytes);
      if (state.kind === 'dialogue') flowing = this.#toServer.write(bytes) && flowing;
      else if (state.kind === 'out-of-step') this.#toClient.write(`${line.split(' ', 1)[0]} ${outOfStepAnswer}\r\n`);
      else if (state.kind === 'rest') flowing = this.#clientLine(state.incoming, line) && flowing;
      else flowing = this.#clientLine(this.#newCommand(line), line) && flowing;
    }
  }

  #newCommand(line: string): Incoming {
    const [, tag = '', rest = ''] = /^(\S*) ?(.*)$/s.exec(line) ?? [];
    const [, name = ''] = /^((?:UID )?\S*)/i.exec(rest) ?? [];
    const record: ProxyCommand = {
      connection: this.#connection,
      tag,
      name: name.toUpperCase(),
      line: '',
      literals: 0,
      literalBytes: 0,
      refused: false,
      status: null,
    };
    const fate = this.#rules.onCommand(record);
    if (fate !== null) this.#fates.set(tag, fate);
    if (fate?.kind === 'bye' && fate.at === 'before') this.#sayBye(fate.text);
    // Anything may still turn out to be refused after a literal; only an APPEND nobody looks into is worth streaming.
    const isRefused = fate?.kind === 'answer';
    const looksInside = isRefused || this.#rules.refuseMessage !== null || this.#rules.refuseCommand !== null;
    const strict = this.#rules.missing.has('MULTIAPPEND') || this.#rules.missing.has('LITERAL+');
    return { record, lines: [], bodies: [], held: record.name !== 'APPEND' || looksInside || strict, fate };
  }

  /** One line of a command: its first, or what stands after a literal. */
  #clientLine(incoming: Incoming, line: string): boolean {
    const { record } = incoming;
    const literal = literalHeader(line);
    incoming.lines.push(literal?.before ?? line);
    record.line += redacted(record.name, incoming.lines.length === 1 ? line.slice(record.tag.length + 1) : line);
    if (literal !== null) {
      record.literals++;
      record.literalBytes += literal.size;
      return this.#clientLiteral(incoming, literal, line);
    }
    this.#client = { kind: 'command' };
    const refusal = this.#refusal(incoming);
    if (refusal !== null) {
      this.#refuse(record, refusal);
      return true;
    }
    if (!incoming.held || incoming.lines.length === 1) {
      if (incoming.lines.length === 1) this.#unanswered.push({ record, own: null });
      if (/^(AUTHENTICATE|IDLE)$/.test(record.name)) this.#client = { kind: 'dialogue', tag: record.tag };
      return this.#toServer.write(`${line}\r\n`);
    }
    this.#unanswered.push({ record, own: null });
    return this.#passOnHeld(incoming);
  }

  #clientLiteral(incoming: Incoming, literal: LiteralHeader, line: string): boolean {
    const { record } = incoming;
    const begin = () => {
      this.#client = { kind: 'literal', incoming, remaining: literal.size, chunks: [] };
    };
    if (literal.nonSync && this.#rules.missing.has('LITERAL+')) {
      this.#client = { kind: 'out-of-step' };
      this.#rules.onOutOfStep();
      this.#refuse(record, outOfStepAnswer);
      return true;
    }
    if (incoming.held) {
      const refusal = literal.nonSync ? null : this.#refusal(incoming);
      if (refusal !== null) {
        // In place of the go-ahead: the client gives the command up.
        this.#client = { kind: 'command' };
        this.#refuse(record, refusal);
        return true;
      }
      begin();
      if (!literal.nonSync) this.#toClient.write('+ OK\r\n');
      return true;
    }
    if (incoming.lines.length === 1) this.#unanswered.push({ record, own: null });
    if (literal.nonSync) begin();
    else this.#client = { kind: 'awaiting-go', incoming, size: literal.size };
    const flowing = this.#toServer.write(`${line}\r\n`);
    if (isWithheld(incoming.fate, 'command')) this.#toServer.hold();
    return flowing;
  }

  /** Why the command, as far as it is known, is refused; `null`: it is not. */
  #refusal(incoming: Incoming): string | null {
    const { record } = incoming;
    const needed = this.#rules.missing.neededBy(commandText(incoming));
    if (needed !== null) return `BAD Unknown command or argument (no ${needed})`;
    if (incoming.fate?.kind === 'answer') return incoming.fate.text;
    const refusal = this.#rules.refuseCommand?.(record) ?? null;
    if (refusal !== null || record.name !== 'APPEND') return refusal;
    for (const body of incoming.bodies) {
      const answer = this.#rules.refuseMessage?.({ command: record, body }) ?? null;
      if (answer !== null) return answer;
    }
    return null;
  }

  #refuse(record: ProxyCommand, answer: string): void {
    record.refused = true;
    this.#unanswered.push({ record, own: answer });
    this.#flushOwnAnswers();
  }

  #sayBye(text: string): void {
    this.#toClient.write(`* BYE ${text}\r\n`);
    for (const link of [this.#toClient, this.#toServer]) link.end();
  }

  #passOnHeld(incoming: Incoming): boolean {
    if (!this.#serverTakesNonSync)
      throw new Error('holding commands back needs a server with LITERAL+ behind the proxy');
    if (isWithheld(incoming.fate, 'command')) this.#toServer.hold();
    for (const [index, body] of incoming.bodies.entries()) {
      this.#toServer.write(`${incoming.lines[index]}{${body.length}+}\r\n`);
      this.#toServer.write(body);
    }
    return this.#toServer.write(`${incoming.lines.at(-1)}\r\n`);
  }
}

function isWithheld(fate: Fate | null | undefined, what: Withheld): boolean {
  return fate?.kind === 'withhold' && fate.what === what;
}

/** What Courier says to a literal it does not know, and then to every line of that literal. */
const outOfStepAnswer = 'NO Error in IMAP command received by server.';

function commandText({ record, lines }: Incoming): CommandText {
  const whole = lines.join('{}');
  const text = whole
    .slice(record.tag.length + 1 + record.name.length + 1)
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .toUpperCase();
  return { name: record.name, text, literals: record.literals };
}

function redacted(name: string, line: string): string {
  if (name === 'LOGIN') return line.slice(0, 'LOGIN'.length);
  if (name === 'AUTHENTICATE') return line.split(' ').slice(0, 2).join(' ');
  return line;
}

function statusOf(answer: string): ProxyCommand['status'] {
  const word = answer.split(' ', 1)[0]?.toUpperCase();
  return word === 'OK' || word === 'NO' || word === 'BAD' ? word : null;
}
