import type { SessionHost } from '../../src/sandbox/channel.ts';
import {
  type SandboxAccount,
  type SandboxOptions,
  SandboxServer,
  type SandboxSession,
} from '../../src/sandbox/index.ts';

/** A client that speaks raw bytes to a pure session and keeps every byte that comes back. */
export class RawClient {
  readonly session: SandboxSession;
  /** How the server ended the connection; `null` while it lives. */
  ended: 'end' | 'reset' | null = null;
  #received: Buffer[] = [];

  constructor(server: SandboxServer, host: Partial<SessionHost> = {}) {
    this.session = server.openSession({
      send: (parts) => {
        this.#received.push(...parts);
        return true;
      },
      end: (reset) => {
        this.ended = reset ? 'reset' : 'end';
      },
      ...host,
    });
  }

  /** Sends text (latin1) whole, or in pieces of `pieceBytes`. */
  send(text: string | Buffer, pieceBytes = Number.POSITIVE_INFINITY): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    for (let at = 0; at < bytes.length; at += Math.min(pieceBytes, bytes.length)) {
      this.session.receive(bytes.subarray(at, at + pieceBytes));
    }
  }

  /** Sends lines, each ended by CRLF, and returns the answer's lines. */
  say(...lines: string[]): string[] {
    this.take();
    this.send(lines.map((line) => `${line}\r\n`).join(''));
    return this.takeLines();
  }

  /** What came since the last look. */
  take(): string {
    const text = Buffer.concat(this.#received).toString('latin1');
    this.#received = [];
    return text;
  }

  takeLines(): string[] {
    const text = this.take();
    return text === '' ? [] : text.replace(/\r\n$/, '').split('\r\n');
  }
}

/** A server with alice, and a client that is logged in as her. */
export function openRaw(options: SandboxOptions = {}): {
  server: SandboxServer;
  alice: SandboxAccount;
  client: RawClient;
} {
  const server = new SandboxServer(options);
  const alice = server.addAccount({ user: 'alice', password: 'secret' });
  const client = new RawClient(server);
  client.say('l LOGIN alice secret');
  return { server, alice, client };
}

/** A small message that can be told from others. */
export function mail(name: string, text = 'Hello.'): string {
  return `From: a@example.org\r\nSubject: ${name}\r\nMessage-ID: <${name}@example.org>\r\n\r\n${text}\r\n`;
}

/** One transcript: what the client sends (lines without CRLF) and what must come back. */
export interface TranscriptCase {
  readonly name: string;
  readonly options?: SandboxOptions;
  readonly prepare?: (alice: SandboxAccount, server: SandboxServer) => void;
  /** Logs alice in first. Default true. */
  readonly login?: boolean;
  readonly send: readonly string[];
  /** Lines of the answer. */
  readonly expect: readonly string[];
}

/** Runs a case with its input fed whole, byte by byte and in sevens; every feeding must give the same bytes. */
export function runTranscript(test: TranscriptCase): string[] {
  const answers = [Number.POSITIVE_INFINITY, 1, 7].map((pieceBytes) => {
    const server = new SandboxServer(test.options);
    const alice = server.addAccount({ user: 'alice', password: 'secret', accessToken: 'tok' });
    test.prepare?.(alice, server);
    const client = new RawClient(server);
    if (test.login !== false) client.say('l LOGIN alice secret');
    client.take();
    client.send(test.send.map((line) => `${line}\r\n`).join(''), pieceBytes);
    return client.take();
  });
  for (const answer of answers) {
    if (answer !== answers[0]) throw new Error(`differs by chunking:\n${answers[0]}\n---\n${answer}`);
  }
  return (answers[0] ?? '').replace(/\r\n$/, '').split('\r\n');
}
