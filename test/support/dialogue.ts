import { expect, it } from 'vitest';
import type { ImapClient } from '../../src/protocol/client.ts';
import { cutAt, cutEvery } from './chunking.ts';
import { openScripted, type SessionOptions } from './scripted-session.ts';

/** One session as an RFC tells it, and what the client makes of it. */
export interface Dialogue extends Pick<SessionOptions, 'bareGreeting' | 'connect'> {
  readonly name: string;
  /** What the greeting announces besides IMAP4rev1. */
  readonly capabilities?: string;
  readonly transcript: string;
  readonly run: (client: ImapClient) => Promise<unknown>;
  readonly result: unknown;
}

/** Ways in which the server's bytes arrive. */
const cuts: Readonly<Record<string, (bytes: Buffer) => Buffer[]>> = {
  whole: (bytes) => [bytes],
  'byte by byte': (bytes) => cutEvery(bytes, 1),
  'in threes': (bytes) => cutEvery(bytes, 3),
  'in halves': (bytes) => cutAt(bytes, [Math.floor(bytes.length / 2)]),
  'in front of each line end': (bytes) => cutAt(bytes, positionsOf(bytes, '\r')),
  'inside each line end': (bytes) => cutAt(bytes, positionsOf(bytes, '\n')),
  'behind each brace and parenthesis': (bytes) =>
    cutAt(
      bytes,
      [...positionsOf(bytes, '{'), ...positionsOf(bytes, '('), ...positionsOf(bytes, ')')].map((at) => at + 1),
    ),
};

/** A test for each dialogue that plays it in every way its bytes can arrive, with one result. */
export function playDialogues(dialogues: readonly Dialogue[]): void {
  it.each(dialogues)('$name', async (dialogue) => {
    for (const [way, chunk] of Object.entries(cuts)) {
      const { client, server } = await openScripted(dialogue.transcript, { ...dialogue, chunk });
      // A client that strays is told so by the server; what it waits for then would never come.
      const strayed = server.done.then(() => new Promise<never>(() => {}));
      const result = await Promise.race([dialogue.run(client), strayed]);
      await server.done;
      expect(result, way).toEqual(dialogue.result);
      expect(server.unexpected, way).toBe('');
      client.close();
    }
  });
}

function positionsOf(bytes: Buffer, mark: string): number[] {
  const positions: number[] = [];
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) positions.push(at);
  return positions;
}
