import { describe, expect, it } from 'vitest';
import { CapabilityError, ProtocolError, StateError } from '../../../src/protocol/errors.ts';
import type { Unsolicited } from '../../../src/protocol/unsolicited.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';

describe('RFC 2177: IDLE', () => {
  playDialogues([
    {
      name: 'news come while the line is idle (3)',
      capabilities: 'IDLE',
      transcript: `${selecting(3)}
        C: $A IDLE
        S: + idling
        S: * 4 EXISTS
        S: * 2 EXPUNGE
        S: * 1 FETCH (FLAGS (\\Seen))
        C: DONE
        S: * 2 EXISTS
        S: $A OK IDLE terminated`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        client.idle();
        const first: Unsolicited[] = [];
        while (first.length < 3) first.push(...(await client.idleCheck()));
        return [first, await client.idleDone(), client.selected?.exists];
      },
      result: [
        [
          { kind: 'exists', count: 4 },
          { kind: 'expunge', seq: 2 },
          { kind: 'fetch', data: expect.objectContaining({ seq: 1, flags: ['\\Seen'] }) },
        ],
        [{ kind: 'exists', count: 2 }],
        2,
      ],
    },
    {
      name: 'other commands are let through, and IDLE goes on after them',
      capabilities: 'IDLE',
      transcript: `${selecting(3)}
        C: $A IDLE
        S: + idling
        S: * 4 EXISTS
        C: DONE
        S: $A OK done
        C: $B UID FETCH 9 (FLAGS)
        S: * 5 EXISTS
        S: * 4 FETCH (UID 9 FLAGS ())
        S: $B OK done
        C: $C IDLE
        S: + idling
        S: * 6 EXISTS
        C: DONE
        S: $C OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const counts: number[] = [];
        for await (const news of client.idle()) {
          if (news.kind !== 'exists') continue;
          counts.push(news.count);
          if (news.count === 4) counts.push((await client.fetch(9, 'FLAGS')).size);
          if (news.count === 6) break;
        }
        return counts;
      },
      result: [4, 1, 5, 6],
    },
    {
      name: 'a command that was given before the server listens is let through, too',
      capabilities: 'IDLE',
      transcript: `
        C: $A IDLE
        S: + idling
        C: DONE
        S: $A OK done
        C: $B NOOP
        S: $B OK done
        C: $C IDLE
        S: + idling
        C: DONE
        S: $C OK done`,
      run: async (client) => {
        const idle = client.idle();
        await client.noop();
        await idle.done();
        return idle.ended;
      },
      result: true,
    },
  ]);

  it('waits for news no longer than it is told to', async () => {
    const { client, clock } = await openScripted('C: $A IDLE\nS: + idling\nX: wait', { capabilities: 'IDLE' });
    client.idle();
    const check = client.idleCheck(5_000);
    await clock.advance(5_000);
    expect(await check).toEqual([]);
  });

  it('is begun anew from time to time, and silence in between is no failure', async () => {
    const { client, server, clock } = await openScripted(
      `
      C: $A IDLE
      S: + idling
      C: DONE
      S: $A OK done
      C: $B IDLE
      S: + idling
      S: * 1 EXISTS
      C: DONE
      S: $B OK done`,
      { capabilities: 'IDLE', connect: { timeouts: { idleMs: 1_000 } } },
    );
    const idle = client.idle({ renewMs: 600_000 });
    // IDLE is under way when the server has heard of it.
    await turnsUntil(() => server.unexpected === '');
    await clock.advance(599_000);
    expect(client.closed).toBe(false);
    await clock.advance(1_000);
    expect(await idle.next()).toEqual({ done: false, value: { kind: 'exists', count: 1 } });
    await idle.done();
    expect(await idle.next()).toEqual({ done: true, value: undefined });
    await server.done;
  });

  it('silence after DONE is one', async () => {
    const { client, clock } = await openScripted('C: $A IDLE\nS: + idling\nC: DONE\nX: wait', {
      capabilities: 'IDLE',
      connect: { timeouts: { idleMs: 1_000 } },
    });
    client.idle();
    await clock.advance(5_000);
    const done = rejection(client.idleDone());
    await clock.advance(1_000);
    expect(await done).toMatchObject({ code: 'TIMEOUT' });
  });

  it('ends with what ended it', async () => {
    const refused = await openScripted('C: $A IDLE\nS: $A NO not now', { capabilities: 'IDLE' });
    expect(await rejection(refused.client.idle().next())).toMatchObject({ code: 'NO', command: 'IDLE' });

    const early = await openScripted('C: $A IDLE\nS: + idling\nS: $A OK done already', { capabilities: 'IDLE' });
    expect(await rejection(early.client.idle().next())).toBeInstanceOf(ProtocolError);
    expect(early.client.closed).toBe(false);

    const cut = await openScripted('C: $A IDLE\nS: + idling\nS: * BYE tired\nX: close', { capabilities: 'IDLE' });
    cut.client.idle();
    expect(await rejection(cut.client.idleCheck())).toMatchObject({ code: 'BYE' });
  });

  it('ends in an orderly way with LOGOUT', async () => {
    const { client, server } = await openScripted(
      `
      C: $A IDLE
      S: + idling
      C: DONE
      S: $A OK done
      C: $B LOGOUT
      S: * BYE bye
      S: $B OK done`,
      { capabilities: 'IDLE' },
    );
    const idle = client.idle();
    const rest = idle.next();
    await client.logout();
    expect(await rest).toEqual({ done: true, value: undefined });
    await server.done;
  });

  it('is refused where it is not offered, and twice at a time', async () => {
    const { client: other } = await openScripted('');
    expect(() => other.idle()).toThrow(CapabilityError);
    const { client } = await openScripted('C: $A IDLE\nS: + idling', { capabilities: 'IDLE' });
    expect(await rejection(client.idleCheck())).toBeInstanceOf(StateError);
    client.idle();
    expect(() => client.idle()).toThrow(StateError);
  });

  it('keeps no more news for a slow reader than the limit', async () => {
    const { client } = await openScripted('C: $A IDLE\nS: + idling\nS: * 1 EXISTS\nS: * 2 EXISTS\nS: * 3 EXISTS', {
      capabilities: 'IDLE',
      connect: { limits: { maxResponses: 2 } },
    });
    const ended = new Promise<Error>((resolve) => client.on('close', resolve));
    client.idle();
    expect(await ended).toMatchObject({ code: 'LIMIT' });
  });
});

async function turnsUntil(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn > 10 && holds()) return;
  }
}
