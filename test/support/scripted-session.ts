import { ImapClient } from '../../src/protocol/client.ts';
import type { ConnectOptions } from '../../src/protocol/connect-options.ts';
import { ManualClock } from './manual-clock.ts';
import { type ScriptedServer, type ScriptOptions, scriptedPair } from './scripted-server.ts';

export interface ScriptedSession {
  readonly client: ImapClient;
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
}

export interface SessionOptions extends ScriptOptions {
  /** What the greeting announces besides IMAP4rev1. */
  readonly capabilities?: string;
  /** The greeting announces nothing. */
  readonly bareGreeting?: boolean;
  readonly connect?: Partial<ConnectOptions>;
}

/** A client that has read its greeting, in front of a server that plays the rest of the transcript. */
export async function openScripted(transcript: string, options: SessionOptions = {}): Promise<ScriptedSession> {
  const clock = new ManualClock();
  const code = options.bareGreeting === true ? '' : `[CAPABILITY IMAP4rev1 ${options.capabilities ?? ''}] `;
  const greeting = `S: * OK ${code}ready\n`;
  const { transport, server } = scriptedPair(greeting + transcript, options);
  const client = await ImapClient.connect({ host: 'test', transport, clock, ...options.connect });
  return { client, server, clock };
}

/** A transcript in which the client selects a folder with messages up to `exists`. */
export function selecting(exists = 100): string {
  return `
    C: $S SELECT "INBOX"
    S: * FLAGS (\\Answered \\Seen)
    S: * ${exists} EXISTS
    S: * 0 RECENT
    S: * OK [UIDVALIDITY 17] valid
    S: * OK [UIDNEXT 1000] next
    S: $S OK [READ-WRITE] selected
  `;
}

/** What a promise rejects with; fails the test when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with something that is no error: ${String(error)}`);
  }
  throw new Error(`expected a rejection, but it resolved with ${String(value)}`);
}
