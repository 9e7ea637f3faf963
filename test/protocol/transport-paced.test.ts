import { describe, expect, it } from 'vitest';
import { createMemoryPair } from '../../src/protocol/transport-memory.ts';
import { PacedTransport } from '../../src/protocol/transport-paced.ts';
import type { Transport } from '../../src/protocol/types.ts';
import { ManualClock, turns } from '../../src/testing/index.ts';

/** Ten bytes a second, each direction by itself, and nothing saved up. */
function openPaced(options: { readonly highWaterMark?: number } = {}) {
  const clock = new ManualClock();
  const paid = { received: clock.now(), sent: clock.now() };
  const take = (direction: 'received' | 'sent', bytes: number) => {
    paid[direction] = Math.max(paid[direction], clock.now()) + 100 * bytes;
    return paid[direction] - clock.now();
  };
  const [near, far] = createMemoryPair(options);
  const pace = { received: (bytes: number) => take('received', bytes), sent: (bytes: number) => take('sent', bytes) };
  return { clock, near: new PacedTransport(near, pace, clock), far };
}

function listen(end: Transport) {
  const heard = { data: '', events: [] as string[] };
  end.start({
    onData: (chunk) => {
      heard.data += chunk.toString();
    },
    onDrain: () => heard.events.push('drain'),
    onRest: (rests) => heard.events.push(rests ? 'rests' : 'goes on'),
    onClose: () => heard.events.push('close'),
  });
  return heard;
}

const bytes = (text: string) => [Buffer.from(text)];

describe('a transport with a pace', () => {
  it('reads no more until what it has read is paid for', async () => {
    const { clock, near, far } = openPaced();
    const heard = listen(near);
    listen(far);
    far.write(bytes('0123456789'));
    await turns(3);
    far.write(bytes('next'));
    await clock.advance(999);
    expect(heard).toEqual({ data: '0123456789', events: ['rests'] });
    await clock.advance(1);
    expect(heard.data).toBe('0123456789next');
    expect(heard.events).toEqual(['rests', 'goes on', 'rests']);
  });

  it('takes no more to send until what it has sent is paid for', async () => {
    const { clock, near, far } = openPaced();
    const heard = listen(near);
    const there = listen(far);
    expect(near.write(bytes('01234'))).toBe(false);
    await clock.advance(499);
    expect([there.data, ...heard.events]).toEqual(['01234', 'rests']);
    await clock.advance(1);
    expect(heard.events).toEqual(['rests', 'goes on', 'drain']);
  });

  it('waits for the other end as well', async () => {
    const { clock, near, far } = openPaced({ highWaterMark: 3 });
    const heard = listen(near);
    expect(near.write(bytes('01234'))).toBe(false);
    await clock.advance(1_000);
    expect(heard.events).toEqual(['rests', 'goes on']);
    listen(far);
    await turns(3);
    expect(heard.events).toEqual(['rests', 'goes on', 'drain']);
  });

  it('stays paused when its rest is over and somebody else paused it', async () => {
    const { clock, near, far } = openPaced();
    const heard = listen(near);
    far.write(bytes('01234'));
    await turns(3);
    near.pause();
    far.write(bytes('56789'));
    await clock.advance(5_000);
    expect(heard.data).toBe('01234');
    near.resume();
    await turns(3);
    expect(heard.data).toBe('0123456789');
  });

  it('leaves no timer behind', async () => {
    const { clock, near, far } = openPaced();
    listen(near);
    near.write(bytes('01234'));
    far.write(bytes('01234'));
    await turns(3);
    expect(clock.pending).toBe(2);
    near.close();
    await turns(3);
    expect(clock.pending).toBe(0);
  });
});
