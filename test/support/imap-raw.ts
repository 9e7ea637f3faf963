/**
 * A minimal IMAP speaker on a bare socket: loads accounts and reads them back for comparison.
 * It shares no line with the product, so that a mistake there cannot hide itself here.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** NIL, atom, quoted string or literal, list. */
export type RawValue = null | string | Buffer | RawValue[];

/** One response: its values after the `*`, or after tag and status. */
export interface RawResponse {
  /** The text with every literal shown as `{n}`. */
  readonly text: string;
  readonly values: RawValue[];
}

export interface RawReply {
  readonly status: 'OK' | 'NO' | 'BAD';
  /** What follows the status word. */
  readonly text: string;
  readonly untagged: readonly RawResponse[];
}

export interface RawMessage {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly internalDate: string;
  readonly body: Buffer;
}

export interface RawFolder {
  /** Modified UTF-7, as listed. */
  readonly rawName: string;
  /** The same in Unicode. */
  readonly name: string;
  readonly separator: string | null;
  readonly attributes: readonly string[];
}

export interface RawAppend {
  readonly body: Buffer;
  readonly flags: readonly string[];
  readonly internalDate: string;
}

/** The server said NO or BAD. */
export class RawRefusal extends Error {
  constructor(command: string, reply: RawReply) {
    super(`${command}: ${reply.status} ${reply.text}`);
  }
}

/** A piece of a command: text, or bytes to send as a literal. */
export type RawPart = string | Buffer;

const batchMessages = 100;
const batchBytes = 4 * 1024 * 1024;

export class RawImap implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #reader: ByteReader;
  #counter = 0;
  #capabilities: ReadonlySet<string> = new Set();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#reader = new ByteReader(socket);
  }

  /** Dials and reads the greeting; with `ca` over TLS. */
  static async connect(place: { host: string; port: number; ca?: string }): Promise<RawImap> {
    const socket =
      place.ca === undefined
        ? connect(place.port, place.host)
        : connectTls({ host: place.host, port: place.port, ca: place.ca });
    const client = new RawImap(socket);
    await client.#readResponse();
    return client;
  }

  /** Dials, logs in and asks for the capabilities. */
  static async open(access: { host: string; port: number; user: string; password: string }): Promise<RawImap> {
    const client = await RawImap.connect(access);
    await client.command(`LOGIN ${quote(access.user)} ${quote(access.password)}`);
    const { untagged } = await client.command('CAPABILITY');
    const listed = untagged.find((response) => response.values[0] === 'CAPABILITY');
    client.#capabilities = new Set(listed?.values.map((value) => String(value).toUpperCase()));
    return client;
  }

  has(capability: string): boolean {
    return this.#capabilities.has(capability);
  }

  /** Sends a command and collects its answer; throws `RawRefusal` unless the answer is OK. */
  async command(...parts: readonly RawPart[]): Promise<RawReply> {
    const reply = await this.attempt(...parts);
    if (reply.status !== 'OK') throw new RawRefusal(commandName(parts), reply);
    return reply;
  }

  /** Sends a command and collects its answer, whatever it is. */
  async attempt(...parts: readonly RawPart[]): Promise<RawReply> {
    const untagged: RawResponse[] = [];
    const reply = await this.#exchange(parts, (response) => untagged.push(response));
    return { ...reply, untagged };
  }

  /** Every folder, in the order of LIST. */
  async list(): Promise<RawFolder[]> {
    const { untagged } = await this.command('LIST "" "*"');
    return untagged
      .filter((response) => response.values[0] === 'LIST')
      .map(({ values: [, attributes, separator, name] }) => {
        const rawName = textOf(name ?? null);
        return {
          rawName,
          name: decodeUtf7(rawName),
          separator: separator === null || separator === undefined ? null : textOf(separator),
          attributes: Array.isArray(attributes) ? attributes.map(String) : [],
        };
      });
  }

  /** Prefix and separator of the personal namespace; guessed from INBOX where there is no NAMESPACE. */
  async namespace(): Promise<{ prefix: string; separator: string }> {
    if (this.has('NAMESPACE')) {
      const { untagged } = await this.command('NAMESPACE');
      const personal = untagged.find((response) => response.values[0] === 'NAMESPACE')?.values[1];
      const first = Array.isArray(personal) ? personal[0] : null;
      if (Array.isArray(first)) return { prefix: textOf(first[0] ?? null), separator: textOf(first[1] ?? null) || '/' };
    }
    const { untagged } = await this.command('LIST "" ""');
    return { prefix: '', separator: textOf(untagged[0]?.values[2] ?? null) || '/' };
  }

  /** Opens a folder read-only. */
  async examine(rawName: string): Promise<{ exists: number }> {
    const { untagged } = await this.command(`EXAMINE ${quote(rawName)}`);
    const exists = untagged.find((response) => response.values[1] === 'EXISTS')?.values[0];
    return { exists: Number(exists ?? 0) };
  }

  /** Hands every message of the open folder to `onMessage`, in order, without keeping any. */
  async fetchEach(onMessage: (message: RawMessage) => void): Promise<void> {
    await this.#must(['FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])'], ({ values }) => {
      const [, name, items] = values;
      if (name === 'FETCH' && Array.isArray(items) && items.includes('BODY[]')) onMessage(toMessage(items));
    });
  }

  /** Appends in order, many in one command where the server can. */
  async append(rawName: string, messages: readonly RawAppend[]): Promise<void> {
    const multi = this.has('MULTIAPPEND');
    let batch: RawPart[] = [];
    let bytes = 0;
    let count = 0;
    const flush = async () => {
      if (count > 0) await this.command(`APPEND ${quote(rawName)}`, ...batch);
      batch = [];
      bytes = 0;
      count = 0;
    };
    for (const message of messages) {
      batch.push(` (${message.flags.join(' ')}) "${message.internalDate}" `, message.body);
      bytes += message.body.length;
      count++;
      if (!multi || count === batchMessages || bytes >= batchBytes) await flush();
    }
    await flush();
  }

  /** LOGOUT and hang up; never throws. */
  async close(): Promise<void> {
    await this.attempt('LOGOUT').catch(() => {});
    this.#socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #must(parts: readonly RawPart[], onUntagged: (response: RawResponse) => void): Promise<void> {
    const reply = await this.#exchange(parts, onUntagged);
    if (reply.status !== 'OK') throw new RawRefusal(commandName(parts), { ...reply, untagged: [] });
  }

  async #exchange(
    parts: readonly RawPart[],
    onUntagged: (response: RawResponse) => void,
  ): Promise<{ status: RawReply['status']; text: string }> {
    const tag = `r${++this.#counter}`;
    const nonSync = this.has('LITERAL+');
    let line = `${tag} `;
    for (const part of parts) {
      if (typeof part === 'string') {
        line += part;
        continue;
      }
      this.#socket.write(`${line}{${part.length}${nonSync ? '+' : ''}}\r\n`, 'latin1');
      line = '';
      if (!nonSync) {
        const early = await this.#until(tag, onUntagged);
        if (early !== null) return early;
      }
      this.#socket.write(part);
    }
    this.#socket.write(`${line}\r\n`, 'latin1');
    const reply = await this.#until(tag, onUntagged);
    if (reply === null) throw new Error(`a continuation request nobody waits for: ${commandName(parts)}`);
    return reply;
  }

  /** Reads up to the command's end; `null` where the server asks for the next literal. */
  async #until(
    tag: string,
    onUntagged: (response: RawResponse) => void,
  ): Promise<{ status: RawReply['status']; text: string } | null> {
    for (;;) {
      const { mark, response } = await this.#readResponse();
      if (mark === '+') return null;
      if (mark === '*') {
        onUntagged(response);
        continue;
      }
      const [, status, text = ''] = /^(OK|NO|BAD) ?(.*)$/s.exec(response.text) ?? [];
      if (mark !== tag || status === undefined) throw new Error(`unexpected: ${mark} ${response.text}`);
      return { status: status as RawReply['status'], text };
    }
  }

  async #readResponse(): Promise<{ mark: string; response: RawResponse }> {
    const pieces: RawPart[] = [];
    for (;;) {
      const line = await this.#reader.line();
      pieces.push(line);
      const size = /\{(\d+)\}$/.exec(line)?.[1];
      // Human-readable text may end like a literal's announcement.
      if (size === undefined || /^\S+ (OK|NO|BAD|BYE|PREAUTH) /i.test(String(pieces[0]))) break;
      pieces.push(await this.#reader.bytes(Number(size)));
    }
    const first = String(pieces[0]);
    const space = first.indexOf(' ');
    const mark = space === -1 ? first : first.slice(0, space);
    pieces[0] = space === -1 ? '' : first.slice(space + 1);
    const text = pieces.filter((piece) => typeof piece === 'string').join('');
    const isStatus = /^(OK|NO|BAD|BYE|PREAUTH)\b/i.test(text);
    const values = mark === '*' && !isStatus ? parseValues(pieces) : [];
    return { mark, response: { text, values } };
  }
}

/** A quoted string; the text must hold neither CR, LF nor NUL. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Modified UTF-7 (RFC 3501 5.1.3). */
export function encodeUtf7(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-';
    const bytes = Buffer.from(run, 'utf16le').swap16();
    return `&${bytes.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** The reverse; what is not valid stays as it is. */
export function decodeUtf7(raw: string): string {
  return raw.replace(/&([^-]*)-/g, (_, encoded: string) => {
    if (encoded === '') return '&';
    const bytes = Buffer.from(encoded.replaceAll(',', '/'), 'base64');
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  });
}

function commandName(parts: readonly RawPart[]): string {
  return String(parts[0]).split(' ')[0] ?? '';
}

function textOf(value: RawValue): string {
  if (Array.isArray(value)) throw new Error('a list where text was expected');
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}

function toMessage(items: RawValue[]): RawMessage {
  const item = (name: string): RawValue => items[items.indexOf(name) + 1] ?? null;
  const body = item('BODY[]');
  const flags = item('FLAGS');
  return {
    uid: Number(item('UID')),
    flags: Array.isArray(flags) ? flags.map(String) : [],
    internalDate: textOf(item('INTERNALDATE')),
    body: Buffer.isBuffer(body) ? body : Buffer.from(textOf(body), 'latin1'),
  };
}

/** Values of a response whose literals stand as buffers between the pieces of text that announce them. */
function parseValues(pieces: readonly RawPart[]): RawValue[] {
  const top: RawValue[] = [];
  const open: RawValue[][] = [top];
  const add = (value: RawValue) => open.at(-1)?.push(value);
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) {
      add(piece);
      continue;
    }
    for (const [token] of piece.matchAll(/[()]|"(?:[^"\\]|\\.)*"|\{\d+\}$|(?:\[[^\]]*\]|[^\s()[\]"])+/g)) {
      if (token === '(') open.push([]);
      else if (token === ')') {
        const list = open.pop();
        if (list === undefined || open.length === 0) throw new Error(`unbalanced: ${piece}`);
        add(list);
      } else if (token.startsWith('"')) add(Buffer.from(token.slice(1, -1).replace(/\\(.)/g, '$1'), 'latin1'));
      else if (!/^\{\d+\}$/.test(token)) add(token === 'NIL' ? null : token);
    }
  }
  return top;
}

/** Lines and counted bytes from a socket, on demand. */
class ByteReader {
  #buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #ended: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#chunkBytes += chunk.length;
      this.#wake?.();
    });
    const end = (error?: Error) => {
      this.#ended ??= error ?? new Error('the server hung up');
      this.#wake?.();
    };
    socket.on('error', end);
    socket.on('close', () => end());
  }

  /** The next line, latin1, without its CRLF. */
  async line(): Promise<string> {
    let from = 0;
    for (;;) {
      const end = this.#buffer.indexOf('\r\n', from, 'latin1');
      if (end !== -1) {
        const line = this.#buffer.toString('latin1', 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      from = Math.max(0, this.#buffer.length - 1);
      await this.#more(1);
    }
  }

  async bytes(count: number): Promise<Buffer> {
    if (this.#buffer.length < count) await this.#more(count - this.#buffer.length);
    const bytes = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return bytes;
  }

  async #more(atLeast: number): Promise<void> {
    while (this.#chunkBytes < atLeast) {
      if (this.#ended !== null) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    this.#buffer = Buffer.concat([this.#buffer, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
  }
}
