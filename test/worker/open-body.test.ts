import { describe, expect, it } from 'vitest';
import { ArrivingBody } from '../../src/worker/open-body.ts';

const kilobyte = 1024;
const slice = Buffer.alloc(64 * kilobyte, 'x');

/** A line that remembers whether it is being read. */
function openLine() {
  return {
    reads: true,
    pause() {
      this.reads = false;
    },
    resume() {
      this.reads = true;
    },
  };
}

describe('a body that arrives', () => {
  it('has the server wait while a megabyte of it is not read, and go on when it is', async () => {
    const line = openLine();
    const body = new ArrivingBody(64 * slice.length, line);
    let written = 0;
    for (; line.reads; written++) body.write(slice);
    expect(written * slice.length).toBe(1024 * kilobyte + slice.length);
    await body.slices.next();
    expect(line.reads).toBe(true);
  });

  it('has nobody wait when it is all there, dropped, or will never come', async () => {
    const full = () => {
      const line = openLine();
      const body = new ArrivingBody(64 * slice.length, line);
      while (line.reads) body.write(slice);
      return { line, body };
    };
    const ended = full();
    ended.body.end();
    const failed = full();
    failed.body.fail(new Error('the line is gone'));
    const dropped = full();
    dropped.body.drop();
    for (let more = 0; more < 32; more++) dropped.body.write(slice);
    expect([ended, failed, dropped].map(({ line }) => line.reads)).toEqual([true, true, true]);
    const read = async () => {
      for await (const _slice of failed.body.slices);
    };
    await expect(read()).rejects.toThrow('the line is gone');
  });

  it('that came whole is read like any other', async () => {
    const body = ArrivingBody.of({ size: 5, chunks: [Buffer.from('ab'), Buffer.from('cde')] }, openLine());
    const slices: string[] = [];
    for await (const each of body.slices) slices.push(each.toString());
    expect([body.size, ...slices]).toEqual([5, 'ab', 'cde']);
  });
});
