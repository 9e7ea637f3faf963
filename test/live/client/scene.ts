/** What a live test of the client is given: a session on one of the servers, and folders of its own. */
import type { ConnectOptions, ImapClient } from '../../../src/protocol/index.ts';
import type { ServerInstance } from '../../support/servers/index.ts';

/** What one server makes of things that the standards leave open. */
export interface ServerTraits {
  /** Every capability that some case needs and this server has; the others it must not have. */
  readonly offers: readonly string[];
  readonly prefix: string;
  readonly delimiter: string;
  /** False: messages come back with other bytes, and headers of the server's own. */
  readonly exactBytes: boolean;
  /** False: only system flags are kept. */
  readonly keywords: boolean;
  /** The first user's quota; null: none. */
  readonly quotaKiB: number | null;
}

export interface Scene {
  readonly server: ServerInstance;
  readonly traits: ServerTraits;
  /** Logged in, nothing selected. */
  readonly client: ImapClient;
  /** Another session of the same account. */
  openAnother(options?: Partial<ConnectOptions>): Promise<ImapClient>;
  /** A session of another user. */
  openAs(user: string): Promise<ImapClient>;
  /** A name nobody has used yet. */
  newName(words?: string): string;
  /** A new folder with these messages, in order. */
  fill(...messages: readonly Buffer[]): Promise<string>;
}

export interface LiveCase {
  /** A sentence whose subject is the client. */
  readonly name: string;
  /**
   * A server without one of these must make `run` end in a CapabilityError: what is not offered is refused before a byte
   * is sent.
   */
  readonly needs?: readonly string[];
  run(scene: Scene): Promise<void>;
}

/** A small message. imap4d takes none without these headers. */
export function message(subject: string, text = 'one line'): Buffer {
  const header = [
    'Date: Sat, 01 Feb 2003 04:05:06 +0700',
    'From: "Alice A." <alice@example.org>',
    'To: Bob <bob@example.net>, carol@example.com',
    `Message-ID: <${subject.replaceAll(' ', '-')}@live.example.org>`,
    `Subject: ${subject}`,
  ];
  return Buffer.from(`${header.join('\r\n')}\r\n\r\n${text}\r\n`, 'utf8');
}

export const messageDate = '01-Feb-2003 04:05:06 +0700';
