import {
  type ConnectOptions,
  createMemoryPair,
  ImapClient,
  type MemoryPairOptions,
  type Transport,
} from '../protocol/index.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedServer, type ScriptOptions } from './scripted-server.ts';
import { parseTranscript, type TranscriptStep } from './transcript.ts';

/** A scripted server at the other end of a stream in memory; the transcript begins with the greeting. */
export function scriptedPair(
  transcript: string | readonly TranscriptStep[],
  options: ScriptOptions & MemoryPairOptions = {},
): { readonly transport: Transport; readonly server: ScriptedServer } {
  const [transport, other] = createMemoryPair({ description: 'test server', ...options });
  return { transport, server: new ScriptedServer(other, transcript, options) };
}

/** A client in front of a scripted server. */
export interface ScriptedSession {
  readonly client: ImapClient;
  readonly server: ScriptedServer;
  /** The client's time: nothing times out unless it is advanced. */
  readonly clock: ManualClock;
}

export interface SessionOptions extends ScriptOptions {
  /** What the greeting announces besides IMAP4rev1. */
  readonly capabilities?: string | undefined;
  /** The greeting announces nothing. */
  readonly bareGreeting?: boolean | undefined;
  readonly connect?: Partial<ConnectOptions> | undefined;
}

/**
 * A client that has read its greeting, in front of a server that plays the rest of the transcript, all in memory. The
 * client does not log in by itself: a scripted server lets it do as it likes.
 */
export async function openScripted(transcript: string, options: SessionOptions = {}): Promise<ScriptedSession> {
  const clock = new ManualClock();
  const code = options.bareGreeting === true ? '' : `[CAPABILITY IMAP4rev1 ${options.capabilities ?? ''}] `;
  const greeting: TranscriptStep = { kind: 'S', text: `* OK ${code}ready`, line: 0 };
  const { transport, server } = scriptedPair([greeting, ...parseTranscript(transcript)], options);
  const client = await ImapClient.connect({ host: 'test', transport, clock, ...options.connect });
  return { client, server, clock };
}
