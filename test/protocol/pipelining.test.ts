import { describe, expect, it } from 'vitest';
import { StateError, UsageError } from '../../src/protocol/errors.ts';
import { Line } from '../../src/protocol/pipelining.ts';
import type { Pipelining } from '../../src/protocol/types.ts';
import { openScripted, selecting } from '../support/scripted-session.ts';

describe('Line', () => {
  it.each<[Pipelining, Record<Pipelining, boolean>]>([
    ['free', { free: true, selected: true, reads: true, sequence: true, selects: true, barrier: false }],
    ['selected', { free: true, selected: true, reads: true, sequence: true, selects: false, barrier: false }],
    ['reads', { free: true, selected: true, reads: true, sequence: true, selects: true, barrier: false }],
    ['sequence', { free: false, selected: false, reads: false, sequence: true, selects: false, barrier: false }],
    ['selects', { free: true, selected: true, reads: true, sequence: true, selects: true, barrier: false }],
    ['barrier', { free: false, selected: false, reads: false, sequence: false, selects: false, barrier: false }],
  ])('admits %s behind some kinds and not behind others', (next, behind) => {
    for (const [kind, admitted] of Object.entries(behind) as [Pipelining, boolean][]) {
      const line = new Line();
      line.add(kind);
      expect([kind, line.admits(next)]).toEqual([kind, admitted]);
      line.remove(kind);
      expect(line.admits(next)).toBe(true);
    }
  });

  it('counts: one answer of two does not free the line', () => {
    const line = new Line();
    line.add('free');
    line.add('free');
    line.remove('free');
    expect(line.admits('barrier')).toBe(false);
    line.remove('free');
    expect(line.admits('barrier')).toBe(true);
  });
});

const message = { body: Buffer.from('x') };

describe('the line', () => {
  it('carries several unanswered FETCHes and APPENDs at once, answered in any order', async () => {
    const { client, server } = await openScripted(
      `${selecting()}
      C: $A UID FETCH 1:2 (UID RFC822.SIZE)
      C: $B APPEND "t" {1+}
      C: x
      C: $C UID FETCH 3 (UID RFC822.SIZE)
      C: $D APPEND "t" {1+}
      C: x
      C: $E UID SEARCH ALL
      C: $F UID STORE 1 +FLAGS.SILENT (\\Seen)
      S: * 3 FETCH (UID 3 RFC822.SIZE 30)
      S: * 1 FETCH (UID 1 RFC822.SIZE 10)
      S: $D OK [APPENDUID 1 12] done
      S: $C OK done
      S: * 2 FETCH (RFC822.SIZE 20 UID 2)
      S: $A OK done
      S: $B OK [APPENDUID 1 11] done
      S: * SEARCH 1 2 3
      S: $E OK done
      S: $F OK done`,
      { capabilities: 'LITERAL+' },
    );
    await client.selectFolder('INBOX');
    const results = await Promise.all([
      client.fetch([1, 2], ['UID', 'RFC822.SIZE']),
      client.append('t', message),
      client.fetch([3], ['UID', 'RFC822.SIZE']),
      client.append('t', message),
      client.search('ALL'),
      client.addFlags([1], ['\\Seen'], { silent: true }),
    ]);
    await server.done;
    expect([...results[0].values()].map(({ uid, size }) => [uid, size])).toEqual([
      [1, 10],
      [2, 20],
    ]);
    expect(results[1].uids).toEqual([11]);
    expect([...results[2].values()].map(({ uid, size }) => [uid, size])).toEqual([[3, 30]]);
    expect(results[3].uids).toEqual([12]);
    expect(results[4]).toEqual(Uint32Array.of(1, 2, 3));
  });

  it('lets SELECT follow unanswered APPENDs and FETCHes; what is done to the new folder waits for it', async () => {
    const { client, server } = await openScripted(
      `${selecting()}
      C: $A APPEND "t" {1+}
      C: x
      C: $B SELECT "b"
      S: * 7 EXISTS
      S: $B OK done
      C: $C UID STORE 1 +FLAGS.SILENT (\\Seen)
      C: $D EXAMINE "c"
      S: $C OK done
      S: * 8 EXISTS
      S: $D OK done
      C: $E UID FETCH 1 (UID RFC822.SIZE)
      C: $F APPEND "t" {1+}
      C: x
      S: $E OK done
      S: $A OK done
      S: $F OK done`,
      { capabilities: 'LITERAL+' },
    );
    await client.selectFolder('INBOX');
    const folders = await Promise.all([
      client.append('t', message),
      client.selectFolder('b'),
      client.addFlags([1], ['\\Seen'], { silent: true }),
      client.selectFolder('c', { readOnly: true }),
      client.fetch([1], ['UID', 'RFC822.SIZE']),
      client.append('t', message),
    ]);
    await server.done;
    expect([folders[1].exists, folders[3].exists]).toEqual([7, 8]);
  });

  it('carries several folders one behind the other, each with its own answers', async () => {
    const { client, server } = await openScripted(
      `${selecting()}
      C: $A UID FETCH 1:9 (UID BODY.PEEK[])
      C: $B EXAMINE "b"
      C: $C UID FETCH 1:* (UID FLAGS)
      C: $D UNSELECT
      S: * 99 EXISTS
      S: * OK [UIDNEXT 1000] news of the first
      S: * 1 FETCH (UID 1 FLAGS (\\Flagged))
      S: $A OK done
      S: * 7 EXISTS
      S: * 1 FETCH (UID 1 FLAGS (\\Flagged))
      S: $B OK done
      S: * 1 FETCH (UID 1 FLAGS (\\Seen))
      S: $C OK done
      S: $D OK done`,
      { capabilities: 'UNSELECT' },
    );
    await client.selectFolder('INBOX');
    const heard: string[] = [];
    client.onUnsolicited = ({ kind }) => heard.push(`${kind} of ${client.selected?.name}`);
    const flags: unknown[] = [];
    const ahead = { ahead: true };
    const [, second] = await Promise.all([
      client.fetchEach('1:9', ['UID', 'BODY.PEEK[]'], () => {}),
      client.selectFolder('b', { readOnly: true }),
      client.fetchEach('1:*', ['UID', 'FLAGS'], (data) => flags.push(data.flags), ahead),
      client.unselectFolder(),
    ]);
    await server.done;
    expect(heard).toEqual(['exists of INBOX', 'status of INBOX', 'fetch of INBOX', 'fetch of INBOX']);
    expect(second).toMatchObject({ exists: 7, uidNext: null });
    expect(flags).toEqual([['\\Seen']]);
    expect(client.selected).toBeNull();
  });

  it.each(['NO', 'OK'])('believes no answer about a folder whose SELECT was refused: %s', async (answer) => {
    const { client, server } = await openScripted(`${selecting()}
      C: $A SELECT "b"
      C: $B UID FETCH 1 (UID RFC822.SIZE)
      S: $A NO there is no such folder
      S: * 1 FETCH (UID 1 RFC822.SIZE 10)
      S: $B ${answer} done`);
    await client.selectFolder('INBOX');
    const sizes: unknown[] = [];
    const select = client.selectFolder('b');
    const fetched = client.fetchEach([1], ['UID', 'RFC822.SIZE'], ({ size }) => sizes.push(size), { ahead: true });
    await expect(select).rejects.toThrow('there is no such folder');
    await expect(fetched).rejects.toThrow(StateError);
    await server.done;
    expect(sizes).toEqual([]);
  });

  it('does not carry sequence numbers ahead of the SELECT', async () => {
    const { client } = await openScripted(selecting());
    await client.selectFolder('INBOX');
    const fetched = client.fetchEach('1', ['UID'], () => {}, { ahead: true, useUid: false });
    await expect(fetched).rejects.toThrow(UsageError);
  });

  it('keeps sequence numbers to themselves', async () => {
    const { client, server } = await openScripted(`${selecting()}
      C: $A UID FETCH 1 (UID RFC822.SIZE)
      S: $A OK done
      C: $B FETCH 1 (UID RFC822.SIZE)
      C: $C FETCH 2 (UID RFC822.SIZE)
      C: $D UID FETCH 2 (UID RFC822.SIZE)
      S: * 1 FETCH (UID 10 RFC822.SIZE 1)
      S: $B OK done
      S: $C OK done
      S: $D OK done`);
    await client.selectFolder('INBOX');
    const items = ['UID', 'RFC822.SIZE'];
    await Promise.all([
      client.fetch([1], items),
      client.fetch([1], items, { useUid: false }),
      client.fetch([2], items, { useUid: false }),
      client.fetch([2], items),
    ]);
    await server.done;
  });

  it('is empty before and after a command that changes the session', async () => {
    const { client, server } = await openScripted(
      `
      C: $A NOOP
      S: $A OK done
      C: $B ENABLE CONDSTORE
      S: * ENABLED CONDSTORE
      S: $B OK done
      C: $C NOOP
      S: $C OK done`,
      { capabilities: 'ENABLE' },
    );
    await Promise.all([client.noop(), client.enable('CONDSTORE'), client.noop()]);
    await server.done;
  });

  it('carries nothing between an announced literal and the go-ahead', async () => {
    const { client, server } = await openScripted(`
      C: $A APPEND "t" {1}
      S: * 1 EXISTS
      S: + go
      C: x
      C: $B NOOP
      S: $A OK done
      S: $B OK done`);
    await Promise.all([client.append('t', message), client.noop()]);
    await server.done;
  });
});
