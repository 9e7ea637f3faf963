import { createHash } from 'node:crypto';
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchData } from '../../src/protocol/index.ts';
import { PortChannel } from '../../src/worker/channel.ts';
import { buffersOf, ContentRows } from '../../src/worker/content-rows.ts';

const whole = { complete: true, unlisted: 0 };

function answer(uid: number, more: Partial<FetchData> = {}): FetchData {
  const body = Buffer.from(`Subject: ${uid}\r\n\r\nx\r\n`);
  return { seq: uid, uid, flags: [], body: { size: body.length, chunks: [body] }, ...more };
}

describe('the rows of a verification', () => {
  it('take each message once, readable or not', () => {
    const rows = new ContentRows(true);
    rows.add(answer(1));
    rows.add(answer(1));
    rows.addUnreadable(1);
    rows.add(answer(2, { body: null }));
    rows.addUnreadable(2);
    rows.addUnreadable(3);
    const { uids, unreadable, digests } = rows.contents(whole);
    expect([...uids]).toEqual([1]);
    expect([...unreadable]).toEqual([2, 3]);
    expect(digests).toHaveLength(32);
  });

  it('ascend by UID, the first answer of each, however many come in whatever order', () => {
    const uids = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(uids, fc.boolean(), (list, bodies) => {
        const rows = new ContentRows(bodies);
        const first = new Map<number, number>();
        for (const [index, uid] of list.entries()) {
          const text = Buffer.from(`Subject: ${index}\r\n\r\n`);
          const literal = { size: text.length, chunks: [text] };
          rows.add({
            seq: uid,
            uid,
            size: index,
            ...(bodies ? { body: literal } : { sections: new Map([['', literal]]) }),
          });
          if (!first.has(uid)) first.set(uid, index);
        }
        const contents = rows.contents(whole);
        const expected = [...first].sort(([a], [b]) => a - b);
        expect(Array.from(contents.uids, (uid, row) => [uid, contents.sizes[row]])).toEqual(expected);
        const [last = 0, index = 0] = expected.at(-1) ?? [];
        expect(last).toBe(contents.uids.at(-1));
        const sha = (text: string) => createHash('sha256').update(text).digest('hex');
        expect(Buffer.from(contents.headerKeys.slice(-16)).toString('hex')).toBe(sha(`subject:${index}`).slice(0, 32));
        const digest = bodies ? sha(`Subject: ${index}\r\n\r\n`) : undefined;
        expect(contents.digests === null ? undefined : Buffer.from(contents.digests.slice(-32)).toString('hex')).toBe(
          digest,
        );
      }),
    );
  });

  it('go to another thread without a copy', async () => {
    const rows = new ContentRows(true);
    rows.add(answer(7));
    rows.addUnreadable(8);
    const contents = rows.contents(whole);
    const buffers = buffersOf(contents);
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise<typeof contents>((resolve) => port2.once('message', resolve));
    const channel = new PortChannel(port1);
    channel.post(contents, buffers);
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual(Array.from({ length: 7 }, () => 0));
    const { uids, digests, unreadable } = await arrived;
    channel.close();
    expect([[...uids], digests?.length, [...unreadable]]).toEqual([[7], 32, [8]]);
  });

  it('pass over an answer without the section asked for', () => {
    const rows = new ContentRows(true);
    expect(rows.add(answer(1, { body: undefined }))).toBe(false);
    expect(rows.add(answer(2))).toBe(true);
    expect([...rows.contents(whole).uids]).toEqual([2]);
  });

  it('hold the same flags as one set, in any order and letter case, without \\Recent', () => {
    const rows = new ContentRows(true);
    rows.add(answer(1, { flags: ['\\Seen', '$A', '\\Recent'] }));
    rows.add(answer(2, { flags: ['$a', '\\seen'] }));
    expect(rows.contents(whole)).toMatchObject({ flagSets: ['$a \\seen'], flags: Uint32Array.of(0, 0) });
  });

  it('keep a size above 32 bits at the most a column holds', () => {
    const rows = new ContentRows(true);
    rows.add(answer(1, { size: 2 ** 32 + 5 }));
    expect([...rows.contents(whole).sizes]).toEqual([0xffff_ffff]);
  });

  it('find the same header however it is cut, and without the body', () => {
    const text = 'Subject: a\r\nDate: x\r\n\r\nMessage-ID: <in the body>\r\n';
    const keys = new Set<string>();
    const keyOf = (...slices: string[]) => {
      const rows = new ContentRows(true);
      const chunks = slices.map((slice) => Buffer.from(slice));
      rows.add(answer(1, { body: { size: text.length, chunks } }));
      return Buffer.from(rows.contents(whole).headerKeys).toString('hex');
    };
    for (let at = 0; at <= text.length; at++) keys.add(keyOf(text.slice(0, at), text.slice(at)));
    keys.add(keyOf(...text));
    keys.add(keyOf('Subject: a\nDate: x\n\nother\n'));
    expect(keys.size).toBe(1);
  });

  it('look at each byte of a header once, also where a million slices hold one each', () => {
    const rows = new ContentRows(true);
    const byte = Buffer.from('x');
    const chunks = Array.from({ length: 1_000_000 }, () => byte);
    rows.add(answer(1, { body: { size: chunks.length, chunks } }));
    expect([...rows.contents(whole).uids]).toEqual([1]);
  });
});
