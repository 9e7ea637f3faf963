import { describe, expect, it } from 'vitest';
import { createMemoryPair } from '../../src/protocol/transport-memory.ts';
import type { Transport } from '../../src/protocol/types.ts';
import { turns } from '../../src/testing/index.ts';
import { rejection } from '../support/scripted-session.ts';

/** Starts an end and notes what it is told. */
function listen(end: Transport): { data: string[]; events: string[] } {
  const heard = { data: [] as string[], events: [] as string[] };
  end.start({
    onData: (chunk) => heard.data.push(chunk.toString()),
    onDrain: () => heard.events.push('drain'),
    onClose: (error) => heard.events.push(error === null ? 'close' : `close: ${error.message}`),
  });
  return heard;
}

const bytes = (text: string) => [Buffer.from(text)];

describe('a pair in memory', () => {
  it('delivers later, in order, in the chunks written, also what was written before the start', async () => {
    const [near, far] = createMemoryPair();
    near.write([Buffer.from('a'), Buffer.from(''), Buffer.from('b')]);
    const heard = listen(far);
    near.write(bytes('c'));
    expect(heard.data).toEqual([]);
    await turns(2);
    expect(heard.data).toEqual(['a', 'b', 'c']);
  });

  it('delivers when its scheduler says so', () => {
    const due: (() => void)[] = [];
    const [near, far] = createMemoryPair({ schedule: (deliver) => due.push(deliver) });
    const heard = listen(far);
    near.write(bytes('a'));
    expect(heard.data).toEqual([]);
    for (const deliver of due.splice(0)) deliver();
    expect(heard.data).toEqual(['a']);
  });

  it('asks to wait from its high-water mark on, and drains once when the other end has read', async () => {
    const [near, far] = createMemoryPair({ highWaterMark: 3 });
    const heard = listen(near);
    expect([near.write(bytes('ab')), near.write(bytes('c')), near.write(bytes('d'))]).toEqual([true, false, false]);
    listen(far);
    await turns(4);
    expect(heard.events).toEqual(['drain']);
    expect(near.write(bytes('e'))).toBe(true);
  });

  it('holds back while paused', async () => {
    const [near, far] = createMemoryPair();
    const heard = listen(far);
    far.pause();
    near.write(bytes('a'));
    await turns(3);
    expect(heard.data).toEqual([]);
    far.resume();
    await turns(3);
    expect(heard.data).toEqual(['a']);
  });

  it('closes both ends, each once, after the other end has read everything', async () => {
    const [near, far] = createMemoryPair();
    const [heardNear, heardFar] = [listen(near), listen(far)];
    near.write(bytes('last'));
    near.close();
    near.close();
    far.close();
    await turns(4);
    expect(heardNear.events).toEqual(['close']);
    expect(heardFar.events).toEqual(['close']);
  });

  it('tells the end only after the data', async () => {
    const [near, far] = createMemoryPair();
    const order: string[] = [];
    near.write(bytes('last'));
    near.close();
    far.start({
      onData: (chunk) => order.push(chunk.toString()),
      onDrain: () => {},
      onClose: () => order.push('close'),
    });
    await turns(3);
    expect(order).toEqual(['last', 'close']);
    expect(far.write(bytes('too late'))).toBe(true);
  });

  it('breaks with an error for both ends', async () => {
    const [near, far] = createMemoryPair();
    const [heardNear, heardFar] = [listen(near), listen(far)];
    near.break(new Error('cut'));
    await turns(3);
    expect([heardNear.events, heardFar.events]).toEqual([['close: cut'], ['close: cut']]);
  });

  it('is secure once both ends have upgraded', async () => {
    const [near, far] = createMemoryPair();
    const upgrading = near.upgrade();
    expect(near.secure).toBe(false);
    await far.upgrade();
    await upgrading;
    expect([near.secure, far.secure]).toEqual([true, true]);
  });

  it('does not upgrade over unread bytes, nor over a closed stream', async () => {
    const [near, far] = createMemoryPair();
    far.write(bytes('injected'));
    expect(await rejection(near.upgrade())).toMatchObject({ name: 'TlsError' });
    const waiting = rejection(far.upgrade());
    near.close();
    expect(await waiting).toMatchObject({ name: 'TlsError' });
    expect(await rejection(far.upgrade())).toMatchObject({ name: 'TlsError' });
  });
});
