/** Messages read while they arrive. */
import { connect } from 'node:net';
import { expect, vi } from 'vitest';
import type { BodyStream, ImapClient } from '../../../src/protocol/index.ts';
import { type LiveCase, message, type Scene } from './scene.ts';

/** What lies ready for a slow reader before the server has to wait, in bytes. */
const waitingBytes = 4 * 1024 * 1024;

const lines = (text: string, count: number) => `${text.repeat(8).slice(0, 76)}\r\n`.repeat(count);

/** Small ones and big ones, together more than waits for a reader. */
const messages = [
  message('first'),
  ...['one', 'two', 'three'].map((word) => message(`big ${word}`, lines(`${word} 0123456789abcdef`, 24_000))),
  message('last', 'Grüße'),
];

type Bodies = readonly (readonly [uid: number | undefined, size: number | undefined, body: Buffer | null])[];

async function fetched(client: ImapClient): Promise<Bodies> {
  const rows = await client.fetch('1:*', ['UID', 'RFC822.SIZE', 'BODY.PEEK[]']);
  return [...rows.values()].map(({ uid, size, body }) => [uid, size, body ?? null]);
}

/** What a stream gives; `reader` makes one piece of a body. */
async function streamed(client: ImapClient, reader: (body: BodyStream) => Promise<Buffer>): Promise<Bodies> {
  const bodies: Bodies[number][] = [];
  for await (const { uid, size, body } of client.fetchStream('1:*', ['UID', 'RFC822.SIZE', 'BODY.PEEK[]'])) {
    bodies.push([uid, size, body === undefined || body === null ? null : await reader(body)]);
  }
  return bodies;
}

/** Compares bytes as bytes: what differs in megabytes is no reading. */
function expectSame(actual: Bodies, expected: Bodies): void {
  const facts = (bodies: Bodies) => bodies.map(([uid, size, body]) => [uid, size, body?.length]);
  expect(facts(actual)).toEqual(facts(expected));
  for (const [at, [uid, , body]] of actual.entries()) {
    expect(body?.equals(expected[at]?.[2] ?? Buffer.alloc(0)), `message ${uid}`).toBe(true);
  }
}

/** A session whose bytes can be counted, the folder open in it. */
async function openCounted({ server, openAnother }: Scene, name: string, streamLiteralBytes?: number) {
  const socket = connect(server.port, server.host);
  const limits = streamLiteralBytes === undefined ? {} : { streamLiteralBytes };
  const client = await openAnother({ socket, limits });
  await client.selectFolder(name, { readOnly: true });
  return { socket, client };
}

export const streamCases: readonly LiveCase[] = [
  {
    name: 'streams the bytes that it fetches, whether a body is read at once or in slices as it comes',
    async run(scene) {
      const name = await scene.fill(...messages);
      const { client } = await openCounted(scene, name);
      const whole = await fetched(client);
      expect(whole).toHaveLength(messages.length);
      if (scene.traits.exactBytes)
        expectSame(
          whole,
          messages.map((body, at) => [at + 1, body.length, body]),
        );
      expectSame(await streamed(client, (body) => body.toBuffer()), whole);
      const { client: early } = await openCounted(scene, name, 64 * 1024);
      const slices = async (body: BodyStream) => {
        const read: Buffer[] = [];
        for await (const slice of body) read.push(slice);
        return Buffer.concat(read);
      };
      expectSame(await streamed(early, slices), whole);
      await early.closeFolder();
      await client.closeFolder();
      await scene.client.deleteFolder(name);
    },
  },
  {
    name: 'lets the server wait for a slow reader, who misses nothing',
    async run(scene) {
      const name = await scene.fill(...messages);
      const whole = await fetched((await openCounted(scene, name)).client);
      const { socket, client } = await openCounted(scene, name, 64 * 1024);
      const before = socket.bytesRead;
      let held = 0;
      const slow = async (body: BodyStream) => {
        const first = await body.next();
        if (held === 0) {
          await vi.waitFor(() => expect(socket.bytesRead - before).toBeGreaterThanOrEqual(waitingBytes), 30_000);
          // Round trips of another session: time enough for all the rest to come, if it were let in.
          for (let left = 5; left > 0; left--) await scene.client.noop();
          held = socket.bytesRead - before;
        }
        const rest = await body.toBuffer();
        return first.done ? rest : Buffer.concat([first.value, rest]);
      };
      expectSame(await streamed(client, slow), whole);
      expect(held).toBeGreaterThanOrEqual(waitingBytes);
      expect(held).toBeLessThan(waitingBytes + 512 * 1024);
      expect(socket.bytesRead - before).toBeGreaterThan(waitingBytes + 1024 * 1024);
      await client.closeFolder();
      await scene.client.deleteFolder(name);
    },
  },
];
