import { describe, expect, it } from 'vitest';
import { Backlog } from '../../src/worker/backlog.ts';

const megabyte = 1024 * 1024;

/** A backlog of up to 8 MB, and the folders whose room it offered. */
function make(): { backlog: Backlog; offered: number[] } {
  const offered: number[] = [];
  return {
    backlog: new Backlog(
      () => 8 * megabyte,
      (folderId) => offered.push(folderId),
    ),
    offered,
  };
}

describe('a backlog', () => {
  it('has room as long as little is left to ask for', () => {
    const { backlog, offered } = make();
    backlog.take(1, 5 * megabyte);
    expect(offered).toEqual([1]);
    backlog.take(2, 5 * megabyte);
    expect(offered).toEqual([1]);
    backlog.asked(1, megabyte);
    expect(offered).toEqual([1]);
    backlog.asked(1, 2 * megabyte);
    expect(offered).toEqual([1, 2]);
  });

  it('offers room once for each folder, and that of the last one when it is done', () => {
    const { backlog, offered } = make();
    backlog.take(1, Number.POSITIVE_INFINITY);
    backlog.asked(1, 100 * megabyte);
    expect(offered).toEqual([]);
    backlog.done(1);
    backlog.done(1);
    backlog.take(2, 0);
    backlog.done(2);
    expect(offered).toEqual([1, 2]);
  });

  it('knows better when it is told', () => {
    const { backlog, offered } = make();
    backlog.take(1, Number.POSITIVE_INFINITY);
    backlog.expect(1, megabyte);
    expect(offered).toEqual([1]);
    backlog.done(1);
    backlog.expect(1, 100 * megabyte);
    backlog.take(2, 0);
    expect(offered).toEqual([1, 2]);
  });

  it('does not take any number of empty folders', () => {
    const { backlog, offered } = make();
    for (let folderId = 1; folderId <= 32; folderId++) backlog.take(folderId, 0);
    expect(offered).toHaveLength(31);
    backlog.done(7);
    expect(offered).toHaveLength(32);
  });
});
