import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../src/protocol/client.ts';
import type { StreamedMessage } from '../../src/protocol/message-stream.ts';
import { turns } from '../../src/testing/index.ts';
import { playDialogues } from '../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../support/scripted-session.ts';

const big = 'x'.repeat(3_000);
/** Literals from this size on are handed out as they come. */
const streaming = { connect: { limits: { streamLiteralBytes: 1_000 } } };

async function collect(client: ImapClient, items: string | string[]): Promise<unknown[]> {
  await client.selectFolder('INBOX');
  const seen: unknown[] = [];
  for await (const { seq, uid, body, sections } of client.fetchStream('1:9', items)) {
    const texts: (string | null)[] = [];
    for (const part of [body, ...(sections?.values() ?? [])]) {
      if (part !== undefined) texts.push(part === null ? null : (await part.toBuffer()).toString('latin1'));
    }
    seen.push([seq, uid, ...texts.map((text) => (text === big ? 'big' : text))]);
  }
  return seen;
}

describe('fetchStream', () => {
  playDialogues([
    {
      name: 'hands out messages in order, bodies big and small, and none',
      ...streaming,
      transcript: `${selecting(9)}
        C: $A UID FETCH 1:9 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {5}
        S: hello)
        S: * 2 FETCH (UID 2 BODY[] {3000}
        S: ${big} FLAGS ())
        S: * 5 FETCH (FLAGS (\\Seen))
        S: * 3 FETCH (UID 3 BODY[] NIL)
        S: * 4 FETCH (BODY[] {3000}
        S: ${big} UID 4)
        S: * 6 FETCH (UID 77 BODY[] {3000}
        S: ${big})
        S: $A OK done`,
      run: (client) => collect(client, ['UID', 'BODY.PEEK[]']),
      result: [
        [1, 1, 'hello'],
        [2, 2, 'big'],
        [3, 3, null],
        [4, 4, 'big'],
      ],
    },
    {
      name: 'hands out sections, of which the first big one as it comes',
      ...streaming,
      transcript: `${selecting(9)}
        C: $A UID FETCH 1:9 (BODY.PEEK[1] BODY.PEEK[2]<0.4000>)
        S: * 1 FETCH (UID 1 BODY[1] "small" BODY[2]<0> {3000}
        S: ${big})
        S: * 2 FETCH (UID 2 BODY[1] {3000}
        S: ${big} BODY[2]<0> {3000}
        S: ${big})
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const seen: unknown[] = [];
        for await (const { uid, sections } of client.fetchStream('1:9', ['BODY.PEEK[1]', 'BODY.PEEK[2]<0.4000>'])) {
          const sizes: unknown[] = [];
          for (const [name, part] of sections ?? [])
            sizes.push([name, part === null ? null : (await part.toBuffer()).length]);
          seen.push([uid, sizes]);
        }
        return seen;
      },
      result: [
        [
          1,
          [
            ['BODY[1]', 5],
            ['BODY[2]<0>', 3000],
          ],
        ],
        [
          2,
          [
            ['BODY[1]', 3000],
            ['BODY[2]<0>', 3000],
          ],
        ],
      ],
    },
    {
      name: 'drops what is not read, and the rest when the loop is left',
      ...streaming,
      transcript: `${selecting(9)}
        C: $A UID FETCH 1:9 (BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {3000}
        S: ${big})
        S: * 2 FETCH (UID 2 BODY[] {3000}
        S: ${big})
        S: * 3 FETCH (UID 3 BODY[] {3000}
        S: ${big})
        S: $A OK done
        C: $B NOOP
        S: $B OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const seen: unknown[] = [];
        for await (const { uid } of client.fetchStream('1:9', 'BODY.PEEK[]')) {
          seen.push(uid);
          if (uid === 2) break;
        }
        return [seen, await client.noop()];
      },
      result: [[1, 2], []],
    },
  ]);

  it('tells what stands behind a big body once that was read', async () => {
    const { client } = await openScripted(
      `${selecting(1)}
      C: $A UID FETCH 1 (BODY.PEEK[] FLAGS)
      S: * 1 FETCH (UID 1 BODY[] {3000}
      S: ${big} FLAGS (\\Seen) MODSEQ (5))
      S: $A OK done`,
      streaming,
    );
    await client.selectFolder('INBOX');
    for await (const message of client.fetchStream(1, ['BODY.PEEK[]', 'FLAGS'])) {
      expect((await message.body?.toBuffer())?.length).toBe(3000);
      expect(message).toMatchObject({ uid: 1, flags: ['\\Seen'], modSeq: 5n });
    }
  });

  it('makes the server wait for a slow reader, and not for ever for a reader who gives another command', async () => {
    const body = 'y'.repeat(1_000_000);
    const messages = Array.from(
      { length: 12 },
      (_, at) => `S: * ${at + 1} FETCH (UID ${at + 1} BODY[] {1000000}\nS: ${body})`,
    );
    const { client, server } = await openScripted(
      `${selecting(12)}
      C: $A UID FETCH 1:12 (BODY.PEEK[])
      ${messages.join('\nX: wait\n')}
      S: $A OK done
      C: $B NOOP
      S: $B OK done`,
      { mayRunAhead: true },
    );
    await client.selectFolder('INBOX');
    const stream = client.fetchStream('1:12', 'BODY.PEEK[]');
    const first = await stream.next();
    let played = false;
    const playing = server.done.then(() => {
      played = true;
    });
    await turns(400);
    expect(played).toBe(false);
    await client.noop();
    await playing;
    const rest: (StreamedMessage | undefined)[] = [first.value];
    for await (const message of stream) rest.push(message);
    expect(rest.map((message) => message?.uid)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
  });

  it('goes on by itself once the reader has caught up', async () => {
    const body = 'y'.repeat(1_000_000);
    const messages = Array.from(
      { length: 12 },
      (_, at) => `S: * ${at + 1} FETCH (UID ${at + 1} BODY[] {1000000}\nS: ${body})`,
    );
    const { client, server } = await openScripted(
      `${selecting(12)}\nC: $A UID FETCH 1:12 (BODY.PEEK[])\n${messages.join('\n')}\nS: $A OK done`,
    );
    await client.selectFolder('INBOX');
    let bytes = 0;
    for await (const message of client.fetchStream('1:12', 'BODY.PEEK[]')) {
      for await (const slice of message.body ?? []) bytes += slice.length;
      await turns(2);
    }
    expect(bytes).toBe(12_000_000);
    await server.done;
  });

  it('rejects with what went wrong, in a message as between messages', async () => {
    const { client } = await openScripted(
      `${selecting(1)}
      C: $A UID FETCH 1:9 (BODY.PEEK[])
      S: * 1 FETCH (UID 1 BODY[] {3000}
      S: ${'x'.repeat(1000)}
      X: close`,
      streaming,
    );
    await client.selectFolder('INBOX');
    const stream = client.fetchStream('1:9', 'BODY.PEEK[]');
    const { value } = await stream.next();
    expect(await rejection(value?.body?.toBuffer() ?? Promise.resolve())).toMatchObject({ code: 'CLOSED' });
    expect(await rejection(stream.next())).toMatchObject({ code: 'CLOSED' });

    const refused = await openScripted('');
    expect(await rejection(refused.client.fetchStream('1', 'BODY[]').next())).toMatchObject({ code: 'STATE' });
  });
});
